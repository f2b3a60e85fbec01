//! The loops of every reduction that can be computed in parts: rows, columns, blocks, threads.

use super::{PIECE, Shared};
use crate::level::{Kernel, Simd, anywhere, dispatch};
use crate::threads::run_ranges;
use std::ops::Range;

/// A reduction that can be computed in parts: each element becomes an accumulator, and accumulators are joined in any grouping. What is
/// left to do at the end (a division, a root) is one pass over the results and no business of the loops. All methods must be
/// `#[inline(always)]`.
pub(crate) trait Fold: Copy + Send + Sync {
    /// The elements.
    type In: Copy + Send + Sync;
    /// What is known of a part.
    type Acc: Copy + Send + Sync;
    /// The fold that joins accumulators. Most are sums, so that few loops are compiled for the later stages.
    type Joined: Fold<In = Self::Acc, Acc = Self::Acc> + Default;
    /// Is it compiled once, for all processors, because it is seldom used?
    const RARE: bool = false;
    /// What is known of no elements.
    fn start(&self) -> Self::Acc;
    /// What is known of one element.
    fn map(&self, x: Self::In) -> Self::Acc;
    /// What is known of two parts together.
    fn join(&self, a: Self::Acc, b: Self::Acc) -> Self::Acc;
}

/// Joins a stream of partial results, at least one, in pairs, pairs in pairs, and so on.
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
    pub fn finish(&self, join: impl Fn(A, A) -> A) -> A {
        let mut left = self.count;
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

/// Rows shorter than this are folded with 8 accumulators: joining 32 at the end would take longer than what they save.
const SHORT: usize = 192;

/// Folds with `W` accumulators that step through the slice side by side.
#[inline(always)]
fn fold_wide<F: Fold, const W: usize>(f: &F, x: &[F::In]) -> F::Acc {
    let mut acc = [f.start(); W];
    let mut chunks = x.chunks_exact(W);
    for chunk in &mut chunks {
        let chunk: &[F::In; W] = chunk.try_into().expect("W elements");
        for i in 0..W {
            acc[i] = f.join(acc[i], f.map(chunk[i]));
        }
    }
    // What is left goes to a copy in memory, in eights. Without the copy the loop above would have its sums there, or in odd groups of lanes, which takes
    // twice as long.
    let mut last = acc;
    let mut eights = chunks.remainder().chunks_exact(8);
    for (k, chunk) in (&mut eights).enumerate() {
        let sums: &mut [F::Acc; 8] = (&mut last[k * 8..k * 8 + 8]).try_into().expect("8 sums");
        for i in 0..8 {
            sums[i] = f.join(sums[i], f.map(chunk[i]));
        }
    }
    for (a, x) in last[W - 8..].iter_mut().zip(eights.remainder()) {
        *a = f.join(*a, f.map(*x));
    }
    let mut acc = last;
    // Down to eight sums lane by lane, which the compiler keeps in vectors; then in halves.
    for k in 1..W / 8 {
        for i in 0..8 {
            acc[i] = f.join(acc[i], acc[k * 8 + i]);
        }
    }
    for w in [4, 2, 1] {
        for i in 0..w {
            acc[i] = f.join(acc[i], acc[i + w]);
        }
    }
    acc[0]
}

/// Rows shorter than this are folded in PyTorch's order.
const SHORTEST: usize = 32;

/// Folds a row of less than [`SHORTEST`] elements as PyTorch does with vectors of eight: what is left after whole vectors first, then the eight
/// sums one by one. A sum of probabilities then is 1 or a digit beside it where PyTorch's is, which decides how it is printed.
#[inline(always)]
fn fold_shortest<F: Fold>(f: &F, x: &[F::In]) -> F::Acc {
    let mut acc = [f.start(); 8];
    let mut chunks = x.chunks_exact(8);
    for chunk in &mut chunks {
        let chunk: &[F::In; 8] = chunk.try_into().expect("8 elements");
        for i in 0..8 {
            acc[i] = f.join(acc[i], f.map(chunk[i]));
        }
    }
    let rest = chunks.remainder().iter().fold(f.start(), |a, &x| f.join(a, f.map(x)));
    acc.into_iter().fold(rest, |a, b| f.join(a, b))
}

struct Row<'a, F: Fold>(&'a F, &'a [F::In]);
impl<F: Fold> Kernel for Row<'_, F> {
    type Output = F::Acc;
    #[inline(always)]
    fn run<S: Simd>(self) -> F::Acc {
        let Row(f, x) = self;
        if x.len() < SHORTEST {
            return fold_shortest(f, x);
        }
        if S::FUSED && x.len() < SHORT {
            return fold_wide::<F, 8>(f, x);
        }
        let mut cascade: Option<Cascade<F::Acc>> = None;
        let mut at = 0;
        loop {
            let block = &x[at..x.len().min(at + BLOCK)];
            // Old processors have eight for all rows, which is less to compile.
            let a = if S::FUSED { fold_wide::<F, 32>(f, block) } else { fold_wide::<F, 8>(f, block) };
            at += block.len();
            if at == x.len() && cascade.is_none() {
                return a;
            }
            let cascade = cascade.get_or_insert_with(|| Cascade::new(a));
            cascade.push(a, |a, b| f.join(a, b));
            if at == x.len() {
                return cascade.finish(|a, b| f.join(a, b));
            }
        }
    }
}

/// Folds a row.
#[inline(always)]
pub(crate) fn fold_row<F: Fold, S: Simd>(f: &F, x: &[F::In]) -> F::Acc {
    if x.len() <= 8 {
        let mut a = f.start();
        for &x in x {
            a = f.join(a, f.map(x));
        }
        return a;
    }
    // SAFETY: this stands in a kernel that runs at level S.
    unsafe { S::part(Row(f, x)) }
}

/// `Σ f(a, b)` over two rows, as accurate as [`fold_row`].
#[inline(always)]
pub(crate) fn sum_pairs<T: super::Real, S: Simd>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    if S::FUSED { sum_pairs_wide::<T, 32>(a, b, f) } else { sum_pairs_wide::<T, 8>(a, b, f) }
}

#[inline(always)]
fn sum_pairs_wide<T: super::Real, const W: usize>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    let b = &b[..a.len()];
    let mut cascade = Cascade::new(T::ZERO);
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut acc = [T::ZERO; W];
        let (mut long_a, mut long_b) = (a.chunks_exact(W), b.chunks_exact(W));
        for (a, b) in (&mut long_a).zip(&mut long_b) {
            for i in 0..W {
                acc[i] = acc[i] + f(a[i], b[i]);
            }
        }
        // In a copy, as in `fold_wide`.
        let mut last = acc;
        for (i, (a, b)) in long_a.remainder().iter().zip(long_b.remainder()).enumerate() {
            last[i] = last[i] + f(*a, *b);
        }
        acc = last;
        for w in [16, 8, 4, 2, 1] {
            if w < W {
                for i in 0..w {
                    acc[i] = acc[i] + acc[i + w];
                }
            }
        }
        cascade.push(acc[0], |a, b| a + b);
    }
    if a.is_empty() { T::ZERO } else { cascade.finish(|a, b| a + b) }
}

/// The sums of both parts of `f(a, b, c)` over three rows, in one pass, as accurate as [`fold_row`].
#[inline(always)]
pub(crate) fn sum_triples<T: super::Real>(a: &[T], b: &[T], c: &[T], f: impl Fn(T, T, T) -> (T, T)) -> (T, T) {
    const LANES: usize = 32;
    let (b, c) = (&b[..a.len()], &c[..a.len()]);
    let mut cascades = (Cascade::new(T::ZERO), Cascade::new(T::ZERO));
    for ((a, b), c) in a.chunks(BLOCK).zip(b.chunks(BLOCK)).zip(c.chunks(BLOCK)) {
        let (mut first, mut second) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        let (mut long_a, mut long_b, mut long_c) =
            (a.chunks_exact(LANES), b.chunks_exact(LANES), c.chunks_exact(LANES));
        for ((a, b), c) in (&mut long_a).zip(&mut long_b).zip(&mut long_c) {
            for i in 0..LANES {
                let (p, q) = f(a[i], b[i], c[i]);
                first[i] = first[i] + p;
                second[i] = second[i] + q;
            }
        }
        // In copies, as in `fold_wide`.
        let (mut last_p, mut last_q) = (first, second);
        let rest = long_a.remainder().iter().zip(long_b.remainder()).zip(long_c.remainder());
        for (i, ((a, b), c)) in rest.enumerate() {
            let (p, q) = f(*a, *b, *c);
            last_p[i] = last_p[i] + p;
            last_q[i] = last_q[i] + q;
        }
        for sums in [&mut last_p, &mut last_q] {
            for w in [16, 8, 4, 2, 1] {
                for i in 0..w {
                    sums[i] = sums[i] + sums[i + w];
                }
            }
        }
        cascades.0.push(last_p[0], |a, b| a + b);
        cascades.1.push(last_q[0], |a, b| a + b);
    }
    if a.is_empty() {
        return (T::ZERO, T::ZERO);
    }
    (cascades.0.finish(|a, b| a + b), cascades.1.finish(|a, b| a + b))
}

/// How many columns have their accumulators side by side.
pub(crate) const TILE: usize = 128;
/// How many rows are added up before they are added to those before.
const ROWS: usize = 256;

struct Columns<'a, F: Fold> {
    f: &'a F,
    x: &'a [F::In],
    rows: usize,
    stride: usize,
    acc: &'a mut [F::Acc],
}
impl<F: Fold> Kernel for Columns<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Columns { f, x, rows, stride, acc } = self;
        let cols = acc.len();
        assert!(cols <= TILE);
        acc.fill(f.start());
        let mut row = 0;
        while row < rows {
            let end = rows.min(row + ROWS);
            // There and back again between two rows of sums: where the larger of two is written over one of them, the compiler makes stores of chosen
            // lanes, which are slow on AMD's processors.
            let (mut part, mut other) = ([f.start(); TILE], [f.start(); TILE]);
            let (part, other) = (&mut part[..cols], &mut other[..cols]);
            while row + 8 <= end {
                four_rows(f, &x[row * stride..], stride, part, other);
                four_rows(f, &x[(row + 4) * stride..], stride, other, part);
                row += 8;
            }
            while row < end {
                let a = &x[row * stride..][..cols];
                for i in 0..cols {
                    part[i] = f.join(part[i], f.map(a[i]));
                }
                row += 1;
            }
            for i in 0..cols {
                acc[i] = f.join(acc[i], part[i]);
            }
        }
    }
}

/// `to = join(from, four rows)`.
#[inline(always)]
fn four_rows<F: Fold>(f: &F, x: &[F::In], stride: usize, from: &[F::Acc], to: &mut [F::Acc]) {
    let cols = to.len();
    let at = |k: usize| &x[k * stride..][..cols];
    let (a, b, c, d, from) = (at(0), at(1), at(2), at(3), &from[..cols]);
    for i in 0..cols {
        let ab = f.join(f.map(a[i]), f.map(b[i]));
        let cd = f.join(f.map(c[i]), f.map(d[i]));
        to[i] = f.join(from[i], f.join(ab, cd));
    }
}

/// Folds `rows` rows, `stride` apart, of `cols` (at most [`TILE`]) columns into `acc`.
#[inline(always)]
pub(crate) fn fold_cols<F: Fold, S: Simd>(f: &F, x: &[F::In], rows: usize, stride: usize, acc: &mut [F::Acc]) {
    // SAFETY: this stands in a kernel that runs at level S.
    unsafe { S::part(Columns { f, x, rows, stride, acc }) }
}

/// Rows of n elements, each in parts of `part` (the last one shorter); every part has an accumulator of its own.
struct Rows<'a, F: Fold> {
    f: F,
    x: &'a [F::In],
    n: usize,
    part: usize,
    out: &'a Shared<'a, F::Acc>,
    tasks: Range<usize>,
}
impl<F: Fold> Kernel for Rows<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let parts = self.n.div_ceil(self.part);
        // SAFETY: ranges of parts do not overlap.
        let out = unsafe { self.out.part(self.tasks.start, self.tasks.len()) };
        let (mut row, mut part) = (self.tasks.start / parts, self.tasks.start % parts);
        for out in out {
            let start = part * self.part;
            let x = &self.x[row * self.n + start..][..self.part.min(self.n - start)];
            *out = fold_row::<F, S>(&self.f, x);
            part += 1;
            if part == parts {
                (row, part) = (row + 1, 0);
            }
        }
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
    out: &'a Shared<'a, F::Acc>,
    tasks: Range<usize>,
}
impl<F: Fold> Kernel for Cols<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let inner = self.inner;
        for task in self.tasks {
            let (tile, rest) = (task % self.tiles, task / self.tiles);
            let (part, o) = (rest % self.parts, rest / self.parts);
            let start = tile * TILE;
            let cols = TILE.min(inner - start);
            let first = part * self.part;
            let rows = self.part.min(self.n - first);
            let x = &self.x[(o * self.n + first) * inner + start..];
            // SAFETY: every task has a tile of its own.
            let out = unsafe { self.out.part((o * self.parts + part) * inner + start, cols) };
            fold_cols::<F, S>(&self.f, x, rows, inner, out);
        }
    }
}

/// Runs a loop of a fold.
fn run_fold<F: Fold, K: Kernel<Output = ()>>(kernel: K) {
    if F::RARE { anywhere(kernel) } else { dispatch(kernel) }
}

/// Folds `x`, seen as (outer, n, inner), along n. `out` has outer * inner elements.
pub(crate) fn fold<F: Fold>(f: F, x: &[F::In], (outer, n, inner): (usize, usize, usize), out: &mut [F::Acc]) {
    assert!(x.len() >= outer * n * inner && out.len() == outer * inner);
    if out.is_empty() {
        return;
    }
    if n == 0 {
        return out.fill(f.start());
    }
    if inner == 1 {
        let part = if n <= 2 * PIECE { n } else { PIECE };
        let parts = n.div_ceil(part);
        let run = |out: &mut [F::Acc]| {
            let out = Shared::new(out);
            run_ranges(outer * parts, (PIECE / part).max(1), &|tasks| {
                run_fold::<F, _>(Rows { f, x, n, part, out: &out, tasks });
            });
        };
        if parts == 1 {
            return run(out);
        }
        let mut partial = vec![f.start(); outer * parts];
        run(&mut partial);
        return fold(F::Joined::default(), &partial, (outer, parts, 1), out);
    }
    let tiles = inner.div_ceil(TILE);
    // Narrow matrices are cut into more rows each, so that a part is worth a thread.
    let part = (PIECE / inner.min(TILE)).max(ROWS);
    let parts = if n >= 2 * part { n.div_ceil(part) } else { 1 };
    let part = if parts == 1 { n } else { part };
    let run = |out: &mut [F::Acc]| {
        let out = Shared::new(out);
        run_ranges(outer * parts * tiles, (PIECE / (part * inner.min(TILE))).max(1), &|tasks| {
            run_fold::<F, _>(Cols { f, x, n, inner, part, parts, tiles, out: &out, tasks });
        });
    };
    if parts == 1 {
        return run(out);
    }
    let mut partial = vec![f.start(); outer * parts * inner];
    run(&mut partial);
    fold(F::Joined::default(), &partial, (outer, parts, inner), out);
}
