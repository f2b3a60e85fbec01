//! `prod`.

use super::scan::cumprod_back;
use super::{Over, fold, helpers::map, layout, refused, samples, sum_dtype, widened, with_real};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::join::cat;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::Reduction;

#[derive(Debug)]
struct Prod {
    over: Over,
    plain: bool,
}

impl Op for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn grad_name(&self) -> String {
        if self.plain { "ProdBackward0".into() } else { "ProdBackward1".into() }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: sum_dtype(inputs[0].dtype), shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let dtype = outputs[0].dtype;
        let x = if dtype == DType::I64 { inputs[0].to(DType::I64) } else { widened(inputs[0]) };
        [fold(Reduction::Product, &x, &self.over, outputs[0].shape).to(dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b1 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let x = ctx.input(0);
        let shape = x.shape();
        if !has_zero(&x.array()) {
            return [Some(&self.over.spread(&(g * &ctx.output(0)), &shape) / &x)].into();
        }
        if self.plain && !ctx.create_graph() && x.count_nonzero().item::<i64>() + 2 <= x.numel() as i64 {
            // Each product without one element has a zero in it, whatever else (infinity, NaN) there is.
            return [Some(x.zeros_like())].into();
        }
        // Dividing by x is not possible: the product of those before times the product of those after.
        let order: Vec<isize> = (0..shape.len() as isize)
            .filter(|&d| !self.over.has(d as usize))
            .chain((0..shape.len() as isize).filter(|&d| self.over.has(d as usize)))
            .collect();
        let n = self.over.count(&shape) as isize;
        let moved = x.permute(&order);
        let rows = moved.reshape([-1, n]);
        let ones = Tensor::ones_of([rows.size(0), 1], x.dtype());
        let before = cat(&[ones.clone(), rows.narrow(1, 0, n as usize - 1)], 1).cumprod(1);
        let after = cumprod_back(&cat(&[rows.narrow(1, 1, n as usize - 1), ones], 1), 1);
        let mut back = vec![0isize; order.len()];
        for (i, &d) in order.iter().enumerate() {
            back[d as usize] = i as isize;
        }
        let others = (&before * &after).reshape(moved.shape()).permute(&back);
        [Some(&self.over.spread(g, &shape) * &others)].into()
    }
}

/// Is an element zero?
pub(super) fn has_zero(x: &Array) -> bool {
    let x = widened(x).contiguous();
    let (x, _) = layout(&x, &Over::all(x.ndim()));
    with_real!(x.dtype(), T => x.with_slice::<T, _>(|x| x.iter().fold(false, |any, &x| any | (x == 0.0))))
}

impl Tensor {
    /// The product of all elements (`x.prod()`). Integers and bool give int64.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[2.0f32, 0.0, 3.0]).requires_grad_(true);
    /// x.prod().backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 6.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod(&self) -> Tensor {
        apply1(Prod { over: Over::all(self.dim()), plain: true }, [self])
    }
    /// The product along one or several dimensions (`x.prod(dim, keepdim)`).
    ///
    /// # Panics
    /// If a dimension is out of range or named twice.
    #[track_caller]
    pub fn prod_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Prod { over: Over::dims("prod", dims, self.dim(), keepdim), plain: false }, [self])
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "prod",
    torch: "x.prod(dim, keepdim)",
    samples: || {
        let mut all = samples(Tensor::prod, |x, d, k| x.prod_dim(d, k));
        for zeros in [1, 2] {
            let x = numbers(&[2, 4], 9);
            let x = Tensor::from_array(map(&x.array(), {
                let first = x.to_vec::<f64>();
                move |v| if first[..zeros].contains(&v) { 0.0 } else { v }
            }));
            all.push(Sample::new(std::slice::from_ref(&x), |x| x[0].prod_dim(1, false)));
            all.push(Sample::new(&[x], |x| x[0].prod()));
        }
        all
    },
    refused: || refused(|x, d, k| x.prod_dim(d, k)),
}];
