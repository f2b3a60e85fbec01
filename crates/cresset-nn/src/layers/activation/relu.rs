//! Rectified units.

use super::{comma_inplace, inplace_text, number};
use crate::{Base, Forward, Module};
use cresset_tensor::error::fail;
use cresset_tensor::{Scalar, Tensor};

/// `max(0, x)` for each element (`nn.ReLU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::ReLU::new().call(&Tensor::from_slice(&[-1.0f32, 2.0]));
/// assert_eq!(y.to_vec::<f32>(), [0.0, 2.0]);
/// ```
#[derive(Module, Clone)]
pub struct ReLU {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`ReLU`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ReLUOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl ReLU {
    /// With PyTorch's defaults.
    pub fn new() -> ReLU {
        ReLU::with(ReLUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: ReLUOptions) -> ReLU {
        let ReLUOptions { inplace } = options;
        ReLU { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        inplace_text(self.inplace)
    }
}
impl Default for ReLU {
    fn default() -> ReLU {
        ReLU::new()
    }
}
impl Forward for ReLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.relu_() } else { input.relu() }
    }
}

/// `min(max(0, x), 6)` for each element (`nn.ReLU6`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::ReLU6::new().call(&Tensor::from_slice(&[-1.0f32, 2.0, 9.0]));
/// assert_eq!(y.to_vec::<f32>(), [0.0, 2.0, 6.0]);
/// ```
#[derive(Module, Clone)]
pub struct ReLU6 {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`ReLU6`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ReLU6Options {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl ReLU6 {
    /// With PyTorch's defaults.
    pub fn new() -> ReLU6 {
        ReLU6::with(ReLU6Options::default())
    }
    /// With keyword arguments.
    pub fn with(options: ReLU6Options) -> ReLU6 {
        let ReLU6Options { inplace } = options;
        ReLU6 { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        inplace_text(self.inplace)
    }
}
impl Default for ReLU6 {
    fn default() -> ReLU6 {
        ReLU6::new()
    }
}
impl Forward for ReLU6 {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.relu6_() } else { input.relu6() }
    }
}

/// `x` where it is positive, `negative_slope * x` elsewhere (`nn.LeakyReLU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::LeakyReLU;
/// let layer = LeakyReLU::with_slope(0.5);
/// assert_eq!(layer.call(&Tensor::from_slice(&[-1.0f32, 2.0])).to_vec::<f32>(), [-0.5, 2.0]);
/// assert_eq!(layer.to_string(), "LeakyReLU(negative_slope=0.5)");
/// ```
#[derive(Module, Clone)]
pub struct LeakyReLU {
    base: Base,
    /// The slope for negative numbers
    pub negative_slope: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`LeakyReLU`].
#[derive(Clone, Copy, Debug)]
pub struct LeakyReLUOptions {
    /// The slope for negative numbers (0.01).
    pub negative_slope: Scalar,
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}
impl Default for LeakyReLUOptions {
    fn default() -> LeakyReLUOptions {
        LeakyReLUOptions { negative_slope: Scalar::Float(0.01), inplace: false }
    }
}

impl LeakyReLU {
    /// With PyTorch's defaults.
    pub fn new() -> LeakyReLU {
        LeakyReLU::with(LeakyReLUOptions::default())
    }
    /// With another slope for negative numbers (`nn.LeakyReLU(0.1)`).
    pub fn with_slope(negative_slope: impl Into<Scalar>) -> LeakyReLU {
        LeakyReLU::with(LeakyReLUOptions { negative_slope: negative_slope.into(), ..Default::default() })
    }
    /// With keyword arguments.
    pub fn with(options: LeakyReLUOptions) -> LeakyReLU {
        let LeakyReLUOptions { negative_slope, inplace } = options;
        LeakyReLU { base: Base::new(), negative_slope, inplace }
    }
    fn extra_repr(&self) -> String {
        format!("negative_slope={}{}", number(self.negative_slope), comma_inplace(self.inplace))
    }
}
impl Default for LeakyReLU {
    fn default() -> LeakyReLU {
        LeakyReLU::new()
    }
}
impl Forward for LeakyReLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace {
            input.leaky_relu_(self.negative_slope.f64())
        } else {
            input.leaky_relu(self.negative_slope.f64())
        }
    }
}

/// `x` held between `min_val` and `max_val` (`nn.Hardtanh`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Hardtanh::new().call(&Tensor::from_slice(&[-3.0f32, 0.5]));
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 0.5]);
/// ```
#[derive(Module, Clone)]
pub struct Hardtanh {
    base: Base,
    /// The smallest value
    pub min_val: Scalar,
    /// The largest value
    pub max_val: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`Hardtanh`].
#[derive(Clone, Copy, Debug)]
pub struct HardtanhOptions {
    /// The smallest value (-1.0).
    pub min_val: Scalar,
    /// The largest value (1.0).
    pub max_val: Scalar,
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}
impl Default for HardtanhOptions {
    fn default() -> HardtanhOptions {
        HardtanhOptions { min_val: Scalar::Float(-1.0), max_val: Scalar::Float(1.0), inplace: false }
    }
}

impl Hardtanh {
    /// With PyTorch's defaults.
    pub fn new() -> Hardtanh {
        Hardtanh::with(HardtanhOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `max_val` is not greater than `min_val`.
    #[track_caller]
    pub fn with(options: HardtanhOptions) -> Hardtanh {
        let HardtanhOptions { min_val, max_val, inplace } = options;
        if max_val.f64() <= min_val.f64() {
            fail("Hardtanh", format!("max_val must be larger than min_val, but they are {max_val} and {min_val}"));
        }
        Hardtanh { base: Base::new(), min_val, max_val, inplace }
    }
    fn extra_repr(&self) -> String {
        format!("min_val={}, max_val={}{}", number(self.min_val), number(self.max_val), comma_inplace(self.inplace))
    }
}
impl Default for Hardtanh {
    fn default() -> Hardtanh {
        Hardtanh::new()
    }
}
impl Forward for Hardtanh {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace {
            input.hardtanh_(self.min_val.f64(), self.max_val.f64())
        } else {
            input.hardtanh(self.min_val.f64(), self.max_val.f64())
        }
    }
}
