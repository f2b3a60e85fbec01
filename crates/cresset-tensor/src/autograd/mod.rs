//! Define-by-run reverse-mode differentiation: every op that touches a tensor which requires grad leaves a node; [`backward`] walks the
//! nodes from the newest to the oldest.

pub(crate) mod backward;
pub mod checkpoint;
pub mod gradcheck;
pub(crate) mod mode;
pub mod node;

pub use backward::{Backward, backward, grad};
pub use checkpoint::checkpoint;
pub use gradcheck::{gradcheck, gradgradcheck};
pub use mode::{
    ModeGuard, detect_anomaly, enable_grad, inference_mode, is_anomaly_enabled, is_grad_enabled,
    is_inference_mode_enabled, no_grad, no_grad_guard, set_grad_enabled,
};
