//! Cases of optimizers and schedulers.

mod make;
mod run;
mod schedulers;
mod state;
pub mod utils;

pub use run::run_case;
pub use schedulers::schedulers;
