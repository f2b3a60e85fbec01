//! From the bytes of a file to arrays.

use crate::bytes::swap;
use crate::error::{Error, Result};
use crate::pickle::Storage;
use cresset_kernels::buffer::Buffer;
use cresset_tensor::Meta;
use cresset_tensor::array::Array;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One array for a storage, whose bytes `fill` writes. The caller has checked that the file has as many.
pub(super) fn array(storage: &Storage, big_endian: bool, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Array> {
    let dtype = storage.numbers();
    let bytes = usize::try_from(storage.bytes).unwrap_or(usize::MAX);
    let mut buffer = Buffer::try_new(bytes).map_err(|e| Error::new(e.to_string()))?;
    let out = buffer.as_mut_slice::<u8>();
    fill(out)?;
    if big_endian != cfg!(target_endian = "big") {
        swap(out, dtype.size());
    }
    Ok(Array::from_buffer(buffer, Meta::new(dtype, [bytes / dtype.size()])))
}

/// Files above this size are worth a second thread: copying out of the file's map is mostly page faults.
const PARALLEL: u64 = 16 << 20;

/// `make` for the position of every storage, on a few threads where there is much to copy.
pub(super) fn arrays(storages: &[Storage], make: impl Fn(usize) -> Result<Array> + Sync) -> Result<Vec<Array>> {
    let total: u64 = storages.iter().map(|s| s.bytes).fold(0, u64::saturating_add);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    if total < PARALLEL || storages.len() < 2 || threads < 2 {
        return (0..storages.len()).map(make).collect();
    }
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<Option<Result<Array>>>> = Mutex::new(storages.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= storages.len() {
                        break;
                    }
                    let array = make(i);
                    made.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[i] = Some(array);
                }
            });
        }
    });
    let made = made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    made.into_iter().map(|a| a.unwrap_or_else(|| Err(Error::new("a storage was not read")))).collect()
}
