//! The Box-Muller transform of PyTorch's f32 `randn`: groups of 16 uniforms become 16 normals.
//!
//! Logarithm, sine and cosine are the polynomials of the Cephes library (Moshier) for f32. Each product and sum that PyTorch's
//! vector build fuses is fused here, and no other, so that the bits agree on every level.

use super::fused::fused;
use crate::level::{Kernel, Simd};

/// Elements of a group: eight radii, then eight angles.
pub(super) const GROUP: usize = 16;
/// Groups transformed together: both working arrays stay in the first-level cache.
const GROUPS: usize = 32;
const HALF: usize = GROUP / 2;

/// Turns uniforms (whole groups) into normals in place.
pub(super) struct BoxMuller<'a> {
    pub data: &'a mut [f32],
    pub mean: f32,
    pub std: f32,
}

impl Kernel for BoxMuller<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let mut first = [0f32; GROUPS * HALF];
        let mut second = [0f32; GROUPS * HALF];
        for data in self.data.chunks_mut(GROUPS * GROUP) {
            let count = data.len() / 2;
            let (first, second) = (&mut first[..count], &mut second[..count]);
            for (i, group) in data.chunks_exact(GROUP).enumerate() {
                first[i * HALF..][..HALF].copy_from_slice(&group[..HALF]);
                second[i * HALF..][..HALF].copy_from_slice(&group[HALF..]);
            }
            for (a, b) in first.iter_mut().zip(second.iter_mut()) {
                let radius = (-2.0 * log::<S>(1.0 - *a)).sqrt();
                let (sin, cos) = sin_cos::<S>(std::f32::consts::TAU * *b);
                *a = fused::<S>(radius * cos, self.std, self.mean);
                *b = fused::<S>(radius * sin, self.std, self.mean);
            }
            for (i, group) in data.chunks_exact_mut(GROUP).enumerate() {
                group[..HALF].copy_from_slice(&first[i * HALF..][..HALF]);
                group[HALF..].copy_from_slice(&second[i * HALF..][..HALF]);
            }
        }
    }
}

/// A constant by its bits.
const fn f(bits: u32) -> f32 {
    f32::from_bits(bits)
}

/// The logarithm of x in (0, 1].
#[inline(always)]
fn log<S: Simd>(x: f32) -> f32 {
    const P: [u32; 9] = [
        0x3d90_21bb,
        0xbdeb_d1b8,
        0x3def_251a,
        0xbdfe_5d4f,
        0x3e11_e9bf,
        0xbe2a_ae50,
        0x3e4c_ceac,
        0xbe7f_fffc,
        0x3eaa_aaaa,
    ];
    const LN2_LOW: f32 = f(0xb95e_8083);
    const LN2_HIGH: f32 = f(0x3f31_8000);
    const SQRT_HALF: f32 = f(0x3f35_04f3);

    let x = if x < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { x };
    let bits = x.to_bits();
    let exponent = ((bits >> 23) as i32 - 127) as f32 + 1.0;
    let mantissa = f((bits & 0x807f_ffff) | 0x3f00_0000);
    let small = mantissa < SQRT_HALF;
    let e = exponent - if small { 1.0 } else { 0.0 };
    let x = (mantissa - 1.0) + if small { mantissa } else { 0.0 };
    let z = x * x;
    let mut y = f(P[0]);
    y = fused::<S>(y, x, f(P[1]));
    y = fused::<S>(y, x, f(P[2]));
    y = fused::<S>(y, x, f(P[3]));
    y = fused::<S>(y, x, f(P[4]));
    y = fused::<S>(y, x, f(P[5]));
    y = fused::<S>(y, x, f(P[6]));
    y = fused::<S>(y, x, f(P[7]));
    y = fused::<S>(y, x, f(P[8]));
    y *= x;
    y = fused::<S>(y, z, e * LN2_LOW);
    y = fused::<S>(z, -0.5, y);
    fused::<S>(e, LN2_HIGH, x + y)
}

/// Sine and cosine of x in [0, 2π].
#[inline(always)]
fn sin_cos<S: Simd>(x: f32) -> (f32, f32) {
    const FOUR_OVER_PI: f32 = f(0x3fa2_f983);
    const MINUS_PI_4: [f32; 3] = [f(0xbf49_0000), f(0xb97d_a000), f(0xb322_2169)];
    const COS: [f32; 3] = [f(0x37cc_f5ce), f(0xbab6_061a), f(0x3d2a_aaa5)];
    const SIN: [f32; 3] = [f(0xb94c_a1f9), f(0x3c08_839e), f(0xbe2a_aaa3)];

    // SAFETY: x is 2π times a uniform in [0, 1): the product is a number in [0, 8].
    let octant: i32 = unsafe { (x * FOUR_OVER_PI).to_int_unchecked() };
    let octant = (octant + 1) & !1;
    let turns = octant as f32;
    let sin_sign = ((octant & 4) << 29) as u32;
    let cos_sign = ((!(octant - 2) & 4) << 29) as u32;
    let mut x = fused::<S>(turns, MINUS_PI_4[0], x);
    x = fused::<S>(turns, MINUS_PI_4[1], x);
    x = fused::<S>(turns, MINUS_PI_4[2], x);
    let z = x * x;
    let mut c = fused::<S>(COS[0], z, COS[1]);
    c = fused::<S>(c, z, COS[2]) * z;
    c = fused::<S>(c, z, -(z * 0.5)) + 1.0;
    let mut s = fused::<S>(SIN[0], z, SIN[1]);
    s = fused::<S>(s, z, SIN[2]) * z;
    s = fused::<S>(s, x, x);
    let straight = octant & 2 == 0;
    let sin = if straight { s } else { c };
    let cos = if straight { c } else { s };
    (f(sin.to_bits() ^ sin_sign), f(cos.to_bits() ^ cos_sign))
}
