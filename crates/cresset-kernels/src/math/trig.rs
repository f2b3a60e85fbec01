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

/// The first 320 bits of 2/π behind the point.
const TWO_OVER_PI: [u64; 5] =
    [0xa2f9_836e_4e44_1529, 0xfc27_57d1_f534_ddc0, 0xdb62_9599_3c43_9041, 0xfe51_63ab_debb_c561, 0xb724_6e3a_424d_d2e0];

/// The bits of 2/π of weight 2^-from down to 2^-(from + count - 1), as an integer.
const fn bits(from: i32, count: i32) -> u64 {
    let mut v = 0;
    let mut i = from;
    while i < from + count {
        v <<= 1;
        if i >= 1 {
            let at = (i - 1) as usize;
            v |= (TWO_OVER_PI[at / 64] >> (63 - at % 64)) & 1;
        }
        i += 1;
    }
    v
}

/// `2^k (2/π) mod 4` in three parts of 29, 29 and 32 bits, for numbers of the form `m 2^k` with 24-bit m.
const fn table() -> [[f64; 3]; 128] {
    let mut t = [[0.0; 3]; 128];
    let mut i = 0;
    while i < 108 {
        let k = i as i32 + FIRST - 150;
        t[i] = [
            bits(k - 1, 29) as f64 / (1u64 << 27) as f64,
            bits(k + 28, 29) as f64 / (1u64 << 56) as f64,
            bits(k + 57, 32) as f64 / (1u64 << 56) as f64 / (1u64 << 32) as f64,
        ];
        i += 1;
    }
    t
}
static TABLE: [[f64; 3]; 128] = table();
/// The exponent field of 2^20, where the table begins.
const FIRST: i32 = 147;

/// The quadrant in the low two bits, and the angle left, between -π/4 and π/4.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let w = x as f64;
    let t = w * std::f64::consts::FRAC_2_PI + MAGIC;
    let n = t - MAGIC;
    let r = (w - n * HALF_PI_HI) - n * HALF_PI_LO;

    // x = m 2^k: multiply m with 2^k (2/π) mod 4, keeping the digits behind the point.
    let b = x.to_bits();
    let big = x.abs() >= 1_048_576.0;
    let row = &TABLE[((((b >> 23) & 0xff) as i32 - FIRST).max(0) & 127) as usize];
    let m = f32::from_bits((b & 0x807f_ffff) | 0x4b00_0000) as f64;
    let a = m * row[0];
    let a = a - ((a * 0.25 + MAGIC) - MAGIC) * 4.0;
    let c = m * row[1];
    let t2 = (a + c) + MAGIC;
    let r2 = (((a - (t2 - MAGIC)) + c) + m * row[2]) * std::f64::consts::FRAC_PI_2;

    (choose(big, t2, t).to_bits() as i32, choose(big, r2, r) as f32)
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
