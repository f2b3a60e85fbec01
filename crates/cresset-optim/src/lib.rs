//! Optimizers and learning-rate schedulers for cresset.
//!
//! ```
//! use cresset_optim::{Adam, Scheduler, StepLR, clip_grad_norm_};
//! use cresset_tensor::Tensor;
//! let w = Tensor::from_slice(&[1.0f32, -2.0]).requires_grad_(true);
//! let optimizer = Adam::new([&w], 1e-2);
//! let mut scheduler = StepLR::new(&optimizer, 10, 0.5);
//! for _epoch in 0..20 {
//!     optimizer.zero_grad();
//!     (&w * &w).sum().backward();
//!     clip_grad_norm_([&w], 1.0);
//!     optimizer.step();
//!     scheduler.step();
//! }
//! assert_eq!(scheduler.get_last_lr(), [0.0025]);
//! ```

mod algorithms;
mod cell;
mod clip;
mod optimizer;
mod rule;
mod save;
pub mod schedulers;
mod state;
mod together;
mod typed;
mod vector;

pub use algorithms::*;
pub use cell::Cell;
pub use clip::{ClipOptions, clip_grad_norm_, clip_grad_norm_with, clip_grad_value_, get_total_norm};
pub use optimizer::{GroupView, Optimizer};
pub use rule::{Layout, Rule};
pub use schedulers::*;
pub use state::{OptimizerState, StateValue, Stored};
pub use typed::{OptimizerFor, ParamGroup};
pub use vector::{parameters_to_vector, vector_to_parameters};

/// What a [`Rule`] is written with: arithmetic on one element, compiled for every level of vector instructions.
pub mod kernels {
    pub use cresset_kernels::optim::{Float, Formula};
}
