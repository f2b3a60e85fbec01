//! Normalisation: rows (layer norm, RMS norm), groups of channels (group norm, instance norm), channels over the batch (batch norm).
//!
//! Each has a forward pass that also gives mean and 1 / standard deviation, and a backward pass that reads them. Variances are computed
//! in a second pass over the deviations, which lie in the cache by then.

mod batch;
mod groups;
mod rows;

pub use batch::{BatchNorm, Channels};
pub use groups::{GroupNorm, Groups};
pub use rows::RowNorm;

use crate::reduce::Real;

/// A row of factors or terms that may be absent.
#[inline(always)]
fn at<T: Real>(values: Option<&[T]>, i: usize, absent: T) -> T {
    match values {
        Some(v) => v[i],
        None => absent,
    }
}
