//! Every function of the vocabulary for f64: our own, or the standard library's.
// Some functions have no use for the level, but all are called with one.
#![allow(clippy::extra_unused_type_parameters)]

use super::{erf as error, exp as exponential, gamma, hyper, log};
use crate::level::Simd;

// Our own, under the vocabulary's name.
macro_rules! own {
    ($($name:ident = $f:path),* $(,)?) => { $(
        #[inline(always)]
        pub(super) fn $name<S: Simd>(x: f64) -> f64 {
            $f(x)
        }
    )* };
}
own!(
    exp = exponential::exp64::<S>,
    expm1 = exponential::expm1_64::<S>,
    sigmoid = exponential::sigmoid64::<S>,
    ln = log::ln64::<S>,
    log1p = log::log1p_64::<S>,
    tanh = hyper::tanh64::<S>,
    sinh = hyper::sinh64::<S>,
    cosh = hyper::cosh64::<S>,
    erf = error::erf64::<S>,
    erfc = error::erfc64::<S>,
    gaussian = error::gaussian64::<S>,
    erfinv = error::erfinv64::<S>,
    lgamma = gamma::lgamma,
    digamma = gamma::digamma,
    exp2 = f64::exp2,
    log2 = f64::log2,
    log10 = f64::log10,
    sin = f64::sin,
    cos = f64::cos,
    tan = f64::tan,
    asin = f64::asin,
    acos = f64::acos,
    atan = f64::atan,
    asinh = f64::asinh,
    acosh = f64::acosh,
    atanh = f64::atanh,
);

#[inline(always)]
pub(super) fn pow<S: Simd>(x: f64, y: f64) -> f64 {
    x.powf(y)
}

#[inline(always)]
pub(super) fn atan2<S: Simd>(y: f64, x: f64) -> f64 {
    y.atan2(x)
}
