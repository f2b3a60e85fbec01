//! Cases of modules: initial values, names, text, forward, gradients, state afterwards.

mod activations;
mod build;
mod containers;
mod layers;
mod losses;
mod norms;
mod run;
mod travel;
mod windows;

pub use build::{Built, build};
pub use run::{refused_case, run_case};
pub use travel::{read_state, write_state};
