//! Every function of the vocabulary for f32: our own, or f64's rounded.
// Some functions have no use for the level, but all are called with one.
#![allow(clippy::extra_unused_type_parameters)]

use super::real64;
use crate::level::Simd;

pub(super) use super::erf::{erf, erfc, gaussian};
pub(super) use super::exp::{exp, exp2, expm1, sigmoid};
pub(super) use super::hyper::{cosh, sinh, tanh};
pub(super) use super::log::{ln, log1p, log2, log10};
pub(super) use super::trig::{cos, sin};

// Functions that are rare enough to pay for f64.
macro_rules! through_f64 {
    ($($name:ident)*) => { $(
        #[inline(always)]
        pub(super) fn $name<S: Simd>(x: f32) -> f32 {
            real64::$name::<S>(x as f64) as f32
        }
    )* };
}
through_f64!(tan asin acos atan asinh acosh atanh erfinv lgamma digamma);

#[inline(always)]
pub(super) fn pow<S: Simd>(x: f32, y: f32) -> f32 {
    x.powf(y)
}

#[inline(always)]
pub(super) fn atan2<S: Simd>(y: f32, x: f32) -> f32 {
    real64::atan2::<S>(y as f64, x as f64) as f32
}
