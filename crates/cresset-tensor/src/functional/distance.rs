//! Distances and directions.

use crate::tensor::Tensor;

/// `x / max(|x|_p, eps)` along `dim` (`F.normalize`; PyTorch's defaults are p = 2, dim = 1, eps = 1e-12).
#[track_caller]
pub fn normalize(x: &Tensor, p: f64, dim: isize, eps: f64) -> Tensor {
    x / x.norm_dim(p, dim, true).clamp_min(eps)
}

/// `x1 · x2 / (max(|x1|, eps) max(|x2|, eps))` along `dim` (`F.cosine_similarity`; PyTorch's defaults are dim = 1, eps = 1e-8).
#[track_caller]
pub fn cosine_similarity(x1: &Tensor, x2: &Tensor, dim: isize, eps: f64) -> Tensor {
    let (n1, n2) = (x1.norm_dim(2.0, dim, true).clamp_min(eps), x2.norm_dim(2.0, dim, true).clamp_min(eps));
    ((x1 / n1) * (x2 / n2)).sum_dim(dim, false)
}

/// `|x1 - x2 + eps|_p` along the last dimension (`F.pairwise_distance`; PyTorch's defaults are p = 2, eps = 1e-6).
#[track_caller]
pub fn pairwise_distance(x1: &Tensor, x2: &Tensor, p: f64, eps: f64, keepdim: bool) -> Tensor {
    (x1 - x2 + eps).norm_dim(p, -1, keepdim)
}
