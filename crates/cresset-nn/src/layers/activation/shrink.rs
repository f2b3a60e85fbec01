//! Units that shrink, and the hard forms of sigmoid and swish.

use super::number;
use crate::{Base, Forward, Module};
use cresset_tensor::{Scalar, Tensor};

/// `x` where `|x| > lambd`, zero elsewhere (`nn.Hardshrink`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Hardshrink::new().call(&Tensor::from_slice(&[0.3f32, -2.0]));
/// assert_eq!(y.to_vec::<f32>(), [0.0, -2.0]);
/// ```
#[derive(Module, Clone)]
pub struct Hardshrink {
    base: Base,
    /// What is smaller becomes zero
    pub lambd: Scalar,
}

/// The keyword arguments of [`Hardshrink`].
#[derive(Clone, Copy, Debug)]
pub struct HardshrinkOptions {
    /// What is smaller becomes zero (0.5).
    pub lambd: Scalar,
}
impl Default for HardshrinkOptions {
    fn default() -> HardshrinkOptions {
        HardshrinkOptions { lambd: Scalar::Float(0.5) }
    }
}

impl Hardshrink {
    /// With PyTorch's defaults.
    pub fn new() -> Hardshrink {
        Hardshrink::with(HardshrinkOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: HardshrinkOptions) -> Hardshrink {
        let HardshrinkOptions { lambd } = options;
        Hardshrink { base: Base::new(), lambd }
    }
    fn extra_repr(&self) -> String {
        number(self.lambd)
    }
}
impl Default for Hardshrink {
    fn default() -> Hardshrink {
        Hardshrink::new()
    }
}
impl Forward for Hardshrink {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.hardshrink(self.lambd.f64())
    }
}

/// `x` moved by `lambd` towards zero (`nn.Softshrink`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Softshrink::new().call(&Tensor::from_slice(&[0.3f32, -2.0]));
/// assert_eq!(y.to_vec::<f32>(), [0.0, -1.5]);
/// ```
#[derive(Module, Clone)]
pub struct Softshrink {
    base: Base,
    /// By how much
    pub lambd: Scalar,
}

/// The keyword arguments of [`Softshrink`].
#[derive(Clone, Copy, Debug)]
pub struct SoftshrinkOptions {
    /// By how much (0.5).
    pub lambd: Scalar,
}
impl Default for SoftshrinkOptions {
    fn default() -> SoftshrinkOptions {
        SoftshrinkOptions { lambd: Scalar::Float(0.5) }
    }
}

impl Softshrink {
    /// With PyTorch's defaults.
    pub fn new() -> Softshrink {
        Softshrink::with(SoftshrinkOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: SoftshrinkOptions) -> Softshrink {
        let SoftshrinkOptions { lambd } = options;
        Softshrink { base: Base::new(), lambd }
    }
    fn extra_repr(&self) -> String {
        number(self.lambd)
    }
}
impl Default for Softshrink {
    fn default() -> Softshrink {
        Softshrink::new()
    }
}
impl Forward for Softshrink {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.softshrink(self.lambd.f64())
    }
}

/// `x - tanh(x)` for each element (`nn.Tanhshrink`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Tanhshrink::new().call(&Tensor::zeros([1])).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone, Default)]
pub struct Tanhshrink {
    base: Base,
}

impl Tanhshrink {
    /// The layer.
    pub fn new() -> Tanhshrink {
        Tanhshrink::default()
    }
}
impl Forward for Tanhshrink {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.tanhshrink()
    }
}

/// `x / (1 + |x|)` for each element (`nn.Softsign`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Softsign::new().call(&Tensor::ones([1])).item::<f32>(), 0.5);
/// ```
#[derive(Module, Clone, Default)]
pub struct Softsign {
    base: Base,
}

impl Softsign {
    /// The layer.
    pub fn new() -> Softsign {
        Softsign::default()
    }
}
impl Forward for Softsign {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.softsign()
    }
}

/// `min(max(0, x + 3), 6) / 6` for each element (`nn.Hardsigmoid`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Hardsigmoid::new().call(&Tensor::zeros([1])).item::<f32>(), 0.5);
/// ```
#[derive(Module, Clone)]
pub struct Hardsigmoid {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`Hardsigmoid`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HardsigmoidOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl Hardsigmoid {
    /// With PyTorch's defaults.
    pub fn new() -> Hardsigmoid {
        Hardsigmoid::with(HardsigmoidOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: HardsigmoidOptions) -> Hardsigmoid {
        let HardsigmoidOptions { inplace } = options;
        Hardsigmoid { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        String::new()
    }
}
impl Default for Hardsigmoid {
    fn default() -> Hardsigmoid {
        Hardsigmoid::new()
    }
}
impl Forward for Hardsigmoid {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.hardsigmoid_() } else { input.hardsigmoid() }
    }
}

/// `x * hardsigmoid(x)` for each element (`nn.Hardswish`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Hardswish::new().call(&Tensor::zeros([1])).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone)]
pub struct Hardswish {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`Hardswish`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HardswishOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl Hardswish {
    /// With PyTorch's defaults.
    pub fn new() -> Hardswish {
        Hardswish::with(HardswishOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: HardswishOptions) -> Hardswish {
        let HardswishOptions { inplace } = options;
        Hardswish { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        String::new()
    }
}
impl Default for Hardswish {
    fn default() -> Hardswish {
        Hardswish::new()
    }
}
impl Forward for Hardswish {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.hardswish_() } else { input.hardswish() }
    }
}
