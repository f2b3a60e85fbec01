//! The bilinear layer.

use crate::functional as F;
use crate::repr::boolean;
use crate::{Base, Forward, Module, Parameter, init};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Tensor};

/// `y_k = x₁ᵀ A_k x₂ + b_k` of two inputs (`nn.Bilinear`).
///
/// - Inputs: `(*, in1_features)` and `(*, in2_features)`; output: `(*, out_features)`.
/// - `weight`: `(out_features, in1_features, in2_features)`, initially uniform in ±1/√in1_features.
/// - `bias`: `(out_features)`, initially uniform in ±1/√in1_features.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::Bilinear::new(20, 30, 40);
/// let y = layer.call((&Tensor::ones([128, 20]), &Tensor::ones([128, 30])));
/// assert_eq!(y.shape(), [128, 40]);
/// ```
#[derive(Module, Clone)]
pub struct Bilinear {
    base: Base,
    /// The size of the first input's samples.
    pub in1_features: usize,
    /// The size of the second input's samples.
    pub in2_features: usize,
    /// The size of the output's samples.
    pub out_features: usize,
    /// The matrices.
    pub weight: Parameter,
    /// What is added.
    pub bias: Option<Parameter>,
}

/// The keyword arguments of [`Bilinear`].
#[derive(Clone, Copy, Debug)]
pub struct BilinearOptions {
    /// With a bias (true)?
    pub bias: bool,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for BilinearOptions {
    fn default() -> BilinearOptions {
        BilinearOptions { bias: true, dtype: DType::F32 }
    }
}

impl Bilinear {
    /// A layer with a bias.
    #[track_caller]
    pub fn new(in1_features: usize, in2_features: usize, out_features: usize) -> Bilinear {
        Bilinear::with(in1_features, in2_features, out_features, BilinearOptions::default())
    }
    /// A layer with keyword arguments.
    ///
    /// # Panics
    /// If `in1_features` is 0.
    #[track_caller]
    pub fn with(in1_features: usize, in2_features: usize, out_features: usize, options: BilinearOptions) -> Bilinear {
        if in1_features == 0 {
            fail("Bilinear", format!("in1_features must be > 0, but got {in1_features}"));
        }
        let BilinearOptions { bias, dtype } = options;
        let layer = Bilinear {
            base: Base::new(),
            in1_features,
            in2_features,
            out_features,
            weight: Parameter::new(Tensor::zeros_of([out_features, in1_features, in2_features], dtype)),
            bias: bias.then(|| Parameter::new(Tensor::zeros_of([out_features], dtype))),
        };
        layer.reset_parameters();
        layer
    }
    /// Draws the initial values anew.
    pub fn reset_parameters(&self) {
        let bound = 1.0 / (self.in1_features as f64).sqrt();
        init::uniform_(&self.weight, -bound, bound);
        if let Some(bias) = &self.bias {
            init::uniform_(bias, -bound, bound);
        }
    }
    fn extra_repr(&self) -> String {
        format!(
            "in1_features={}, in2_features={}, out_features={}, bias={}",
            self.in1_features,
            self.in2_features,
            self.out_features,
            boolean(self.bias.is_some())
        )
    }
}
impl Forward<(Tensor, Tensor)> for Bilinear {
    type Output = Tensor;
    fn forward(&self, (x1, x2): &(Tensor, Tensor)) -> Tensor {
        F::bilinear(x1, x2, &self.weight, self.bias.as_deref())
    }
}
