//! The affine map of a linear layer.

use crate::error::fail;
use crate::op::apply1;
use crate::ops::linear::{Names, Rows};
use crate::tensor::Tensor;

/// `y = x Wᵀ + b`, for the last dimension of `x` (`torch.nn.functional.linear(x, weight, bias)`).
///
/// `x` is `(*, in_features)` with any number of leading dimensions, `weight` `(out_features, in_features)` and `bias`
/// `(out_features)`; the result is `(*, out_features)`. A `weight` of shape `(in_features)` gives `(*)`.
///
/// ```
/// use cresset_tensor::{functional::linear, Tensor};
/// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [2, 2]);
/// let w = Tensor::from_vec([1.0f32, 0.0, 1.0, 1.0, 0.0, 2.0], [3, 2]);
/// let b = Tensor::from_slice(&[0.0f32, 10.0, 20.0]);
/// assert_eq!(linear(&x, &w, Some(&b)).to_vec::<f32>(), [1.0, 13.0, 24.0, 3.0, 17.0, 28.0]);
/// ```
///
/// # Panics
/// If `x` is 0-d, the sizes do not fit, the dtypes differ or are bool.
#[track_caller]
#[inline]
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let nx = x.dim();
    let (nw, outputs) = weight.seen(|w| (w.ndim(), w.shape().first().copied()));
    // Has the bias one number for each output?
    let fits = |bias: &Tensor| bias.seen(|b| b.ndim() == 1 && b.shape().first().copied() == outputs);
    let op = |grad| Rows { names: Names { op: "linear", grad }, transposed: true, relu: false };
    match (nx, nw, bias) {
        (2, 2, Some(b)) if fits(b) => apply1(op("AddmmBackward0"), [x, weight, b]),
        (2, 2, None) => apply1(op("MmBackward0"), [x, weight]),
        (1.., 2, Some(b)) if fits(b) => apply1(op("UnsafeViewBackward0"), [x, weight, b]),
        (1, 2, None) => apply1(op("SqueezeBackward4"), [x, weight]),
        (1.., 2, None) => apply1(op("UnsafeViewBackward0"), [x, weight]),
        (1.., 1, None) => apply1(op("MvBackward0"), [x, weight]),
        (1.., 2, Some(b)) => with_odd_bias(apply1(op("MmBackward0"), [x, weight]), b),
        (0, _, _) | (_, 0, _) => {
            fail("linear", format!("both arguments to linear need to be at least 1D, but they are {nx}D and {nw}D"))
        }
        (_, 1, Some(_)) => fail("linear", "mat2 must be a matrix, got 1-D tensor"),
        _ => fail("linear", format!("t() expects a tensor with <= 2 dimensions, but self is {nw}D")),
    }
}

/// A bias that broadcasts.
#[cold]
#[track_caller]
fn with_odd_bias(y: Tensor, bias: &Tensor) -> Tensor {
    if bias.dtype() != y.dtype() {
        let (b, w) = (bias.dtype().scalar_name(), y.dtype().scalar_name());
        fail("linear", format!("self and mat2 must have the same dtype, but got {b} and {w}"));
    }
    let (target, have) = (y.shape(), bias.shape());
    for i in 0..have.len() {
        let at = target.len() as isize - have.len() as isize + i as isize;
        if at < 0 || (have[i] != 1 && have[i] != target[at as usize]) {
            fail(
                "linear",
                format!(
                    "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton dimension {at}.  Target sizes: {target:?}.  Tensor sizes: {have:?}",
                    if at < 0 { 1 } else { target[at as usize] },
                    have[i],
                ),
            );
        }
    }
    &y + bias
}
