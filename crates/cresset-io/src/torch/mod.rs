//! PyTorch's files: the zip format, and the two that came before it.

mod legacy;
mod parsed;
mod save;
mod storages;
mod tar;
mod zip_format;

pub(crate) use parsed::Parsed;
pub use save::{save, write};

use crate::bytes::Bytes;
use crate::error::Result;
use crate::options::LoadOptions;
use crate::value::Value;
use std::path::Path;

/// What `torch.save` has written, as a tree of values (`torch.load(path, weights_only=True)`).
///
/// Reads the zip format of PyTorch 1.6 and later in either byte order, and the older formats (stacked pickles, tar). Nothing in the file is
/// ever run: the names it may use are a fixed list, and sizes are checked against the file before memory is taken. Views of one storage and
/// tied weights share memory here too; devices are read as they are named, the tensors are in the processor's memory.
///
/// Of a TorchScript archive (`torch.jit.save`) it gives the state dict: an ordered dict of all tensors that are attributes of its modules,
/// under names like `fc1.weight`. Its code is not read. Tensors that are plain attributes, no parameters and no buffers, are among them.
///
/// To take a few tensors out of a large file, [`TensorFile`](crate::TensorFile) reads no more than these; [`load_with`] can leave all
/// numbers in the file.
///
/// # Errors
/// One sentence with the file, the place in it and what was expected: the file cannot be read, is cut off or damaged (checksums are
/// checked), holds something other than data, or a dtype that cresset does not have.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::{Value, load, save};
/// use cresset_tensor::Tensor;
/// let path = std::env::temp_dir().join("cresset_load_example.pth");
/// let state = Value::ordered_dict([("weight", Tensor::ones([2, 3]).into())]);
/// save(Value::dict([("epoch", 3.into()), ("model_state_dict", state)]), &path)?;
/// let checkpoint = load(&path)?;
/// assert_eq!(checkpoint["epoch"].int()?, 3);
/// let state = checkpoint["model_state_dict"].state_dict()?;
/// assert_eq!(state["weight"].to_vec::<f32>(), [1.0; 6]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Value> {
    load_with(path, LoadOptions::default())
}

/// [`load`] with options: `LoadOptions { mmap: true }` leaves the numbers in the file (`torch.load(path, weights_only=True, mmap=True)`).
///
/// # Errors
/// As of [`load`]; with `mmap` a damaged number is not noticed.
pub fn load_with(path: impl AsRef<Path>, options: LoadOptions) -> Result<Value> {
    let path = path.as_ref();
    let (data, mut map) = if options.mmap { Bytes::open_mapped(path)? } else { (Bytes::open(path)?, None) };
    Parsed::parse(&*data).and_then(|parsed| parsed.value(map.as_mut())).map_err(|e| e.in_file(path))
}

/// [`load`] from bytes in memory.
///
/// # Errors
/// As of [`load`].
pub fn load_bytes(data: &[u8]) -> Result<Value> {
    Parsed::parse(data)?.value(None)
}
