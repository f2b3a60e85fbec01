//! Group norm and instance norm: each group of channels of each sample by its own statistics, with a weight and a bias for each channel.

use super::at;
use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{Deviations, PIECE, Real, Shared, Sum, fold, fold_row, kernels, sum_pairs};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

kernels! {
    /// Normalisation of groups of channels.
    pub trait GroupNorm: Real, for [f32, f64] {
        /// `(x - mean) rstd weight + bias`; `mean` and `rstd` get one number for each group of each sample.
        fn groups_forward(
            x: &[Self],
            s: Groups,
            eps: f64,
            weight: Option<&[Self]>,
            bias: Option<&[Self]>,
            mean: &mut [Self],
            rstd: &mut [Self],
            out: &mut [Self],
        );
        /// The gradients of [`groups_forward`](Self::groups_forward), each if wanted.
        fn groups_backward(
            g: &[Self],
            x: &[Self],
            s: Groups,
            mean: &[Self],
            rstd: &[Self],
            weight: Option<&[Self]>,
            gx: Option<&mut [Self]>,
            gw: Option<&mut [Self]>,
            gb: Option<&mut [Self]>,
        );
    }
}

/// The sizes: `samples` of `channels` in `groups`, each channel with `len` elements.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// The batch.
    pub samples: usize,
    /// Channels of a sample.
    pub channels: usize,
    /// Groups of a sample.
    pub groups: usize,
    /// Elements of a channel of a sample.
    pub len: usize,
}
impl Groups {
    fn rows(&self) -> usize {
        self.samples * self.groups
    }
    fn per_group(&self) -> usize {
        self.channels / self.groups
    }
}

struct Forward<'a, T> {
    x: &'a [T],
    s: Groups,
    eps: T,
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
        let (per, len) = (self.s.per_group(), self.s.len);
        let n = per * len;
        let many = T::of(n as f64);
        for row in self.rows {
            let x = &self.x[row * n..][..n];
            // SAFETY: ranges of rows do not overlap.
            let (mean, rstd, out) =
                unsafe { (self.mean.part(row, 1), self.rstd.part(row, 1), self.out.part(row * n, n)) };
            let m = fold_row::<_, S>(&Sum::<T>(PhantomData), x) / many;
            let r = T::ONE / (fold_row::<_, S>(&Deviations(m), x) / many + self.eps).sqrt();
            (mean[0], rstd[0]) = (m, r);
            let first = row % self.s.groups * per;
            for (c, (x, out)) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)).enumerate() {
                let (w, b) = (r * at(self.weight, first + c, T::ONE), at(self.bias, first + c, T::ZERO));
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = (x - m) * w + b;
                }
            }
        }
    }
}

fn groups_forward<T: Real>(
    x: &[T],
    s: Groups,
    eps: f64,
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    mean: &mut [T],
    rstd: &mut [T],
    out: &mut [T],
) {
    let n = s.per_group() * s.len;
    assert!(x.len() >= out.len() && out.len() == s.rows() * n && mean.len() == s.rows() && rstd.len() == s.rows());
    if n == 0 {
        mean.fill(T::NAN);
        return rstd.fill(T::NAN);
    }
    let eps = T::of(eps);
    let (mean, rstd, out) = (Shared::new(mean), Shared::new(rstd), Shared::new(out));
    run_ranges(s.rows(), (PIECE / n).max(1), &|rows| {
        dispatch(Forward { x, s, eps, weight, bias, mean: &mean, rstd: &rstd, out: &out, rows });
    });
}

struct Backward<'a, T> {
    g: &'a [T],
    x: &'a [T],
    s: Groups,
    mean: &'a [T],
    rstd: &'a [T],
    weight: Option<&'a [T]>,
    out: Option<&'a Shared<'a, T>>,
    /// For each channel of each sample: `Σ g (x - mean) rstd` and `Σ g`.
    along: &'a Shared<'a, T>,
    level: &'a Shared<'a, T>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (per, len) = (self.s.per_group(), self.s.len);
        let n = per * len;
        let many = T::of(n as f64);
        for row in self.rows {
            let (g, x) = (&self.g[row * n..][..n], &self.x[row * n..][..n]);
            let (m, r) = (self.mean[row], self.rstd[row]);
            let first = row % self.s.groups * per;
            // SAFETY: ranges of rows do not overlap.
            let (along, level) = unsafe { (self.along.part(row * per, per), self.level.part(row * per, per)) };
            let (mut sum_along, mut sum_level) = (T::ZERO, T::ZERO);
            for c in 0..per {
                let (g, x) = (&g[c * len..][..len], &x[c * len..][..len]);
                along[c] = sum_pairs::<_, S>(g, x, |g, x| g * (x - m)) * r;
                level[c] = fold_row::<_, S>(&Sum::<T>(PhantomData), g);
                let w = at(self.weight, first + c, T::ONE);
                sum_along = sum_along + along[c] * w;
                sum_level = sum_level + level[c] * w;
            }
            let Some(out) = self.out else { continue };
            // SAFETY: as above.
            let out = unsafe { out.part(row * n, n) };
            let (a, l) = (sum_along * r / many, sum_level / many);
            for c in 0..per {
                let (g, x, out) = (&g[c * len..][..len], &x[c * len..][..len], &mut out[c * len..][..len]);
                let w = at(self.weight, first + c, T::ONE);
                for i in 0..len {
                    out[i] = (g[i] * w - l - (x[i] - m) * a) * r;
                }
            }
        }
    }
}

fn groups_backward<T: Real>(
    g: &[T],
    x: &[T],
    s: Groups,
    mean: &[T],
    rstd: &[T],
    weight: Option<&[T]>,
    gx: Option<&mut [T]>,
    gw: Option<&mut [T]>,
    gb: Option<&mut [T]>,
) {
    let n = s.per_group() * s.len;
    assert!(g.len() >= s.rows() * n && x.len() >= s.rows() * n && mean.len() == s.rows() && rstd.len() == s.rows());
    let mut along = vec![T::ZERO; s.samples * s.channels];
    let mut level = along.clone();
    if n > 0 {
        let (out, along, level) = (gx.map(Shared::new), Shared::new(&mut along), Shared::new(&mut level));
        let out = out.as_ref();
        run_ranges(s.rows(), (PIECE / n).max(1), &|rows| {
            dispatch(Backward { g, x, s, mean, rstd, weight, out, along: &along, level: &level, rows });
        });
    }
    for (sums, to) in [(along, gw), (level, gb)] {
        if let Some(to) = to {
            fold(Sum::<T>(PhantomData), &sums, (1, s.samples, s.channels), to);
        }
    }
}
