//! Losses of yes and no.

use super::weight_buffer;
use crate::functional::{self as F, Reduction};
use crate::{Base, Buffer, Forward, Module};
use cresset_tensor::Tensor;

/// The cross entropy of probabilities and targets between 0 and 1: `-(t ln p + (1 - t) ln(1 - p))` (`nn.BCELoss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
/// - `weight`: a buffer that broadcasts to `(*)`, if given.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::BCELoss::new();
/// let loss = criterion.call((&Tensor::full([3], 0.5), &Tensor::ones([3])));
/// assert!((loss.item::<f32>() - 2f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct BCELoss {
    base: Base,
    /// A weight for each element.
    pub weight: Option<Buffer>,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
}

/// The keyword arguments of [`BCELoss`].
#[derive(Clone, Debug, Default)]
pub struct BCELossOptions {
    /// A weight for each element (none).
    pub weight: Option<Tensor>,
    /// What happens with the losses of the elements (the mean).
    pub reduction: Reduction,
}

impl BCELoss {
    /// With PyTorch's defaults.
    pub fn new() -> BCELoss {
        BCELoss::with(BCELossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: BCELossOptions) -> BCELoss {
        let BCELossOptions { weight, reduction } = options;
        BCELoss { base: Base::new(), weight: weight_buffer(weight), reduction }
    }
}
impl Default for BCELoss {
    fn default() -> BCELoss {
        BCELoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for BCELoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        F::binary_cross_entropy(output, target, self.weight.as_ref().map(Buffer::get).as_ref(), self.reduction)
    }
}

/// [`BCELoss`] of `sigmoid(output)`, without overflow (`nn.BCEWithLogitsLoss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
/// - `weight`, `pos_weight`: buffers that broadcast to `(*)`, if given.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::BCEWithLogitsLoss::new();
/// let loss = criterion.call((&Tensor::zeros([3]), &Tensor::ones([3])));
/// assert!((loss.item::<f32>() - 2f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct BCEWithLogitsLoss {
    base: Base,
    /// A weight for each element.
    pub weight: Option<Buffer>,
    /// A weight for positive targets.
    pub pos_weight: Option<Buffer>,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
}

/// The keyword arguments of [`BCEWithLogitsLoss`].
#[derive(Clone, Debug, Default)]
pub struct BCEWithLogitsLossOptions {
    /// A weight for each element (none).
    pub weight: Option<Tensor>,
    /// What happens with the losses of the elements (the mean).
    pub reduction: Reduction,
    /// A weight for positive targets, for each class (none).
    pub pos_weight: Option<Tensor>,
}

impl BCEWithLogitsLoss {
    /// With PyTorch's defaults.
    pub fn new() -> BCEWithLogitsLoss {
        BCEWithLogitsLoss::with(BCEWithLogitsLossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: BCEWithLogitsLossOptions) -> BCEWithLogitsLoss {
        let BCEWithLogitsLossOptions { weight, reduction, pos_weight } = options;
        let (weight, pos_weight) = (weight_buffer(weight), weight_buffer(pos_weight));
        BCEWithLogitsLoss { base: Base::new(), weight, pos_weight, reduction }
    }
}
impl Default for BCEWithLogitsLoss {
    fn default() -> BCEWithLogitsLoss {
        BCEWithLogitsLoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for BCEWithLogitsLoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        let (weight, pos_weight) = (self.weight.as_ref().map(Buffer::get), self.pos_weight.as_ref().map(Buffer::get));
        F::binary_cross_entropy_with_logits(output, target, weight.as_ref(), pos_weight.as_ref(), self.reduction)
    }
}
