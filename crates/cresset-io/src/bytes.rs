//! Reading numbers out of bytes that may be anything, and a file as bytes.

use crate::error::{Error, Result, bail};
use cresset_kernels::buffer::{Buffer, Owner};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::{Deref, Range};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

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

/// Smaller files are read.
const WORTH_MAPPING: usize = 1 << 20;

impl Bytes {
    pub fn open(path: &Path) -> Result<Bytes> {
        Ok(Bytes::and_file(path)?.0)
    }
    /// The same, and the file mapped once more for tensors to lie in; not if the file is small.
    pub fn open_mapped(path: &Path) -> Result<(Bytes, Option<PrivateMap>)> {
        let (bytes, file) = Bytes::and_file(path)?;
        let map = match &bytes {
            Bytes::Mapped(m) => Some(PrivateMap::of(&file, m.len()).map_err(|e| refusal(path, e))?),
            Bytes::Read(_) => None,
        };
        Ok((bytes, map))
    }
    fn and_file(path: &Path) -> Result<(Bytes, File)> {
        let refuse = |e| refusal(path, e);
        let mut file = File::open(path).map_err(refuse)?;
        let meta = file.metadata().map_err(refuse)?;
        if meta.is_dir() {
            bail!("{}: is a folder, not a file", path.display());
        }
        if meta.is_file() && meta.len() >= WORTH_MAPPING as u64 {
            // SAFETY: the map is only read, and copied out of before it is dropped. A file that another process shortens meanwhile ends this
            // process with a bus error, as for every program that maps files; nothing else can go wrong.
            let map = unsafe { memmap2::Mmap::map(&file) }.map_err(refuse)?;
            return Ok((Bytes::Mapped(map), file));
        }
        let mut data = Vec::new();
        file.read_to_end(&mut data).map_err(refuse)?;
        Ok((Bytes::Read(data), file))
    }
}

fn refusal(path: &Path, e: std::io::Error) -> Error {
    Error::io(format_args!("{}: cannot be read", path.display()), e)
}

/// A file in memory of which tensors get parts as their own. What they write stays in this process: pages are copied when they are written to.
pub(crate) struct PrivateMap {
    start: NonNull<u8>,
    len: usize,
    /// The map, which lives as long as any of the parts.
    owner: Arc<Owner>,
    /// The parts that were given out: where each begins and ends.
    given: BTreeMap<usize, usize>,
}

impl PrivateMap {
    fn of(file: &File, len: usize) -> std::io::Result<PrivateMap> {
        // SAFETY: `map_copy` is private, so writing changes no file. Its bytes are reached only through the buffers that `part` gives. For
        // other processes that change the file the same holds as above; `LoadOptions::mmap` says so.
        let mut map = unsafe { memmap2::MmapOptions::new().len(len).no_reserve_swap().map_copy(file) }?;
        let start = NonNull::new(map.as_mut_ptr()).ok_or(std::io::ErrorKind::Unsupported)?;
        Ok(PrivateMap { start, len, owner: Arc::new(Box::new(map)), given: BTreeMap::new() })
    }
    /// The bytes of a range, to be owned. `None` if they are not in the file, not at a multiple of `align`, or belong to somebody already.
    pub fn part(&mut self, range: Range<usize>, align: usize) -> Option<Buffer> {
        let before = self.given.range(..range.end).next_back();
        let free = before.is_none_or(|(_, &end)| end <= range.start);
        if range.is_empty() || range.end > self.len || !range.start.is_multiple_of(align) || !free {
            return None;
        }
        self.given.insert(range.start, range.end);
        // SAFETY: `start` is the first of the map's `len` bytes, and the range lies in them.
        let at = unsafe { self.start.add(range.start) };
        // SAFETY: the bytes are mapped for reading and writing as long as the owner lives, no part that was given out overlaps them, and the map
        // is reached in no other way.
        Some(unsafe { Buffer::foreign(at, range.len(), self.owner.clone()) })
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
