//! Activations that are more than one function of one number.

use crate::error::fail;
use crate::ops::pointwise::ternary::assign;
use crate::random;
use crate::tensor::Tensor;

/// The first half along `dim` times the sigmoid of the second (`F.glu`).
///
/// # Panics
/// If the size along `dim` is odd, or the tensor has no dimensions.
#[track_caller]
pub fn glu(x: &Tensor, dim: isize) -> Tensor {
    if x.dim() == 0 {
        fail("glu", "glu does not support 0-dimensional tensors");
    }
    let n = x.size(dim);
    if !n.is_multiple_of(2) {
        fail("glu", format!("Halving dimension must be even, but dimension {dim} is size {n}"));
    }
    let (a, b) = (x.narrow(dim, 0, n / 2), x.narrow(dim, (n / 2) as isize, n / 2));
    a * b.sigmoid()
}

/// `x` above zero, a slope times `x` below: the mean of `lower` and `upper`, or in training a random slope between them for each element (`F.rrelu`).
///
/// # Panics
/// If `lower > upper`.
#[track_caller]
pub fn rrelu(x: &Tensor, lower: f64, upper: f64, training: bool) -> Tensor {
    if !(lower <= upper) {
        fail(
            "rrelu",
            format!(
                "Lower bound should be less than or equal to the upper bound, but got lower={lower} and upper={upper}"
            ),
        );
    }
    if !training {
        return x.leaky_relu((lower + upper) / 2.0);
    }
    crate::record::depends("rrelu");
    let slopes = Tensor::from_array(random::rrelu_slopes(&x.array(), lower, upper));
    x * slopes
}

/// [`rrelu`] in place (`F.rrelu_`).
///
/// # Panics
/// As [`rrelu`]; also if the input is a leaf that requires grad.
#[track_caller]
pub fn rrelu_(x: &Tensor, lower: f64, upper: f64, training: bool) -> Tensor {
    assign("rrelu_", x, rrelu(x, lower, upper, training))
}
