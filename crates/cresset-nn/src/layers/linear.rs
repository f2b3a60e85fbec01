//! The fully connected layer.

use crate::init::{self, KaimingOptions};
use crate::repr::boolean;
use crate::{Base, Forward, Module, Parameter};
use cresset_tensor::functional as F;
use cresset_tensor::{DType, Tensor};

/// `y = x Wᵀ + b` (`nn.Linear`).
///
/// - Input: `(*, in_features)`; output: `(*, out_features)`.
/// - `weight`: `(out_features, in_features)`, initially uniform in ±1/√in_features.
/// - `bias`: `(out_features)`, initially uniform in ±1/√in_features.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, LinearOptions};
/// let fc = Linear::new(20, 30);
/// assert_eq!(fc.call(&Tensor::ones([128, 20])).shape(), [128, 30]);
/// let projection = Linear::with(5, 3, LinearOptions { bias: false, ..Default::default() });
/// assert_eq!(projection.to_string(), "Linear(in_features=5, out_features=3, bias=False)");
/// ```
#[derive(Module, Clone)]
pub struct Linear {
    base: Base,
    /// The size of each input sample.
    pub in_features: usize,
    /// The size of each output sample.
    pub out_features: usize,
    /// The weight, `(out_features, in_features)`.
    pub weight: Parameter,
    /// The bias, `(out_features)`.
    pub bias: Option<Parameter>,
}

/// The keyword arguments of [`Linear`].
#[derive(Clone, Copy, Debug)]
pub struct LinearOptions {
    /// With a bias (true)?
    pub bias: bool,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for LinearOptions {
    fn default() -> LinearOptions {
        LinearOptions { bias: true, dtype: DType::F32 }
    }
}

impl Linear {
    /// A layer with a bias.
    pub fn new(in_features: usize, out_features: usize) -> Linear {
        Linear::with(in_features, out_features, LinearOptions::default())
    }
    /// A layer with keyword arguments.
    pub fn with(in_features: usize, out_features: usize, options: LinearOptions) -> Linear {
        let LinearOptions { bias, dtype } = options;
        let layer = Linear {
            base: Base::new(),
            in_features,
            out_features,
            weight: Parameter::new(Tensor::zeros_of([out_features, in_features], dtype)),
            bias: bias.then(|| Parameter::new(Tensor::zeros_of([out_features], dtype))),
        };
        layer.reset_parameters();
        layer
    }
    /// Draws the initial values anew.
    pub fn reset_parameters(&self) {
        reset_affine(&self.weight, self.bias.as_ref());
    }
    fn extra_repr(&self) -> String {
        let bias = boolean(self.bias.is_some());
        format!("in_features={}, out_features={}, bias={bias}", self.in_features, self.out_features)
    }
}

impl Forward for Linear {
    type Output = Tensor;
    #[inline]
    fn forward(&self, input: &Tensor) -> Tensor {
        F::linear(input, &self.weight, self.bias.as_deref())
    }
}

/// The initial values of linear layers and convolutions: uniform in ±1/√fan_in, weight first.
pub(super) fn reset_affine(weight: &Parameter, bias: Option<&Parameter>) {
    init::kaiming_uniform_(weight, KaimingOptions { a: 5f64.sqrt(), ..Default::default() });
    if let Some(bias) = bias {
        let (fan_in, _) = init::calculate_fan_in_and_fan_out(weight);
        let bound = if fan_in > 0 { 1.0 / (fan_in as f64).sqrt() } else { 0.0 };
        init::uniform_(bias, -bound, bound);
    }
}
