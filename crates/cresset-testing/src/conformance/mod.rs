//! The conformance runner: golden cases from PyTorch, run against cresset.

mod api;
pub mod args;
pub mod classifier;
mod errors;
mod files;
mod gauge;
mod init;
pub mod modules;
pub mod op_cases;
pub mod ops;
pub mod optim;
pub mod out;
pub mod report;
mod rng;
mod ties;

pub use report::{Options, Outcome, Report, run};
