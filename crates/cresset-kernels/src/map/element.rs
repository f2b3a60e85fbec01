//! The ten element types, and how each is brought into a block and back.

use super::drive::Convert;
use crate::level::{Kernel, Simd, dispatch};
use crate::math::Wide;
use half::slice::HalfFloatSliceExt;
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

unsafe fn widen_f16(src: *const u8, dst: *mut u8, n: usize) {
    // SAFETY: `drive` gives n readable elements and room for n, in different memory. The room may be uninitialised, but any bytes
    // are a valid f32 and all are overwritten.
    unsafe {
        std::ptr::write_bytes(dst, 0, n * 4);
        let from = std::slice::from_raw_parts(src.cast::<f16>(), n);
        from.convert_to_f32_slice(std::slice::from_raw_parts_mut(dst.cast(), n));
    }
}

unsafe fn narrow_f16(src: *const u8, dst: *mut u8, n: usize) {
    // SAFETY: as in `widen_f16`.
    unsafe {
        std::ptr::write_bytes(dst, 0, n * 2);
        let to = std::slice::from_raw_parts_mut(dst.cast::<f16>(), n);
        to.convert_from_f32_slice(std::slice::from_raw_parts(src.cast(), n));
    }
}

unsafe fn widen_bf16(src: *const u8, dst: *mut u8, n: usize) {
    struct Widen(*const u16, *mut u32, usize);
    impl Kernel for Widen {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self) {
            for i in 0..self.2 {
                // SAFETY: n elements on either side, as `drive` promises.
                unsafe { self.1.add(i).write((self.0.add(i).read() as u32) << 16) };
            }
        }
    }
    dispatch(Widen(src.cast(), dst.cast(), n))
}

unsafe fn narrow_bf16(src: *const u8, dst: *mut u8, n: usize) {
    struct Narrow(*const u32, *mut u16, usize);
    impl Kernel for Narrow {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self) {
            for i in 0..self.2 {
                // SAFETY: n elements on either side, as `drive` promises.
                unsafe { self.1.add(i).write(round_bf16(self.0.add(i).read())) };
            }
        }
    }
    dispatch(Narrow(src.cast(), dst.cast(), n))
}

/// The upper half of an f32's bits, rounded to the nearest, halves to even; NaN stays NaN.
#[inline(always)]
fn round_bf16(bits: u32) -> u16 {
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let nan = (bits >> 16) | 0x40;
    (if bits & 0x7fff_ffff > 0x7f80_0000 { nan } else { rounded }) as u16
}
