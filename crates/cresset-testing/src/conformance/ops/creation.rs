//! Tensors from nothing.

use crate::conformance::args::{Args, Operand, Res, Row, Stop, row};
use crate::conformance::out::Out;
use cresset_tensor::{DType, Dims, Scalar, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("zeros", "*size", |a| Ok(Tensor::zeros_of(a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)).into())),
    row("ones", "*size", |a| Ok(Tensor::ones_of(a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)).into())),
    row("full", "size fill_value", |a| {
        let (size, value) = (a.sizes("size")?, a.scalar("fill_value")?);
        Ok(match a.factory()? {
            Some(dtype) => Tensor::full_of(size, value, dtype),
            None => Tensor::full(size, value),
        }
        .into())
    }),
    row("arange", "start end step", |a| {
        let dtype = a.factory()?;
        let (mut start, mut end) = (Scalar::Int(0), a.scalar("start")?);
        if a.has("end") {
            (start, end) = (end, a.scalar("end")?);
        }
        let step = a.opt_scalar("step")?.unwrap_or(Scalar::Int(1));
        Ok(match dtype {
            Some(d) => Tensor::arange_of(start, end, step, d),
            None => Tensor::arange_step(start, end, step),
        }
        .into())
    }),
    row("linspace", "start end steps", |a| {
        let dtype = a.factory()?.unwrap_or(DType::F32);
        let (start, end) = (bound(a, "start")?, bound(a, "end")?);
        Ok(Tensor::linspace_of(start, end, a.usize("steps")?, dtype).into())
    }),
    row("logspace", "start end steps base", |a| {
        let dtype = a.factory()?.unwrap_or(DType::F32);
        let (start, end) = (bound(a, "start")?, bound(a, "end")?);
        Ok(Tensor::logspace_of(start, end, a.usize("steps")?, a.float_or("base", 10.0)?, dtype).into())
    }),
    row("eye", "n m", |a| {
        let n = a.usize("n")?;
        Ok(Tensor::eye_of(n, a.usize_or("m", n)?, a.factory()?.unwrap_or(DType::F32)).into())
    }),
    row("empty", "*size", |a| {
        Ok(a.formatted(Tensor::empty_of(a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)))?.into())
    }),
    row("zeros_like", "input", |a| like(a, Tensor::zeros_of)),
    row("ones_like", "input", |a| like(a, Tensor::ones_of)),
    row("empty_like", "input", |a| like(a, Tensor::empty_of)),
    row("full_like", "input fill_value", |a| {
        let value = a.scalar("fill_value")?;
        like(a, |shape, dtype| Tensor::full_of(shape, value, dtype))
    }),
    row("new_zeros", "input *size", |a| Ok(Tensor::zeros_of(a.rest_sizes("size")?, own_dtype(a)?).into())),
    row("new_ones", "input *size", |a| Ok(Tensor::ones_of(a.rest_sizes("size")?, own_dtype(a)?).into())),
    row("new_empty", "input *size", |a| Ok(Tensor::empty_of(a.rest_sizes("size")?, own_dtype(a)?).into())),
    row("new_full", "input size fill_value", |a| {
        Ok(Tensor::full_of(a.sizes("size")?, a.scalar("fill_value")?, own_dtype(a)?).into())
    }),
];

/// A bound of a sequence: a number, or a tensor of one.
fn bound(a: &Args, name: &str) -> Res<Scalar> {
    Ok(match a.operand(name)? {
        Operand::Scalar(s) => s,
        Operand::Tensor(t) if t.dim() == 0 => t.scalar(),
        Operand::Tensor(t) => return Err(Stop::Inexpressible(format!("{name} of {} dimensions", t.dim()))),
    })
}

/// The dtype asked for, or that of the input.
fn own_dtype(a: &Args) -> Res<DType> {
    let x = a.tensor("input")?;
    Ok(a.factory()?.unwrap_or(x.dtype()))
}

fn like(a: &Args, make: impl Fn(Dims, DType) -> Tensor) -> Res<Out> {
    let dtype = own_dtype(a)?;
    Ok(a.formatted(make(a.tensor("input")?.shape(), dtype))?.into())
}
