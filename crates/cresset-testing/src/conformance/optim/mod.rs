//! Cases of optimizers and schedulers.

mod make;
mod run;
mod schedulers;
mod state;
mod travel;
pub mod utils;

pub use run::run_case;
pub use schedulers::schedulers;
pub use travel::{read_state, write_state};
