//! The reductions themselves: each says what an element counts for and how two parts are joined.

use super::fold::Fold;
use super::{Number, Real};
use crate::level::Simd;
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

/// Writes a fold without parameters: its element type, accumulator, result, and the four answers.
macro_rules! fold {
    ($(#[$doc:meta])* $name:ident<T: $bound:ident>, $acc:ty => $out:ty,
     start: $start:expr, map: $map:expr, join: $join:expr, finish: $finish:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub struct $name<T>(pub PhantomData<T>);
        impl<T: $bound> Fold for $name<T> {
            type In = T;
            type Acc = $acc;
            type Out = $out;
            #[inline(always)]
            fn start(&self) -> $acc {
                $start
            }
            #[inline(always)]
            fn map<S: Simd>(&self, x: T) -> $acc {
                $map(x)
            }
            #[inline(always)]
            fn join(&self, a: $acc, b: $acc) -> $acc {
                $join(a, b)
            }
            #[inline(always)]
            fn finish(&self, a: $acc, n: usize) -> $out {
                $finish(a, n)
            }
        }
    };
}

fold!(
    /// The sum.
    Sum<T: Summand>, T => T,
    start: T::ZERO, map: |x| x, join: T::plus, finish: |a, _| a
);
fold!(
    /// The product.
    Product<T: Summand>, T => T,
    start: T::UNIT, map: |x| x, join: T::times, finish: |a, _| a
);
fold!(
    /// The sum divided by the number of elements.
    Mean<T: Real>, T => T,
    start: T::ZERO, map: |x| x, join: |a, b| a + b, finish: |a, n| a / T::of(n as f64)
);
fold!(
    /// The sum without NaN.
    NanSum<T: Real>, T => T,
    start: T::ZERO, map: |x: T| if x.is_nan() { T::ZERO } else { x }, join: |a, b| a + b, finish: |a, _| a
);
fold!(
    /// How many elements are not NaN.
    NanCount<T: Number>, i64 => i64,
    start: 0, map: |x: T| !x.is_nan() as i64, join: |a, b| a + b, finish: |a, _| a
);
fold!(
    /// How many elements are not zero.
    CountNonzero<T: Number>, i64 => i64,
    start: 0, map: |x: T| (x != T::ZERO) as i64, join: |a, b| a + b, finish: |a, _| a
);
fold!(
    /// 1 if every element is different from zero, otherwise 0.
    All<T: Number>, u8 => u8,
    start: 1, map: |x: T| (x != T::ZERO) as u8, join: |a, b| a & b, finish: |a, _| a
);
fold!(
    /// 1 if any element is different from zero, otherwise 0.
    Any<T: Number>, u8 => u8,
    start: 0, map: |x: T| (x != T::ZERO) as u8, join: |a, b| a | b, finish: |a, _| a
);
fold!(
    /// The largest element; NaN if there is one.
    Max<T: Number>, T => T,
    start: T::LOWEST, map: |x| x, join: Max::<T>::of, finish: |a, _| a
);
fold!(
    /// The smallest element; NaN if there is one.
    Min<T: Number>, T => T,
    start: T::HIGHEST, map: |x| x, join: Min::<T>::of, finish: |a, _| a
);
fold!(
    /// The square root of the sum of squares: the 2-norm.
    SumSquares<T: Real>, T => T,
    start: T::ZERO, map: |x: T| x * x, join: |a, b| a + b, finish: |a: T, _| a.sqrt()
);
fold!(
    /// The largest absolute value: the norm of order infinity.
    AbsMax<T: Real>, T => T,
    start: T::ZERO, map: |x: T| x.abs(), join: Max::<T>::of, finish: |a, _| a
);
fold!(
    /// The smallest absolute value: the norm of order minus infinity.
    AbsMin<T: Real>, T => T,
    start: T::HIGHEST, map: |x: T| x.abs(), join: Min::<T>::of, finish: |a, _| a
);
fold!(
    /// The number of elements different from zero, as a number of the same type: the norm of order 0.
    ZeroPower<T: Real>, T => T,
    start: T::ZERO, map: |x: T| if x == T::ZERO { T::ZERO } else { T::ONE }, join: |a, b| a + b, finish: |a, _| a
);

/// max or min, chosen at compile time.
pub trait Extremum: Copy + Send + Sync + Default + 'static {
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

/// `(Σ |x|^p)^(1/p)`; with p = 1 the sum of absolute values.
#[derive(Clone, Copy)]
pub struct Power<T>(pub T);
impl<T: Real> Fold for Power<T> {
    type In = T;
    type Acc = T;
    type Out = T;
    #[inline(always)]
    fn start(&self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn map<S: Simd>(&self, x: T) -> T {
        if self.0 == T::ONE { x.abs() } else { x.abs().pow(self.0) }
    }
    #[inline(always)]
    fn join(&self, a: T, b: T) -> T {
        a + b
    }
    #[inline(always)]
    fn finish(&self, a: T, _n: usize) -> T {
        if self.0 == T::ONE { a } else { a.pow(T::ONE / self.0) }
    }
}
