//! From the machine's heap to a tree of values, once the numbers are there. Shared parts stay shared.

use super::Storage;
use super::machine::{Heap, Machine, Obj, TensorParts};
use crate::error::{Error, Result, bail};
use crate::value::{Dict, Items, Value};
use cresset_tensor::array::Array;
use cresset_tensor::{DType, Dims, Tensor};

/// What a pickle has built: the numbers of its storages are still to come.
pub(crate) struct Loaded {
    heap: Vec<Heap>,
    root: Obj,
    /// The storages it refers to, in the order of their first use.
    pub storages: Vec<Storage>,
}

impl Machine<'_> {
    pub fn finish(self, root: Obj) -> Loaded {
        Loaded { heap: self.heap, root, storages: self.storages }
    }
}

enum Step {
    Enter(u32),
    Leave(u32),
}

impl Loaded {
    /// The tree. `numbers` has an array of one dimension for each storage, of its dtype and size.
    pub fn into_value(self, numbers: &[Array]) -> Result<Value> {
        let mut made: Vec<Option<Value>> = Vec::new();
        made.resize_with(self.heap.len(), || None);
        let mut open = vec![false; self.heap.len()];
        let mut steps: Vec<Step> = heap_index(self.root).map(Step::Enter).into_iter().collect();
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
        self.value(self.root, &made)
    }

    fn value(&self, o: Obj, made: &[Option<Value>]) -> Result<Value> {
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

    fn make(&self, object: &Heap, made: &[Option<Value>], numbers: &[Array]) -> Result<Value> {
        let all = |items: &[Obj]| -> Result<Items> {
            Ok(Items::new(items.iter().map(|&o| self.value(o, made)).collect::<Result<_>>()?))
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
                    let (k, v) = (self.value(k, made)?, self.value(v, made)?);
                    let kind = k.kind();
                    if !dict.try_insert(k, v) {
                        bail!("a dict of the pickle has {kind} as a key");
                    }
                }
                for &(k, v) in &parts.attrs {
                    dict.set_attr(self.value(k, made)?.str()?, self.value(v, made)?);
                }
                Value::Dict(dict)
            }
            Heap::Size(s) => Value::Size(s.clone()),
            Heap::Device(d) => Value::Device(d.clone()),
            Heap::Storage { storage, .. } => Value::Tensor(Tensor::from_array(numbers[*storage].clone())),
            Heap::Tensor(parts) => tensor(parts, numbers)?,
            Heap::Array(Some(t)) => Value::Tensor(t.clone()),
            Heap::Array(None) => return Err(Error::new("a numpy array of the pickle has no contents")),
            Heap::NumpyDType(d) => Value::DType(d.dtype),
        })
    }
}

fn heap_index(o: Obj) -> Option<u32> {
    match o {
        Obj::Heap(i) => Some(i),
        _ => None,
    }
}

fn tensor(parts: &TensorParts, numbers: &[Array]) -> Result<Value> {
    let base = &numbers[parts.storage];
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
