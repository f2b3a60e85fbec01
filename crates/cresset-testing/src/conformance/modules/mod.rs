//! Cases of modules: initial values, names, text, forward, gradients, state afterwards.

mod build;
mod containers;
mod layers;
mod run;

pub use build::{Built, build};
pub use run::{refused_case, run_case};
