//! What is saved of an optimizer or a scheduler: plain trees of values in PyTorch's layout. Optimizers make them, files hold them.

use crate::error::Error;
use crate::python::Py;
use crate::tensor::Tensor;
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
            StateValue::Bool(b) => write!(f, "{}", Py(*b)),
            StateValue::Int(i) => write!(f, "{i}"),
            StateValue::Float(x) => write!(f, "{}", Py(*x)),
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

/// What an optimizer's `state_dict()` gives: PyTorch's `{"state": ..., "param_groups": [...]}`.
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
