//! The reductions themselves: each says what an element counts for and how two parts are joined.

use super::fold::Fold;
use super::{Number, Real};
use std::marker::PhantomData;

/// Numbers that can be summed and multiplied: i64 wraps around, as in PyTorch.
pub trait Summand: Number {
    /// a + b
    fn plus(self, b: Self) -> Self;
    /// a * b
    fn times(self, b: Self) -> Self;
    /// One.
    const UNIT: Self;
}
macro_rules! summand {
    ($($t:ty: $plus:expr, $times:expr, $one:expr;)*) => { $(
        impl Summand for $t {
            #[inline(always)]
            fn plus(self, b: $t) -> $t {
                $plus(self, b)
            }
            #[inline(always)]
            fn times(self, b: $t) -> $t {
                $times(self, b)
            }
            const UNIT: $t = $one;
        }
    )* };
}
summand! {
    f32: |a, b| a + b, |a, b| a * b, 1.0;
    f64: |a, b| a + b, |a, b| a * b, 1.0;
    i64: i64::wrapping_add, i64::wrapping_mul, 1;
}

/// Writes a fold without parameters: its element type and accumulator, what joins accumulators, and the three answers.
macro_rules! fold {
    ($(#[$doc:meta])* $name:ident<T: $bound:ident>, $acc:ty, $joined:ty, rare: $rare:expr, start: $start:expr, map: $map:expr, join: $join:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub(crate) struct $name<T>(pub PhantomData<T>);
        impl<T: $bound> Fold for $name<T> {
            type In = T;
            type Acc = $acc;
            type Joined = $joined;
            const RARE: bool = $rare;
            #[inline(always)]
            fn start(&self) -> $acc {
                $start
            }
            #[inline(always)]
            fn map(&self, x: T) -> $acc {
                $map(x)
            }
            #[inline(always)]
            fn join(&self, a: $acc, b: $acc) -> $acc {
                $join(a, b)
            }
        }
    };
}

fold!(
    /// The sum.
    Sum<T: Summand>, T, Sum<T>, rare: !T::REAL, start: T::ZERO, map: |x| x, join: T::plus
);
fold!(
    /// The product.
    Product<T: Summand>, T, Product<T>, rare: true, start: T::UNIT, map: |x| x, join: T::times
);
fold!(
    /// How many elements are not zero.
    CountNonzero<T: Number>, i64, Sum<i64>, rare: false, start: 0, map: |x: T| (x != T::ZERO) as i64, join: |a, b| a + b
);
fold!(
    /// The largest element; NaN if there is one.
    Max<T: Number>, T, Max<T>, rare: !T::REAL, start: T::LOWEST, map: |x| x, join: Max::<T>::of
);
fold!(
    /// The smallest element; NaN if there is one.
    Min<T: Number>, T, Min<T>, rare: false, start: T::HIGHEST, map: |x| x, join: Min::<T>::of
);
fold!(
    /// The sum of squares.
    SumSquares<T: Real>, T, Sum<T>, rare: false, start: T::ZERO, map: |x: T| x * x, join: T::plus
);

/// max or min, chosen at compile time.
pub(crate) trait Extremum: Copy + Send + Sync + Default + 'static {
    /// Does `x` take the place of `best`? Equal elements do not; NaN takes every place but NaN's.
    fn beats<T: Number>(x: T, best: T) -> bool;
    /// What every element beats or equals.
    fn worst<T: Number>() -> T;
}
impl<T: Number> Max<T> {
    /// The larger, or NaN.
    #[inline(always)]
    pub fn of(a: T, b: T) -> T {
        if (a > b) | a.is_nan() { a } else { b }
    }
}
impl<T: Number> Min<T> {
    /// The smaller, or NaN.
    #[inline(always)]
    pub fn of(a: T, b: T) -> T {
        if (a < b) | a.is_nan() { a } else { b }
    }
}
impl Extremum for Max<()> {
    #[inline(always)]
    fn beats<T: Number>(x: T, best: T) -> bool {
        (x > best) | (x.is_nan() & !best.is_nan())
    }
    #[inline(always)]
    fn worst<T: Number>() -> T {
        T::LOWEST
    }
}
impl Extremum for Min<()> {
    #[inline(always)]
    fn beats<T: Number>(x: T, best: T) -> bool {
        (x < best) | (x.is_nan() & !best.is_nan())
    }
    #[inline(always)]
    fn worst<T: Number>() -> T {
        T::HIGHEST
    }
}
