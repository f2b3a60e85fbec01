//! Running sums, products and extrema along a dimension.

use super::folds::Extremum;
use super::folds::Summand;
use super::{Number, PIECE, Real, Shared};
use crate::threads::run_ranges;
use std::marker::PhantomData;

/// A running reduction.
trait Scan: Copy + Send + Sync {
    /// The elements.
    type Item: Copy + Send + Sync;
    /// What is kept while stepping; wider than the elements where that saves digits.
    type State: Copy;
    /// Before the first element.
    fn start(&self) -> Self::State;
    /// After one more.
    fn step(&self, state: Self::State, x: Self::Item) -> Self::State;
    /// The running result.
    fn value(&self, state: Self::State) -> Self::Item;
}

/// Running results of `x`, seen as (outer, n, inner), along n; from the end if `reverse`.
fn scan<F: Scan>(f: F, x: &[F::Item], (outer, n, inner): (usize, usize, usize), reverse: bool, out: &mut [F::Item]) {
    assert!(x.len() >= out.len() && out.len() == outer * n * inner);
    if out.is_empty() {
        return;
    }
    let out = Shared::new(out);
    if inner == 1 {
        return run_ranges(outer, (PIECE / n).max(1), &|range| {
            for o in range {
                // SAFETY: each o has its own part.
                let (x, out) = (&x[o * n..][..n], unsafe { out.part(o * n, n) });
                let mut state = f.start();
                let mut step = |(out, x): (&mut F::Item, &F::Item)| {
                    state = f.step(state, *x);
                    *out = f.value(state);
                };
                if reverse {
                    out.iter_mut().zip(x).rev().for_each(&mut step);
                } else {
                    out.iter_mut().zip(x).for_each(&mut step);
                }
            }
        });
    }
    run_ranges(outer, (PIECE / (n * inner)).max(1), &|range| {
        let mut states = vec![f.start(); inner];
        for o in range {
            states.fill(f.start());
            let at = o * n * inner;
            // SAFETY: each o has its own part.
            let out = unsafe { out.part(at, n * inner) };
            let x = &x[at..at + n * inner];
            for i in 0..n {
                let i = if reverse { n - 1 - i } else { i } * inner;
                let (x, out) = (&x[i..i + inner], &mut out[i..i + inner]);
                for ((s, x), out) in states.iter_mut().zip(x).zip(out) {
                    *s = f.step(*s, *x);
                    *out = f.value(*s);
                }
            }
        }
    });
}

/// The running sum. f32 is summed in f64, as PyTorch does.
#[derive(Clone, Copy)]
struct CumSum<T>(PhantomData<T>);
/// The running product.
#[derive(Clone, Copy)]
struct CumProd<T>(PhantomData<T>);
macro_rules! running {
    ($name:ident: $op:ident, $one:expr, $zero:expr) => {
        impl Scan for $name<f32> {
            type Item = f32;
            type State = f64;
            fn start(&self) -> f64 {
                $one
            }
            fn step(&self, s: f64, x: f32) -> f64 {
                s.$op(x as f64)
            }
            fn value(&self, s: f64) -> f32 {
                s as f32
            }
        }
        impl Scan for $name<f64> {
            type Item = f64;
            type State = f64;
            fn start(&self) -> f64 {
                $one
            }
            fn step(&self, s: f64, x: f64) -> f64 {
                s.$op(x)
            }
            fn value(&self, s: f64) -> f64 {
                s
            }
        }
        impl Scan for $name<i64> {
            type Item = i64;
            type State = i64;
            fn start(&self) -> i64 {
                $zero
            }
            fn step(&self, s: i64, x: i64) -> i64 {
                s.$op(x)
            }
            fn value(&self, s: i64) -> i64 {
                s
            }
        }
    };
}
running!(CumSum: plus, 0.0, 0);
running!(CumProd: times, 1.0, 1);

/// `ln Σ exp` of what came before and here.
#[derive(Clone, Copy)]
struct LogCumSumExp<T>(PhantomData<T>);
impl<T: Real> Scan for LogCumSumExp<T> {
    type Item = T;
    type State = f64;
    fn start(&self) -> f64 {
        f64::NEG_INFINITY
    }
    fn step(&self, s: f64, x: T) -> f64 {
        let x = x.wide();
        let (low, high) = if s > x { (x, s) } else { (s, x) };
        if s.is_nan() || x.is_nan() {
            f64::NAN
        } else if high.is_infinite() {
            high
        } else {
            high + (low - high).exp().ln_1p()
        }
    }
    fn value(&self, s: f64) -> T {
        T::of(s)
    }
}

/// A running reduction, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// The running sum. f32 is summed in f64, as PyTorch does.
    Sum,
    /// The running product, computed as the sum is.
    Product,
    /// `ln Σ exp` of what came before and here, of floating-point numbers.
    LogSumExp,
}

/// Element types with running reductions.
pub trait Runs: Sized {
    /// Running results of `x`, seen as (outer, n, inner), along n; from the end if `reverse`.
    ///
    /// # Panics
    /// If the sizes do not agree, or the reduction is not for this type.
    fn running(how: Running, x: &[Self], sizes: (usize, usize, usize), reverse: bool, out: &mut [Self]);
}
macro_rules! runs {
    ($t:ty) => {
        impl Runs for $t {
            fn running(how: Running, x: &[$t], sizes: (usize, usize, usize), reverse: bool, out: &mut [$t]) {
                match how {
                    Running::Sum => scan(CumSum::<$t>(PhantomData), x, sizes, reverse, out),
                    Running::Product => scan(CumProd::<$t>(PhantomData), x, sizes, reverse, out),
                    Running::LogSumExp => scan(LogCumSumExp::<$t>(PhantomData), x, sizes, reverse, out),
                }
            }
        }
    };
}
runs!(f32);
runs!(f64);
impl Runs for i64 {
    fn running(how: Running, x: &[i64], sizes: (usize, usize, usize), reverse: bool, out: &mut [i64]) {
        match how {
            Running::Sum => scan(CumSum::<i64>(PhantomData), x, sizes, reverse, out),
            Running::Product => scan(CumProd::<i64>(PhantomData), x, sizes, reverse, out),
            Running::LogSumExp => panic!("{how:?} is not for integers"),
        }
    }
}

/// The running extremum along n and where it was last met; NaN stays.
pub(super) fn cum_extremum<E: Extremum, T: Number>(
    x: &[T],
    (outer, n, inner): (usize, usize, usize),
    value: &mut [T],
    index: &mut [i64],
) {
    for o in 0..outer {
        for k in 0..inner {
            let mut best = (E::worst::<T>(), 0);
            for i in 0..n {
                let at = (o * n + i) * inner + k;
                let v = x[at];
                if i == 0 || E::beats(v, best.0) || v == best.0 || v.is_nan() {
                    best = (v, i as i64);
                }
                value[at] = best.0;
                index[at] = best.1;
            }
        }
    }
}
