//! Writing PyTorch's zip format.

use crate::atomic::atomic_write;
use crate::error::Result;
use crate::pickle;
use crate::value::Value;
use crate::zip::Writer;
use std::io::Write;
use std::path::Path;

/// Where PyTorch places the bytes of records, so that it can map them.
const ALIGN: usize = 64;

/// Writes a value so that PyTorch opens it: `torch.load(path, weights_only=True)`, also with `mmap=True` (`torch.save(value, path)`).
///
/// A state dict can be given as it is. Tensors that share memory share it in the file too, and a whole storage is written even if a tensor
/// shows a part of it. The same value gives the same bytes. The file is written aside and renamed when it is whole, so the path has either
/// the old file or the new one.
///
/// # Errors
/// One sentence: the disk is full, the folder is not there or not writable, the path is a folder.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::{Value, save};
/// use cresset_tensor::Tensor;
/// let path = std::env::temp_dir().join("cresset_save_example.pth");
/// save(Value::dict([("epoch", 3.into()), ("weight", Tensor::ones([2, 3]).into())]), &path)?;
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn save(value: impl Into<Value>, path: impl AsRef<Path>) -> Result<()> {
    let value = value.into();
    atomic_write(path, |file| write(&value, file))
}

/// [`save`] into anything that takes bytes.
///
/// # Errors
/// If `out` fails.
pub fn write(value: &Value, out: impl Write) -> Result<()> {
    let pickled = pickle::write(value)?;
    let mut zip = Writer::new(out);
    let mut store = |name: &str, data: &[u8]| zip.store(&format!("archive/{name}"), data, ALIGN);
    store("data.pkl", &pickled.bytes)?;
    store(".format_version", b"1")?;
    store(".storage_alignment", b"64")?;
    store("byteorder", if cfg!(target_endian = "big") { b"big" } else { b"little" })?;
    for (i, array) in pickled.storages.iter().enumerate() {
        store(&format!("data/{i}"), array.read().slice::<u8>())?;
    }
    store("version", b"3\n")?;
    let id = format!("{:040}", zip.fingerprint());
    zip.store("archive/.data/serialization_id", id.as_bytes(), ALIGN)?;
    zip.finish()
}
