//! Mean and sum of squared deviations, in two passes: the sum of squares alone would cancel.

use super::fold::{Fold, TILE, fold, fold_cols, fold_row};
use super::folds::Sum;
use super::{PIECE, Real, Shared};
use crate::level::{Kernel, Simd, dispatch};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

/// The sum of squared deviations from a number.
#[derive(Clone, Copy)]
pub(crate) struct Deviations<T>(pub T);
impl<T: Real> Fold for Deviations<T> {
    type In = T;
    type Acc = T;
    type Joined = Sum<T>;
    #[inline(always)]
    fn start(&self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn map(&self, x: T) -> T {
        (x - self.0) * (x - self.0)
    }
    #[inline(always)]
    fn join(&self, a: T, b: T) -> T {
        a + b
    }
}

struct Columns<'a, T> {
    x: &'a [T],
    rows: usize,
    stride: usize,
    mean: &'a [T],
    acc: &'a mut [T],
}
impl<T: Real> Kernel for Columns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Columns { x, rows, stride, mean, acc } = self;
        let cols = acc.len();
        acc.fill(T::ZERO);
        let mean = &mean[..cols];
        let mut row = 0;
        while row < rows {
            let end = rows.min(row + 256);
            let mut part = [T::ZERO; TILE];
            let part = &mut part[..cols];
            while row + 4 <= end {
                let at = |k: usize| &x[(row + k) * stride..][..cols];
                let (a, b, c, d) = (at(0), at(1), at(2), at(3));
                for i in 0..cols {
                    let m = mean[i];
                    let (a, b, c, d) = (a[i] - m, b[i] - m, c[i] - m, d[i] - m);
                    part[i] = part[i] + ((a * a + b * b) + (c * c + d * d));
                }
                row += 4;
            }
            while row < end {
                let a = &x[row * stride..][..cols];
                for i in 0..cols {
                    let a = a[i] - mean[i];
                    part[i] = part[i] + a * a;
                }
                row += 1;
            }
            for i in 0..cols {
                acc[i] = acc[i] + part[i];
            }
        }
    }
}

/// Sums of squared deviations of columns from their means, into `acc`.
#[inline(always)]
pub(crate) fn deviations_cols<T: Real, S: Simd>(x: &[T], rows: usize, stride: usize, mean: &[T], acc: &mut [T]) {
    // SAFETY: this stands in a kernel that runs at level S.
    unsafe { S::part(Columns { x, rows, stride, mean, acc }) }
}

struct Both<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    mean: &'a Shared<'a, T>,
    squares: &'a Shared<'a, T>,
    tasks: Range<usize>,
}
impl<T: Real> Kernel for Both<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (n, inner) = (self.n, self.inner);
        let (f, many) = (Sum::<T>(PhantomData), T::of(n as f64));
        if inner == 1 {
            let (start, len) = (self.tasks.start, self.tasks.len());
            // SAFETY: ranges of rows do not overlap.
            let (mean, squares) = unsafe { (self.mean.part(start, len), self.squares.part(start, len)) };
            for (k, r) in self.tasks.enumerate() {
                let x = &self.x[r * n..][..n];
                mean[k] = fold_row::<_, S>(&f, x) / many;
                squares[k] = fold_row::<_, S>(&Deviations(mean[k]), x);
            }
            return;
        }
        let tiles = inner.div_ceil(TILE);
        for task in self.tasks {
            let (o, start) = (task / tiles, task % tiles * TILE);
            let cols = TILE.min(inner - start);
            let x = &self.x[o * n * inner + start..];
            let to = o * inner + start;
            // SAFETY: every task has a tile of its own.
            let (mean, squares) = unsafe { (self.mean.part(to, cols), self.squares.part(to, cols)) };
            fold_cols::<_, S>(&f, x, n, inner, mean);
            for m in mean.iter_mut() {
                *m = *m / many;
            }
            deviations_cols::<T, S>(x, n, inner, mean, squares);
        }
    }
}

/// Mean and sum of squared deviations of `x`, seen as (outer, n, inner), along n.
pub(super) fn moments_of<T: Real>(
    x: &[T],
    (outer, n, inner): (usize, usize, usize),
    mean: &mut [T],
    squares: &mut [T],
) {
    assert!(x.len() >= outer * n * inner && mean.len() == outer * inner && squares.len() == outer * inner);
    if n == 0 {
        mean.fill(T::NAN);
        squares.fill(T::ZERO);
        return;
    }
    if inner == 1 && n > 2 * PIECE {
        // Long rows are cut into pieces by the general loop.
        fold(Sum::<T>(PhantomData), x, (outer, n, 1), mean);
        for o in 0..outer {
            mean[o] = mean[o] / T::of(n as f64);
            fold(Deviations(mean[o]), &x[o * n..][..n], (1, n, 1), &mut squares[o..o + 1]);
        }
        return;
    }
    let (tasks, width) = if inner == 1 { (outer, 1) } else { (outer * inner.div_ceil(TILE), inner.min(TILE)) };
    let (mean, squares) = (Shared::new(mean), Shared::new(squares));
    run_ranges(tasks, (PIECE / (n * width)).max(1), &|tasks| {
        dispatch(Both { x, n, inner, mean: &mean, squares: &squares, tasks });
    });
}
