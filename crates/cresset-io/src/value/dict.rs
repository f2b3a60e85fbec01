//! Dictionaries in order, with keys of any plain kind.

use super::{BigInt, Value, bury};
use std::collections::HashMap;
use std::sync::Arc;

/// A dictionary that keeps the order of insertion: Python's `dict`, or an `OrderedDict` with its attributes (`_metadata`).
#[derive(Clone, Default)]
pub struct Dict(Arc<Body>);

#[derive(Clone, Default)]
struct Body {
    entries: Vec<(Value, Value)>,
    /// Where a key is, once there are more than a few.
    places: HashMap<Key, usize>,
    ordered: bool,
    attrs: Vec<(Arc<str>, Value)>,
}

/// Up to so many keys are found by looking at each.
const FEW: usize = 8;

/// What makes keys equal, by Python's rules: 1, 1.0 and True are one key.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    None,
    Int(i64),
    Big(BigInt),
    Float(u64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    Tuple(Vec<Key>),
    Other(String),
}

impl Key {
    /// `None` for a value that cannot be a key (a list, a tensor) or a tuple of too many parts.
    pub fn of(value: &Value) -> Option<Key> {
        Key::within(value, &mut 32, 4)
    }
    fn within(value: &Value, budget: &mut usize, depth: usize) -> Option<Key> {
        *budget = budget.checked_sub(1)?;
        Some(match value {
            Value::None => Key::None,
            Value::Bool(b) => Key::Int(i64::from(*b)),
            Value::Int(i) => Key::Int(*i),
            Value::BigInt(b) => b.to_i64().map_or_else(|| Key::Big(b.clone()), Key::Int),
            Value::Float(x) if *x == *x as i64 as f64 => Key::Int(*x as i64),
            Value::Float(x) => Key::Float(x.to_bits()),
            Value::Str(s) => Key::Str(s.clone()),
            Value::Bytes(b) => Key::Bytes(b.clone()),
            Value::DType(d) => Key::Other(d.to_string()),
            Value::Device(d) => Key::Other(format!("device {d}")),
            Value::Size(s) => Key::Tuple(s.iter().map(|&n| Key::Int(n as i64)).collect()),
            Value::Tuple(items) if depth > 0 => {
                Key::Tuple(items.iter().map(|v| Key::within(v, budget, depth - 1)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

impl Dict {
    /// An empty `dict`.
    pub fn new() -> Dict {
        Dict::default()
    }
    /// An empty `OrderedDict`.
    pub fn ordered() -> Dict {
        let mut body = Body::default();
        body.ordered = true;
        Dict(Arc::new(body))
    }
    /// Is it an `OrderedDict`?
    pub fn is_ordered(&self) -> bool {
        self.0.ordered
    }
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }
    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }
    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.0.places.is_empty() {
            return self.0.entries.iter().find(|(k, _)| matches!(k, Value::Str(s) if **s == *key)).map(|(_, v)| v);
        }
        self.0.places.get(&Key::Str(key.into())).map(|&i| &self.0.entries[i].1)
    }
    /// The value under a key of any kind.
    pub fn get_key(&self, key: &Value) -> Option<&Value> {
        self.place(&Key::of(key)?).map(|i| &self.0.entries[i].1)
    }
    fn place(&self, key: &Key) -> Option<usize> {
        if self.0.places.is_empty() {
            return self.0.entries.iter().position(|(k, _)| Key::of(k).as_ref() == Some(key));
        }
        self.0.places.get(key).copied()
    }
    /// Puts a value under a key; a key that is there keeps its place.
    ///
    /// # Panics
    /// If the key is a list, a dict, a set or a tensor.
    #[track_caller]
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) {
        let key = key.into();
        if !self.try_insert(key.clone(), value.into()) {
            cresset_tensor::error::fail("Dict::insert", format!("unhashable key: {}", key.kind()));
        }
    }
    /// Says whether the key can be one.
    pub(crate) fn try_insert(&mut self, key: Value, value: Value) -> bool {
        let Some(k) = Key::of(&key) else { return false };
        let place = self.place(&k);
        let body = Arc::make_mut(&mut self.0);
        if let Some(i) = place {
            body.entries[i].1 = value;
            return true;
        }
        body.entries.push((key, value));
        let n = body.entries.len();
        if n > FEW + 1 {
            body.places.insert(k, n - 1);
        } else if n == FEW + 1 {
            body.places = body.entries.iter().enumerate().filter_map(|(i, (k, _))| Some((Key::of(k)?, i))).collect();
        }
        true
    }
    /// Keys and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.0.entries.iter().map(|(k, v)| (k, v))
    }
    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.entries.iter().map(|(k, _)| k)
    }
    /// The values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.entries.iter().map(|(_, v)| v)
    }
    /// The attributes of an `OrderedDict`: a state dict has `_metadata`.
    pub fn attrs(&self) -> &[(Arc<str>, Value)] {
        &self.0.attrs
    }
    /// Sets an attribute.
    pub fn set_attr(&mut self, name: &str, value: impl Into<Value>) {
        let body = Arc::make_mut(&mut self.0);
        match body.attrs.iter_mut().find(|(n, _)| **n == *name) {
            Some((_, v)) => *v = value.into(),
            None => body.attrs.push((name.into(), value.into())),
        }
    }
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
    pub(super) fn empty_into(&mut self, out: &mut Vec<Value>) {
        if let Some(body) = Arc::get_mut(&mut self.0) {
            body.empty_into(out);
        }
    }
}

impl Body {
    fn empty_into(&mut self, out: &mut Vec<Value>) {
        for (k, v) in self.entries.drain(..) {
            out.extend([k, v]);
        }
        out.extend(self.attrs.drain(..).map(|(_, v)| v));
    }
}
impl Drop for Body {
    fn drop(&mut self) {
        let mut open = Vec::new();
        self.empty_into(&mut open);
        bury(&mut open);
    }
}
