//! `a * b + c` in f32 with one rounding, on every level.

use crate::level::Simd;

/// The fused product and sum: one instruction where the level has it, else the same bits by f64 arithmetic, which unlike the
/// library call `fmaf` is a vector loop.
#[inline(always)]
pub(super) fn fused<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::FUSED { a.mul_add(b, c) } else { by_rounding_to_odd(a, b, c) }
}

/// The product is exact in f64. The sum is rounded to odd: 53 bits are more than 24 + 2, so that rounding it once more, to
/// f32, is as if it had been rounded once (Boldo and Melquiond 2008).
#[inline(always)]
pub(super) fn by_rounding_to_odd(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    let part = sum - product;
    let error = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    let away = (error > 0.0) == (sum > 0.0);
    let odd = if away { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    // An error that is not a number (infinite arguments) changes nothing.
    let inexact = (error > 0.0) | (error < 0.0);
    f64::from_bits(if inexact & (bits & 1 == 0) { odd } else { bits }) as f32
}
