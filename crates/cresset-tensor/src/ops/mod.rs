//! The ops: one file for each or for a small family, with all the library knows of it; [`table`] lists them for the generic tests.

pub mod table;

mod batched;
mod dtype;
mod expand;
pub(crate) mod linear;
mod matmul;
pub(crate) mod matrix;
pub(crate) mod reduce;
mod stand_in;
