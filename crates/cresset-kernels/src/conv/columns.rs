//! Windows unrolled into the columns of a matrix, and added back.

use super::{Block, ConvElement, Window};
use crate::columns::Sum;
use crate::threads;
use std::ops::Range;

/// One row of the unrolled matrix: one channel, one point of the window.
struct Row<'a> {
    window: &'a Window,
    point: [usize; 3],
    /// The output columns whose input lies within the image.
    inside: Range<usize>,
    /// The input column of output column `inside.start`.
    from: usize,
}

/// The outputs (in `within`) for which `output * stride + offset - padding` lies in `0..input`.
fn inside(within: &Range<usize>, input: usize, stride: usize, offset: usize, padding: usize) -> Range<usize> {
    let first = |limit: usize| limit.saturating_sub(offset).div_ceil(stride);
    let lo = first(padding).clamp(within.start, within.end);
    let hi = first(input + padding).clamp(lo, within.end);
    lo..hi
}

impl<'a> Row<'a> {
    fn new(window: &'a Window, number: usize, cols: &Range<usize>) -> Row<'a> {
        let [_, kh, kw] = window.kernel;
        let point = [number / (kh * kw), number / kw % kh, number % kw];
        let offset = point[2] * window.dilation[2];
        let inside = inside(cols, window.input[2], window.stride[2], offset, window.padding[2]);
        let from = if inside.is_empty() { 0 } else { inside.start * window.stride[2] + offset - window.padding[2] };
        Row { window, point, inside, from }
    }
    /// Where in the channel output row `row` reads, if it lies within the image.
    fn input_row(&self, row: usize) -> Option<usize> {
        let w = self.window;
        let at = |dim: usize, out: usize| {
            let i = (out * w.stride[dim] + self.point[dim] * w.dilation[dim]).wrapping_sub(w.padding[dim]);
            (i < w.input[dim]).then_some(i)
        };
        let (d, h) = (at(0, row / w.output[1])?, at(1, row % w.output[1])?);
        Some((d * w.input[1] + h) * w.input[2])
    }
}

/// The columns of a block: `out[c * K + p, l]` is what point p of the window at position l sees of channel c.
pub(super) fn unroll<T: Sum>(window: &Window, channels: usize, x: &[T], block: &Block, out: &mut [T]) {
    let (points, len) = (window.kernel_len(), block.len);
    for (number, out) in out[..channels * points * len].chunks_mut(len.max(1)).enumerate() {
        unroll_row(window, &x[number / points * window.input_len()..], number % points, block, out);
    }
}

fn unroll_row<T: Sum>(window: &Window, x: &[T], point: usize, block: &Block, out: &mut [T]) {
    let zero = T::narrow(T::Acc::default());
    let row = Row::new(window, point, &block.cols);
    let (start, width) = (block.cols.start, block.cols.len());
    let (lo, hi) = (row.inside.start - start, row.inside.end - start);
    let step = window.stride[2];
    for (r, out) in block.rows.clone().zip(out.chunks_mut(width)) {
        let Some(at) = row.input_row(r).filter(|_| hi > lo) else {
            out.fill(zero);
            continue;
        };
        out[..lo].fill(zero);
        out[hi..].fill(zero);
        let x = &x[at + row.from..];
        if step == 1 {
            out[lo..hi].copy_from_slice(&x[..hi - lo]);
        } else {
            for (o, x) in out[lo..hi].iter_mut().zip(x.iter().step_by(step)) {
                *o = *x;
            }
        }
    }
}

/// The reverse of [`unroll`]: adds every number to the place it was read from.
pub(super) fn roll<T: Sum<Acc = T>>(window: &Window, channels: usize, cols: &[T], block: &Block, x: &mut [T]) {
    let (points, len) = (window.kernel_len(), block.len);
    for (number, cols) in cols[..channels * points * len].chunks(len.max(1)).enumerate() {
        let size = window.input_len();
        roll_row(window, cols, number % points, block, &mut x[number / points * size..][..size]);
    }
}

fn roll_row<T: Sum<Acc = T>>(window: &Window, cols: &[T], point: usize, block: &Block, x: &mut [T]) {
    let row = Row::new(window, point, &block.cols);
    let (start, width) = (block.cols.start, block.cols.len());
    let (lo, hi) = (row.inside.start - start, row.inside.end - start);
    if hi == lo {
        return;
    }
    let step = window.stride[2];
    for (r, cols) in block.rows.clone().zip(cols.chunks(width)) {
        let Some(at) = row.input_row(r) else { continue };
        let x = &mut x[at + row.from..];
        if step == 1 {
            for (x, c) in x[..hi - lo].iter_mut().zip(&cols[lo..hi]) {
                *x = T::add(*x, *c);
            }
        } else {
            for (x, c) in x.iter_mut().step_by(step).zip(&cols[lo..hi]) {
                *x = T::add(*x, *c);
            }
        }
    }
}

/// All windows of `images` images of `channels` channels: `[images, channels * K, positions]` (`torch.nn.functional.unfold`).
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn unfold<T: Sum>(window: &Window, images: usize, channels: usize, x: &[T], out: &mut [T]) {
    let whole = whole(window);
    let size = channels * window.kernel_len() * whole.len;
    if size == 0 {
        return;
    }
    let image = channels * window.input_len();
    threads::run_chunks(&mut out[..images * size], size, &|i, out| {
        unroll(window, channels, &x[i * image..][..image], &whole, out);
    });
}

/// The reverse: overlapping windows are added (`torch.nn.functional.fold`).
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn fold<T: ConvElement>(window: &Window, images: usize, channels: usize, cols: &[T], x: &mut [T]) {
    let whole = whole(window);
    let size = channels * window.kernel_len() * whole.len;
    let image = channels * window.input_len();
    if image == 0 {
        return;
    }
    threads::run_chunks(&mut x[..images * image], image, &|i, x| {
        x.fill(T::ZERO);
        if size > 0 {
            roll(window, channels, &cols[i * size..][..size], &whole, x);
        }
    });
}

fn whole(window: &Window) -> Block {
    let [depth, height, width] = window.output;
    Block { rows: 0..depth * height, cols: 0..width, first: 0, len: depth * height * width }
}
