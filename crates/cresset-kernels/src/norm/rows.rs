//! Layer norm and RMS norm: each row by its own statistics, with a weight and a bias for each place in the row.

use crate::buffer::{Buffer, Element};
use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{Cascade, Deviations, PIECE, Real, Shared, Sum, fold, fold_row, kernels, sum_triples};
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

/// What a row adds to the gradients of weight and bias, and the sums of `g w` and of `g w (x - m)` over the row, in one walk along it (a
/// fifth less for layer norm than two). A function of its own, beside `sum_triples`, because only arguments are known to be apart in memory: as a closure it takes
/// twice as long.
#[inline(always)]
fn gradients_and_sums<T: Real>(g: &[T], x: &[T], w: &[T], m: T, r: T, gw: &mut [T], gb: &mut [T]) -> (T, T) {
    const LANES: usize = 32;
    const BLOCK: usize = 2048;
    let n = g.len();
    let (x, w, gw, gb) = (&x[..n], &w[..n], &mut gw[..n], &mut gb[..n]);
    let mut cascades = (Cascade::new(T::ZERO), Cascade::new(T::ZERO));
    for start in (0..n).step_by(BLOCK) {
        let block = start..n.min(start + BLOCK);
        let (mut level, mut along) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        let mut at = block.start;
        while at + LANES <= block.end {
            let (g, x, w) = (&g[at..at + LANES], &x[at..at + LANES], &w[at..at + LANES]);
            let (gw, gb) = (&mut gw[at..at + LANES], &mut gb[at..at + LANES]);
            for i in 0..LANES {
                let d = x[i] - m;
                gw[i] = gw[i] + g[i] * (d * r);
                gb[i] = gb[i] + g[i];
                level[i] = level[i] + g[i] * w[i];
                along[i] = along[i] + g[i] * w[i] * d;
            }
            at += LANES;
        }
        let (mut last_level, mut last_along) = (level, along);
        for i in 0..block.end - at {
            let d = x[at + i] - m;
            gw[at + i] = gw[at + i] + g[at + i] * (d * r);
            gb[at + i] = gb[at + i] + g[at + i];
            last_level[i] = last_level[i] + g[at + i] * w[at + i];
            last_along[i] = last_along[i] + g[at + i] * w[at + i] * d;
        }
        for sums in [&mut last_level, &mut last_along] {
            for half in [16, 8, 4, 2, 1] {
                for i in 0..half {
                    sums[i] = sums[i] + sums[i + half];
                }
            }
        }
        cascades.0.push(last_level[0], |a, b| a + b);
        cascades.1.push(last_along[0], |a, b| a + b);
    }
    (cascades.0.finish(|a, b| a + b), cascades.1.finish(|a, b| a + b))
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
            let mut sums = None;
            match (&mut self.gw, &mut self.gb, self.weight, self.out) {
                (Some(gw), Some(gb), Some(w), Some(_)) => {
                    sums = Some(gradients_and_sums(g, x, &w[..n], m, r, &mut gw[..n], &mut gb[..n]));
                }
                (Some(gw), Some(gb), ..) => {
                    let (gw, gb) = (&mut gw[..n], &mut gb[..n]);
                    for i in 0..n {
                        gw[i] = gw[i] + g[i] * ((x[i] - m) * r);
                        gb[i] = gb[i] + g[i];
                    }
                }
                (Some(gw), None, ..) => {
                    let gw = &mut gw[..n];
                    for i in 0..n {
                        gw[i] = gw[i] + g[i] * ((x[i] - m) * r);
                    }
                }
                (None, Some(gb), ..) => {
                    let gb = &mut gb[..n];
                    for i in 0..n {
                        gb[i] = gb[i] + g[i];
                    }
                }
                (None, None, ..) => {}
            }
            let Some(out) = self.out else { continue };
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { out.part(row * n, n) };
            // What flows into the normalised row is g w: its sum, and its sum along the row.
            let (level, along) = match (sums, self.weight) {
                (Some(sums), _) => sums,
                (None, Some(w)) => sum_triples(g, x, w, |g, x, w| (g * w, g * w * (x - m))),
                (None, None) => sum_triples(g, x, x, |g, x, _| (g, g * (x - m))),
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

fn rows_backward<T: Real + Element>(
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
    // Buffers, because memory that goes back to the system comes as new pages, whose making threads wait for.
    let room = |wanted: bool| Buffer::zeroed(if wanted { parts * n * size_of::<T>() } else { 0 });
    let (mut sums_w, mut sums_b) = (room(gw.is_some()), room(gb.is_some()));
    {
        let (w, b) = (Shared::new(sums_w.as_mut_slice::<T>()), Shared::new(sums_b.as_mut_slice::<T>()));
        let out = gx.map(Shared::new);
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
            fold(Sum::<T>(PhantomData), sums.as_slice::<T>(), (1, parts, n), to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the formulas in f64, for rows that end within a vector, a set of sums and a block of them.
    #[test]
    fn the_gradients_are_those_of_the_formulas() {
        for (rows, n) in [(3, 5), (2, 31), (4, 32), (300, 33), (3, 100), (2, 2048), (2, 4100)] {
            let number = |i: usize, k: usize| ((i * k + 7) % 101) as f64 / 50.0 - 1.0;
            let x: Vec<f64> = (0..rows * n).map(|i| number(i, 37)).collect();
            let g: Vec<f64> = (0..rows * n).map(|i| number(i, 53)).collect();
            let w: Vec<f64> = (0..n).map(|i| number(i, 29)).collect();
            let f32s = |v: &[f64]| v.iter().map(|x| *x as f32).collect::<Vec<f32>>();
            let (x32, g32, w32) = (f32s(&x), f32s(&g), f32s(&w));
            let (mut mean, mut rstd, mut y) = (vec![0f32; rows], vec![0f32; rows], vec![0f32; rows * n]);
            f32::rows_forward(&x32, n, (1e-5, true), Some(&w32), None, &mut mean, &mut rstd, &mut y);
            let (mut gx, mut gw, mut gb) = (vec![0f32; rows * n], vec![0f32; n], vec![0f32; n]);
            let wanted = (Some(&mut gx[..]), Some(&mut gw[..]), Some(&mut gb[..]));
            f32::rows_backward(&g32, &x32, (n, true), &mean, &rstd, Some(&w32), wanted.0, wanted.1, wanted.2);

            let (mut want_w, mut want_b) = (vec![0.0; n], vec![0.0; n]);
            let many = n as f64;
            // Sums of `rows` or `n` numbers of f32.
            let close = |have: f32, want: f64, what: &str| {
                assert!(
                    (f64::from(have) - want).abs() < 2e-5 * want.abs().max(1.0),
                    "{what} of {rows}x{n}: {have}, {want}"
                );
            };
            for r in 0..rows {
                let (x, g) = (&x[r * n..][..n], &g[r * n..][..n]);
                let m = x.iter().sum::<f64>() / many;
                let s = (x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / many + 1e-5).sqrt().recip();
                let h: Vec<f64> = x.iter().map(|x| (x - m) * s).collect();
                let level = (0..n).map(|i| g[i] * w[i]).sum::<f64>() / many;
                let along = (0..n).map(|i| g[i] * w[i] * h[i]).sum::<f64>() / many;
                for i in 0..n {
                    want_w[i] += g[i] * h[i];
                    want_b[i] += g[i];
                    close(gx[r * n + i], (g[i] * w[i] - level - h[i] * along) * s, "the gradient of x");
                    close(y[r * n + i], h[i] * w[i], "the result");
                }
            }
            for i in 0..n {
                close(gw[i], want_w[i], "the gradient of the weight");
                close(gb[i], want_b[i], "the gradient of the bias");
            }
        }
    }
}
