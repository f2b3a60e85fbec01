//! How a product is cut: which kernels, which operand is packed, which blocks, which threads.
//!
//! - `k` is cut into blocks of at most [`KC`], evenly: while the rows of `A` pass over a panel of `B` (a block of `k`, one tile wide) it comes
//!   from the first- or second-level cache, and `C` is read and written again once for each block.
//! - `B` with contiguous rows (NN, TN) is packed by the first tile of rows as it reads it; other `B` by transposing.
//! - A small batch times `Wᵀ` (NT) is computed as `(W Xᵀ)ᵀ`: packing the batch is cheaper than packing the weight, and the
//!   tiles are turned on their way out.
//! - A few rows against `Wᵀ`, and a single column, are dot products; a single row against `W` is a sweep through its rows.

use std::ops::Range;

use super::kernels::{Kerneled, Kernels};
use super::thin::{Dots, Sweep};
use super::tile::{Pack, Tile};
use super::{Activation, Epilogue, GemmElement, Mat};
use crate::buffer::Buffer;
use crate::threads;

/// Most of `k` in one block: panels of 50 KiB on AVX2, 150 on AVX-512. That is more than the first-level cache holds, but reading `C` again costs
/// more than reading `B` from the second level: 1000 x 784 x 512 on Zen 3 takes 7 % less time than with 256, 32 x 784 x 512 a fifth less.
const KC: usize = 800;
/// Most products that are added up one after the other; a longer sum is made of such chains, as even as can be. Rounding then leaves as little in a
/// sum of 784 as MKL's products leave (half of what one chain would), for two hundredths of the time.
pub(super) const CHAIN: usize = 128;
/// From this many operations (two for each multiply-add) on, threads pay.
const PARALLEL: usize = 400_000;
/// Numbers of C that make a piece if there is hardly a sum.
const OUTER: usize = 1 << 16;
/// About so many operations make a piece for a thread.
const PIECE: usize = 1_000_000;
/// Bytes of the matrix over which several groups of vectors pass, in dot products, before its next rows: they stay in the second-level cache.
const DOTS_ONCE: usize = 144 << 10;
/// From so many bytes on a matrix is read as one stream for dot products with a single vector. (Up to a megabyte it may lie in the second-level cache, but seldom does when
/// its turn in a network comes.)
const STREAMED: usize = 1 << 18;
/// Rows of so many vectors are short: their dot products take more time at their ends than along them.
const SHORT: usize = 8;
/// A batch of at most so many rows is packed instead of the weight.
const SMALL_BATCH: usize = 96;

/// A product whose operands are known to lie within their memory.
#[derive(Clone, Copy)]
pub struct Job<T: 'static> {
    pub(super) kernels: &'static Kernels<T>,
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_col: usize,
    pub(super) b: *const T,
    pub(super) b_row: usize,
    pub(super) b_col: usize,
    /// All panels of B, if they are packed already; then `b` is not read.
    pub(super) packed: *const T,
    pub(super) c: *mut T,
    pub(super) ldc: usize,
    pub(super) bias: *const T,
    pub(super) alpha: T,
    pub(super) beta: T,
    pub(super) relu: bool,
    /// Whether threads may take part.
    pub(super) parallel: bool,
}

// SAFETY: threads read A, B and the bias, and each writes its own part of C.
unsafe impl<T: Sync> Sync for Job<T> {}

/// The product on the kernels of the level in use.
pub fn product<T: Kerneled + GemmElement>(
    m: usize,
    n: usize,
    k: usize,
    a: Mat<T>,
    b: Mat<T>,
    c: &mut [T],
    ldc: usize,
    ep: &Epilogue<T>,
    parallel: bool,
) {
    let job = Job {
        kernels: T::kernels(),
        m,
        n,
        k,
        a: a.data.as_ptr(),
        a_row: a.row_stride,
        a_col: a.col_stride,
        b: b.data.as_ptr(),
        b_row: b.row_stride,
        b_col: b.col_stride,
        packed: std::ptr::null(),
        c: c.as_mut_ptr(),
        ldc,
        bias: ep.bias.map_or(std::ptr::null(), |v| v.as_ptr()),
        alpha: ep.alpha,
        beta: ep.beta,
        relu: ep.activation == Activation::Relu,
        parallel,
    };
    // SAFETY: `gemm` has checked that the operands lie within their slices.
    unsafe { job.run() }
}

/// Cuts `len` into `parts` ranges of whole `unit`s, as even as can be.
pub(super) fn even(len: usize, unit: usize, parts: usize, i: usize) -> Range<usize> {
    let units = len.div_ceil(unit);
    let at = |i: usize| (units * i / parts * unit).min(len);
    at(i)..at(i + 1)
}

impl<T: Kerneled + GemmElement> Job<T> {
    /// # Safety
    ///
    /// The operands must lie within their memory, and `C` must be this job's alone.
    unsafe fn run(&self) {
        let kn = self.kernels;
        let (a_unit, b_unit) = (self.a_col == 1 || self.k == 1, self.b_row == 1 || self.k == 1);
        // SAFETY: handed on from the caller.
        unsafe {
            if self.n == 1 && self.m > 1 && a_unit {
                return self.column();
            }
            if self.m <= 4 && b_unit && a_unit && (self.m == 1 || self.k >= kn.w) && self.b_col != 1 {
                return self.few_rows();
            }
            if self.m == 1 && self.b_col == 1 {
                return self.row();
            }
            if self.k <= 4 && self.b_col == 1 && self.n >= kn.w {
                return self.outer();
            }
            if self.b_col != 1 && self.m <= SMALL_BATCH && self.n > 16 {
                // Rows that leave many lanes of a vector idle are dot products, too: 5 to 12 of them with AVX-512 take four to nine tenths of the time.
                let rest = self.m % kn.w;
                let whole = self.m - rest;
                let most = if whole > 0 && kn.w <= 8 { kn.w / 2 } else { kn.w * 3 / 4 };
                if rest == 0 || rest > most || !(a_unit && b_unit) || self.k < 4 * kn.w {
                    return self.across();
                }
                if whole > 0 {
                    Job { m: whole, ..*self }.across();
                }
                let (a, c) = (self.a.add(whole * self.a_row), self.c.add(whole * self.ldc));
                return Job { m: rest, a, c, ..*self }.few_rows();
            }
            self.blocks()
        }
    }

    pub(super) fn pieces(&self) -> usize {
        let work = 2 * self.m * self.n * self.k;
        if !self.parallel || work < PARALLEL || threads::num_threads() == 1 { 1 } else { (work / PIECE).max(4) }
    }

    /// `n == 1`, rows of `A` contiguous: dot products.
    unsafe fn column(&self) {
        let mut room = None;
        // SAFETY: rows, columns and bias lie within their memory.
        unsafe {
            let x = self.contiguous(self.b, self.b_row, &mut room);
            let dots = Dots {
                k: self.k,
                x,
                ldx: 0,
                w: self.a,
                ldw: self.a_row,
                rows: self.m,
                c: self.c,
                c_x: 0,
                c_row: self.ldc,
                bias: self.bias,
                bias_row: 0,
                alpha: self.alpha,
                beta: self.beta,
                relu: self.relu,
            };
            self.dots(dots, 1);
        }
    }

    /// A few rows against contiguous columns of `B`: dot products.
    unsafe fn few_rows(&self) {
        let dots = Dots {
            k: self.k,
            x: self.a,
            ldx: self.a_row,
            w: self.b,
            ldw: self.b_col,
            rows: self.n,
            c: self.c,
            c_x: self.ldc,
            c_row: 1,
            bias: self.bias,
            bias_row: 1,
            alpha: self.alpha,
            beta: self.beta,
            relu: self.relu,
        };
        // SAFETY: rows, columns and bias lie within their memory.
        unsafe { self.dots(dots, self.m) }
    }

    /// Dot products of all rows with so many vectors, at most four at a time, while some rows are in the second-level cache.
    unsafe fn dots(&self, whole: Dots<T>, vectors: usize) {
        let parts = self.pieces().min(whole.rows.div_ceil(16));
        let groups = vectors.div_ceil(4);
        // The loops take three or four rows at a time.
        let rows = if groups == 1 { whole.rows } else { (DOTS_ONCE / (12 * self.k * size_of::<T>())).max(1) * 12 };
        // By the size of all of it, as a sum may not depend on how threads share the rows.
        let far = vectors == 1 && whole.rows * self.k * size_of::<T>() >= STREAMED;
        let short = vectors == 1 && whole.rows >= 16 && self.k <= SHORT * self.kernels.w;
        let job = Shared(whole);
        threads::run(parts, &|i| {
            let d = job.get();
            let r = even(d.rows, 4, parts, i);
            for start in r.clone().step_by(rows.max(1)) {
                for group in 0..groups {
                    let x = even(vectors, 1, groups, group);
                    // SAFETY: rows of this piece, and vectors that exist; the pieces do not overlap.
                    unsafe {
                        let bias = if d.bias.is_null() { d.bias } else { d.bias.add(start * d.bias_row) };
                        let dots = match (short, far) {
                            (true, _) => self.kernels.short,
                            (_, true) => self.kernels.streamed,
                            _ => self.kernels.dots[x.len() - 1],
                        };
                        dots(&Dots {
                            x: d.x.add(x.start * d.ldx),
                            w: d.w.add(start * d.ldw),
                            rows: rows.min(r.end - start),
                            c: d.c.add(start * d.c_row + x.start * d.c_x),
                            bias,
                            ..*d
                        })
                    }
                }
            }
        });
    }

    /// `m == 1`, rows of `B` contiguous.
    unsafe fn row(&self) {
        let f = self.kernels.sweep;
        let parts = self.pieces().min(self.n.div_ceil(64));
        threads::run(parts, &|i| {
            let r = even(self.n, 16, parts, i);
            // SAFETY: columns `r`; the pieces do not overlap.
            unsafe {
                f(&Sweep {
                    k: self.k,
                    x: self.a,
                    x_step: self.a_col,
                    m: self.b.add(r.start),
                    ldm: self.b_row,
                    cols: r.len(),
                    c: self.c.add(r.start),
                    c_step: 1,
                    bias: self.bias_at(r.start),
                    bias_step: 1,
                    alpha: self.alpha,
                    beta: self.beta,
                    relu: self.relu,
                })
            }
        });
    }

    /// `k` of 1 to 4, rows of `B` contiguous.
    unsafe fn outer(&self) {
        let f = self.kernels.rows[self.k - 1];
        // The writing of C is the work.
        let parts = self.pieces().max(if self.parallel { self.m * self.n / OUTER } else { 1 }).clamp(1, self.m);
        threads::run(parts, &|i| {
            let rows = even(self.m, 1, parts, i);
            let mut tile = self.tile(0, self.k);
            tile.cols = self.n;
            // SAFETY: rows of this piece.
            unsafe {
                tile.a = self.a.add(rows.start * self.a_row);
                tile.c = self.c.add(rows.start * self.ldc);
                f(&tile, rows.len());
            }
        });
    }

    /// `k` numbers side by side: where they are, or copied into `room`.
    unsafe fn contiguous(&self, p: *const T, step: usize, room: &mut Option<Buffer>) -> *const T {
        if step == 1 || self.k == 1 {
            return p;
        }
        let copy = room.insert(Buffer::new(self.k * size_of::<T>()));
        for (i, x) in copy.as_mut_slice::<T>().iter_mut().enumerate() {
            // SAFETY: `k` numbers `step` apart lie within the operand.
            *x = unsafe { *p.add(i * step) };
        }
        copy.as_ptr().cast()
    }

    #[inline]
    pub(super) unsafe fn bias_at(&self, j: usize) -> *const T {
        // SAFETY: `j` is at most `n`.
        if self.bias.is_null() { self.bias } else { unsafe { self.bias.add(j) } }
    }

    /// The blocks of `k`: how many, and the longest.
    pub(super) fn k_blocks(&self) -> (usize, usize) {
        let blocks = self.k.div_ceil(KC);
        (blocks, if blocks == 1 { self.k } else { self.k.div_ceil(blocks) })
    }

    /// A tile of block `k0..k0 + kc`, its operands to be filled in. The bias comes with the last block only.
    #[inline]
    pub(super) fn tile(&self, k0: usize, kc: usize) -> Tile<T> {
        let (first, last) = (k0 == 0, k0 + kc == self.k);
        Tile {
            k: kc,
            chain: if kc <= CHAIN { kc } else { kc.div_ceil(kc.div_ceil(CHAIN)) },
            a: self.a,
            a_row: self.a_row,
            a_k: self.a_col,
            b: self.b,
            b_k: self.b_row,
            cols: 0,
            padded: false,
            c: self.c,
            ldc: self.ldc,
            bias: if last { self.bias } else { std::ptr::null() },
            row_bias: std::ptr::null(),
            alpha: self.alpha,
            beta: if first { self.beta } else { <T as GemmElement>::ONE },
            relu: self.relu && last,
            pack: std::ptr::null_mut(),
        }
    }

    /// A small batch: `C = (Bᵀ Aᵀ)ᵀ` with the rows of `A` as lanes.
    unsafe fn across(&self) {
        let kn = self.kernels;
        let vectors = self.m.div_ceil(kn.w);
        let panels = vectors.div_ceil(kn.nv);
        let first = |p: usize| vectors * p / panels * kn.w;
        let lanes = vectors * kn.w;
        let (k_blocks, kc_most) = self.k_blocks();
        let mut room = Buffer::new((lanes * self.k + 16) * size_of::<T>());
        let packed = room.as_mut_ptr().cast::<T>();
        for kb in 0..k_blocks {
            let (k0, k1) = (kb * kc_most, self.k.min((kb + 1) * kc_most));
            for p in 0..panels {
                let (l0, l1) = (first(p), first(p + 1));
                if k0 < k1 {
                    let there = self.m - l0;
                    // SAFETY: the panel lies within the room, the rows within A.
                    unsafe {
                        (kn.pack)(&Pack {
                            src: self.a.add(l0 * self.a_row + k0 * self.a_col),
                            lane: self.a_row,
                            step: self.a_col,
                            lanes: there.min(l1 - l0),
                            readable: there.min(l1 - l0),
                            k: k1 - k0,
                            dst: packed.add(lanes * k0 + l0 * (k1 - k0)),
                            width: l1 - l0,
                        });
                    }
                }
            }
        }
        let parts = self.pieces().min(self.n.div_ceil(4 * kn.mr));
        let packed = Shared(packed);
        threads::run(parts, &|i| {
            let packed = *packed.get();
            let cols = even(self.n, kn.mr, parts, i);
            let tiles = cols.len().div_ceil(kn.mr);
            for kb in 0..k_blocks {
                let (k0, k1) = (kb * kc_most, self.k.min((kb + 1) * kc_most));
                if k0 >= k1 {
                    continue;
                }
                let mut tile = self.tile(k0, k1 - k0);
                let bias = tile.bias;
                (tile.a_row, tile.a_k) = (self.b_col, self.b_row);
                for t in 0..tiles {
                    let (j0, j1) = (cols.start + cols.len() * t / tiles, cols.start + cols.len() * (t + 1) / tiles);
                    // SAFETY: columns j0 to j1 of this piece, and panels as packed above.
                    unsafe {
                        tile.a = self.b.add(k0 * self.b_row + j0 * self.b_col);
                        tile.bias = if bias.is_null() { bias } else { bias.add(j0) };
                        for p in 0..panels {
                            let (l0, l1) = (first(p), first(p + 1));
                            (tile.b, tile.b_k) = (packed.add(lanes * k0 + l0 * (k1 - k0)), l1 - l0);
                            tile.cols = (self.m - l0).min(l1 - l0);
                            tile.c = self.c.add(l0 * self.ldc + j0);
                            call(&kn.across, j1 - j0, (l1 - l0) / kn.w, &tile);
                        }
                    }
                }
            }
        });
    }
}

#[inline]
pub(super) unsafe fn call<T>(tiles: &super::kernels::Tiles<T>, rows: usize, vectors: usize, tile: &Tile<T>) {
    let f = tiles[rows - 1][vectors - 1].expect("a tile of this size");
    // SAFETY: as the caller says.
    unsafe { f(tile) }
}

/// Something with pointers that threads may share.
pub(super) struct Shared<T>(pub(super) T);

// SAFETY: whoever makes one sees to it that threads write to different places.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(super) fn get(&self) -> &T {
        &self.0
    }
}
