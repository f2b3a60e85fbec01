//! Normalisation.

mod batch;
mod group;
mod instance;
mod rows;
mod state;

pub use batch::{BatchNorm1d, BatchNorm2d, BatchNorm3d, BatchNormOptions};
pub use group::{GroupNorm, GroupNormOptions};
pub use instance::{InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, InstanceNormOptions};
pub use rows::{LayerNorm, LayerNormOptions, RMSNorm, RMSNormOptions};
