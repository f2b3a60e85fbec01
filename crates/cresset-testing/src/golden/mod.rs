//! Golden data recorded from PyTorch: reading them and comparing with them.
//!
//! A file is a safetensors container whose metadata hold a list of cases; see `goldens/README.md` for the format in short.

pub mod compare;
pub mod container;
pub mod inputs;
pub mod sha256;
pub mod value;

pub use compare::{Allowance, compare, compare_number};
pub use container::Container;
pub use inputs::Inputs;
pub use value::{Spec, TensorRef, Value};
