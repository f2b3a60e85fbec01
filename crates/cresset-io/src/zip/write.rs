//! Writing: records as they are, aligned, with nothing in them that depends on the day.

use super::{CENTRAL, END, END64, LOCAL, LOCATOR64, MAX32};
use crate::error::{Result, bail};
use std::collections::HashSet;
use std::io::Write;

/// Writes records one after the other, and the directory at the end.
pub(crate) struct Writer<W> {
    out: W,
    at: u64,
    records: Vec<Record>,
    names: HashSet<String>,
}

struct Record {
    name: String,
    crc: u32,
    size: u64,
    packed: u64,
    deflated: bool,
    header: u64,
}

/// 1980-01-01 00:00, the first date that zip has.
const DATE: u32 = 0x0021_0000;
/// Names are UTF-8.
const FLAGS: u16 = 0x0800;

impl<W: Write> Writer<W> {
    pub fn new(out: W) -> Writer<W> {
        Writer { out, at: 0, records: Vec::new(), names: HashSet::new() }
    }
    /// A record whose bytes start at a multiple of `align`, through padding in the header's extra field as PyTorch does it.
    pub fn store(&mut self, name: &str, data: &[u8], align: usize) -> Result<()> {
        self.write(name, data, None, align)
    }
    /// A deflated record.
    pub fn deflate(&mut self, name: &str, data: &[u8]) -> Result<()> {
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(data)?;
        let packed = packer.finish()?;
        self.write(name, data, Some(&packed), 1)
    }
    fn write(&mut self, name: &str, data: &[u8], packed: Option<&[u8]>, align: usize) -> Result<()> {
        if name.len() > 0xffff || !self.names.insert(name.to_string()) {
            bail!("an archive cannot have the record {name:?}: the name is too long or there twice");
        }
        let body = packed.unwrap_or(data);
        let (size, stored) = (data.len() as u64, body.len() as u64);
        let crc = crc32fast::hash(data);
        let large = size >= u64::from(MAX32) || stored >= u64::from(MAX32);
        let mut extra = Vec::new();
        if large {
            extra.extend([1, 0, 16, 0]);
            extra.extend(size.to_le_bytes());
            extra.extend(stored.to_le_bytes());
        }
        if align > 1 {
            let unpadded = self.at as usize + 30 + name.len() + extra.len() + 4;
            let padding = unpadded.next_multiple_of(align) - unpadded;
            extra.extend(b"FB");
            extra.extend((padding as u16).to_le_bytes());
            extra.resize(extra.len() + padding, b'Z');
        }
        let small = |x: u64| if large { MAX32 } else { x as u32 };
        let mut h = Vec::with_capacity(30);
        h.extend(LOCAL.to_le_bytes());
        h.extend(if large { 45u16 } else { 20 }.to_le_bytes());
        h.extend(FLAGS.to_le_bytes());
        h.extend(if packed.is_some() { 8u16 } else { 0 }.to_le_bytes());
        h.extend(DATE.to_le_bytes());
        h.extend(crc.to_le_bytes());
        h.extend(small(stored).to_le_bytes());
        h.extend(small(size).to_le_bytes());
        h.extend((name.len() as u16).to_le_bytes());
        h.extend((extra.len() as u16).to_le_bytes());
        h.extend(name.as_bytes());
        h.extend(&extra);
        self.records.push(Record {
            name: name.to_string(),
            crc,
            size,
            packed: stored,
            deflated: packed.is_some(),
            header: self.at,
        });
        self.put(&h)?;
        self.put(body)
    }
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
    /// A number that stands for the contents: the checksum of all checksums, names and sizes.
    pub fn fingerprint(&self) -> u128 {
        let mut h: u128 = 0xcbf2_9ce4_8422_2325_8422_2325_cbf2_9ce4;
        for r in &self.records {
            let numbers = [u64::from(r.crc), r.size].into_iter().flat_map(u64::to_le_bytes);
            for b in r.name.bytes().chain(numbers) {
                h = (h ^ u128::from(b)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
            }
        }
        h
    }
    /// The directory; the archive is then whole.
    pub fn finish(mut self) -> Result<()> {
        let start = self.at;
        for r in std::mem::take(&mut self.records) {
            let mut extra = Vec::new();
            let mut small = |x: u64, force: bool| {
                if force || x >= u64::from(MAX32) {
                    extra.extend(x.to_le_bytes());
                    return MAX32;
                }
                x as u32
            };
            let large = r.size >= u64::from(MAX32) || r.packed >= u64::from(MAX32);
            let (size, packed, header) = (small(r.size, large), small(r.packed, large), small(r.header, false));
            let mut h = Vec::with_capacity(46 + r.name.len());
            let version = if extra.is_empty() { 20u16 } else { 45 };
            h.extend(CENTRAL.to_le_bytes());
            h.extend(version.to_le_bytes());
            h.extend(version.to_le_bytes());
            h.extend(FLAGS.to_le_bytes());
            h.extend(if r.deflated { 8u16 } else { 0 }.to_le_bytes());
            h.extend(DATE.to_le_bytes());
            for x in [r.crc, packed, size] {
                h.extend(x.to_le_bytes());
            }
            h.extend((r.name.len() as u16).to_le_bytes());
            let field = if extra.is_empty() { 0 } else { extra.len() as u16 + 4 };
            h.extend(field.to_le_bytes());
            h.extend([0; 10]);
            h.extend(header.to_le_bytes());
            h.extend(r.name.as_bytes());
            if !extra.is_empty() {
                h.extend([1, 0]);
                h.extend((extra.len() as u16).to_le_bytes());
                h.extend(extra);
            }
            self.put(&h)?;
            self.records.push(r);
        }
        let (count, size) = (self.records.len() as u64, self.at - start);
        let mut h = Vec::new();
        if count >= 0xffff || size >= u64::from(MAX32) || start >= u64::from(MAX32) {
            h.extend(END64.to_le_bytes());
            h.extend(44u64.to_le_bytes());
            h.extend([45, 0, 45, 0]);
            h.extend([0; 8]);
            for x in [count, count, size, start] {
                h.extend(x.to_le_bytes());
            }
            h.extend(LOCATOR64.to_le_bytes());
            h.extend(0u32.to_le_bytes());
            h.extend(self.at.to_le_bytes());
            h.extend(1u32.to_le_bytes());
        }
        h.extend(END.to_le_bytes());
        h.extend([0; 4]);
        let count = count.min(0xffff) as u16;
        h.extend(count.to_le_bytes());
        h.extend(count.to_le_bytes());
        h.extend((size.min(u64::from(MAX32)) as u32).to_le_bytes());
        h.extend((start.min(u64::from(MAX32)) as u32).to_le_bytes());
        h.extend([0; 2]);
        self.put(&h)?;
        self.out.flush()?;
        Ok(())
    }
}
