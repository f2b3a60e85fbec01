//! The loops of every reduction that can be computed in parts: rows, columns, blocks, threads.

use super::{PIECE, Shared};
use crate::level::{Kernel, Simd, dispatch};
use crate::threads::run_ranges;
use std::ops::Range;

/// A reduction that can be computed in parts: each element becomes an accumulator, accumulators are joined in any grouping, the last
/// one is finished. All methods must be `#[inline(always)]`.
pub trait Fold: Copy + Send + Sync {
    /// The elements.
    type In: Copy + Send + Sync;
    /// What is known of a part.
    type Acc: Copy + Send + Sync;
    /// The result.
    type Out: Copy + Send + Sync;
    /// What is known of no elements.
    fn start(&self) -> Self::Acc;
    /// What is known of one element.
    fn map<S: Simd>(&self, x: Self::In) -> Self::Acc;
    /// What is known of two parts together.
    fn join(&self, a: Self::Acc, b: Self::Acc) -> Self::Acc;
    /// The result for `n` elements.
    fn finish(&self, a: Self::Acc, n: usize) -> Self::Out;
}

/// The first stage of a fold over several groups of dimensions: accumulators stay unfinished.
#[derive(Clone, Copy)]
pub struct First<F>(pub F);
impl<F: Fold> Fold for First<F> {
    type In = F::In;
    type Acc = F::Acc;
    type Out = F::Acc;
    #[inline(always)]
    fn start(&self) -> F::Acc {
        self.0.start()
    }
    #[inline(always)]
    fn map<S: Simd>(&self, x: F::In) -> F::Acc {
        self.0.map::<S>(x)
    }
    #[inline(always)]
    fn join(&self, a: F::Acc, b: F::Acc) -> F::Acc {
        self.0.join(a, b)
    }
    #[inline(always)]
    fn finish(&self, a: F::Acc, _n: usize) -> F::Acc {
        a
    }
}

/// A later stage: joins accumulators; `.1` is the number of elements behind each.
#[derive(Clone, Copy)]
pub struct Again<F>(pub F, pub usize);
impl<F: Fold> Fold for Again<F> {
    type In = F::Acc;
    type Acc = F::Acc;
    type Out = F::Out;
    #[inline(always)]
    fn start(&self) -> F::Acc {
        self.0.start()
    }
    #[inline(always)]
    fn map<S: Simd>(&self, x: F::Acc) -> F::Acc {
        x
    }
    #[inline(always)]
    fn join(&self, a: F::Acc, b: F::Acc) -> F::Acc {
        self.0.join(a, b)
    }
    #[inline(always)]
    fn finish(&self, a: F::Acc, n: usize) -> F::Out {
        self.0.finish(a, n * self.1)
    }
}

/// Joins a stream of partial results in pairs, pairs in pairs, and so on.
pub(crate) struct Cascade<A> {
    levels: [A; 40],
    count: usize,
}
impl<A: Copy> Cascade<A> {
    #[inline(always)]
    pub fn new(any: A) -> Cascade<A> {
        Cascade { levels: [any; 40], count: 0 }
    }
    #[inline(always)]
    pub fn push(&mut self, mut value: A, join: impl Fn(A, A) -> A) {
        let mut level = 0;
        while self.count >> level & 1 == 1 {
            value = join(self.levels[level], value);
            level += 1;
        }
        self.levels[level] = value;
        self.count += 1;
    }
    #[inline(always)]
    pub fn finish(self, start: A, join: impl Fn(A, A) -> A) -> A {
        let mut left = self.count;
        if left == 0 {
            return start;
        }
        let mut value = self.levels[left.trailing_zeros() as usize];
        left &= left - 1;
        while left != 0 {
            value = join(self.levels[left.trailing_zeros() as usize], value);
            left &= left - 1;
        }
        value
    }
}

/// Elements that are folded into one set of accumulators before these are joined.
const BLOCK: usize = 2048;

/// Folds with `W` accumulators that step through the slice side by side.
#[inline(always)]
fn fold_wide<F: Fold, S: Simd, const W: usize>(f: &F, x: &[F::In]) -> F::Acc {
    let mut acc = [f.start(); W];
    let mut chunks = x.chunks_exact(W);
    for chunk in &mut chunks {
        let chunk: &[F::In; W] = chunk.try_into().expect("W elements");
        for i in 0..W {
            acc[i] = f.join(acc[i], f.map::<S>(chunk[i]));
        }
    }
    let mut rest = chunks.remainder();
    let mut at = 0;
    while W > 8 && rest.len() >= 8 {
        let (chunk, tail) = rest.split_at(8);
        for i in 0..8 {
            acc[at + i] = f.join(acc[at + i], f.map::<S>(chunk[i]));
        }
        at += 8;
        rest = tail;
    }
    for (a, x) in acc[W - 8..].iter_mut().zip(rest) {
        *a = f.join(*a, f.map::<S>(*x));
    }
    let mut w = W / 2;
    while w > 0 {
        for i in 0..w {
            acc[i] = f.join(acc[i], acc[i + w]);
        }
        w /= 2;
    }
    acc[0]
}

/// Folds a row.
#[inline(always)]
pub(crate) fn fold_row<F: Fold, S: Simd>(f: &F, x: &[F::In]) -> F::Acc {
    if x.len() <= 8 {
        let mut a = f.start();
        for &x in x {
            a = f.join(a, f.map::<S>(x));
        }
        return a;
    }
    if x.len() < 32 {
        return fold_wide::<F, S, 8>(f, x);
    }
    if x.len() <= BLOCK {
        return fold_wide::<F, S, 32>(f, x);
    }
    let mut cascade = Cascade::new(f.start());
    for block in x.chunks(BLOCK) {
        cascade.push(fold_wide::<F, S, 32>(f, block), |a, b| f.join(a, b));
    }
    cascade.finish(f.start(), |a, b| f.join(a, b))
}

/// `Σ f(a, b)` over two rows, as accurate as [`fold_row`].
#[inline(always)]
pub(crate) fn sum_pairs<T: super::Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    let b = &b[..a.len()];
    let mut cascade = Cascade::new(T::ZERO);
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut acc = [T::ZERO; 32];
        let (mut long_a, mut long_b) = (a.chunks_exact(32), b.chunks_exact(32));
        for (a, b) in (&mut long_a).zip(&mut long_b) {
            for i in 0..32 {
                acc[i] = acc[i] + f(a[i], b[i]);
            }
        }
        for (i, (a, b)) in long_a.remainder().iter().zip(long_b.remainder()).enumerate() {
            acc[i] = acc[i] + f(*a, *b);
        }
        let mut w = 16;
        while w > 0 {
            for i in 0..w {
                acc[i] = acc[i] + acc[i + w];
            }
            w /= 2;
        }
        cascade.push(acc[0], |a, b| a + b);
    }
    cascade.finish(T::ZERO, |a, b| a + b)
}

/// How many columns have their accumulators side by side.
pub(crate) const TILE: usize = 128;
/// How many rows are added up before they are added to those before.
const ROWS: usize = 256;

/// Folds `rows` rows, `stride` apart, of `cols` (at most [`TILE`]) columns into `acc`.
#[inline(always)]
pub(crate) fn fold_cols<F: Fold, S: Simd>(f: &F, x: &[F::In], rows: usize, stride: usize, acc: &mut [F::Acc]) {
    let cols = acc.len();
    assert!(cols <= TILE);
    acc.fill(f.start());
    let mut row = 0;
    while row < rows {
        let end = rows.min(row + ROWS);
        let mut part = [f.start(); TILE];
        let part = &mut part[..cols];
        while row + 4 <= end {
            let at = |k: usize| &x[(row + k) * stride..][..cols];
            let (a, b, c, d) = (at(0), at(1), at(2), at(3));
            for i in 0..cols {
                let ab = f.join(f.map::<S>(a[i]), f.map::<S>(b[i]));
                let cd = f.join(f.map::<S>(c[i]), f.map::<S>(d[i]));
                part[i] = f.join(part[i], f.join(ab, cd));
            }
            row += 4;
        }
        while row < end {
            let a = &x[row * stride..][..cols];
            for i in 0..cols {
                part[i] = f.join(part[i], f.map::<S>(a[i]));
            }
            row += 1;
        }
        for i in 0..cols {
            acc[i] = f.join(acc[i], part[i]);
        }
    }
}

struct Rows<'a, F: Fold> {
    f: F,
    x: &'a [F::In],
    n: usize,
    out: &'a Shared<'a, F::Out>,
    rows: Range<usize>,
}
impl<F: Fold> Kernel for Rows<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        // SAFETY: ranges of rows do not overlap.
        let out = unsafe { self.out.part(self.rows.start, self.rows.len()) };
        for (out, row) in out.iter_mut().zip(self.rows) {
            *out = self.f.finish(fold_row::<F, S>(&self.f, &self.x[row * self.n..][..self.n]), self.n);
        }
    }
}

/// One part of one long row.
struct Part<'a, F: Fold> {
    f: F,
    x: &'a [F::In],
}
impl<F: Fold> Kernel for Part<'_, F> {
    type Output = F::Acc;
    #[inline(always)]
    fn run<S: Simd>(self) -> F::Acc {
        fold_row::<F, S>(&self.f, self.x)
    }
}

struct Cols<'a, F: Fold> {
    f: F,
    x: &'a [F::In],
    n: usize,
    inner: usize,
    /// Rows of one part, parts of one matrix, tiles of one row.
    part: usize,
    parts: usize,
    tiles: usize,
    out: &'a Shared<'a, F::Out>,
    tasks: Range<usize>,
}
impl<F: Fold> Kernel for Cols<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (f, inner) = (&self.f, self.inner);
        let mut acc = [f.start(); TILE];
        for task in self.tasks {
            let (tile, rest) = (task % self.tiles, task / self.tiles);
            let (part, o) = (rest % self.parts, rest / self.parts);
            let start = tile * TILE;
            let cols = TILE.min(inner - start);
            let first = part * self.part;
            let rows = self.part.min(self.n - first);
            let x = &self.x[(o * self.n + first) * inner + start..];
            fold_cols::<F, S>(f, x, rows, inner, &mut acc[..cols]);
            // SAFETY: every task has a tile of its own.
            let out = unsafe { self.out.part((o * self.parts + part) * inner + start, cols) };
            for i in 0..cols {
                out[i] = f.finish(acc[i], rows);
            }
        }
    }
}

/// Reduces `x`, seen as (outer, n, inner), along n. `out` has outer * inner elements.
pub fn reduce<F: Fold>(f: F, x: &[F::In], outer: usize, n: usize, inner: usize, out: &mut [F::Out]) {
    assert!(x.len() >= outer * n * inner && out.len() == outer * inner);
    if out.is_empty() {
        return;
    }
    if n == 0 {
        return out.fill(f.finish(f.start(), 0));
    }
    if inner == 1 {
        if n <= 2 * PIECE {
            let out = Shared::new(out);
            let grain = (PIECE / n).max(1);
            return run_ranges(outer, grain, &|rows| dispatch(Rows { f, x, n, out: &out, rows }));
        }
        let parts = n.div_ceil(PIECE);
        let mut partial = vec![f.start(); outer * parts];
        {
            let partial = Shared::new(&mut partial);
            run_ranges(outer * parts, 1, &|range| {
                for i in range {
                    let (o, p) = (i / parts, i % parts);
                    let start = p * PIECE;
                    let x = &x[o * n + start..][..PIECE.min(n - start)];
                    // SAFETY: each i is in one range only.
                    unsafe { partial.part(i, 1)[0] = dispatch(Part { f, x }) };
                }
            });
        }
        for o in 0..outer {
            let mut cascade = Cascade::new(f.start());
            for &a in &partial[o * parts..][..parts] {
                cascade.push(a, |a, b| f.join(a, b));
            }
            out[o] = f.finish(cascade.finish(f.start(), |a, b| f.join(a, b)), n);
        }
        return;
    }
    let tiles = inner.div_ceil(TILE);
    // Narrow matrices are cut into more rows each, so that a part is worth a thread.
    let part = (PIECE / inner.min(TILE)).max(ROWS);
    let parts = if n >= 2 * part { n.div_ceil(part) } else { 1 };
    let part = if parts == 1 { n } else { part };
    let tasks = outer * parts * tiles;
    let grain = (PIECE / (part * inner.min(TILE))).max(1);
    if parts == 1 {
        let out = Shared::new(out);
        return run_ranges(tasks, grain, &|tasks| {
            dispatch(Cols { f, x, n, inner, part, parts, tiles, out: &out, tasks })
        });
    }
    let mut partial = vec![f.start(); outer * parts * inner];
    {
        let out = Shared::new(&mut partial);
        run_ranges(tasks, grain, &|tasks| {
            dispatch(Cols { f: First(f), x, n, inner, part, parts, tiles, out: &out, tasks })
        });
    }
    let out = Shared::new(out);
    let grain = (PIECE / (parts * inner.min(TILE))).max(1);
    run_ranges(outer * tiles, grain, &|tasks| {
        dispatch(Cols { f: Total(f, n), x: &partial, n: parts, inner, part: parts, parts: 1, tiles, out: &out, tasks })
    });
}

/// [`Again`] for parts of unequal length: the number of elements is known as a whole.
#[derive(Clone, Copy)]
struct Total<F>(F, usize);
impl<F: Fold> Fold for Total<F> {
    type In = F::Acc;
    type Acc = F::Acc;
    type Out = F::Out;
    #[inline(always)]
    fn start(&self) -> F::Acc {
        self.0.start()
    }
    #[inline(always)]
    fn map<S: Simd>(&self, x: F::Acc) -> F::Acc {
        x
    }
    #[inline(always)]
    fn join(&self, a: F::Acc, b: F::Acc) -> F::Acc {
        self.0.join(a, b)
    }
    #[inline(always)]
    fn finish(&self, a: F::Acc, _n: usize) -> F::Out {
        self.0.finish(a, self.1)
    }
}
