//! Trees of values: what a checkpoint holds.

mod access;
mod bigint;
mod checksum;
mod dict;
mod from;
mod print;

pub use bigint::BigInt;
pub use dict::Dict;

use cresset_tensor::{DType, Tensor};
use std::ops::Deref;
use std::sync::Arc;

/// One value of a checkpoint: what Python would hold after `torch.load`.
///
/// Cloning is cheap: containers are shared until one of them is changed.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::Value;
/// use cresset_tensor::Tensor;
/// let weight = Value::ordered_dict([("weight", Tensor::ones([2, 3]).into())]);
/// let checkpoint = Value::dict([("epoch", 10.into()), ("loss", 0.25.into()), ("model_state_dict", weight)]);
/// assert_eq!(checkpoint["epoch"].int()?, 10);
/// assert_eq!(checkpoint["model_state_dict"].state_dict()?["weight"].shape(), [2, 3]);
/// let error = checkpoint["eopch"].int().unwrap_err();
/// assert!(error.to_string().contains("there is no key \"eopch\""));
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// `None`.
    #[default]
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A larger integer.
    BigInt(BigInt),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// `bytes`.
    Bytes(Arc<[u8]>),
    /// `[a, b]`.
    List(Items),
    /// `(a, b)`.
    Tuple(Items),
    /// `{a, b}`, in the order of the file.
    Set(Items),
    /// `{k: v}` or an `OrderedDict`.
    Dict(Dict),
    /// A tensor.
    Tensor(Tensor),
    /// An `nn.Parameter`.
    Parameter(Tensor),
    /// A `torch.Size`.
    Size(Arc<[usize]>),
    /// A `torch.dtype`.
    DType(DType),
    /// A `torch.device`, by its name: `cpu`, `cuda:0`.
    Device(Arc<str>),
    /// What an index with an unknown key gives: every typed access to it is the error that names the key.
    #[doc(hidden)]
    Missing(Arc<str>),
}

/// The values in a list, a tuple or a set: a slice.
#[derive(Clone)]
pub struct Items(Arc<Body>);

#[derive(Clone)]
struct Body(Vec<Value>);

impl Items {
    pub(crate) fn new(items: Vec<Value>) -> Items {
        Items(Arc::new(Body(items)))
    }
    /// What tells shared lists from equal ones.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
    /// The values, to be changed; other holders keep theirs.
    pub fn to_mut(&mut self) -> &mut Vec<Value> {
        &mut Arc::make_mut(&mut self.0).0
    }
}
impl Deref for Items {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.0.0
    }
}
impl Drop for Body {
    fn drop(&mut self) {
        bury(&mut self.0);
    }
}

/// Drops values without a call for each level: trees may be deeper than the stack.
fn bury(values: &mut Vec<Value>) {
    if values.iter().all(|v| !matches!(v, Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_))) {
        return;
    }
    let mut open = std::mem::take(values);
    while let Some(value) = open.pop() {
        match value {
            Value::List(mut i) | Value::Tuple(mut i) | Value::Set(mut i) => {
                if let Some(body) = Arc::get_mut(&mut i.0) {
                    open.append(&mut body.0);
                }
            }
            Value::Dict(mut d) => d.empty_into(&mut open),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_tree_drops_and_prints() {
        let mut v = Value::list([Value::Int(1)]);
        for i in 0..200_000 {
            v = if i % 2 == 0 { Value::tuple([v]) } else { Value::dict([("k", v)]) };
        }
        assert!(format!("{v:?}").len() < 1000);
    }

    #[test]
    fn later_keys_win_and_keep_the_place() {
        let mut d = Dict::new();
        for i in 0..20i64 {
            d.insert(i, i);
        }
        d.insert(3i64, "three");
        d.insert("3", "text");
        assert_eq!((d.len(), d.iter().nth(3).unwrap().1.str().unwrap()), (21, "three"));
        let copy = d.clone();
        d.insert(4i64, Value::None);
        assert_eq!(copy.get_key(&Value::Int(4)).unwrap().int().unwrap(), 4);
        assert!(d.get_key(&Value::Int(4)).unwrap().is_none());
    }
}
