//! Building values.

use super::{BigInt, Dict, Items, Value};
use cresset_tensor::{DType, OptimizerState, StateDict, StateValue, Tensor};

impl Value {
    /// A `dict` of the entries, in order: `Value::dict([("epoch", 10.into()), ("loss", 0.5.into())])`.
    pub fn dict<K: Into<Value>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Dict(fill(Dict::new(), entries))
    }
    /// An `OrderedDict` of the entries.
    pub fn ordered_dict<K: Into<Value>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Dict(fill(Dict::ordered(), entries))
    }
    /// A list.
    pub fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        Value::List(Items::new(items.into_iter().map(Into::into).collect()))
    }
    /// A tuple.
    pub fn tuple<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        Value::Tuple(Items::new(items.into_iter().map(Into::into).collect()))
    }
    /// A set; equal items are kept as they come.
    pub fn set<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        Value::Set(Items::new(items.into_iter().map(Into::into).collect()))
    }
    /// Python's `bytes`.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Value {
        Value::Bytes(bytes.as_ref().into())
    }
    /// An `nn.Parameter`.
    pub fn parameter(tensor: &Tensor) -> Value {
        Value::Parameter(tensor.clone())
    }
}

#[track_caller]
fn fill<K: Into<Value>>(mut dict: Dict, entries: impl IntoIterator<Item = (K, Value)>) -> Dict {
    for (k, v) in entries {
        dict.insert(k, v);
    }
    dict
}

macro_rules! from {
    ($($t:ty => |$x:ident| $e:expr;)*) => { $(
        impl From<$t> for Value {
            fn from($x: $t) -> Value {
                $e
            }
        }
    )* };
}
from! {
    bool => |x| Value::Bool(x);
    i64 => |x| Value::Int(x);
    i32 => |x| Value::Int(x.into());
    i16 => |x| Value::Int(x.into());
    i8 => |x| Value::Int(x.into());
    u8 => |x| Value::Int(x.into());
    u16 => |x| Value::Int(x.into());
    u32 => |x| Value::Int(x.into());
    u64 => |x| i64::try_from(x).map_or_else(|_| big(x), Value::Int);
    usize => |x| Value::from(x as u64);
    BigInt => |x| x.to_i64().map_or_else(|| Value::BigInt(x), Value::Int);
    f64 => |x| Value::Float(x);
    f32 => |x| Value::Float(x.into());
    &str => |x| Value::Str(x.into());
    String => |x| Value::Str(x.into());
    &String => |x| Value::Str(x.as_str().into());
    Tensor => |x| Value::Tensor(x);
    &Tensor => |x| Value::Tensor(x.clone());
    Dict => |x| Value::Dict(x);
    &Value => |x| x.clone();
    DType => |x| Value::DType(x);
    StateDict => |x| (&x).into();
    StateValue => |x| (&x).into();
    OptimizerState => |x| x.to_value().into();
    &OptimizerState => |x| x.to_value().into();
    &StateDict => |x| Value::ordered_dict(x.iter().map(|(k, t)| (k, t.into())));
}

/// Above 63 bits.
fn big(x: u64) -> Value {
    let mut bytes = x.to_le_bytes().to_vec();
    bytes.push(0);
    Value::BigInt(BigInt::from_le_bytes(&bytes))
}

/// The state of an optimizer or a scheduler. Tensors share their numbers with it.
impl From<&StateValue> for Value {
    fn from(state: &StateValue) -> Value {
        match state {
            StateValue::None => Value::None,
            StateValue::Bool(b) => Value::Bool(*b),
            StateValue::Int(i) => Value::Int(*i),
            StateValue::Float(x) => Value::Float(*x),
            StateValue::Str(s) => Value::from(s),
            StateValue::Tensor(t) => Value::Tensor(t.clone()),
            StateValue::List(items) => Value::list(items),
            StateValue::Tuple(items) => Value::tuple(items),
            StateValue::Dict(entries) => Value::dict(entries.iter().map(|(key, value)| (key, value.into()))),
        }
    }
}
impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Value {
        Value::list(items)
    }
}
impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(x: Option<V>) -> Value {
        x.map_or(Value::None, Into::into)
    }
}
impl<A: Into<Value>, B: Into<Value>> From<(A, B)> for Value {
    fn from((a, b): (A, B)) -> Value {
        Value::tuple([a.into(), b.into()])
    }
}
