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
mod scan;
mod shared;

pub use fold::{Again, First, Fold, reduce};
pub(crate) use fold::{TILE, fold_cols, fold_row, sum_pairs};
pub(crate) use moments::{Deviations, deviations_cols};

pub use folds::{
    AbsMax, AbsMin, All, Any, CountNonzero, Extremum, Max, Mean, Min, NanCount, NanSum, Power, Product, Sum,
    SumSquares, Summand, ZeroPower,
};
pub use index::{arg_extremum, extremum_with_index};
pub use moments::moments;
pub use scan::{CumProd, CumSum, LogCumSumExp, Scan, cum_extremum, scan};
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
    Number
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
        }
    };
}
real!(f32);
real!(f64);

#[cfg(test)]
mod tests;
