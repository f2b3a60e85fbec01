//! Reading numbers out of bytes that may be anything, and a file as bytes.

use crate::error::{Error, Result, bail};
use std::fs::File;
use std::io::Read;
use std::ops::Deref;
use std::path::Path;

/// A place in bytes; what is read must be there.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    pub data: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(data: &'a [u8]) -> Cursor<'a> {
        Cursor { data, at: 0 }
    }
    pub fn at(data: &'a [u8], at: usize) -> Result<Cursor<'a>> {
        if at > data.len() {
            bail!("byte {at} is asked for, but there are only {}", data.len());
        }
        Ok(Cursor { data, at })
    }
    pub fn left(&self) -> usize {
        self.data.len() - self.at
    }
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        if n > self.left() {
            bail!("{n} bytes are needed at byte {}, but only {} are left", self.at, self.left());
        }
        let part = &self.data[self.at..self.at + n];
        self.at += n;
        Ok(part)
    }
    /// A length that the file states: no more than what is left.
    pub fn take_u64(&mut self, n: u64) -> Result<&'a [u8]> {
        self.take(usize::try_from(n).unwrap_or(usize::MAX))
    }
    pub fn line(&mut self) -> Result<&'a [u8]> {
        let rest = &self.data[self.at..];
        let Some(n) = rest.iter().position(|&b| b == b'\n') else {
            bail!("a line that starts at byte {} has no end", self.at)
        };
        self.at += n + 1;
        Ok(&rest[..n])
    }
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.take(N)?);
        Ok(a)
    }
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}

/// The number of elements of a shape that a file states. Sizes beside a 0 count too: their product must be a number.
pub(crate) fn numel_of(shape: &[usize]) -> Option<usize> {
    let most = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)))?;
    (most <= isize::MAX as usize / 8).then_some(if shape.contains(&0) { 0 } else { most })
}

/// Reverses the bytes of every element of `size` bytes.
pub(crate) fn swap(bytes: &mut [u8], size: usize) {
    if size > 1 {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

/// The bytes of a file: mapped when it is large, read when it is small.
pub(crate) enum Bytes {
    Mapped(memmap2::Mmap),
    Read(Vec<u8>),
}

impl Bytes {
    pub fn open(path: &Path) -> Result<Bytes> {
        let refuse = |e| Error::io(format_args!("{}: cannot be read", path.display()), e);
        let mut file = File::open(path).map_err(refuse)?;
        let meta = file.metadata().map_err(refuse)?;
        if meta.is_dir() {
            bail!("{}: is a folder, not a file", path.display());
        }
        if meta.is_file() && meta.len() >= 1 << 20 {
            // SAFETY: the map is only read, and copied out of before it is dropped. A file that another process shortens meanwhile ends this
            // process with a bus error, as for every program that maps files; nothing else can go wrong.
            let map = unsafe { memmap2::Mmap::map(&file) }.map_err(refuse)?;
            return Ok(Bytes::Mapped(map));
        }
        let mut data = Vec::new();
        file.read_to_end(&mut data).map_err(refuse)?;
        Ok(Bytes::Read(data))
    }
}
impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(m) => m,
            Bytes::Read(v) => v,
        }
    }
}
