//! Batch norm: each channel by its statistics over the batch.

use super::at;
use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{
    Deviations, PIECE, Real, Shared, Sum, TILE, deviations_cols, fold_cols, fold_row, kernels, sum_pairs,
};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

kernels! {
    /// Normalisation of channels over the batch.
    pub trait BatchNorm: Real, for [f32, f64] {
        /// Mean and sum of squared deviations of each channel over the batch.
        fn batch_moments(x: &[Self], s: Channels, mean: &mut [Self], squares: &mut [Self]);
        /// `1 / √(squares / many + eps)` in the place of `squares`.
        fn batch_rstd(squares: &mut [Self], many: Self, eps: Self);
        /// `(x - mean) rstd weight + bias` for each channel.
        fn batch_apply(
            x: &[Self],
            s: Channels,
            mean: &[Self],
            rstd: &[Self],
            weight: Option<&[Self]>,
            bias: Option<&[Self]>,
            out: &mut [Self],
        );
        /// The same with running statistics: `1 / √(var + eps)` for `rstd`, which is kept if it is wanted.
        fn batch_evaluate(
            x: &[Self],
            s: Channels,
            mean: &[Self],
            var: &[Self],
            eps: Self,
            weight: Option<&[Self]>,
            bias: Option<&[Self]>,
            rstd: Option<&mut [Self]>,
            out: &mut [Self],
        );
        /// The gradients with respect to x (if wanted), weight and bias; in training mean and variance depend on x.
        fn batch_backward(
            g: &[Self],
            x: &[Self],
            s: Channels,
            training: bool,
            mean: &[Self],
            rstd: &[Self],
            weight: Option<&[Self]>,
            gx: Option<&mut [Self]>,
            gw: &mut [Self],
            gb: &mut [Self],
        );
    }
}

/// The sizes: `samples` of `channels`, each with `len` elements.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// The batch.
    pub samples: usize,
    /// Channels of a sample.
    pub channels: usize,
    /// Elements of a channel of a sample.
    pub len: usize,
}

impl Channels {
    /// Elements of a channel over the batch.
    pub fn count(&self) -> usize {
        self.samples * self.len
    }
    fn total(&self) -> usize {
        self.count() * self.channels
    }
    /// Runs tasks: tiles of channels where a channel is a column, single channels otherwise.
    fn tasks(&self, f: &(dyn Fn(Range<usize>) + Sync)) {
        let (tasks, width) =
            if self.len == 1 { (self.channels.div_ceil(TILE), TILE.min(self.channels)) } else { (self.channels, 1) };
        run_ranges(tasks, (PIECE / (self.count() * width).max(1)).max(1), f);
    }
}

/// What a pass over some channels does.
#[derive(Clone, Copy)]
enum Pass<'a, T> {
    Moments,
    Apply { bias: Option<&'a [T]> },
    Backward { g: &'a [T], training: bool },
}

/// What becomes what.
#[derive(Clone, Copy)]
struct Shift<'a, T> {
    x: &'a [T],
    s: Channels,
    out: &'a Shared<'a, T>,
}

impl<T: Real> Shift<'_, T> {
    /// `(x - mean) w + b` for columns `start` on.
    #[inline(always)]
    fn tile(&self, start: usize, mean: &[T], w: &[T], b: &[T]) {
        let (stride, cols) = (self.s.channels, mean.len());
        let (w, b) = (&w[..cols], &b[..cols]);
        for r in 0..self.s.samples {
            let x = &self.x[r * stride + start..][..cols];
            // SAFETY: every task has channels of its own.
            let out = unsafe { self.out.part(r * stride + start, cols) };
            for i in 0..cols {
                out[i] = (x[i] - mean[i]) * w[i] + b[i];
            }
        }
    }

    /// `(x - mean) w + b` for channel `c`.
    #[inline(always)]
    fn channel(&self, c: usize, mean: T, w: T, b: T) {
        let Channels { samples, channels, len } = self.s;
        for s in 0..samples {
            let place = (s * channels + c) * len;
            let x = &self.x[place..][..len];
            // SAFETY: every task has channels of its own.
            let out = unsafe { self.out.part(place, len) };
            for i in 0..len {
                out[i] = (x[i] - mean) * w + b;
            }
        }
    }
}

struct Work<'a, T> {
    x: &'a [T],
    s: Channels,
    pass: Pass<'a, T>,
    weight: Option<&'a [T]>,
    /// Mean and 1 / standard deviation, for the later passes.
    mean: &'a [T],
    rstd: &'a [T],
    /// Mean and sum of squared deviations, or the gradients of weight and bias.
    first: &'a Shared<'a, T>,
    second: &'a Shared<'a, T>,
    out: Option<&'a Shared<'a, T>>,
    tasks: Range<usize>,
}

impl<T: Real> Kernel for Work<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for task in self.tasks.clone() {
            if self.s.len == 1 { self.tile::<S>(task) } else { self.channel::<S>(task) }
        }
    }
}

/// `1 / standard deviation * weight` of the channels from `start` on, of which `rstd` has the first factor. (Asking for each channel whether there is a weight keeps the
/// loop from becoming vectors: a microsecond for three layers of a classifier.)
#[inline(always)]
fn scales<T: Real>(rstd: &[T], weight: Option<&[T]>, start: usize, out: &mut [T]) {
    let rstd = &rstd[..out.len()];
    match weight {
        Some(weight) => {
            let weight = &weight[start..][..out.len()];
            for i in 0..out.len() {
                out[i] = rstd[i] * weight[i];
            }
        }
        None => out.copy_from_slice(rstd),
    }
}

impl<T: Real> Work<'_, T> {
    /// A tile of columns.
    #[inline(always)]
    fn tile<S: Simd>(&self, task: usize) {
        let (n, stride, start) = (self.s.samples, self.s.channels, task * TILE);
        let cols = TILE.min(stride - start);
        let many = T::of(n as f64);
        let x = &self.x[start..];
        // SAFETY: every task has channels of its own.
        let results = || unsafe { (self.first.part(start, cols), self.second.part(start, cols)) };
        // SAFETY: as above.
        let row = |r: usize| self.out.map(|out| unsafe { out.part(r * stride + start, cols) });
        match self.pass {
            Pass::Moments => {
                let (mean, squares) = results();
                fold_cols::<_, S>(&Sum::<T>(PhantomData), x, n, stride, mean);
                for m in mean.iter_mut() {
                    *m = *m / many;
                }
                deviations_cols::<_, S>(x, n, stride, mean, squares);
            }
            Pass::Apply { bias } => {
                let Some(out) = self.out else { return };
                let (mean, mut w, mut b) = (&self.mean[start..][..cols], [T::ZERO; TILE], [T::ZERO; TILE]);
                scales(&self.rstd[start..], self.weight, start, &mut w[..cols]);
                if let Some(bias) = bias {
                    b[..cols].copy_from_slice(&bias[start..][..cols]);
                }
                Shift { x: self.x, s: self.s, out }.tile(start, mean, &w, &b);
            }
            Pass::Backward { g, training } => {
                let (mean, rstd) = (&self.mean[start..][..cols], &self.rstd[start..][..cols]);
                let g = &g[start..];
                let (mut along, mut level) = ([T::ZERO; TILE], [T::ZERO; TILE]);
                let (along, level) = (&mut along[..cols], &mut level[..cols]);
                for rows in (0..n).step_by(256).map(|r| r..n.min(r + 256)) {
                    let (mut pa, mut pl) = ([T::ZERO; TILE], [T::ZERO; TILE]);
                    let (pa, pl) = (&mut pa[..cols], &mut pl[..cols]);
                    for r in rows {
                        let (g, x) = (&g[r * stride..][..cols], &x[r * stride..][..cols]);
                        for i in 0..cols {
                            pa[i] = pa[i] + g[i] * (x[i] - mean[i]);
                            pl[i] = pl[i] + g[i];
                        }
                    }
                    for i in 0..cols {
                        along[i] = along[i] + pa[i];
                        level[i] = level[i] + pl[i];
                    }
                }
                let (gw, gb) = results();
                gb.copy_from_slice(level);
                let mut w = [T::ZERO; TILE];
                let w = &mut w[..cols];
                scales(rstd, self.weight, start, w);
                for i in 0..cols {
                    gw[i] = along[i] * rstd[i];
                    along[i] = if training { gw[i] * rstd[i] / many } else { T::ZERO };
                    level[i] = if training { level[i] / many } else { T::ZERO };
                }
                for r in 0..n {
                    let (x, Some(out)) = (&x[r * stride..][..cols], row(r)) else { return };
                    let g = &g[r * stride..][..cols];
                    for i in 0..cols {
                        out[i] = (g[i] - level[i] - (x[i] - mean[i]) * along[i]) * w[i];
                    }
                }
            }
        }
    }

    /// One channel: a run of `len` elements in each sample.
    #[inline(always)]
    fn channel<S: Simd>(&self, c: usize) {
        let Channels { samples, channels, len } = self.s;
        let many = T::of(self.s.count() as f64);
        let place = |s: usize| (s * channels + c) * len;
        let run = |s: usize| &self.x[place(s)..][..len];
        // SAFETY: every task has channels of its own.
        let results = || unsafe { (&mut self.first.part(c, 1)[0], &mut self.second.part(c, 1)[0]) };
        // SAFETY: as above.
        let to = |s: usize| self.out.map(|out| unsafe { out.part(place(s), len) });
        match self.pass {
            Pass::Moments => {
                let mut sum = T::ZERO;
                for s in 0..samples {
                    sum = sum + fold_row::<_, S>(&Sum::<T>(PhantomData), run(s));
                }
                let m = sum / many;
                let mut squares = T::ZERO;
                for s in 0..samples {
                    squares = squares + fold_row::<_, S>(&Deviations(m), run(s));
                }
                let (mean, second) = results();
                (*mean, *second) = (m, squares);
            }
            Pass::Apply { bias } => {
                let Some(out) = self.out else { return };
                let (w, b) = (self.rstd[c] * at(self.weight, c, T::ONE), at(bias, c, T::ZERO));
                Shift { x: self.x, s: self.s, out }.channel(c, self.mean[c], w, b);
            }
            Pass::Backward { g, training } => {
                let (m, r) = (self.mean[c], self.rstd[c]);
                let (mut along, mut level) = (T::ZERO, T::ZERO);
                for s in 0..samples {
                    let g = &g[place(s)..][..len];
                    along = along + sum_pairs::<_, S>(g, run(s), |g, x| g * (x - m));
                    level = level + fold_row::<_, S>(&Sum::<T>(PhantomData), g);
                }
                let (gw, gb) = results();
                (*gw, *gb) = (along * r, level);
                let w = r * at(self.weight, c, T::ONE);
                let (a, l) = if training { (along * r * r / many, level / many) } else { (T::ZERO, T::ZERO) };
                for s in 0..samples {
                    let (x, Some(out)) = (run(s), to(s)) else { return };
                    let g = &g[place(s)..][..len];
                    for i in 0..len {
                        out[i] = (g[i] - l - (x[i] - m) * a) * w;
                    }
                }
            }
        }
    }
}

fn batch_moments<T: Real>(x: &[T], s: Channels, mean: &mut [T], squares: &mut [T]) {
    assert!(x.len() >= s.total() && mean.len() == s.channels && squares.len() == s.channels);
    if s.count() == 0 {
        mean.fill(T::NAN);
        return squares.fill(T::ZERO);
    }
    let (first, second) = (&Shared::new(mean), &Shared::new(squares));
    s.tasks(&|tasks| {
        let pass = Pass::Moments;
        dispatch(Work { x, s, pass, weight: None, mean: &[], rstd: &[], first, second, out: None, tasks });
    });
}

struct Rstd<'a, T> {
    squares: &'a mut [T],
    many: T,
    eps: T,
}

impl<T: Real> Kernel for Rstd<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for v in self.squares {
            *v = T::ONE / (*v / self.many + self.eps).sqrt();
        }
    }
}

fn batch_rstd<T: Real>(squares: &mut [T], many: T, eps: T) {
    dispatch(Rstd { squares, many, eps });
}

fn batch_apply<T: Real>(
    x: &[T],
    s: Channels,
    mean: &[T],
    rstd: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    out: &mut [T],
) {
    assert!(x.len() >= s.total() && out.len() == s.total() && mean.len() == s.channels && rstd.len() == s.channels);
    let none = &mut [];
    let none = &Shared::new(none);
    let out = &Shared::new(out);
    s.tasks(&|tasks| {
        let pass = Pass::Apply { bias };
        dispatch(Work { x, s, pass, weight, mean, rstd, first: none, second: none, out: Some(out), tasks });
    });
}

struct Evaluation<'a, T> {
    shift: Shift<'a, T>,
    mean: &'a [T],
    var: &'a [T],
    eps: T,
    weight: Option<&'a [T]>,
    bias: Option<&'a [T]>,
    rstd: Option<&'a Shared<'a, T>>,
    tasks: Range<usize>,
}

impl<T: Real> Kernel for Evaluation<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Channels { channels, len, .. } = self.shift.s;
        let width = if len == 1 { TILE } else { 1 };
        for start in self.tasks.clone().map(|task| task * width) {
            let cols = width.min(channels - start);
            let (mean, var) = (&self.mean[start..][..cols], &self.var[start..][..cols]);
            let (mut w, mut b) = ([T::ZERO; TILE], [T::ZERO; TILE]);
            let mut rstd = [T::ZERO; TILE];
            for i in 0..cols {
                rstd[i] = T::ONE / (var[i] + self.eps).sqrt();
            }
            if let Some(kept) = self.rstd {
                // SAFETY: every task has channels of its own.
                unsafe { kept.part(start, cols) }.copy_from_slice(&rstd[..cols]);
            }
            scales(&rstd, self.weight, start, &mut w[..cols]);
            if let Some(bias) = self.bias {
                b[..cols].copy_from_slice(&bias[start..][..cols]);
            }
            if len == 1 {
                self.shift.tile(start, mean, &w, &b);
            } else {
                self.shift.channel(start, mean[0], w[0], b[0]);
            }
        }
    }
}

fn batch_evaluate<T: Real>(
    x: &[T],
    s: Channels,
    mean: &[T],
    var: &[T],
    eps: T,
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    rstd: Option<&mut [T]>,
    out: &mut [T],
) {
    assert!(x.len() >= s.total() && out.len() == s.total() && mean.len() == s.channels && var.len() == s.channels);
    let (rstd, out) = (rstd.map(Shared::new), &Shared::new(out));
    let rstd = rstd.as_ref();
    s.tasks(&|tasks| dispatch(Evaluation { shift: Shift { x, s, out }, mean, var, eps, weight, bias, rstd, tasks }));
}

fn batch_backward<T: Real>(
    g: &[T],
    x: &[T],
    s: Channels,
    training: bool,
    mean: &[T],
    rstd: &[T],
    weight: Option<&[T]>,
    gx: Option<&mut [T]>,
    gw: &mut [T],
    gb: &mut [T],
) {
    assert!(x.len() >= s.total() && g.len() >= s.total() && mean.len() == s.channels && rstd.len() == s.channels);
    assert!(gw.len() == s.channels && gb.len() == s.channels);
    if s.count() == 0 {
        gw.fill(T::ZERO);
        return gb.fill(T::ZERO);
    }
    let (first, second, out) = (&Shared::new(gw), &Shared::new(gb), gx.map(Shared::new));
    let out = out.as_ref();
    s.tasks(&|tasks| {
        let pass = Pass::Backward { g, training };
        dispatch(Work { x, s, pass, weight, mean, rstd, first, second, out, tasks });
    });
}
