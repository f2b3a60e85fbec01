//! Views that a tensor takes of itself: `squeeze_`, `t_` and their kin.

use crate::autograd::mode;
use crate::dims::{Dims, IntList};
use crate::error::fail;
use crate::tensor::Tensor;

impl Tensor {
    /// Becomes a view of itself; no numbers are touched.
    #[track_caller]
    fn relayout(&self, op: &'static str, view: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        if mode::is_grad_enabled() && self.requires_grad() {
            fail(
                op,
                "the shape of a tensor that requires grad is not changed in place, as its history would no longer fit. Use the out-of-place operation, or work under no_grad",
            );
        }
        self.set_data(&crate::no_grad(|| view(self)));
        self.clone()
    }
    /// [`Tensor::squeeze`] in place (`x.squeeze_()`).
    #[track_caller]
    pub fn squeeze_(&self) -> Tensor {
        self.relayout("squeeze_", Tensor::squeeze)
    }
    /// [`Tensor::squeeze_dim`] in place (`x.squeeze_(dim)`).
    #[track_caller]
    pub fn squeeze_dim_(&self, dims: impl IntList) -> Tensor {
        self.relayout("squeeze_", |x| x.squeeze_dim(dims))
    }
    /// [`Tensor::unsqueeze`] in place (`x.unsqueeze_(dim)`).
    #[track_caller]
    pub fn unsqueeze_(&self, dim: isize) -> Tensor {
        self.relayout("unsqueeze_", |x| x.unsqueeze(dim))
    }
    /// [`Tensor::t`] in place (`x.t_()`).
    #[track_caller]
    pub fn t_(&self) -> Tensor {
        self.relayout("t_", Tensor::t)
    }
    /// [`Tensor::transpose`] in place (`x.transpose_(dim0, dim1)`).
    #[track_caller]
    pub fn transpose_(&self, dim0: isize, dim1: isize) -> Tensor {
        self.relayout("transpose_", |x| x.transpose(dim0, dim1))
    }
    /// [`Tensor::as_strided`] in place (`x.as_strided_(size, stride, storage_offset)`).
    #[track_caller]
    pub fn as_strided_(&self, size: impl Into<Dims>, stride: impl IntList, offset: usize) -> Tensor {
        self.relayout("as_strided_", |x| x.as_strided(size, stride, offset))
    }
}
