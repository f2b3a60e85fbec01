//! What is saved of an optimizer or a scheduler: plain trees of values in PyTorch's layout.

use cresset_tensor::{Error, Tensor};
use std::fmt;

/// One value of a saved state: what a `.pth` file can hold of it.
#[derive(Clone, Default)]
pub enum StateValue {
    /// `None`.
    #[default]
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(String),
    /// A tensor.
    Tensor(Tensor),
    /// `[a, b]`.
    List(Vec<StateValue>),
    /// `(a, b)`.
    Tuple(Vec<StateValue>),
    /// `{key: value}`, in order.
    Dict(Vec<(StateValue, StateValue)>),
}

impl StateValue {
    /// A dictionary with text keys.
    pub fn dict(entries: impl IntoIterator<Item = (impl Into<String>, StateValue)>) -> StateValue {
        StateValue::Dict(entries.into_iter().map(|(k, v)| (StateValue::Str(k.into()), v)).collect())
    }
    /// The value under a text key of a dictionary.
    pub fn get(&self, key: &str) -> Option<&StateValue> {
        match self {
            StateValue::Dict(d) => d.iter().find(|(k, _)| matches!(k, StateValue::Str(k) if k == key)).map(|(_, v)| v),
            _ => None,
        }
    }
    /// A number: an integer, a float, a truth value or a tensor of one element.
    pub fn number(&self) -> Option<f64> {
        match self {
            StateValue::Bool(b) => Some(f64::from(u8::from(*b))),
            StateValue::Int(i) => Some(*i as f64),
            StateValue::Float(f) => Some(*f),
            StateValue::Tensor(t) if t.numel() == 1 => Some(t.scalar().f64()),
            _ => None,
        }
    }
    /// The items of a list or a tuple.
    pub fn items(&self) -> Option<&[StateValue]> {
        match self {
            StateValue::List(v) | StateValue::Tuple(v) => Some(v),
            _ => None,
        }
    }
    /// The same tree with tensors of its own.
    pub fn deep_copy(&self) -> StateValue {
        let all = |v: &[StateValue]| v.iter().map(StateValue::deep_copy).collect();
        match self {
            StateValue::Tensor(t) => StateValue::Tensor(Tensor::from_array(t.array().copy())),
            StateValue::List(v) => StateValue::List(all(v)),
            StateValue::Tuple(v) => StateValue::Tuple(all(v)),
            StateValue::Dict(d) => StateValue::Dict(d.iter().map(|(k, v)| (k.clone(), v.deep_copy())).collect()),
            other => other.clone(),
        }
    }
}

impl fmt::Debug for StateValue {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StateValue::None => f.write_str("None"),
            StateValue::Bool(b) => f.write_str(if *b { "True" } else { "False" }),
            StateValue::Int(i) => write!(f, "{i}"),
            StateValue::Float(x) => f.write_str(&python_float(*x)),
            StateValue::Str(s) => write!(f, "'{s}'"),
            StateValue::Tensor(t) => write!(f, "{t:?}"),
            StateValue::List(v) => f.debug_list().entries(v).finish(),
            StateValue::Tuple(v) => {
                let items: Vec<String> = v.iter().map(|v| format!("{v:?}")).collect();
                write!(f, "({}{})", items.join(", "), if v.len() == 1 { "," } else { "" })
            }
            StateValue::Dict(d) => f.debug_map().entries(d.iter().map(|(k, v)| (k, v))).finish(),
        }
    }
}

/// A number as Python prints it: `0.001`, `1e-08`.
fn python_float(x: f64) -> String {
    let text = format!("{x:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => ('+', exponent),
            };
            format!("{}e{sign}{exponent:0>2}", digits.trim_end_matches(".0"))
        }
        None => text,
    }
}

/// What [`Optimizer::state_dict`](crate::Optimizer::state_dict) gives: PyTorch's `{"state": ..., "param_groups": [...]}`.
#[derive(Clone, Debug, Default)]
pub struct OptimizerState {
    /// For each parameter that has been updated its number and its state by name (`step`, `exp_avg`, ...). Parameters are numbered through
    /// all groups.
    pub state: Vec<(usize, Vec<(String, StateValue)>)>,
    /// For each group its options by name, and under `params` the numbers of its parameters.
    pub param_groups: Vec<Vec<(String, StateValue)>>,
}

impl OptimizerState {
    /// The whole as one tree.
    pub fn to_value(&self) -> StateValue {
        let named = |entries: &[(String, StateValue)]| StateValue::dict(entries.iter().cloned());
        let state = self.state.iter().map(|(i, s)| (StateValue::Int(*i as i64), named(s))).collect();
        let groups = self.param_groups.iter().map(|g| named(g)).collect();
        StateValue::dict([("state", StateValue::Dict(state)), ("param_groups", StateValue::List(groups))])
    }
    /// Reads a tree of that form.
    pub fn from_value(value: &StateValue) -> Result<OptimizerState, Error> {
        let bad = |what: &str| Error::new("load_state_dict", format!("the optimizer's state dict has {what}"));
        let named = |v: &StateValue| -> Option<Vec<(String, StateValue)>> {
            let StateValue::Dict(d) = v else { return None };
            d.iter()
                .map(|(k, v)| match k {
                    StateValue::Str(k) => Some((k.clone(), v.clone())),
                    _ => None,
                })
                .collect()
        };
        let Some(StateValue::Dict(states)) = value.get("state") else { return Err(bad("no dictionary 'state'")) };
        let groups = value.get("param_groups").and_then(StateValue::items);
        let Some(groups) = groups else { return Err(bad("no list 'param_groups'")) };
        let mut out = OptimizerState::default();
        for (key, value) in states {
            let index = match key {
                StateValue::Int(i) => usize::try_from(*i).ok(),
                _ => None,
            };
            let index = index.ok_or_else(|| bad("a key under 'state' that is no parameter's number"))?;
            out.state.push((index, named(value).ok_or_else(|| bad("a state that is no dictionary with text keys"))?));
        }
        for group in groups {
            out.param_groups.push(named(group).ok_or_else(|| bad("a group that is no dictionary with text keys"))?);
        }
        Ok(out)
    }
    /// The same with tensors of its own.
    pub fn deep_copy(&self) -> OptimizerState {
        let named = |v: &[(String, StateValue)]| v.iter().map(|(k, v)| (k.clone(), v.deep_copy())).collect();
        OptimizerState {
            state: self.state.iter().map(|(i, s)| (*i, named(s))).collect(),
            param_groups: self.param_groups.iter().map(|g| named(g)).collect(),
        }
    }
}

/// A value that a state dict can hold and give back.
pub trait Stored {
    /// As it is saved.
    fn save(&self) -> StateValue;
    /// Takes a saved value over; false, and nothing changes, if it is of another kind.
    fn load(&mut self, value: &StateValue) -> bool;
}

fn assign<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(v) => {
            *place = v;
            true
        }
        None => false,
    }
}

impl Stored for f64 {
    fn save(&self) -> StateValue {
        StateValue::Float(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number())
    }
}
impl Stored for i64 {
    fn save(&self) -> StateValue {
        StateValue::Int(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number().filter(|v| v.fract() == 0.0).map(|v| v as i64))
    }
}
impl Stored for bool {
    fn save(&self) -> StateValue {
        StateValue::Bool(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number().map(|v| v != 0.0))
    }
}
impl Stored for (f64, f64) {
    fn save(&self) -> StateValue {
        StateValue::Tuple(vec![self.0.save(), self.1.save()])
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let pair = match value.items() {
            Some([a, b]) => a.number().zip(b.number()),
            _ => None,
        };
        assign(self, pair)
    }
}
impl<T: Stored + Default> Stored for Vec<T> {
    fn save(&self) -> StateValue {
        StateValue::List(self.iter().map(Stored::save).collect())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let read = |v: &StateValue| {
            let mut item = T::default();
            item.load(v).then_some(item)
        };
        assign(self, value.items().and_then(|v| v.iter().map(read).collect()))
    }
}
impl<T: Stored + Default> Stored for Option<T> {
    fn save(&self) -> StateValue {
        self.as_ref().map_or(StateValue::None, Stored::save)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        if let StateValue::None = value {
            *self = None;
            return true;
        }
        let mut item = T::default();
        let ok = item.load(value);
        assign(self, ok.then_some(Some(item)))
    }
}
