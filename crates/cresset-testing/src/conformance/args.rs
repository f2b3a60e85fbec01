//! The arguments of a recorded call, read by PyTorch's names. An argument that nobody reads is not ignored: the call counts as unsupported.

use super::out::Out;
use crate::golden::{Inputs, Spec, Value};
use cresset_tensor::{DType, MemoryFormat, Scalar, Tensor};
use std::cell::{Cell, RefCell};

/// Why a call was not made.
#[derive(Debug)]
pub enum Stop {
    /// cresset does not have it.
    Unsupported(String),
    /// The typed interface cannot even express it: a number where a tensor is asked, a negative size.
    Inexpressible(String),
}

/// What a handler gives.
pub type Res<T> = Result<T, Stop>;

/// Stops: cresset does not have `what`.
pub fn unsupported<T>(what: impl Into<String>) -> Res<T> {
    Err(Stop::Unsupported(what.into()))
}

fn inexpressible<T>(name: &str, want: &str, got: &Value) -> Res<T> {
    Err(Stop::Inexpressible(format!("{name} must be {want}, got {got:?}")))
}

/// The second operand of a binary operation.
pub enum Operand {
    /// A tensor.
    Tensor(Tensor),
    /// A plain number.
    Scalar(Scalar),
}

/// The arguments of a call.
pub struct Args<'a> {
    names: Vec<&'static str>,
    positional: &'a [Value],
    keywords: &'a [(String, Value)],
    inputs: &'a Inputs<'a>,
    used: RefCell<Vec<bool>>,
    inplace: bool,
    asked_inplace: Cell<bool>,
}

impl<'a> Args<'a> {
    /// The arguments of a call whose parameters are `signature`: names in order, a last one with a star takes all further ones.
    pub fn new(
        signature: &'static str,
        positional: &'a [Value],
        keywords: &'a [(String, Value)],
        inputs: &'a Inputs<'a>,
        inplace: bool,
    ) -> Args<'a> {
        Args {
            names: signature.split_whitespace().collect(),
            positional,
            keywords,
            inputs,
            used: RefCell::new(vec![false; positional.len() + keywords.len()]),
            inplace,
            asked_inplace: Cell::new(false),
        }
    }

    /// Is the in-place variant wanted? A handler that does not ask has none.
    pub fn inplace(&self) -> bool {
        self.asked_inplace.set(true);
        self.inplace || self.raw("inplace").is_some_and(|v| *v == Value::Bool(true))
    }

    /// What remained unread.
    pub fn unread(&self) -> Option<String> {
        if self.inplace && !self.asked_inplace.get() {
            return Some("no in-place variant".into());
        }
        let used = self.used.borrow();
        let i = used.iter().position(|u| !u)?;
        Some(match i.checked_sub(self.positional.len()) {
            None => format!("argument {i} ({:?})", self.positional[i]),
            Some(k) => format!("argument {}={:?}", self.keywords[k].0, self.keywords[k].1),
        })
    }

    /// The argument as it is written, if it was given (`None` counts as given).
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        let at = self.names.iter().position(|n| n.trim_start_matches('*') == name);
        if let Some(at) = at
            && at < self.positional.len()
        {
            self.used.borrow_mut()[at] = true;
            return Some(&self.positional[at]);
        }
        let k = self.keywords.iter().position(|(k, _)| k == name || name == "input" && k == "self")?;
        self.used.borrow_mut()[self.positional.len() + k] = true;
        Some(&self.keywords[k].1)
    }

    /// All positional arguments from that of `name` on.
    pub fn rest(&self, name: &str) -> &'a [Value] {
        let at = self.names.iter().position(|n| n.trim_start_matches('*') == name).unwrap_or(0);
        let at = at.min(self.positional.len());
        self.used.borrow_mut()[at..self.positional.len()].fill(true);
        &self.positional[at..]
    }

    /// How many positional arguments there are.
    pub fn count(&self) -> usize {
        self.positional.len()
    }

    /// Was it given, and not as `None`?
    pub fn has(&self, name: &str) -> bool {
        let used = self.used.borrow().clone();
        let has = self.given(name).is_some();
        *self.used.borrow_mut() = used;
        has
    }

    fn given(&self, name: &str) -> Option<&'a Value> {
        self.raw(name).filter(|v| **v != Value::None)
    }
    fn need(&self, name: &str) -> Res<&'a Value> {
        match self.raw(name) {
            Some(v) => Ok(v),
            None => Err(Stop::Inexpressible(format!("the argument {name} is missing"))),
        }
    }

    // ---- tensors

    /// A tensor from a value.
    pub fn as_tensor(&self, name: &str, v: &Value) -> Res<Tensor> {
        match v {
            Value::Tensor(r) => self.inputs.get(r).map_err(Stop::Unsupported),
            other => inexpressible(name, "a tensor", other),
        }
    }
    /// A tensor.
    pub fn tensor(&self, name: &str) -> Res<Tensor> {
        self.as_tensor(name, self.need(name)?)
    }
    /// A tensor or nothing.
    pub fn opt_tensor(&self, name: &str) -> Res<Option<Tensor>> {
        self.given(name).map(|v| self.as_tensor(name, v)).transpose()
    }
    /// A list of tensors.
    pub fn tensors(&self, name: &str) -> Res<Vec<Tensor>> {
        match self.need(name)? {
            Value::List(v) | Value::Tuple(v) => v.iter().map(|v| self.as_tensor(name, v)).collect(),
            other => inexpressible(name, "a list of tensors", other),
        }
    }
    /// All positional arguments from `name` on as tensors; one list of tensors counts as its items.
    pub fn rest_tensors(&self, name: &str) -> Res<Vec<Tensor>> {
        match self.rest(name) {
            [Value::List(v) | Value::Tuple(v)] => v.iter().map(|v| self.as_tensor(name, v)).collect(),
            v => v.iter().map(|v| self.as_tensor(name, v)).collect(),
        }
    }
    /// A tensor or a number.
    pub fn operand(&self, name: &str) -> Res<Operand> {
        match self.need(name)? {
            Value::Tensor(r) => Ok(Operand::Tensor(self.inputs.get(r).map_err(Stop::Unsupported)?)),
            v => Ok(Operand::Scalar(as_scalar(name, v)?)),
        }
    }

    // ---- numbers

    /// A number.
    pub fn scalar(&self, name: &str) -> Res<Scalar> {
        as_scalar(name, self.need(name)?)
    }
    /// A number or nothing.
    pub fn opt_scalar(&self, name: &str) -> Res<Option<Scalar>> {
        self.given(name).map(|v| as_scalar(name, v)).transpose()
    }
    /// A number as f64.
    pub fn float(&self, name: &str) -> Res<f64> {
        Ok(self.scalar(name)?.f64())
    }
    /// A number as f64 or `default`.
    pub fn float_or(&self, name: &str, default: f64) -> Res<f64> {
        Ok(self.opt_scalar(name)?.map_or(default, Scalar::f64))
    }
    /// An integer; a tensor of one integer counts.
    pub fn int(&self, name: &str) -> Res<isize> {
        self.as_int(name, self.need(name)?)
    }
    fn as_int(&self, name: &str, v: &Value) -> Res<isize> {
        match v {
            Value::Int(i) => Ok(*i as isize),
            Value::Bool(b) => Ok(*b as isize),
            Value::Tensor(_) => {
                let t = self.as_tensor(name, v)?;
                if t.dim() > 0 || !t.dtype().is_integer() {
                    return inexpressible(name, "an integer", v);
                }
                Ok(t.item::<i64>() as isize)
            }
            other => inexpressible(name, "an integer", other),
        }
    }
    /// An integer or nothing.
    pub fn opt_int(&self, name: &str) -> Res<Option<isize>> {
        self.given(name).map(|v| self.as_int(name, v)).transpose()
    }
    /// An integer or `default`.
    pub fn int_or(&self, name: &str, default: isize) -> Res<isize> {
        Ok(self.opt_int(name)?.unwrap_or(default))
    }
    /// A non-negative integer.
    pub fn usize(&self, name: &str) -> Res<usize> {
        let v = self.int(name)?;
        usize::try_from(v).map_err(|_| Stop::Inexpressible(format!("{name}={v} is negative")))
    }
    /// A non-negative integer or `default`.
    pub fn usize_or(&self, name: &str, default: usize) -> Res<usize> {
        if self.given(name).is_some() { self.usize(name) } else { Ok(default) }
    }

    // ---- dims and sizes

    /// Integers from a value: one, or a list.
    pub fn as_dims(&self, name: &str, v: &Value) -> Res<Vec<isize>> {
        match v {
            Value::Int(_) | Value::Bool(_) => Ok(vec![self.as_int(name, v)?]),
            Value::List(v) | Value::Tuple(v) => v.iter().map(|v| self.as_int(name, v)).collect(),
            Value::Size(v) => Ok(v.iter().map(|&n| n as isize).collect()),
            other => inexpressible(name, "integers", other),
        }
    }
    /// One or several integers that may be negative.
    pub fn dims(&self, name: &str) -> Res<Vec<isize>> {
        self.as_dims(name, self.need(name)?)
    }
    /// The same or nothing.
    pub fn opt_dims(&self, name: &str) -> Res<Option<Vec<isize>>> {
        self.given(name).map(|v| self.as_dims(name, v)).transpose()
    }
    /// Several integers, given as one list or one by one.
    pub fn rest_dims(&self, name: &str) -> Res<Vec<isize>> {
        match self.rest(name) {
            [] => self.dims(name),
            [one] => self.as_dims(name, one),
            v => v.iter().map(|v| self.as_int(name, v)).collect(),
        }
    }
    /// Sizes: non-negative integers.
    pub fn sizes(&self, name: &str) -> Res<Vec<usize>> {
        to_sizes(name, self.dims(name)?)
    }
    /// The same or nothing.
    pub fn opt_sizes(&self, name: &str) -> Res<Option<Vec<usize>>> {
        self.opt_dims(name)?.map(|d| to_sizes(name, d)).transpose()
    }
    /// Sizes, given as one list or one by one.
    pub fn rest_sizes(&self, name: &str) -> Res<Vec<usize>> {
        to_sizes(name, self.rest_dims(name)?)
    }

    // ---- the rest

    /// A truth value or `default`.
    pub fn bool_or(&self, name: &str, default: bool) -> Res<bool> {
        match self.given(name) {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(*b),
            Some(Value::Int(i)) => Ok(*i != 0),
            Some(other) => inexpressible(name, "a truth value", other),
        }
    }
    /// A truth value or nothing.
    pub fn opt_bool(&self, name: &str) -> Res<Option<bool>> {
        self.given(name).map(|_| self.bool_or(name, false)).transpose()
    }
    /// A text or `default`.
    pub fn text_or(&self, name: &str, default: &'a str) -> Res<&'a str> {
        match self.given(name) {
            None => Ok(default),
            Some(Value::Str(s)) => Ok(s),
            Some(other) => inexpressible(name, "a text", other),
        }
    }
    /// A dtype or nothing.
    pub fn dtype(&self) -> Res<Option<DType>> {
        match self.given("dtype") {
            None => Ok(None),
            Some(Value::DType(d)) => Ok(Some(*d)),
            Some(other) => inexpressible("dtype", "a dtype", other),
        }
    }
    /// The dtype of a new tensor; the arguments that all makers of tensors share are read.
    pub fn factory(&self) -> Res<Option<DType>> {
        self.device()?;
        match self.given("layout") {
            None => {}
            Some(Value::Layout(l)) if l == "strided" => {}
            Some(other) => return unsupported(format!("layout {other:?}")),
        }
        self.only("requires_grad", false)?;
        self.only("pin_memory", false)?;
        self.dtype()
    }
    /// The device, which can only be the CPU.
    pub fn device(&self) -> Res<()> {
        match self.given("device") {
            None => Ok(()),
            Some(Value::Device(d) | Value::Str(d)) if d == "cpu" => Ok(()),
            Some(other) => unsupported(format!("device {other:?}")),
        }
    }
    /// A flag that cresset has only in one position.
    pub fn only(&self, name: &str, value: bool) -> Res<()> {
        if self.bool_or(name, value)? == value { Ok(()) } else { unsupported(format!("{name}={}", !value)) }
    }
    /// A memory format; `None` is that of the input.
    pub fn memory_format(&self) -> Res<Option<MemoryFormat>> {
        match self.given("memory_format") {
            None => Ok(None),
            Some(Value::MemoryFormat(m)) => match m.as_str() {
                "preserve_format" => Ok(None),
                "contiguous_format" => Ok(Some(MemoryFormat::Contiguous)),
                "channels_last" => Ok(Some(MemoryFormat::ChannelsLast)),
                "channels_last_3d" => Ok(Some(MemoryFormat::ChannelsLast3d)),
                other => unsupported(format!("the memory format {other}")),
            },
            Some(other) => unsupported(format!("{other:?}")),
        }
    }
    /// A new tensor in the memory format that is asked for.
    pub fn formatted(&self, t: Tensor) -> Res<Tensor> {
        Ok(match self.memory_format()? {
            None | Some(MemoryFormat::Contiguous) => t,
            Some(format) => t.contiguous_in(format),
        })
    }
    /// A module or nothing.
    pub fn opt_module(&self, name: &str) -> Res<Option<&'a Spec>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Module(spec)) => Ok(Some(spec)),
            Some(other) => unsupported(format!("{name}={other:?}")),
        }
    }
    /// The tensors of the case.
    pub fn inputs(&self) -> &'a Inputs<'a> {
        self.inputs
    }
}

fn to_sizes(name: &str, dims: Vec<isize>) -> Res<Vec<usize>> {
    dims.into_iter()
        .map(|d| usize::try_from(d).map_err(|_| Stop::Inexpressible(format!("{name} has the negative size {d}"))))
        .collect()
}

fn as_scalar(name: &str, v: &Value) -> Res<Scalar> {
    match v {
        Value::Bool(b) => Ok(Scalar::Bool(*b)),
        Value::Int(i) => Ok(Scalar::Int(*i)),
        Value::Float(f) => Ok(Scalar::Float(*f)),
        other => inexpressible(name, "a number", other),
    }
}

/// What calls an op.
pub type Handler = fn(&Args) -> Res<Out>;

/// One op that the runner can call.
pub struct Row {
    /// The last part of PyTorch's name, with `F.`, `linalg.` or `Tensor.` in front where it is needed to tell it apart.
    pub name: &'static str,
    /// The parameters' names in order.
    pub signature: &'static str,
    /// The call.
    pub call: Handler,
}

/// A row of the registry.
pub const fn row(name: &'static str, signature: &'static str, call: Handler) -> Row {
    Row { name, signature, call }
}
