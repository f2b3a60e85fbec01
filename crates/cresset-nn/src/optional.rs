//! Parameters and buffers that a layer may lack.

use crate::{Buffer, Parameter};
use cresset_tensor::Tensor;
use cresset_tensor::error::fail;

/// The tensor of a parameter or buffer that a layer may lack: a bias, a weight of a norm, running statistics.
///
/// The field is an `Option`; where the layer is known to have it, `layer.bias.tensor()` is PyTorch's `layer.bias`.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, init};
/// let fc = Linear::new(3, 2);
/// init::zeros_(&fc.bias.tensor());
/// assert_eq!(fc.bias.tensor().shape(), [2]);
/// ```
pub trait Optional {
    /// The tensor: the same cell for a parameter, what it holds now for a buffer.
    ///
    /// # Panics
    /// If there is none.
    fn tensor(&self) -> Tensor;
}
impl Optional for Option<Parameter> {
    #[track_caller]
    fn tensor(&self) -> Tensor {
        match self {
            Some(parameter) => parameter.into(),
            None => fail("tensor", "the layer was made without this parameter"),
        }
    }
}
impl Optional for Option<Buffer> {
    #[track_caller]
    fn tensor(&self) -> Tensor {
        match self {
            Some(buffer) => buffer.get(),
            None => fail("tensor", "the layer was made without this buffer"),
        }
    }
}
