//! The gradient of the weight of f32, transposed: a row for every point of every channel's window, a column for every output channel. So
//! the windows are the left operand, which the kernels read as it lies, and the gradient, smaller by the size of the window, is the one that
//! is packed and turned.

use super::Conv;
use super::frame::Frame;
use super::grid::{Grid, Part};
use crate::buffer::Buffer;
use crate::gemm::panels::{Panels, Product};
use crate::gemm::tile::Tile;
use crate::gemm::windows::{Runs, Windows};
use crate::threads;
use std::ops::Range;

/// Positions of one product.
const POSITIONS: usize = 448;
/// Bytes of unrolled windows at a time.
const WINDOWS: usize = 144 << 10;
/// Channels of a piece of work.
const CHANNELS: usize = 128;
/// Pieces of work there are at least, if there are pictures enough.
const PIECES: usize = 8;
/// Positions that a part of the batch has at least: with fewer, writing the sums takes longer than adding them up.
const PART: usize = 1024;
/// All sums over parts of the batch together take at most so many bytes.
const SUMS: usize = 32 << 20;

/// One group's gradient.
struct Weights<'a> {
    conv: &'a Conv,
    grid: &'a Grid,
    /// From the group's first channels on.
    x: &'a [f32],
    g: &'a [f32],
    panels: Panels,
}

/// The gradient of the weight. There are pictures and positions.
pub(super) fn weight_gradient(conv: &Conv, x: &[f32], g: &[f32], dw: &mut [f32]) {
    let grid = Grid::forward(&conv.window);
    let (x, g) = (&x[..conv.batch * conv.input_image()], &g[..conv.batch * conv.output_image()]);
    for group in 0..conv.groups {
        Weights {
            conv,
            grid: &grid,
            x: &x[group * conv.group_in() * conv.window.input_len()..],
            g: &g[group * conv.group_out() * conv.window.output_len()..],
            panels: Panels::new(),
        }
        .run(&mut dw[group * conv.group_weight()..][..conv.group_weight()]);
    }
}

/// A pointer that threads may share.
struct Sums(*mut f32);
// SAFETY: every piece of work writes to other places.
unsafe impl Sync for Sums {}
impl Sums {
    fn at(&self, i: usize) -> *mut f32 {
        self.0.wrapping_add(i)
    }
}

impl Weights<'_> {
    fn run(&self, dw: &mut [f32]) {
        let (conv, taps) = (self.conv, self.grid.taps.len());
        let (channels, n, size) = (conv.group_in(), conv.group_out(), conv.group_weight());
        // Pieces are blocks of channels and, where these are few, parts of the batch whose sums are added afterwards.
        let blocks = channels.div_ceil(CHANNELS);
        let most = (SUMS / (size * size_of::<f32>()).max(1)).max(1);
        let heavy = (conv.work() / conv.groups * conv.batch) >> 19;
        let long = (conv.batch * self.grid.len() / PART).max(1);
        let parts = PIECES.div_ceil(blocks).min(conv.batch).min(most).min(heavy.max(1)).min(long);
        // Threads cut the channels further, though each piece packs the gradient anew. (No sum depends on it.)
        let alone = threads::num_threads() == 1;
        let blocks = if alone { blocks } else { blocks.max((PIECES / parts).min(channels / 64)) };
        let mut room = Buffer::new(parts * size * size_of::<f32>());
        let sums = Sums(room.as_mut_ptr().cast());
        threads::run(parts * blocks, &|i| {
            let (part, block) = (i / blocks, i % blocks);
            let images = conv.batch * part / parts..conv.batch * (part + 1) / parts;
            let each = channels.div_ceil(blocks).next_multiple_of(8);
            let channels = (block * each).min(channels)..((block + 1) * each).min(channels);
            if channels.is_empty() {
                return;
            }
            // SAFETY: the rows of this block in this part's sums.
            unsafe { self.piece(images, channels.clone(), sums.at(part * size + channels.start * taps * n)) };
        });
        if parts > 1 {
            threads::run_ranges(size, 1 << 13, &|range| {
                let mut step = 1;
                while step < parts {
                    for i in (0..parts - step).step_by(2 * step) {
                        // SAFETY: these numbers of two parts' sums, which are this thread's alone.
                        let (a, b) = unsafe {
                            let at = |part: usize| sums.at(part * size + range.start);
                            let b = std::slice::from_raw_parts(at(i + step), range.len());
                            (std::slice::from_raw_parts_mut(at(i), range.len()), b)
                        };
                        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    }
                    step *= 2;
                }
            });
        }
        let k = channels * taps;
        let (panels, sums) = (self.panels, &room.as_slice::<f32>()[..size]);
        threads::run_chunks(dw, 16 * k, &|i, dw| {
            // SAFETY: `dw.len() / k` columns of the sums, turned into rows. (What turns columns of many rows writes nothing beyond them.)
            unsafe { panels.transpose(sums.as_ptr().add(i * 16), n, k, dw.len() / k, dw.as_mut_ptr(), k) };
        });
    }

    /// Sums over some images for some channels.
    ///
    /// # Safety
    /// `c` has a row of all output channels for every point of these channels' windows, and nobody else uses it.
    unsafe fn piece(&self, images: Range<usize>, channels: Range<usize>, c: *mut f32) {
        let (conv, grid, panels) = (self.conv, self.grid, self.panels);
        let (n, unit) = (conv.group_out(), panels.lanes());
        let (k, inputs) = (channels.len() * grid.taps.len(), conv.window.input_len());
        let mut g_room = Buffer::new((POSITIONS * n.next_multiple_of(unit) + 64) * size_of::<f32>());
        let g = g_room.as_mut_ptr().cast::<f32>();
        // Blocks of channels are multiples of 8, so this holds for all or for none.
        let windows =
            panels.windows().filter(|_| conv.group_in().is_multiple_of(panels.rows()) && grid.runs(POSITIONS));
        let mut a_room = Buffer::new(if windows.is_some() {
            0
        } else {
            (each_row(POSITIONS) * rows_once().min(k) + 64) * size_of::<f32>()
        });
        let a = a_room.as_mut_ptr().cast::<f32>();
        let mut fresh = true;
        // Cut as for all channels of a piece, however few this one has: the order of the sums is that of the parts.
        let most = conv.group_in().min(CHANNELS);
        for part in grid.parts(images.len(), most, most * grid.taps.len() * n) {
            let part = Part { images: part.images.start + images.start..part.images.end + images.start, ..part };
            let mut frame = Frame::new(grid, &part, channels.len());
            frame.fill(&self.x[channels.start * inputs..], conv.input_image());
            // Positions where the tiles are to read runs are whole rows of one picture.
            let (stretch, row) = if windows.is_some() { (part.rows.len(), grid.size[2]) } else { (frame.len(), 1) };
            let blocks = (stretch * row).div_ceil(POSITIONS / row * row);
            for at in (0..frame.len() / row).step_by(stretch) {
                for block in 0..blocks {
                    let lanes = (at + stretch * block / blocks) * row..(at + stretch * (block + 1) / blocks) * row;
                    // SAFETY: the rooms were made for so many positions, and the sums have a row for each of the frame's taps and channels.
                    unsafe {
                        self.turn(&part, lanes.clone(), g);
                        match windows {
                            Some(windows) => self.in_place(windows, &frame, lanes, g, c, fresh),
                            None => self.unrolled(&frame, lanes, a, g, c, fresh),
                        }
                    }
                    fresh = false;
                }
            }
        }
    }

    /// Packs the gradient at positions `lanes` of a part: a row for each.
    unsafe fn turn(&self, part: &Part, lanes: Range<usize>, g: *mut f32) {
        let (n, size, width) = (self.conv.group_out(), self.grid.len(), self.panels.width());
        let (row, all) = (self.grid.size[2], part.rows.len() * self.grid.size[2]);
        for j in (0..n).step_by(width) {
            let cols = width.min(n - j);
            let wide = cols.next_multiple_of(self.panels.lanes());
            let mut at = lanes.start;
            while at < lanes.end {
                let (image, position) = (part.images.start + at / all, part.rows.start * row + at % all);
                let len = (all - at % all).min(lanes.end - at);
                let from = &self.g[image * self.conv.output_image() + j * size + position..];
                // SAFETY: these columns of the gradient, and their place in the panels.
                unsafe {
                    let to = g.add(j * lanes.len() + (at - lanes.start) * wide);
                    self.panels.transpose(from.as_ptr(), size, cols, len, to, wide);
                }
                at += len;
            }
        }
    }

    /// Adds the products at positions `lanes`, unrolling the windows.
    unsafe fn unrolled(
        &self,
        frame: &Frame,
        lanes: Range<usize>,
        a: *mut f32,
        g: *const f32,
        c: *mut f32,
        fresh: bool,
    ) {
        let (n, k, ld) = (self.conv.group_out(), frame.rows(), each_row(lanes.len()));
        for first in (0..k).step_by(rows_once()) {
            let rows = first..k.min(first + rows_once());
            // SAFETY: the rooms were made for so many positions and rows; these rows of the sums.
            unsafe {
                frame.unroll(rows.clone(), lanes.clone(), lanes.len(), ld, a);
                self.panels.multiply(&Product {
                    m: rows.len(),
                    n,
                    k: lanes.len(),
                    a,
                    a_row: ld,
                    b: g,
                    c: c.add(first * n),
                    ldc: n,
                    accumulate: !fresh,
                });
            }
        }
    }

    /// The same for whole rows of positions of one picture, which are read where they are: a tile has the same tap of several channels.
    unsafe fn in_place(
        &self,
        windows: &Windows<f32>,
        frame: &Frame,
        lanes: Range<usize>,
        g: *const f32,
        c: *mut f32,
        fresh: bool,
    ) {
        let (panels, n, row) = (self.panels, self.conv.group_out(), self.grid.size[2]);
        let (taps, plane) = (frame.taps(), frame.plane());
        for j in (0..n).step_by(panels.width()) {
            let cols = panels.width().min(n - j);
            for first in (0..frame.rows()).step_by(panels.rows() * taps.len()) {
                let x = frame.place(lanes.start).wrapping_add(first / taps.len() * plane);
                for (i, tap) in taps.iter().enumerate() {
                    let tile = Tile {
                        k: row,
                        chain: row,
                        a: x.wrapping_add(*tap),
                        a_row: plane,
                        a_k: 1,
                        b: g.wrapping_add(j * lanes.len()),
                        b_k: 0,
                        cols,
                        padded: true,
                        c: c.wrapping_add((first + i) * n + j),
                        ldc: taps.len() * n,
                        bias: std::ptr::null(),
                        row_bias: std::ptr::null(),
                        alpha: 1.0,
                        beta: if fresh { 0.0 } else { 1.0 },
                        relu: false,
                        pack: std::ptr::null_mut(),
                    };
                    // SAFETY: these rows of the frame and of the sums, and the panel of these columns.
                    unsafe {
                        windows[cols.div_ceil(panels.lanes()) - 1](&Runs {
                            tile,
                            runs: lanes.len() / row,
                            step: frame.row(),
                        })
                    }
                }
            }
        }
    }
}

/// From a row of unrolled windows to the next: a distance at which rows do not fall on the same lines of the cache again and again.
fn each_row(positions: usize) -> usize {
    (positions.div_ceil(16) | 1) * 16
}

/// Rows of unrolled windows at a time.
fn rows_once() -> usize {
    WINDOWS / (each_row(POSITIONS) * size_of::<f32>()) / 8 * 8
}
