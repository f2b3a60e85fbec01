//! The doors to the loops: which reduction is a value, so that each is compiled here, once for each element type, and not again by callers.

use super::fold::{Fold, fold};
use super::folds::{CountNonzero, Max, Min, Product, Sum, SumSquares};
use super::index::extremum;
use super::scan::cum_extremum;
use super::{Number, Real};
use std::marker::PhantomData;

/// Neighbouring dimensions as one: its size, and whether it is reduced.
pub type Group = (usize, bool);

/// (outer, n, inner): element (o, i, k) lies at `(o * n + i) * inner + k`.
pub type Sizes = (usize, usize, usize);

/// A reduction with results of the elements' type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduction {
    /// `Σ x`
    Sum,
    /// `Π x`
    Product,
    /// The largest element; NaN if there is one.
    Max,
    /// The smallest element; NaN if there is one.
    Min,
    /// `Σ x / n`, of floating-point numbers.
    Mean,
    /// `Σ x` without NaN, of floating-point numbers.
    NanSum,
    /// `(Σ |x|^p)^(1/p)`, of floating-point numbers: with p = 0 the number of elements that are not zero, with ±infinity the largest or
    /// smallest absolute value.
    Norm(f64),
}

/// What elements are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Count {
    /// Those different from zero (NaN is).
    Nonzero,
    /// Those that are not NaN.
    Numbers,
}

/// Element types that are reduced.
pub trait Reduce: Number {
    /// Reduces `x`, a contiguous tensor with dimensions of these sizes, along the dimensions that are marked.
    ///
    /// # Panics
    /// If the sizes of `x`, `groups` and `out` do not agree, or the reduction is not for this type.
    fn reduce(how: Reduction, x: &[Self], groups: &[Group], out: &mut [Self]);
    /// Counts elements along the dimensions that are marked.
    ///
    /// # Panics
    /// If the sizes of `x`, `groups` and `out` do not agree.
    fn count(what: Count, x: &[Self], groups: &[Group], out: &mut [i64]);
    /// The largest or smallest element along n of `x`, seen as (outer, n, inner), and the first position of it; the first NaN if there
    /// is one.
    ///
    /// # Panics
    /// If `n` is 0, or the sizes do not agree.
    fn extremum(largest: bool, x: &[Self], sizes: Sizes, value: &mut [Self], index: &mut [i64]);
    /// The running extremum along n and where it was last met; NaN stays.
    fn running_extremum(largest: bool, x: &[Self], sizes: Sizes, value: &mut [Self], index: &mut [i64]);
}

/// How many bytes are not 0: bools that are true.
///
/// # Panics
/// If the sizes of `x`, `groups` and `out` do not agree.
pub fn count_true(x: &[u8], groups: &[Group], out: &mut [i64]) {
    fold_groups(CountNonzero::<u8>(PhantomData), x, groups, out);
}

// What is rarely asked for is computed in two steps, so that no loops need be compiled for it: elements become others, and these are
// reduced as usual.

fn count_in<T: Number>(what: Count, x: &[T], groups: &[Group], out: &mut [i64]) {
    let yes: Vec<u8> = match what {
        Count::Nonzero => x.iter().map(|&x| (x != T::ZERO) as u8).collect(),
        Count::Numbers => x.iter().map(|&x| !x.is_nan() as u8).collect(),
    };
    count_true(&yes, groups, out);
}

fn reduce_mapped<T: Reduce>(how: Reduction, x: &[T], f: impl Fn(T) -> T, groups: &[Group], out: &mut [T]) {
    let y: Vec<T> = x.iter().map(|&x| f(x)).collect();
    T::reduce(how, &y, groups, out);
}

fn extremum_in<T: Number>(largest: bool, x: &[T], sizes: Sizes, value: &mut [T], index: &mut [i64]) {
    match largest {
        true => extremum::<Max<()>, T>(x, sizes, value, index),
        false => extremum::<Min<()>, T>(x, sizes, value, index),
    }
}

fn running_in<T: Number>(largest: bool, x: &[T], sizes: Sizes, value: &mut [T], index: &mut [i64]) {
    match largest {
        true => cum_extremum::<Max<()>, T>(x, sizes, value, index),
        false => cum_extremum::<Min<()>, T>(x, sizes, value, index),
    }
}

fn reduce_real<T: Real + Reduce>(how: Reduction, x: &[T], groups: &[Group], out: &mut [T]) {
    match how {
        Reduction::Sum | Reduction::Mean => fold_groups(Sum::<T>(PhantomData), x, groups, out),
        Reduction::Product => fold_groups(Product::<T>(PhantomData), x, groups, out),
        Reduction::Max => fold_groups(Max::<T>(PhantomData), x, groups, out),
        Reduction::Min => fold_groups(Min::<T>(PhantomData), x, groups, out),
        Reduction::NanSum => reduce_mapped(Reduction::Sum, x, |x| if x.is_nan() { T::ZERO } else { x }, groups, out),
        Reduction::Norm(0.0) => {
            let mut counts = vec![0; out.len()];
            count_in(Count::Nonzero, x, groups, &mut counts);
            for (out, n) in out.iter_mut().zip(counts) {
                *out = T::of(n as f64);
            }
        }
        Reduction::Norm(1.0) => reduce_mapped(Reduction::Sum, x, T::abs, groups, out),
        Reduction::Norm(2.0) => {
            fold_groups(SumSquares::<T>(PhantomData), x, groups, out);
            out.iter_mut().for_each(|v| *v = v.sqrt());
        }
        Reduction::Norm(f64::INFINITY) => reduce_mapped(Reduction::Max, x, T::abs, groups, out),
        Reduction::Norm(f64::NEG_INFINITY) => reduce_mapped(Reduction::Min, x, T::abs, groups, out),
        Reduction::Norm(p) => {
            let p = T::of(p);
            reduce_mapped(Reduction::Sum, x, |x| x.abs().pow(p), groups, out);
            out.iter_mut().for_each(|v| *v = v.pow(T::ONE / p));
        }
    }
    if how == Reduction::Mean {
        let n = T::of(reduced(groups) as f64);
        out.iter_mut().for_each(|v| *v = *v / n);
    }
}

macro_rules! reduce_real {
    ($t:ty) => {
        impl Reduce for $t {
            fn reduce(how: Reduction, x: &[$t], groups: &[Group], out: &mut [$t]) {
                reduce_real(how, x, groups, out);
            }
            fn count(what: Count, x: &[$t], groups: &[Group], out: &mut [i64]) {
                count_in(what, x, groups, out);
            }
            fn extremum(largest: bool, x: &[$t], sizes: Sizes, value: &mut [$t], index: &mut [i64]) {
                extremum_in(largest, x, sizes, value, index);
            }
            fn running_extremum(largest: bool, x: &[$t], sizes: Sizes, value: &mut [$t], index: &mut [i64]) {
                running_in(largest, x, sizes, value, index);
            }
        }
    };
}
reduce_real!(f32);
reduce_real!(f64);

impl Reduce for i64 {
    fn reduce(how: Reduction, x: &[i64], groups: &[Group], out: &mut [i64]) {
        match how {
            Reduction::Sum => fold_groups(Sum::<i64>(PhantomData), x, groups, out),
            Reduction::Product => fold_groups(Product::<i64>(PhantomData), x, groups, out),
            Reduction::Max => fold_groups(Max::<i64>(PhantomData), x, groups, out),
            Reduction::Min => smallest(x, out, |x, out| fold_groups(Max::<i64>(PhantomData), x, groups, out)),
            Reduction::Mean | Reduction::NanSum | Reduction::Norm(_) => panic!("{how:?} is not for integers"),
        }
    }
    fn count(what: Count, x: &[i64], groups: &[Group], out: &mut [i64]) {
        match what {
            Count::Nonzero => count_in(what, x, groups, out),
            Count::Numbers => out.fill(reduced(groups) as i64),
        }
    }
    fn extremum(largest: bool, x: &[i64], sizes: Sizes, value: &mut [i64], index: &mut [i64]) {
        match largest {
            true => extremum::<Max<()>, i64>(x, sizes, value, index),
            false => smallest(x, value, |x, value| extremum::<Max<()>, i64>(x, sizes, value, index)),
        }
    }
    fn running_extremum(largest: bool, x: &[i64], sizes: Sizes, value: &mut [i64], index: &mut [i64]) {
        match largest {
            true => cum_extremum::<Max<()>, i64>(x, sizes, value, index),
            false => smallest(x, value, |x, value| cum_extremum::<Max<()>, i64>(x, sizes, value, index)),
        }
    }
}

/// The smallest by means of the largest: `!x` turns the order of integers round, and saves the loops of a reduction that is rare.
fn smallest(x: &[i64], out: &mut [i64], largest: impl FnOnce(&[i64], &mut [i64])) {
    let turned: Vec<i64> = x.iter().map(|x| !x).collect();
    largest(&turned, out);
    out.iter_mut().for_each(|x| *x = !*x);
}

/// How many elements make one of the result.
fn reduced(groups: &[Group]) -> usize {
    groups.iter().filter(|g| g.1).map(|g| g.0).product()
}

/// Folds along every marked group.
fn fold_groups<F: Fold>(f: F, x: &[F::In], groups: &[Group], out: &mut [F::Acc]) {
    // The last group first, because its elements lie closest together; then the results of that, and so on.
    let Some(at) = groups.iter().rposition(|g| g.1) else {
        assert_eq!(x.len(), out.len(), "one result for each element");
        return fold(f, x, (x.len(), 1, 1), out);
    };
    let size = |groups: &[Group]| groups.iter().map(|g| g.0).product::<usize>();
    let sizes = (size(&groups[..at]), groups[at].0, size(&groups[at + 1..]));
    if !groups[..at].iter().any(|g| g.1) {
        return fold(f, x, sizes, out);
    }
    let mut parts = vec![f.start(); sizes.0 * sizes.2];
    fold(f, x, sizes, &mut parts);
    let rest: Vec<Group> = groups[..at].iter().chain(&groups[at + 1..]).copied().collect();
    fold_groups(F::Joined::default(), &parts, &rest, out);
}
