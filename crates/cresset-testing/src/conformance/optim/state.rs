//! Saved states: from golden trees, and compared with them.

use crate::golden::{Allowance, Container, Value, compare};
use cresset_optim::StateValue;
use serde_json::Value as Json;

/// A golden tree as a state of cresset.
pub fn to_state(file: &Container, value: &Value) -> Result<StateValue, String> {
    let all = |v: &[Value]| v.iter().map(|v| to_state(file, v)).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::None => StateValue::None,
        Value::Bool(b) => StateValue::Bool(*b),
        Value::Int(i) => StateValue::Int(*i),
        Value::Float(f) => StateValue::Float(*f),
        Value::Str(s) => StateValue::Str(s.clone()),
        Value::Tensor(r) => StateValue::Tensor(file.strided(&r.name, r.stride.as_deref())?),
        Value::List(v) => StateValue::List(all(v)?),
        Value::Tuple(v) => StateValue::Tuple(all(v)?),
        Value::Dict(d) => {
            let mut entries = Vec::new();
            for (k, v) in d {
                entries.push((StateValue::Str(k.clone()), to_state(file, v)?));
            }
            StateValue::Dict(entries)
        }
        Value::Pairs(d) => {
            let mut entries = Vec::new();
            for (k, v) in d {
                entries.push((to_state(file, k)?, to_state(file, v)?));
            }
            StateValue::Dict(entries)
        }
        other => return Err(format!("no state can hold {other:?}")),
    })
}

/// Is `got` the golden tree: the same keys in any order, the same kinds of values? `noise` maps names of tensors to how far they may be off.
pub fn same(file: &Container, got: &StateValue, want: &Value, noise: &Json, at: &str) -> Result<(), String> {
    let differ = || Err(format!("{at}: got {got:?}, want {want:?}"));
    match (got, want) {
        (_, Value::Other(json)) if json.get("opaque").is_some() => Ok(()),
        (StateValue::None, Value::None) => Ok(()),
        (StateValue::Bool(a), Value::Bool(b)) if a == b => Ok(()),
        (StateValue::Str(a), Value::Str(b)) if a == b => Ok(()),
        (StateValue::Int(_) | StateValue::Float(_), Value::Int(_) | Value::Float(_)) => {
            let want = match want {
                Value::Int(i) => *i as f64,
                Value::Float(f) => *f,
                _ => unreachable!("a number"),
            };
            let got = got.number().unwrap_or(f64::NAN);
            let close = (got - want).abs() <= 1e-12 * want.abs();
            if got == want || close || got.is_nan() && want.is_nan() { Ok(()) } else { differ() }
        }
        (StateValue::Tensor(t), Value::Tensor(r)) => match noise[&r.name].as_f64() {
            Some(n) if n < 0.0 => Ok(()),
            n => {
                compare(t, &file.tensor(&r.name)?, Allowance::noise(n.unwrap_or(0.0))).map_err(|e| format!("{at}: {e}"))
            }
        },
        (StateValue::List(a), Value::List(b)) | (StateValue::Tuple(a), Value::Tuple(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().try_for_each(|(i, (a, b))| same(file, a, b, noise, &format!("{at}[{i}]")))
        }
        (StateValue::Dict(a), Value::Dict(_) | Value::Pairs(_)) => {
            let b = pairs(want);
            let find = |key: &Value| {
                a.iter().find(|(k, _)| match (k, key) {
                    (StateValue::Str(k), Value::Str(key)) => k == key,
                    (StateValue::Int(k), Value::Int(key)) => k == key,
                    _ => false,
                })
            };
            for (key, value) in &b {
                let Some((_, got)) = find(key) else { return Err(format!("{at}: the key {key:?} is missing")) };
                same(file, got, value, noise, &format!("{at}.{key:?}"))?;
            }
            if a.len() == b.len() {
                Ok(())
            } else {
                Err(format!("{at}: got {} entries, want {}: {got:?}", a.len(), b.len()))
            }
        }
        _ => differ(),
    }
}

fn pairs(value: &Value) -> Vec<(Value, Value)> {
    match value {
        Value::Dict(d) => d.iter().map(|(k, v)| (Value::Str(k.clone()), v.clone())).collect(),
        Value::Pairs(d) => d.clone(),
        _ => Vec::new(),
    }
}
