//! Asking a value for what it should be: every refusal is a sentence.

use super::{Dict, Value};
use crate::error::{Error, Result, bail};
use cresset_tensor::{DType, OptimizerState, StateDict, StateValue, Tensor};
use std::collections::HashMap;
use std::ops::Index;
use std::sync::{Mutex, OnceLock};

/// How deep a saved state may be: those of optimizers and schedulers have a handful of levels, a file may hold anything.
const MOST_LEVELS: usize = 64;

impl Value {
    /// What it is, for sentences: "an int", "a dict of 3 entries".
    pub fn kind(&self) -> String {
        match self {
            Value::None => "None".into(),
            Value::Bool(_) => "a bool".into(),
            Value::Int(_) => "an int".into(),
            Value::BigInt(_) => "an int of more than 64 bits".into(),
            Value::Float(_) => "a float".into(),
            Value::Str(_) => "a str".into(),
            Value::Bytes(b) => format!("{} bytes", b.len()),
            Value::List(i) => format!("a list of {}", i.len()),
            Value::Tuple(i) => format!("a tuple of {}", i.len()),
            Value::Set(i) => format!("a set of {}", i.len()),
            Value::Dict(d) => format!("a dict of {}", d.len()),
            Value::Tensor(t) => format!("a tensor of shape {:?}", t.shape()),
            Value::Parameter(t) => format!("a Parameter of shape {:?}", t.shape()),
            Value::Size(_) => "a torch.Size".into(),
            Value::DType(_) => "a torch.dtype".into(),
            Value::Device(_) => "a torch.device".into(),
            Value::Missing(_) => "missing".into(),
        }
    }
    fn not<T>(&self, wanted: &str) -> Result<T> {
        Err(Error::new(match self {
            Value::Missing(why) => why.to_string(),
            v => format!("{wanted} is expected, but the value is {}", v.kind()),
        }))
    }
    /// Is it `None`?
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }
    /// The truth value.
    pub fn bool(&self) -> Result<bool> {
        match self {
            Value::Bool(b) => Ok(*b),
            v => v.not("a bool"),
        }
    }
    /// The integer, if it fits 64 bits.
    pub fn int(&self) -> Result<i64> {
        match self {
            Value::Int(i) => Ok(*i),
            v => v.not("an int"),
        }
    }
    /// The integer as a size or a count: not negative.
    pub fn usize(&self) -> Result<usize> {
        match self {
            Value::Int(i) => usize::try_from(*i).or_else(|_| self.not("an int that is not negative")),
            v => v.not("an int"),
        }
    }
    /// The floating-point number; an integer is converted.
    pub fn float(&self) -> Result<f64> {
        match self {
            Value::Float(x) => Ok(*x),
            Value::Int(i) => Ok(*i as f64),
            v => v.not("a float"),
        }
    }
    /// The text.
    pub fn str(&self) -> Result<&str> {
        match self {
            Value::Str(s) => Ok(s),
            v => v.not("a str"),
        }
    }
    /// The bytes.
    pub fn bytes(&self) -> Result<&[u8]> {
        match self {
            Value::Bytes(b) => Ok(b),
            v => v.not("bytes"),
        }
    }
    /// The values of a list, a tuple or a set.
    pub fn as_list(&self) -> Result<&[Value]> {
        match self {
            Value::List(i) | Value::Tuple(i) | Value::Set(i) => Ok(i),
            v => v.not("a list"),
        }
    }
    /// The dictionary.
    pub fn as_dict(&self) -> Result<&Dict> {
        match self {
            Value::Dict(d) => Ok(d),
            v => v.not("a dict"),
        }
    }
    /// The tensor; of a Parameter, its tensor.
    pub fn tensor(&self) -> Result<&Tensor> {
        match self {
            Value::Tensor(t) | Value::Parameter(t) => Ok(t),
            v => v.not("a tensor"),
        }
    }
    /// The sizes of a `torch.Size`.
    pub fn size(&self) -> Result<&[usize]> {
        match self {
            Value::Size(s) => Ok(s),
            v => v.not("a torch.Size"),
        }
    }
    /// The dtype.
    pub fn dtype(&self) -> Result<DType> {
        match self {
            Value::DType(d) => Ok(*d),
            v => v.not("a torch.dtype"),
        }
    }
    /// The name of the device.
    pub fn device(&self) -> Result<&str> {
        match self {
            Value::Device(d) => Ok(d),
            v => v.not("a torch.device"),
        }
    }
    /// Names and tensors of a dict whose keys are all text and whose values are all tensors.
    ///
    /// # Errors
    /// If it is no dict, or an entry is something else: a checkpoint often has the state dict under a key of its own.
    pub fn state_dict(&self) -> Result<StateDict> {
        let dict = match self {
            Value::Dict(d) => d,
            v => return v.not("a state dict"),
        };
        let mut state = StateDict::new();
        for (key, value) in dict.iter() {
            let Value::Str(name) = key else { bail!("a state dict has names as keys, but one key is {}", key.kind()) };
            match value {
                Value::Tensor(t) | Value::Parameter(t) => state.insert(&**name, t.clone()),
                v => bail!(
                    "a state dict has tensors as values, but {name:?} is {}; is the state dict the value of a key? (keys: {})",
                    v.kind(),
                    some_keys(dict)
                ),
            }
        }
        Ok(state)
    }
    /// What an optimizer's `state_dict()` gave.
    ///
    /// # Errors
    /// If it has another form, or holds what no state has (as [`Value::state`]).
    pub fn optimizer_state(&self) -> Result<OptimizerState> {
        Ok(OptimizerState::from_value(&self.state()?)?)
    }
    /// What a scheduler's `state_dict()` gave, or any other tree of plain values and tensors.
    ///
    /// # Errors
    /// If it has something that no state has: bytes, sets, integers of more than 64 bits, or hundreds of levels.
    pub fn state(&self) -> Result<StateValue> {
        self.state_within(MOST_LEVELS)
    }
    fn state_within(&self, levels: usize) -> Result<StateValue> {
        let Some(levels) = levels.checked_sub(1) else { bail!("a saved state has more than {MOST_LEVELS} levels") };
        let all = |items: &[Value]| items.iter().map(|v| v.state_within(levels)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Value::None => StateValue::None,
            Value::Bool(b) => StateValue::Bool(*b),
            Value::Int(i) => StateValue::Int(*i),
            Value::Float(x) => StateValue::Float(*x),
            Value::Str(s) => StateValue::Str(s.to_string()),
            Value::Tensor(t) | Value::Parameter(t) => StateValue::Tensor(t.clone()),
            Value::List(items) => StateValue::List(all(items)?),
            Value::Tuple(items) => StateValue::Tuple(all(items)?),
            Value::Dict(dict) => {
                let entry = |(k, v): (&Value, &Value)| Ok((k.state_within(levels)?, v.state_within(levels)?));
                StateValue::Dict(dict.iter().map(entry).collect::<Result<_>>()?)
            }
            Value::Missing(why) => return Err(Error::new(why.to_string())),
            other => bail!("a saved state cannot hold {}", other.kind()),
        })
    }
    /// The value under a text key.
    ///
    /// # Errors
    /// If it is no dict, or has no such key.
    pub fn at(&self, key: &str) -> Result<&Value> {
        match self {
            Value::Dict(d) => d.get(key).ok_or_else(|| Error::new(no_key(d, key))),
            v => v.not(&format!("a dict with the key {key:?}")),
        }
    }
    /// The value under a text key, if it is a dict and has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_dict().ok()?.get(key)
    }
    /// The value at a position of a list, a tuple or a set.
    ///
    /// # Errors
    /// If it is something else, or shorter.
    pub fn item(&self, index: usize) -> Result<&Value> {
        let items = self.as_list()?;
        items.get(index).ok_or_else(|| Error::new(format!("there is no item {index} in {}", self.kind())))
    }
}

fn some_keys(dict: &Dict) -> String {
    let mut text: Vec<String> = dict.keys().take(8).map(|k| format!("{k:?}")).collect();
    if dict.len() > 8 {
        text.push("...".into());
    }
    text.join(", ")
}

fn no_key(dict: &Dict, key: &str) -> String {
    format!("there is no key {key:?} (keys: {})", some_keys(dict))
}

/// `checkpoint["epoch"]`: a key that is not there gives a value whose every typed access is the error that says so.
impl Index<&str> for Value {
    type Output = Value;
    fn index(&self, key: &str) -> &Value {
        match (self, self.at(key)) {
            (_, Ok(v)) => v,
            (Value::Missing(_), _) => self,
            (_, Err(e)) => missing(e.message()),
        }
    }
}
/// `checkpoint["betas"][0]`, as with a key.
impl Index<usize> for Value {
    type Output = Value;
    fn index(&self, index: usize) -> &Value {
        match (self, self.item(index)) {
            (_, Ok(v)) => v,
            (Value::Missing(_), _) => self,
            (_, Err(e)) => missing(e.message()),
        }
    }
}

/// A value for each sentence, kept for good: `Index` can only lend. A program that asks for thousands of different keys gets a general one.
fn missing(why: &str) -> &'static Value {
    static KNOWN: OnceLock<Mutex<HashMap<String, &'static Value>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let why = if known.len() < 1000 || known.contains_key(why) { why } else { "there is no such key" };
    known.entry(why.to_string()).or_insert_with(|| Box::leak(Box::new(Value::Missing(why.into()))))
}
