//! What the names on the list stand for: each "call" becomes plain data, after its arguments were checked.

use super::Storage;
use super::globals::Global;
use super::machine::{DictParts, Heap, Machine, Obj, TensorParts};
use crate::error::{Error, Result, bail};
use cresset_tensor::DType;
use cresset_tensor::dims::MAX_DIMS;
use std::sync::Arc;

impl Machine<'_> {
    // ---- looking at values

    pub(super) fn heap_of(&self, o: Obj) -> Option<&Heap> {
        match o {
            Obj::Heap(i) => Some(&self.heap[i as usize]),
            _ => None,
        }
    }
    pub(crate) fn str(&self, o: Obj) -> Result<Arc<str>> {
        match self.heap_of(o) {
            Some(Heap::Str(s)) => Ok(s.clone()),
            _ => bail!("a text is expected"),
        }
    }
    pub(super) fn raw_bytes(&self, o: Obj) -> Result<Arc<[u8]>> {
        match self.heap_of(o) {
            Some(Heap::Bytes(b)) => Ok(b.clone()),
            // A string of Python 2 that happens to be text.
            Some(Heap::Str(s)) => Ok(s.as_bytes().into()),
            _ => bail!("bytes are expected"),
        }
    }
    /// The parts of a tuple or a list.
    pub(crate) fn sequence(&self, o: Obj) -> Result<&[Obj]> {
        match self.heap_of(o) {
            Some(Heap::Tuple(items) | Heap::List(items)) => Ok(items),
            _ => bail!("a tuple is expected"),
        }
    }
    pub(crate) fn int(&self, o: Obj) -> Result<i64> {
        match o {
            Obj::Int(i) => Ok(i),
            _ => bail!("an int is expected"),
        }
    }
    pub(super) fn count(&self, what: &str, o: Obj) -> Result<usize> {
        match o {
            Obj::Int(i) if i >= 0 => Ok(i as usize),
            Obj::Int(i) => bail!("{what} is negative: {i}"),
            _ => bail!("{what} is no int"),
        }
    }
    pub(super) fn counts(&self, what: &str, o: Obj) -> Result<Vec<usize>> {
        let too_many = |n| Error::new(format!("a tensor has {n} dimensions, cresset's have at most {MAX_DIMS}"));
        let items = match self.heap_of(o) {
            Some(Heap::Size(s)) if s.len() > MAX_DIMS => return Err(too_many(s.len())),
            Some(Heap::Size(s)) => return Ok(s.to_vec()),
            _ => self.sequence(o)?,
        };
        if items.len() > MAX_DIMS {
            return Err(too_many(items.len()));
        }
        items.iter().map(|&o| self.count(what, o)).collect()
    }
    pub(crate) fn dict_entries(&self, o: Obj) -> Result<&[(Obj, Obj)]> {
        match self.heap_of(o) {
            Some(Heap::Dict(parts)) => Ok(&parts.entries),
            _ => bail!("a dict is expected"),
        }
    }
    /// The value of a text key.
    pub(crate) fn entry(&self, dict: Obj, key: &str) -> Result<Option<Obj>> {
        let is_key = |o: Obj| matches!(self.heap_of(o), Some(Heap::Str(s)) if **s == *key);
        Ok(self.dict_entries(dict)?.iter().rev().find(|(k, _)| is_key(*k)).map(|(_, v)| *v))
    }

    // ---- calls

    pub(super) fn call(&mut self, function: Obj, args: Obj) -> Result<Obj> {
        let Obj::Global(global) = function else { bail!("something is called that is no function on the list") };
        let args: Vec<Obj> = match self.heap_of(args) {
            Some(Heap::Tuple(items)) => items.clone(),
            _ => bail!("a call has no tuple of arguments"),
        };
        self.spend_copies(args.len())?;
        let made = match global {
            Global::RebuildTensor => self.rebuild(&args, false)?,
            Global::RebuildTensorV3 => self.rebuild(&args, true)?,
            Global::RebuildParameter | Global::ParameterClass => {
                let mut parts = self.tensor_parts(arg(&args, 0)?)?;
                parts.requires_grad = !matches!(args.get(1), Some(Obj::Bool(false)));
                if parts.requires_grad && !parts.dtype.is_floating_point() {
                    bail!("a Parameter of dtype {} cannot require gradients", parts.dtype);
                }
                parts.parameter = true;
                self.make(Heap::Tensor(Box::new(parts)))
            }
            Global::RebuildFromType => {
                let made = self.call_inner(arg(&args, 0)?, arg(&args, 2)?)?;
                match arg(&args, 1)? {
                    Obj::Global(Global::TensorClass) => made,
                    Obj::Global(Global::ParameterClass) => {
                        let mut parts = self.tensor_parts(made)?;
                        parts.parameter = true;
                        self.make(Heap::Tensor(Box::new(parts)))
                    }
                    _ => bail!("a tensor of another class than torch.Tensor and Parameter is rebuilt"),
                }
            }
            Global::OrderedDict | Global::PlainDict => {
                let entries = match args.first() {
                    None => Vec::new(),
                    Some(&from) => self.entries_of(from)?,
                };
                let ordered = global == Global::OrderedDict;
                self.make(Heap::Dict(Box::new(DictParts { entries, ordered, ..DictParts::default() })))
            }
            Global::Script => {
                self.make(Heap::Dict(Box::new(DictParts { ordered: true, object: true, ..DictParts::default() })))
            }
            Global::First => arg(&args, 0)?,
            Global::DefaultDict => self.make(Heap::Dict(Box::default())),
            Global::Set | Global::List | Global::Tuple => {
                let items = match args.first() {
                    None => Vec::new(),
                    Some(&o) => match self.heap_of(o) {
                        Some(Heap::List(i) | Heap::Tuple(i) | Heap::Set(i)) => i.clone(),
                        _ => bail!("a container is made of something that is no list"),
                    },
                };
                self.spend_copies(items.len())?;
                self.make(match global {
                    Global::Set => Heap::Set(items),
                    Global::List => Heap::List(items),
                    _ => Heap::Tuple(items),
                })
            }
            Global::Encode => {
                let text = self.str(arg(&args, 0)?)?;
                let raw = self.encode(&text, args.get(1).copied())?;
                self.make(Heap::Bytes(raw.into()))
            }
            Global::ByteArray | Global::BytesClass => match args[..] {
                [] => self.make(Heap::Bytes([].into())),
                [o] => match self.heap_of(o) {
                    Some(Heap::Bytes(_)) => o,
                    _ => bail!("bytes are made of something else"),
                },
                [text, encoding] => {
                    let text = self.str(text)?;
                    let raw = self.encode(&text, Some(encoding))?;
                    self.make(Heap::Bytes(raw.into()))
                }
                _ => bail!("bytes are made with too many arguments"),
            },
            Global::Text => {
                let text = self.str(arg(&args, 0)?)?;
                self.make(Heap::Str(text))
            }
            Global::Size => {
                let items = self.sequence(arg(&args, 0)?)?;
                let n = items.len();
                let sizes = items.iter().map(|&o| self.count("a size", o)).collect::<Result<Vec<_>>>()?;
                self.spend_copies(n)?;
                self.make(Heap::Size(sizes.into()))
            }
            Global::Device => {
                let mut name = self.str(arg(&args, 0)?)?;
                if let Some(&index) = args.get(1) {
                    self.spend(name.len())?;
                    name = format!("{name}:{}", self.count("the index of a device", index)?).into();
                }
                self.make(Heap::Device(name))
            }
            Global::Layout => match &*self.str(arg(&args, 0)?)? {
                "torch.strided" => Obj::None,
                other => bail!("the file has a tensor of layout {other}; only torch.strided is read"),
            },
            Global::NumpyScalar => self.numpy_scalar(&args)?,
            Global::NumpyReconstruct => self.make(Heap::Array(None)),
            Global::NumpyFromBuffer => self.numpy_from_buffer(&args)?,
            Global::NumpyDType => self.numpy_dtype(&args)?,
            Global::TensorClass | Global::NumpyArray | Global::Named | Global::Storage(_) | Global::DType(_) => {
                bail!("{global:?} is called, which only has a meaning as a name")
            }
        };
        Ok(made)
    }
    /// The call inside `_rebuild_from_type_v2`: to rebuild a tensor and nothing else, so that calls do not nest.
    fn call_inner(&mut self, function: Obj, args: Obj) -> Result<Obj> {
        use Global::*;
        match function {
            Obj::Global(RebuildTensor | RebuildTensorV3 | RebuildParameter) => self.call(function, args),
            _ => bail!("a tensor with attributes is rebuilt by an unknown function"),
        }
    }
    fn entries_of(&mut self, from: Obj) -> Result<Vec<(Obj, Obj)>> {
        let entries = match self.heap_of(from) {
            Some(Heap::Dict(parts)) => parts.entries.clone(),
            Some(Heap::List(items)) => {
                let mut entries = Vec::with_capacity(items.len());
                for &item in items {
                    let [k, v] = self.sequence(item)? else { bail!("a dict is made of something other than pairs") };
                    entries.push((*k, *v));
                }
                entries
            }
            _ => bail!("a dict is made of something that is no dict"),
        };
        self.spend_copies(2 * entries.len())?;
        Ok(entries)
    }
    /// Protocol 2 writes bytes as text whose code points are the bytes.
    fn encode(&mut self, text: &str, encoding: Option<Obj>) -> Result<Vec<u8>> {
        self.spend(text.len())?;
        let encoding = encoding.map(|o| self.str(o)).transpose()?;
        match encoding.as_deref() {
            Some("latin1" | "latin-1" | "iso-8859-1") => text
                .chars()
                .map(|c| {
                    u8::try_from(u32::from(c)).map_err(|_| Error::new("bytes are written with a character above 255"))
                })
                .collect(),
            Some("utf-8" | "utf8" | "ascii") | None => Ok(text.as_bytes().to_vec()),
            Some(other) => bail!("bytes are written in the encoding {other:?}, which is not known"),
        }
    }

    // ---- tensors

    fn tensor_parts(&self, o: Obj) -> Result<TensorParts> {
        match self.heap_of(o) {
            Some(Heap::Tensor(parts)) => Ok((**parts).clone()),
            _ => bail!("a tensor is expected"),
        }
    }
    fn rebuild(&mut self, args: &[Obj], v3: bool) -> Result<Obj> {
        let Some(&Heap::Storage { storage, offset: first }) = self.heap_of(arg(args, 0)?) else {
            bail!("a tensor is made of something that is no storage")
        };
        let offset = self.count("the storage offset", arg(args, 1)?)?;
        let size = self.counts("a size", arg(args, 2)?)?;
        let stride = self.counts("a stride", arg(args, 3)?)?;
        let requires_grad = match args.get(4) {
            None => false,
            Some(Obj::Bool(b)) => *b,
            Some(_) => bail!("requires_grad is no bool"),
        };
        let s = &mut self.storages[storage];
        let dtype = match (v3, args.get(6), s.dtype) {
            (true, Some(&Obj::DType(d)), known) if known.is_none_or(|k| k == d) => d,
            (true, Some(Obj::DType(d)), Some(k)) => {
                bail!("the storage {:?} holds {} for one tensor and {d} for another", s.key, k)
            }
            (false, _, Some(d)) => d,
            _ => bail!("a tensor has no dtype"),
        };
        s.dtype = Some(dtype);
        let meta = args.get(if v3 { 7 } else { 6 }).copied();
        if let Some(meta @ Obj::Heap(_)) = meta {
            // Long dicts are looked through as often as tensors have them.
            if let Ok(n) = self.dict_entries(meta).map(<[_]>::len) {
                self.spend_copies(n)?;
            }
            for bit in ["conj", "neg"] {
                if matches!(self.entry(meta, bit), Ok(Some(Obj::Bool(true)))) {
                    bail!("a tensor has the {bit} bit set; resolve_{bit}() it before saving");
                }
            }
        }
        let offset = (first as usize).checked_add(offset).ok_or_else(|| Error::new("a storage offset is too large"))?;
        if requires_grad && !dtype.is_floating_point() {
            bail!("a tensor of dtype {dtype} cannot require gradients");
        }
        if size.len() != stride.len() {
            bail!("a tensor has {} sizes, but {} strides", size.len(), stride.len());
        }
        check_bounds(&self.storages[storage], dtype, offset, &size, &stride)?;
        check_shown(dtype, &size, &stride, self.most_memory)?;
        let parts = TensorParts { storage, dtype, offset, size, stride, requires_grad, parameter: false };
        Ok(self.make(Heap::Tensor(Box::new(parts))))
    }

    // ---- storages

    pub(super) fn persistent(&mut self, id: Obj) -> Result<Obj> {
        if let Some(Heap::Str(name)) = self.heap_of(id) {
            let name = name.clone();
            return self.outside(&name);
        }
        if let Obj::Int(n) = id {
            return self.outside(&n.to_string());
        }
        let parts = self.sequence(id)?;
        if parts.len() > 8 {
            bail!("an id from outside the pickle has {} parts", parts.len());
        }
        let parts = parts.to_vec();
        match (parts.first().map(|&o| self.str(o)), &parts[..]) {
            (Some(Ok(kind)), [_, class, key, _device, numel, view @ ..]) if &*kind == "storage" => {
                let Obj::Global(Global::Storage(dtype)) = *class else {
                    bail!("a storage has a class that is no storage class")
                };
                let key = match self.str(*key) {
                    Ok(key) => key.to_string(),
                    Err(_) => self.int(*key)?.to_string(),
                };
                let numel = self.count("the number of elements of a storage", *numel)?;
                let storage = self.storage(key, dtype, numel as u64)?;
                let offset = match view {
                    [] | [Obj::None] => 0,
                    [view] => {
                        let offset = self.sequence(*view)?.get(1).copied();
                        self.count("the offset of a view", offset.unwrap_or(Obj::None))? as u64
                    }
                    _ => bail!("the id of a storage has too many parts"),
                };
                Ok(self.make(Heap::Storage { storage, offset }))
            }
            (Some(Ok(kind)), _) if &*kind == "module" => {
                bail!("it holds a whole module with its source code; save its state_dict() instead")
            }
            _ => bail!("an id from outside the pickle is not ('storage', class, key, device, number of elements)"),
        }
    }
    /// The storage of that name; it must be stated in the same way each time.
    pub(crate) fn storage(&mut self, key: String, dtype: Option<DType>, numel: u64) -> Result<usize> {
        let Some(bytes) = numel.checked_mul(dtype.map_or(1, DType::size) as u64) else {
            bail!("the storage {key:?} states {numel} elements, more than fit any memory")
        };
        if let Some(&known) = self.keys.get(&key) {
            let s = &mut self.storages[known];
            if s.bytes != bytes || (dtype.is_some() && s.dtype.is_some() && s.dtype != dtype) {
                bail!("the storage {key:?} is stated in two ways that differ in size or dtype");
            }
            s.dtype = s.dtype.or(dtype);
            return Ok(known);
        }
        self.storages.push(Storage { key: key.clone(), dtype, bytes });
        self.keys.insert(key, self.storages.len() - 1);
        Ok(self.storages.len() - 1)
    }
    pub(super) fn outside(&mut self, name: &str) -> Result<Obj> {
        match self.outside.get(name) {
            Some(&o) => Ok(o),
            None => bail!("it refers to {name:?} outside the pickle, which the file does not have"),
        }
    }

    // ---- state

    /// Gives an object its state: attributes of an `OrderedDict`, the contents of a numpy array.
    pub(super) fn build(&mut self, object: Obj, state: Obj) -> Result<()> {
        let Obj::Heap(at) = object else { bail!("state is given to a plain value") };
        match &self.heap[at as usize] {
            // An object of a TorchScript archive: its attributes are all there is.
            Heap::Dict(parts) if parts.object => {
                if !parts.entries.is_empty() {
                    bail!("an object is given its state twice");
                }
                let entries = self.entries_of(state)?;
                if let Heap::Dict(parts) = &mut self.heap[at as usize] {
                    parts.entries = entries;
                }
                Ok(())
            }
            Heap::Dict(parts) if parts.ordered => {
                let attrs = self.dict_entries(state)?.to_vec();
                self.spend_copies(2 * attrs.len())?;
                if parts_len(&self.heap[at as usize]) + attrs.len() > 1000 {
                    bail!("an OrderedDict has more than 1000 attributes");
                }
                if let Heap::Dict(parts) = &mut self.heap[at as usize] {
                    parts.attrs.extend(attrs);
                }
                Ok(())
            }
            Heap::NumpyDType(_) | Heap::NumpyOther(_) => {
                let big = self.numpy_byte_order(state)?;
                match &mut self.heap[at as usize] {
                    Heap::NumpyDType(dtype) => dtype.big_endian = big,
                    Heap::NumpyOther(dtype) => dtype.big_endian = big,
                    _ => {}
                }
                Ok(())
            }
            Heap::Array(None) => {
                let tensor = self.numpy_array(state)?;
                self.heap[at as usize] = Heap::Array(Some(tensor));
                Ok(())
            }
            _ => bail!("state is given to something that is no OrderedDict and no numpy array"),
        }
    }
}

fn parts_len(object: &Heap) -> usize {
    match object {
        Heap::Dict(parts) => parts.attrs.len(),
        _ => 0,
    }
}

pub(super) fn arg(args: &[Obj], i: usize) -> Result<Obj> {
    match args.get(i) {
        Some(&o) => Ok(o),
        None => bail!("a call has {} arguments, argument {} is missing", args.len(), i + 1),
    }
}

/// Every element must lie inside the storage, and their number must be a number.
pub(crate) fn check_bounds(s: &Storage, dtype: DType, offset: usize, size: &[usize], stride: &[usize]) -> Result<()> {
    let available = s.bytes / dtype.size() as u64;
    let numel = size.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
    let last = size
        .iter()
        .zip(stride)
        .try_fold(offset, |at, (&n, &step)| at.checked_add(n.saturating_sub(1).checked_mul(step)?));
    match (numel, last) {
        (Some(n), _) if n > isize::MAX as usize / 8 => {}
        (Some(_), Some(_)) if size.contains(&0) => return Ok(()),
        (Some(_), Some(at)) if (at as u64) < available => return Ok(()),
        _ => {}
    }
    bail!(
        "a tensor of size {size:?}, strides {stride:?} and offset {offset} does not fit the {available} elements of its storage {:?}",
        s.key
    )
}

/// A stride of 0 shows one number any number of times; whoever writes or converts such a tensor needs memory for all of them.
pub(crate) fn check_shown(dtype: DType, size: &[usize], stride: &[usize], most: usize) -> Result<()> {
    let shown = size.iter().product::<usize>().saturating_mul(dtype.size());
    if shown > most {
        bail!(
            "a tensor of size {size:?} and strides {stride:?} shows its storage as {shown} bytes, more than ten times the file and 256 MiB"
        );
    }
    Ok(())
}
