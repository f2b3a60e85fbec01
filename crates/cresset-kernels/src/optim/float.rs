//! The arithmetic in which formulas are written.

use crate::math::Wide;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// f32 or f64, with ordinary operators. Every operation is rounded once, at every level: the same bits on every machine.
pub trait Float:
    Wide + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The nearest value to a number.
    fn of(v: f64) -> Self;
    /// As f64.
    fn f64(self) -> f64;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The larger; NaN if either is.
    fn larger(self, b: Self) -> Self;
    /// `yes` where `condition` holds, otherwise `no`.
    #[inline(always)]
    fn choose(condition: bool, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }
    /// From `self` to `to`, the fraction `weight` of the way, from whichever end is nearer (`torch.lerp`).
    #[inline(always)]
    fn lerp(self, to: Self, weight: f64) -> Self {
        if weight.abs() < 0.5 {
            self + Self::of(weight) * (to - self)
        } else {
            to - (to - self) * (Self::of(1.0) - Self::of(weight))
        }
    }
}

macro_rules! float {
    ($t:ty) => {
        impl Float for $t {
            #[inline(always)]
            fn of(v: f64) -> $t {
                v as $t
            }
            #[inline(always)]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn sqrt(self) -> $t {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> $t {
                <$t>::abs(self)
            }
            #[inline(always)]
            fn larger(self, b: $t) -> $t {
                if self > b || self.is_nan() { self } else { b }
            }
        }
    };
}
float!(f32);
float!(f64);
