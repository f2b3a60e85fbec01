//! The ops: one file for each or for a small family, with all the library knows of it; [`table`] lists them for the generic tests.

pub mod table;

mod dtype;
mod expand;
mod stand_in;
