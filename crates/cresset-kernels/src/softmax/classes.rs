//! Losses of classification: the negative log likelihood of a class, and cross entropy with its gradient in one pass.

use super::GROUP;
use crate::level::{Kernel, Simd, dispatch};
use crate::reduce::{PIECE, Real, Shared, Sum, fold_row, kernels, sum_pairs};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

kernels! {
    /// Losses of classification.
    pub trait ClassLosses: Real, for [f32, f64] {
        /// The negative log likelihood of each row's class: `w (ln Σ exp(x) - x[class])` with the rows' `log_sums`, or `-w x[class]` without,
        /// where the rows are log probabilities already. Classes must be in range.
        fn nll(x: &[Self], n: usize, log_sums: Option<&[Self]>, classes: Classes<Self>, out: &mut [Self]);
        /// The gradient of [`nll`](Self::nll) with log sums: `scale g w (softmax(x) - onehot)` for each row; `g` has one element, or one for each row.
        fn cross_entropy_backward(
            g: (&[Self], Self),
            x: &[Self],
            n: usize,
            log_sums: &[Self],
            classes: Classes<Self>,
            out: &mut [Self],
        );
    }
}

/// The targets of a classification: class numbers and what they weigh.
#[derive(Clone, Copy)]
pub struct Classes<'a, T> {
    /// One class for each row.
    pub target: &'a [i64],
    /// One weight for each class.
    pub weight: Option<&'a [T]>,
    /// Rows of this class do not count.
    pub ignore: i64,
    /// How much of the target is spread evenly over all classes.
    pub smoothing: f64,
}

impl<T: Real> Classes<'_, T> {
    #[inline(always)]
    fn weight(&self, class: usize) -> T {
        self.weight.map_or(T::ONE, |w| w[class])
    }
    /// The sum of the weights of the rows that count: what a mean divides by.
    pub fn total(&self) -> T {
        let counted = self.target.iter().filter(|&&t| t != self.ignore);
        T::of(counted.map(|&t| self.weight(t as usize).wide()).sum())
    }
}

struct Losses<'a, T> {
    x: &'a [T],
    n: usize,
    log_sums: Option<&'a [T]>,
    classes: Classes<'a, T>,
    out: &'a Shared<'a, T>,
    rows: Range<usize>,
}
impl<T: Real> Kernel for Losses<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (n, c) = (self.n, &self.classes);
        // SAFETY: ranges of rows do not overlap.
        let out = unsafe { self.out.part(self.rows.start, self.rows.len()) };
        let (hard, soft) = (T::of(1.0 - c.smoothing), T::of(c.smoothing / n as f64));
        for (out, row) in out.iter_mut().zip(self.rows) {
            let t = c.target[row];
            if t == c.ignore {
                *out = T::ZERO;
                continue;
            }
            let x = &self.x[row * n..][..n];
            let l = self.log_sums.map_or(T::ZERO, |l| l[row]);
            let loss = c.weight(t as usize) * (l - x[t as usize]);
            *out = if c.smoothing == 0.0 {
                loss
            } else {
                let all = match c.weight {
                    Some(w) => sum_pairs::<_, S>(x, w, |x, w| w * (l - x)),
                    None => sum_pairs::<_, S>(x, x, |x, _| l - x),
                };
                hard * loss + soft * all
            };
        }
    }
}

fn nll<T: Real>(x: &[T], n: usize, log_sums: Option<&[T]>, classes: Classes<T>, out: &mut [T]) {
    let rows = out.len();
    assert!(x.len() >= n * rows && classes.target.len() == rows);
    let out = Shared::new(out);
    run_ranges(rows, (PIECE / n.max(1)).max(1), &|rows| {
        dispatch(Losses { x, n, log_sums, classes, out: &out, rows });
    });
}

struct LossesBack<'a, T> {
    g: &'a [T],
    scale: T,
    x: &'a [T],
    n: usize,
    log_sums: &'a [T],
    classes: Classes<'a, T>,
    out: &'a Shared<'a, T>,
    rows: Range<usize>,
    /// Whether the exponentials have a text for AVX-512.
    wide: bool,
}
impl<T: Real> Kernel for LossesBack<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (n, c) = (self.n, &self.classes);
        let soft = T::of(c.smoothing / n as f64);
        let spread = match c.weight {
            Some(w) => fold_row::<_, S>(&Sum::<T>(PhantomData), w),
            None => T::of(n as f64),
        } * soft;
        let together = (GROUP / n).max(1);
        let mut row = self.rows.start;
        while row < self.rows.end {
            let many = together.min(self.rows.end - row);
            let x = &self.x[row * n..][..many * n];
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { self.out.part(row * n, many * n) };
            if !self.wide {
                for (k, (x, out)) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).enumerate() {
                    let l = self.log_sums[row + k];
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = x - l;
                    }
                }
                for out in out.iter_mut() {
                    *out = out.exp::<S>();
                }
            }
            for (k, (x, out)) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)).enumerate() {
                let t = c.target[row + k];
                if t == c.ignore {
                    out.fill(T::ZERO);
                    continue;
                }
                let g = self.scale * if self.g.len() == 1 { self.g[0] } else { self.g[row + k] };
                let hard = c.weight(t as usize) * T::of(1.0 - c.smoothing);
                let all = g * (hard + spread);
                #[cfg(target_arch = "x86_64")]
                // SAFETY: they fit, as was asked for.
                let done = self.wide && unsafe { super::wide::scaled_exp(x, self.log_sums[row + k], all, out) };
                #[cfg(not(target_arch = "x86_64"))]
                let done = x.is_empty();
                if !done {
                    for out in out.iter_mut() {
                        *out = *out * all;
                    }
                }
                if c.smoothing != 0.0 {
                    for (i, out) in out.iter_mut().enumerate() {
                        *out = *out - g * soft * c.weight(i);
                    }
                }
                out[t as usize] = out[t as usize] - g * hard;
            }
            row += many;
        }
    }
}

fn cross_entropy_backward<T: Real>(
    (g, scale): (&[T], T),
    x: &[T],
    n: usize,
    log_sums: &[T],
    classes: Classes<T>,
    out: &mut [T],
) {
    let rows = log_sums.len();
    assert!(x.len() >= n * rows && out.len() == n * rows && (g.len() == 1 || g.len() == rows));
    if out.is_empty() {
        return;
    }
    let out = Shared::new(out);
    #[cfg(target_arch = "x86_64")]
    let wide = super::wide::fits::<T>(n);
    #[cfg(not(target_arch = "x86_64"))]
    let wide = false;
    run_ranges(rows, (PIECE / n).max(1), &|rows| {
        dispatch(LossesBack { g, scale, x, n, log_sums, classes, out: &out, rows, wide });
    });
}
