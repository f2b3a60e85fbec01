//! Losses of classes.

use super::weight_buffer;
use crate::functional::{self as F, CrossEntropyOptions, Reduction};
use crate::{Base, Buffer, Forward, Module};
use cresset_tensor::Tensor;

/// The keyword arguments of [`CrossEntropyLoss`].
pub type CrossEntropyLossOptions = CrossEntropyOptions;

/// The negative log likelihood of scores: `-ln softmax(output)[target]` (`nn.CrossEntropyLoss`).
///
/// - Output: `(C)`, `(N, C)` or `(N, C, d1, ...)`; target: classes `()`, `(N)` or `(N, d1, ...)` as int64, or probabilities of the output's shape.
/// - Result: a number; without reduction one for each target.
/// - `weight`: a buffer `(C)`, if given.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::CrossEntropyLoss::new();
/// let loss = criterion.call((&Tensor::zeros([3, 4]), &Tensor::from_slice(&[0i64, 1, 3])));
/// assert!((loss.item::<f32>() - 4f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct CrossEntropyLoss {
    base: Base,
    /// A weight for each class.
    pub weight: Option<Buffer>,
    /// Targets of this class do not count.
    pub ignore_index: i64,
    /// What happens with the losses of the targets.
    pub reduction: Reduction,
    /// How much of the target is spread evenly over all classes.
    pub label_smoothing: f64,
}

impl CrossEntropyLoss {
    /// With PyTorch's defaults: no weights, `ignore_index` -100, the mean, no smoothing.
    pub fn new() -> CrossEntropyLoss {
        CrossEntropyLoss::with(CrossEntropyOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: CrossEntropyOptions) -> CrossEntropyLoss {
        let CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing } = options;
        CrossEntropyLoss { base: Base::new(), weight: weight_buffer(weight), ignore_index, reduction, label_smoothing }
    }
}
impl Default for CrossEntropyLoss {
    fn default() -> CrossEntropyLoss {
        CrossEntropyLoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for CrossEntropyLoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        let options = CrossEntropyOptions {
            weight: self.weight.as_ref().map(Buffer::get),
            ignore_index: self.ignore_index,
            reduction: self.reduction,
            label_smoothing: self.label_smoothing,
        };
        F::cross_entropy_with(output, target, &options)
    }
}

/// The negative log likelihood of log probabilities: `-output[target]` (`nn.NLLLoss`).
///
/// - Output: `(C)`, `(N, C)` or `(N, C, d1, ...)`, the result of a log softmax; target: classes `()`, `(N)` or `(N, d1, ...)` as int64.
/// - Result: a number; without reduction one for each target.
/// - `weight`: a buffer `(C)`, if given.
///
/// ```
/// use cresset_nn::prelude::*;
/// let criterion = cresset_nn::NLLLoss::new();
/// let output = Tensor::zeros([3, 4]).log_softmax(1);
/// let loss = criterion.call((&output, &Tensor::from_slice(&[0i64, 1, 3])));
/// assert!((loss.item::<f32>() - 4f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct NLLLoss {
    base: Base,
    /// A weight for each class.
    pub weight: Option<Buffer>,
    /// Targets of this class do not count.
    pub ignore_index: i64,
    /// What happens with the losses of the targets.
    pub reduction: Reduction,
}

/// The keyword arguments of [`NLLLoss`].
#[derive(Clone, Debug)]
pub struct NLLLossOptions {
    /// A weight for each class, `(C)` (none).
    pub weight: Option<Tensor>,
    /// Targets of this class do not count (-100).
    pub ignore_index: i64,
    /// What happens with the losses of the targets (the weighted mean).
    pub reduction: Reduction,
}
impl Default for NLLLossOptions {
    fn default() -> NLLLossOptions {
        NLLLossOptions { weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

impl NLLLoss {
    /// With PyTorch's defaults.
    pub fn new() -> NLLLoss {
        NLLLoss::with(NLLLossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: NLLLossOptions) -> NLLLoss {
        let NLLLossOptions { weight, ignore_index, reduction } = options;
        NLLLoss { base: Base::new(), weight: weight_buffer(weight), ignore_index, reduction }
    }
}
impl Default for NLLLoss {
    fn default() -> NLLLoss {
        NLLLoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for NLLLoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        let options = CrossEntropyOptions {
            weight: self.weight.as_ref().map(Buffer::get),
            ignore_index: self.ignore_index,
            reduction: self.reduction,
            label_smoothing: 0.0,
        };
        F::nll_loss_with(output, target, &options)
    }
}
