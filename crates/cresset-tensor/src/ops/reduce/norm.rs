//! Norms of vectors: `norm`, `vector_norm`, `dist`.

use super::{Over, fold, nonzero, refused, samples, share, signs, widened};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::Reduction;

/// `(Σ |x|^p)^(1/p)`, with the usual limits at 0 and ±infinity.
#[derive(Debug)]
struct Norm {
    name: &'static str,
    over: Over,
    p: f64,
}

impl Op for Norm {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        "LinalgVectorNormBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        if !x.dtype.is_floating_point() {
            return Err(format!(
                "linalg.vector_norm: Expected a floating point or complex tensor as input. Got {}",
                x.dtype.scalar_name()
            ));
        }
        let empty = self.over.count(&x.shape) == 0;
        if empty && (self.p < 0.0 || self.p == f64::INFINITY) && self.over.shape(&x.shape).numel() > 0 {
            return Err(format!(
                "linalg.vector_norm cannot compute the {} norm on an empty tensor because the operation does not have an identity",
                self.p
            ));
        }
        Ok([Meta { dtype: x.dtype, shape: self.over.shape(&x.shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let y = fold(Reduction::Norm(self.p), &widened(inputs[0]), &self.over, outputs[0].shape);
        [y.to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b1 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let x = ctx.input(0);
        let shape = x.shape();
        let spread = |t: &Tensor| self.over.spread(t, &shape);
        let gx = match self.p {
            0.0 => &spread(g) * &x.zeros_like(),
            1.0 => &spread(g) * &signs(&x),
            // Where the norm is 0, x is 0 too, and so is the gradient.
            2.0 => &spread(&(g / &nonzero(&ctx.output(0)))) * &x,
            f64::INFINITY | f64::NEG_INFINITY => {
                let shares = share(&x.array(), &ctx.output_array(0), &self.over, true, f64::abs);
                &spread(g) * &(&signs(&x) * &Tensor::from_array(shares))
            }
            p => {
                let sign = signs(&x);
                // |x|^(p-1) y^(1-p), with 1 for the zeros of either: the sign is 0 there. In PyTorch's order, which half precision shows.
                let (size, norm) = (nonzero(&(&x * &sign)), nonzero(&ctx.output(0)));
                if p < 1.0 {
                    let scaled = &sign * &size.pow(p - 1.0);
                    &(&scaled * &spread(g)) * &spread(&norm.pow(1.0 - p))
                } else {
                    let scaled = if p < 2.0 { &sign * &size.pow(p - 1.0) } else { &x * &size.pow(p - 2.0) };
                    &scaled * &spread(&(g / &norm.pow(p - 1.0)))
                }
            }
        };
        [Some(gx)].into()
    }
}

impl Tensor {
    /// The 2-norm of all elements, `sqrt(Σ x²)` (`x.norm()`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[3.0f32, -4.0]);
    /// assert_eq!(x.norm().item::<f32>(), 5.0);
    /// assert_eq!(x.norm_dim(f64::INFINITY, (), false).item::<f32>(), 4.0);
    /// ```
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn norm(&self) -> Tensor {
        apply1(Norm { name: "norm", over: Over::all(self.dim()), p: 2.0 }, [self])
    }
    /// The p-norm of all elements, `(Σ |x|^p)^(1/p)` (`x.norm(p)`).
    #[track_caller]
    pub fn norm_p(&self, p: f64) -> Tensor {
        self.norm_dim(p, (), false)
    }
    /// The p-norm along one or several dimensions (`x.norm(p, dim, keepdim)`): p = 0 counts the elements that are not zero, infinity takes the
    /// largest absolute value and minus infinity the smallest. `[]` means all dimensions; p = 2 is `p="fro"`.
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or a dimension is out of range or named twice.
    #[track_caller]
    pub fn norm_dim(&self, p: f64, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Norm { name: "norm", over: Over::dims("norm", dims, self.dim(), keepdim), p }, [self])
    }
    /// [`Tensor::norm_dim`] by its other name (`torch.linalg.vector_norm(x, ord, dim, keepdim)`).
    #[track_caller]
    pub fn vector_norm(&self, ord: f64, dims: impl IntList, keepdim: bool) -> Tensor {
        let name = "linalg_vector_norm";
        apply1(Norm { name, over: Over::dims(name, dims, self.dim(), keepdim), p: ord }, [self])
    }
    /// The p-norm of the difference (`torch.dist(x, other, p)`).
    #[track_caller]
    pub fn dist(&self, other: &Tensor, p: f64) -> Tensor {
        (self - other).norm_p(p)
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "norm",
        torch: "x.norm(p, dim, keepdim)",
        samples: || {
            let mut all = samples(Tensor::norm, |x, d, k| x.norm_dim(2.0, d, k));
            for p in [0.0, 0.5, 1.0, 1.5, 3.0, -1.0, -2.0, f64::INFINITY, f64::NEG_INFINITY] {
                all.push(Sample::new(&[numbers(&[3, 4], 8)], move |x| x[0].norm_dim(p, 1, false)));
            }
            all
        },
        refused: || refused(|x, d, k| x.norm_dim(2.0, d, k)),
    },
    OpInfo {
        name: "linalg.vector_norm",
        torch: "torch.linalg.vector_norm(x, ord, dim, keepdim)",
        samples: || samples(|x| x.vector_norm(3.0, (), false), |x, d, k| x.vector_norm(1.5, d, k)),
        refused: || vec![Sample::new(&[numbers(&[0], 1)], |x| x[0].vector_norm(f64::INFINITY, (), false))],
    },
    OpInfo {
        name: "dist",
        torch: "torch.dist(x, other, p)",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1), numbers(&[4], 2)], |x| x[0].dist(&x[1], 2.0))],
        refused: || vec![Sample::new(&[numbers(&[3], 1), numbers(&[4], 2)], |x| x[0].dist(&x[1], 2.0))],
    },
];
