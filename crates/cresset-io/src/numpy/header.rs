//! The header of an `.npy`: a Python dict of three keys, read as text and never as Python.

use super::NumpyDType;
use crate::bytes::Cursor;
use crate::error::{Error, Result, bail};

pub(super) struct Header {
    pub dtype: NumpyDType,
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// The header, and where the numbers begin.
pub(super) fn parse(data: &[u8]) -> Result<(Header, usize)> {
    let mut c = Cursor::new(data);
    if data.is_empty() {
        bail!("the file is empty");
    }
    if c.take(6)? != b"\x93NUMPY" {
        bail!("this is no .npy file: it does not begin with \\x93NUMPY");
    }
    let len = match (c.u8()?, c.u8()?) {
        (1, 0) => u64::from(c.u16()?),
        (2 | 3, 0) => u64::from(c.u32()?),
        (major, minor) => bail!("version {major}.{minor} of the format is not known (1.0, 2.0 and 3.0 are)"),
    };
    let at = c.at;
    let Ok(text) = std::str::from_utf8(c.take_u64(len)?) else { bail!("the header at byte {at} is no text") };
    let header = dict(text).map_err(|e| e.within(format_args!("the header at byte {at}")))?;
    Ok((header, c.at))
}

/// The header of an array, padded so that the numbers begin at a multiple of 64.
pub(super) fn write(descr: &str, shape: &[usize]) -> Vec<u8> {
    let mut dims: String = shape.iter().map(|n| format!("{n}, ")).collect();
    if shape.len() > 1 {
        dims.truncate(dims.len() - 2);
    } else if shape.len() == 1 {
        dims.truncate(dims.len() - 1);
    }
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    let padding = (10 + text.len() + 1).next_multiple_of(64) - (10 + text.len() + 1);
    text.push_str(&" ".repeat(padding));
    text.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.bytes());
    out
}

fn dict(text: &str) -> Result<Header> {
    let (mut dtype, mut fortran, mut shape) = (None, None, None);
    let mut p = Parser(text.trim());
    p.expect('{')?;
    while !p.next_is('}') {
        let key = p.quoted()?;
        p.expect(':')?;
        let twice = match key {
            "descr" if p.peek('[') => bail!("the array has records (fields), which cresset does not have"),
            "descr" => dtype.replace(NumpyDType::parse(p.quoted()?)?).is_some(),
            "fortran_order" => fortran.replace(p.bool()?).is_some(),
            "shape" => shape.replace(p.shape()?).is_some(),
            other => bail!("the key {other:?} is not known"),
        };
        if twice {
            bail!("the key {key:?} is there twice");
        }
        if !p.next_is(',') {
            p.expect('}')?;
            break;
        }
    }
    if !p.0.trim().is_empty() {
        bail!("something follows the dict");
    }
    let missing = |key: &str| Error::new(format!("the key {key:?} is missing"));
    Ok(Header {
        dtype: dtype.ok_or_else(|| missing("descr"))?,
        fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
    })
}

/// The rest of the text.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    fn peek(&mut self, c: char) -> bool {
        self.0 = self.0.trim_start();
        self.0.starts_with(c)
    }
    fn next_is(&mut self, c: char) -> bool {
        let is = self.peek(c);
        if is {
            self.0 = &self.0[c.len_utf8()..];
        }
        is
    }
    fn expect(&mut self, c: char) -> Result<()> {
        if self.next_is(c) {
            return Ok(());
        }
        let rest: String = self.0.chars().take(20).collect();
        bail!("{c:?} is expected before {rest:?}")
    }
    fn quoted(&mut self) -> Result<&'a str> {
        let quote = if self.peek('"') { '"' } else { '\'' };
        self.expect(quote)?;
        let Some((text, rest)) = self.0.split_once(quote) else { bail!("a text has no closing quote") };
        if text.contains('\\') {
            bail!("a text has an escape");
        }
        self.0 = rest;
        Ok(text)
    }
    fn bool(&mut self) -> Result<bool> {
        self.0 = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        bail!("fortran_order is neither True nor False")
    }
    fn shape(&mut self) -> Result<Vec<usize>> {
        let mut shape = Vec::new();
        self.expect('(')?;
        while !self.next_is(')') {
            let digits = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
            let Ok(n) = self.0[..digits].parse() else { bail!("the shape has something that is no size") };
            shape.push(n);
            // Python 2 wrote long integers as 3L.
            self.0 = self.0[digits..].strip_prefix('L').unwrap_or(&self.0[digits..]);
            if !self.next_is(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }
}
