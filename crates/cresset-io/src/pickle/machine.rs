//! The stack machine. It takes no memory that the bytes do not account for, and calls nothing: what a pickle would call is a name on the list,
//! and `calls` says what plain data it stands for.

use super::Storage;
use super::globals::{Global, lookup};
use super::numpy::OtherDType;
use crate::bytes::Cursor;
use crate::error::{Error, Result, bail};
use crate::numpy::NumpyDType;
use crate::value::BigInt;
use cresset_tensor::{DType, Tensor};
use std::collections::HashMap;
use std::sync::Arc;

/// A value while the machine runs: plain, or a place in the heap.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obj {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Global(Global),
    DType(DType),
    Heap(u32),
    Mark,
}

/// What has an identity: it can be changed, or is too large for the stack.
pub(super) enum Heap {
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    Big(BigInt),
    List(Vec<Obj>),
    Tuple(Vec<Obj>),
    Set(Vec<Obj>),
    Dict(Box<DictParts>),
    Size(Arc<[usize]>),
    Device(Arc<str>),
    Storage { storage: usize, offset: u64 },
    Tensor(Box<TensorParts>),
    Array(Option<Tensor>),
    NumpyDType(NumpyDType),
    NumpyOther(OtherDType),
}

#[derive(Default)]
pub(super) struct DictParts {
    pub entries: Vec<(Obj, Obj)>,
    pub ordered: bool,
    /// An object of a TorchScript archive: its attributes.
    pub object: bool,
    pub attrs: Vec<(Obj, Obj)>,
}

#[derive(Clone)]
pub(super) struct TensorParts {
    pub storage: usize,
    pub dtype: DType,
    pub offset: usize,
    pub size: Vec<usize>,
    pub stride: Vec<usize>,
    pub requires_grad: bool,
    pub parameter: bool,
}

/// The machine over the bytes of one file, which may hold several pickles.
pub(crate) struct Machine<'a> {
    input: Cursor<'a>,
    stack: Vec<Obj>,
    memo: HashMap<u32, Obj>,
    pub(super) heap: Vec<Heap>,
    pub(super) storages: Vec<Storage>,
    pub(super) keys: HashMap<String, usize>,
    /// So many bytes the values may still take.
    memory: usize,
    /// So many they might take at the beginning.
    pub(super) most_memory: usize,
    /// Are classes of TorchScript known, which are plain attributes?
    pub(super) script: bool,
    /// How old files name things from outside the pickle, by number.
    pub(super) outside: HashMap<String, Obj>,
}

/// The values of a pickle may take ten times the file and this: few bytes can stand for many small values.
const MOST_MEMORY: usize = 256 << 20;
/// What an opcode takes at most: a place on the stack, one in a container, one in the tree of values, with room for growth.
const PER_OPCODE: usize = 100;
/// What a container, a text or a tensor takes besides.
const PER_OBJECT: usize = 300;

impl<'a> Machine<'a> {
    /// A machine for a pickle in a file of `file` bytes.
    pub fn new(data: &'a [u8], at: usize, file: usize) -> Result<Machine<'a>> {
        let memory = file.saturating_mul(10).saturating_add(MOST_MEMORY);
        Ok(Machine {
            input: Cursor::at(data, at)?,
            stack: Vec::new(),
            memo: HashMap::new(),
            heap: Vec::new(),
            storages: Vec::new(),
            keys: HashMap::new(),
            memory,
            most_memory: memory,
            script: false,
            outside: HashMap::new(),
        })
    }
    /// The same for the pickle of a TorchScript archive.
    pub fn for_script(mut self) -> Machine<'a> {
        self.script = true;
        self
    }
    /// Where the next byte is.
    pub fn at(&self) -> usize {
        self.input.at
    }
    /// Goes on in other bytes (old formats keep their pickles apart).
    pub fn go_to(&mut self, data: &'a [u8], at: usize) -> Result<()> {
        self.input = Cursor::at(data, at)?;
        Ok(())
    }
    /// Runs one pickle to its end.
    pub fn run(&mut self) -> Result<Obj> {
        self.stack.clear();
        self.memo.clear();
        loop {
            let at = self.input.at;
            let op =
                self.input.u8().map_err(|_| Error::new(format!("the pickle ends at byte {at} without its STOP")))?;
            if op == b'.' {
                return match (self.stack.pop(), self.stack.is_empty()) {
                    (Some(o), true) if !matches!(o, Obj::Mark) => Ok(o),
                    _ => Err(Error::new(format!("the pickle stops at byte {at} without one finished value"))),
                };
            }
            self.spend(PER_OPCODE)
                .and_then(|()| self.step(op))
                .map_err(|e| e.within(format_args!("the pickle, byte {at}")))?;
        }
    }

    fn step(&mut self, op: u8) -> Result<()> {
        match op {
            0x80 => match self.input.u8()? {
                0..=5 => {}
                v => bail!("protocol {v} is not known (0 to 5 are)"),
            },
            0x95 => {
                let frame = self.input.u64()?;
                if frame > self.input.left() as u64 {
                    bail!("a frame of {frame} bytes is announced where {} are left", self.input.left());
                }
            }
            b'(' => self.stack.push(Obj::Mark),
            b'0' => {
                self.pop_any()?;
            }
            b'1' => {
                self.pop_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.stack.push(Obj::None),
            0x88 => self.stack.push(Obj::Bool(true)),
            0x89 => self.stack.push(Obj::Bool(false)),
            b'J' => {
                let n = i32::from_le_bytes(self.input.array()?);
                self.stack.push(Obj::Int(n.into()));
            }
            b'K' => {
                let n = self.input.u8()?;
                self.stack.push(Obj::Int(n.into()));
            }
            b'M' => {
                let n = self.input.u16()?;
                self.stack.push(Obj::Int(n.into()));
            }
            b'I' | b'L' => self.decimal()?,
            0x8a => {
                let n = self.input.u8()?;
                self.long(n.into())?;
            }
            0x8b => {
                let n = i32::from_le_bytes(self.input.array()?);
                let Ok(n) = u64::try_from(n) else { bail!("an integer of {n} bytes is announced") };
                self.long(n)?;
            }
            b'F' => {
                let text = self.ascii_line()?;
                let Ok(x) = text.parse() else { bail!("{text:?} is no number") };
                self.stack.push(Obj::Float(x));
            }
            b'G' => {
                let x = f64::from_be_bytes(self.input.array()?);
                self.stack.push(Obj::Float(x));
            }
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'S' | b'V' => self.quoted(op == b'V')?,
            b'U' => self.bytes(1, true)?,
            b'T' => self.bytes(4, true)?,
            b'C' => self.bytes(1, false)?,
            b'B' => self.bytes(4, false)?,
            0x8e | 0x96 => self.bytes(8, false)?,
            b']' => self.push(Heap::List(Vec::new())),
            b')' => self.push(Heap::Tuple(Vec::new())),
            b'}' => self.push(Heap::Dict(Box::default())),
            0x8f => self.push(Heap::Set(Vec::new())),
            b't' => {
                let items = self.pop_mark()?;
                self.push(Heap::Tuple(items));
            }
            b'l' => {
                let items = self.pop_mark()?;
                self.push(Heap::List(items));
            }
            b'd' => {
                let items = self.pop_mark()?;
                let entries = pairs(&items)?;
                self.push(Heap::Dict(Box::new(DictParts { entries, ..DictParts::default() })));
            }
            0x91 => {
                let items = self.pop_mark()?;
                self.push(Heap::Set(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::with_capacity(3);
                for _ in 0x85..=op {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Heap::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.list()?.extend(items);
            }
            0x90 => {
                let items = self.pop_mark()?;
                match self.top_heap()? {
                    Heap::Set(set) => set.extend(items),
                    _ => bail!("items are added to something that is no set"),
                }
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.dict()?.entries.push((key, value));
            }
            b'u' => {
                let items = self.pop_mark()?;
                let entries = pairs(&items)?;
                self.dict()?.entries.extend(entries);
            }
            b'q' => {
                let n = self.input.u8()?;
                self.put(n.into())?;
            }
            b'r' => {
                let n = self.input.u32()?;
                self.put(n)?;
            }
            b'p' => {
                let n = self.number_line()?;
                self.put(n)?;
            }
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' => {
                let n = self.input.u8()?;
                self.get(n.into())?;
            }
            b'j' => {
                let n = self.input.u32()?;
                self.get(n)?;
            }
            b'g' => {
                let n = self.number_line()?;
                self.get(n)?;
            }
            b'c' => {
                let module = self.ascii_line()?;
                let name = self.ascii_line()?;
                self.global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (module, name) = (self.str(module)?, self.str(name)?);
                self.global(&module, &name)?;
            }
            b'R' => {
                let args = self.pop()?;
                let function = self.pop()?;
                let made = self.call(function, args)?;
                self.stack.push(made);
            }
            0x81 => {
                let args = self.pop()?;
                let class = self.pop()?;
                let made = self.call(class, args)?;
                self.stack.push(made);
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                self.build(object, state)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let object = self.persistent(id)?;
                self.stack.push(object);
            }
            b'P' => {
                let id = self.ascii_line()?;
                let object = self.outside(id)?;
                self.stack.push(object);
            }
            b'i' | b'o' | 0x92 | 0x82..=0x84 | 0x97 | 0x98 => {
                bail!(
                    "opcode 0x{op:02x} makes objects of classes or takes data from outside, which no file of tensors needs"
                )
            }
            _ => bail!("0x{op:02x} is no opcode"),
        }
        Ok(())
    }

    // ---- stack and memo

    pub(super) fn push(&mut self, object: Heap) {
        let made = self.make(object);
        self.stack.push(made);
    }
    pub(super) fn make(&mut self, object: Heap) -> Obj {
        // The next opcode refuses if this was too much.
        self.memory = self.memory.saturating_sub(PER_OBJECT);
        self.heap.push(object);
        Obj::Heap(self.heap.len() as u32 - 1)
    }
    fn pop_any(&mut self) -> Result<Obj> {
        self.stack.pop().ok_or_else(|| Error::new("a value is taken from an empty stack"))
    }
    fn pop(&mut self) -> Result<Obj> {
        match self.pop_any()? {
            Obj::Mark => Err(Error::new("a value is expected on the stack, but there is a mark")),
            o => Ok(o),
        }
    }
    fn top(&self) -> Result<Obj> {
        match self.stack.last() {
            Some(Obj::Mark) | None => Err(Error::new("a value is expected on the stack, but there is none")),
            Some(o) => Ok(*o),
        }
    }
    fn pop_mark(&mut self) -> Result<Vec<Obj>> {
        let Some(at) = self.stack.iter().rposition(|o| matches!(o, Obj::Mark)) else {
            bail!("there is no mark on the stack")
        };
        let items = self.stack.split_off(at + 1);
        self.stack.pop();
        Ok(items)
    }
    fn put(&mut self, n: u32) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(n, top);
        Ok(())
    }
    fn get(&mut self, n: u32) -> Result<()> {
        let Some(&o) = self.memo.get(&n) else {
            bail!("value {n} of the memo is asked for, which was never put there")
        };
        self.stack.push(o);
        Ok(())
    }
    fn top_heap(&mut self) -> Result<&mut Heap> {
        match self.top()? {
            Obj::Heap(i) => Ok(&mut self.heap[i as usize]),
            _ => bail!("items are added to a plain value"),
        }
    }
    fn list(&mut self) -> Result<&mut Vec<Obj>> {
        match self.top_heap()? {
            Heap::List(items) => Ok(items),
            _ => bail!("items are appended to something that is no list"),
        }
    }
    fn dict(&mut self) -> Result<&mut DictParts> {
        match self.top_heap()? {
            Heap::Dict(parts) => Ok(parts),
            _ => bail!("keys are set on something that is no dict"),
        }
    }
    /// Accounts for `n` bytes of memory.
    pub(super) fn spend(&mut self, n: usize) -> Result<()> {
        match self.memory.checked_sub(n) {
            Some(left) => {
                self.memory = left;
                Ok(())
            }
            None => bail!(
                "its values would take more than ten times the memory of the file and 256 MiB; save long lists of numbers as tensors"
            ),
        }
    }
    /// Accounts for `n` values that are copied.
    pub(super) fn spend_copies(&mut self, n: usize) -> Result<()> {
        self.spend(n.saturating_mul(PER_OPCODE))
    }

    // ---- plain values

    fn decimal(&mut self) -> Result<()> {
        let text = self.ascii_line()?;
        let text = text.strip_suffix('L').unwrap_or(text);
        let o = match text {
            "01" => Obj::Bool(true),
            "00" => Obj::Bool(false),
            _ => match text.parse() {
                Ok(n) => Obj::Int(n),
                Err(_) => {
                    let n = BigInt::parse(text)?;
                    self.make(Heap::Big(n))
                }
            },
        };
        self.stack.push(o);
        Ok(())
    }
    fn long(&mut self, n: u64) -> Result<()> {
        let n = BigInt::from_le_bytes(self.input.take_u64(n)?);
        let o = match n.to_i64() {
            Some(i) => Obj::Int(i),
            None => self.make(Heap::Big(n)),
        };
        self.stack.push(o);
        Ok(())
    }
    fn length(&mut self, width: usize) -> Result<u64> {
        Ok(match width {
            1 => self.input.u8()?.into(),
            4 => self.input.u32()?.into(),
            _ => self.input.u64()?,
        })
    }
    fn text(&mut self, width: usize) -> Result<()> {
        let n = self.length(width)?;
        let at = self.input.at;
        match std::str::from_utf8(self.input.take_u64(n)?) {
            Ok(s) => self.push(Heap::Str(s.into())),
            Err(_) => bail!("the text at byte {at} is not UTF-8"),
        }
        Ok(())
    }
    /// Bytes, or a string of Python 2, which is text where it can be.
    fn bytes(&mut self, width: usize, old_text: bool) -> Result<()> {
        let n = self.length(width)?;
        let raw = self.input.take_u64(n)?;
        match std::str::from_utf8(raw) {
            Ok(s) if old_text => self.push(Heap::Str(s.into())),
            _ => self.push(Heap::Bytes(raw.into())),
        }
        Ok(())
    }
    /// Text of protocol 0: in quotes with Python's escapes, or bare with `\u` escapes.
    fn quoted(&mut self, bare: bool) -> Result<()> {
        let line = self.input.line()?;
        let body = match line {
            _ if bare => line,
            [q @ (b'\'' | b'"'), body @ .., r] if q == r => body,
            _ => bail!("a text in quotes is expected"),
        };
        let mut text = String::with_capacity(body.len());
        let mut rest = body;
        while let [b, tail @ ..] = rest {
            rest = tail;
            if *b != b'\\' {
                text.push(*b as char);
                continue;
            }
            let (kind, tail) = tail.split_first().ok_or_else(|| Error::new("a text ends in a backslash"))?;
            rest = tail;
            let digits = match kind {
                b'x' if !bare => 2,
                b'u' => 4,
                b'U' => 8,
                b'n' if !bare => {
                    text.push('\n');
                    continue;
                }
                b't' if !bare => {
                    text.push('\t');
                    continue;
                }
                b'\\' | b'\'' | b'"' if !bare => {
                    text.push(*kind as char);
                    continue;
                }
                _ => bail!("a text has an escape that is not known"),
            };
            let code = rest.get(..digits).and_then(|d| std::str::from_utf8(d).ok());
            let code = code.and_then(|d| u32::from_str_radix(d, 16).ok()).and_then(char::from_u32);
            let Some(c) = code else { bail!("a text has a damaged escape") };
            text.push(c);
            rest = &rest[digits..];
        }
        self.push(Heap::Str(text.into()));
        Ok(())
    }
    fn ascii_line(&mut self) -> Result<&'a str> {
        match std::str::from_utf8(self.input.line()?) {
            Ok(s) => Ok(s),
            Err(_) => bail!("a name or number is not UTF-8"),
        }
    }
    fn number_line(&mut self) -> Result<u32> {
        let text = self.ascii_line()?;
        text.parse().map_err(|_| Error::new(format!("{text:?} is no place in the memo")))
    }
    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let o = match lookup(module, name, self.script)? {
            Global::DType(d) => Obj::DType(d),
            g => Obj::Global(g),
        };
        self.stack.push(o);
        Ok(())
    }
}

fn pairs(items: &[Obj]) -> Result<Vec<(Obj, Obj)>> {
    if !items.len().is_multiple_of(2) {
        bail!("a key has no value");
    }
    Ok(items.chunks_exact(2).map(|p| (p[0], p[1])).collect())
}
