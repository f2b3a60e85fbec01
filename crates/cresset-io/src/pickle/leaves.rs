//! What a pickle holds, by names: tensors, whose numbers are not needed for that, and other values.

use super::machine::{Heap, Obj};
use super::tree::{Loaded, heap_index, tensor};
use crate::error::{Result, bail};
use crate::value::{Dict, Value};
use cresset_tensor::array::Array;
use cresset_tensor::{DType, Tensor};
use std::collections::HashMap;

/// A value that is no container of tensors.
pub(crate) enum Leaf {
    /// A tensor, by its place in the heap.
    Tensor(u32),
    /// A numpy array, whose numbers lie in the pickle.
    Array(Tensor),
    Value(Value),
}

/// Names may take so much for each value and this: lists that are shared many times have many names.
const MOST_NAMES: usize = 128 << 10;
const PER_VALUE: usize = 1000;
/// What a name takes besides its text.
const PER_NAME: usize = 300;
/// Of deeper trees nothing is named.
const MOST_LEVELS: usize = 1000;

impl Loaded {
    /// All leaves in order, under the keys and positions that lead to them, joined by dots. `objects`: only those of TorchScript's objects.
    pub fn leaves(&self, objects: bool) -> Result<Vec<(String, Leaf)>> {
        let mut found = Vec::new();
        let items = |h: &Heap| match h {
            Heap::List(items) | Heap::Tuple(items) | Heap::Set(items) => items.len(),
            Heap::Dict(parts) => parts.entries.len(),
            _ => 0,
        };
        let values = self.heap.len() + self.heap.iter().map(items).sum::<usize>();
        let mut budget = values.saturating_mul(PER_VALUE).saturating_add(MOST_NAMES).min(self.most_memory);
        let holds = self.containers();
        // Names are paid for before they are made.
        let mut spend =
            |length: usize, count: usize| match budget.checked_sub((2 * length + PER_NAME).saturating_mul(count)) {
                Some(left) => {
                    budget = left;
                    Ok(())
                }
                None => bail!("the file's values have too many names: they share their parts too often"),
            };
        // What is named several times is made once.
        let mut made: Vec<Option<Value>> = vec![None; self.heap.len()];
        let mut open = vec![(String::new(), self.root, 0)];
        while let Some((name, o, level)) = open.pop() {
            let join = |key: &str| if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
            let first = open.len();
            match heap_index(o).map(|i| (i, &self.heap[i as usize])) {
                Some((i, Heap::Tensor(_) | Heap::Storage { .. })) => found.push((name, Leaf::Tensor(i))),
                Some((_, Heap::Array(Some(t)))) => found.push((name, Leaf::Array(t.clone()))),
                _ if level >= MOST_LEVELS => bail!("the file's values have more than {MOST_LEVELS} levels"),
                Some((_, Heap::Dict(parts))) if !parts.entries.is_empty() && (parts.object || !objects) => {
                    let mut places: HashMap<(bool, String), usize> = HashMap::new();
                    for &(k, v) in &parts.entries {
                        let (is_text, key) = match heap_index(k).map(|i| &self.heap[i as usize]) {
                            Some(Heap::Str(s)) => (true, s.to_string()),
                            _ => (false, format!("{:?}", self.leaf(k, &holds, &mut made)?)),
                        };
                        spend(name.len() + key.len(), 1)?;
                        // A key that comes again has the last value, at the first place.
                        match places.get(&(is_text, key.clone())) {
                            Some(&at) => open[at].1 = v,
                            None => {
                                open.push((join(&key), v, level + 1));
                                places.insert((is_text, key), open.len() - 1);
                            }
                        }
                    }
                }
                Some((i, Heap::List(items) | Heap::Tuple(items) | Heap::Set(items)))
                    if !objects && holds[i as usize] =>
                {
                    spend(name.len() + 20, items.len())?;
                    open.extend(items.iter().enumerate().map(|(n, &item)| (join(&n.to_string()), item, level + 1)));
                }
                _ if objects => {}
                _ => found.push((name, Leaf::Value(self.leaf(o, &holds, &mut made)?))),
            }
            open[first..].reverse();
        }
        Ok(found)
    }
    /// A plain value, or a list of plain values; what is more (as the key of a dict) is no key.
    fn leaf(&self, o: Obj, holds: &[bool], made: &mut [Option<Value>]) -> Result<Value> {
        let Some(i) = heap_index(o) else { return self.plain(o, &[]) };
        if let Some(v) = &made[i as usize] {
            return Ok(v.clone());
        }
        let object = &self.heap[i as usize];
        match object {
            Heap::List(items) | Heap::Tuple(items) | Heap::Set(items) if !holds[i as usize] => {
                for item in items.iter().filter_map(|&item| heap_index(item)) {
                    if made[item as usize].is_none() {
                        made[item as usize] = Some(self.make(&self.heap[item as usize], made, &[])?);
                    }
                }
            }
            Heap::List(_) | Heap::Tuple(_) | Heap::Set(_) => {
                bail!("a dict of the pickle has a key that is no plain value")
            }
            Heap::Dict(parts) if !parts.entries.is_empty() => {
                bail!("a dict of the pickle has a key that is no plain value")
            }
            _ => {}
        }
        let value = match object {
            Heap::Dict(parts) => Value::Dict(if parts.ordered { Dict::ordered() } else { Dict::new() }),
            _ => self.make(object, made, &[])?,
        };
        made[i as usize] = Some(value.clone());
        Ok(value)
    }
    /// Which values of the heap are lists of something other than plain values.
    fn containers(&self) -> Vec<bool> {
        let is_container = |o: &Obj| {
            heap_index(*o).is_some_and(|i| {
                use Heap::*;
                matches!(
                    self.heap[i as usize],
                    List(_) | Tuple(_) | Set(_) | Dict(_) | Tensor(_) | Array(_) | Storage { .. }
                )
            })
        };
        let holds = |h: &Heap| match h {
            Heap::List(items) | Heap::Tuple(items) | Heap::Set(items) => items.iter().any(is_container),
            _ => false,
        };
        self.heap.iter().map(holds).collect()
    }
    /// The storage of a tensor.
    pub fn storage_of(&self, tensor: u32) -> usize {
        match &self.heap[tensor as usize] {
            Heap::Tensor(parts) => parts.storage,
            Heap::Storage { storage, .. } => *storage,
            _ => 0,
        }
    }
    /// dtype and shape of a tensor, and whether it is a Parameter.
    pub fn meta_of(&self, tensor: u32) -> (DType, Vec<usize>) {
        match &self.heap[tensor as usize] {
            Heap::Tensor(parts) => (parts.dtype, parts.size.clone()),
            Heap::Storage { storage, .. } => {
                let s = &self.storages[*storage];
                (s.numbers(), vec![s.bytes as usize / s.numbers().size()])
            }
            _ => (DType::U8, vec![0]),
        }
    }
    /// A tensor over the numbers of its storage.
    pub fn tensor(&self, at: u32, numbers: &Array) -> Result<Value> {
        match &self.heap[at as usize] {
            Heap::Tensor(parts) => tensor(parts, numbers),
            _ => Ok(Value::Tensor(Tensor::from_array(numbers.clone()))),
        }
    }
}
