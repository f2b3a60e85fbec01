//! Elementary and special functions of single numbers, written so that a loop over them becomes vector instructions.
//!
//! The f32 functions that deep learning spends its time in (exp, ln, tanh, sigmoid, erf, sin ...) are our own polynomials without
//! branches or library calls, within 2 ulp of the true value over the whole range (sigmoid 2.4, erfc 2.8; a little more where
//! there is no fused multiply-add), denormal results included. The rare ones are computed in f64 and rounded.
//!
//! Coefficients are minimax fits made for these files (Remez exchange at 50 digits); the interval and the error stand beside
//! each.

mod erf;
mod exp;
mod gamma;
mod hyper;
mod log;
mod real;
mod real32;
mod real64;
mod trig;
#[cfg(target_arch = "x86_64")]
pub(crate) mod vector512;

pub use real::{Real, Wide};

use crate::level::Simd;

/// `a * b + c`, in one rounding where there is an instruction for it.
#[inline(always)]
pub(crate) fn fma<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The same in f64.
#[inline(always)]
pub(crate) fn fma64<S: Simd>(a: f64, b: f64, c: f64) -> f64 {
    if S::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `c[0] + c[1] x + c[2] x² + ...`
#[inline(always)]
pub(crate) fn poly<S: Simd, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut p = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        p = fma::<S>(p, x, c[i]);
    }
    p
}

/// The same in f64.
#[inline(always)]
pub(crate) fn poly64<S: Simd, const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut p = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        p = fma64::<S>(p, x, c[i]);
    }
    p
}

/// `x` squared as a sum of two numbers: the rounded square and what the rounding lost.
#[inline(always)]
pub(crate) fn square<S: Simd>(x: f32) -> (f32, f32) {
    let s = x * x;
    if S::FUSED {
        (s, x.mul_add(x, -s))
    } else {
        // The upper 12 bits of x have an exact square, and so have the products with the lower 12.
        let hi = f32::from_bits(x.to_bits() & 0xffff_f000);
        let lo = x - hi;
        (s, ((hi * hi - s) + 2.0 * hi * lo) + lo * lo)
    }
}

/// The same in f64.
#[inline(always)]
pub(crate) fn square64<S: Simd>(x: f64) -> (f64, f64) {
    let s = x * x;
    if S::FUSED {
        (s, x.mul_add(x, -s))
    } else {
        let hi = f64::from_bits(x.to_bits() & 0xffff_ffff_f800_0000);
        let lo = x - hi;
        (s, ((hi * hi - s) + 2.0 * hi * lo) + lo * lo)
    }
}

#[inline(always)]
pub(crate) fn choose<T>(mask: bool, yes: T, no: T) -> T {
    if mask { yes } else { no }
}
