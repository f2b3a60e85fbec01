//! Units made of exponentials.

use super::{comma_inplace, inplace_text, number};
use crate::{Base, Forward, Module};
use cresset_tensor::Approximate;
use cresset_tensor::{Scalar, Tensor};

/// `x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (`nn.ELU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::ELU::new().to_string(), "ELU(alpha=1.0)");
/// ```
#[derive(Module, Clone)]
pub struct ELU {
    base: Base,
    /// The value for very negative numbers is `-alpha`
    pub alpha: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`ELU`].
#[derive(Clone, Copy, Debug)]
pub struct ELUOptions {
    /// The value for very negative numbers is `-alpha` (1.0).
    pub alpha: Scalar,
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}
impl Default for ELUOptions {
    fn default() -> ELUOptions {
        ELUOptions { alpha: Scalar::Float(1.0), inplace: false }
    }
}

impl ELU {
    /// With PyTorch's defaults.
    pub fn new() -> ELU {
        ELU::with(ELUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: ELUOptions) -> ELU {
        let ELUOptions { alpha, inplace } = options;
        ELU { base: Base::new(), alpha, inplace }
    }
    fn extra_repr(&self) -> String {
        format!("alpha={}{}", number(self.alpha), comma_inplace(self.inplace))
    }
}
impl Default for ELU {
    fn default() -> ELU {
        ELU::new()
    }
}
impl Forward for ELU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.elu_(self.alpha.f64()) } else { input.elu(self.alpha.f64()) }
    }
}

/// The self-normalising unit: `scale * (max(0, x) + min(0, alpha * (exp(x) - 1)))` with fixed constants (`nn.SELU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::SELU::new().call(&Tensor::zeros([2])).to_vec::<f32>(), [0.0, 0.0]);
/// ```
#[derive(Module, Clone)]
pub struct SELU {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`SELU`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SELUOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl SELU {
    /// With PyTorch's defaults.
    pub fn new() -> SELU {
        SELU::with(SELUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: SELUOptions) -> SELU {
        let SELUOptions { inplace } = options;
        SELU { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        inplace_text(self.inplace)
    }
}
impl Default for SELU {
    fn default() -> SELU {
        SELU::new()
    }
}
impl Forward for SELU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.selu_() } else { input.selu() }
    }
}

/// `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))` (`nn.CELU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::CELU::new().to_string(), "CELU(alpha=1.0)");
/// ```
#[derive(Module, Clone)]
pub struct CELU {
    base: Base,
    /// The value for very negative numbers is `-alpha`
    pub alpha: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`CELU`].
#[derive(Clone, Copy, Debug)]
pub struct CELUOptions {
    /// The value for very negative numbers is `-alpha` (1.0).
    pub alpha: Scalar,
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}
impl Default for CELUOptions {
    fn default() -> CELUOptions {
        CELUOptions { alpha: Scalar::Float(1.0), inplace: false }
    }
}

impl CELU {
    /// With PyTorch's defaults.
    pub fn new() -> CELU {
        CELU::with(CELUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: CELUOptions) -> CELU {
        let CELUOptions { alpha, inplace } = options;
        CELU { base: Base::new(), alpha, inplace }
    }
    fn extra_repr(&self) -> String {
        format!("alpha={}{}", number(self.alpha), comma_inplace(self.inplace))
    }
}
impl Default for CELU {
    fn default() -> CELU {
        CELU::new()
    }
}
impl Forward for CELU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.celu_(self.alpha.f64()) } else { input.celu(self.alpha.f64()) }
    }
}

/// `x * Φ(x)`, with Φ the normal distribution function, or its approximation with tanh (`nn.GELU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::GELU;
/// assert_eq!(GELU::new().to_string(), "GELU(approximate='none')");
/// ```
#[derive(Module, Clone)]
pub struct GELU {
    base: Base,
    /// Which formula
    pub approximate: Approximate,
}

/// The keyword arguments of [`GELU`].
#[derive(Clone, Copy, Debug)]
pub struct GELUOptions {
    /// Which formula (the exact form).
    pub approximate: Approximate,
}
impl Default for GELUOptions {
    fn default() -> GELUOptions {
        GELUOptions { approximate: Approximate::None }
    }
}

impl GELU {
    /// With PyTorch's defaults.
    pub fn new() -> GELU {
        GELU::with(GELUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: GELUOptions) -> GELU {
        let GELUOptions { approximate } = options;
        GELU { base: Base::new(), approximate }
    }
    fn extra_repr(&self) -> String {
        let name = match self.approximate {
            Approximate::None => "none",
            Approximate::Tanh => "tanh",
        };
        format!("approximate='{name}'")
    }
}
impl Default for GELU {
    fn default() -> GELU {
        GELU::new()
    }
}
impl Forward for GELU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.gelu(self.approximate)
    }
}

/// `x * sigmoid(x)`, also called swish (`nn.SiLU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::SiLU::new().call(&Tensor::zeros([1])).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone)]
pub struct SiLU {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`SiLU`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SiLUOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl SiLU {
    /// With PyTorch's defaults.
    pub fn new() -> SiLU {
        SiLU::with(SiLUOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: SiLUOptions) -> SiLU {
        let SiLUOptions { inplace } = options;
        SiLU { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        inplace_text(self.inplace)
    }
}
impl Default for SiLU {
    fn default() -> SiLU {
        SiLU::new()
    }
}
impl Forward for SiLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.silu_() } else { input.silu() }
    }
}

/// `x * tanh(softplus(x))` (`nn.Mish`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Mish::new().call(&Tensor::zeros([1])).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone)]
pub struct Mish {
    base: Base,
    /// Overwrites its input?
    pub inplace: bool,
}

/// The keyword arguments of [`Mish`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MishOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

impl Mish {
    /// With PyTorch's defaults.
    pub fn new() -> Mish {
        Mish::with(MishOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: MishOptions) -> Mish {
        let MishOptions { inplace } = options;
        Mish { base: Base::new(), inplace }
    }
    fn extra_repr(&self) -> String {
        inplace_text(self.inplace)
    }
}
impl Default for Mish {
    fn default() -> Mish {
        Mish::new()
    }
}
impl Forward for Mish {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if self.inplace { input.mish_() } else { input.mish() }
    }
}

/// `log(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x` is above the threshold (`nn.Softplus`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Softplus::new().call(&Tensor::zeros([1]));
/// assert!((y.item::<f32>() - 2f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct Softplus {
    base: Base,
    /// How sharp the bend is
    pub beta: Scalar,
    /// From where on it is linear
    pub threshold: Scalar,
}

/// The keyword arguments of [`Softplus`].
#[derive(Clone, Copy, Debug)]
pub struct SoftplusOptions {
    /// How sharp the bend is (1.0).
    pub beta: Scalar,
    /// From where on it is linear (20.0).
    pub threshold: Scalar,
}
impl Default for SoftplusOptions {
    fn default() -> SoftplusOptions {
        SoftplusOptions { beta: Scalar::Float(1.0), threshold: Scalar::Float(20.0) }
    }
}

impl Softplus {
    /// With PyTorch's defaults.
    pub fn new() -> Softplus {
        Softplus::with(SoftplusOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: SoftplusOptions) -> Softplus {
        let SoftplusOptions { beta, threshold } = options;
        Softplus { base: Base::new(), beta, threshold }
    }
    fn extra_repr(&self) -> String {
        format!("beta={}, threshold={}", number(self.beta), number(self.threshold))
    }
}
impl Default for Softplus {
    fn default() -> Softplus {
        Softplus::new()
    }
}
impl Forward for Softplus {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.softplus(self.beta.f64(), self.threshold.f64())
    }
}

/// `log(sigmoid(x))` for each element (`nn.LogSigmoid`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::LogSigmoid::new().call(&Tensor::zeros([1]));
/// assert!((y.item::<f32>() + 2f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone, Default)]
pub struct LogSigmoid {
    base: Base,
}

impl LogSigmoid {
    /// The layer.
    pub fn new() -> LogSigmoid {
        LogSigmoid::default()
    }
}
impl Forward for LogSigmoid {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.logsigmoid()
    }
}

/// `1 / (1 + exp(-x))` for each element (`nn.Sigmoid`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Sigmoid::new().call(&Tensor::zeros([1])).item::<f32>(), 0.5);
/// ```
#[derive(Module, Clone, Default)]
pub struct Sigmoid {
    base: Base,
}

impl Sigmoid {
    /// The layer.
    pub fn new() -> Sigmoid {
        Sigmoid::default()
    }
}
impl Forward for Sigmoid {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.sigmoid()
    }
}

/// The hyperbolic tangent of each element (`nn.Tanh`).
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Tanh::new().call(&Tensor::zeros([1])).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone, Default)]
pub struct Tanh {
    base: Base,
}

impl Tanh {
    /// The layer.
    pub fn new() -> Tanh {
        Tanh::default()
    }
}
impl Forward for Tanh {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.tanh()
    }
}
