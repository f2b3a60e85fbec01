//! Linear algebra (`torch.linalg`).

pub use crate::ops::contract::multi_dot;
pub use crate::ops::qr::{QrMode, qr};
pub use crate::ops::triangular::{Triangular, solve_triangular};

use crate::dims::broadcast;
use crate::error::fail;
use crate::tensor::Tensor;

/// The dot products along a dimension of two tensors that broadcast (`torch.linalg.vecdot(a, b, dim=dim)`).
///
/// # Panics
/// If the shapes do not broadcast, the dtypes differ, or `dim` is out of range.
#[track_caller]
pub fn vecdot(a: &Tensor, b: &Tensor, dim: isize) -> Tensor {
    if a.dtype() != b.dtype() {
        let (a, b) = (a.dtype().scalar_name(), b.dtype().scalar_name());
        fail("linalg.vecdot", format!("expected scalar type {a} but found {b}"));
    }
    let shape = broadcast(&a.shape(), &b.shape()).unwrap_or_else(|e| fail("linalg.vecdot", e));
    let dtype = a.dtype();
    let (x, y) = (a.broadcast_to(shape).movedim(dim, -1), b.broadcast_to(shape).movedim(dim, -1));
    (&x * &y).sum_dim(-1, false).to_dtype(dtype)
}
