//! Rectified units with learned, random or given values.

use super::{comma_inplace, number};
use crate::functional as F;
use crate::{Base, Forward, Module, Parameter, init};
use cresset_tensor::{DType, Scalar, Tensor};

/// `x` where it is positive, `a * x` elsewhere, with a learned slope `a`, one for all or one for each channel (`nn.PReLU`).
///
/// - Input: `(*)` or `(N, C, *)`; output: the same shape.
/// - `weight`: `(num_parameters)`, initially `init`.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::PReLU::new();
/// assert_eq!(layer.call(&Tensor::from_slice(&[-4.0f32, 2.0])).to_vec::<f32>(), [-1.0, 2.0]);
/// assert_eq!(layer.to_string(), "PReLU(num_parameters=1)");
/// ```
#[derive(Module, Clone)]
pub struct PReLU {
    base: Base,
    /// The number of slopes.
    pub num_parameters: usize,
    /// The initial slope.
    pub init: f64,
    /// The slopes, `(num_parameters)`.
    pub weight: Parameter,
}

/// The keyword arguments of [`PReLU`].
#[derive(Clone, Copy, Debug)]
pub struct PReLUOptions {
    /// The number of slopes: 1, or the number of channels (1).
    pub num_parameters: usize,
    /// The initial slope (0.25).
    pub init: f64,
    /// The dtype of the slopes (f32).
    pub dtype: DType,
}
impl Default for PReLUOptions {
    fn default() -> PReLUOptions {
        PReLUOptions { num_parameters: 1, init: 0.25, dtype: DType::F32 }
    }
}

impl PReLU {
    /// One slope for all elements.
    pub fn new() -> PReLU {
        PReLU::with(PReLUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: PReLUOptions) -> PReLU {
        let PReLUOptions { num_parameters, init, dtype } = options;
        let weight = Parameter::new(Tensor::zeros_of([num_parameters], dtype));
        let layer = PReLU { base: Base::new(), num_parameters, init, weight };
        layer.reset_parameters();
        layer
    }
    /// Sets the slopes to `init`.
    pub fn reset_parameters(&self) {
        init::constant_(&self.weight, self.init);
    }
    fn extra_repr(&self) -> String {
        format!("num_parameters={}", self.num_parameters)
    }
}
impl Default for PReLU {
    fn default() -> PReLU {
        PReLU::new()
    }
}
impl Forward for PReLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.prelu(&self.weight)
    }
}

/// `x` where it is positive, `a * x` elsewhere; in training `a` is drawn for each negative element, in evaluation it is the middle of the range
/// (`nn.RReLU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::RReLU::new();
/// layer.eval();
/// let y = layer.call(&Tensor::from_slice(&[-1.0f32, 2.0])).to_vec::<f32>();
/// assert!((y[0] + (1.0 / 8.0 + 1.0 / 3.0) / 2.0).abs() < 1e-6 && y[1] == 2.0);
/// ```
#[derive(Module, Clone)]
pub struct RReLU {
    base: Base,
    /// The smallest slope.
    pub lower: Scalar,
    /// The largest slope.
    pub upper: Scalar,
}

/// The keyword arguments of [`RReLU`].
#[derive(Clone, Copy, Debug)]
pub struct RReLUOptions {
    /// The smallest slope (1/8).
    pub lower: Scalar,
    /// The largest slope (1/3).
    pub upper: Scalar,
}
impl Default for RReLUOptions {
    fn default() -> RReLUOptions {
        RReLUOptions { lower: Scalar::Float(1.0 / 8.0), upper: Scalar::Float(1.0 / 3.0) }
    }
}

impl RReLU {
    /// With PyTorch's defaults.
    pub fn new() -> RReLU {
        RReLU::with(RReLUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: RReLUOptions) -> RReLU {
        let RReLUOptions { lower, upper } = options;
        RReLU { base: Base::new(), lower, upper }
    }
    fn extra_repr(&self) -> String {
        format!("lower={}, upper={}", number(self.lower), number(self.upper))
    }
}
impl Default for RReLU {
    fn default() -> RReLU {
        RReLU::new()
    }
}
impl Forward for RReLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        F::rrelu(input, self.lower.f64(), self.upper.f64(), self.base.is_training())
    }
}

/// `x` where it is above the threshold, `value` elsewhere (`nn.Threshold`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::Threshold::new(0.1, 20);
/// assert_eq!(layer.call(&Tensor::from_slice(&[0.0f32, 1.0])).to_vec::<f32>(), [20.0, 1.0]);
/// assert_eq!(layer.to_string(), "Threshold(threshold=0.1, value=20)");
/// ```
#[derive(Module, Clone)]
pub struct Threshold {
    base: Base,
    /// What is not above it is replaced.
    pub threshold: Scalar,
    /// The value that takes its place.
    pub value: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`Threshold`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ThresholdOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl Threshold {
    /// With a threshold and the value that is used below it.
    pub fn new(threshold: impl Into<Scalar>, value: impl Into<Scalar>) -> Threshold {
        Threshold::with(threshold, value, ThresholdOptions::default())
    }
    /// With keyword arguments.
    pub fn with(threshold: impl Into<Scalar>, value: impl Into<Scalar>, options: ThresholdOptions) -> Threshold {
        let (threshold, value) = (threshold.into(), value.into());
        Threshold { base: Base::new(), threshold, value, inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        let inplace = comma_inplace(self.inplace);
        format!("threshold={}, value={}{inplace}", number(self.threshold), number(self.value))
    }
}
impl Forward for Threshold {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let (threshold, value) = (self.threshold.f64(), self.value.f64());
        if self.inplace { input.threshold_(threshold, value) } else { input.threshold(threshold, value) }
    }
}
