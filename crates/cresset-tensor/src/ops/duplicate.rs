//! Copies of the numbers that stay in the graph: `x.clone()` and `x.contiguous()` of PyTorch.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::strided::is_injective;

/// A copy in fresh memory.
#[derive(Debug)]
struct Duplicate {
    /// Keep the order of the dimensions in memory.
    keep_order: bool,
}

impl Op for Duplicate {
    fn name(&self) -> &'static str {
        "clone"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let a = inputs[0];
        if self.keep_order && !a.is_contiguous() && is_injective(a.shape(), a.strides()) {
            let mut order: Vec<usize> = (0..a.ndim()).collect();
            order.sort_by_key(|&d| std::cmp::Reverse(a.strides()[d]));
            let pick = |from: &Dims| -> Dims { order.iter().map(|&d| from[d]).collect() };
            let straight = a.view(pick(a.shape()), pick(a.strides()), a.offset());
            let mut strides = *a.strides();
            if !straight.is_contiguous() {
                let dense = straight.shape().contiguous_strides();
                order.iter().enumerate().for_each(|(i, &d)| strides[d] = dense[i]);
            }
            return [straight.copy().view(*a.shape(), strides, 0)].into();
        }
        [a.copy()].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].clone()].into()
    }
}

impl Tensor {
    /// A copy of the numbers in fresh memory, through which gradients flow (`x.clone()` of PyTorch). Rust's `clone()` gives a second handle to
    /// the same tensor, like a Python assignment.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::zeros([2]);
    /// let (handle, copy) = (x.clone(), x.duplicate());
    /// x.fill_(1.0);
    /// assert_eq!(handle.to_vec::<f32>(), [1.0, 1.0]);
    /// assert_eq!(copy.to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn duplicate(&self) -> Tensor {
        apply1(Duplicate { keep_order: true }, [self])
    }
    /// Itself if it lies row-major without gaps, else such a copy (`x.contiguous()`).
    #[track_caller]
    pub fn contiguous(&self) -> Tensor {
        if self.is_contiguous() { self.clone() } else { apply1(Duplicate { keep_order: false }, [self]) }
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "clone",
    torch: "x.clone()",
    samples: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].duplicate()),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].t().duplicate()),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].t().contiguous()),
        ]
    },
    refused: Vec::new,
}];
