//! Losses: modules of an output and a target.
//!
//! ```
//! use cresset_nn::prelude::*;
//! use cresset_nn::CrossEntropyLoss;
//! let criterion = CrossEntropyLoss::new();
//! let (output, target) = (Tensor::randn([8, 10]).requires_grad_(true), Tensor::randint(0, 10, [8]));
//! criterion.call((&output, &target)).backward();
//! ```

mod binary;
mod class;
mod distance;
mod divergence;

pub use binary::{BCELoss, BCELossOptions, BCEWithLogitsLoss, BCEWithLogitsLossOptions};
pub use class::{CrossEntropyLoss, CrossEntropyLossOptions, NLLLoss, NLLLossOptions};
pub use distance::{HuberLoss, HuberLossOptions, L1Loss, LossOptions, MSELoss, SmoothL1Loss, SmoothL1LossOptions};
pub use divergence::{KLDivLoss, KLDivLossOptions, KLDivReduction};

use crate::Buffer;
use cresset_tensor::Tensor;

/// A weight in the state of a loss.
fn weight_buffer(weight: Option<Tensor>) -> Option<Buffer> {
    weight.map(Buffer::new)
}
