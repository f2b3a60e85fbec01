//! Sums down the columns of a matrix: the gradient of a bias.

use crate::buffer::Element;
use crate::level::{Kernel, Simd, dispatch_on};
use crate::threads;
use half::{bf16, f16};

/// How wide a strip is: its sums stay in registers or the first cache.
const STRIP: usize = 64;
/// So many rows are added one after the other.
const CHAIN: usize = 32;
/// Chains beside each other in narrow columns, because one addition waits for the other there. Sums of so many chains are added pairwise.
const CHAINS: usize = 4;

/// A type whose columns can be summed. f16 and bf16 are summed in f32 and rounded once; integers wrap.
pub trait Sum: Element {
    /// What sums are kept in.
    type Acc: Copy + Default + Send + Sync;
    /// To the accumulator.
    fn widen(self) -> Self::Acc;
    /// Back, rounded.
    fn narrow(sum: Self::Acc) -> Self;
    /// The sum of two accumulators.
    fn add(a: Self::Acc, b: Self::Acc) -> Self::Acc;
}

macro_rules! sum {
    ($($t:ty, $acc:ty, $widen:expr, $narrow:expr, $add:expr;)*) => { $(
        impl Sum for $t {
            type Acc = $acc;
            #[inline(always)]
            fn widen(self) -> $acc {
                $widen(self)
            }
            #[inline(always)]
            fn narrow(sum: $acc) -> $t {
                $narrow(sum)
            }
            #[inline(always)]
            fn add(a: $acc, b: $acc) -> $acc {
                $add(a, b)
            }
        }
    )* };
}
sum! {
    f32, f32, |x| x, |x| x, |a, b| a + b;
    f64, f64, |x| x, |x| x, |a, b| a + b;
    f16, f32, f16::to_f32, f16::from_f32, |a, b| a + b;
    bf16, f32, bf16::to_f32, bf16::from_f32, |a, b| a + b;
    i64, i64, |x| x, |x| x, i64::wrapping_add;
    i32, i32, |x| x, |x| x, i32::wrapping_add;
    i16, i16, |x| x, |x| x, i16::wrapping_add;
    i8, i8, |x| x, |x| x, i8::wrapping_add;
    u8, u8, |x| x, |x| x, u8::wrapping_add;
}

/// `out[j] = Σ_i x[i, j]` over `rows` rows that begin `row_stride` elements apart. Sums are pairwise over blocks of rows, the same
/// for any number of threads.
///
/// ```
/// let mut sums = [0.0f32; 2];
/// cresset_kernels::columns::sum(&[1.0, 2.0, 3.0, 4.0], 2, 2, &mut sums);
/// assert_eq!(sums, [4.0, 6.0]);
/// ```
///
/// # Panics
/// If the matrix does not lie within `x`.
pub fn sum<T: Sum>(x: &[T], rows: usize, row_stride: usize, out: &mut [T]) {
    let cols = out.len();
    // Rows are read unchecked below: sizes that overflow must not pass.
    let end = rows.saturating_sub(1).checked_mul(row_stride).and_then(|last| last.checked_add(cols));
    assert!(rows == 0 || cols == 0 || end.is_some_and(|end| end <= x.len()), "a matrix beyond its slice");
    // A piece of work is at least about 64 Ki numbers.
    let strips = (65536 / (STRIP * rows.max(1))).max(1);
    threads::run_chunks(out, strips * STRIP, &|i, out| {
        dispatch_on::<T, _>(Strips { x, rows, row_stride, first: i * strips * STRIP, out });
    });
}

struct Strips<'a, T> {
    x: &'a [T],
    rows: usize,
    row_stride: usize,
    first: usize,
    out: &'a mut [T],
}

impl<T: Sum> Kernel for Strips<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let first = self.first;
        for (i, out) in self.out.chunks_mut(STRIP).enumerate() {
            let from = first + i * STRIP;
            if S::FUSED && out.len() == STRIP {
                strip::<T, STRIP, 1>(self.x, self.rows, self.row_stride, from, out);
            } else {
                let mut at = from;
                let mut eights = out.chunks_exact_mut(8);
                for out in &mut eights {
                    strip::<T, 8, CHAINS>(self.x, self.rows, self.row_stride, at, out);
                    at += 8;
                }
                let mut fours = eights.into_remainder().chunks_exact_mut(4);
                for out in &mut fours {
                    strip::<T, 4, CHAINS>(self.x, self.rows, self.row_stride, at, out);
                    at += 4;
                }
                for out in fours.into_remainder().chunks_mut(1) {
                    strip::<T, 1, CHAINS>(self.x, self.rows, self.row_stride, at, out);
                    at += 1;
                }
            }
        }
    }
}

/// `W` columns of the rows from `top` on: `R` chains of rows.
#[inline(always)]
fn block<T: Sum, const W: usize, const R: usize>(
    x: &[T],
    top: usize,
    rows: usize,
    row_stride: usize,
    from: usize,
) -> [T::Acc; W] {
    let mut acc = [[T::Acc::default(); W]; R];
    let mut add = |r: usize, i: usize| {
        debug_assert!(i * row_stride + from + W <= x.len());
        // SAFETY: `sum` has checked that every row lies within x; a strip has columns of the row. (Checks for each row took half of the time.)
        let row = unsafe { x.get_unchecked(i * row_stride + from..i * row_stride + from + W) };
        for (a, x) in acc[r].iter_mut().zip(row) {
            *a = T::add(*a, x.widen());
        }
    };
    let (mut i, end) = (top, rows.min(top + CHAIN * R));
    while i + R <= end {
        for r in 0..R {
            add(r, i + r);
        }
        i += R;
    }
    // To a chain known to the compiler, or all would lie in memory.
    while i < end {
        add(0, i);
        i += 1;
    }
    let mut sum = acc[0];
    for chain in &acc[1..] {
        for (a, x) in sum.iter_mut().zip(chain) {
            *a = T::add(*a, *x);
        }
    }
    sum
}

/// `W` columns. `levels[l]` holds the sum of `2^l` blocks, as the bits of the number of blocks say.
#[inline(always)]
fn strip<T: Sum, const W: usize, const R: usize>(x: &[T], rows: usize, row_stride: usize, from: usize, out: &mut [T]) {
    let mut acc = block::<T, W, R>(x, 0, rows, row_stride, from);
    if rows > CHAIN * R {
        let mut levels = [[T::Acc::default(); W]; 32];
        let blocks = rows.div_ceil(CHAIN * R);
        levels[0] = acc;
        for i in 1..blocks {
            acc = block::<T, W, R>(x, i * CHAIN * R, rows, row_stride, from);
            let mut level = 0;
            while i >> level & 1 == 1 {
                for (a, l) in acc.iter_mut().zip(&levels[level]) {
                    *a = T::add(*l, *a);
                }
                level += 1;
            }
            levels[level] = acc;
        }
        acc = [T::Acc::default(); W];
        for (level, sums) in levels.iter().enumerate() {
            if blocks >> level & 1 == 1 {
                for (a, l) in acc.iter_mut().zip(sums) {
                    *a = T::add(*l, *a);
                }
            }
        }
    }
    for (o, a) in out.iter_mut().zip(acc) {
        *o = T::narrow(a);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn sizes_that_overflow_are_refused() {
        super::sum(&[1.0f32; 8], 5, 1 << (usize::BITS - 2), &mut [0.0; 8]);
    }

    #[test]
    fn sums_of_any_size() {
        for (rows, cols) in [(0, 3), (1, 1), (3, 7), (33, 64), (70, 75), (131, 13), (1000, 137)] {
            let x: Vec<f64> = (0..rows * (cols + 1)).map(|i| (i % 17) as f64).collect();
            let mut out = vec![1.0; cols];
            super::sum(&x, rows, cols + 1, &mut out);
            for (j, o) in out.iter().enumerate() {
                assert_eq!(*o, (0..rows).map(|i| x[i * (cols + 1) + j]).sum::<f64>());
            }
        }
    }
}
