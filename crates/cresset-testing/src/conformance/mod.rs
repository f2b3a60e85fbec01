//! The conformance runner: golden cases from PyTorch, run against cresset.

pub mod args;
mod errors;
mod gauge;
mod op_cases;
pub mod ops;
pub mod out;
pub mod report;
mod ties;

pub use report::{Options, Outcome, Report, run};
