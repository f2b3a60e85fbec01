//! Sine and cosine of an f32, reduced in f64 without branches, correct for every finite argument.

use super::{choose, fma, poly};
use crate::level::Simd;

/// `(sin(x) / x - 1) / x²` over x² for |x| <= π/4, 5e-12 of sin.
const SIN: [f32; 4] = [-1.666_666_7e-1, 8.333_329e-3, -1.983_930_9e-4, 2.718_084e-6];
/// `(cos(x) - 1 + x²/2) / x⁴` over x² for |x| <= π/4, 1e-13 of cos.
const COS: [f32; 4] = [4.166_666_8e-2, -1.388_888_3e-3, 2.479_945_6e-5, -2.720_54e-7];

/// π/2 in two parts; the first has 33 bits, so that multiples up to 2^20 are exact.
const HALF_PI_HI: f64 = 1.570_796_326_734_125_6;
const HALF_PI_LO: f64 = 6.077_100_506_506_192e-11;
const MAGIC: f64 = 6_755_399_441_055_744.0;
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// The bits of 2/π, after five zeros.
const TWO_OVER_PI: [u32; 7] =
    [0x0517_cc1b, 0x7272_20a9, 0x4fe1_3abe, 0x8fa9_a6ee, 0x06db_14ac, 0xc9e2_1c82, 0x0ff2_8b1d];
/// The exponent field of 2^20, from where on the product with all bits is taken.
const BIG: i32 = 147;

/// The quadrant in the low two bits, and the angle left, between -π/4 and π/4.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let w = x as f64;
    let t = w * std::f64::consts::FRAC_2_PI + MAGIC;
    let n = t - MAGIC;
    let r = (w - n * HALF_PI_HI) - n * HALF_PI_LO;

    let (q2, r2) = reduce_big(x);
    // Below 2^20 all ones. Blended by bits here and below: from comparisons the compiler makes branches and tables.
    let small = (((x.to_bits() >> 23) & 0xff) as i32 - BIG) >> 31;
    let wide = small as i64 as u64;
    let r = f64::from_bits((r.to_bits() & wide) | (r2.to_bits() & !wide));
    ((t.to_bits() as i32 & small) | (q2 & !small), r as f32)
}

/// The same for `x = m 2^k` of at least 2^20: the 24-bit m times those 96 bits of `2^k (2/π)` that matter modulo 4. The words
/// are picked by selection, not from a table in memory, because a loop with gathers would not be worth vectorising.
#[inline(always)]
fn reduce_big(x: f32) -> (i32, f64) {
    let b = x.to_bits();
    let start = ((b >> 23) & 0xff).wrapping_sub(BIG as u32);
    let shift = start & 31;
    let odd = 0u32.wrapping_sub((start >> 5) & 1);
    let upper = 0u32.wrapping_sub((start >> 6) & 1);
    let blend = |a: u32, b: u32, mask: u32| a ^ ((a ^ b) & mask);
    let pick = |i: usize| {
        let low = blend(TWO_OVER_PI[i], TWO_OVER_PI[i + 1], odd);
        let high = blend(TWO_OVER_PI[i + 2], TWO_OVER_PI[i + 3], odd);
        blend(low, high, upper)
    };
    let (w0, w1, w2, w3) = (pick(0), pick(1), pick(2), pick(3));
    let join = |a: u32, b: u32| (a << shift) | ((b >> 1) >> (31 - shift));
    let (a0, a1, a2) = (join(w0, w1), join(w1, w2), join(w2, w3));
    let m = ((b & 0x007f_ffff) | 0x0080_0000) as u64;
    // Quarter turns modulo 4, in units of 2^-62.
    let low = m * a1 as u64;
    let turns = ((m * a0 as u64) << 32).wrapping_add(low).wrapping_add((m * a2 as u64) >> 32);
    let q = (turns.wrapping_add(1 << 61) >> 62) as i32;
    // The signed rest in two halves, as floats.
    let rest = turns << 2;
    let high = (rest >> 32) as u32 as i32 as f64;
    let low = f64::from_bits((rest & 0xffff_ffff) | TWO_52.to_bits()) - TWO_52;
    const UNIT: f64 = std::f64::consts::FRAC_PI_2 / 4_294_967_296.0;
    let r = high * UNIT + low * (UNIT / 4_294_967_296.0);
    // The sign of x turns both around.
    let sign = (b as i32) >> 31;
    let r = f64::from_bits(r.to_bits() ^ ((b as u64 >> 31) << 63));
    ((q ^ sign).wrapping_sub(sign), r)
}

/// Sine (turn 0) or cosine (turn 1).
#[inline(always)]
fn sin_turned<S: Simd>(x: f32, turn: i32) -> f32 {
    let (q, r) = reduce(x);
    let q = q.wrapping_add(turn);
    let s = r * r;
    let sin = fma::<S>(r * s, poly::<S, 4>(s, SIN), r);
    let cos = fma::<S>(s * s, poly::<S, 4>(s, COS), fma::<S>(s, -0.5, 1.0));
    let y = choose(q & 1 == 0, sin, cos);
    f32::from_bits(y.to_bits() ^ (((q & 2) as u32) << 30))
}

#[inline(always)]
pub(crate) fn sin<S: Simd>(x: f32) -> f32 {
    let y = sin_turned::<S>(x, 0);
    choose(x.abs() < 1e-4, x, choose(x.abs() < f32::INFINITY, y, f32::NAN))
}

#[inline(always)]
pub(crate) fn cos<S: Simd>(x: f32) -> f32 {
    choose(x.abs() < f32::INFINITY, sin_turned::<S>(x, 1), f32::NAN)
}
