//! Distances and directions.

use crate::dims::broadcast;
use crate::dtype::Promotion;
use crate::error::fail;
use crate::no_grad;
use crate::tensor::Tensor;

/// `x / max(|x|_p, eps)` along `dim` (`F.normalize`; PyTorch's defaults are p = 2, dim = 1, eps = 1e-12).
#[track_caller]
pub fn normalize(x: &Tensor, p: f64, dim: isize, eps: f64) -> Tensor {
    x / x.norm_dim(p, dim, true).clamp_min(eps)
}

/// `x1 · x2 / (max(|x1|, eps) max(|x2|, eps))` along `dim` of the shape to which both broadcast (`F.cosine_similarity`; PyTorch's defaults are
/// dim = 1, eps = 1e-8). As in PyTorch the gradient passes the bound `eps`.
///
/// # Panics
/// If the shapes do not broadcast, both tensors are of integers, or `dim` is out of range.
#[track_caller]
pub fn cosine_similarity(x1: &Tensor, x2: &Tensor, dim: isize, eps: f64) -> Tensor {
    const OP: &str = "cosine_similarity";
    let dtype = Promotion::default().tensor(x1.dtype(), x1.dim()).tensor(x2.dtype(), x2.dim()).result();
    if !dtype.is_floating_point() {
        let dtype = dtype.scalar_name();
        fail(OP, format!("expected common dtype to be floating point, yet common dtype is {dtype}"));
    }
    let shape = broadcast(&x1.shape(), &x2.shape()).unwrap_or_else(|e| fail(OP, e));
    let direction = |x: &Tensor| {
        let x = x.to_dtype(dtype).broadcast_to(shape);
        let norm = x.norm_dim(2.0, dim, true).duplicate();
        no_grad(|| norm.clamp_min_(eps));
        x / norm
    };
    (direction(x1) * direction(x2)).sum_dim(dim, false)
}

/// `|x1 - x2 + eps|_p` along the last dimension (`F.pairwise_distance`; PyTorch's defaults are p = 2, eps = 1e-6).
#[track_caller]
pub fn pairwise_distance(x1: &Tensor, x2: &Tensor, p: f64, eps: f64, keepdim: bool) -> Tensor {
    (x1 - x2 + eps).norm_dim(p, -1, keepdim)
}
