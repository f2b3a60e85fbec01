//! Python's pickles: a machine that builds plain data and runs nothing, and a writer that PyTorch's safe loader reads.

mod calls;
mod globals;
mod leaves;
mod machine;
mod numpy;
mod outside;
mod tree;
mod write;

pub(crate) use leaves::Leaf;
pub(crate) use machine::{Machine, Obj};
pub(crate) use tree::Loaded;
pub(crate) use write::write;

use cresset_tensor::DType;

/// A storage that a pickle refers to: the numbers lie elsewhere in the file.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    /// Its name in the file.
    pub key: String,
    /// `None` as long as nothing says what the bytes are (an untyped storage).
    pub dtype: Option<DType>,
    /// The bytes that the pickle states.
    pub bytes: u64,
}
