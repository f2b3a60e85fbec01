//! A short text of a value, however large or deep it is.

use super::{Dict, Value};
use std::fmt;

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        show(self, f, 6, &mut 200)
    }
}
impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        show(&Value::Dict(self.clone()), f, 6, &mut 200)
    }
}

/// Down to `depth` levels and `budget` values.
fn show(value: &Value, f: &mut fmt::Formatter, depth: usize, budget: &mut usize) -> fmt::Result {
    if *budget == 0 || depth == 0 {
        return f.write_str("...");
    }
    *budget -= 1;
    let mut items = |open: &str, items: &[Value], close: &str| {
        f.write_str(open)?;
        for (i, v) in items.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            show(v, f, depth - 1, budget)?;
            if *budget == 0 {
                break;
            }
        }
        f.write_str(close)
    };
    match value {
        Value::None => f.write_str("None"),
        Value::Bool(b) => f.write_str(if *b { "True" } else { "False" }),
        Value::Int(i) => write!(f, "{i}"),
        Value::BigInt(i) => write!(f, "{i}"),
        Value::Float(x) => write!(f, "{x:?}"),
        Value::Str(s) => short(f, s),
        Value::Bytes(b) => write!(f, "<{} bytes>", b.len()),
        Value::List(i) => items("[", i, "]"),
        Value::Tuple(i) => items("(", i, if i.len() == 1 { ",)" } else { ")" }),
        Value::Set(i) => items("{", i, "}"),
        Value::Dict(d) => {
            f.write_str(if d.is_ordered() { "OrderedDict({" } else { "{" })?;
            for (i, (k, v)) in d.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                show(k, f, depth - 1, budget)?;
                f.write_str(": ")?;
                show(v, f, depth - 1, budget)?;
                if *budget == 0 {
                    break;
                }
            }
            f.write_str(if d.is_ordered() { "})" } else { "}" })
        }
        Value::Tensor(t) => write!(f, "{t:?}"),
        Value::Parameter(t) => write!(f, "Parameter({t:?})"),
        Value::Size(s) => write!(f, "torch.Size({s:?})"),
        Value::DType(d) => write!(f, "{d}"),
        Value::Device(d) => write!(f, "device({d:?})"),
        Value::Missing(why) => write!(f, "<{why}>"),
    }
}

fn short(f: &mut fmt::Formatter, s: &str) -> fmt::Result {
    match s.char_indices().nth(60) {
        Some((end, _)) => write!(f, "{:?}...", &s[..end]),
        None => write!(f, "{s:?}"),
    }
}
