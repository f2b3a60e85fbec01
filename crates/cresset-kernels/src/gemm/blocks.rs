//! The general way of a product: blocks of `C`, panels of `B`, tiles.

use std::ops::Range;

use super::GemmElement;
use super::driver::{Job, call, even};
use super::kernels::Kerneled;
use super::tile::{Pack, Tile};
use crate::buffer::Buffer;
use crate::threads;

/// Bytes of `A`, a block of rows by a block of `k`, that pass over a panel before the next panel: they stay in the second-level cache.
const A_BLOCK: usize = 240 << 10;
/// The most rows of them.
const MC: usize = 240;
/// A `k` up to this is short: C then takes more time than a panel of B.
const K_SHORT: usize = 64;
/// Bytes of B that are packed at once if `k` is short: they stay in the second-level cache.
const STRIP_SHORT: usize = 128 << 10;
/// Bytes of B that are packed at once for several blocks of rows: they stay in the third-level cache. Strips are as even as can be, as all of A is packed
/// again for each: a strip of 16 columns after one of 1008 took 2 % of 1024 x 1024 x 1024. (In tests it is less, so that they have strips.)
const STRIP: usize = if cfg!(test) { 256 << 10 } else { 3 << 20 };
/// Bytes of B that threads pack once for all of them, and read from the third-level cache: a batch of 1000 gains a tenth, 2048 x 2048 x 2048 with
/// two threads a tenth to a third. A larger B goes in strips of columns. (In tests it is less, so that they have strips.)
const B_SHARED: usize = if cfg!(test) { 256 << 10 } else { 4 << 20 };
/// Bytes of A that no second-level cache holds beside the rest. (In tests less.)
const A_FAR: usize = if cfg!(test) { 256 << 10 } else { 1 << 20 };
/// Bytes of A up to which threads share a transposed B by columns, packed by one thread each: 128 x 784 x 512 and 128 x 512 x 256 take 4 % less time
/// with two threads than in pieces of 64 rows, 512 x 512 x 512 1 % less; 1000 x 784 x 512 is the same.
const A_NEAR: usize = 2 << 20;
/// Columns of a piece for which packing them is worth a thread's while.
const NARROW: usize = 64;
/// Steps of `k` that are packed together of rows that lie side by side.
const K_TOGETHER: usize = 16;
/// Bytes of B that are read where they are, packed nowhere.
const B_SMALL: usize = 16 << 10;

impl<T: Kerneled + GemmElement> Job<T> {
    /// The general way: blocks of `C`, each by a thread.
    pub(super) unsafe fn blocks(&self) {
        let parts = self.pieces();
        if parts == 1 {
            // SAFETY: all of C, by nobody else.
            return unsafe { self.block(0..self.m, 0..self.n) };
        }
        let width = self.kernels.nv * self.kernels.w;
        let threads = threads::num_threads();
        let narrow = (self.n / NARROW).min(4 * threads).min(parts) / threads * threads;
        if self.packed.is_null()
            && self.b_col != 1
            && self.m * self.k * size_of::<T>() <= A_NEAR
            && narrow >= 2 * threads
        {
            return self.pieces_of(1, narrow, self.kernels.w);
        }
        // Rows are cut only where enough of them remain to repay the packing of B, which two may do each for itself. A large A whose rows lie side
        // by side is read across its pages, for which wide pieces pack it: 1024 x 1024 x 1024 with two threads takes 5 % less time.
        let across = self.a_col != 1 && self.m * self.k * size_of::<T>() > A_FAR;
        let (mut rows, mut cols) = (1, 1);
        while rows * cols < parts {
            let tall = self.m / (2 * rows) >= 48;
            let wide = self.n / (2 * cols) >= 2 * width && !(across && rows * cols >= 8);
            if tall && (across || self.m / rows >= self.n / cols || !wide) {
                rows *= 2;
            } else if wide {
                cols *= 2;
            } else {
                break;
            }
        }
        let wide = B_SHARED / (self.k * size_of::<T>()).max(1);
        let strips = self.n.div_ceil(wide.max(1));
        if rows > 2 && self.packed.is_null() && (strips == 1 && self.b_col != 1 || strips > 1 && wide >= 4 * width) {
            for strip in (0..strips).map(|i| even(self.n, width, strips, i)) {
                // SAFETY: these columns of B, C and the bias lie within their memory.
                unsafe {
                    let b = self.b.add(strip.start * self.b_col);
                    let (c, bias) = (self.c.add(strip.start), self.bias_at(strip.start));
                    let part = Job { n: strip.len(), b, c, bias, ..*self };
                    let room = part.pack();
                    Job { packed: room.as_ptr().cast(), ..part }.pieces_of(
                        rows,
                        if strips > 1 { 1 } else { cols },
                        width,
                    );
                }
            }
            return;
        }
        self.pieces_of(rows, cols, width);
    }

    /// All blocks of C: `rows` times `cols` pieces, these in whole units.
    fn pieces_of(&self, rows: usize, cols: usize, unit: usize) {
        threads::run(rows * cols, &|i| {
            // SAFETY: the pieces do not overlap.
            unsafe {
                self.block(even(self.m, self.kernels.mr, rows, i / cols), even(self.n, unit, cols, i % cols));
            }
        });
    }

    /// One piece of `C`: blocks of `k`, strips of columns, blocks of rows, tiles. Where there is one block of rows a strip is one
    /// panel; else it is long, because it is packed once for all blocks. With a short `k` it is long too, and tiles
    /// are done row by row, so that `C` is written along its rows.
    pub(super) unsafe fn block(&self, rows: Range<usize>, cols: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { self.block_by_k(rows, cols, self.k_blocks()) }
    }

    /// The same with all of `k` as one block.
    pub(super) unsafe fn block_of_k(&self, rows: Range<usize>, cols: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { self.block_by_k(rows, cols, (1, self.k)) }
    }

    // Small products take the ways with few divisions: a score of them took as long as a tile.
    unsafe fn block_by_k(&self, rows: Range<usize>, cols: Range<usize>, (k_blocks, kc_most): (usize, usize)) {
        let kn = self.kernels;
        let es = size_of::<T>();
        let width = kn.nv * kn.w;
        let row_blocks = if rows.len() <= MC && rows.len() * kc_most * es <= A_BLOCK {
            1
        } else {
            rows.len().div_ceil((A_BLOCK / (kc_most * es).max(1) / kn.mr * kn.mr).clamp(48, MC))
        };
        let rows_most = if row_blocks == 1 { rows.len() } else { rows.len().div_ceil(row_blocks) };
        let tiles_most = rows_most.div_ceil(kn.mr);
        let mc_most = tiles_most * kn.mr;
        // B may be read where it is if no tile comes back to it, or if it is small.
        let packed = !self.packed.is_null();
        let b_there = !packed && self.b_col == 1 && (rows.len() <= kn.mr || kc_most * self.b_row * es <= B_SMALL);
        let short = kc_most <= K_SHORT;
        let strip = if b_there || packed {
            cols.len()
        } else if short || row_blocks > 1 {
            let bytes = if short { STRIP_SHORT } else { STRIP };
            let step = kc_most * width * es;
            if cols.len() <= width && step <= bytes {
                width
            } else {
                let panels = cols.len().div_ceil(width);
                let strips = panels.div_ceil((bytes / step).max(1));
                panels.div_ceil(strips) * width
            }
        } else {
            width
        };
        let a_packed = tiles_most > 1
            && cols.len() >= 6 * width
            && (self.a_col != 1 || (self.a_row * es).is_multiple_of(1024) && !short);
        let b_size = || if strip == width { width } else { strip.min(cols.len().next_multiple_of(width)) } * kc_most;
        let mut b_room = Buffer::new(if b_there || packed { 0 } else { (b_size() + 16) * es });
        let mut a_room = Buffer::new(if a_packed { (kc_most * mc_most + 16) * es } else { 0 });
        let (b_panels, a_panels) = (b_room.as_mut_ptr().cast::<T>(), a_room.as_mut_ptr().cast::<T>());
        for kb in 0..k_blocks {
            let k0 = kb * kc_most;
            let kc = kc_most.min(self.k.saturating_sub(k0));
            if kc == 0 {
                continue;
            }
            let b_panels = if packed {
                self.packed.wrapping_add(k0 * self.n.next_multiple_of(kn.w) + cols.start * kc).cast_mut()
            } else {
                b_panels
            };
            let mut s0 = cols.start;
            while s0 < cols.end {
                let strip = s0..cols.end.min(s0 + strip);
                for rb in 0..row_blocks {
                    let r = if row_blocks == 1 { 0..rows.len() } else { even(rows.len(), kn.mr, row_blocks, rb) };
                    let tiles = if row_blocks == 1 { tiles_most } else { r.len().div_ceil(kn.mr) };
                    let rows = rows.start + r.start..rows.start + r.end;
                    let part = Part {
                        tiles,
                        tile_rows: rows.len() / tiles,
                        longer: rows.len() % tiles,
                        rows,
                        cols: strip.clone(),
                        k0,
                        kc,
                        fresh: rb == 0 && !packed,
                        b_there,
                        short,
                        bias: !self.bias.is_null() && k0 + kc == self.k,
                    };
                    // SAFETY: a part of this piece, and rooms for its panels.
                    unsafe {
                        if a_packed && (row_blocks > 1 || s0 == cols.start) {
                            self.pack_rows(&part, a_panels);
                        }
                        self.part(&part, if a_packed { a_panels } else { std::ptr::null() }, b_panels);
                    }
                }
                s0 = strip.end;
            }
        }
    }

    /// Packs the rows of a part, tile by tile.
    unsafe fn pack_rows(&self, part: &Part, a_panels: *mut T) {
        // Where rows lie side by side, steps of `k` are far apart: a few of them for all tiles, before the cache has lost their lines again.
        let together = if self.a_row == 1 { K_TOGETHER } else { part.kc };
        for k in (0..part.kc).step_by(together) {
            // What packing writes beyond its end must be written again. The last steps end where the next tile began: nothing more is read, so
            // nothing more is written.
            let last = together < part.kc && k + together >= part.kc;
            for t in 0..part.tiles {
                let tile = part.tile(t);
                // SAFETY: these rows and this block of `k` of A; the tile's place in the room.
                unsafe {
                    (self.kernels.pack)(&Pack {
                        src: self.a.add(tile.start * self.a_row + (part.k0 + k) * self.a_col),
                        lane: self.a_row,
                        step: self.a_col,
                        lanes: tile.len(),
                        readable: if last { tile.len() } else { self.m - tile.start },
                        k: together.min(part.kc - k),
                        dst: a_panels.add((tile.start - part.rows.start) * part.kc + k * tile.len()),
                        width: tile.len(),
                    });
                }
            }
        }
    }

    /// The tiles of a part. `a_panels` is null if A is read where it is.
    unsafe fn part(&self, part: &Part, a_panels: *const T, b_panels: *mut T) {
        let width = self.kernels.nv * self.kernels.w;
        let mut tile = self.tile(part.k0, part.kc);
        // SAFETY: tiles and panels of this part.
        unsafe {
            if part.short || part.b_there {
                for t in 0..part.tiles {
                    let mut j = part.cols.start;
                    while j < part.cols.end {
                        self.one(part, t, j, a_panels, b_panels, &mut tile);
                        j += width;
                    }
                }
            } else {
                let mut j = part.cols.start;
                while j < part.cols.end {
                    for t in 0..part.tiles {
                        self.one(part, t, j, a_panels, b_panels, &mut tile);
                    }
                    j += width;
                }
            }
        }
    }

    /// Tile `t` of a part at column `j`.
    #[inline(always)]
    unsafe fn one(&self, part: &Part, t: usize, j: usize, a_panels: *const T, b_panels: *mut T, tile: &mut Tile<T>) {
        let kn = self.kernels;
        let rows = part.tile(t);
        // SAFETY: offsets stay within the operands, panels within their rooms.
        unsafe {
            if a_panels.is_null() {
                tile.a = self.a.add(rows.start * self.a_row + part.k0 * self.a_col);
            } else {
                tile.a = a_panels.add((rows.start - part.rows.start) * part.kc);
                (tile.a_row, tile.a_k) = (1, rows.len());
            }
            tile.cols = (kn.nv * kn.w).min(part.cols.end - j);
            tile.c = self.c.add(rows.start * self.ldc + j);
            if part.bias {
                tile.bias = self.bias.add(j);
            }
            let nv = if tile.cols <= kn.w {
                1
            } else if tile.cols <= 2 * kn.w {
                2
            } else {
                3
            };
            let there = self.b.add(part.k0 * self.b_row + j * self.b_col);
            let panel = b_panels.wrapping_add((j - part.cols.start) * part.kc);
            let fresh = part.fresh && t == 0;
            if part.b_there {
                (tile.b, tile.b_k) = (there, self.b_row);
            } else if fresh && self.b_col == 1 {
                (tile.b, tile.b_k, tile.pack, tile.padded) = (there, self.b_row, panel, false);
                return call(&kn.packing, rows.len(), nv, tile);
            } else {
                if fresh {
                    (kn.pack)(&Pack {
                        src: there,
                        lane: self.b_col,
                        step: self.b_row,
                        lanes: tile.cols,
                        readable: tile.cols,
                        k: part.kc,
                        dst: panel,
                        width: nv * kn.w,
                    });
                }
                (tile.b, tile.b_k, tile.padded) = (panel, nv * kn.w, true);
            }
            call(&kn.tile, rows.len(), nv, tile);
        }
    }
}

/// A part of a piece: one block of rows, one strip of columns, one block of `k`.
struct Part {
    rows: Range<usize>,
    cols: Range<usize>,
    k0: usize,
    kc: usize,
    /// Whether the strip of B is not packed yet.
    fresh: bool,
    b_there: bool,
    short: bool,
    /// Whether the bias belongs to this block of `k`.
    bias: bool,
    tiles: usize,
    /// Rows of a tile; the first `longer` tiles have one more.
    tile_rows: usize,
    longer: usize,
}

impl Part {
    /// The rows of tile `t`: as even as can be.
    #[inline(always)]
    fn tile(&self, t: usize) -> Range<usize> {
        let at = |t: usize| self.rows.start + t * self.tile_rows + t.min(self.longer);
        at(t)..at(t + 1)
    }
}
