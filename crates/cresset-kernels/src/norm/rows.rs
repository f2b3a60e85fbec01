//! Layer norm and RMS norm: each row by its own statistics, with a weight and a bias for each place in the row.

use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{Deviations, PIECE, Real, Shared, Sum, fold, fold_row, kernels, sum_triples};
use crate::threads::{pieces, run_ranges};
use std::marker::PhantomData;
use std::ops::Range;

kernels! {
    /// Normalisation of rows.
    pub trait RowNorm: Real, for [f32, f64] {
        /// `(x - mean) rstd weight + bias` for each row of n, where `rstd = 1 / sqrt(variance + eps)`. Without `centred` the mean counts as 0 (RMS
        /// norm). `mean` and `rstd` get one number for each row.
        fn rows_forward(
            x: &[Self],
            n: usize,
            variance: (f64, bool),
            weight: Option<&[Self]>,
            bias: Option<&[Self]>,
            mean: &mut [Self],
            rstd: &mut [Self],
            out: &mut [Self],
        );
        /// The gradients of [`rows_forward`](Self::rows_forward) with respect to the rows, the weight and the bias, each if wanted.
        fn rows_backward(
            g: &[Self],
            x: &[Self],
            rows: (usize, bool),
            mean: &[Self],
            rstd: &[Self],
            weight: Option<&[Self]>,
            gx: Option<&mut [Self]>,
            gw: Option<&mut [Self]>,
            gb: Option<&mut [Self]>,
        );
    }
}

struct Forward<'a, T> {
    x: &'a [T],
    n: usize,
    eps: T,
    centred: bool,
    weight: Option<&'a [T]>,
    bias: Option<&'a [T]>,
    mean: &'a Shared<'a, T>,
    rstd: &'a Shared<'a, T>,
    out: &'a Shared<'a, T>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let n = self.n;
        let many = T::of(n as f64);
        for row in self.rows {
            let x = &self.x[row * n..][..n];
            // SAFETY: ranges of rows do not overlap.
            let (mean, rstd, out) =
                unsafe { (self.mean.part(row, 1), self.rstd.part(row, 1), self.out.part(row * n, n)) };
            let m = if self.centred { fold_row::<_, S>(&Sum::<T>(PhantomData), x) / many } else { T::ZERO };
            let var = fold_row::<_, S>(&Deviations(m), x) / many;
            let r = T::ONE / (var + self.eps).sqrt();
            (mean[0], rstd[0]) = (m, r);
            match (self.weight, self.bias) {
                (None, None) => {
                    for i in 0..n {
                        out[i] = (x[i] - m) * r;
                    }
                }
                (Some(w), None) => {
                    let w = &w[..n];
                    for i in 0..n {
                        out[i] = (x[i] - m) * r * w[i];
                    }
                }
                (None, Some(b)) => {
                    let b = &b[..n];
                    for i in 0..n {
                        out[i] = (x[i] - m) * r + b[i];
                    }
                }
                (Some(w), Some(b)) => {
                    let (w, b) = (&w[..n], &b[..n]);
                    for i in 0..n {
                        out[i] = (x[i] - m) * r * w[i] + b[i];
                    }
                }
            }
        }
    }
}

fn rows_forward<T: Real>(
    x: &[T],
    n: usize,
    (eps, centred): (f64, bool),
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    mean: &mut [T],
    rstd: &mut [T],
    out: &mut [T],
) {
    let rows = mean.len();
    assert!(x.len() >= rows * n && out.len() == rows * n && rstd.len() == rows);
    if n == 0 {
        mean.fill(T::NAN);
        return rstd.fill(T::NAN);
    }
    let eps = T::of(eps);
    let (mean, rstd, out) = (Shared::new(mean), Shared::new(rstd), Shared::new(out));
    run_ranges(rows, (PIECE / n).max(1), &|rows| {
        dispatch(Forward { x, n, eps, centred, weight, bias, mean: &mean, rstd: &rstd, out: &out, rows });
    });
}

struct Backward<'a, T> {
    g: &'a [T],
    x: &'a [T],
    n: usize,
    centred: bool,
    mean: &'a [T],
    rstd: &'a [T],
    weight: Option<&'a [T]>,
    out: Option<&'a Shared<'a, T>>,
    /// Sums over these rows for weight and bias.
    gw: Option<&'a mut [T]>,
    gb: Option<&'a mut [T]>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let n = self.n;
        let many = T::of(n as f64);
        for row in self.rows.clone() {
            let (g, x) = (&self.g[row * n..][..n], &self.x[row * n..][..n]);
            let (m, r) = (self.mean[row], self.rstd[row]);
            match (&mut self.gw, &mut self.gb) {
                (Some(gw), Some(gb)) => {
                    let (gw, gb) = (&mut gw[..n], &mut gb[..n]);
                    for i in 0..n {
                        gw[i] = gw[i] + g[i] * ((x[i] - m) * r);
                        gb[i] = gb[i] + g[i];
                    }
                }
                (Some(gw), None) => {
                    let gw = &mut gw[..n];
                    for i in 0..n {
                        gw[i] = gw[i] + g[i] * ((x[i] - m) * r);
                    }
                }
                (None, Some(gb)) => {
                    let gb = &mut gb[..n];
                    for i in 0..n {
                        gb[i] = gb[i] + g[i];
                    }
                }
                (None, None) => {}
            }
            let Some(out) = self.out else { continue };
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { out.part(row * n, n) };
            // What flows into the normalised row is g w: its sum, and its sum along the row.
            let (level, along) = match self.weight {
                Some(w) => sum_triples(g, x, w, |g, x, w| (g * w, g * w * (x - m))),
                None => sum_triples(g, x, x, |g, x, _| (g, g * (x - m))),
            };
            let level = if self.centred { level / many } else { T::ZERO };
            let along = along * r * r / many;
            match self.weight {
                Some(w) => {
                    let w = &w[..n];
                    for i in 0..n {
                        out[i] = (g[i] * w[i] - level - (x[i] - m) * along) * r;
                    }
                }
                None => {
                    for i in 0..n {
                        out[i] = (g[i] - level - (x[i] - m) * along) * r;
                    }
                }
            }
        }
    }
}

fn rows_backward<T: Real>(
    g: &[T],
    x: &[T],
    (n, centred): (usize, bool),
    mean: &[T],
    rstd: &[T],
    weight: Option<&[T]>,
    gx: Option<&mut [T]>,
    gw: Option<&mut [T]>,
    gb: Option<&mut [T]>,
) {
    let rows = mean.len();
    assert!(g.len() >= rows * n && x.len() >= rows * n && rstd.len() == rows);
    if n == 0 || rows == 0 {
        for v in [gw, gb].into_iter().flatten() {
            v.fill(T::ZERO);
        }
        return;
    }
    // Few rows to a part: their sums for weight and bias are added one after the other.
    let grain = (PIECE / n).clamp(1, 256);
    let parts = pieces(rows, grain);
    let mut sums_w = vec![T::ZERO; if gw.is_some() { parts * n } else { 0 }];
    let mut sums_b = vec![T::ZERO; if gb.is_some() { parts * n } else { 0 }];
    {
        let (out, w, b) = (gx.map(Shared::new), Shared::new(&mut sums_w), Shared::new(&mut sums_b));
        run_ranges(rows, grain, &|rows| {
            let part = rows.start / grain * n;
            // SAFETY: every range of rows has a part of its own.
            let (pw, pb) = unsafe { (gw.is_some().then(|| w.part(part, n)), gb.is_some().then(|| b.part(part, n))) };
            let out = out.as_ref();
            dispatch(Backward { g, x, n, centred, mean, rstd, weight, out, gw: pw, gb: pb, rows });
        });
    }
    for (sums, to) in [(sums_w, gw), (sums_b, gb)] {
        if let Some(to) = to {
            fold(Sum::<T>(PhantomData), &sums, (1, parts, n), to);
        }
    }
}
