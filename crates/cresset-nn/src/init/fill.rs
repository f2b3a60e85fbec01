//! Filling with one number or with independent ones.

use cresset_tensor::{DType, Element, Scalar, Tensor, no_grad};

/// Puts the numbers of `source`, which has the same shape, into `target`, in the target's dtype and without history.
#[track_caller]
pub(crate) fn overwrite(target: &Tensor, source: &Tensor) {
    no_grad(|| target.copy_(source));
}

/// Puts numbers in row-major order into `target`.
pub(super) fn write<T: Element>(target: &Tensor, numbers: &[T]) -> Tensor {
    overwrite(target, &Tensor::from_vec(numbers, target.shape()));
    target.clone()
}

/// Numbers drawn uniformly from `[a, b)` (`nn.init.uniform_(tensor, a, b)`; PyTorch's defaults are 0 and 1).
///
/// # Panics
/// If `a > b`, or the dtype is no floating-point one.
#[track_caller]
pub fn uniform_(tensor: &Tensor, a: f64, b: f64) -> Tensor {
    no_grad(|| tensor.uniform_(a, b))
}
/// Numbers drawn from the normal distribution (`nn.init.normal_(tensor, mean, std)`; PyTorch's defaults are 0 and 1).
///
/// # Panics
/// If `std` is negative, or the dtype is no floating-point one.
#[track_caller]
pub fn normal_(tensor: &Tensor, mean: f64, std: f64) -> Tensor {
    no_grad(|| tensor.normal_(mean, std))
}
/// `value` everywhere (`nn.init.constant_(tensor, value)`).
pub fn constant_(tensor: &Tensor, value: impl Into<Scalar>) -> Tensor {
    overwrite(tensor, &tensor.full_like(value));
    tensor.clone()
}
/// Ones (`nn.init.ones_(tensor)`).
pub fn ones_(tensor: &Tensor) -> Tensor {
    constant_(tensor, 1.0)
}
/// Zeros (`nn.init.zeros_(tensor)`).
pub fn zeros_(tensor: &Tensor) -> Tensor {
    constant_(tensor, 0.0)
}

/// The elements as f64, exact for all floating-point dtypes.
pub(super) fn wide(tensor: &Tensor) -> Vec<f64> {
    tensor.array().to(DType::F64).to_vec()
}
