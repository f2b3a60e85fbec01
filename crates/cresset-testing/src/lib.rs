//! Gradient checks, golden files from PyTorch and the walks over cresset's tables of operations and modules.

pub mod conformance;
pub mod golden;
pub mod gradcheck;
pub mod walk;

pub use gradcheck::{gradcheck, gradgradcheck};
pub use walk::walk_ops;
