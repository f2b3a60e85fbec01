//! Gradient checks, golden files from PyTorch and the walks over cresset's tables of operations and modules.

pub mod conformance;
pub mod golden;
