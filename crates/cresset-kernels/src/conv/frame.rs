//! A part of some pictures, copied with its border of zeros such that whatever a row of positions reads at one tap lies side by side: then
//! the windows can be unrolled by copying runs, whatever the padding and the stride.

use super::grid::{Grid, Part};
use crate::buffer::Buffer;
use crate::level::{Kernel, Simd, dispatch};
use std::ops::Range;

/// Runs are copied by so many numbers: up to so many more are read and written behind their end.
const CHUNK: usize = 8;

/// The copy. A row of it holds the columns that position 0 and its neighbours `step` away read, then those of the next column, ...: a stride
/// in the row becomes a run.
pub(super) struct Frame<'a> {
    grid: &'a Grid,
    part: Part,
    channels: usize,
    /// Rows of a plane.
    height: usize,
    /// Which first columns are read, and how many numbers each has.
    columns: Vec<usize>,
    sub: usize,
    /// Numbers of a channel of a picture.
    plane: usize,
    /// Where the taps are, in numbers from a position's place.
    taps: Vec<usize>,
    room: Buffer,
}

/// Lanes that lie side by side in the frame: a chunk of a row of positions, or its rest.
#[derive(Clone, Copy)]
struct Piece {
    lane: usize,
    from: usize,
}

impl<'a> Frame<'a> {
    /// The frame of a part of `grid`'s positions, of which `part` has all rows if there are more than one picture or depth.
    pub fn new(grid: &'a Grid, part: &Part, channels: usize) -> Frame<'a> {
        let step = grid.step[2];
        let mut columns: Vec<usize> = grid.taps.iter().map(|t| t[2] % step).collect();
        columns.sort_unstable();
        columns.dedup();
        let sub = grid.size[2] + grid.reach(2) / step;
        let row = columns.len() * sub;
        let rows = if grid.size[0] > 1 { grid.size[1] } else { part.rows.len() };
        let height = (rows.max(1) - 1) * grid.step[1] + grid.reach(1) + 1;
        let depth = (grid.size[0] - 1) * grid.step[0] + grid.reach(0) + 1;
        let taps = grid.taps.iter().map(|t| {
            let column = columns.iter().position(|&c| c == t[2] % step).unwrap_or(0);
            (t[0] * height + t[1]) * row + column * sub + t[2] / step
        });
        let taps = taps.collect();
        // Planes do not begin at the same places of the cache.
        let plane = ((depth * height * row).div_ceil(16) | 1) * 16;
        let room = Buffer::new((part.images.len() * channels * plane + CHUNK) * size_of::<f32>());
        Frame { grid, part: part.clone(), channels, height, columns, sub, plane, taps, room }
    }

    /// Copies channels of pictures, `image` numbers each, whose first channel begins at `source[0]`.
    pub fn fill(&mut self, source: &[f32], image: usize) {
        let grid = self.grid;
        let [depth, height, width] = grid.source;
        let row = self.columns.len() * self.sub;
        let first = self.part.rows.start * usize::from(grid.size[0] == 1);
        let depths = (grid.size[0] - 1) * grid.step[0] + grid.reach(0) + 1;
        let read = |d: usize, n: usize, size: usize| -> Vec<bool> {
            let mut read = vec![false; n];
            for t in &grid.taps {
                (0..size).for_each(|p| read[p * grid.step[d] + t[d]] = true);
            }
            read
        };
        let positions = if grid.size[0] > 1 { grid.size[1] } else { self.part.rows.len() };
        let (read_z, read_y) = (read(0, depths, grid.size[0]), read(1, self.height, positions));
        let (columns, sub, step) = (&self.columns, self.sub, grid.step[2]);
        // What each first column holds: zeros, the numbers of the row from one on, zeros.
        let spans: Vec<(Range<usize>, usize)> = columns
            .iter()
            .map(|&c| {
                let at = c as isize + grid.low[2];
                let outside = |limit: isize| ((limit - at).max(0) as usize).div_ceil(step).min(sub);
                let (lo, hi) = (outside(0), outside(width as isize));
                (lo..hi.max(lo), (at + (lo * step) as isize).max(0) as usize)
            })
            .collect();
        let mut lines = Vec::with_capacity(depths * self.height * columns.len());
        for (z, y) in (0..depths).flat_map(|z| (0..self.height).map(move |y| (z, y))) {
            if !read_z[z] || !read_y[y] {
                continue;
            }
            let plane = z as isize + grid.low[0];
            let line = (first * grid.step[1] + y) as isize + grid.low[1];
            let outside = plane < 0 || plane >= depth as isize || line < 0 || line >= height as isize;
            for (i, (inside, from)) in spans.iter().enumerate() {
                let to = (z * self.height + y) * row + i * sub;
                lines.push(if outside || inside.is_empty() {
                    Line { to, from: 0, zeros: sub, len: 0 }
                } else {
                    let from = (plane as usize * height + line as usize) * width + from;
                    Line { to, from, zeros: inside.start, len: inside.len() }
                });
            }
        }
        let (channels, plane, size) = (self.channels, self.plane, depth * height * width);
        let mut to = self.room.as_mut_ptr().cast::<f32>();
        for n in self.part.images.clone() {
            let x = &source[n * image..];
            dispatch(Fill { x, size, channels, lines: &lines, step, sub, plane, to });
            to = to.wrapping_add(channels * plane);
        }
    }

    /// From a row of positions to the next.
    pub fn row(&self) -> usize {
        self.grid.step[1] * self.columns.len() * self.sub
    }
    /// From a channel to the next.
    pub fn plane(&self) -> usize {
        self.plane
    }
    /// Where the taps are, in numbers from a position's place.
    pub fn taps(&self) -> &[usize] {
        &self.taps
    }
    /// Rows of the unrolled windows.
    pub fn rows(&self) -> usize {
        self.channels * self.taps.len()
    }
    /// The place of a position in the first channel, for a grid without depth.
    pub fn place(&self, lane: usize) -> *const f32 {
        let (width, rows) = (self.grid.size[2], self.part.rows.len());
        let (line, x) = (lane / width, lane % width);
        let image = self.channels * self.plane;
        self.room.as_slice::<f32>()[line / rows * image + line % rows * self.row() + x..].as_ptr()
    }
    /// Positions of this part.
    pub fn len(&self) -> usize {
        self.part.images.len() * self.part.rows.len() * self.grid.size[2]
    }

    /// The positions `lanes` of this part in pieces.
    fn pieces(&self, lanes: Range<usize>, pieces: &mut Vec<Piece>) {
        pieces.clear();
        let (width, rows) = (self.grid.size[2], self.part.rows.len());
        let mut at = lanes.start;
        while at < lanes.end {
            let (line, x) = (at / width, at % width);
            let len = (width - x).min(lanes.end - at);
            let (image, row) = (line / rows, line % rows);
            let (z, y) =
                if self.grid.size[0] > 1 { (row / self.grid.size[1], row % self.grid.size[1]) } else { (0, row) };
            let line = z * self.grid.step[0] * self.height + y * self.grid.step[1];
            let from = image * self.channels * self.plane + line * self.columns.len() * self.sub + x;
            let lane = at - lanes.start;
            pieces.extend((0..len).step_by(CHUNK).map(|i| Piece { lane: lane + i, from: from + i }));
            at += len;
        }
    }

    /// Unrolls the windows of the positions `lanes` into panels of `width` columns, the last rounded up to whole `unit`s: row `k` is what they see of channel
    /// `k / taps` at tap `k % taps`. Columns that are no position get any numbers.
    ///
    /// # Safety
    /// `out` has room for the panels, and for 8 numbers more, which may be overwritten.
    pub unsafe fn unroll(&self, k: Range<usize>, lanes: Range<usize>, width: usize, unit: usize, mut out: *mut f32) {
        let mut pieces = Vec::with_capacity(width.min(lanes.len()));
        for start in lanes.clone().step_by(width) {
            let end = lanes.end.min(start + width);
            self.pieces(start..end, &mut pieces);
            let width = (end - start).next_multiple_of(unit);
            let x = self.room.as_slice::<f32>().as_ptr();
            dispatch(Unroll { x, pieces: &pieces, k: k.clone(), taps: &self.taps, plane: self.plane, width, out });
            out = out.wrapping_add(width * k.len());
        }
    }
}

/// A line of a plane: zeros, numbers of the picture's channel, zeros.
struct Line {
    to: usize,
    from: usize,
    zeros: usize,
    len: usize,
}

/// Copies the channels of a picture.
struct Fill<'a> {
    x: &'a [f32],
    /// Numbers of a channel, and of its plane in the frame.
    size: usize,
    plane: usize,
    channels: usize,
    lines: &'a [Line],
    step: usize,
    sub: usize,
    to: *mut f32,
}

impl Kernel for Fill<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let zeros = [0.0; CHUNK];
        for c in 0..self.channels {
            for line in self.lines {
                let from = c * self.size + line.from;
                let readable = self.x.len() - from;
                let (x, to) = (self.x[from..].as_ptr(), self.to.wrapping_add(c * self.plane + line.to));
                let mut i = 0;
                // SAFETY: chunks may end beyond their part of the line: then the next part, line or channel overwrites what they wrote, or it lies in
                // the chunk that is left behind the frame. Whole chunks are read only where the picture has so many numbers.
                unsafe {
                    while i < line.zeros {
                        chunk(zeros.as_ptr(), to.add(i));
                        i += CHUNK;
                    }
                    let (to, mut i) = (to.add(line.zeros), 0);
                    if self.step == 1 {
                        while i < line.len && i + CHUNK <= readable {
                            chunk(x.add(i), to.add(i));
                            i += CHUNK;
                        }
                    } else if self.step == 2 {
                        while i < line.len && 2 * (i + CHUNK) <= readable {
                            let x = x.add(2 * i).cast::<[f32; 2 * CHUNK]>().read_unaligned();
                            let even: [f32; CHUNK] = std::array::from_fn(|j| x[2 * j]);
                            to.add(i).cast::<[f32; CHUNK]>().write_unaligned(even);
                            i += CHUNK;
                        }
                    }
                    while i < line.len {
                        *to.add(i) = *x.add(i * self.step);
                        i += 1;
                    }
                    i = line.len;
                    while line.zeros + i < self.sub {
                        chunk(zeros.as_ptr(), to.add(i));
                        i += CHUNK;
                    }
                }
            }
        }
    }
}

struct Unroll<'a> {
    x: *const f32,
    pieces: &'a [Piece],
    k: Range<usize>,
    taps: &'a [usize],
    plane: usize,
    width: usize,
    out: *mut f32,
}

/// Copies `CHUNK` numbers.
#[inline(always)]
unsafe fn chunk(from: *const f32, to: *mut f32) {
    // SAFETY: the caller's promise: so many may be read and written.
    unsafe { to.cast::<[f32; CHUNK]>().write_unaligned(from.cast::<[f32; CHUNK]>().read_unaligned()) }
}

impl Kernel for Unroll<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        // SAFETY: what a piece writes beyond its lanes the next one overwrites, or the next row, or lies in the room the caller left; what it reads
        // beyond its row lies in the frame, or in the room behind it.
        unsafe {
            // As many pieces as 48 lanes usually have, without a loop.
            match self.pieces.len() {
                6 => self.rows::<6>(),
                7 => self.rows::<7>(),
                8 => self.rows::<8>(),
                _ => self.rows::<0>(),
            }
        }
    }
}

impl Unroll<'_> {
    /// `N` is the number of pieces, or 0 for any.
    #[inline(always)]
    unsafe fn rows<const N: usize>(self) {
        let (mut tap, channel) = (self.k.start % self.taps.len(), self.k.start / self.taps.len());
        let mut x = self.x.wrapping_add(channel * self.plane);
        let mut out = self.out;
        // SAFETY: the caller's promise.
        unsafe {
            for _ in self.k {
                let from = x.add(*self.taps.get_unchecked(tap));
                if let Ok(pieces) = <&[Piece; N]>::try_from(self.pieces) {
                    for i in 0..N {
                        chunk(from.add(pieces[i].from), out.add(pieces[i].lane));
                    }
                } else {
                    for piece in self.pieces {
                        chunk(from.add(piece.from), out.add(piece.lane));
                    }
                }
                out = out.wrapping_add(self.width);
                tap += 1;
                if tap == self.taps.len() {
                    tap = 0;
                    x = x.wrapping_add(self.plane);
                }
            }
        }
    }
}
