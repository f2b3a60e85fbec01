//! Where the largest or smallest element is.

use super::fold::TILE;
use super::folds::Extremum;
use super::{Number, PIECE, Shared};
use crate::level::{Kernel, Simd, dispatch};
use crate::threads::run_ranges;
use std::marker::PhantomData;
use std::ops::Range;

struct Rows<'a, E, T> {
    x: &'a [T],
    n: usize,
    value: &'a Shared<'a, T>,
    index: &'a Shared<'a, i64>,
    rows: Range<usize>,
    e: PhantomData<E>,
}

/// The extremum of a row and the place of the first element that has it.
#[inline(always)]
fn row<E: Extremum, T: Number>(x: &[T]) -> (T, usize) {
    // Integers are not worth more.
    if x.len() < 16 || !T::REAL {
        let mut best = (x[0], 0);
        for (i, &v) in x.iter().enumerate().skip(1) {
            if E::beats(v, best.0) {
                best = (v, i);
            }
        }
        return best;
    }
    let mut acc = [x[0]; 32];
    let mut chunks = x.chunks_exact(32);
    for c in &mut chunks {
        for i in 0..32 {
            acc[i] = if E::beats(c[i], acc[i]) { c[i] } else { acc[i] };
        }
    }
    let mut best = acc[0];
    for &v in acc[1..].iter().chain(chunks.remainder()) {
        if E::beats(v, best) {
            best = v;
        }
    }
    let same = |v: &T| *v == best || v.is_nan() && best.is_nan();
    // Blocks are searched without an exit inside, which the compiler can vectorise.
    for (b, block) in x.chunks(64).enumerate() {
        if block.iter().fold(false, |any, v| any | same(v)) {
            return (best, b * 64 + block.iter().position(same).expect("in this block"));
        }
    }
    (best, 0)
}

impl<E: Extremum, T: Number> Kernel for Rows<'_, E, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (start, len) = (self.rows.start, self.rows.len());
        // SAFETY: ranges of rows do not overlap.
        let (value, index) = unsafe { (self.value.part(start, len), self.index.part(start, len)) };
        for (k, r) in self.rows.enumerate() {
            let (v, i) = row::<E, T>(&self.x[r * self.n..][..self.n]);
            value[k] = v;
            index[k] = i as i64;
        }
    }
}

/// Rows whose places fit four bytes.
const BLOCK: usize = 1 << 30;
/// None of them.
const NOWHERE: u32 = u32::MAX;

struct Cols<'a, E, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    value: &'a Shared<'a, T>,
    index: &'a Shared<'a, i64>,
    tasks: Range<usize>,
    e: PhantomData<E>,
}
impl<E: Extremum, T: Number> Kernel for Cols<'_, E, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let tiles = self.inner.div_ceil(TILE);
        for task in self.tasks {
            let (o, start) = (task / tiles, task % tiles * TILE);
            let cols = TILE.min(self.inner - start);
            let x = &self.x[o * self.n * self.inner + start..];
            let mut best = [T::ZERO; TILE];
            let mut at = [0i64; TILE];
            best[..cols].copy_from_slice(&x[..cols]);
            // Within a block of rows a place has four bytes, as many as most numbers: with eight the loop took five times as long.
            for first in (0..self.n).step_by(BLOCK) {
                let mut place = [NOWHERE; TILE];
                let end = self.n.min(first + BLOCK);
                // Two rows at once (of an odd last one twice the same, which does not beat itself). With one the compiler makes stores of chosen lanes,
                // which are slow on AMD's processors.
                for r in (first..end).step_by(2) {
                    let next = (r + 1).min(end - 1);
                    let (one, two) = (&x[r * self.inner..][..cols], &x[next * self.inner..][..cols]);
                    let (at_one, at_two) = ((r - first) as u32, (next - first) as u32);
                    for i in 0..cols {
                        let (b, p) = (best[i], place[i]);
                        let better = E::beats(one[i], b);
                        let (b, p) = if better { (one[i], at_one) } else { (b, p) };
                        let better = E::beats(two[i], b);
                        (best[i], place[i]) = if better { (two[i], at_two) } else { (b, p) };
                    }
                }
                for i in 0..cols {
                    at[i] = if place[i] == NOWHERE { at[i] } else { first as i64 + i64::from(place[i]) };
                }
            }
            let to = o * self.inner + start;
            // SAFETY: every task has a tile of its own.
            unsafe {
                self.value.part(to, cols).copy_from_slice(&best[..cols]);
                self.index.part(to, cols).copy_from_slice(&at[..cols]);
            }
        }
    }
}

/// The extremum along n of `x`, seen as (outer, n, inner), and the first position of it; the first NaN if there is one.
pub(super) fn extremum<E: Extremum, T: Number>(
    x: &[T],
    (outer, n, inner): (usize, usize, usize),
    value: &mut [T],
    index: &mut [i64],
) {
    assert!(n > 0 && x.len() >= outer * n * inner && value.len() == outer * inner && index.len() == outer * inner);
    let (value, index) = (Shared::new(value), Shared::new(index));
    let e = PhantomData::<E>;
    if inner == 1 {
        let grain = (PIECE / n).max(1);
        return run_ranges(outer, grain, &|rows| {
            dispatch(Rows { x, n, value: &value, index: &index, rows, e });
        });
    }
    let grain = (PIECE / (n * inner.min(TILE))).max(1);
    run_ranges(outer * inner.div_ceil(TILE), grain, &|tasks| {
        dispatch(Cols { x, n, inner, value: &value, index: &index, tasks, e });
    });
}
