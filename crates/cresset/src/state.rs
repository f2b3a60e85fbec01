//! Between what optimizers and schedulers hand out and what files hold.
//!
//! ```
//! use cresset::prelude::*;
//! use cresset::{io, state};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Linear::new(3, 1);
//! let optimizer = Adam::new(model.parameters(), 1e-3);
//! model.call(&Tensor::ones([2, 3])).sum().backward();
//! optimizer.step();
//! let path = std::env::temp_dir().join("cresset_state_example.pth");
//! let saved = io::Value::dict([
//!     ("model", model.state_dict().into()),
//!     ("optimizer", state::to_value(&optimizer.state_dict().to_value())),
//! ]);
//! save(saved, &path)?;
//!
//! let checkpoint = load(&path)?;
//! model.load_state_dict(&checkpoint["model"].state_dict()?, true)?;
//! optimizer.load_state_dict(&OptimizerState::from_value(&state::from_value(&checkpoint["optimizer"])?)?)?;
//! # std::fs::remove_file(path)?;
//! # Ok(()) }
//! ```

use cresset_io::{Dict, Error, Value};
use cresset_optim::StateValue;

/// How deep a saved state may be: those of optimizers and schedulers have a handful of levels, a file may hold anything.
const MOST_LEVELS: usize = 64;

/// The state of an optimizer or a scheduler as a file holds it. Tensors share their numbers with the state.
pub fn to_value(state: &StateValue) -> Value {
    match state {
        StateValue::None => Value::None,
        StateValue::Bool(b) => Value::Bool(*b),
        StateValue::Int(i) => Value::Int(*i),
        StateValue::Float(x) => Value::Float(*x),
        StateValue::Str(s) => Value::from(s),
        StateValue::Tensor(t) => Value::Tensor(t.clone()),
        StateValue::List(items) => Value::list(items.iter().map(to_value)),
        StateValue::Tuple(items) => Value::tuple(items.iter().map(to_value)),
        StateValue::Dict(entries) => {
            let mut dict = Dict::new();
            for (key, value) in entries {
                dict.insert(to_value(key), to_value(value));
            }
            Value::Dict(dict)
        }
    }
}

/// The state of an optimizer or a scheduler from what a file held.
///
/// # Errors
/// If it has something that no state has: bytes, sets, integers of more than 64 bits, or hundreds of levels.
pub fn from_value(value: &Value) -> Result<StateValue, Error> {
    within(value, MOST_LEVELS)
}

fn within(value: &Value, levels: usize) -> Result<StateValue, Error> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(Error::new(format!("a saved state has more than {MOST_LEVELS} levels")));
    };
    let all = |items: &[Value]| items.iter().map(|v| within(v, levels)).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::None => StateValue::None,
        Value::Bool(b) => StateValue::Bool(*b),
        Value::Int(i) => StateValue::Int(*i),
        Value::Float(x) => StateValue::Float(*x),
        Value::Str(s) => StateValue::Str(s.to_string()),
        Value::Tensor(t) | Value::Parameter(t) => StateValue::Tensor(t.clone()),
        Value::List(items) => StateValue::List(all(items)?),
        Value::Tuple(items) => StateValue::Tuple(all(items)?),
        Value::Dict(dict) => {
            let entry = |(k, v): (&Value, &Value)| Ok((within(k, levels)?, within(v, levels)?));
            StateValue::Dict(dict.iter().map(entry).collect::<Result<_, Error>>()?)
        }
        Value::Missing(why) => return Err(Error::new(why.to_string())),
        other => return Err(Error::new(format!("a saved state cannot hold {}", other.kind()))),
    })
}
