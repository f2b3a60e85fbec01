//! Compiled models for cresset: one run is recorded, its ops are fused, its memory is planned, and the result is used like the model
//! (`torch.compile`).
//!
//! The way of a recording: [`cresset_tensor::record`] notes the ops; `graph` makes values and nodes of them; the passes drop what is dead, compute
//! constants, join equal nodes, fold batch norm into linear layers (without gradients), give ReLU to the matrix product before it, fuse pointwise
//! nodes of one shape, and let rows go through several layers at once; `backward` writes the gradients as a graph of the same kind; `plan` runs both.

mod backward;
mod cache;
mod chain;
mod entry;
mod explain;
mod function;
mod graph;
mod lean;
mod module;
mod ops;
mod passes;
mod plan;
mod traced;

pub use cache::LIMIT;
pub use explain::{JobReport, Report};
pub use function::{CompiledFn, compile_fn};
pub use module::{Compiled, compile};
