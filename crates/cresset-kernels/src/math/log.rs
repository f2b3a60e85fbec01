//! Logarithms: `x = 2^e m` with `m` between √½ and √2, `f = m - 1`, and a polynomial in `f`.

use super::exp::{LN2_HI, LN2_LO};
use super::{choose, fma, fma64, poly, poly64};
use crate::level::Simd;

/// `(ln(1 + f) - f + f²/2) / f³` between √½ - 1 and √2 - 1, 8e-10 of ln.
const P: [f32; 9] = [
    3.333_331_3e-1,
    -2.500_001e-1,
    2.000_211_9e-1,
    -1.666_799_5e-1,
    1.421_955_4e-1,
    -1.240_559_5e-1,
    1.188_816_06e-1,
    -1.167_561_4e-1,
    6.746_598e-2,
];
/// The bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;
const TWO_23: f32 = 8_388_608.0;
const LOG2E_LO: f32 = (std::f64::consts::LOG2_E - std::f32::consts::LOG2_E as f64) as f32;
const LOG10E_LO: f32 = (std::f64::consts::LOG10_E - std::f32::consts::LOG10_E as f64) as f32;
/// log10 2 in two parts; the first has 14 bits, so that an exponent times it is exact.
const LOG10_2_HI: f32 = 4932.0 / 16384.0;
const LOG10_2_LO: f32 = 4.605_039e-6;

/// The exponent and `m - 1` of a positive finite number, denormals included.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let tiny = x < f32::MIN_POSITIVE;
    let bits = choose(tiny, x * TWO_23, x).to_bits() as i32;
    let e = bits.wrapping_sub(SQRT_HALF) >> 23;
    let m = f32::from_bits(bits.wrapping_sub(e << 23) as u32);
    (e as f32 - choose(tiny, 23.0, 0.0), m - 1.0)
}

/// What `ln(1 + f)` has beyond `f`, in two parts that are to be added in this order.
#[inline(always)]
fn beyond<S: Simd>(f: f32) -> (f32, f32) {
    let s = f * f;
    (poly::<S, 9>(f, P) * (f * s), -0.5 * s)
}

/// Infinity, zero, negative numbers and NaN, told apart by their bits: from comparisons of floats the compiler makes a
/// classification that costs as much as the logarithm.
#[inline(always)]
fn ends(x: f32, y: f32) -> f32 {
    let bits = x.to_bits() as i32;
    let y = choose(bits >= 0x7f80_0000, x, y);
    let y = choose(bits < 0, f32::NAN, y);
    choose(bits << 1 == 0, f32::NEG_INFINITY, y)
}

#[inline(always)]
pub(crate) fn ln<S: Simd>(x: f32) -> f32 {
    let (e, f) = split(x);
    let (p, h) = beyond::<S>(f);
    let y = fma::<S>(e, LN2_LO, p) + h;
    ends(x, fma::<S>(e, LN2_HI, f + y))
}

#[inline(always)]
pub(crate) fn log2<S: Simd>(x: f32) -> f32 {
    use std::f32::consts::LOG2_E;
    let (e, f) = split(x);
    let (p, h) = beyond::<S>(f);
    let l = f + (p + h);
    ends(x, fma::<S>(l, LOG2_E, fma::<S>(l, LOG2E_LO, e)))
}

#[inline(always)]
pub(crate) fn log10<S: Simd>(x: f32) -> f32 {
    use std::f32::consts::LOG10_E;
    let (e, f) = split(x);
    let (p, h) = beyond::<S>(f);
    let l = f + (p + h);
    let low = fma::<S>(l, LOG10E_LO, e * LOG10_2_LO);
    ends(x, fma::<S>(e, LOG10_2_HI, fma::<S>(l, LOG10_E, low)))
}

/// `ln(1 + x)`: what is lost in rounding `u = 1 + x` is added to `f`.
#[inline(always)]
pub(crate) fn log1p<S: Simd>(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = choose(x < 1.0, x - (u - 1.0), 1.0 - (u - x));
    let bits = u.to_bits() as i32;
    let e = bits.wrapping_sub(SQRT_HALF) >> 23;
    let m = f32::from_bits(bits.wrapping_sub(e << 23) as u32);
    let down = f32::from_bits((127i32.wrapping_sub(e) as u32) << 23);
    // Beyond 2^24 nothing is lost (and 2^-e would leave the range).
    let f = fma::<S>(lost, choose(x > 16_777_216.0, 0.0, down), m - 1.0);
    let (p, h) = beyond::<S>(f);
    let e = e as f32;
    let y = fma::<S>(e, LN2_LO, p) + h;
    let y = ends(u, fma::<S>(e, LN2_HI, f + y));
    choose(x.abs() < 3e-8, x, y)
}

/// `(2 atanh(s) - 2 s) / s³` over s² for |s| <= 0.1716, 1.2e-18 of atanh.
const R_64: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_163_75,
    0.285_714_287_420_142_54,
    0.222_221_986_109_243_26,
    0.181_835_623_973_402_22,
    0.153_140_990_446_180_46,
    0.147_954_729_904_112_6,
];
const LN2_HI_64: f64 = 0.693_147_180_558_298_7;
const LN2_LO_64: f64 = 1.646_594_958_289_708_2e-12;
const SQRT_HALF_64: i64 = 0x3fe6_a09e_667f_3bcd;
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// Exponent and mantissa between √½ and √2 of a positive finite number. The exponent goes from integer to float through the
/// mantissa of 2^52, because AVX2 has no conversion of 64-bit integers.
#[inline(always)]
fn split_64(x: f64) -> (f64, i64, f64) {
    let bits = x.to_bits() as i64;
    let biased = (bits.wrapping_sub(SQRT_HALF_64).wrapping_add(1023 << 52) as u64) >> 52;
    let e = biased as i64 - 1023;
    let m = f64::from_bits(bits.wrapping_sub(e << 52) as u64);
    let ef = f64::from_bits(TWO_52.to_bits() | biased) - (TWO_52 + 1023.0);
    (ef, e, m)
}

/// `e ln 2 + ln(1 + f)` by `ln(1 + f) = f - s (f - R)` with `s = f / (2 + f)`.
#[inline(always)]
fn ln_parts_64<S: Simd>(e: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly64::<S, 7>(z, R_64);
    let half = 0.5 * f * f;
    // ln(1+f) = f - (f²/2 - s (f²/2 + r)): the correction stays small beside f.
    let tail = fma64::<S>(s, half + r, e * LN2_LO_64);
    fma64::<S>(e, LN2_HI_64, f - (half - tail))
}

#[inline(always)]
fn ends_64(x: f64, y: f64) -> f64 {
    let bits = x.to_bits() as i64;
    let y = choose(bits >= 0x7ff0_0000_0000_0000, x, y);
    let y = choose(bits < 0, f64::NAN, y);
    choose(bits << 1 == 0, f64::NEG_INFINITY, y)
}

#[inline(always)]
pub(crate) fn ln64<S: Simd>(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let (e, _, m) = split_64(choose(tiny, x * TWO_52, x));
    ends_64(x, ln_parts_64::<S>(e - choose(tiny, 52.0, 0.0), m - 1.0))
}

#[inline(always)]
pub(crate) fn log1p_64<S: Simd>(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = choose(x < 1.0, x - (u - 1.0), 1.0 - (u - x));
    let (ef, e, m) = split_64(u);
    let down = f64::from_bits((1023i64.wrapping_sub(e) as u64) << 52);
    let y = ends_64(u, ln_parts_64::<S>(ef, fma64::<S>(lost, choose(x > 1e16, 0.0, down), m - 1.0)));
    choose(x.abs() < 5e-17, x, y)
}
