//! Golden files from PyTorch and the walks over cresset's tables of operations and modules.

pub mod conformance;
pub mod golden;
pub mod walk;

pub use cresset_tensor::autograd::{gradcheck, gradgradcheck};
pub use walk::walk_ops;
