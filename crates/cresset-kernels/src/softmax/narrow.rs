//! Rows too short to be worth a vector loop of their own: eight are turned so that each is one lane, and handled together.

use crate::level::Simd;
use crate::reduce::Real;

/// The longest row that is turned.
pub(super) const NARROW: usize = 32;
/// How many rows are handled together.
const LANES: usize = 8;

type Turned<T> = [[T; LANES]; NARROW];

/// Columns of up to eight rows of n; lanes without a row repeat the first.
#[inline(always)]
fn turn<T: Real>(x: &[T], n: usize, rows: usize, to: &mut Turned<T>) {
    for r in 0..LANES {
        let row = &x[if r < rows { r } else { 0 } * n..][..n];
        for (t, &x) in to[..n].iter_mut().zip(row) {
            t[r] = x;
        }
    }
}

#[inline(always)]
fn turn_back<T: Real>(from: &Turned<T>, n: usize, rows: usize, out: &mut [T]) {
    for r in 0..rows {
        for (out, t) in out[r * n..][..n].iter_mut().zip(&from[..n]) {
            *out = t[r];
        }
    }
}

/// The largest of each row.
#[inline(always)]
fn largest<T: Real>(t: &Turned<T>, n: usize) -> [T; LANES] {
    let mut max = t[0];
    for t in &t[1..n] {
        for i in 0..LANES {
            max[i] = if (t[i] > max[i]) | t[i].is_nan() { t[i] } else { max[i] };
        }
    }
    max
}

/// Softmax of `x.len() / n` rows of n (at most [`NARROW`]), or its logarithm.
#[inline(always)]
pub(super) fn softmax<T: Real, S: Simd>(log: bool, x: &[T], n: usize, out: &mut [T]) {
    let mut t = [[T::ZERO; LANES]; NARROW];
    for (x, out) in x.chunks(n * LANES).zip(out.chunks_mut(n * LANES)) {
        let rows = x.len() / n;
        turn(x, n, rows, &mut t);
        let max = largest(&t, n);
        let mut sum = [T::ZERO; LANES];
        for t in &mut t[..n] {
            for i in 0..LANES {
                let d = t[i] - max[i];
                let e = d.exp::<S>();
                sum[i] = sum[i] + e;
                t[i] = if log { d } else { e };
            }
        }
        if log {
            for s in &mut sum {
                *s = s.ln::<S>();
            }
        }
        for t in &mut t[..n] {
            for i in 0..LANES {
                t[i] = if log { t[i] - sum[i] } else { t[i] / sum[i] };
            }
        }
        turn_back(&t, n, rows, out);
    }
}

/// The gradient of [`softmax`] from its result.
#[inline(always)]
pub(super) fn backward<T: Real, S: Simd>(log: bool, g: &[T], y: &[T], n: usize, out: &mut [T]) {
    let (mut a, mut b) = ([[T::ZERO; LANES]; NARROW], [[T::ZERO; LANES]; NARROW]);
    let parts = g.chunks(n * LANES).zip(y.chunks(n * LANES)).zip(out.chunks_mut(n * LANES));
    for ((g, y), out) in parts {
        let rows = g.len() / n;
        turn(g, n, rows, &mut a);
        turn(y, n, rows, &mut b);
        let mut sum = [T::ZERO; LANES];
        for (g, y) in a[..n].iter().zip(&b[..n]) {
            for i in 0..LANES {
                sum[i] = sum[i] + if log { g[i] } else { g[i] * y[i] };
            }
        }
        for (g, y) in a[..n].iter_mut().zip(&b[..n]) {
            for i in 0..LANES {
                g[i] = if log { g[i] - y[i].exp::<S>() * sum[i] } else { y[i] * (g[i] - sum[i]) };
            }
        }
        turn_back(&a, n, rows, out);
    }
}

/// `ln Σ exp(x)` of each row.
#[inline(always)]
pub(super) fn log_sums<T: Real, S: Simd>(x: &[T], n: usize, out: &mut [T]) {
    let mut t = [[T::ZERO; LANES]; NARROW];
    for (x, out) in x.chunks(n * LANES).zip(out.chunks_mut(LANES)) {
        turn(x, n, out.len(), &mut t);
        let mut max = largest(&t, n);
        for m in &mut max {
            *m = super::finite(*m);
        }
        let mut sum = [T::ZERO; LANES];
        for t in &t[..n] {
            for i in 0..LANES {
                sum[i] = sum[i] + (t[i] - max[i]).exp::<S>();
            }
        }
        for i in 0..LANES {
            sum[i] = max[i] + sum[i].ln::<S>();
        }
        out.copy_from_slice(&sum[..out.len()]);
    }
}
