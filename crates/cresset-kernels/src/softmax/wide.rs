//! Rows of f32 in vectors of AVX-512: softmax, its logarithm, their gradients and log sums, in as few passes as they need.
//!
//! A pass computes exponentials and adds them up at once, and divides by multiplying with the inverse. Rows of 1000 numbers take two
//! thirds of the time that the text for AVX2 takes on Zen 4.

use super::narrow::NARROW;
use crate::lane::Lane;
use crate::level::{Level, level};
use crate::math::vector512::{F32x16, LEN};
use crate::reduce::{Real, Shared};
use std::ops::Range;

/// Numbers whose exponentials are added up in vectors before the sum goes to the total: longer sums would lose digits.
const BLOCK: usize = 1024;

/// The numbers as f32, if that is what they are, there are vectors for them, and rows of `n` are long enough.
fn floats<T: Real>(x: &[T], n: usize) -> Option<&[f32]> {
    if n > NARROW && level() == Level::Avx512 { T::as_f32(x) } else { None }
}

/// [`floats`], to be written.
fn floats_mut<T: Real>(x: &mut [T]) -> Option<&mut [f32]> {
    T::as_f32_mut(x)
}

/// Rows of `out`. Ranges of rows must not overlap.
#[allow(clippy::mut_from_ref)] // as `Shared::part`, whose promise this hands on
fn part<'a, T: Real>(out: &'a Shared<T>, rows: &Range<usize>, n: usize) -> Option<&'a mut [f32]> {
    // SAFETY: by the caller's promise.
    floats_mut(unsafe { out.part(rows.start * n, rows.len() * n) })
}

/// [`Softmax::softmax`](super::Softmax) of some rows; says no, and does nothing, where this is not the way.
pub(super) fn softmax<T: Real>(log: bool, x: &[T], n: usize, out: &Shared<T>, rows: Range<usize>) -> bool {
    let Some(x) = floats(x, n) else { return false };
    let Some(out) = part(out, &rows, n) else { return false };
    for (x, out) in x[rows.start * n..].chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        // SAFETY: the level is AVX-512.
        unsafe {
            let max = largest(x);
            if log {
                // One after the other: beside a large maximum the logarithm would lose its digits.
                let sum = exps(x, max, None).ln();
                each(x, out, |x| x.sub(&F32x16::of(max)).sub(&F32x16::of(sum)));
            } else {
                let sum = exps(x, max, Some(out));
                scale(out, 1.0 / sum);
            }
        }
    }
    true
}

/// [`Softmax::softmax_backward`](super::Softmax) of some rows, as [`softmax`].
pub(super) fn backward<T: Real>(log: bool, g: &[T], y: &[T], n: usize, out: &Shared<T>, rows: Range<usize>) -> bool {
    let (Some(g), Some(y)) = (floats(g, n), floats(y, n)) else { return false };
    let Some(out) = part(out, &rows, n) else { return false };
    let at = rows.start * n;
    for ((g, y), out) in g[at..].chunks_exact(n).zip(y[at..].chunks_exact(n)).zip(out.chunks_exact_mut(n)) {
        // SAFETY: the level is AVX-512, and all three are as long.
        unsafe {
            if log {
                let s = sum(g, g, |g, _| g);
                pairs(g, y, out, |g, y| y.exp_below().fma(&F32x16::of(-s), &g));
            } else {
                let s = sum(g, y, |g, y| g.mul(&y));
                pairs(g, y, out, |g, y| y.mul(&g.sub(&F32x16::of(s))));
            }
        }
    }
    true
}

/// [`Softmax::log_sum_exp`](super::Softmax) of some rows, as [`softmax`].
pub(super) fn log_sums<T: Real>(x: &[T], n: usize, out: &Shared<T>, rows: Range<usize>) -> bool {
    let Some(x) = floats(x, n) else { return false };
    let Some(out) = part(out, &rows, 1) else { return false };
    for (x, out) in x[rows.start * n..].chunks_exact(n).zip(out) {
        // SAFETY: the level is AVX-512.
        unsafe {
            let max = largest(x);
            *out = if max.is_infinite() { max } else { max + exps(x, max, None).ln() };
        }
    }
    true
}

/// Is [`scaled_exp`] the way for rows of n?
pub(super) fn fits<T: Real>(n: usize) -> bool {
    floats::<T>(&[], n).is_some()
}

/// `out = factor exp(x - log_sum)` of a row; says no, and does nothing, if it is not of f32.
///
/// # Safety
/// The rows [fit](fits).
pub(super) unsafe fn scaled_exp<T: Real>(x: &[T], log_sum: T, factor: T, out: &mut [T]) -> bool {
    let (Some(x), Some(out)) = (T::as_f32(x), floats_mut(out)) else { return false };
    let (log_sum, factor) = (log_sum.wide() as f32, factor.wide() as f32);
    // SAFETY: the level is AVX-512.
    unsafe { each(x, out, |x| x.sub(&F32x16::of(log_sum)).exp().mul(&F32x16::of(factor))) };
    true
}

/// The largest number; NaN if there is one.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn largest(x: &[f32]) -> f32 {
    // SAFETY: the processor has AVX-512 by the promise of the caller, here and below; loads stay within the slice.
    unsafe {
        let mut max = [F32x16::of(f32::NEG_INFINITY); 4];
        let mut groups = x.chunks_exact(4 * LEN);
        for group in &mut groups {
            for (k, max) in max.iter_mut().enumerate() {
                *max = max.max(&F32x16::load(group[k * LEN..].as_ptr()));
            }
        }
        for rest in groups.remainder().chunks(LEN) {
            max[0] = max[0].max(&F32x16::load_part(rest.as_ptr(), rest.len(), f32::NEG_INFINITY));
        }
        max[0].max(&max[1]).max(&max[2].max(&max[3])).largest()
    }
}

/// The sum of `exp(x - level)`, where no x is above the level; the exponentials are left in `out`, if it is given.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn exps(x: &[f32], level: f32, mut out: Option<&mut [f32]>) -> f32 {
    let mut total = 0.0;
    // SAFETY: loads and stores stay within the slices, which are as long.
    unsafe {
        let level = F32x16::of(level);
        for (b, block) in x.chunks(BLOCK).enumerate() {
            let mut sums = [F32x16::of(0.0); 2];
            for (i, x) in block.chunks(LEN).enumerate() {
                let e = if x.len() == LEN {
                    F32x16::load(x.as_ptr()).sub(&level).exp_below()
                } else {
                    F32x16::load_part(x.as_ptr(), x.len(), f32::NEG_INFINITY).sub(&level).exp_below()
                };
                sums[i % 2] = sums[i % 2].add(&e);
                if let Some(out) = &mut out {
                    e.store_part(out[b * BLOCK + i * LEN..].as_mut_ptr(), x.len());
                }
            }
            total += sums[0].add(&sums[1]).total();
        }
    }
    total
}

/// The sum of `f(a, b)`.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn sum(a: &[f32], b: &[f32], f: impl Fn(F32x16, F32x16) -> F32x16) -> f32 {
    let mut total = 0.0;
    // SAFETY: loads stay within the slices, which are as long.
    unsafe {
        for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
            let mut sums = [F32x16::of(0.0); 4];
            for (i, (a, b)) in a.chunks(LEN).zip(b.chunks(LEN)).enumerate() {
                let (n, a, b) = (a.len(), a.as_ptr(), b.as_ptr());
                let v = f(F32x16::load_part(a, n, 0.0), F32x16::load_part(b, n, 0.0));
                sums[i % 4] = sums[i % 4].add(&v);
            }
            total += sums[0].add(&sums[1]).add(&sums[2].add(&sums[3])).total();
        }
    }
    total
}

/// `out = f(x)`
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn each(x: &[f32], out: &mut [f32], f: impl Fn(F32x16) -> F32x16) {
    for (x, out) in x.chunks(LEN).zip(out.chunks_mut(LEN)) {
        // SAFETY: loads and stores stay within the slices.
        unsafe { f(F32x16::load_part(x.as_ptr(), x.len(), 0.0)).store_part(out.as_mut_ptr(), out.len()) };
    }
}

/// `out = f(a, b)`
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn pairs(a: &[f32], b: &[f32], out: &mut [f32], f: impl Fn(F32x16, F32x16) -> F32x16) {
    for ((a, b), out) in a.chunks(LEN).zip(b.chunks(LEN)).zip(out.chunks_mut(LEN)) {
        // SAFETY: loads and stores stay within the slices.
        unsafe {
            let (a, b) = (F32x16::load_part(a.as_ptr(), a.len(), 0.0), F32x16::load_part(b.as_ptr(), b.len(), 0.0));
            f(a, b).store_part(out.as_mut_ptr(), out.len());
        }
    }
}

/// `out *= factor`
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn scale(out: &mut [f32], factor: f32) {
    for v in out {
        *v *= factor;
    }
}
