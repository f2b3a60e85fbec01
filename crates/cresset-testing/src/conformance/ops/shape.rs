//! Views, joins and splits.

use crate::conformance::args::{Args, Res, Row, row, unsupported};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::{DType, MemoryFormat, Tensor};

/// `size` or `shape`, with -1 allowed.
fn target(a: &Args) -> Res<Vec<isize>> {
    a.rest_dims("shape")
}

fn split(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let dim = a.int_or("dim", 0)?;
    Ok(match a.raw("split_size") {
        Some(Value::List(_) | Value::Tuple(_) | Value::Size(_)) => x.split_with_sizes(a.dims("split_size")?, dim),
        _ => x.split(a.usize("split_size")?, dim),
    }
    .into())
}

/// `indices_or_sections` of `tensor_split` and its kin.
enum Cuts {
    Sections(usize),
    At(Vec<isize>),
}
fn cuts(a: &Args, x: &Tensor) -> Res<Cuts> {
    let _ = x;
    for name in ["indices_or_sections", "sections", "indices"] {
        match a.raw(name) {
            None => {}
            Some(v @ (Value::List(_) | Value::Tuple(_))) => return Ok(Cuts::At(a.as_dims(name, v)?)),
            Some(v @ Value::Tensor(_)) => {
                let t = a.as_tensor(name, v)?;
                let v: Vec<isize> = crate::golden::compare::integers(&t).iter().map(|&i| i as isize).collect();
                return Ok(if t.dim() == 0 { Cuts::Sections(v[0] as usize) } else { Cuts::At(v) });
            }
            Some(_) => return Ok(Cuts::Sections(a.usize(name)?)),
        }
    }
    unsupported("a split without sections")
}

/// A conversion that is a method of its own in PyTorch.
fn convert(a: &Args, dtype: DType) -> Res<Out> {
    let x = a.tensor("input")?;
    Ok(a.formatted(x.to_dtype(dtype))?.into())
}

fn to(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let mut dtype = None;
    let mut copy = a.bool_or("copy", false)?;
    a.bool_or("non_blocking", false)?;
    let mut flags = Vec::new();
    for v in &a.rest("input")[1.min(a.count())..] {
        match v {
            Value::Str(d) | Value::Device(d) if d == "cpu" => {}
            Value::DType(d) => dtype = Some(*d),
            Value::Bool(b) => flags.push(*b),
            Value::Tensor(_) => dtype = Some(a.as_tensor("other", v)?.dtype()),
            other => return unsupported(format!("to({other:?})")),
        }
    }
    if let Some(d) = a.dtype()? {
        dtype = Some(d);
    }
    if let Some(c) = flags.get(1) {
        copy = *c;
    }
    let y = x.to_dtype(dtype.unwrap_or(x.dtype()));
    let y = a.formatted(y)?;
    Ok(if copy && y.is_same(&x) { x.duplicate() } else { y }.into())
}

pub(super) const ROWS: &[Row] = &[
    row("reshape", "input *shape", |a| Ok(a.tensor("input")?.reshape(target(a)?).into())),
    row("view", "input *shape", |a| Ok(a.tensor("input")?.view(target(a)?).into())),
    row("view_as", "input other", |a| Ok(a.tensor("input")?.view_as(&a.tensor("other")?).into())),
    row("reshape_as", "input other", |a| Ok(a.tensor("input")?.reshape_as(&a.tensor("other")?).into())),
    row("ravel", "input", |a| Ok(a.tensor("input")?.ravel().into())),
    row("flatten", "input start_dim end_dim", |a| {
        Ok(a.tensor("input")?.flatten(a.int_or("start_dim", 0)?, a.int_or("end_dim", -1)?).into())
    }),
    row("unflatten", "input dim sizes", |a| Ok(a.tensor("input")?.unflatten(a.int("dim")?, a.dims("sizes")?).into())),
    row("squeeze", "input dim", |a| {
        let x = a.tensor("input")?;
        Ok(match (a.opt_dims("dim")?, a.inplace()) {
            (Some(d), false) => x.squeeze_dim(d),
            (None, false) => x.squeeze(),
            (Some(d), true) => x.squeeze_dim_(d),
            (None, true) => x.squeeze_(),
        }
        .into())
    }),
    row("unsqueeze", "input dim", |a| {
        let (x, dim) = (a.tensor("input")?, a.int("dim")?);
        Ok(if a.inplace() { x.unsqueeze_(dim) } else { x.unsqueeze(dim) }.into())
    }),
    row("expand", "input *shape", |a| Ok(a.tensor("input")?.expand(target(a)?).into())),
    row("expand_as", "input other", |a| Ok(a.tensor("input")?.expand_as(&a.tensor("other")?).into())),
    row("broadcast_to", "input shape", |a| Ok(a.tensor("input")?.expand(a.dims("shape")?).into())),
    row("permute", "input *dims", |a| Ok(a.tensor("input")?.permute(a.rest_dims("dims")?).into())),
    row("transpose", "input dim0 dim1", |a| {
        let (x, p, q) = (a.tensor("input")?, a.int("dim0")?, a.int("dim1")?);
        Ok(if a.inplace() { x.transpose_(p, q) } else { x.transpose(p, q) }.into())
    }),
    row("swapaxes", "input axis0 axis1", |a| {
        let (x, p, q) = (a.tensor("input")?, a.int("axis0")?, a.int("axis1")?);
        Ok(if a.inplace() { x.transpose_(p, q) } else { x.swapaxes(p, q) }.into())
    }),
    row("swapdims", "input dim0 dim1", |a| {
        let (x, p, q) = (a.tensor("input")?, a.int("dim0")?, a.int("dim1")?);
        Ok(if a.inplace() { x.transpose_(p, q) } else { x.swapdims(p, q) }.into())
    }),
    row("t", "input", |a| {
        let x = a.tensor("input")?;
        Ok(if a.inplace() { x.t_() } else { x.t() }.into())
    }),
    row("T", "input", |a| Ok(a.tensor("input")?.T().into())),
    row("mT", "input", |a| Ok(a.tensor("input")?.mT().into())),
    row("movedim", "input source destination", |a| {
        Ok(a.tensor("input")?.movedim(a.dims("source")?, a.dims("destination")?).into())
    }),
    row("moveaxis", "input source destination", |a| {
        Ok(a.tensor("input")?.moveaxis(a.dims("source")?, a.dims("destination")?).into())
    }),
    row("atleast_1d", "*input", |a| at_least(a, Tensor::atleast_1d)),
    row("atleast_2d", "*input", |a| at_least(a, Tensor::atleast_2d)),
    row("atleast_3d", "*input", |a| at_least(a, Tensor::atleast_3d)),
    row("narrow", "input dim start length", |a| {
        Ok(a.tensor("input")?.narrow(a.int("dim")?, a.int("start")?, a.usize("length")?).into())
    }),
    row("select", "input dim index", |a| Ok(a.tensor("input")?.select(a.int("dim")?, a.int("index")?).into())),
    row("diagonal", "input offset dim1 dim2", |a| {
        let x = a.tensor("input")?;
        Ok(x.diagonal_dim(a.int_or("offset", 0)?, a.int_or("dim1", 0)?, a.int_or("dim2", 1)?).into())
    }),
    row("diag_embed", "input offset dim1 dim2", |a| {
        let x = a.tensor("input")?;
        Ok(x.diag_embed_dim(a.int_or("offset", 0)?, a.int_or("dim1", -2)?, a.int_or("dim2", -1)?).into())
    }),
    row("diag", "input diagonal", |a| Ok(a.tensor("input")?.diag(a.int_or("diagonal", 0)?).into())),
    row("diagflat", "input offset", |a| Ok(a.tensor("input")?.diagflat(a.int_or("offset", 0)?).into())),
    row("trace", "input", |a| Ok(a.tensor("input")?.trace().into())),
    row("split", "input split_size dim", split),
    row("split_with_sizes", "input split_size dim", |a| {
        Ok(a.tensor("input")?.split_with_sizes(a.dims("split_size")?, a.int_or("dim", 0)?).into())
    }),
    row("chunk", "input chunks dim", |a| Ok(a.tensor("input")?.chunk(a.usize("chunks")?, a.int_or("dim", 0)?).into())),
    row("tensor_split", "input indices_or_sections dim", |a| {
        let x = a.tensor("input")?;
        let dim = a.int_or("dim", 0)?;
        Ok(match cuts(a, &x)? {
            Cuts::Sections(n) => x.tensor_split(n, dim),
            Cuts::At(v) => x.tensor_split_at(v, dim),
        }
        .into())
    }),
    row("hsplit", "input indices_or_sections", |a| {
        let x = a.tensor("input")?;
        Ok(match cuts(a, &x)? {
            Cuts::Sections(n) => x.hsplit(n),
            Cuts::At(v) => x.hsplit_at(v),
        }
        .into())
    }),
    row("vsplit", "input indices_or_sections", |a| {
        let x = a.tensor("input")?;
        Ok(match cuts(a, &x)? {
            Cuts::Sections(n) => x.vsplit(n),
            Cuts::At(v) => x.vsplit_at(v),
        }
        .into())
    }),
    row("dsplit", "input indices_or_sections", |a| {
        let x = a.tensor("input")?;
        Ok(match cuts(a, &x)? {
            Cuts::Sections(n) => x.dsplit(n),
            Cuts::At(v) => x.dsplit_at(v),
        }
        .into())
    }),
    row("unbind", "input dim", |a| Ok(a.tensor("input")?.unbind(a.int_or("dim", 0)?).into())),
    row("Tensor.unfold", "input dimension size step", |a| {
        Ok(a.tensor("input")?.unfold(a.int("dimension")?, a.usize("size")?, a.usize("step")?).into())
    }),
    row("as_strided", "input size stride storage_offset", |a| {
        let x = a.tensor("input")?;
        let offset = a.usize_or("storage_offset", x.storage_offset())?;
        let (size, stride) = (a.sizes("size")?, a.dims("stride")?);
        Ok(if a.inplace() { x.as_strided_(size, stride, offset) } else { x.as_strided(size, stride, offset) }.into())
    }),
    row("clone", "input", |a| {
        let x = a.tensor("input")?;
        Ok(match a.memory_format()? {
            Some(format) => x.duplicate_in(format),
            None => x.duplicate(),
        }
        .into())
    }),
    row("contiguous", "input", |a| {
        let x = a.tensor("input")?;
        Ok(x.contiguous_in(a.memory_format()?.unwrap_or(MemoryFormat::Contiguous)).into())
    }),
    row("to", "input *rest", to),
    row("double", "input", |a| convert(a, DType::F64)),
    row("float", "input", |a| convert(a, DType::F32)),
    row("half", "input", |a| convert(a, DType::F16)),
    row("bfloat16", "input", |a| convert(a, DType::BF16)),
    row("bool", "input", |a| convert(a, DType::Bool)),
    row("int", "input", |a| convert(a, DType::I32)),
    row("long", "input", |a| convert(a, DType::I64)),
    row("short", "input", |a| convert(a, DType::I16)),
    row("char", "input", |a| convert(a, DType::I8)),
    row("byte", "input", |a| convert(a, DType::U8)),
    row("item", "input", |a| Ok(a.tensor("input")?.scalar().into())),
    // ---- joins
    row("cat", "tensors dim", |a| Ok(cresset_tensor::cat(&a.tensors("tensors")?, a.int_or("dim", 0)?).into())),
    row("concat", "tensors dim", |a| Ok(cresset_tensor::cat(&a.tensors("tensors")?, a.int_or("dim", 0)?).into())),
    row("stack", "tensors dim", |a| Ok(cresset_tensor::stack(&a.tensors("tensors")?, a.int_or("dim", 0)?).into())),
    row("hstack", "tensors", |a| Ok(cresset_tensor::hstack(&a.tensors("tensors")?).into())),
    row("vstack", "tensors", |a| Ok(cresset_tensor::vstack(&a.tensors("tensors")?).into())),
    row("dstack", "tensors", |a| Ok(cresset_tensor::dstack(&a.tensors("tensors")?).into())),
    row("column_stack", "tensors", |a| Ok(cresset_tensor::column_stack(&a.tensors("tensors")?).into())),
    row("broadcast_tensors", "*tensors", |a| Ok(cresset_tensor::broadcast_tensors(&a.rest_tensors("tensors")?).into())),
    row("meshgrid", "*tensors", |a| {
        let t = a.rest_tensors("tensors")?;
        Ok(match a.text_or("indexing", "ij")? {
            "ij" => cresset_tensor::meshgrid(&t),
            "xy" => cresset_tensor::meshgrid_xy(&t),
            other => return unsupported(format!("indexing={other}")),
        }
        .into())
    }),
    row("block_diag", "*tensors", |a| Ok(cresset_tensor::block_diag(&a.rest_tensors("tensors")?).into())),
    row("cartesian_prod", "*tensors", |a| Ok(cresset_tensor::cartesian_prod(&a.rest_tensors("tensors")?).into())),
    row("broadcast_shapes", "*shapes", |a| {
        let mut shape = cresset_tensor::Dims::EMPTY;
        for v in a.rest("shapes") {
            let v: Vec<usize> = a.as_dims("shapes", v)?.into_iter().map(|d| d as usize).collect();
            shape = match cresset_tensor::dims::broadcast(&shape, &v) {
                Ok(s) => s,
                Err(e) => cresset_tensor::error::fail("broadcast_shapes", e),
            };
        }
        Ok(shape.into())
    }),
];

fn at_least(a: &Args, f: fn(&Tensor) -> Tensor) -> Res<Out> {
    let given = a.rest_tensors("input")?;
    let made: Vec<Tensor> = given.iter().map(f).collect();
    let list = a.count() > 1 || matches!(a.raw("input"), Some(Value::List(_) | Value::Tuple(_)));
    Ok(if list { made.into() } else { made[0].clone().into() })
}
