//! Reading: the directory is checked against the file before any record is believed.

use super::{CENTRAL, END, END64, LOCAL, LOCATOR64, MAX32};
use crate::bytes::Cursor;
use crate::error::{Error, Result, bail};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::{Deref, Range};

/// The records of a zip archive in memory: in bytes that are lent, or in a file's.
pub(crate) struct Archive<D> {
    data: D,
    records: Vec<Record>,
    places: HashMap<String, usize>,
}

/// One of them. Its bytes lie inside the file and overlap no other.
pub(crate) struct Record {
    pub name: String,
    /// The size of its contents.
    pub size: usize,
    deflated: bool,
    crc: u32,
    header: usize,
    start: usize,
    packed: usize,
}

/// Deflated records may unpack to ten times the file and this in all: a small file cannot fill the memory.
const MOST_UNPACKED: usize = 1 << 30;

impl<D: Deref<Target = [u8]>> Archive<D> {
    pub fn parse(owner: D) -> Result<Archive<D>> {
        let data: &[u8] = &owner;
        let (count, start, size) = directory(data)?;
        if count > size / 46 {
            bail!("the archive's directory states {count} records, which do not fit its {size} bytes");
        }
        let mut c = Cursor { data: &data[..start + size], at: start };
        let mut records = Vec::with_capacity(count);
        let mut places = HashMap::with_capacity(count);
        for i in 0..count {
            let record = entry(data, &mut c, start).map_err(|e| e.within(format_args!("record {i} of the archive")))?;
            if places.insert(record.name.clone(), i).is_some() {
                bail!("the archive has two records named {:?}", record.name);
            }
            records.push(record);
        }
        let mut spans: Vec<(usize, usize)> = records.iter().map(|r| (r.header, r.start + r.packed)).collect();
        spans.sort_unstable();
        if spans.windows(2).any(|w| w[0].1 > w[1].0) {
            bail!("records of the archive overlap");
        }
        let unpacked = records.iter().filter(|r| r.deflated).fold(0usize, |n, r| n.saturating_add(r.size));
        if unpacked > data.len().saturating_mul(10).saturating_add(MOST_UNPACKED) {
            bail!(
                "the archive's {} bytes would unpack to {unpacked}, more than ten times as many and 1 GiB; store such arrays uncompressed",
                data.len()
            );
        }
        Ok(Archive { data: owner, records, places })
    }
    pub fn records(&self) -> &[Record] {
        &self.records
    }
    pub fn find(&self, name: &str) -> Option<&Record> {
        self.place(name).map(|i| &self.records[i])
    }
    /// The position of the record in `records`.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
    /// The first `most` bytes of a record, unchecked.
    pub fn prefix(&self, record: &Record, most: usize) -> Result<Cow<'_, [u8]>> {
        let raw = self.raw(record);
        if !record.deflated {
            return Ok(raw[..most.min(raw.len())].into());
        }
        let mut out = vec![0; most.min(record.size)];
        let mut inflate = flate2::Decompress::new(false);
        let done = inflate.decompress(raw, &mut out, flate2::FlushDecompress::None);
        if done.is_err() {
            bail!("record {:?} is not a valid deflate stream", record.name);
        }
        out.truncate(inflate.total_out() as usize);
        Ok(out.into())
    }
    /// The contents of a record, checked.
    pub fn read(&self, record: &Record) -> Result<Cow<'_, [u8]>> {
        if record.deflated {
            let mut out = vec![0; record.size];
            self.read_into(record, &mut out)?;
            return Ok(out.into());
        }
        let raw = self.raw(record);
        check(record, crc32fast::hash(raw))?;
        Ok(raw.into())
    }
    fn raw(&self, record: &Record) -> &[u8] {
        &self.data[record.start..record.start + record.packed]
    }
    /// Where the contents of a record are in the file, if they are there as they are.
    pub fn stored(&self, record: &Record) -> Option<Range<usize>> {
        (!record.deflated).then(|| record.start..record.start + record.packed)
    }
    /// [`Archive::read`] into memory of the right size.
    pub fn read_into(&self, record: &Record, out: &mut [u8]) -> Result<()> {
        debug_assert_eq!(out.len(), record.size);
        let raw = self.raw(record);
        if !record.deflated {
            // Copied and summed piece by piece, while the piece is in the cache.
            let mut hash = crc32fast::Hasher::new();
            for (from, to) in raw.chunks(1 << 17).zip(out.chunks_mut(1 << 17)) {
                to.copy_from_slice(from);
                hash.update(to);
            }
            return check(record, hash.finalize());
        }
        let mut inflate = flate2::Decompress::new(false);
        let status = inflate.decompress(raw, out, flate2::FlushDecompress::Finish);
        let whole = inflate.total_out() == record.size as u64 && inflate.total_in() == record.packed as u64;
        match status {
            Ok(flate2::Status::StreamEnd) if whole => check(record, crc32fast::hash(out)),
            // An output that is exactly full may end before the decoder has seen the end mark.
            Ok(_) if inflate.total_out() == record.size as u64 => {
                let rest = &raw[inflate.total_in() as usize..];
                match inflate.decompress(rest, &mut [0], flate2::FlushDecompress::Finish) {
                    Ok(flate2::Status::StreamEnd)
                        if inflate.total_out() == record.size as u64 && inflate.total_in() == record.packed as u64 =>
                    {
                        check(record, crc32fast::hash(out))
                    }
                    _ => Err(wrong_size(record)),
                }
            }
            Ok(_) => Err(wrong_size(record)),
            Err(_) => Err(Error::new(format!("record {:?} is not a valid deflate stream", record.name))),
        }
    }
}

fn wrong_size(record: &Record) -> Error {
    Error::new(format!(
        "record {:?} does not unpack to the {} bytes that the archive states for it",
        record.name, record.size
    ))
}

fn check(record: &Record, crc: u32) -> Result<()> {
    if crc != record.crc {
        bail!("record {:?} is damaged: its checksum is {crc:08x}, the archive states {:08x}", record.name, record.crc);
    }
    Ok(())
}

/// Number of records, start and size of the central directory.
fn directory(data: &[u8]) -> Result<(usize, usize, usize)> {
    // The end record is 22 bytes and a comment of at most 65535, which ends with the file.
    let lowest = data.len().saturating_sub(22 + 0xffff);
    let end = (lowest..=data.len().saturating_sub(22))
        .rev()
        .take_while(|_| data.len() >= 22)
        .find(|&i| {
            data[i..i + 4] == END.to_le_bytes()
                && i + 22 + usize::from(u16::from_le_bytes([data[i + 20], data[i + 21]])) == data.len()
        })
        .ok_or_else(|| Error::new("the archive has no end record: the file is cut off or is no zip archive"))?;
    let mut c = Cursor::at(data, end + 4)?;
    let (disk, first_disk, here, count) = (c.u16()?, c.u16()?, c.u16()?, c.u16()?);
    let (size, start) = (c.u32()?, c.u32()?);
    let (mut count, mut size, mut start, mut limit) = (u64::from(count), u64::from(size), u64::from(start), end);
    let saturated = count == 0xffff || size == u64::from(MAX32) || start == u64::from(MAX32);
    let locator = end.checked_sub(20).filter(|&l| saturated && data[l..l + 4] == LOCATOR64.to_le_bytes());
    if let Some(l) = locator {
        let at = Cursor::at(data, l + 8)?.u64()?;
        limit = usize::try_from(at).unwrap_or(usize::MAX);
        let mut c = Cursor::at(&data[..l], limit)?;
        if c.u32()? != END64 {
            bail!("the archive's 64-bit end record is not at byte {at}, where it should be");
        }
        c.take(20)?;
        (_, count, size, start) = (c.u64()?, c.u64()?, c.u64()?, c.u64()?);
    } else if disk != 0 || first_disk != 0 || here as u64 != count {
        bail!("the archive is split over several files");
    }
    match start.checked_add(size) {
        Some(stop) if stop <= limit as u64 => Ok((count as usize, start as usize, size as usize)),
        _ => bail!("the archive's directory should be {size} bytes at byte {start}, which is beyond byte {limit}"),
    }
}

/// One entry of the directory, and the header before the record's bytes, which must agree.
fn entry(data: &[u8], c: &mut Cursor, directory: usize) -> Result<Record> {
    if c.u32()? != CENTRAL {
        bail!("the archive's directory is damaged before byte {}", c.at);
    }
    c.take(4)?;
    let (flags, method) = (c.u16()?, c.u16()?);
    c.take(4)?;
    let crc = c.u32()?;
    let (packed, size) = (c.u32()?, c.u32()?);
    let (name, extra, comment) = (c.u16()?, c.u16()?, c.u16()?);
    c.take(8)?;
    let header = c.u32()?;
    let name = c.take(name.into())?;
    let extra = c.take(extra.into())?;
    c.take(comment.into())?;
    let Ok(text) = std::str::from_utf8(name) else { bail!("its name is not UTF-8") };
    let text = text.to_string();
    if text.starts_with('/')
        || text.starts_with('\\')
        || text.split(['/', '\\']).any(|p| p == "..")
        || text.contains('\0')
    {
        bail!("its name {text:?} is not a path inside the archive");
    }
    let within = |e: Error| e.within(format_args!("record {text:?}"));
    let [size, packed, header] = large_fields(extra, [size, packed, header]).map_err(within)?;
    if flags & 0x2041 != 0 {
        bail!("record {text:?} is encrypted");
    }
    if method != 0 && method != 8 {
        bail!("record {text:?} is packed by method {method}; only stored (0) and deflated (8) records are read");
    }
    if method == 0 && size != packed {
        bail!("record {text:?} is stored, but its two sizes {size} and {packed} differ");
    }
    // Deflate packs a byte of its own into at most 1032.
    if size > packed.saturating_mul(1032).saturating_add(1032) {
        bail!("record {text:?} states {size} bytes, which {packed} packed bytes cannot hold");
    }
    let too_far = || {
        Error::new(format!("record {text:?} should be {packed} bytes at byte {header}, beyond the end of the records"))
    };
    let header = usize::try_from(header).ok().filter(|&h| h < directory).ok_or_else(too_far)?;
    let mut l = Cursor { data: &data[..directory], at: header };
    if l.u32()? != LOCAL {
        bail!("record {text:?} has no header at byte {header}, where the directory places it");
    }
    l.take(2)?;
    let (local_flags, local_method) = (l.u16()?, l.u16()?);
    l.take(4)?;
    let (local_crc, local_packed, local_size) = (l.u32()?, l.u32()?, l.u32()?);
    let (name_len, extra_len) = (l.u16()?, l.u16()?);
    let same_name = l.take(name_len.into())? == name;
    let local_extra = l.take(extra_len.into())?;
    let [local_size, local_packed, _] = large_fields(local_extra, [local_size, local_packed, 0]).map_err(within)?;
    // With flag 8 checksum and sizes follow the record, and the header may have zeros.
    let agrees = |local: u64, central: u64| local == central || (local == 0 && local_flags & 8 != 0);
    if !same_name
        || local_method != method
        || local_flags & 0x2041 != 0
        || !agrees(local_crc.into(), crc.into())
        || !agrees(local_packed, packed)
        || !agrees(local_size, size)
    {
        bail!("record {text:?} has a header at byte {header} that differs from the archive's directory");
    }
    let packed = usize::try_from(packed).ok().filter(|&p| p <= l.left()).ok_or_else(too_far)?;
    let size = usize::try_from(size).map_err(|_| too_far())?;
    Ok(Record { name: text, size, deflated: method == 8, crc, header, start: l.at, packed })
}

/// The 64-bit numbers in the extra field of those that do not fit 32 bits, in this order.
fn large_fields(extra: &[u8], small: [u32; 3]) -> Result<[u64; 3]> {
    let mut large = small.map(u64::from);
    if small.iter().all(|&x| x != MAX32) {
        return Ok(large);
    }
    let mut c = Cursor::new(extra);
    while c.left() >= 4 {
        let (id, len) = (c.u16()?, c.u16()?);
        let mut field = Cursor::new(c.take(len.into())?);
        if id == 1 {
            for (value, small) in large.iter_mut().zip(small) {
                if small == MAX32 {
                    *value = field.u64()?;
                }
            }
            break;
        }
    }
    Ok(large)
}
