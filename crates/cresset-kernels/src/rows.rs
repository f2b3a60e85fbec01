//! Rows of a table: taken by index, and gradients added back to them.

use crate::buffer::Element;
use crate::level::{Kernel, Simd, dispatch};
use crate::threads;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A type whose rows can be added.
pub trait Row: Element + Default + std::ops::AddAssign + std::ops::Mul<Output = Self> {
    /// From a factor.
    fn factor(x: f64) -> Self;
}
impl Row for f32 {
    fn factor(x: f64) -> f32 {
        x as f32
    }
}
impl Row for f64 {
    fn factor(x: f64) -> f64 {
        x
    }
}

/// `out[i] = table[at[i]]` for rows of `width` numbers that begin `stride` apart in the table.
///
/// # Panics
/// If an index is outside.
pub fn take<T: Element>(table: &[T], stride: usize, width: usize, at: &[i64], out: &mut [T]) {
    if width == 0 {
        return;
    }
    let each = 16384usize.div_ceil(width);
    threads::run_chunks(&mut out[..at.len() * width], each * width, &|piece, out| {
        for (row, &i) in out.chunks_mut(width).zip(&at[piece * each..]) {
            row.copy_from_slice(&table[i as usize * stride..][..width]);
        }
    });
}

/// `out[i] = x[place(i) + at[i] * step]` for every element of a shape, where `place` follows the strides `rest`. `at` and `out` are
/// contiguous.
///
/// # Panics
/// If an index is outside, or the lengths do not agree.
pub fn gather<T: Element>(x: &[T], rest: &[usize], step: usize, shape: &[usize], at: &[i64], out: &mut [T]) {
    let Some((&width, outer)) = shape.split_last() else {
        out[0] = x[at[0] as usize * step];
        return;
    };
    assert!(rest.len() == shape.len() && at.len() == out.len());
    if out.is_empty() {
        return;
    }
    let stride = rest[outer.len()];
    let each = 16384usize.div_ceil(width);
    threads::run_chunks(out, each * width, &|piece, out| {
        let at = &at[piece * each * width..][..out.len()];
        for (i, (out, at)) in out.chunks_mut(width).zip(at.chunks(width)).enumerate() {
            let (mut row, mut place) = (piece * each + i, 0);
            for (&n, &s) in outer.iter().zip(rest).rev() {
                place += row % n * s;
                row /= n;
            }
            let x = &x[place..];
            if step == 1 && stride == 0 {
                // One look along the row brings it near, which picking here and there would do line by line: a third of the time of long rows.
                let line = 64 / size_of::<T>().min(64);
                x[..width.min(x.len())].iter().step_by(line).for_each(|x| {
                    std::hint::black_box(*x);
                });
            }
            if step == 1 && stride == 0 {
                // Nothing to multiply: with indices that are looked at by their signs, a third less for rows of 1000.
                // Several at a time: alone, the loop took a quarter more time or not, by the place at which it began.
                let (mut eights, mut ats) = (out.chunks_exact_mut(8), at.chunks_exact(8));
                for (out, at) in (&mut eights).zip(&mut ats) {
                    for j in 0..8 {
                        out[j] = x[at[j] as usize];
                    }
                }
                let rest = eights.into_remainder().iter_mut().zip(ats.remainder());
                rest.for_each(|(out, &at)| *out = x[at as usize]);
                continue;
            }
            for (i, (out, &at)) in out.iter_mut().zip(at).enumerate() {
                *out = x[i * stride + at as usize * step];
            }
        }
    });
}

/// Are all indices at least 0 and below n?
pub fn all_within(at: &[i64], n: usize) -> bool {
    struct Within<'a>(&'a [i64], i64);
    impl Kernel for Within<'_> {
        type Output = bool;
        #[inline(always)]
        fn run<S: Simd>(self) -> bool {
            // The sign of `i` or of `last - i` shows in all signs put together: AVX2 has neither the smaller nor the larger of two i64.
            let signs = self.0.iter().fold(0, |signs, &i| signs | i | self.1.wrapping_sub(i));
            signs >= 0
        }
    }
    let outside = AtomicBool::new(n == 0 && !at.is_empty());
    threads::run_ranges(at.len(), 65536, &|range| {
        // n - 1 - i of a huge negative i wraps around, but then i itself has the sign.
        if !dispatch(Within(&at[range], n as i64 - 1)) {
            outside.store(true, Relaxed);
        }
    });
    !outside.into_inner()
}

/// What the gradient of every row that was taken is multiplied with: 0 for the row `padding`, one over how often the row was taken if
/// `by_frequency`, otherwise 1.
pub fn factors(at: &[i64], rows: usize, padding: Option<usize>, by_frequency: bool) -> Vec<f64> {
    let mut counts = vec![0u32; if by_frequency { rows } else { 0 }];
    if by_frequency {
        at.iter().for_each(|&i| counts[i as usize] += 1);
    }
    at.iter()
        .map(|&i| match i as usize {
            i if padding == Some(i) => 0.0,
            i if by_frequency => 1.0 / f64::from(counts[i]),
            _ => 1.0,
        })
        .collect()
}

/// `out[at[i]] += factor[i] * g[i]` (see [`factors`]), in the order of i, from zeros on. Threads cut the table,
/// so that the order of additions is always the same.
///
/// # Panics
/// If an index is outside.
pub fn add<T: Row>(g: &[T], width: usize, at: &[i64], padding: Option<usize>, by_frequency: bool, out: &mut [T]) {
    if width == 0 {
        return;
    }
    let rows = out.len() / width;
    let factors = if by_frequency { factors(at, rows, padding, true) } else { Vec::new() };
    // Pieces of the table: each looks at all indices and adds its own. Four at most, so that looking costs little.
    let each = if at.len() * width < 1 << 16 { rows } else { rows.div_ceil(4) }.max(1);
    threads::run_chunks(out, each * width, &|piece, out| {
        out.fill(T::default());
        let first = piece * each;
        let mine = first..first + out.len() / width;
        for (n, &i) in at.iter().enumerate() {
            let i = i as usize;
            if !mine.contains(&i) || padding == Some(i) {
                continue;
            }
            let (sum, g) = (&mut out[(i - first) * width..][..width], &g[n * width..][..width]);
            if by_frequency {
                let f = T::factor(factors[n]);
                sum.iter_mut().zip(g).for_each(|(s, g)| *s += f * *g);
            } else {
                sum.iter_mut().zip(g).for_each(|(s, g)| *s += *g);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_index_outside_is_seen_wherever_it_is() {
        let mut at: Vec<i64> = (0..70_000).map(|i| i % 10).collect();
        assert!(super::all_within(&at, 10) && super::all_within(&[], 0) && !super::all_within(&[0], 0));
        for (place, bad) in [(0, -1), (69_999, 10), (3, i64::MIN), (65_536, i64::MAX), (40_000, -10)] {
            let good = std::mem::replace(&mut at[place], bad);
            assert!(!super::all_within(&at, 10), "{bad} at {place}");
            at[place] = good;
        }
    }
    #[test]
    fn elements_by_place_and_index() {
        let x: Vec<i32> = (0..12).collect();
        // x is 3 x 4; along dimension 1, then along 0.
        let mut out = [0; 6];
        super::gather(&x, &[4, 0], 1, &[3, 2], &[3, 0, 1, 1, 0, 2], &mut out);
        assert_eq!(out, [3, 0, 5, 5, 8, 10]);
        let mut out = [0; 4];
        super::gather(&x, &[0, 1], 4, &[1, 4], &[2, 0, 1, 2], &mut out);
        assert_eq!(out, [8, 1, 6, 11]);
    }

    #[test]
    fn rows_there_and_back() {
        let table: Vec<f64> = (0..12).map(f64::from).collect();
        let at = [2, 0, 2];
        let mut out = [0.0; 9];
        super::take(&table, 3, 3, &at, &mut out);
        assert_eq!(out, [6.0, 7.0, 8.0, 0.0, 1.0, 2.0, 6.0, 7.0, 8.0]);
        let mut sums = [1.0; 12];
        super::add(&out, 3, &at, Some(0), true, &mut sums);
        assert_eq!(sums, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0, 7.0, 8.0, 0.0, 0.0, 0.0]);
    }
}
