//! The types a fill can write, and how a drawn value becomes one of them.

use super::GeneratorState;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// An element of a tensor that can be filled: f32, f64, f16, bf16, i64, i32, i16, i8, u8 and bool.
pub trait Number: Copy + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// Zero, or false.
    const ZERO: Self;
    /// One, or true.
    const ONE: Self;
    /// The largest value that `random_()` gives: the type's largest integer, 2^digits for floats, 1 for bool.
    const RANDOM_MAX: i64;
    /// Whether `random_()` draws 64 bits for an element.
    const RANDOM_WIDE: bool = false;
    /// Bits of the mantissa with the hidden one; 0 for integers.
    const DIGITS: u32 = 0;
    /// The integer in this type: integers wrap, bool is "not zero", f16 and bf16 round twice (through f32).
    fn from_i64(value: i64) -> Self;
    /// The number in this type: integers truncate, f16 and bf16 round twice (through f32).
    fn from_f64(value: f64) -> Self;
}

/// A floating-point [`Number`].
pub trait Float: Number + sealed::Fill {
    /// The number rounded to this type.
    fn from_f32(value: f32) -> Self;
    /// The number, exactly (rounded for f64).
    fn to_f32(self) -> f32;
    /// The number, exactly.
    fn to_f64(self) -> f64;
    /// `self * factor` rounded once to this type.
    fn times(self, factor: Self) -> Self;
    /// Rounds each of `from` to this type.
    fn narrow(from: &[f32], to: &mut [Self]);
    /// Widens each of `from` to f32.
    fn widen(from: &[Self], to: &mut [f32]);
}

pub(super) mod sealed {
    use super::GeneratorState;

    pub trait Sealed {}

    /// The fills whose algorithm depends on the type.
    pub trait Fill: Sized {
        fn uniform(generator: &mut GeneratorState, out: &mut [Self], from: f64, to: f64);
        fn normal_block(generator: &mut GeneratorState, out: &mut [Self], mean: f64, std: f64);
    }
}

macro_rules! integer {
    ($($t:ty)*) => {$(
        impl sealed::Sealed for $t {}
        impl Number for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const RANDOM_MAX: i64 = <$t>::MAX as i64;
            const RANDOM_WIDE: bool = size_of::<$t>() == 8;
            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                // Through i64: a number too large for a small type wraps, as the conversion instruction of x86 does.
                value as i64 as $t
            }
        }
    )*};
}

integer!(i64 i32 i16 i8 u8);

impl sealed::Sealed for bool {}
impl Number for bool {
    const ZERO: Self = false;
    const ONE: Self = true;
    const RANDOM_MAX: i64 = 1;
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        value != 0
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value != 0.0
    }
}

impl sealed::Sealed for f32 {}
impl Number for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const RANDOM_MAX: i64 = 1 << 24;
    const DIGITS: u32 = 24;
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}
impl Float for f32 {
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn times(self, factor: Self) -> Self {
        self * factor
    }
    fn narrow(from: &[f32], to: &mut [Self]) {
        to.copy_from_slice(from);
    }
    fn widen(from: &[Self], to: &mut [f32]) {
        to.copy_from_slice(from);
    }
}

impl sealed::Sealed for f64 {}
impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const RANDOM_MAX: i64 = 1 << 53;
    const RANDOM_WIDE: bool = true;
    const DIGITS: u32 = 53;
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        value as f64
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
}
impl Float for f64 {
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        f64::from(value)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn times(self, factor: Self) -> Self {
        self * factor
    }
    fn narrow(from: &[f32], to: &mut [Self]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = f64::from(from);
        }
    }
    fn widen(from: &[Self], to: &mut [f32]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from as f32;
        }
    }
}

macro_rules! half_float {
    ($t:ty, $digits:literal) => {
        impl sealed::Sealed for $t {}
        impl Number for $t {
            const ZERO: Self = <$t>::ZERO;
            const ONE: Self = <$t>::ONE;
            const RANDOM_MAX: i64 = 1 << $digits;
            const DIGITS: u32 = $digits;
            #[inline]
            fn from_i64(value: i64) -> Self {
                <$t>::from_f32(value as f32)
            }
            #[inline]
            fn from_f64(value: f64) -> Self {
                <$t>::from_f32(value as f32)
            }
        }
        impl Float for $t {
            #[inline]
            fn from_f32(value: f32) -> Self {
                <$t>::from_f32(value)
            }
            #[inline]
            fn to_f32(self) -> f32 {
                <$t>::to_f32(self)
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(<$t>::to_f32(self))
            }
            #[inline]
            fn times(self, factor: Self) -> Self {
                <$t>::from_f32(<$t>::to_f32(self) * <$t>::to_f32(factor))
            }
            fn narrow(from: &[f32], to: &mut [Self]) {
                to.convert_from_f32_slice(from);
            }
            fn widen(from: &[Self], to: &mut [f32]) {
                from.convert_to_f32_slice(to);
            }
        }
    };
}

half_float!(f16, 11);
half_float!(bf16, 8);
