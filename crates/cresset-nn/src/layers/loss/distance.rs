//! Losses by the distance between output and target.

use crate::functional::{self as F, Reduction};
use crate::{Base, Forward, Module};
use cresset_tensor::Tensor;

/// The keyword arguments of losses that have only a reduction.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossOptions {
    /// What happens with the losses of the elements (the mean).
    pub reduction: Reduction,
}

/// `(output - target)²` (`nn.MSELoss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::MSELoss::new();
/// assert_eq!(criterion.call((&Tensor::ones([4]), &Tensor::zeros([4]))).item::<f32>(), 1.0);
/// ```
#[derive(Module, Clone)]
pub struct MSELoss {
    base: Base,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
}

impl MSELoss {
    /// With PyTorch's defaults.
    pub fn new() -> MSELoss {
        MSELoss::with(LossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: LossOptions) -> MSELoss {
        let LossOptions { reduction } = options;
        MSELoss { base: Base::new(), reduction }
    }
}
impl Default for MSELoss {
    fn default() -> MSELoss {
        MSELoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for MSELoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        F::mse_loss(output, target, self.reduction)
    }
}

/// `|output - target|` (`nn.L1Loss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::L1Loss::new();
/// assert_eq!(criterion.call((&Tensor::ones([4]), &Tensor::zeros([4]))).item::<f32>(), 1.0);
/// ```
#[derive(Module, Clone)]
pub struct L1Loss {
    base: Base,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
}

impl L1Loss {
    /// With PyTorch's defaults.
    pub fn new() -> L1Loss {
        L1Loss::with(LossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: LossOptions) -> L1Loss {
        let LossOptions { reduction } = options;
        L1Loss { base: Base::new(), reduction }
    }
}
impl Default for L1Loss {
    fn default() -> L1Loss {
        L1Loss::new()
    }
}
impl Forward<(Tensor, Tensor)> for L1Loss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        F::l1_loss(output, target, self.reduction)
    }
}

/// `d² / (2 beta)` where `d = |output - target| < beta`, else `d - beta / 2` (`nn.SmoothL1Loss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::SmoothL1Loss::new();
/// assert_eq!(criterion.call((&Tensor::ones([4]), &Tensor::zeros([4]))).item::<f32>(), 0.5);
/// ```
#[derive(Module, Clone)]
pub struct SmoothL1Loss {
    base: Base,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
    /// Where the square becomes a line
    pub beta: f64,
}

/// The keyword arguments of [`SmoothL1Loss`].
#[derive(Clone, Copy, Debug)]
pub struct SmoothL1LossOptions {
    /// What happens with the losses of the elements (the mean).
    pub reduction: Reduction,
    /// Where the square becomes a line (1.0).
    pub beta: f64,
}
impl Default for SmoothL1LossOptions {
    fn default() -> SmoothL1LossOptions {
        SmoothL1LossOptions { reduction: Reduction::Mean, beta: 1.0 }
    }
}

impl SmoothL1Loss {
    /// With PyTorch's defaults.
    pub fn new() -> SmoothL1Loss {
        SmoothL1Loss::with(SmoothL1LossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: SmoothL1LossOptions) -> SmoothL1Loss {
        let SmoothL1LossOptions { reduction, beta } = options;
        SmoothL1Loss { base: Base::new(), reduction, beta }
    }
}
impl Default for SmoothL1Loss {
    fn default() -> SmoothL1Loss {
        SmoothL1Loss::new()
    }
}
impl Forward<(Tensor, Tensor)> for SmoothL1Loss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        F::smooth_l1_loss(output, target, self.reduction, self.beta)
    }
}

/// `d² / 2` where `d = |output - target| < delta`, else `delta (d - delta / 2)` (`nn.HuberLoss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::HuberLoss::new();
/// assert_eq!(criterion.call((&Tensor::ones([4]), &Tensor::zeros([4]))).item::<f32>(), 0.5);
/// ```
#[derive(Module, Clone)]
pub struct HuberLoss {
    base: Base,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
    /// Where the square becomes a line
    pub delta: f64,
}

/// The keyword arguments of [`HuberLoss`].
#[derive(Clone, Copy, Debug)]
pub struct HuberLossOptions {
    /// What happens with the losses of the elements (the mean).
    pub reduction: Reduction,
    /// Where the square becomes a line (1.0).
    pub delta: f64,
}
impl Default for HuberLossOptions {
    fn default() -> HuberLossOptions {
        HuberLossOptions { reduction: Reduction::Mean, delta: 1.0 }
    }
}

impl HuberLoss {
    /// With PyTorch's defaults.
    pub fn new() -> HuberLoss {
        HuberLoss::with(HuberLossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: HuberLossOptions) -> HuberLoss {
        let HuberLossOptions { reduction, delta } = options;
        HuberLoss { base: Base::new(), reduction, delta }
    }
}
impl Default for HuberLoss {
    fn default() -> HuberLoss {
        HuberLoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for HuberLoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        F::huber_loss(output, target, self.reduction, self.delta)
    }
}
