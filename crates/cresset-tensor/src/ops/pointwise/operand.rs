//! The second operand of a binary op: a tensor or a plain number.

use crate::dtype::Scalar;
use crate::tensor::Tensor;

/// A tensor or a plain number: what `x.add(...)`, `x.gt(...)`, `x.pow(...)` take.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// A number.
    Scalar(Scalar),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(t: &'a Tensor) -> Self {
        Operand::Tensor(t)
    }
}
impl<'a, S: Into<Scalar>> From<S> for Operand<'a> {
    fn from(s: S) -> Self {
        Operand::Scalar(s.into())
    }
}
