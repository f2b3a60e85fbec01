//! Copies of the numbers that stay in the graph: `x.clone()` and `x.contiguous()` of PyTorch.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::error::fail;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::strided::is_injective;

/// How the elements of a tensor lie in memory (`torch.memory_format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryFormat {
    /// Row-major.
    Contiguous,
    /// The channels of a `(N, C, H, W)` tensor next to each other.
    ChannelsLast,
    /// The channels of a `(N, C, D, H, W)` tensor next to each other.
    ChannelsLast3d,
}

impl MemoryFormat {
    /// The strides of a tensor of a shape.
    #[track_caller]
    fn strides(self, shape: &Dims) -> Dims {
        let n = match self {
            MemoryFormat::Contiguous => return shape.contiguous_strides(),
            MemoryFormat::ChannelsLast => 4,
            MemoryFormat::ChannelsLast3d => 5,
        };
        if shape.len() != n {
            fail(
                "contiguous",
                format!("required rank {n} tensor to use channels_last{} format", if n == 4 { "" } else { "_3d" }),
            );
        }
        let mut strides = *shape;
        let mut step = 1;
        for d in std::iter::once(1).chain((2..n).rev()).chain([0]) {
            strides[d] = step;
            step *= shape[d].max(1);
        }
        strides
    }
}

/// A copy in fresh memory.
#[derive(Debug)]
enum Duplicate {
    /// The order of the dimensions in memory is kept.
    KeepOrder,
    /// With these strides.
    Dense(Dims),
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
        if let Duplicate::Dense(strides) = self {
            if *strides == a.shape().contiguous_strides() {
                return [a.copy()].into();
            }
            let out = Array::zeros(*a.meta());
            let out = out.view(*a.shape(), *strides, 0);
            crate::kernels::write_into(&out, a);
            return [out].into();
        }
        if !a.is_contiguous() && is_injective(a.shape(), a.strides()) {
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
        apply1(Duplicate::KeepOrder, [self])
    }
    /// Itself if it lies row-major without gaps, else such a copy (`x.contiguous()`).
    #[track_caller]
    pub fn contiguous(&self) -> Tensor {
        if self.is_contiguous() { self.clone() } else { self.duplicate_in(MemoryFormat::Contiguous) }
    }
    /// Itself if it lies in a memory format, else such a copy (`x.contiguous(memory_format=...)`).
    ///
    /// ```
    /// use cresset_tensor::{MemoryFormat, Tensor};
    /// let x = Tensor::zeros([2, 3, 4, 5]).contiguous_in(MemoryFormat::ChannelsLast);
    /// assert_eq!(x.stride(), [60, 1, 15, 3]);
    /// ```
    ///
    /// # Panics
    /// If the tensor has not the four or five dimensions of a channels-last format.
    #[track_caller]
    pub fn contiguous_in(&self, format: MemoryFormat) -> Tensor {
        let (shape, have, want) = (self.shape(), self.stride(), format.strides(&self.shape()));
        let lies = (0..shape.len()).all(|d| shape[d] == 1 || have[d] == want[d]);
        if lies || shape.numel() == 0 { self.clone() } else { self.duplicate_in(format) }
    }
    /// A copy of the numbers in a memory format (`x.clone(memory_format=...)`).
    ///
    /// # Panics
    /// If the tensor has not the four or five dimensions of a channels-last format.
    #[track_caller]
    pub fn duplicate_in(&self, format: MemoryFormat) -> Tensor {
        apply1(Duplicate::Dense(format.strides(&self.shape())), [self])
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
            Sample::new(&[numbers(&[2, 3, 2, 2], 1)], |x| x[0].contiguous_in(MemoryFormat::ChannelsLast)),
        ]
    },
    refused: || vec![Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].contiguous_in(MemoryFormat::ChannelsLast))],
}];
