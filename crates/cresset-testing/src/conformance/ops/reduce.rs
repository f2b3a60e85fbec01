//! Sums, means and other reductions.

use crate::conformance::args::{Args, Res, Row, row};
use crate::conformance::out::Out;
use cresset_tensor::{DType, Tensor};

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

/// A reduction over everything or over some dimensions.
fn reduce(a: &Args, whole: Whole, typed: Option<WholeDtype>, along: Along) -> Res<Out> {
    let dims = a.opt_dims("dim")?;
    let keepdim = a.bool_or("keepdim", false)?;
    if let (None, Some(typed), Some(dtype), false) = (&dims, typed, a.dtype()?, keepdim) {
        return Ok(typed(&a.tensor("input")?, dtype).into());
    }
    let x = input(a)?;
    Ok(match dims {
        None if !keepdim => whole(&x),
        None => along(&x, (0..x.dim() as isize).collect(), true),
        // An empty list of dimensions means all of them.
        Some(d) if d.is_empty() => along(&x, (0..x.dim() as isize).collect(), keepdim),
        Some(d) => along(&x, d, keepdim),
    }
    .into())
}

pub(super) const ROWS: &[Row] = &[
    row("sum", "input dim keepdim", |a| reduce(a, Tensor::sum, Some(Tensor::sum_dtype), |x, d, k| x.sum_dim(d, k))),
    row("mean", "input dim keepdim", |a| reduce(a, Tensor::mean, Some(Tensor::mean_dtype), |x, d, k| x.mean_dim(d, k))),
    row("nansum", "input dim keepdim", |a| reduce(a, Tensor::nansum, None, |x, d, k| x.nansum_dim(d, k))),
    row("nanmean", "input dim keepdim", |a| reduce(a, Tensor::nanmean, None, |x, d, k| x.nanmean_dim(d, k))),
    row("count_nonzero", "input dim", |a| {
        let x = a.tensor("input")?;
        Ok(match a.opt_dims("dim")? {
            Some(d) => x.count_nonzero_dim(d),
            None => x.count_nonzero(),
        }
        .into())
    }),
    row("sum_to_size", "input *size", |a| Ok(a.tensor("input")?.sum_to_size(a.rest_sizes("size")?).into())),
];
