//! What a call gives, and its comparison with the recorded result.

use crate::golden::{Allowance, Inputs, Value, compare, compare_number};
use cresset_tensor::{DType, Dims, Scalar, Tensor};

/// The result of a call.
#[derive(Clone, Debug)]
pub enum Out {
    /// Nothing.
    None,
    /// A tensor.
    Tensor(Tensor),
    /// A list or tuple.
    Many(Vec<Out>),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// A shape.
    Size(Vec<usize>),
    /// A packed sequence: data, batch sizes, sorted and unsorted indices.
    Packed(Box<[Out; 4]>),
}

impl From<Tensor> for Out {
    fn from(t: Tensor) -> Out {
        Out::Tensor(t)
    }
}
impl From<Vec<Tensor>> for Out {
    fn from(v: Vec<Tensor>) -> Out {
        Out::Many(v.into_iter().map(Out::Tensor).collect())
    }
}
impl<const N: usize> From<[Tensor; N]> for Out {
    fn from(v: [Tensor; N]) -> Out {
        Out::Many(v.into_iter().map(Out::Tensor).collect())
    }
}
impl From<(Tensor, Tensor)> for Out {
    fn from((a, b): (Tensor, Tensor)) -> Out {
        Out::from([a, b])
    }
}
impl From<(Tensor, Tensor, Tensor)> for Out {
    fn from((a, b, c): (Tensor, Tensor, Tensor)) -> Out {
        Out::from([a, b, c])
    }
}
impl From<Option<Tensor>> for Out {
    fn from(t: Option<Tensor>) -> Out {
        t.map_or(Out::None, Out::Tensor)
    }
}
impl From<bool> for Out {
    fn from(b: bool) -> Out {
        Out::Bool(b)
    }
}
impl From<i64> for Out {
    fn from(i: i64) -> Out {
        Out::Int(i)
    }
}
impl From<f64> for Out {
    fn from(f: f64) -> Out {
        Out::Float(f)
    }
}
impl From<Dims> for Out {
    fn from(d: Dims) -> Out {
        Out::Size(d.to_vec())
    }
}
impl From<Scalar> for Out {
    fn from(s: Scalar) -> Out {
        match s {
            Scalar::Bool(b) => Out::Bool(b),
            Scalar::Int(i) => Out::Int(i),
            Scalar::Float(f) => Out::Float(f),
        }
    }
}

impl Out {
    /// The tensors in it, in order; a packed sequence counts as its data.
    pub fn tensors(&self) -> Vec<Tensor> {
        match self {
            Out::Tensor(t) => vec![t.clone()],
            Out::Many(v) => v.iter().flat_map(Out::tensors).collect(),
            Out::Packed(parts) => parts[0].tensors(),
            _ => Vec::new(),
        }
    }
}

/// How results are compared within a case.
pub struct Rules<'a> {
    /// The tensors of the case.
    pub inputs: &'a Inputs<'a>,
    /// The tolerance.
    pub allowance: Allowance,
    /// Do strides matter even without an alias?
    pub layout: bool,
    /// May integer results (indices) differ?
    pub free_indices: bool,
    /// Compare only dtype and shape.
    pub shapes_only: bool,
    /// Must `requires_grad` agree?
    pub grad: bool,
    /// Must a result without alias have memory of its own?
    pub own_memory: bool,
}

impl Rules<'_> {
    /// Is `got` what was wanted?
    pub fn check(&self, got: &Out, want: &Value) -> Result<(), String> {
        match (got, want) {
            (Out::None, Value::None) => Ok(()),
            (Out::Tensor(g), Value::Tensor(_)) => self.check_tensor(g, want),
            (Out::Tensor(g), Value::Empty(dtype, shape)) => {
                if g.dtype() == *dtype && g.shape() == *shape {
                    Ok(())
                } else {
                    Err(format!("got {:?}, want {}{shape:?}", g.meta(), dtype.name()))
                }
            }
            (Out::Many(g), Value::List(w) | Value::Tuple(w)) => {
                if g.len() != w.len() {
                    return Err(format!("got {} results, want {}", g.len(), w.len()));
                }
                for (i, (g, w)) in g.iter().zip(w).enumerate() {
                    self.check(g, w).map_err(|e| format!("[{i}] {e}"))?;
                }
                Ok(())
            }
            (Out::Packed(g), Value::Packed(w)) => {
                for (i, (g, w)) in g.iter().zip(w.iter()).enumerate() {
                    self.check(g, w).map_err(|e| format!("packed part {i}: {e}"))?;
                }
                Ok(())
            }
            (Out::Bool(g), Value::Bool(w)) if g == w => Ok(()),
            (Out::Int(g), Value::Int(w)) if g == w => Ok(()),
            (Out::Text(g), Value::Str(w)) if g == w => Ok(()),
            (Out::Size(g), Value::Size(w)) if g == w => Ok(()),
            (Out::Size(g), Value::Tuple(w) | Value::List(w))
                if *w == g.iter().map(|&n| Value::Int(n as i64)).collect::<Vec<_>>() =>
            {
                Ok(())
            }
            (Out::Float(g), Value::Float(w)) => compare_number(*g, *w, DType::F64, self.allowance),
            (Out::Many(g), Value::Size(w)) if g.len() == w.len() => {
                let same = g.iter().zip(w).all(|(g, w)| matches!(g, Out::Int(i) if *i == *w as i64));
                if same { Ok(()) } else { Err(format!("got {g:?}, want {w:?}")) }
            }
            _ => Err(format!("got {}, want {want:?}", short(got))),
        }
    }

    fn check_tensor(&self, got: &Tensor, want: &Value) -> Result<(), String> {
        let Value::Tensor(r) = want else { return Err(format!("got a tensor, want {want:?}")) };
        let wanted = self.inputs.file.tensor(&r.name)?;
        let loose = self.shapes_only || self.free_indices && !wanted.is_floating_point();
        if loose {
            if got.meta() != wanted.meta() {
                return Err(format!("got {:?}, want {:?}", got.meta(), wanted.meta()));
            }
        } else {
            compare(got, &wanted, self.allowance)?;
        }
        if self.grad && got.requires_grad() != r.grad {
            return Err(format!("requires_grad: got {}, want {}", got.requires_grad(), r.grad));
        }
        if let Some(alias) = &r.alias {
            let base = self.inputs.named(alias).ok_or_else(|| format!("no input {alias}"))?;
            if !got.shares_memory(&base) {
                return Err(format!("must be a view of {alias}, but has memory of its own"));
            }
        } else if self.own_memory && got.numel() > 0 {
            for (name, input) in self.inputs.all() {
                if got.shares_memory(&input) {
                    return Err(format!("shares the memory of {name}, but must have its own"));
                }
            }
        }
        if (self.layout || r.alias.is_some()) && wanted.numel() > 0 {
            let strides = r.stride.clone().unwrap_or_else(|| wanted.stride().to_vec());
            let (have, shape) = (got.stride(), wanted.shape());
            if (0..shape.len()).any(|d| shape[d] > 1 && have[d] != strides[d]) {
                return Err(format!("strides: got {have:?}, want {strides:?} (shape {shape:?})"));
            }
        }
        Ok(())
    }
}

fn short(out: &Out) -> String {
    let mut text = format!("{out:?}");
    text.truncate(text.char_indices().nth(200).map_or(text.len(), |(i, _)| i));
    text
}
