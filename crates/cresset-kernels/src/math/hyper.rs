//! Hyperbolic functions.

use super::exp::{exp_of, exp_of64, expm1_64};
use super::{choose, fma, poly};
use crate::level::Simd;

/// `(tanh(x) / x - 1) / x²` over x² for |x| <= 0.63, 5e-9 of tanh.
const T: [f32; 5] = [-3.333_327_8e-1, 1.333_133_1e-1, -5.373_000_7e-2, 2.060_617_7e-2, -5.666_977_7e-3];

/// An odd polynomial near zero, `1 - 2 / (e^(2x) + 1)` beyond.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(x: f32) -> f32 {
    let a = x.abs();
    let s = x * x;
    let near = fma::<S>(x * s, poly::<S, 5>(s, T), x);
    let e = exp_of::<S>(choose(a > 10.0, 10.0, a) * 2.0, 0);
    let far = 1.0 - 2.0 / (e + 1.0);
    // NaN: the far branch carries it.
    choose(a < 0.62, choose(a < 1e-4, x, near), far.copysign(x))
}

/// Taylor series near zero (2.5e-8 at 1, and the next term's share of it), `e^x / 2 - e^-x / 2` beyond.
#[inline(always)]
pub(crate) fn sinh<S: Simd>(x: f32) -> f32 {
    const C: [f32; 5] = [1.0 / 6.0, 1.0 / 120.0, 1.0 / 5040.0, 1.0 / 362_880.0, 1.0 / 39_916_800.0];
    let a = x.abs();
    let s = x * x;
    let near = fma::<S>(x * s, poly::<S, 5>(s, C), x);
    let h = exp_of::<S>(a, -1);
    let far = h - 0.25 / h;
    choose(a < 1.0, choose(a < 1e-4, x, near), far.copysign(x))
}

#[inline(always)]
pub(crate) fn cosh<S: Simd>(x: f32) -> f32 {
    let h = exp_of::<S>(x.abs(), -1);
    h + 0.25 / h
}

#[inline(always)]
pub(crate) fn tanh64<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let t = expm1_64::<S>(-2.0 * choose(a > 20.0, 20.0, a));
    choose(a < 1e-9, x, (-t / (t + 2.0)).copysign(x))
}

#[inline(always)]
pub(crate) fn sinh64<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let t = expm1_64::<S>(choose(a > 1.0, 1.0, a));
    let near = 0.5 * (t + t / (t + 1.0));
    let h = exp_of64::<S>(a, 0.0, -1);
    let y = choose(a < 1.0, near, h - 0.25 / h);
    choose(a < 1e-9, x, y.copysign(x))
}

#[inline(always)]
pub(crate) fn cosh64<S: Simd>(x: f64) -> f64 {
    let h = exp_of64::<S>(x.abs(), 0.0, -1);
    h + 0.25 / h
}
