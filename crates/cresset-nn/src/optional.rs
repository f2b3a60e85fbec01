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
/// init::zeros_(fc.bias.tensor());
/// assert_eq!(fc.bias.tensor().shape(), [2]);
/// ```
pub trait Optional {
    /// `&Tensor` for a parameter, the same cell; `Tensor` for a buffer, which may hold another one later.
    type Held<'a>
    where
        Self: 'a;
    /// The tensor.
    ///
    /// # Panics
    /// If there is none.
    fn tensor(&self) -> Self::Held<'_>;
}
impl Optional for Option<Parameter> {
    type Held<'a> = &'a Tensor;
    #[track_caller]
    fn tensor(&self) -> &Tensor {
        match self {
            Some(parameter) => parameter.tensor(),
            None => fail("tensor", "the layer was made without this parameter"),
        }
    }
}
impl Optional for Option<Buffer> {
    type Held<'a> = Tensor;
    #[track_caller]
    fn tensor(&self) -> Tensor {
        match self {
            Some(buffer) => buffer.get(),
            None => fail("tensor", "the layer was made without this buffer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchNorm1d, Linear, LinearOptions};

    #[test]
    fn what_is_there_is_given_and_what_is_not_is_refused() {
        let norm = BatchNorm1d::new(3);
        assert_eq!(norm.weight.tensor().to_vec::<f32>(), [1.0; 3]);
        assert!(norm.weight.tensor().is_same(norm.weight.as_ref().unwrap()));
        assert_eq!(norm.running_mean.tensor().to_vec::<f32>(), [0.0; 3]);
        let bare = Linear::with(2, 2, LinearOptions { bias: false, ..Default::default() });
        let error = cresset_tensor::attempt(|| bare.bias.tensor().clone()).expect_err("a refusal");
        assert!(error.to_string().starts_with("tensor: the layer was made without this parameter"), "{error}");
    }
}
