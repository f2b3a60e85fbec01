//! Reductions on slices: sums, products, extrema and their positions, moments, scans.
//!
//! A tensor that is reduced along neighbouring dimensions is three sizes, `outer`, `n` and `inner`: element (o, i, k) lies at
//! `(o * n + i) * inner + k`, and the result has `outer * inner` elements. With `inner == 1` rows are folded with many accumulators;
//! otherwise rows are added to rows. Both are summed in blocks, and the blocks in pairs, so that the rounding error of a sum of n
//! numbers grows like log n. Work is cut by size alone: the same bits on any number of threads.

use crate::lane::Lane;
use crate::level::Simd;

mod fold;
mod folds;
mod index;
mod moments;
mod reduction;
mod scan;
mod shared;

pub(crate) use fold::{Cascade, TILE, fold, fold_cols, fold_row, sum_pairs, sum_triples};
pub use folds::Summand;
pub(crate) use folds::{Max, Sum};
pub(crate) use moments::{Deviations, deviations_cols};
pub use reduction::{Count, Group, Reduce, Reduction, Sizes, count_true};
pub use scan::{Running, Runs};
pub(crate) use shared::Shared;

/// How many elements make a piece of work for one thread.
pub(crate) const PIECE: usize = 32768;

/// What can be compared: numbers, where NaN is larger than every other in `sort`, and taken by `max` and `min` alike.
pub trait Number: crate::buffer::Element + PartialOrd + Default {
    /// Not below any other.
    const HIGHEST: Self;
    /// Not above any other.
    const LOWEST: Self;
    /// Zero.
    const ZERO: Self;
    /// Is it NaN?
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn is_nan(self) -> bool {
        self != self
    }
}
macro_rules! number {
    ($($t:ident: $low:expr, $high:expr, $zero:expr;)*) => { $(
        impl Number for $t {
            const LOWEST: $t = $low;
            const HIGHEST: $t = $high;
            const ZERO: $t = $zero;
        }
    )* };
}
number! {
    f32: f32::NEG_INFINITY, f32::INFINITY, 0.0;
    f64: f64::NEG_INFINITY, f64::INFINITY, 0.0;
    i64: i64::MIN, i64::MAX, 0;
    i32: i32::MIN, i32::MAX, 0;
    i16: i16::MIN, i16::MAX, 0;
    i8: i8::MIN, i8::MAX, 0;
    u8: u8::MIN, u8::MAX, 0;
}

/// f32 and f64, with the little arithmetic that reductions need.
pub trait Real:
    Summand
    + crate::math::Wide
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
{
    /// One.
    const ONE: Self;
    /// Not a number.
    const NAN: Self;
    /// f32: worth a text of its own for short rows.
    const SHORT: bool;
    /// The nearest value.
    fn of(x: f64) -> Self;
    /// As f64.
    fn wide(self) -> f64;
    /// |x|
    fn abs(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// x to the power p.
    fn pow(self, p: Self) -> Self;
    /// Mean and sum of squared deviations of `x`, seen as (outer, n, inner), along n.
    fn moments(x: &[Self], sizes: Sizes, mean: &mut [Self], squares: &mut [Self]);
    /// e to the power x, in vector instructions where it stands in a loop.
    #[inline(always)]
    fn exp<S: Simd>(self) -> Self {
        Self::of_lane::<S>(self.lane::<S>().exp())
    }
    /// The natural logarithm.
    #[inline(always)]
    fn ln<S: Simd>(self) -> Self {
        Self::of_lane::<S>(self.lane::<S>().ln())
    }
}
macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            const ONE: $t = 1.0;
            const NAN: $t = $t::NAN;
            const SHORT: bool = size_of::<$t>() == 4;
            #[inline(always)]
            fn of(x: f64) -> $t {
                x as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn abs(self) -> $t {
                $t::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> $t {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn pow(self, p: $t) -> $t {
                self.powf(p)
            }
            fn moments(x: &[$t], sizes: Sizes, mean: &mut [$t], squares: &mut [$t]) {
                moments::moments_of(x, sizes, mean, squares);
            }
        }
    };
}
real!(f32);
real!(f64);

/// Writes a trait of kernels and implements it for some types by the generic functions of the same names that stand in the same module. A
/// trait's method for one type is compiled here; a generic function would be compiled, with all its loops, in every crate that calls it.
macro_rules! kernels {
    ($(#[$doc:meta])* pub trait $name:ident: $bound:ident, for $types:tt {
        $($(#[$about:meta])* fn $f:ident($($arg:ident: $ty:ty),* $(,)?);)*
    }) => {
        $(#[$doc])*
        pub trait $name: $bound {
            $($(#[$about])* fn $f($($arg: $ty),*);)*
        }
        $crate::reduce::kernels!(@each $name $types $($f($($arg: $ty),*))*);
    };
    (@each $name:ident [] $($rest:tt)*) => {};
    (@each $name:ident [$t:ty $(, $more:ty)*] $($f:ident($($arg:ident: $ty:ty),*))*) => {
        impl $name for $t {
            $(fn $f($($arg: $ty),*) { $f::<$t>($($arg),*) })*
        }
        $crate::reduce::kernels!(@each $name [$($more),*] $($f($($arg: $ty),*))*);
    };
}
pub(crate) use kernels;

#[cfg(test)]
mod tests;
