//! Names and tensors on disk: PyTorch's `.pth` both ways, safetensors, npy and npz, and files that are written whole or not at all.
//!
//! Files are untrusted: nothing in them is ever run, no size they state is believed before it is checked, and what is wrong with them
//! comes back as an [`Error`] of one sentence.

mod atomic;
mod bytes;
mod error;
mod json;
mod numpy;
mod options;
mod pickle;
pub mod safetensors;
mod surgery;
mod tensor_file;
mod torch;
mod value;
mod zip;

pub use atomic::atomic_write;
pub use error::{Error, Result};
pub use numpy::{npy, npz};
pub use options::LoadOptions;
pub use surgery::{Fit, Surgery};
pub use tensor_file::{Format, TensorFile, TensorInfo};
pub use torch::{load, load_bytes, load_with, save, write};
pub use value::{BigInt, Dict, Items, Value};
