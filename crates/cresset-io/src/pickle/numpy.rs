//! numpy's numbers and arrays inside pickles.

use super::calls::arg;
use super::machine::{Heap, Machine, Obj};
use crate::error::{Error, Result, bail};
use crate::numpy::{NumpyDType, tensor_from};
use crate::value::BigInt;
use cresset_tensor::{Scalar, Tensor};

impl Machine<'_> {
    /// `numpy.dtype('f8', False, True)`.
    pub(super) fn numpy_dtype(&mut self, args: &[Obj]) -> Result<Obj> {
        let Some(&name) = args.first() else { bail!("a numpy dtype has no name") };
        let name = self.str(name)?;
        let dtype = match (NumpyDType::parse(&name), OtherDType::parse(&name)) {
            (Ok(dtype), _) => Heap::NumpyDType(dtype),
            (Err(_), Some(other)) => Heap::NumpyOther(other),
            (Err(e), None) => return Err(e),
        };
        Ok(self.make(dtype))
    }
    /// Its state, `(3, '<', None, None, None, -1, -1, 0)`: the byte order. Is it big-endian?
    pub(super) fn numpy_byte_order(&self, state: Obj) -> Result<bool> {
        match &*self.str(arg(self.sequence(state)?, 1)?)? {
            ">" => Ok(true),
            "<" | "|" | "=" => Ok(false),
            other => bail!("a numpy dtype has the byte order {other:?}"),
        }
    }
    fn dtype_of(&self, o: Obj) -> Result<NumpyDType> {
        match o {
            Obj::Heap(i) => match &self.heap[i as usize] {
                Heap::NumpyDType(d) => Ok(*d),
                Heap::NumpyOther(d) => Err(d.refusal()),
                _ => bail!("a numpy dtype is expected"),
            },
            _ => bail!("a numpy dtype is expected"),
        }
    }
    /// `scalar(dtype, bytes)`: a plain number, or a text.
    pub(super) fn numpy_scalar(&mut self, args: &[Obj]) -> Result<Obj> {
        if let Some(Heap::NumpyOther(other)) = self.heap_of(arg(args, 0)?) {
            let other = *other;
            let raw = self.raw_bytes(arg(args, 1)?)?;
            self.spend(raw.len())?;
            return Ok(match other.value(&raw)? {
                Other::Int(n) => i64::try_from(n).map_or_else(
                    |_| self.make(Heap::Big(BigInt::from_le_bytes(&[&n.to_le_bytes()[..], &[0]].concat()))),
                    Obj::Int,
                ),
                Other::Text(text) => self.make(Heap::Str(text.into())),
                Other::Bytes(bytes) => self.make(Heap::Bytes(bytes.into())),
            });
        }
        let dtype = self.dtype_of(arg(args, 0)?)?;
        let raw = self.raw_bytes(arg(args, 1)?)?;
        Ok(match tensor_from(&raw, dtype, &[], false)?.scalar() {
            Scalar::Bool(b) => Obj::Bool(b),
            Scalar::Int(i) => Obj::Int(i),
            Scalar::Float(x) => Obj::Float(x),
        })
    }
    /// The state of an array: `(1, shape, dtype, is it in Fortran order, bytes)`.
    pub(super) fn numpy_array(&mut self, state: Obj) -> Result<Tensor> {
        let state = self.sequence(state)?;
        if state.len() > 8 {
            bail!("the state of a numpy array has {} parts", state.len());
        }
        let state = state.to_vec();
        let shape = self.counts("a size", arg(&state, 1)?)?;
        let dtype = self.dtype_of(arg(&state, 2)?)?;
        let Obj::Bool(fortran) = arg(&state, 3)? else { bail!("a numpy array's order is no bool") };
        let raw = self.raw_bytes(arg(&state, 4)?)?;
        self.spend(raw.len())?;
        tensor_from(&raw, dtype, &shape, fortran)
    }
    /// `_frombuffer(bytes, dtype, shape, order)`, of protocol 5.
    pub(super) fn numpy_from_buffer(&mut self, args: &[Obj]) -> Result<Obj> {
        let raw = self.raw_bytes(arg(args, 0)?)?;
        let dtype = self.dtype_of(arg(args, 1)?)?;
        let shape = self.counts("a size", arg(args, 2)?)?;
        let fortran = &*self.str(arg(args, 3)?)? == "F";
        self.spend(raw.len())?;
        let tensor = tensor_from(&raw, dtype, &shape, fortran)?;
        Ok(self.make(Heap::Array(Some(tensor))))
    }
}

/// A dtype of numpy that no tensor here has, but a single value can: unsigned numbers, text, bytes.
#[derive(Clone, Copy)]
pub(super) struct OtherDType {
    /// `u`, `U` or `S`.
    kind: char,
    /// Bytes; of text, characters.
    size: usize,
    pub big_endian: bool,
}

enum Other<'a> {
    Int(u64),
    Text(String),
    Bytes(&'a [u8]),
}

impl OtherDType {
    fn parse(text: &str) -> Option<OtherDType> {
        let (order, name) = match text.chars().next()? {
            c @ ('<' | '>' | '|' | '=') => (c, &text[1..]),
            _ => ('=', text),
        };
        let kind = name.chars().next().filter(|c| ['u', 'U', 'S'].contains(c))?;
        let size = name[1..].parse().ok().filter(|n| kind != 'u' || [2, 4, 8].contains(n))?;
        Some(OtherDType { kind, size, big_endian: order == '>' || (order == '=' && cfg!(target_endian = "big")) })
    }
    /// Why there is no tensor of it.
    pub fn refusal(&self) -> Error {
        let refused = NumpyDType::parse(&format!("{}{}", self.kind, self.size));
        refused.err().unwrap_or_else(|| Error::new("a numpy dtype is none that cresset has"))
    }
    fn value<'a>(&self, raw: &'a [u8]) -> Result<Other<'a>> {
        let width = if self.kind == 'U' { 4 } else { 1 };
        if self.size.checked_mul(width) != Some(raw.len()) {
            bail!("a number or text of numpy's dtype {}{} does not fit its {} bytes", self.kind, self.size, raw.len());
        }
        let number = |bytes: &[u8]| {
            let step = |n: u64, b: &u8| n << 8 | u64::from(*b);
            if self.big_endian { bytes.iter().fold(0, step) } else { bytes.iter().rev().fold(0, step) }
        };
        // numpy fills the room of a text with zeros.
        Ok(match self.kind {
            'u' => Other::Int(number(raw)),
            'U' => {
                let text: Option<String> =
                    raw.chunks_exact(4).map(|c| u32::try_from(number(c)).ok().and_then(char::from_u32)).collect();
                let Some(text) = text else { bail!("a text of numpy has a character that is none") };
                Other::Text(text.trim_end_matches('\0').to_string())
            }
            _ => Other::Bytes(&raw[..raw.len() - raw.iter().rev().take_while(|b| **b == 0).count()]),
        })
    }
}
