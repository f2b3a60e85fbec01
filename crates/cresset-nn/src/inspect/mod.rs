//! Looking at a model: what its layers are, what flows through them, and what the numbers look like.

mod calls;
mod find_nan;
mod histogram;
mod mult_adds;
mod quiet;
pub mod stats;
mod summary;
mod summary_text;
mod tree_nodes;

pub use summary::{Summary, SummaryRow, summary};
