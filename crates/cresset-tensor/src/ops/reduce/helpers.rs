//! Small things that backward formulas of reductions share.

use super::{Over, sum::sum_array, widened, with_real};
use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::tensor::Tensor;

/// (outer, n, inner) around a dimension; a 0-d tensor is one row of one.
pub(crate) fn around(shape: &[usize], dim: usize) -> (usize, usize, usize) {
    if shape.is_empty() {
        return (1, 1, 1);
    }
    (shape[..dim].iter().product(), shape[dim], shape[dim + 1..].iter().product())
}

/// Maps every element of a floating-point array, in f32 or f64, to one of its own dtype.
pub(crate) fn map(x: &Array, f: impl Fn(f64) -> f64) -> Array {
    let dtype = x.dtype();
    let x = widened(x).contiguous();
    with_real!(x.dtype(), T => Array::build::<T>(*x.meta(), |out| {
        x.with_slice::<T, _>(|x| {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x as f64) as T;
            }
        });
    }))
    .to(dtype)
}

/// How the gradient of an extremum `y` is shared: each element of x that equals it (after `f`) gets 1 / their number, the others 0. If it is
/// NaN, the NaNs share it, or without `nan` everything is NaN: PyTorch does the first for `max()`, the second for `amax`.
pub(crate) fn share(x: &Array, y: &Array, over: &Over, nan: bool, f: fn(f64) -> f64) -> Array {
    let dtype = x.dtype();
    let shape = *x.shape();
    let x = x.to(DType::F64).contiguous();
    let y = over.spread_array(&y.to(DType::F64), &shape).contiguous();
    let meta = Meta { dtype: DType::F64, shape };
    let equal = Array::build::<f64>(meta, |out| {
        x.with_slice::<f64, _>(|x| {
            y.with_slice::<f64, _>(|y| {
                for i in 0..out.len() {
                    let x = f(x[i]);
                    out[i] = if x == y[i] || (nan && x.is_nan() && y[i].is_nan()) { 1.0 } else { 0.0 };
                }
            });
        });
    });
    let kept = over.keep();
    let count = sum_array(&equal, &kept, Meta { dtype: DType::F64, shape: kept.shape(&shape) });
    let count = kept.spread_array(&count, &shape).contiguous();
    Array::build::<f64>(meta, |out| {
        equal.with_slice::<f64, _>(|e| {
            count.with_slice::<f64, _>(|c| {
                for i in 0..out.len() {
                    out[i] = e[i] / c[i];
                }
            });
        });
    })
    .to(dtype)
}

/// The tensor with 1 in place of every 0: what may be divided by.
#[track_caller]
pub(crate) fn nonzero(y: &Tensor) -> Tensor {
    y + &Tensor::from_array(map(&y.array(), |y| (y == 0.0) as u8 as f64))
}

/// -1, 0 or 1 by the sign of each element, without graph.
pub(crate) fn signs(x: &Tensor) -> Tensor {
    Tensor::from_array(map(&x.array(), |x| {
        if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            x
        }
    }))
}
