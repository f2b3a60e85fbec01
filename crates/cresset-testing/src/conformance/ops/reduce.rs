//! Sums, means, extrema and other reductions; scans and sorting.

use crate::conformance::args::{Args, Operand, Res, Row, Stop, row, unsupported};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::{Correction, DType, Interpolation, Tensor, Unique};

/// The input, converted first if a dtype is asked for.
fn input(a: &Args) -> Res<Tensor> {
    let x = a.tensor("input")?;
    Ok(match a.dtype()? {
        Some(d) => x.to_dtype(d),
        None => x,
    })
}

type Whole = fn(&Tensor) -> Tensor;
type WholeDtype = fn(&Tensor, DType) -> Tensor;
type Along = fn(&Tensor, Vec<isize>, bool) -> Tensor;
type One = fn(&Tensor, isize, bool) -> Tensor;
type Pair = fn(&Tensor, isize, bool) -> (Tensor, Tensor);

fn every(x: &Tensor) -> Vec<isize> {
    (0..x.dim() as isize).collect()
}

/// A reduction over everything or over some dimensions.
fn reduce(a: &Args, whole: Whole, typed: Option<WholeDtype>, along: Along) -> Res<Out> {
    let dims = a.opt_dims("dim")?;
    let keepdim = a.bool_or("keepdim", false)?;
    if let (None, Some(typed), Some(dtype), false) = (&dims, typed, a.dtype()?, keepdim) {
        return Ok(typed(&a.tensor("input")?, dtype).into());
    }
    let x = input(a)?;
    let y = match dims {
        None if !keepdim => whole(&x),
        None => along(&x, every(&x), true),
        // An empty list of dimensions means all of them.
        Some(d) if d.is_empty() => along(&x, every(&x), keepdim),
        Some(d) => along(&x, d, keepdim),
    };
    in_dtype(a, y)
}

/// In the dtype that is asked for: reductions of small integers otherwise give int64.
fn in_dtype(a: &Args, y: Tensor) -> Res<Out> {
    Ok(match a.dtype()? {
        Some(d) => y.to_dtype(d),
        None => y,
    }
    .into())
}

/// A reduction over everything or over one dimension.
fn one(a: &Args, whole: Whole, along: One) -> Res<Out> {
    let x = input(a)?;
    let keepdim = a.bool_or("keepdim", false)?;
    Ok(match a.opt_int("dim")? {
        Some(d) => along(&x, d, keepdim),
        None if !keepdim => whole(&x),
        None => whole(&x).reshape(vec![1isize; x.dim()]),
    }
    .into())
}

/// Values and indices along a dimension, or the value of everything.
fn values(a: &Args, whole: Option<Whole>, along: Pair) -> Res<Out> {
    let x = a.tensor("input")?;
    let keepdim = a.bool_or("keepdim", false)?;
    Ok(match (a.opt_int("dim")?, whole) {
        (Some(d), _) => along(&x, d, keepdim).into(),
        (None, Some(whole)) => whole(&x).into(),
        (None, None) => along(&x, -1, keepdim).into(),
    })
}

/// `torch.max` and `torch.min` have three forms.
fn extreme(a: &Args, binary: fn(&Tensor, &Tensor) -> Tensor, whole: Whole, along: Pair) -> Res<Out> {
    let second = a.raw("dim").or_else(|| a.raw("other"));
    if let Some(v @ Value::Tensor(_)) = second {
        return Ok(binary(&a.tensor("input")?, &a.as_tensor("other", v)?).into());
    }
    values(a, Some(whole), along)
}

/// dims, correction and keepdim of a variance.
struct Moments {
    x: Tensor,
    dims: Vec<isize>,
    correction: Correction,
    keepdim: bool,
}
fn moments(a: &Args) -> Res<Moments> {
    let x = a.tensor("input")?;
    // var(input, unbiased) and var(input, dim, unbiased, keepdim) are the older forms.
    let first = a.raw("dim");
    let mut unbiased = match a.raw("unbiased") {
        Some(Value::Bool(b)) => Some(*b),
        _ => None,
    };
    let mut dims = None;
    match first {
        Some(Value::Bool(b)) => unbiased = Some(*b),
        Some(Value::None) | None => {}
        Some(v) => dims = Some(a.as_dims("dim", v)?),
    }
    let keepdim = a.bool_or("keepdim", false)?;
    let correction = match a.opt_scalar("correction")? {
        Some(c) => Correction::from(c.f64()),
        None => Correction::from(if unbiased == Some(false) { 0.0 } else { 1.0 }),
    };
    let dims = dims.filter(|d| !d.is_empty()).unwrap_or_else(|| every(&x));
    Ok(Moments { x, dims, correction, keepdim })
}

fn norm(a: &Args) -> Res<Out> {
    let x = input(a)?;
    let p = match a.raw("p") {
        None | Some(Value::None) => 2.0,
        Some(Value::Str(s)) if s == "fro" => 2.0,
        Some(Value::Str(s)) => return unsupported(format!("the norm {s}")),
        Some(_) => a.float("p")?,
    };
    let keepdim = a.bool_or("keepdim", false)?;
    let dims = a.opt_dims("dim")?.unwrap_or_default();
    Ok(x.norm_dim(p, dims, keepdim).into())
}

fn scan(a: &Args, f: fn(&Tensor, isize) -> Tensor) -> Res<Out> {
    in_dtype(a, f(&input(a)?, a.int("dim")?))
}

/// A scan with an in-place form, whose dtype is the tensor's.
fn running(a: &Args, plain: fn(&Tensor, isize) -> Tensor, in_place: fn(&Tensor, isize) -> Tensor) -> Res<Out> {
    if !a.inplace() {
        return scan(a, plain);
    }
    let x = a.tensor("input")?;
    match a.dtype()? {
        Some(d) if d != x.dtype() => unsupported(format!("a scan in place in {d}")),
        _ => Ok(in_place(&x, a.int("dim")?).into()),
    }
}

fn quantile(a: &Args, f: fn(&Tensor, &Tensor, Option<isize>, bool, Interpolation) -> Tensor) -> Res<Out> {
    let x = a.tensor("input")?;
    let q = match a.operand("q")? {
        Operand::Tensor(q) => q,
        Operand::Scalar(s) => Tensor::full_of((), s, x.dtype()),
    };
    let interpolation = match a.text_or("interpolation", "linear")? {
        "linear" => Interpolation::Linear,
        "lower" => Interpolation::Lower,
        "higher" => Interpolation::Higher,
        "nearest" => Interpolation::Nearest,
        "midpoint" => Interpolation::Midpoint,
        other => return Err(Stop::Inexpressible(format!("interpolation {other}"))),
    };
    Ok(f(&x, &q, a.opt_int("dim")?, a.bool_or("keepdim", false)?, interpolation).into())
}

fn unique(a: &Args, f: fn(&Tensor, Option<isize>) -> Unique) -> Res<Out> {
    // In PyTorch too they come sorted, whatever is asked for.
    a.bool_or("sorted", true)?;
    let u = f(&a.tensor("input")?, a.opt_int("dim")?);
    let mut out = vec![u.values];
    if a.bool_or("return_inverse", false)? {
        out.push(u.inverse);
    }
    if a.bool_or("return_counts", false)? {
        out.push(u.counts);
    }
    Ok(if out.len() == 1 { out.remove(0).into() } else { out.into() })
}

/// The softmax family: a dimension and perhaps a dtype.
fn softmax(a: &Args, plain: fn(&Tensor, isize) -> Tensor, typed: fn(&Tensor, isize, DType) -> Tensor) -> Res<Out> {
    let x = a.tensor("input")?;
    a.raw("_stacklevel");
    let dim = a.int("dim")?;
    Ok(match a.dtype()? {
        Some(d) => typed(&x, dim, d),
        None => plain(&x, dim),
    }
    .into())
}

pub(super) const ROWS: &[Row] = &[
    row("sum", "input dim keepdim", |a| reduce(a, Tensor::sum, Some(Tensor::sum_dtype), |x, d, k| x.sum_dim(d, k))),
    row("mean", "input dim keepdim", |a| reduce(a, Tensor::mean, Some(Tensor::mean_dtype), |x, d, k| x.mean_dim(d, k))),
    row("nansum", "input dim keepdim", |a| reduce(a, Tensor::nansum, None, |x, d, k| x.nansum_dim(d, k))),
    row("nanmean", "input dim keepdim", |a| reduce(a, Tensor::nanmean, None, |x, d, k| x.nanmean_dim(d, k))),
    row("prod", "input dim keepdim", |a| reduce(a, Tensor::prod, None, |x, d, k| x.prod_dim(d, k))),
    row("all", "input dim keepdim", |a| reduce(a, Tensor::all, None, |x, d, k| x.all_dim(d, k))),
    row("any", "input dim keepdim", |a| reduce(a, Tensor::any, None, |x, d, k| x.any_dim(d, k))),
    row("amax", "input dim keepdim", |a| reduce(a, Tensor::amax, None, |x, d, k| x.amax_dim(d, k))),
    row("amin", "input dim keepdim", |a| reduce(a, Tensor::amin, None, |x, d, k| x.amin_dim(d, k))),
    row("aminmax", "input dim keepdim", |a| {
        let x = a.tensor("input")?;
        let keepdim = a.bool_or("keepdim", false)?;
        Ok(match a.opt_int("dim")? {
            Some(d) => x.aminmax_dim(d, keepdim),
            None if !keepdim => x.aminmax(),
            None => return unsupported("aminmax of everything with keepdim"),
        }
        .into())
    }),
    row("argmax", "input dim keepdim", |a| one(a, Tensor::argmax, Tensor::argmax_dim)),
    row("argmin", "input dim keepdim", |a| one(a, Tensor::argmin, Tensor::argmin_dim)),
    row("max", "input dim keepdim", |a| extreme(a, |x, y| x.maximum(y), Tensor::max, Tensor::max_dim)),
    row("min", "input dim keepdim", |a| extreme(a, |x, y| x.minimum(y), Tensor::min, Tensor::min_dim)),
    row("median", "input dim keepdim", |a| values(a, Some(Tensor::median), Tensor::median_dim)),
    row("nanmedian", "input dim keepdim", |a| values(a, Some(Tensor::nanmedian), Tensor::nanmedian_dim)),
    row("mode", "input dim keepdim", |a| values(a, None, Tensor::mode)),
    row("kthvalue", "input k dim keepdim", |a| {
        let x = a.tensor("input")?;
        Ok(x.kthvalue(a.usize("k")?, a.int_or("dim", -1)?, a.bool_or("keepdim", false)?).into())
    }),
    row("topk", "input k dim largest sorted", |a| {
        let x = a.tensor("input")?;
        a.bool_or("sorted", true)?;
        Ok(x.topk(a.usize("k")?, a.int_or("dim", -1)?, a.bool_or("largest", true)?).into())
    }),
    row("sort", "input dim descending", |a| {
        a.bool_or("stable", false)?;
        Ok(a.tensor("input")?.sort(a.int_or("dim", -1)?, a.bool_or("descending", false)?).into())
    }),
    row("argsort", "input dim descending", |a| {
        a.bool_or("stable", false)?;
        Ok(a.tensor("input")?.argsort(a.int_or("dim", -1)?, a.bool_or("descending", false)?).into())
    }),
    row("msort", "input", |a| Ok(a.tensor("input")?.msort().into())),
    row("count_nonzero", "input dim", |a| {
        let x = a.tensor("input")?;
        Ok(match a.opt_dims("dim")? {
            Some(d) => x.count_nonzero_dim(d),
            None => x.count_nonzero(),
        }
        .into())
    }),
    row("sum_to_size", "input *size", |a| Ok(a.tensor("input")?.sum_to_size(a.rest_sizes("size")?).into())),
    row("var", "input dim unbiased keepdim", |a| {
        let m = moments(a)?;
        Ok(m.x.var_with(m.dims, m.correction, m.keepdim).into())
    }),
    row("std", "input dim unbiased keepdim", |a| {
        let m = moments(a)?;
        Ok(m.x.std_with(m.dims, m.correction, m.keepdim).into())
    }),
    row("var_mean", "input dim unbiased keepdim", |a| {
        let m = moments(a)?;
        Ok(m.x.var_mean(m.dims, m.correction, m.keepdim).into())
    }),
    row("std_mean", "input dim unbiased keepdim", |a| {
        let m = moments(a)?;
        Ok(m.x.std_mean(m.dims, m.correction, m.keepdim).into())
    }),
    row("norm", "input p dim keepdim", norm),
    row("linalg.vector_norm", "input ord dim keepdim", |a| {
        let p = a.float_or("ord", 2.0)?;
        let keepdim = a.bool_or("keepdim", false)?;
        Ok(input(a)?.vector_norm(p, a.opt_dims("dim")?.unwrap_or_default(), keepdim).into())
    }),
    row("dist", "input other p", |a| Ok(a.tensor("input")?.dist(&a.tensor("other")?, a.float_or("p", 2.0)?).into())),
    row("logsumexp", "input dim keepdim", |a| {
        Ok(a.tensor("input")?.logsumexp(a.dims("dim")?, a.bool_or("keepdim", false)?).into())
    }),
    row("softmax", "input dim dtype", |a| softmax(a, Tensor::softmax, Tensor::softmax_dtype)),
    row("log_softmax", "input dim dtype", |a| softmax(a, Tensor::log_softmax, Tensor::log_softmax_dtype)),
    row("F.softmax", "input dim _stacklevel dtype", |a| softmax(a, Tensor::softmax, Tensor::softmax_dtype)),
    row("F.log_softmax", "input dim _stacklevel dtype", |a| softmax(a, Tensor::log_softmax, Tensor::log_softmax_dtype)),
    row("F.softmin", "input dim _stacklevel dtype", |a| {
        softmax(a, |x, d| x.neg().softmax(d), |x, d, t| x.neg().softmax_dtype(d, t))
    }),
    row("cumsum", "input dim", |a| running(a, Tensor::cumsum, Tensor::cumsum_)),
    row("cumprod", "input dim", |a| running(a, Tensor::cumprod, Tensor::cumprod_)),
    row("logcumsumexp", "input dim", |a| scan(a, Tensor::logcumsumexp)),
    row("cummax", "input dim", |a| Ok(a.tensor("input")?.cummax(a.int("dim")?).into())),
    row("cummin", "input dim", |a| Ok(a.tensor("input")?.cummin(a.int("dim")?).into())),
    row("quantile", "input q dim keepdim", |a| quantile(a, |x, q, d, k, i| x.quantile(q, d, k, i))),
    row("nanquantile", "input q dim keepdim", |a| quantile(a, |x, q, d, k, i| x.nanquantile(q, d, k, i))),
    row("unique", "input sorted return_inverse return_counts dim", |a| unique(a, |x, d| x.unique(d))),
    row("unique_consecutive", "input return_inverse return_counts dim", |a| unique(a, |x, d| x.unique_consecutive(d))),
    row("diff", "input n dim prepend append", |a| {
        let x = a.tensor("input")?;
        let (before, behind) = (a.opt_tensor("prepend")?, a.opt_tensor("append")?);
        Ok(x.diff_with(a.usize_or("n", 1)?, a.int_or("dim", -1)?, before.as_ref(), behind.as_ref()).into())
    }),
];
