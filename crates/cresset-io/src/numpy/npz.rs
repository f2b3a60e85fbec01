//! Several arrays in a file, by name (`numpy.savez`).

use super::npy;
use crate::atomic::atomic_write;
use crate::bytes::Bytes;
use crate::error::{Result, bail};
use crate::zip::{Archive, Record, Writer};
use cresset_tensor::{DType, StateDict, Tensor};
use std::ops::Deref;
use std::path::Path;

/// The arrays of an `.npz` file, in its order, stored or compressed (`numpy.load(path)`).
///
/// # Errors
/// One sentence: the file cannot be read, is damaged (checksums are checked), or has an array that cresset cannot hold.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::npz;
/// use cresset_tensor::{StateDict, Tensor};
/// let path = std::env::temp_dir().join("cresset_npz_example.npz");
/// let arrays: StateDict = [("w", Tensor::ones([2, 2])), ("b", Tensor::zeros([2]))].into_iter().collect();
/// npz::save(&arrays, &path)?;
/// assert_eq!(npz::load(&path)?["w"].shape(), [2, 2]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
    let path = path.as_ref();
    let data = Bytes::open(path)?;
    load_bytes(&data).map_err(|e| e.in_file(path))
}

/// [`load`] from bytes in memory.
///
/// # Errors
/// As of [`load`].
pub fn load_bytes(data: &[u8]) -> Result<StateDict> {
    let archive = Archive::parse(data)?;
    let mut arrays = StateDict::new();
    for record in archive.records() {
        arrays.insert(name_of(record)?, read(&archive, record)?);
    }
    Ok(arrays)
}

/// The name of an array.
pub(crate) fn name_of(record: &Record) -> Result<&str> {
    match record.name.strip_suffix(".npy") {
        Some(name) => Ok(name),
        None => bail!("record {:?} is no array: its name does not end in .npy", record.name),
    }
}

/// dtype and shape of an array; its numbers are not read.
pub(crate) fn meta<D: Deref<Target = [u8]>>(archive: &Archive<D>, record: &Record) -> Result<(DType, Vec<usize>)> {
    // A header of version 1 has at most 64 KiB.
    npy::meta(&archive.prefix(record, 10 + 0xffff)?).map_err(|e| e.within(format_args!("record {:?}", record.name)))
}

/// An array, checked.
pub(crate) fn read<D: Deref<Target = [u8]>>(archive: &Archive<D>, record: &Record) -> Result<Tensor> {
    npy::load_bytes(&archive.read(record)?).map_err(|e| e.within(format_args!("record {:?}", record.name)))
}

/// Writes tensors as an `.npz` file (`numpy.savez(path, **tensors)`), whole or not at all.
///
/// # Errors
/// One sentence: bfloat16, which numpy does not have, or the file cannot be written.
pub fn save(tensors: &StateDict, path: impl AsRef<Path>) -> Result<()> {
    write(tensors, path.as_ref(), false)
}

/// The same, compressed (`numpy.savez_compressed`).
///
/// # Errors
/// As of [`save`].
pub fn save_compressed(tensors: &StateDict, path: impl AsRef<Path>) -> Result<()> {
    write(tensors, path.as_ref(), true)
}

fn write(tensors: &StateDict, path: &Path, compress: bool) -> Result<()> {
    atomic_write(path, |file| {
        let mut zip = Writer::new(file);
        for (name, tensor) in tensors.iter() {
            let mut raw = Vec::new();
            npy::write(tensor, &mut raw).map_err(|e| e.within(format_args!("the tensor {name:?}")))?;
            let name = format!("{name}.npy");
            if compress { zip.deflate(&name, &raw)? } else { zip.store(&name, &raw, 64)? }
        }
        zip.finish()
    })
}
