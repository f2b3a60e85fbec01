//! Random numbers.

use crate::conformance::args::{Args, Operand, Res, Row, row, unsupported};
use crate::conformance::out::Out;
use cresset_tensor::{DType, Tensor};

/// `size` and `dtype` of a maker of tensors.
fn shape(a: &Args) -> Res<(Vec<usize>, DType)> {
    Ok((a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)))
}
/// The pattern of a `_like` function: the tensor in the dtype that is asked for.
fn like(a: &Args) -> Res<Tensor> {
    let x = a.formatted(a.tensor("input")?.detach())?;
    Ok(match a.factory()? {
        Some(d) => x.to_dtype(d),
        None => x,
    })
}

fn normal(a: &Args) -> Res<Out> {
    let mean = a.operand("mean")?;
    if a.has("size") {
        let (Operand::Scalar(mean), std) = (mean, a.float("std")?) else { return unsupported("normal with size") };
        let size = a.sizes("size")?;
        let out = Tensor::zeros_of(size, a.factory()?.unwrap_or(DType::F32));
        return Ok(out.normal_(mean.f64(), std).into());
    }
    let std = if a.has("std") { a.operand("std")? } else { Operand::Scalar(1.0.into()) };
    Ok(match (mean, std) {
        (Operand::Tensor(m), Operand::Tensor(s)) => Tensor::normal(&m, &s),
        (Operand::Tensor(m), Operand::Scalar(s)) => Tensor::normal_around(&m, s.f64()),
        (Operand::Scalar(m), Operand::Tensor(s)) => Tensor::normal(&s.full_like(m), &s),
        _ => return unsupported("normal of two numbers"),
    }
    .into())
}

fn randint_bounds(a: &Args) -> Res<(i64, i64)> {
    Ok(if a.has("high") { (a.int("low")? as i64, a.int("high")? as i64) } else { (0, a.int("low")? as i64) })
}

fn randint(a: &Args) -> Res<Out> {
    // randint(high, size) or randint(low, high, size).
    let (low, high, size) = if a.count() == 3 || a.has("size") && a.count() == 2 {
        (a.int("low")?, a.int("high")?, a.sizes("size")?)
    } else {
        (0, a.int("low")?, a.sizes("high")?)
    };
    let dtype = a.factory()?.unwrap_or(DType::I64);
    Ok(Tensor::randint_with(low as i64, high as i64, size, dtype, None).into())
}

pub(super) const ROWS: &[Row] = &[
    row("rand", "*size", |a| {
        let (size, dtype) = shape(a)?;
        Ok(Tensor::rand_with(size, dtype, None).into())
    }),
    row("randn", "*size", |a| {
        let (size, dtype) = shape(a)?;
        Ok(Tensor::randn_with(size, dtype, None).into())
    }),
    row("randint", "low high size", randint),
    row("randint_like", "input low high", |a| {
        let x = like(a)?;
        let (low, high) = randint_bounds(a)?;
        Ok(x.randint_like(low, high).into())
    }),
    row("randperm", "n", |a| {
        let n = a.usize("n")?;
        Ok(Tensor::randperm_with(n, a.factory()?.unwrap_or(DType::I64), None).into())
    }),
    row("rand_like", "input", |a| Ok(like(a)?.rand_like().into())),
    row("randn_like", "input", |a| Ok(like(a)?.randn_like().into())),
    row("normal", "mean std size", normal),
    row("bernoulli", "input p", |a| {
        let x = a.tensor("input")?;
        if a.has("p") {
            let p = a.float("p")?;
            if a.inplace() {
                return Ok(x.bernoulli_(p).into());
            }
            return Ok(Tensor::zeros_of(x.shape(), x.dtype()).bernoulli_(p).into());
        }
        Ok(if a.inplace() { x.bernoulli_(0.5) } else { x.bernoulli() }.into())
    }),
    row("multinomial", "input num_samples replacement", |a| {
        let (n, replacement) = (a.usize("num_samples")?, a.bool_or("replacement", false)?);
        Ok(a.tensor("input")?.multinomial(n, replacement).into())
    }),
    row("Tensor.uniform_", "input from to", |a| {
        Ok(a.tensor("input")?.uniform_(a.float_or("from", 0.0)?, a.float_or("to", 1.0)?).into())
    }),
    row("Tensor.normal_", "input mean std", |a| {
        Ok(a.tensor("input")?.normal_(a.float_or("mean", 0.0)?, a.float_or("std", 1.0)?).into())
    }),
    row("Tensor.log_normal_", "input mean std", |a| {
        Ok(a.tensor("input")?.log_normal_(a.float_or("mean", 1.0)?, a.float_or("std", 2.0)?).into())
    }),
    row("Tensor.exponential_", "input lambd", |a| {
        Ok(a.tensor("input")?.exponential_(a.float_or("lambd", 1.0)?).into())
    }),
    row("Tensor.cauchy_", "input median sigma", |a| {
        Ok(a.tensor("input")?.cauchy_(a.float_or("median", 0.0)?, a.float_or("sigma", 1.0)?).into())
    }),
    row("Tensor.geometric_", "input p", |a| Ok(a.tensor("input")?.geometric_(a.float("p")?).into())),
    row("Tensor.bernoulli_", "input p", |a| {
        let x = a.tensor("input")?;
        if !a.has("p") {
            return Ok(x.bernoulli_(0.5).into());
        }
        Ok(match a.operand("p")? {
            Operand::Tensor(p) => x.bernoulli_each_(&p, None),
            Operand::Scalar(p) => x.bernoulli_(p.f64()),
        }
        .into())
    }),
    row("Tensor.random_", "input from to", |a| {
        let x = a.tensor("input")?;
        Ok(match (a.opt_int("from")?, a.opt_int("to")?) {
            (None, None) => x.random_(),
            (Some(to), None) => x.random_range_(0, Some(to as i64)),
            (from, to) => x.random_range_(from.unwrap_or(0) as i64, to.map(|t| t as i64)),
        }
        .into())
    }),
];
