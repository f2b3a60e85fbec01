//! Writing pickles of protocol 2 with the opcodes and names that PyTorch's safe loader knows.

use crate::error::{Result, bail};
use crate::value::{BigInt, Dict, Value};
use cresset_tensor::array::Array;
use cresset_tensor::{DType, Tensor};
use std::collections::HashMap;

/// A pickle, and the storages it refers to by their position: each is written as the record of that number.
pub(crate) struct Pickled {
    pub bytes: Vec<u8>,
    pub storages: Vec<Array>,
}

/// The value as a pickle.
pub(crate) fn write(value: &Value) -> Result<Pickled> {
    let mut w = Writer { out: vec![0x80, 2], ..Writer::default() };
    w.open.push(Task::Value(value));
    while let Some(task) = w.open.pop() {
        match task {
            Task::Value(v) => w.value(v)?,
            Task::Name(name) => w.text(name),
            Task::Code(code) => w.out.extend(code),
            Task::Remember(id) => w.remember(id),
        }
    }
    w.out.push(b'.');
    Ok(Pickled { bytes: w.out, storages: w.storages })
}

/// What is still to be written; the last first. A list instead of calls, so that depth does not matter.
enum Task<'a> {
    Value(&'a Value),
    Name(&'a str),
    Code(&'static [u8]),
    Remember(Id),
}

/// What is written once and referred to afterwards: text and names by their contents, containers and tensors by their identity.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Id {
    Text(String),
    Global(&'static str, &'static str),
    Container(usize),
    Tensor(usize),
    Parameter(usize),
}

#[derive(Default)]
struct Writer<'a> {
    out: Vec<u8>,
    open: Vec<Task<'a>>,
    memo: HashMap<Id, u32>,
    storages: Vec<Array>,
    places: HashMap<usize, usize>,
}

impl<'a> Writer<'a> {
    /// Refers to something that was written before.
    fn recall(&mut self, id: &Id) -> bool {
        let Some(&n) = self.memo.get(id) else { return false };
        self.numbered(b'h', b'j', n);
        true
    }
    fn remember(&mut self, id: Id) {
        let n = self.memo.len() as u32;
        self.memo.insert(id, n);
        self.numbered(b'q', b'r', n);
    }
    fn numbered(&mut self, short: u8, long: u8, n: u32) {
        match u8::try_from(n) {
            Ok(n) => self.out.extend([short, n]),
            Err(_) => {
                self.out.push(long);
                self.out.extend(n.to_le_bytes());
            }
        }
    }
    fn text(&mut self, text: &str) {
        let id = Id::Text(text.to_string());
        if !self.recall(&id) {
            self.out.push(b'X');
            self.out.extend((text.len() as u32).to_le_bytes());
            self.out.extend(text.as_bytes());
            self.remember(id);
        }
    }
    fn global(&mut self, module: &'static str, name: &'static str) {
        let id = Id::Global(module, name);
        if !self.recall(&id) {
            self.out.extend(format!("c{module}\n{name}\n").bytes());
            self.remember(id);
        }
    }
    fn int(&mut self, n: i64) {
        if let Ok(n) = u8::try_from(n) {
            self.out.extend([b'K', n]);
        } else if let Ok(n) = u16::try_from(n) {
            self.out.push(b'M');
            self.out.extend(n.to_le_bytes());
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(b'J');
            self.out.extend(n.to_le_bytes());
        } else {
            self.long(BigInt::from_le_bytes(&n.to_le_bytes()).to_le_bytes());
        }
    }
    fn long(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(n) => self.out.extend([0x8a, n]),
            Err(_) => {
                self.out.push(0x8b);
                self.out.extend((bytes.len() as u32).to_le_bytes());
            }
        }
        self.out.extend(bytes);
    }
    fn ints(&mut self, ns: &[usize]) {
        if ns.len() > 3 {
            self.out.push(b'(');
        }
        ns.iter().for_each(|&n| self.int(n as i64));
        self.out.push(tuple_code(ns.len()));
    }

    fn value(&mut self, value: &'a Value) -> Result<()> {
        match value {
            Value::None => self.out.push(b'N'),
            Value::Bool(b) => self.out.push(if *b { 0x88 } else { 0x89 }),
            Value::Int(n) => self.int(*n),
            Value::BigInt(n) => self.long(n.to_le_bytes()),
            Value::Float(x) => {
                self.out.push(b'G');
                self.out.extend(x.to_be_bytes());
            }
            Value::Str(s) if s.len() > u32::MAX as usize => {
                bail!("a text of {} bytes is too long for a pickle", s.len())
            }
            Value::Str(s) => self.text(s),
            Value::Bytes(b) => {
                self.global("_codecs", "encode");
                let text: String = b.iter().map(|&b| b as char).collect();
                self.text(&text);
                self.text("latin1");
                self.out.extend([0x86, b'R']);
            }
            Value::List(items) => {
                let id = Id::Container(items.id());
                if !self.recall(&id) {
                    self.out.push(b']');
                    self.remember(id);
                    self.items(items, b"e");
                }
            }
            Value::Tuple(items) if items.is_empty() => self.out.push(b')'),
            Value::Tuple(items) => {
                let id = Id::Container(items.id());
                if !self.recall(&id) {
                    if items.len() > 3 {
                        self.out.push(b'(');
                    }
                    self.open.push(Task::Remember(id));
                    self.open.push(Task::Code(match tuple_code(items.len()) {
                        0x85 => &[0x85],
                        0x86 => &[0x86],
                        0x87 => &[0x87],
                        _ => b"t",
                    }));
                    self.open.extend(items.iter().rev().map(Task::Value));
                }
            }
            Value::Set(items) => {
                let id = Id::Container(items.id());
                if !self.recall(&id) {
                    self.global("__builtin__", "set");
                    self.out.push(b']');
                    self.open.push(Task::Remember(id));
                    self.open.push(Task::Code(&[0x85, b'R']));
                    self.items(items, b"e");
                }
            }
            Value::Dict(dict) => self.dict(dict),
            Value::Tensor(t) => self.tensor(t)?,
            Value::Parameter(t) => {
                let id = Id::Parameter(t.id());
                if !self.recall(&id) {
                    self.global("torch._utils", "_rebuild_parameter");
                    self.rebuild(t, false)?;
                    self.out.push(if t.requires_grad() { 0x88 } else { 0x89 });
                    self.no_hooks();
                    self.out.extend([0x87, b'R']);
                    self.remember(id);
                }
            }
            Value::Size(s) => {
                self.global("torch", "Size");
                self.ints(s);
                self.out.extend([0x85, b'R']);
            }
            Value::DType(d) => self.global("torch", d.name()),
            Value::Device(d) => {
                self.global("torch", "device");
                match d.split_once(':').map(|(kind, index)| (kind, index.parse::<i64>())) {
                    Some((kind, Ok(index))) => {
                        self.text(kind);
                        self.int(index);
                        self.out.extend([0x86, b'R']);
                    }
                    _ => {
                        self.text(d);
                        self.out.extend([0x85, b'R']);
                    }
                }
            }
            Value::Missing(why) => bail!("a missing value cannot be saved: {why}"),
        }
        Ok(())
    }
    /// Items between a mark and the opcode that adds them.
    fn items(&mut self, items: &'a [Value], add: &'static [u8]) {
        if !items.is_empty() {
            self.out.push(b'(');
            self.open.push(Task::Code(add));
            self.open.extend(items.iter().rev().map(Task::Value));
        }
    }
    fn dict(&mut self, dict: &'a Dict) {
        let id = Id::Container(dict.id());
        if self.recall(&id) {
            return;
        }
        if dict.is_ordered() {
            self.global("collections", "OrderedDict");
            self.out.extend(b")R");
        } else {
            self.out.push(b'}');
        }
        self.remember(id);
        // PyTorch gives attributes to an OrderedDict only.
        if dict.is_ordered() && !dict.attrs().is_empty() {
            self.open.push(Task::Code(b"ub"));
            for (name, v) in dict.attrs().iter().rev() {
                self.open.push(Task::Value(v));
                self.open.push(Task::Name(name));
            }
            self.open.push(Task::Code(b"}("));
        }
        if !dict.is_empty() {
            self.out.push(b'(');
            self.open.push(Task::Code(b"u"));
            let first = self.open.len();
            for (k, v) in dict.iter() {
                self.open.push(Task::Value(k));
                self.open.push(Task::Value(v));
            }
            self.open[first..].reverse();
        }
    }
    fn no_hooks(&mut self) {
        self.global("collections", "OrderedDict");
        self.out.extend(b")R");
    }
    fn tensor(&mut self, t: &Tensor) -> Result<()> {
        let id = Id::Tensor(t.id());
        if !self.recall(&id) {
            self.rebuild(t, t.requires_grad())?;
            self.remember(id);
        }
        Ok(())
    }
    fn rebuild(&mut self, t: &Tensor, requires_grad: bool) -> Result<()> {
        let a = t.array();
        let storage = self.storage(&a)?;
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.out.extend(b"((");
        self.text("storage");
        self.global("torch", storage_class(a.dtype()));
        self.text(&storage.to_string());
        self.text("cpu");
        self.int((a.storage().len() / a.dtype().size()) as i64);
        self.out.extend(b"tQ");
        self.int(a.offset() as i64);
        self.ints(a.shape());
        self.ints(a.strides());
        self.out.push(if requires_grad { 0x88 } else { 0x89 });
        self.no_hooks();
        self.out.extend(b"tR");
        Ok(())
    }
    fn storage(&mut self, a: &Array) -> Result<usize> {
        let address = std::ptr::from_ref(a.storage()).addr();
        if let Some(&n) = self.places.get(&address) {
            if self.storages[n].dtype() != a.dtype() {
                bail!("Cannot save multiple tensors or storages that view the same data as different types");
            }
            return Ok(n);
        }
        self.storages.push(a.clone());
        self.places.insert(address, self.storages.len() - 1);
        Ok(self.storages.len() - 1)
    }
}

fn tuple_code(n: usize) -> u8 {
    match n {
        0 => b')',
        1..=3 => 0x84 + n as u8,
        _ => b't',
    }
}

fn storage_class(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "BoolStorage",
        DType::U8 => "ByteStorage",
        DType::I8 => "CharStorage",
        DType::I16 => "ShortStorage",
        DType::I32 => "IntStorage",
        DType::I64 => "LongStorage",
        DType::F16 => "HalfStorage",
        DType::BF16 => "BFloat16Storage",
        DType::F32 => "FloatStorage",
        DType::F64 => "DoubleStorage",
    }
}
