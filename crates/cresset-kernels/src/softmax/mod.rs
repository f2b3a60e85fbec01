//! Softmax and its logarithm along a dimension, their backward passes, and cross entropy on top of them.

mod classes;
mod narrow;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use classes::{ClassLosses, Classes};

use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{Max, PIECE, Real, Shared, Sizes, Sum, TILE, fold_cols, fold_row, kernels, sum_pairs};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

kernels! {
    /// Softmax and its logarithm.
    pub trait Softmax: Real, for [f32, f64] {
        /// `exp(x) / Σ exp(x)` along n, or the logarithm of it, of `x` seen as (outer, n, inner).
        fn softmax(log: bool, x: &[Self], sizes: Sizes, out: &mut [Self]);
        /// The gradient of [`softmax`](Self::softmax) from its result `y`: `y (g - Σ g y)`, or `g - exp(y) Σ g` for the logarithm.
        fn softmax_backward(log: bool, g: &[Self], y: &[Self], sizes: Sizes, out: &mut [Self]);
        /// `ln Σ exp(x)` of each row of n; minus infinity for a row of nothing else, infinity for one with an infinity.
        fn log_sum_exp(x: &[Self], n: usize, out: &mut [Self]);
    }
}

/// Elements whose exponentials are computed in one loop: short rows share it.
const GROUP: usize = 1024;

/// `to = exp(from - level)`, and the same in place.
struct Exp<'a, T>(&'a [T], T, &'a mut [T]);
impl<T: Real> Kernel for Exp<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Exp(from, level, to) = self;
        for (to, &from) in to.iter_mut().zip(from) {
            *to = (from - level).exp::<S>();
        }
    }
}
#[inline(always)]
fn exp<T: Real, S: Simd>(from: &[T], level: T, to: &mut [T]) {
    // SAFETY: this stands in a kernel that runs at level S.
    unsafe { S::part(Exp(from, level, to)) }
}
struct ExpIn<'a, T>(&'a mut [T]);
impl<T: Real> Kernel for ExpIn<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for v in self.0 {
            *v = v.exp::<S>();
        }
    }
}
#[inline(always)]
fn exp_in<T: Real, S: Simd>(values: &mut [T]) {
    // SAFETY: this stands in a kernel that runs at level S.
    unsafe { S::part(ExpIn(values)) }
}

/// `ln Σ exp(x)` of a row, given its maximum. `scratch` has [`GROUP`] elements.
#[inline(always)]
fn log_sum<T: Real, S: Simd>(x: &[T], max: T, scratch: &mut [T]) -> T {
    let mut sum = T::ZERO;
    for block in x.chunks(GROUP) {
        let e = &mut scratch[..block.len()];
        exp::<T, S>(block, max, e);
        sum = sum + fold_row::<_, S>(&Sum::<T>(PhantomData), e);
    }
    max + sum.ln::<S>()
}

struct Rows<'a, T> {
    x: &'a [T],
    n: usize,
    log: bool,
    out: &'a Shared<'a, T>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for Rows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let n = self.n;
        let (max, sum) = (Max::<T>(PhantomData), Sum::<T>(PhantomData));
        let together = (GROUP / n).max(1);
        if S::FUSED && T::SHORT && n <= narrow::NARROW {
            let (start, len) = (self.rows.start * n, self.rows.len() * n);
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { self.out.part(start, len) };
            return narrow::softmax::<T, S>(self.log, &self.x[start..][..len], n, out);
        }
        let mut scratch = [T::ZERO; GROUP];
        let mut row = self.rows.start;
        while row < self.rows.end {
            let many = together.min(self.rows.end - row);
            let x = &self.x[row * n..][..many * n];
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { self.out.part(row * n, many * n) };
            row += many;
            for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
                let m = fold_row::<_, S>(&max, x);
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = x - m;
                }
            }
            if self.log && many * n <= GROUP {
                let e = &mut scratch[..many * n];
                exp::<T, S>(out, T::ZERO, e);
                for (e, out) in e.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
                    let s = fold_row::<_, S>(&sum, e).ln::<S>();
                    for out in out {
                        *out = *out - s;
                    }
                }
            } else if self.log {
                let s = log_sum::<T, S>(out, T::ZERO, &mut scratch);
                for out in out {
                    *out = *out - s;
                }
            } else {
                exp_in::<T, S>(out);
                for out in out.chunks_exact_mut(n) {
                    let s = fold_row::<_, S>(&sum, out);
                    for out in out {
                        *out = *out / s;
                    }
                }
            }
        }
    }
}

struct Cols<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    log: bool,
    out: &'a Shared<'a, T>,
    tasks: Range<usize>,
}
impl<T: Real> Kernel for Cols<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (n, inner) = (self.n, self.inner);
        let tiles = inner.div_ceil(TILE);
        for task in self.tasks {
            let start = task / tiles * n * inner + task % tiles * TILE;
            let cols = TILE.min(inner - task % tiles * TILE);
            let x = &self.x[start..];
            let (mut max, mut sum) = ([T::ZERO; TILE], [T::ZERO; TILE]);
            let (max, sum) = (&mut max[..cols], &mut sum[..cols]);
            fold_cols::<_, S>(&Max::<T>(PhantomData), x, n, inner, max);
            for r in 0..n {
                let x = &x[r * inner..][..cols];
                // SAFETY: every task has columns of its own.
                let out = unsafe { self.out.part(start + r * inner, cols) };
                for i in 0..cols {
                    let e = (x[i] - max[i]).exp::<S>();
                    out[i] = e;
                    sum[i] = sum[i] + e;
                }
            }
            if self.log {
                for i in 0..cols {
                    max[i] = max[i] + sum[i].ln::<S>();
                }
            }
            for r in 0..n {
                let x = &x[r * inner..][..cols];
                // SAFETY: as above.
                let out = unsafe { self.out.part(start + r * inner, cols) };
                for i in 0..cols {
                    out[i] = if self.log { x[i] - max[i] } else { out[i] / sum[i] };
                }
            }
        }
    }
}

fn softmax<T: Real>(log: bool, x: &[T], (outer, n, inner): (usize, usize, usize), out: &mut [T]) {
    assert!(x.len() >= out.len() && out.len() == outer * n * inner);
    if out.is_empty() {
        return;
    }
    let out = Shared::new(out);
    if inner == 1 {
        run_ranges(outer, (PIECE / n).max(1), &|rows| {
            #[cfg(target_arch = "x86_64")]
            if wide::softmax(log, x, n, &out, rows.clone()) {
                return;
            }
            dispatch(Rows { x, n, log, out: &out, rows });
        });
    } else {
        let grain = (PIECE / (n * inner.min(TILE))).max(1);
        run_ranges(outer * inner.div_ceil(TILE), grain, &|tasks| {
            dispatch(Cols { x, n, inner, log, out: &out, tasks });
        });
    }
}

struct Back<'a, T> {
    g: &'a [T],
    y: &'a [T],
    n: usize,
    inner: usize,
    log: bool,
    out: &'a Shared<'a, T>,
    tasks: Range<usize>,
}
impl<T: Real> Kernel for Back<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (n, inner) = (self.n, self.inner);
        if inner == 1 && S::FUSED && T::SHORT && n <= narrow::NARROW {
            let (start, len) = (self.tasks.start * n, self.tasks.len() * n);
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { self.out.part(start, len) };
            return narrow::backward::<T, S>(self.log, &self.g[start..][..len], &self.y[start..][..len], n, out);
        }
        if inner == 1 {
            for row in self.tasks {
                let (g, y) = (&self.g[row * n..][..n], &self.y[row * n..][..n]);
                // SAFETY: ranges of rows do not overlap.
                let out = unsafe { self.out.part(row * n, n) };
                if self.log {
                    let s = fold_row::<_, S>(&Sum::<T>(PhantomData), g);
                    for i in 0..n {
                        out[i] = g[i] - y[i].exp::<S>() * s;
                    }
                } else {
                    let s = sum_pairs::<_, S>(g, y, |g, y| g * y);
                    for i in 0..n {
                        out[i] = y[i] * (g[i] - s);
                    }
                }
            }
            return;
        }
        let tiles = inner.div_ceil(TILE);
        for task in self.tasks {
            let start = task / tiles * n * inner + task % tiles * TILE;
            let cols = TILE.min(inner - task % tiles * TILE);
            let mut sum = [T::ZERO; TILE];
            let sum = &mut sum[..cols];
            for r in 0..n {
                let at = start + r * inner;
                let (g, y) = (&self.g[at..][..cols], &self.y[at..][..cols]);
                for i in 0..cols {
                    sum[i] = sum[i] + if self.log { g[i] } else { g[i] * y[i] };
                }
            }
            for r in 0..n {
                let at = start + r * inner;
                let (g, y) = (&self.g[at..][..cols], &self.y[at..][..cols]);
                // SAFETY: every task has columns of its own.
                let out = unsafe { self.out.part(at, cols) };
                if self.log {
                    for i in 0..cols {
                        out[i] = g[i] - y[i].exp::<S>() * sum[i];
                    }
                } else {
                    for i in 0..cols {
                        out[i] = y[i] * (g[i] - sum[i]);
                    }
                }
            }
        }
    }
}

fn softmax_backward<T: Real>(log: bool, g: &[T], y: &[T], (outer, n, inner): (usize, usize, usize), out: &mut [T]) {
    assert!(g.len() >= out.len() && y.len() >= out.len() && out.len() == outer * n * inner);
    if out.is_empty() {
        return;
    }
    let out = Shared::new(out);
    let (tasks, width) = if inner == 1 { (outer, 1) } else { (outer * inner.div_ceil(TILE), inner.min(TILE)) };
    run_ranges(tasks, (PIECE / (n * width)).max(1), &|tasks| {
        #[cfg(target_arch = "x86_64")]
        if inner == 1 && wide::backward(log, g, y, n, &out, tasks.clone()) {
            return;
        }
        dispatch(Back { g, y, n, inner, log, out: &out, tasks });
    });
}

struct LogSums<'a, T> {
    x: &'a [T],
    n: usize,
    out: &'a Shared<'a, T>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for LogSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let n = self.n;
        // SAFETY: ranges of rows do not overlap.
        let out = unsafe { self.out.part(self.rows.start, self.rows.len()) };
        if S::FUSED && T::SHORT && n <= narrow::NARROW {
            let x = &self.x[self.rows.start * n..][..out.len() * n];
            return narrow::log_sums::<T, S>(x, n, out);
        }
        let (max, sum) = (Max::<T>(PhantomData), Sum::<T>(PhantomData));
        let mut scratch = [T::ZERO; GROUP];
        if n > GROUP {
            for (out, row) in out.iter_mut().zip(self.rows) {
                let x = &self.x[row * n..][..n];
                let m = finite(fold_row::<_, S>(&max, x));
                *out = log_sum::<T, S>(x, m, &mut scratch);
            }
            return;
        }
        let together = GROUP / n;
        let mut row = self.rows.start;
        for out in out.chunks_mut(together) {
            let x = &self.x[row * n..][..out.len() * n];
            row += out.len();
            let e = &mut scratch[..x.len()];
            for ((x, e), out) in x.chunks_exact(n).zip(e.chunks_exact_mut(n)).zip(out.iter_mut()) {
                *out = finite(fold_row::<_, S>(&max, x));
                for (e, &x) in e.iter_mut().zip(x) {
                    *e = x - *out;
                }
            }
            exp_in::<T, S>(e);
            for (e, out) in e.chunks_exact(n).zip(out.iter_mut()) {
                *out = *out + fold_row::<_, S>(&sum, e).ln::<S>();
            }
        }
    }
}

/// The number itself, or 0 in place of an infinity: what may be subtracted from others like it.
#[inline(always)]
fn finite<T: Real>(x: T) -> T {
    if x.abs() == T::HIGHEST { T::ZERO } else { x }
}

fn log_sum_exp<T: Real>(x: &[T], n: usize, out: &mut [T]) {
    assert!(x.len() >= n * out.len());
    if n == 0 {
        return out.fill(T::LOWEST);
    }
    let rows = out.len();
    let out = Shared::new(out);
    run_ranges(rows, (PIECE / n).max(1), &|rows| {
        #[cfg(target_arch = "x86_64")]
        if wide::log_sums(x, n, &out, rows.clone()) {
            return;
        }
        dispatch(LogSums { x, n, out: &out, rows });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<f32> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1_677_721.6 - 5.0).collect()
    }

    #[test]
    fn rows_of_every_length_and_columns_agree_with_f64() {
        for n in [1, 2, 10, 31, 32, 33, 100, 1024, 3000] {
            for rows in [1, 7, 8, 9] {
                let x = noise(rows * n);
                let exact: Vec<f64> = x
                    .chunks(n)
                    .flat_map(|r| {
                        let s: f64 = r.iter().map(|&v| (v as f64).exp()).sum();
                        r.iter().map(|&v| v as f64 - s.ln()).collect::<Vec<_>>()
                    })
                    .collect();
                let turned: Vec<f32> = (0..rows * n).map(|i| x[i % rows * n + i / rows]).collect();
                for log in [false, true] {
                    let (mut y, mut z) = (vec![0.0; rows * n], vec![0.0; rows * n]);
                    softmax(log, &x, (rows, n, 1), &mut y);
                    softmax(log, &turned, (1, n, rows), &mut z);
                    for (i, e) in exact.iter().enumerate() {
                        let e = if log { *e } else { e.exp() };
                        let across = z[i % n * rows + i / n];
                        // The logarithm of a sum near 1 has the absolute error of the sum.
                        let size = e.abs().max(if log { 1.0 } else { 1e-3 });
                        for got in [y[i], across] {
                            assert!((got as f64 - e).abs() <= 2e-6 * size, "{n} {rows} {log}: {got} {e}");
                        }
                    }
                }
                let mut l = vec![0.0; rows];
                log_sum_exp(&x, n, &mut l);
                for (r, l) in l.iter().enumerate() {
                    let e = x[r * n] as f64 - exact[r * n];
                    assert!((*l as f64 - e).abs() <= 2e-6 * e.abs().max(1.0));
                }
            }
        }
    }

    #[test]
    fn large_numbers_keep_the_digits_of_their_differences() {
        for n in [10, 100, 3000] {
            // Multiples of 1/64 beside 10,000 are exact.
            let near: Vec<f32> = noise(n).iter().map(|x| (x * 64.0).round() / 64.0).collect();
            let far: Vec<f32> = near.iter().map(|x| x + 10_000.0).collect();
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            softmax(true, &near, (1, n, 1), &mut a);
            softmax(true, &far, (1, n, 1), &mut b);
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 2e-6), "{n}");
        }
    }

    #[test]
    fn infinities_are_answered_as_they_should() {
        let inf = f32::INFINITY;
        for n in [2, 40, 2000] {
            let mut x = vec![-inf; 4 * n];
            (x[n], x[n + 1], x[2 * n], x[2 * n + 1], x[4 * n - 1]) = (0.0, inf, f32::NAN, 0.0, 100.0);
            let mut l = [0.0; 4];
            log_sum_exp(&x, n, &mut l);
            assert_eq!((l[0], l[1], l[3]), (-inf, inf, 100.0));
            assert!(l[2].is_nan());
            let mut y = vec![0.0; 4 * n];
            softmax(false, &x, (4, n, 1), &mut y);
            assert!(y[..3 * n].iter().enumerate().all(|(i, y)| y.is_nan() || n <= i && i < 2 * n && *y == 0.0));
            assert!(y[3 * n..4 * n - 1].iter().all(|y| *y == 0.0) && y[4 * n - 1] == 1.0);
        }
    }

    #[test]
    fn gradients_of_rows_of_every_length_agree_with_f64() {
        for n in [1, 10, 32, 33, 100, 1024, 3000] {
            let (x, g) = (noise(3 * n), noise(6 * n).split_off(3 * n));
            for log in [false, true] {
                let mut y = vec![0.0; 3 * n];
                softmax(log, &x, (3, n, 1), &mut y);
                let mut got = vec![0.0; 3 * n];
                softmax_backward(log, &g, &y, (3, n, 1), &mut got);
                for (r, got) in got.chunks(n).enumerate() {
                    let (y, g) = (&y[r * n..][..n], &g[r * n..][..n]);
                    let s: f64 = g.iter().zip(y).map(|(&g, &y)| g as f64 * if log { 1.0 } else { y as f64 }).sum();
                    for i in 0..n {
                        let (y, g) = (y[i] as f64, g[i] as f64);
                        let want = if log { g - y.exp() * s } else { y * (g - s) };
                        let size = if log { g.abs() + y.exp() * (n as f64).sqrt() * 3.0 } else { y * (g.abs() + 5.0) };
                        assert!((got[i] as f64 - want).abs() <= 1e-6 * size, "{n} {log} {i}: {} {want}", got[i]);
                    }
                }
            }
        }
    }
}
