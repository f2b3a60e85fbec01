//! What can be written into a tensor: a number or a tensor.

use crate::dtype::{DType, Scalar};
use crate::tensor::Tensor;

/// A number or a tensor, where PyTorch takes either: the value of `fill_`, `masked_fill`, of an indexed assignment.
#[derive(Clone, Debug)]
pub enum Value {
    /// A plain number.
    Number(Scalar),
    /// A tensor.
    Tensor(Tensor),
}

impl Value {
    /// As a tensor of the dtype: a number becomes a 0-d one. Gradients flow through.
    #[track_caller]
    pub fn tensor(&self, dtype: DType) -> Tensor {
        match self {
            Value::Number(x) => Tensor::full_of((), *x, dtype),
            Value::Tensor(t) => t.to_dtype(dtype),
        }
    }
    /// As a tensor of its own dtype.
    pub fn as_is(&self) -> Tensor {
        match self {
            Value::Number(x) => Tensor::full((), *x),
            Value::Tensor(t) => t.clone(),
        }
    }
}
impl<T: Into<Scalar>> From<T> for Value {
    fn from(x: T) -> Value {
        Value::Number(x.into())
    }
}
impl From<Tensor> for Value {
    fn from(t: Tensor) -> Value {
        Value::Tensor(t)
    }
}
impl From<&Tensor> for Value {
    fn from(t: &Tensor) -> Value {
        Value::Tensor(t.clone())
    }
}
