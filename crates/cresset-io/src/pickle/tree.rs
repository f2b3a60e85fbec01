//! From the machine's heap to a tree of values, once the numbers are there. Shared parts stay shared.

use super::Storage;
use super::machine::{Heap, Machine, Obj, TensorParts};
use crate::error::{Error, Result, bail};
use crate::value::{Dict, Items, Value};
use cresset_tensor::array::Array;
use cresset_tensor::{DType, Dims, Tensor};

/// What a pickle has built: the numbers of its storages are still to come.
pub(crate) struct Loaded {
    pub(super) heap: Vec<Heap>,
    pub(super) root: Obj,
    /// The name of the pickle in sentences.
    place: String,
    /// What its values may take.
    pub(super) most_memory: usize,
    /// The storages it refers to, in the order of their first use.
    pub storages: Vec<Storage>,
}

impl Machine<'_> {
    pub fn finish(self, root: Obj, place: &str) -> Loaded {
        Loaded {
            heap: self.heap,
            root,
            place: place.to_string(),
            most_memory: self.most_memory,
            storages: self.storages,
        }
    }
}

enum Step {
    Enter(u32),
    Leave(u32),
}

impl Loaded {
    /// The tree. `numbers` has an array of one dimension for each storage, of its dtype and size.
    pub fn value(&self, numbers: &[Array]) -> Result<Value> {
        self.value_of(self.root, numbers).map_err(|e| e.within(&self.place))
    }
    /// A part of it. Where it has tensors there must be numbers.
    pub(super) fn value_of(&self, root: Obj, numbers: &[Array]) -> Result<Value> {
        let mut made: Vec<Option<Value>> = Vec::new();
        made.resize_with(self.heap.len(), || None);
        let mut open = vec![false; self.heap.len()];
        let mut steps: Vec<Step> = heap_index(root).map(Step::Enter).into_iter().collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(i) if made[i as usize].is_some() => {}
                Step::Enter(i) if open[i as usize] => bail!("a value of the pickle contains itself"),
                Step::Enter(i) => {
                    open[i as usize] = true;
                    steps.push(Step::Leave(i));
                    let mut visit = |o: Obj| {
                        if let Some(child) = heap_index(o) {
                            steps.push(Step::Enter(child));
                        }
                    };
                    match &self.heap[i as usize] {
                        Heap::List(items) | Heap::Tuple(items) | Heap::Set(items) => {
                            items.iter().for_each(|&o| visit(o))
                        }
                        Heap::Dict(parts) => {
                            for &(k, v) in parts.entries.iter().chain(&parts.attrs) {
                                visit(k);
                                visit(v);
                            }
                        }
                        _ => {}
                    }
                }
                Step::Leave(i) => {
                    open[i as usize] = false;
                    made[i as usize] = Some(self.make(&self.heap[i as usize], &made, numbers)?);
                }
            }
        }
        self.plain(root, &made)
    }

    pub(super) fn plain(&self, o: Obj, made: &[Option<Value>]) -> Result<Value> {
        Ok(match o {
            Obj::None => Value::None,
            Obj::Bool(b) => Value::Bool(b),
            Obj::Int(i) => Value::Int(i),
            Obj::Float(x) => Value::Float(x),
            Obj::DType(d) => Value::DType(d),
            Obj::Heap(i) => match &made[i as usize] {
                Some(v) => v.clone(),
                None => bail!("a value of the pickle contains itself"),
            },
            Obj::Global(g) => bail!("the pickle holds {g:?} itself as a value, which is no data"),
            Obj::Mark => bail!("the pickle holds an unfinished value"),
        })
    }

    pub(super) fn make(&self, object: &Heap, made: &[Option<Value>], numbers: &[Array]) -> Result<Value> {
        let all = |items: &[Obj]| -> Result<Items> {
            Ok(Items::new(items.iter().map(|&o| self.plain(o, made)).collect::<Result<_>>()?))
        };
        Ok(match object {
            Heap::Str(s) => Value::Str(s.clone()),
            Heap::Bytes(b) => Value::Bytes(b.clone()),
            Heap::Big(n) => Value::BigInt(n.clone()),
            Heap::List(items) => Value::List(all(items)?),
            Heap::Tuple(items) => Value::Tuple(all(items)?),
            Heap::Set(items) => Value::Set(all(items)?),
            Heap::Dict(parts) => {
                let mut dict = if parts.ordered { Dict::ordered() } else { Dict::new() };
                for &(k, v) in &parts.entries {
                    let (k, v) = (self.plain(k, made)?, self.plain(v, made)?);
                    let kind = k.kind();
                    if !dict.try_insert(k, v) {
                        bail!("a dict of the pickle has {kind} as a key");
                    }
                }
                for &(k, v) in &parts.attrs {
                    dict.set_attr(self.plain(k, made)?.str()?, self.plain(v, made)?);
                }
                Value::Dict(dict)
            }
            Heap::Size(s) => Value::Size(s.clone()),
            Heap::Device(d) => Value::Device(d.clone()),
            Heap::Storage { storage, .. } => Value::Tensor(Tensor::from_array(number(numbers, *storage)?.clone())),
            Heap::Tensor(parts) => tensor(parts, number(numbers, parts.storage)?)?,
            Heap::Array(Some(t)) => Value::Tensor(t.clone()),
            Heap::Array(None) => return Err(Error::new("a numpy array of the pickle has no contents")),
            Heap::NumpyDType(d) => Value::DType(d.dtype),
            Heap::NumpyOther(d) => return Err(d.refusal()),
        })
    }
}

pub(super) fn heap_index(o: Obj) -> Option<u32> {
    match o {
        Obj::Heap(i) => Some(i),
        _ => None,
    }
}

fn number(numbers: &[Array], storage: usize) -> Result<&Array> {
    numbers.get(storage).ok_or_else(|| Error::new("a tensor stands where plain values are expected"))
}

pub(super) fn tensor(parts: &TensorParts, base: &Array) -> Result<Value> {
    if base.dtype() != parts.dtype {
        bail!("a storage holds {}, a tensor over it {}", base.dtype(), parts.dtype);
    }
    let tensor = Tensor::from_array(base.view(Dims::new(&parts.size), Dims::new(&parts.stride), parts.offset));
    if parts.requires_grad {
        tensor.requires_grad_(true);
    }
    Ok(if parts.parameter { Value::Parameter(tensor) } else { Value::Tensor(tensor) })
}

impl Storage {
    /// The dtype of its numbers: bytes, if no tensor says otherwise.
    pub fn numbers(&self) -> DType {
        self.dtype.unwrap_or(DType::U8)
    }
}
