//! Indexing and searching.

use crate::conformance::args::{Args, Operand, Res, Row, row, unsupported};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::{DType, Index, Tensor};

/// The places of an index expression.
pub fn places(a: &Args, v: &Value) -> Res<Vec<Index>> {
    match v {
        Value::Tuple(v) => v.iter().map(|v| place(a, v)).collect(),
        other => Ok(vec![place(a, other)?]),
    }
}

fn place(a: &Args, v: &Value) -> Res<Index> {
    Ok(match v {
        Value::Int(i) => Index::Int(*i as isize),
        Value::Bool(b) => Index::Bool(*b),
        Value::None => Index::NewAxis,
        Value::Ellipsis => Index::Ellipsis,
        Value::Slice(start, stop, step) => Index::Slice {
            start: start.map(|i| i as isize),
            stop: stop.map(|i| i as isize),
            step: step.unwrap_or(1) as isize,
        },
        Value::Tensor(_) => Index::Tensor(a.as_tensor("index", v)?),
        Value::List(items) => Index::Tensor(list(items)?),
        other => return unsupported(format!("the index {other:?}")),
    })
}

/// A list of integers or truth values (perhaps nested) as a tensor.
fn list(items: &[Value]) -> Res<Tensor> {
    if !items.is_empty() && items.iter().all(|v| matches!(v, Value::Bool(_))) {
        let v: Vec<bool> = items.iter().map(|v| *v == Value::Bool(true)).collect();
        return Ok(Tensor::from_slice(&v));
    }
    if items.iter().any(|v| matches!(v, Value::List(_))) {
        let rows: Vec<Tensor> = items
            .iter()
            .map(|v| match v {
                Value::List(v) => list(v),
                other => unsupported(format!("the index {other:?}")),
            })
            .collect::<Res<_>>()?;
        return Ok(cresset_tensor::stack(&rows, 0));
    }
    let v: Vec<i64> = items
        .iter()
        .map(|v| match v {
            Value::Int(i) => Ok(*i),
            other => unsupported(format!("the index {other:?}")),
        })
        .collect::<Res<_>>()?;
    Ok(Tensor::from_slice(&v))
}

/// A number or a tensor to be written.
pub fn value(a: &Args, name: &str) -> Res<cresset_tensor::Value> {
    Ok(match a.operand(name)? {
        Operand::Tensor(t) => t.into(),
        Operand::Scalar(s) => cresset_tensor::Value::Number(s),
    })
}

fn index_put(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let Some(Value::List(v) | Value::Tuple(v)) = a.raw("indices") else {
        return unsupported("index_put without indices");
    };
    let at: Vec<Index> = v.iter().map(|v| place(a, v)).collect::<Res<_>>()?;
    let values = a.tensor("values")?;
    let accumulate = a.bool_or("accumulate", false)?;
    Ok(if a.inplace() { x.index_put_(at, &values, accumulate) } else { x.index_put(at, &values, accumulate) }.into())
}

fn search(a: &Args, sorted: &Tensor, values: Operand) -> Res<Out> {
    let mut right = a.bool_or("right", false)?;
    if a.has("side") {
        right = a.text_or("side", "left")? == "right";
    }
    let values = match values {
        Operand::Tensor(t) => t,
        Operand::Scalar(s) => Tensor::scalar_of(s),
    };
    let found = sorted.searchsorted(&values, right);
    Ok(if a.bool_or("out_int32", false)? { found.to_dtype(DType::I32) } else { found }.into())
}

pub(super) const ROWS: &[Row] = &[
    row("__getitem__", "input index", |a| {
        let x = a.tensor("input")?;
        let Some(v) = a.raw("index") else { return unsupported("no index") };
        Ok(x.i(places(a, v)?).into())
    }),
    row("__setitem__", "input index value", |a| {
        let x = a.tensor("input")?;
        let Some(v) = a.raw("index") else { return unsupported("no index") };
        x.set_index(places(a, v)?, value(a, "value")?);
        Ok(Out::None)
    }),
    row("index_put", "input indices values accumulate", index_put),
    row("index_select", "input dim index", |a| {
        Ok(a.tensor("input")?.index_select(a.int("dim")?, &a.tensor("index")?).into())
    }),
    row("index_add", "input dim index source", |a| {
        let x = a.tensor("input")?;
        let (dim, index, source) = (a.int("dim")?, a.tensor("index")?, a.tensor("source")?);
        let alpha = a.opt_scalar("alpha")?.unwrap_or(1.into());
        Ok(if a.inplace() {
            x.index_add_(dim, &index, &source, alpha)
        } else {
            x.index_add(dim, &index, &source, alpha)
        }
        .into())
    }),
    row("index_copy", "input dim index source", |a| {
        let x = a.tensor("input")?;
        let (dim, index, source) = (a.int("dim")?, a.tensor("index")?, a.tensor("source")?);
        Ok(if a.inplace() { x.index_copy_(dim, &index, &source) } else { x.index_copy(dim, &index, &source) }.into())
    }),
    row("index_fill", "input dim index value", |a| {
        let x = a.tensor("input")?;
        let (dim, index, v) = (a.int("dim")?, a.tensor("index")?, value(a, "value")?);
        Ok(if a.inplace() { x.index_fill_(dim, &index, v) } else { x.index_fill(dim, &index, v) }.into())
    }),
    row("take", "input index", |a| Ok(a.tensor("input")?.take(&a.tensor("index")?).into())),
    row("put", "input index source accumulate", |a| {
        let accumulate = a.bool_or("accumulate", false)?;
        let (x, index, source) = (a.tensor("input")?, a.tensor("index")?, a.tensor("source")?);
        Ok(if a.inplace() { x.put_(&index, &source, accumulate) } else { x.put(&index, &source, accumulate) }.into())
    }),
    row("select_scatter", "input src dim index", |a| {
        Ok(a.tensor("input")?.select_scatter(&a.tensor("src")?, a.int("dim")?, a.int("index")?).into())
    }),
    row("slice_scatter", "input src dim start end step", |a| {
        let x = a.tensor("input")?;
        let dim = a.int_or("dim", 0)?;
        let (start, end) = (a.int_or("start", 0)?, a.int_or("end", isize::MAX)?);
        Ok(x.slice_scatter(&a.tensor("src")?, dim, start, end, a.int_or("step", 1)?).into())
    }),
    row("nonzero", "input", |a| {
        let x = a.tensor("input")?;
        Ok(if a.bool_or("as_tuple", false)? { x.nonzero_tuple().into() } else { x.nonzero().into() })
    }),
    row("argwhere", "input", |a| Ok(a.tensor("input")?.argwhere().into())),
    row("F.one_hot", "input num_classes", |a| {
        let n = a.int_or("num_classes", -1)?;
        Ok(a.tensor("input")?.one_hot((n >= 0).then_some(n as usize)).into())
    }),
    row("searchsorted", "sorted_sequence input", |a| {
        let mut sorted = a.tensor("sorted_sequence")?;
        if let Some(order) = a.opt_tensor("sorter")? {
            sorted = sorted.gather(-1, &order);
        }
        search(a, &sorted, a.operand("input")?)
    }),
    row("bucketize", "input boundaries", |a| {
        let boundaries = a.tensor("boundaries")?;
        let Operand::Tensor(x) = a.operand("input")? else { return unsupported("bucketize of a number") };
        let found = x.bucketize(&boundaries, a.bool_or("right", false)?);
        Ok(if a.bool_or("out_int32", false)? { found.to_dtype(DType::I32) } else { found }.into())
    }),
    row("bincount", "input weights minlength", |a| {
        let x = a.tensor("input")?;
        let n = a.usize_or("minlength", 0)?;
        Ok(match a.opt_tensor("weights")? {
            Some(w) => x.bincount_weighted(&w, n),
            None => x.bincount(n),
        }
        .into())
    }),
    row("histc", "input bins min max", |a| {
        let x = a.tensor("input")?;
        Ok(x.histc(a.usize_or("bins", 100)?, a.float_or("min", 0.0)?, a.float_or("max", 0.0)?).into())
    }),
    row("unravel_index", "indices shape", |a| Ok(a.tensor("indices")?.unravel_index(a.sizes("shape")?).into())),
    row("fill", "input value", |a| {
        let x = a.tensor("input")?;
        let v = value(a, "value")?;
        Ok(if a.inplace() { x.fill_(v) } else { x.fill(v) }.into())
    }),
    row("Tensor.zero_", "input", |a| Ok(a.tensor("input")?.zero_().into())),
    row("Tensor.copy_", "input src", |a| Ok(a.tensor("input")?.copy_(&a.tensor("src")?).into())),
];
