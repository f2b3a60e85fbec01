//! The ten element types, and how each is brought into a block and back.

use super::drive::Convert;
use crate::level::{Kernel, Simd, dispatch};
use crate::math::Wide;
use half::{bf16, f16};

/// A type that tensors hold.
pub trait Element: Copy + Send + Sync + 'static {
    /// What functions get to see: f32 for f16 and bf16, the type itself for all others.
    type Block: Number;
    /// From memory to block; none if they are the same.
    #[doc(hidden)]
    const LOAD: Option<Convert> = None;
    /// From block to memory.
    #[doc(hidden)]
    const STORE: Option<Convert> = None;
}

/// A floating-point element type: f32, f64, f16, bf16.
pub trait Float: Element<Block: Wide> {}

impl Float for f32 {}
impl Float for f64 {}
impl Float for f16 {}
impl Float for bf16 {}

impl Element for f16 {
    type Block = f32;
    const LOAD: Option<Convert> = Some(widen_f16);
    const STORE: Option<Convert> = Some(narrow_f16);
}
impl Element for bf16 {
    type Block = f32;
    const LOAD: Option<Convert> = Some(widen_bf16);
    const STORE: Option<Convert> = Some(narrow_bf16);
}

/// A number that is computed with, and its value as the others. Floats become integers by dropping the fraction; integers too
/// large for a type wrap; anything but zero (NaN too) is true.
pub trait Number: Copy + PartialEq + PartialOrd + Default + Send + Sync + 'static {
    /// As f32.
    fn as_f32(self) -> f32;
    /// As f64.
    fn as_f64(self) -> f64;
    /// As i32, wrapping.
    fn as_i32(self) -> i32;
    /// As i64.
    fn as_i64(self) -> i64;
    /// Is it not zero?
    fn as_bool(self) -> bool;
    /// This type's value of any number.
    fn of<A: Number>(a: A) -> Self;
}

// One impl per type, equal but for the type and for which conversion `of` goes through.
macro_rules! number {
    ($($t:ty = $via:ident),*) => { $(
        impl Number for $t {
            #[inline(always)]
            fn as_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn as_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn as_i32(self) -> i32 {
                self as i32
            }
            #[inline(always)]
            fn as_i64(self) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn as_bool(self) -> bool {
                self != 0 as $t
            }
            #[inline(always)]
            fn of<A: Number>(a: A) -> $t {
                a.$via() as $t
            }
        }
        impl Element for $t {
            type Block = $t;
        }
    )* };
}
number!(f32 = as_f32, f64 = as_f64, i64 = as_i64, i32 = as_i32, i16 = as_i32, i8 = as_i32, u8 = as_i32);

impl Number for bool {
    #[inline(always)]
    fn as_f32(self) -> f32 {
        self as u8 as f32
    }
    #[inline(always)]
    fn as_f64(self) -> f64 {
        self as u8 as f64
    }
    #[inline(always)]
    fn as_i32(self) -> i32 {
        self as i32
    }
    #[inline(always)]
    fn as_i64(self) -> i64 {
        self as i64
    }
    #[inline(always)]
    fn as_bool(self) -> bool {
        self
    }
    #[inline(always)]
    fn of<A: Number>(a: A) -> bool {
        a.as_bool()
    }
}
impl Element for bool {
    type Block = bool;
}

/// The loop of a conversion, `n` elements from the first pointer to the second.
struct Convert1<A, R, F>(*const A, *mut R, usize, F);

impl<A: Copy, R, F: Fn(A) -> R> Kernel for Convert1<A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Convert1(from, to, n, f) = self;
        for i in 0..n {
            // SAFETY: n elements on either side, as `drive` promises.
            unsafe { to.add(i).write(f(from.add(i).read())) };
        }
    }
}

unsafe fn widen_f16(src: *const u8, dst: *mut u8, n: usize) {
    dispatch(Convert1(src.cast::<u16>(), dst.cast::<f32>(), n, f32_of_f16));
}

unsafe fn narrow_f16(src: *const u8, dst: *mut u8, n: usize) {
    dispatch(Convert1(src.cast::<u32>(), dst.cast::<u16>(), n, f16_of_f32));
}

unsafe fn widen_bf16(src: *const u8, dst: *mut u8, n: usize) {
    dispatch(Convert1(src.cast::<u16>(), dst.cast::<u32>(), n, |h| (h as u32) << 16));
}

unsafe fn narrow_bf16(src: *const u8, dst: *mut u8, n: usize) {
    dispatch(Convert1(src.cast::<u32>(), dst.cast::<u16>(), n, round_bf16));
}

/// The exponent and mantissa are shifted into place and the product with 2^112 mends the exponent's bias, denormals included;
/// infinity and NaN get the full exponent.
#[inline(always)]
fn f32_of_f16(h: u16) -> f32 {
    let h = h as u32;
    let value = f32::from_bits((h & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let all_ones = if h & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(value.to_bits() | all_ones | ((h & 0x8000) << 16))
}

/// To the nearest, halves to even. Numbers below f16's normal range are rounded by adding 1/2, whose last place is f16's
/// smallest step.
#[inline(always)]
fn f16_of_f32(bits: u32) -> u16 {
    let a = bits & 0x7fff_ffff;
    let normal = a.wrapping_add(0xfff + ((a >> 13) & 1)).wrapping_sub(112 << 23) >> 13;
    let small = (f32::from_bits(a) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let nan = 0x7e00 | ((a >> 13) & 0x3ff);
    let h = if a < 0x3880_0000 { small } else { normal };
    let h = if a >= 0x477f_f000 { 0x7c00 } else { h };
    let h = if a > 0x7f80_0000 { nan } else { h };
    (h | ((bits >> 16) & 0x8000)) as u16
}

/// The upper half of an f32's bits, rounded to the nearest, halves to even; NaN stays NaN.
#[inline(always)]
fn round_bf16(bits: u32) -> u16 {
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let nan = (bits >> 16) | 0x40;
    (if bits & 0x7fff_ffff > 0x7f80_0000 { nan } else { rounded }) as u16
}
