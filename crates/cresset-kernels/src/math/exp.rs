//! Exponentials and what is built on them.
//!
//! `x = n ln 2 + r` with `|r| <= ln 2 / 2`, `e^r = 1 + r + r² q(r)`, and `2^n` is multiplied on in two steps so that overflow and
//! denormal results come out right. NaN passes because the clamps are written as comparisons that NaN fails.

use super::{choose, fma, fma64, poly, poly64};
use crate::level::Simd;
use std::f32::consts::{LN_2, LOG2_E};

/// ln 2 in two parts; the first has 15 bits, so that `n` times it is exact.
pub(crate) const LN2_HI: f32 = 0.693_145_75;
pub(crate) const LN2_LO: f32 = 1.428_606_8e-6;
/// Adding it rounds to an integer, which then stands in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// `(e^r - 1 - r) / r²` for |r| <= 0.347, 3e-9 of e^r.
const Q: [f32; 5] = [4.999_999_4e-1, 1.666_652e-1, 4.166_839_3e-2, 8.368_781e-3, 1.381_446_4e-3];
/// The same, 2.5e-10 of e^r - 1.
const Q_M1: [f32; 6] = [5.0e-1, 1.666_666_6e-1, 4.166_636e-2, 8.333_39e-3, 1.394_072e-3, 1.984_588_6e-4];

/// The nearest integer, as a float and as an integer. For |x| < 2^22.
#[inline(always)]
fn round_to_int<S: Simd>(x: f32, by: f32) -> (f32, i32) {
    let t = fma::<S>(x, by, MAGIC);
    (t - MAGIC, (t.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32))
}

/// `p * 2^n` for -252 <= n <= 254.
#[inline(always)]
fn scale(p: f32, n: i32) -> f32 {
    let a = n >> 1;
    let b = n.wrapping_sub(a);
    p * pow2(a) * pow2(b)
}

/// `2^n` for -126 <= n <= 127.
#[inline(always)]
fn pow2(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `e^r - 1` for |r| <= 0.347, to a rounding of e^r.
#[inline(always)]
fn exp_r_less_1<S: Simd>(r: f32) -> f32 {
    fma::<S>(r * r, poly::<S, 5>(r, Q), r)
}

/// `(m, n)` with `e^(x - lost) = (1 + m) 2^n`, where `lost` is far smaller than `x`.
#[inline(always)]
fn parts<S: Simd>(x: f32, lost: f32) -> (f32, i32) {
    let x = choose(x < -120.0, -120.0, x);
    let x = choose(x > 91.0, 91.0, x);
    let (n, i) = round_to_int::<S>(x, LOG2_E);
    let r = fma::<S>(n, -LN2_HI, x);
    let r = fma::<S>(n, -LN2_LO, r) - lost;
    (exp_r_less_1::<S>(r), i)
}

/// `e^x * 2^shift`
#[inline(always)]
pub(crate) fn exp_of<S: Simd>(x: f32, shift: i32) -> f32 {
    let (m, n) = parts::<S>(x, 0.0);
    scale(1.0 + m, n.wrapping_add(shift))
}

/// `e^(x - lost) (q + dq)`, where `lost` and `dq` are far smaller than `x` and `q`: few roundings, denormal results included.
#[inline(always)]
pub(crate) fn exp_times<S: Simd>(x: f32, lost: f32, q: f32, dq: f32) -> f32 {
    let (m, n) = parts::<S>(x, lost);
    scale(q + fma::<S>(q, m, dq), n)
}

#[inline(always)]
pub(crate) fn exp<S: Simd>(x: f32) -> f32 {
    exp_of::<S>(x, 0)
}

#[inline(always)]
pub(crate) fn exp2<S: Simd>(x: f32) -> f32 {
    let x = choose(x < -151.0, -151.0, x);
    let x = choose(x > 129.0, 129.0, x);
    let (n, i) = round_to_int::<S>(x, 1.0);
    scale(1.0 + exp_r_less_1::<S>((x - n) * LN_2), i)
}

#[inline(always)]
pub(crate) fn expm1<S: Simd>(x: f32) -> f32 {
    let c = choose(x < -18.0, -18.0, x);
    let c = choose(c > 89.0, 89.0, c);
    let (n, i) = round_to_int::<S>(c, LOG2_E);
    let r = fma::<S>(n, -LN2_HI, c);
    let r = fma::<S>(n, -LN2_LO, r);
    let m = fma::<S>(r * r, poly::<S, 6>(r, Q_M1), r);
    // 2^n (m + 1) - 1, with half of 2^n so that n = 128 does not overflow too early.
    let h = pow2(i.wrapping_sub(1));
    let y = 2.0 * fma::<S>(h, m, h - 0.5);
    choose(x.abs() < 3e-8, x, choose(c == 89.0, f32::INFINITY, y))
}

/// `1 / (1 + e^-x)`; the exponential is taken of `-|x|`, so that it cannot overflow and the lower tail keeps its denormals.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(x: f32) -> f32 {
    let e = exp::<S>(-x.abs());
    choose(x < 0.0, e, 1.0) / (1.0 + e)
}

const LN2_HI_64: f64 = 0.693_147_180_558_298_7;
const LN2_LO_64: f64 = 1.646_594_958_289_708_2e-12;
const MAGIC_64: f64 = 6_755_399_441_055_744.0;
/// `(e^r - 1 - r) / r²` for |r| <= 0.347, 9e-17 of e^r - 1.
const Q_64: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_66,
    0.041_666_666_666_666_685,
    0.008_333_333_333_332_736,
    0.001_388_888_888_884_171_4,
    0.000_198_412_698_478_406_24,
    2.480_158_758_965_108_4e-5,
    2.755_729_551_740_638_7e-6,
    2.755_673_703_606_314e-7,
    2.508_547_444_391_438_2e-8,
    2.124_406_136_435_426e-9,
];

/// `2^n` for -1022 <= n <= 1023.
#[inline(always)]
fn pow2_64(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// The remainder, its `e^r - 1`, and n.
#[inline(always)]
fn reduce_64<S: Simd>(x: f64, lost: f64) -> (f64, i64) {
    let t = fma64::<S>(x, std::f64::consts::LOG2_E, MAGIC_64);
    let n = t - MAGIC_64;
    let r = fma64::<S>(n, -LN2_HI_64, x);
    let r = fma64::<S>(n, -LN2_LO_64, r) - lost;
    let m = fma64::<S>(r * r, poly64::<S, 11>(r, Q_64), r);
    (m, (t.to_bits() as i64).wrapping_sub(MAGIC_64.to_bits() as i64))
}

/// `e^(x - lost) * 2^shift` in f64.
#[inline(always)]
pub(crate) fn exp_of64<S: Simd>(x: f64, lost: f64, shift: i64) -> f64 {
    let x = choose(x < -746.0, -746.0, x);
    let x = choose(x > 711.0, 711.0, x);
    let (m, n) = reduce_64::<S>(x, lost);
    let n = n.wrapping_add(shift);
    // An arithmetic shift of 64-bit lanes is missing below AVX-512; n is small, so a biased logical one does.
    let a = ((n.wrapping_add(4096) as u64) >> 1) as i64 - 2048;
    (m + 1.0) * pow2_64(a) * pow2_64(n.wrapping_sub(a))
}

#[inline(always)]
pub(crate) fn exp64<S: Simd>(x: f64) -> f64 {
    exp_of64::<S>(x, 0.0, 0)
}

#[inline(always)]
pub(crate) fn expm1_64<S: Simd>(x: f64) -> f64 {
    let c = choose(x < -40.0, -40.0, x);
    let c = choose(c > 709.9, 709.9, c);
    let (m, n) = reduce_64::<S>(c, 0.0);
    let h = pow2_64(n.wrapping_sub(1));
    let y = 2.0 * fma64::<S>(h, m, h - 0.5);
    choose(x.abs() < 5e-17, x, choose(c == 709.9, f64::INFINITY, y))
}

#[inline(always)]
pub(crate) fn sigmoid64<S: Simd>(x: f64) -> f64 {
    let e = exp64::<S>(-x.abs());
    choose(x < 0.0, e, 1.0) / (1.0 + e)
}
