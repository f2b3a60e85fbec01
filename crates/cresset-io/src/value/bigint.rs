//! Integers beyond 64 bits, as Python has them.

use crate::error::{Result, bail};
use std::fmt;
use std::sync::Arc;

/// A whole number of any size, as two's complement bytes, least significant first, without superfluous ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt(Arc<[u8]>);

impl BigInt {
    /// The number of two's complement bytes, least significant first.
    pub fn from_le_bytes(bytes: &[u8]) -> BigInt {
        let mut n = bytes.len();
        while n > 1 && (bytes[n - 1] == 0 && bytes[n - 2] < 128 || bytes[n - 1] == 255 && bytes[n - 2] >= 128) {
            n -= 1;
        }
        BigInt(if n == 1 && bytes[0] == 0 { [].into() } else { bytes[..n].into() })
    }
    /// Its bytes, least significant first: two's complement.
    pub fn to_le_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The number, if it has at most 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        let fill = if self.is_negative() { 255 } else { 0 };
        let mut a = [fill; 8];
        a.get_mut(..self.0.len())?.copy_from_slice(&self.0);
        Some(i64::from_le_bytes(a))
    }
    /// Is it below zero?
    pub fn is_negative(&self) -> bool {
        self.0.last().is_some_and(|&b| b >= 128)
    }
    /// The number that decimal digits spell, with a sign if it is negative.
    ///
    /// # Errors
    /// If it has another character or more than 4300 digits.
    pub fn parse(text: &str) -> Result<BigInt> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || digits.len() > 4300 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            bail!("an integer of 1 to 4300 decimal digits is expected");
        }
        // Nine digits at a time, in pieces of 32 bits.
        let mut pieces: Vec<u32> = Vec::new();
        let first = digits.len() % 9;
        let (head, rest) = digits.as_bytes().split_at(first);
        for part in std::iter::once(head).chain(rest.chunks(9)) {
            let mut carry = part.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'));
            let scale = 10u64.pow(part.len() as u32);
            for p in &mut pieces {
                carry += u64::from(*p) * scale;
                *p = carry as u32;
                carry >>= 32;
            }
            if carry > 0 {
                pieces.push(carry as u32);
            }
        }
        let mut bytes: Vec<u8> = pieces.iter().flat_map(|p| p.to_le_bytes()).collect();
        bytes.push(0);
        if text.starts_with('-') {
            negate(&mut bytes);
        }
        Ok(BigInt::from_le_bytes(&bytes))
    }
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for b in bytes {
        (*b, carry) = (!*b).overflowing_add(u8::from(carry));
    }
}

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0.len() > 2000 {
            return write!(f, "an integer of {} bytes", self.0.len());
        }
        let mut bytes = self.0.to_vec();
        if self.is_negative() {
            bytes.push(255);
            negate(&mut bytes);
        }
        let mut digits = Vec::new();
        while bytes.iter().any(|&b| b != 0) {
            let mut rest = 0u32;
            for b in bytes.iter_mut().rev() {
                rest = rest << 8 | u32::from(*b);
                *b = (rest / 10) as u8;
                rest %= 10;
            }
            digits.push(b'0' + rest as u8);
        }
        if digits.is_empty() {
            digits.push(b'0');
        }
        let text: String = digits.iter().rev().map(|&d| d as char).collect();
        f.pad_integral(!self.is_negative(), "", &text)
    }
}
impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::BigInt;

    #[test]
    fn digits_and_bytes_agree() {
        for text in ["0", "1", "-1", "127", "128", "-128", "-129", "18446744073709551616", "-99999999999999999999999"] {
            let n = BigInt::parse(text).unwrap();
            assert_eq!(n.to_string(), text);
            assert_eq!(n.to_i64(), text.parse().ok());
        }
        assert_eq!(BigInt::from_le_bytes(&[255, 255, 255]).to_string(), "-1");
        assert_eq!(BigInt::from_le_bytes(&[1, 0, 0]).to_i64(), Some(1));
        assert_eq!(BigInt::from_le_bytes(&[]).to_string(), "0");
    }
}
