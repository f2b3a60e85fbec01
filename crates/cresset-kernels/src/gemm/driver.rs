//! How a product is cut: which kernels, which operand is packed, which blocks, which threads.
//!
//! - `k` is cut into blocks of at most [`KC`], evenly, so that a panel of `B` (a block of `k`, one tile wide) stays in the
//!   first-level cache while all rows of `A` pass over it.
//! - `B` with contiguous rows (NN, TN) is packed by the first tile of rows as it reads it; other `B` by transposing.
//! - A small batch times `Wᵀ` (NT) is computed as `(W Xᵀ)ᵀ`: packing the batch is cheaper than packing the weight, and the
//!   tiles are turned on their way out.
//! - One to four rows against `Wᵀ`, or a single column, are dot products; a single row against `W` a sweep through its rows.

use std::ops::Range;

use super::kernels::{Kerneled, Kernels};
use super::tile::{Dots, Pack, Sweep, Tile};
use super::{Activation, Epilogue, GemmElement, Mat};
use crate::buffer::Buffer;
use crate::threads;

/// Most of `k` in one block: with 64 bytes of lanes a panel of 16 KiB.
const KC: usize = 256;
/// Rows of `A` that pass over a panel before the next panel: with a block of `k` they stay in the second-level cache.
const MC: usize = 240;
/// A `k` up to this is short: C then takes more time than a panel of B.
const K_SHORT: usize = 64;
/// Bytes of B that are packed at once if `k` is short.
const STRIP: usize = 128 << 10;
/// Bytes of B that are read where they are, packed nowhere.
const B_SMALL: usize = 16 << 10;
/// From this many operations (two for each multiply-add) on, threads pay.
const PARALLEL: usize = 400_000;
/// Numbers of C that make a piece if there is hardly a sum.
const OUTER: usize = 1 << 16;
/// About so many operations make a piece for a thread.
const PIECE: usize = 1_000_000;
/// A batch of at most so many rows is packed instead of the weight.
const SMALL_BATCH: usize = 96;

/// A product whose operands are known to lie within their memory.
#[derive(Clone, Copy)]
pub struct Job<T: 'static> {
    kernels: &'static Kernels<T>,
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    a_row: usize,
    a_col: usize,
    b: *const T,
    b_row: usize,
    b_col: usize,
    c: *mut T,
    ldc: usize,
    bias: *const T,
    alpha: T,
    beta: T,
    relu: bool,
    /// Whether threads may take part.
    parallel: bool,
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
fn even(len: usize, unit: usize, parts: usize, i: usize) -> Range<usize> {
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
                return self.across();
            }
            self.blocks()
        }
    }

    fn pieces(&self) -> usize {
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

    /// One to four rows against contiguous columns of `B`: dot products.
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

    unsafe fn dots(&self, whole: Dots<T>, vectors: usize) {
        let f = self.kernels.dots[vectors - 1];
        let parts = self.pieces().min(whole.rows.div_ceil(16));
        let job = Shared(whole);
        threads::run(parts, &|i| {
            let d = job.get();
            let r = even(d.rows, 4, parts, i);
            // SAFETY: rows `r` of the whole; the pieces do not overlap.
            unsafe {
                let bias = if d.bias.is_null() { d.bias } else { d.bias.add(r.start * d.bias_row) };
                f(&Dots { w: d.w.add(r.start * d.ldw), rows: r.len(), c: d.c.add(r.start * d.c_row), bias, ..*d })
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
    unsafe fn bias_at(&self, j: usize) -> *const T {
        // SAFETY: `j` is at most `n`.
        if self.bias.is_null() { self.bias } else { unsafe { self.bias.add(j) } }
    }

    /// The blocks of `k`: how many, and the longest.
    fn k_blocks(&self) -> (usize, usize) {
        let blocks = self.k.div_ceil(KC);
        (blocks, self.k.div_ceil(blocks))
    }

    /// A tile of block `k0..k0 + kc`, its operands to be filled in. The bias comes with the last block only.
    #[inline]
    fn tile(&self, k0: usize, kc: usize) -> Tile<T> {
        let (first, last) = (k0 == 0, k0 + kc == self.k);
        Tile {
            k: kc,
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
            alpha: self.alpha,
            beta: if first { self.beta } else { T::ONE },
            relu: self.relu && last,
            pack: std::ptr::null_mut(),
        }
    }

    /// The general way: blocks of `C`, each by a thread.
    unsafe fn blocks(&self) {
        let width = self.kernels.nv * self.kernels.w;
        let parts = self.pieces();
        // Rows are cut only where enough of them remain to repay the packing of B.
        let (mut rows, mut cols) = (1, 1);
        while rows * cols < parts {
            let (tall, wide) = (self.m / (2 * rows) >= 48, self.n / (2 * cols) >= 2 * width);
            if tall && (self.m / rows >= self.n / cols || !wide) {
                rows *= 2;
            } else if wide {
                cols *= 2;
            } else {
                break;
            }
        }
        threads::run(rows * cols, &|i| {
            // SAFETY: the pieces do not overlap.
            unsafe {
                self.block(even(self.m, self.kernels.mr, rows, i / cols), even(self.n, width, cols, i % cols));
            }
        });
    }

    /// One piece of `C`: for every block of rows and of `k`, columns go by in strips of panels. The tiles of a strip are done row by
    /// row. With a long `k` a strip is one panel, which stays in the first-level cache; with a short one it is many, so that
    /// `C` is written along its rows.
    unsafe fn block(&self, rows: Range<usize>, cols: Range<usize>) {
        let kn = self.kernels;
        let es = size_of::<T>();
        let width = kn.nv * kn.w;
        let (k_blocks, kc_most) = self.k_blocks();
        let row_blocks = rows.len().div_ceil(MC);
        let mc_most = rows.len().div_ceil(row_blocks);
        let tiles_most = mc_most.div_ceil(kn.mr);
        // B may be read where it is if no tile comes back to it, or if it is small.
        let b_there = self.b_col == 1 && (tiles_most == 1 || kc_most * self.b_row * es <= B_SMALL);
        let b_fused = self.b_col == 1 && !b_there;
        let strip = if b_there {
            cols.len()
        } else if kc_most <= K_SHORT {
            (STRIP / (kc_most * width * es)).max(1) * width
        } else {
            width
        };
        let a_packed = tiles_most > 1
            && cols.len() >= 6 * width
            && (self.a_col != 1 || (self.a_row * es).is_multiple_of(1024) && kc_most > K_SHORT);
        let b_size = strip.min(cols.len().next_multiple_of(width)) * kc_most;
        let mut b_room = Buffer::new(if b_there { 0 } else { (b_size + 16) * es });
        let mut a_room = Buffer::new(if a_packed { (kc_most * mc_most + 16) * es } else { 0 });
        let (b_panels, a_panels) = (b_room.as_mut_ptr().cast::<T>(), a_room.as_mut_ptr().cast::<T>());
        for rb in 0..row_blocks {
            let (i0, i1) = (rows.start + rows.len() * rb / row_blocks, rows.start + rows.len() * (rb + 1) / row_blocks);
            let tiles = (i1 - i0).div_ceil(kn.mr);
            let row_of = |t: usize| i0 + (i1 - i0) * t / tiles;
            for (k0, kc) in (0..k_blocks).map(|kb| kb * kc_most).map(|k0| (k0, kc_most.min(self.k.saturating_sub(k0))))
            {
                if kc == 0 {
                    continue;
                }
                if a_packed {
                    for t in 0..tiles {
                        let (r0, r1) = (row_of(t), row_of(t + 1));
                        // SAFETY: rows r0 to r1 and block k0 of A; tile t's place in the room.
                        unsafe {
                            (kn.pack)(&Pack {
                                src: self.a.add(r0 * self.a_row + k0 * self.a_col),
                                lane: self.a_row,
                                step: self.a_col,
                                lanes: r1 - r0,
                                readable: self.m - r0,
                                k: kc,
                                dst: a_panels.add((r0 - i0) * kc),
                                width: r1 - r0,
                            });
                        }
                    }
                }
                let mut tile = self.tile(k0, kc);
                let bias = tile.bias;
                tile.padded = !b_there;
                let mut s0 = cols.start;
                while s0 < cols.end {
                    let s1 = cols.end.min(s0 + strip);
                    for t in 0..tiles {
                        let (r0, r1) = (row_of(t), row_of(t + 1));
                        // SAFETY: offsets stay within the operands, panels within their rooms.
                        unsafe {
                            if a_packed {
                                (tile.a, tile.a_row, tile.a_k) = (a_panels.add((r0 - i0) * kc), 1, r1 - r0);
                            } else {
                                tile.a = self.a.add(r0 * self.a_row + k0 * self.a_col);
                            }
                            let mut j = s0;
                            while j < s1 {
                                tile.cols = width.min(s1 - j);
                                let nv = tile.cols.div_ceil(kn.w);
                                let panel = b_panels.wrapping_add((j - s0) * kc);
                                let there = self.b.add(k0 * self.b_row + j * self.b_col);
                                tile.c = self.c.add(r0 * self.ldc + j);
                                tile.bias = if bias.is_null() { bias } else { bias.add(j) };
                                if t == 0 && b_fused {
                                    (tile.b, tile.b_k, tile.pack, tile.padded) = (there, self.b_row, panel, false);
                                    call(&kn.packing, r1 - r0, nv, &tile);
                                    tile.padded = true;
                                } else {
                                    if t == 0 && !b_there {
                                        (kn.pack)(&Pack {
                                            src: there,
                                            lane: self.b_col,
                                            step: self.b_row,
                                            lanes: tile.cols,
                                            readable: tile.cols,
                                            k: kc,
                                            dst: panel,
                                            width: nv * kn.w,
                                        });
                                    }
                                    (tile.b, tile.b_k) =
                                        if b_there { (there, self.b_row) } else { (panel.cast_const(), nv * kn.w) };
                                    call(&kn.tile, r1 - r0, nv, &tile);
                                }
                                j += width;
                            }
                        }
                    }
                    s0 = s1;
                }
            }
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
unsafe fn call<T>(tiles: &super::kernels::Tiles<T>, rows: usize, vectors: usize, tile: &Tile<T>) {
    let f = tiles[rows - 1][vectors - 1].expect("a tile of this size");
    // SAFETY: as the caller says.
    unsafe { f(tile) }
}

/// Something with pointers that threads may share.
struct Shared<T>(T);

// SAFETY: whoever makes one sees to it that threads write to different places.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn get(&self) -> &T {
        &self.0
    }
}
