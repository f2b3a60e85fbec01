//! The divergence of Kullback and Leibler.

use crate::functional::{self as F, Reduction};
use crate::{Base, Forward, Module};
use cresset_tensor::Tensor;

/// What [`KLDivLoss`] does with the losses of the elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KLDivReduction {
    /// Leaves them as they are.
    None,
    /// Their sum divided by the batch size: the mathematical definition.
    BatchMean,
    /// Their sum.
    Sum,
    /// Their mean.
    #[default]
    Mean,
}
crate::member::plain!(KLDivReduction);

/// `target (ln target - output)`, where the output is the logarithm of probabilities (`nn.KLDivLoss`).
///
/// - Inputs: output and target of one shape `(*)`; result: a number, or `(*)` without reduction.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{KLDivLoss, KLDivLossOptions, KLDivReduction};
/// let criterion = KLDivLoss::with(KLDivLossOptions { reduction: KLDivReduction::BatchMean, ..Default::default() });
/// let p = Tensor::full([2, 4], 0.25);
/// assert_eq!(criterion.call((&p.log(), &p)).item::<f32>(), 0.0);
/// ```
#[derive(Module, Clone)]
pub struct KLDivLoss {
    base: Base,
    /// What happens with the losses of the elements.
    pub reduction: KLDivReduction,
    /// Is the target a logarithm too?
    pub log_target: bool,
}

/// The keyword arguments of [`KLDivLoss`].
#[derive(Clone, Copy, Debug, Default)]
pub struct KLDivLossOptions {
    /// What happens with the losses of the elements (the mean).
    pub reduction: KLDivReduction,
    /// Is the target a logarithm too (false)?
    pub log_target: bool,
}

impl KLDivLoss {
    /// With PyTorch's defaults.
    pub fn new() -> KLDivLoss {
        KLDivLoss::with(KLDivLossOptions::default())
    }
    /// With keyword arguments.
    pub fn with(options: KLDivLossOptions) -> KLDivLoss {
        let KLDivLossOptions { reduction, log_target } = options;
        KLDivLoss { base: Base::new(), reduction, log_target }
    }
}
impl Default for KLDivLoss {
    fn default() -> KLDivLoss {
        KLDivLoss::new()
    }
}
impl Forward<(Tensor, Tensor)> for KLDivLoss {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        let reduction = match self.reduction {
            KLDivReduction::None => Reduction::None,
            KLDivReduction::Mean => Reduction::Mean,
            KLDivReduction::Sum | KLDivReduction::BatchMean => Reduction::Sum,
        };
        let loss = F::kl_div(output, target, reduction, self.log_target);
        match self.reduction {
            KLDivReduction::BatchMean if output.dim() > 0 => loss / output.size(0) as f64,
            _ => loss,
        }
    }
}
