//! One array in a file (`numpy.save`).

use super::{NumpyDType, header, tensor_from};
use crate::atomic::atomic_write;
use crate::bytes::Bytes;
use crate::error::Result;
use cresset_tensor::{DType, Tensor};
use std::io::Write;
use std::path::Path;

/// The array of an `.npy` file (`torch.from_numpy(numpy.load(path))`), in either byte order, in row-major order whatever its order in the file.
///
/// # Errors
/// One sentence: the file cannot be read, is no `.npy`, is cut off, or has a dtype that cresset does not have.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::npy;
/// use cresset_tensor::Tensor;
/// let path = std::env::temp_dir().join("cresset_npy_example.npy");
/// npy::save(&Tensor::from_vec([1i64, 2, 3, 4], [2, 2]), &path)?;
/// assert_eq!(npy::load(&path)?.to_vec::<i64>(), [1, 2, 3, 4]);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let data = Bytes::open(path)?;
    load_bytes(&data).map_err(|e| e.in_file(path))
}

/// [`load`] from bytes in memory.
///
/// # Errors
/// As of [`load`].
pub fn load_bytes(data: &[u8]) -> Result<Tensor> {
    let (header, start) = header::parse(data)?;
    tensor_from(&data[start..], header.dtype, &header.shape, header.fortran)
        .map_err(|e| e.within(format_args!("the numbers at byte {start}")))
}

/// dtype and shape, of the first bytes of a file.
pub(crate) fn meta(head: &[u8]) -> Result<(DType, Vec<usize>)> {
    let (header, _) = header::parse(head)?;
    Ok((header.dtype.dtype, header.shape))
}

/// Writes a tensor as an `.npy` file (`numpy.save(path, tensor.numpy())`), whole or not at all.
///
/// # Errors
/// One sentence: bfloat16, which numpy does not have, or the file cannot be written.
pub fn save(tensor: &Tensor, path: impl AsRef<Path>) -> Result<()> {
    atomic_write(path, |file| write(tensor, file))
}

pub(super) fn write(tensor: &Tensor, mut out: impl Write) -> Result<()> {
    let array = tensor.array().contiguous();
    out.write_all(&header::write(&NumpyDType::native(array.dtype())?, array.shape()))?;
    let (start, len) = (array.offset() * array.dtype().size(), array.numel() * array.dtype().size());
    if len > 0 {
        out.write_all(&array.read().slice::<u8>()[start..start + len])?;
    }
    Ok(())
}
