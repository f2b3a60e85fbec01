//! Normalisation of the last dimensions.

use crate::functional as F;
use crate::repr::{boolean, number, tuple};
use crate::{Base, Forward, Module, Parameter, init};
use cresset_tensor::{DType, Dims, Scalar, Tensor};

/// Normalises the last dimensions: `y = (x - mean) / √(var + eps) * weight + bias`, with the biased variance (`nn.LayerNorm`).
///
/// - Input: `(*, normalized_shape)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, both of shape `normalized_shape`.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::LayerNorm::new([5, 10]);
/// assert_eq!(layer.call(&Tensor::randn([20, 5, 10])).shape(), [20, 5, 10]);
/// assert_eq!(layer.to_string(), "LayerNorm((5, 10), eps=1e-05, elementwise_affine=True, bias=True)");
/// ```
#[derive(Module, Clone)]
pub struct LayerNorm {
    base: Base,
    /// The sizes of the dimensions that are normalised.
    pub normalized_shape: Dims,
    /// Added to the variance.
    pub eps: Scalar,
    /// With a weight and a bias?
    pub elementwise_affine: bool,
    /// The factor of each element.
    pub weight: Option<Parameter>,
    /// Added to each element.
    pub bias: Option<Parameter>,
}

/// The keyword arguments of [`LayerNorm`].
#[derive(Clone, Copy, Debug)]
pub struct LayerNormOptions {
    /// Added to the variance (1e-5).
    pub eps: Scalar,
    /// With a weight and a bias (true)?
    pub elementwise_affine: bool,
    /// Where there is a weight, a bias too (true)?
    pub bias: bool,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for LayerNormOptions {
    fn default() -> LayerNormOptions {
        LayerNormOptions { eps: Scalar::Float(1e-5), elementwise_affine: true, bias: true, dtype: DType::F32 }
    }
}

impl LayerNorm {
    /// With weight and bias.
    pub fn new(normalized_shape: impl Into<Dims>) -> LayerNorm {
        LayerNorm::with(normalized_shape, LayerNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(normalized_shape: impl Into<Dims>, options: LayerNormOptions) -> LayerNorm {
        let LayerNormOptions { eps, elementwise_affine, bias, dtype } = options;
        let normalized_shape = normalized_shape.into();
        LayerNorm {
            base: Base::new(),
            normalized_shape,
            eps,
            elementwise_affine,
            weight: elementwise_affine.then(|| Parameter::new(Tensor::ones_of(normalized_shape, dtype))),
            bias: (elementwise_affine && bias).then(|| Parameter::new(Tensor::zeros_of(normalized_shape, dtype))),
        }
    }
    /// Weights one, biases zero.
    pub fn reset_parameters(&self) {
        super::state::reset_affine(&self.weight, &self.bias);
    }
    fn extra_repr(&self) -> String {
        format!(
            "{}, eps={}, elementwise_affine={}, bias={}",
            tuple(&self.normalized_shape),
            number(self.eps),
            boolean(self.elementwise_affine),
            boolean(self.bias.is_some())
        )
    }
}
impl Forward for LayerNorm {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        F::layer_norm(input, self.normalized_shape, weight, bias, self.eps.f64())
    }
}

/// Divides the last dimensions by their root mean square: `y = x / √(mean(x²) + eps) * weight` (`nn.RMSNorm`).
///
/// - Input: `(*, normalized_shape)`; output: the same shape.
/// - `weight`: ones, of shape `normalized_shape`.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::RMSNorm::new([2, 3]);
/// assert_eq!(layer.call(&Tensor::randn([4, 2, 3])).shape(), [4, 2, 3]);
/// assert_eq!(layer.to_string(), "RMSNorm((2, 3), eps=None, elementwise_affine=True)");
/// ```
#[derive(Module, Clone)]
pub struct RMSNorm {
    base: Base,
    /// The sizes of the dimensions that are normalised.
    pub normalized_shape: Dims,
    /// Added to the mean square; `None` is the machine epsilon of the dtype that is computed in.
    pub eps: Option<Scalar>,
    /// With a weight?
    pub elementwise_affine: bool,
    /// The factor of each element.
    pub weight: Option<Parameter>,
}

/// The keyword arguments of [`RMSNorm`].
#[derive(Clone, Copy, Debug)]
pub struct RMSNormOptions {
    /// Added to the mean square (none: the machine epsilon).
    pub eps: Option<Scalar>,
    /// With a weight (true)?
    pub elementwise_affine: bool,
    /// The dtype of the weight (f32).
    pub dtype: DType,
}
impl Default for RMSNormOptions {
    fn default() -> RMSNormOptions {
        RMSNormOptions { eps: None, elementwise_affine: true, dtype: DType::F32 }
    }
}

impl RMSNorm {
    /// With a weight.
    pub fn new(normalized_shape: impl Into<Dims>) -> RMSNorm {
        RMSNorm::with(normalized_shape, RMSNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(normalized_shape: impl Into<Dims>, options: RMSNormOptions) -> RMSNorm {
        let RMSNormOptions { eps, elementwise_affine, dtype } = options;
        let normalized_shape = normalized_shape.into();
        let weight = elementwise_affine.then(|| Parameter::new(Tensor::ones_of(normalized_shape, dtype)));
        RMSNorm { base: Base::new(), normalized_shape, eps, elementwise_affine, weight }
    }
    /// Weights one.
    pub fn reset_parameters(&self) {
        if let Some(weight) = &self.weight {
            init::ones_(weight);
        }
    }
    fn extra_repr(&self) -> String {
        let eps = self.eps.map_or("None".into(), number);
        let affine = boolean(self.elementwise_affine);
        format!("{}, eps={eps}, elementwise_affine={affine}", tuple(&self.normalized_shape))
    }
}
impl Forward for RMSNorm {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        F::rms_norm(input, self.normalized_shape, self.weight.as_deref(), self.eps.map(Scalar::f64))
    }
}
