//! The gradients of scattering, for each way to combine.

use super::{How, Scatter};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op};
use crate::tensor::Tensor;

/// The way of a name.
#[track_caller]
pub(super) fn way(op: &'static str, reduce: &str) -> How {
    match reduce {
        "sum" => How::Sum,
        "prod" => How::Product,
        "mean" => How::Mean,
        "amax" => How::Max,
        "amin" => How::Min,
        other => fail(op, format!("reduce argument must be either sum, prod, mean, amax or amin, got {other}")),
    }
}

/// 1 where `f` holds of the elements of two tensors of one shape, else 0; without graph.
fn mask(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> bool) -> Tensor {
    let (x, y) = (a.array().to(DType::F64), b.array().to(DType::F64).broadcast_to(&a.shape()));
    let bits: Vec<f64> =
        x.to_vec::<f64>().iter().zip(y.to_vec::<f64>()).map(|(x, y)| f64::from(u8::from(f(*x, y)))).collect();
    Tensor::from_vec(bits, a.shape()).to_dtype(a.dtype())
}

pub(super) fn reduce_backward(op: &Scatter, ctx: &Context, g: &Tensor) -> Few<Option<Tensor>> {
    let index = ctx.input(1);
    if index.numel() == 0 {
        let source = super::zero_grad(ctx.input_meta(2));
        return [Some(g.clone()), None, Some(source)].into_iter().collect();
    }
    let dim = op.dim as isize;
    if matches!(op.how, How::Replace | How::Sum | How::Mean) && ctx.needs(2) {
        let (got, want) = (index.shape(), ctx.input_meta(2).shape);
        if got != want {
            let node = op.grad_name();
            fail(
                op.name(),
                format!(
                    "Function {node} returned an invalid gradient at index 1 - got {got:?} but expected shape compatible with {want:?}"
                ),
            );
        }
    }
    let pick = |t: &Tensor| t.gather(dim, &index);
    let (mut own, source) = match op.how {
        How::Replace | How::Sum => (Some(g.clone()), ctx.needs(2).then(|| pick(g))),
        How::Mean => {
            let base = if op.include_self { g.ones_like() } else { g.zeros_like() };
            let counts = base.scatter_add(dim, &index, &ctx.input(2).ones_like());
            let counts = &counts + &mask(&counts, &Tensor::zeros_of((), g.dtype()), |n, _| n == 0.0);
            (Some(g / &counts), ctx.needs(2).then(|| pick(&(g / &counts))))
        }
        How::Product => product(op, ctx, g, &index),
        How::Max | How::Min => extreme(op, ctx, g, &index),
    };
    if let (Some(o), true) = (&own, op.how == How::Replace || !op.include_self) {
        // What was overwritten, or did not count, has no share.
        own = Some(o.scatter(dim, &index, 0.0));
    }
    [own.filter(|_| ctx.needs(0)), None, source].into_iter().collect()
}

/// The source reduced to what the index reaches.
fn reached(source: &Tensor, index: &Tensor) -> Tensor {
    let mut out = source.clone();
    for (d, &n) in index.shape().iter().enumerate() {
        if out.shape()[d] > n {
            out = out.narrow(d as isize, 0, n);
        }
    }
    out
}

fn product(op: &Scatter, ctx: &Context, g: &Tensor, index: &Tensor) -> (Option<Tensor>, Option<Tensor>) {
    let dim = op.dim as isize;
    let (x, source) = (ctx.input(0), ctx.input(2));
    let reduce = |x: &Tensor, s: &Tensor| x.scatter_reduce(dim, index, s, "prod", op.include_self);
    let zero = Tensor::zeros_of((), g.dtype());
    // Zeros are replaced by ones, so that the product of the others can be had by division. (Replaced, not added to: nothing may depend on them.)
    let ones_at = |t: &Tensor, zeros: &Tensor| t.masked_fill(&zeros.to_dtype(DType::Bool), 1.0);
    let x_zero = mask(&x, &zero, |x, _| x == 0.0);
    let x_safe = ones_at(&x, &x_zero);
    let own = ctx.needs(0).then(|| &(g * &reduce(&x_safe, &source)) / &x_safe);
    let from_source = ctx.needs(2).then(|| {
        let part = reached(&source, index);
        let s_zero = mask(&part, &zero, |s, _| s == 0.0);
        let zeros = x.zeros_like().scatter_add(dim, index, &s_zero).gather(dim, index);
        let single = mask(&s_zero, &zeros, |z, n| z != 0.0 && n == 1.0);
        let others = &Tensor::ones_of((), g.dtype()) - &single;
        let s_without = ones_at(&part, &single);
        let s_safe = ones_at(&part, &s_zero);
        let alone = (g * &reduce(&x, &s_without)).gather(dim, index);
        let shared = &(g * &reduce(&x, &part)).gather(dim, index) / &s_safe;
        let picked = &(&alone * &single) + &(&shared * &others);
        widen(ctx, picked)
    });
    (own, from_source)
}

fn extreme(op: &Scatter, ctx: &Context, g: &Tensor, index: &Tensor) -> (Option<Tensor>, Option<Tensor>) {
    let dim = op.dim as isize;
    let (x, source) = (ctx.input(0), ctx.input(2));
    let result = Tensor::from_array(ctx.output_array(0));
    let part = reached(&source, index);
    let x_is = mask(&x, &result, |a, b| a == b);
    let s_is = mask(&part, &result.gather(dim, index), |a, b| a == b);
    let count = x_is.scatter_add(dim, index, &s_is);
    let share = g / &(&count + &mask(&count, &Tensor::zeros_of((), g.dtype()), |n, _| n == 0.0));
    let own = ctx.needs(0).then(|| &share * &x_is);
    let from_source = ctx.needs(2).then(|| widen(ctx, &share.gather(dim, index) * &s_is));
    (own, from_source)
}

/// Zeros behind what the index reached, up to the source's shape.
fn widen(ctx: &Context, picked: Tensor) -> Tensor {
    let want = ctx.input_meta(2).shape;
    if want == picked.shape() {
        return picked;
    }
    let zeros = Tensor::zeros_of(want, picked.dtype());
    let list: Vec<crate::Index> = picked
        .shape()
        .iter()
        .map(|&n| crate::Index::Slice { start: Some(0), stop: Some(n as isize), step: 1 })
        .collect();
    zeros.set_index(list, &picked);
    zeros
}
