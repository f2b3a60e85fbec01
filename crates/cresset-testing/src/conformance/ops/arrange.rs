//! Gathering and scattering, masks, padding, other orders, triangles.

use super::index::value;
use crate::conformance::args::{Args, Res, Row, row, unsupported};
use crate::conformance::out::Out;
use cresset_tensor::{Pad, Scalar, Tensor};

fn scatter(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let (dim, index) = (a.int("dim")?, a.tensor("index")?);
    let name = if a.has("value") { "value" } else { "src" };
    let source = value(a, name)?;
    if a.has("reduce") {
        let way = match a.text_or("reduce", "")? {
            "add" => "sum",
            "multiply" => "prod",
            other => return unsupported(format!("reduce={other}")),
        };
        let source = match source {
            cresset_tensor::Value::Tensor(t) => t,
            v => v.tensor(x.dtype()).broadcast_to(index.shape()),
        };
        return Ok(if a.inplace() {
            x.scatter_reduce_(dim, &index, &source, way, true)
        } else {
            x.scatter_reduce(dim, &index, &source, way, true)
        }
        .into());
    }
    Ok(if a.inplace() { x.scatter_(dim, &index, source) } else { x.scatter(dim, &index, source) }.into())
}

fn pad(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let pads = a.dims("pad")?;
    let value = a.opt_scalar("value")?.unwrap_or(Scalar::Int(0));
    let mode = match a.text_or("mode", "constant")? {
        "constant" => Pad::Constant(value),
        "reflect" => Pad::Reflect,
        "replicate" => Pad::Replicate,
        "circular" => Pad::Circular,
        other => return unsupported(format!("mode={other}")),
    };
    Ok(x.pad(pads, mode).into())
}

fn repeat_interleave(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let dim = a.opt_int("dim")?;
    a.opt_int("output_size")?;
    Ok(match a.raw("repeats") {
        Some(v @ crate::golden::Value::Tensor(_)) => x.repeat_interleave_each(&a.as_tensor("repeats", v)?, dim),
        _ => x.repeat_interleave(a.usize("repeats")?, dim),
    }
    .into())
}

pub(super) const ROWS: &[Row] = &[
    row("gather", "input dim index", |a| {
        a.only("sparse_grad", false)?;
        Ok(a.tensor("input")?.gather(a.int("dim")?, &a.tensor("index")?).into())
    }),
    row("take_along_dim", "input indices dim", |a| {
        let (x, index) = (a.tensor("input")?, a.tensor("indices")?);
        Ok(match a.opt_int("dim")? {
            Some(dim) => x.take_along_dim(&index, dim),
            None => x.reshape(-1).take_along_dim(&index.reshape(-1), 0),
        }
        .into())
    }),
    row("scatter", "input dim index src", scatter),
    row("scatter_add", "input dim index src", |a| {
        let x = a.tensor("input")?;
        let (dim, index, source) = (a.int("dim")?, a.tensor("index")?, a.tensor("src")?);
        Ok(if a.inplace() { x.scatter_add_(dim, &index, &source) } else { x.scatter_add(dim, &index, &source) }.into())
    }),
    row("scatter_reduce", "input dim index src reduce", |a| {
        let x = a.tensor("input")?;
        let (dim, index, source) = (a.int("dim")?, a.tensor("index")?, a.tensor("src")?);
        let (way, own) = (a.text_or("reduce", "")?, a.bool_or("include_self", true)?);
        Ok(if a.inplace() {
            x.scatter_reduce_(dim, &index, &source, way, own)
        } else {
            x.scatter_reduce(dim, &index, &source, way, own)
        }
        .into())
    }),
    row("masked_fill", "input mask value", |a| {
        let (x, mask, v) = (a.tensor("input")?, a.tensor("mask")?, value(a, "value")?);
        Ok(if a.inplace() { x.masked_fill_(&mask, v) } else { x.masked_fill(&mask, v) }.into())
    }),
    row("masked_select", "input mask", |a| Ok(a.tensor("input")?.masked_select(&a.tensor("mask")?).into())),
    row("masked_scatter", "input mask source", |a| {
        let (x, mask, source) = (a.tensor("input")?, a.tensor("mask")?, a.tensor("source")?);
        Ok(if a.inplace() { x.masked_scatter_(&mask, &source) } else { x.masked_scatter(&mask, &source) }.into())
    }),
    row("F.pad", "input pad mode value", pad),
    row("flip", "input *dims", |a| Ok(a.tensor("input")?.flip(a.rest_dims("dims")?).into())),
    row("fliplr", "input", |a| Ok(a.tensor("input")?.fliplr().into())),
    row("flipud", "input", |a| Ok(a.tensor("input")?.flipud().into())),
    row("roll", "input shifts dims", |a| {
        Ok(a.tensor("input")?.roll(a.dims("shifts")?, a.opt_dims("dims")?.unwrap_or_default()).into())
    }),
    row("rot90", "input k dims", |a| {
        let dims = a.opt_dims("dims")?.unwrap_or(vec![0, 1]);
        Ok(a.tensor("input")?.rot90(a.int_or("k", 1)?, dims).into())
    }),
    row("repeat", "input *repeats", |a| Ok(a.tensor("input")?.repeat(a.rest_dims("repeats")?).into())),
    row("tile", "input *dims", |a| Ok(a.tensor("input")?.tile(a.rest_dims("dims")?).into())),
    row("repeat_interleave", "input repeats dim", repeat_interleave),
    row("tril", "input diagonal", |a| {
        let (x, d) = (a.tensor("input")?, a.int_or("diagonal", 0)?);
        Ok(if a.inplace() { x.tril_(d) } else { x.tril(d) }.into())
    }),
    row("triu", "input diagonal", |a| {
        let (x, d) = (a.tensor("input")?, a.int_or("diagonal", 0)?);
        Ok(if a.inplace() { x.triu_(d) } else { x.triu(d) }.into())
    }),
    row("tril_indices", "row col offset", |a| {
        let dtype = a.factory()?;
        let t = Tensor::tril_indices(a.usize("row")?, a.usize("col")?, a.int_or("offset", 0)?);
        Ok(dtype.map_or(t.clone(), |d| t.to_dtype(d)).into())
    }),
    row("triu_indices", "row col offset", |a| {
        let dtype = a.factory()?;
        let t = Tensor::triu_indices(a.usize("row")?, a.usize("col")?, a.int_or("offset", 0)?);
        Ok(dtype.map_or(t.clone(), |d| t.to_dtype(d)).into())
    }),
];
