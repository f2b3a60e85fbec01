//! One number for all that a value holds.

use super::Value;
use crate::error::{Result, bail};

/// A tree whose parts are shared can be far larger than the file it came from.
const MOST_VALUES: usize = 10_000_000;

/// The numbers of FNV-1a with 64 bits.
struct Sum(u64);

impl Sum {
    fn bytes(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    fn number(&mut self, n: usize) {
        self.bytes(&(n as u64).to_le_bytes());
    }
    fn text(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes(&[kind]);
        self.number(bytes.len());
        self.bytes(bytes);
    }
}

impl Value {
    /// A checksum over all values and the numbers of all tensors, in order: it tells a checkpoint that was damaged or changed. (No protection
    /// against somebody who changes the file on purpose, and the checksum with it.)
    ///
    /// # Errors
    /// If the value has more than ten million parts.
    pub fn checksum(&self) -> Result<u64> {
        let mut sum = Sum(0xcbf2_9ce4_8422_2325);
        let mut open = vec![self];
        let mut left = MOST_VALUES;
        while let Some(value) = open.pop() {
            let Some(less) = left.checked_sub(1) else { bail!("the value has more than {MOST_VALUES} parts") };
            left = less;
            match value {
                Value::None | Value::Missing(_) => sum.bytes(b"N"),
                Value::Bool(b) => sum.bytes(&[b'?', u8::from(*b)]),
                Value::Int(i) => sum.text(b'i', &i.to_le_bytes()),
                Value::BigInt(n) => sum.text(b'i', n.to_le_bytes()),
                Value::Float(x) => sum.text(b'f', &x.to_bits().to_le_bytes()),
                Value::Str(s) => sum.text(b's', s.as_bytes()),
                Value::Bytes(b) => sum.text(b'b', b),
                Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                    sum.bytes(b"[");
                    sum.number(items.len());
                    open.extend(items.iter().rev());
                }
                Value::Dict(dict) => {
                    sum.bytes(b"{");
                    sum.number(dict.len());
                    let first = open.len();
                    for (k, v) in dict.iter() {
                        open.extend([k, v]);
                    }
                    open[first..].reverse();
                }
                Value::Tensor(t) | Value::Parameter(t) => {
                    let array = t.array().contiguous();
                    sum.text(b't', array.dtype().name().as_bytes());
                    array.shape().iter().for_each(|&n| sum.number(n));
                    let size = array.dtype().size();
                    let (start, len) = (array.offset() * size, array.numel() * size);
                    let crc =
                        if len == 0 { 0 } else { crc32fast::hash(&array.read().slice::<u8>()[start..start + len]) };
                    sum.bytes(&crc.to_le_bytes());
                }
                Value::Size(s) => {
                    sum.bytes(b"S");
                    sum.number(s.len());
                    s.iter().for_each(|&n| sum.number(n));
                }
                Value::DType(d) => sum.text(b'd', d.name().as_bytes()),
                Value::Device(d) => sum.text(b'D', d.as_bytes()),
            }
        }
        Ok(sum.0)
    }
}
