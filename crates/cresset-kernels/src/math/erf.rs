//! The error function and its relatives.

use super::exp::{exp_of, exp_of64, exp_times, exp64};
use super::{choose, fma, fma64, poly, poly64, square, square64};
use crate::level::Simd;

/// `erf(x) / x - 1` over x² for |x| <= 0.93, 5e-10 of erf.
const NEAR: [f32; 7] =
    [1.283_791_7e-1, -3.761_263_2e-1, 1.128_368_75e-1, -2.685_894e-2, 5.199_906e-3, -8.130_006e-4, 8.316_753e-5];
/// `-ln(erfc(x))` between 0.92 and 4, 5e-11 of erf.
const LOG_C: [f32; 8] = [
    -1.747_006_8e-4,
    1.129_515,
    6.333_467e-1,
    1.082_803_5e-1,
    -2.511_961_8e-2,
    4.171_144e-3,
    -4.344_813e-4,
    2.109_683_2e-5,
];
/// `e^(x²) erfc(x) (1 + 2x)` over `(x - 3) / (x + 3)` for x between 0 and 10.6, 2e-9.
const TAIL: [f32; 11] = [
    1.253_008,
    -1.356_211_5e-1,
    -4.756_245_4e-2,
    1.296_465e-1,
    -1.192_700_6e-1,
    6.829_581e-2,
    -2.380_249e-2,
    2.563_027e-3,
    2.009_057e-3,
    -7.655_02e-4,
    -2.634_252_3e-4,
];

#[inline(always)]
pub(crate) fn erf<S: Simd>(x: f32) -> f32 {
    let a = x.abs();
    let s = x * x;
    let near = fma::<S>(x, poly::<S, 7>(s, NEAR), x);
    let far = 1.0 - exp_of::<S>(-poly::<S, 8>(choose(a > 4.0, 4.0, a), LOG_C), 0);
    choose(a < 0.925, near, far.copysign(x))
}

/// `(Φ(x) - 1/2) / x` over `x² / 14.85 - 1` for |x| <= 5.45, so fitted that x times it is within 8e-9.
const PHI: [f32; 16] = [
    1.297_292_7e-1,
    -6.474_58e-2,
    4.811_836e-2,
    -3.900_597_2e-2,
    3.209_732_5e-2,
    -2.588_406_8e-2,
    2.004_530_5e-2,
    -1.461_045_2e-2,
    9.843_717e-3,
    -6.440_751_3e-3,
    4.289_974_5e-3,
    -2.251_013_6e-3,
    6.732_240_4e-4,
    -4.542_913_2e-4,
    5.455_1e-4,
    -2.072_242e-4,
];
/// 2 / 5.45²
const PHI_STEP: f32 = 0.067_334_4;

/// The normal distribution function to 8.4e-8.
#[inline(always)]
pub(crate) fn gaussian<S: Simd>(x: f32) -> f32 {
    let p = poly::<S, 16>(fma::<S>(x * x, PHI_STEP, -1.0), PHI);
    let y = fma::<S>(x, p, 0.5);
    let y = choose(x > 5.45, 1.0, y);
    choose(x < -5.45, 0.0, y)
}

/// `e^(-x²)` with the digits that rounding x² loses, times the slowly varying rest.
#[inline(always)]
pub(crate) fn erfc<S: Simd>(x: f32) -> f32 {
    let a = x.abs();
    let a = choose(a > 10.6, 10.6, a);
    let h = poly::<S, 11>((a - 3.0) / (a + 3.0), TAIL);
    let d = fma::<S>(a, 2.0, 1.0);
    let lost = fma::<S>(a, 2.0, 1.0 - d);
    // h / d, and what the roundings of d and of the quotient have lost.
    let inverse = 1.0 / d;
    let q = if S::FUSED { h * inverse } else { h / d };
    let dq = if S::FUSED { (fma::<S>(-q, d, h) - q * lost) * inverse } else { 0.0 };
    let (s, e) = square::<S>(a);
    let y = exp_times::<S>(-s, e, q, dq);
    let far = choose(x < 0.0, 2.0 - y, y);
    // Where erfc is between 1/2 and 3/2 its digits come from erf.
    let near = 1.0 - fma::<S>(x, poly::<S, 7>(x * x, NEAR), x);
    choose(x.abs() < 0.477, near, far)
}

/// `erf(x) / x - 1` over x² for |x| <= 1, 4e-17 of erf.
const NEAR_64: [f64; 13] = [
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
];
/// `e^(x²) erfc(x) (1 + 2x)` over `(x - 4) / (x + 4)` for x between 0 and 28, 1.4e-17.
const TAIL_64: [f64; 23] = [
    1.2329951186255526,
    -0.1396211168405629,
    0.01537965210262074,
    0.06809705425473732,
    -0.10103906603635212,
    0.09373283499679412,
    -0.06633036581152939,
    0.03716751556249286,
    -0.016197734059115006,
    0.005031969755895426,
    -0.00075777334141333,
    -0.00019925550755614952,
    0.000150622243948303,
    -2.4403169244974074e-05,
    -1.1224789135154701e-05,
    5.7178872846321855e-06,
    3.0135049944875397e-07,
    -8.351619688696847e-07,
    6.270727157198311e-08,
    1.1534943745754157e-07,
    -7.71541861441783e-09,
    -1.3670989863347383e-08,
    -1.8206098680308682e-09,
];

#[inline(always)]
pub(crate) fn erfc64<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let a = choose(a > 28.0, 28.0, a);
    let h = poly64::<S, 23>((a - 4.0) / (a + 4.0), TAIL_64);
    let d = fma64::<S>(a, 2.0, 1.0);
    let lost = fma64::<S>(a, 2.0, 1.0 - d);
    let q = h / d;
    let q = if S::FUSED { q + (fma64::<S>(-q, d, h) - q * lost) / d } else { q };
    let (s, e) = square64::<S>(a);
    let y = exp_of64::<S>(-s, e, 0) * q;
    let far = choose(x < 0.0, 2.0 - y, y);
    let near = 1.0 - fma64::<S>(x, poly64::<S, 13>(x * x, NEAR_64), x);
    choose(x.abs() < 0.477, near, far)
}

#[inline(always)]
pub(crate) fn gaussian64<S: Simd>(x: f64) -> f64 {
    fma64::<S>(erf64::<S>(x * std::f64::consts::FRAC_1_SQRT_2), 0.5, 0.5)
}

#[inline(always)]
pub(crate) fn erf64<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let near = fma64::<S>(x, poly64::<S, 13>(x * x, NEAR_64), x);
    choose(a < 1.0, near, (1.0 - erfc64::<S>(a)).copysign(x))
}

/// The inverse of erf by Halley's method on `erfc(z) = 1 - |x|`, which is exact in the tail.
#[inline(always)]
pub(crate) fn erfinv64<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let q = 1.0 - a;
    // Winitzki's approximation, good to 2e-3.
    let l = (q * (1.0 + a)).ln();
    let t = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * l;
    let mut z = ((t * t - l / 0.147).sqrt() - t).sqrt();
    for _ in 0..3 {
        let f = if a < 0.5 { erf64::<S>(z) - a } else { q - erfc64::<S>(z) };
        let u = f / (std::f64::consts::FRAC_2_SQRT_PI * exp64::<S>(-z * z));
        z -= u / (1.0 + z * u);
    }
    let z = choose(a < 1e-300, a, z);
    let z = choose(a == 1.0, f64::INFINITY, z);
    choose(a <= 1.0, z.copysign(x), f64::NAN)
}
