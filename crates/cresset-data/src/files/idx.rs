//! The IDX format of MNIST: a magic number, sizes, bytes.

use crate::error::Error;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes in one or several dimensions, from an IDX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The sizes.
    pub shape: Vec<usize>,
    /// The elements in row-major order: as many as the product of the sizes.
    pub data: Vec<u8>,
}

/// Reads a file of unsigned bytes in IDX format, plain or compressed with gzip (which its first bytes tell, not its name).
///
/// `dims` is the number of dimensions that is expected: 1 for labels, 3 for pictures.
///
/// # Errors
/// If it cannot be read, is no such file, or is shorter or longer than its sizes say: one sentence with the file and what was expected. No more
/// memory is taken than the file has contents.
pub fn read_idx(path: impl AsRef<Path>, dims: u8) -> Result<Idx, Error> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let failed = |e: std::io::Error| Error::new(format!("{name}: {e}"));
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    read(BufReader::with_capacity(1 << 16, file), length, dims, &name)
}

impl Idx {
    /// [`read_idx`] from bytes in memory; `name` stands for the file in error messages.
    ///
    /// # Errors
    /// As [`read_idx`].
    pub fn parse(bytes: &[u8], dims: u8, name: &str) -> Result<Idx, Error> {
        read(bytes, bytes.len() as u64, dims, name)
    }
}

/// Compressed contents may be ten times as large as the file and this: a small file cannot fill the memory.
const MOST_UNPACKED: u64 = 1 << 30;

fn read(mut source: impl BufRead, length: u64, dims: u8, name: &str) -> Result<Idx, Error> {
    let failed = |e: std::io::Error| Error::new(format!("{name}: {e}"));
    let is_gzip = source.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        let most = length.saturating_mul(10).saturating_add(MOST_UNPACKED);
        parse(&mut MultiGzDecoder::new(source).take(most), None, dims, name)
    } else {
        parse(&mut source, Some(length), dims, name)
    }
}

/// Reads the format from `source`, which has `length` bytes if that is known.
fn parse(source: &mut dyn Read, length: Option<u64>, dims: u8, name: &str) -> Result<Idx, Error> {
    let refuse = |what: String| Error::new(format!("{name}: {what}"));
    let failed = |e: std::io::Error| match length {
        None => refuse(format!("the gzip data is damaged: {e}")),
        Some(_) => refuse(e.to_string()),
    };
    let head_length = 4 + 4 * usize::from(dims);
    let mut head = Vec::new();
    source.take(head_length as u64).read_to_end(&mut head).map_err(failed)?;
    let expected = [0, 0, 8, dims];
    if let Some(magic) = head.first_chunk::<4>()
        && *magic != expected
    {
        return Err(refuse(format!(
            "expected the magic number 0x{:08x} (unsigned bytes in {dims} dimensions) at offset 0, found 0x{:08x}",
            u32::from_be_bytes(expected),
            u32::from_be_bytes(*magic)
        )));
    }
    if head.len() < head_length {
        return Err(refuse(format!("the file ends at byte {}, within its {head_length} bytes of header", head.len())));
    }
    let shape: Vec<usize> =
        head[4..].chunks_exact(4).map(|b| b.iter().fold(0, |n, &b| n << 8 | usize::from(b))).collect();
    let size = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
    let Some(size) = size.filter(|&s| s < 1 << 48) else {
        return Err(refuse(format!("the sizes {shape:?} in the header are too large")));
    };
    let total = size + head_length as u64;
    if let Some(length) = length
        && length != total
    {
        return Err(refuse(format!("the sizes {shape:?} in the header make {total} bytes, but the file has {length}")));
    }
    // Compressed data may be far shorter than the header claims: the buffer grows with what really comes.
    let mut data = Vec::with_capacity(if length.is_some() { size as usize } else { 0 });
    source.take(size).read_to_end(&mut data).map_err(failed)?;
    if (data.len() as u64) < size {
        let found = head_length + data.len();
        return Err(refuse(format!(
            "the sizes {shape:?} in the header make {total} bytes, but the data ends at {found}"
        )));
    }
    if source.read(&mut [0]).map_err(failed)? > 0 {
        return Err(refuse(format!(
            "there is more after the {total} bytes that the sizes {shape:?} in the header make"
        )));
    }
    data.shrink_to_fit();
    Ok(Idx { shape, data })
}
