//! Convolutions over one to three dimensions: unrolled windows (im2col) times a matrix.
//!
//! For f32 (`implicit`, `weights`) the windows are never unrolled as a whole: the product's panels are copied out of the pictures (`frame`), or the
//! pictures are read where they lie. Other types, and products of few rows, unroll block by block, so that a block stays in the second cache
//! while the product reads it. Work is cut in pieces of fixed size, and gradients of the weight are added in a fixed order: the same bits on any
//! number of threads.

mod columns;
mod frame;
mod gradients;
mod grid;
mod implicit;
#[cfg(test)]
mod tests;
mod weights;

pub use columns::{fold, unfold};
pub use gradients::{bias_gradient, input_gradient, weight_gradient};

use crate::buffer::{Buffer, Element, bytes_of, numbers_of};
use crate::columns::Sum;
use crate::gemm::{Epilogue, GemmElement, Mat, gemm};
use crate::threads;
use std::ops::Range;

/// A type that can be convolved without leaving it: f32, f64 and the integers.
pub trait ConvElement: GemmElement + Sum<Acc = Self> {}
impl<T: GemmElement + Sum<Acc = T>> ConvElement for T {}

/// A window that slides over depth, height and width. Fewer dimensions have size 1 in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Sizes of the input.
    pub input: [usize; 3],
    /// Sizes of the window.
    pub kernel: [usize; 3],
    /// Steps of the window.
    pub stride: [usize; 3],
    /// Zeros before the input; those behind it follow from `output`.
    pub padding: [usize; 3],
    /// Distance between the window's points.
    pub dilation: [usize; 3],
    /// Number of positions.
    pub output: [usize; 3],
}

impl Window {
    /// Elements of one channel of the input.
    #[inline]
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }
    /// Positions of the window.
    #[inline]
    pub fn output_len(&self) -> usize {
        self.output.iter().product()
    }
    /// Points of the window.
    #[inline]
    pub fn kernel_len(&self) -> usize {
        self.kernel.iter().product()
    }
    /// Is the unrolled input the input itself?
    fn is_pointwise(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.padding == [0; 3] && self.input == self.output
    }
}

/// The sizes of a convolution. The input is `[batch, in_channels, input]`, the weight `[out_channels, in_channels / groups, kernel]`, the
/// output `[batch, out_channels, output]`, all row-major.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    /// Number of images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Into so many groups both kinds of channels are divided.
    pub groups: usize,
    /// The window.
    pub window: Window,
}

impl Conv {
    /// Input channels of a group.
    fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }
    /// Output channels of a group.
    fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }
    /// Rows of the unrolled input of a group.
    fn unrolled(&self) -> usize {
        self.group_in() * self.window.kernel_len()
    }
    /// Elements of an input image.
    fn input_image(&self) -> usize {
        self.in_channels * self.window.input_len()
    }
    /// Elements of an output image.
    fn output_image(&self) -> usize {
        self.out_channels * self.window.output_len()
    }
    /// Elements of a group's weight.
    fn group_weight(&self) -> usize {
        self.group_out() * self.unrolled()
    }
    /// Multiplications for one image.
    fn work(&self) -> usize {
        self.out_channels * self.unrolled() * self.window.output_len()
    }
    /// Is the way of f32 through panels worth while for a product of `rows` rows? (Without unrolling, the general product reads the pictures as they are;
    /// with few rows, making a panel costs as much as the product.)
    fn is_implicit(&self, rows: usize) -> bool {
        let some = self.batch * self.window.output_len() * self.window.input_len() * self.unrolled() > 0;
        some && rows >= 8 && !self.window.is_pointwise()
    }
    /// How many images make a piece of work for a thread; `None` if the products themselves are to be cut.
    fn images_each(&self) -> Option<usize> {
        (self.batch >= 4 || self.work() < 1 << 18).then(|| (1usize << 17).div_ceil(self.work().max(1)))
    }
}

/// The same numbers if they are f32, which has ways of its own.
fn f32s_mut<T: Element>(x: &mut [T]) -> Option<&mut [f32]> {
    let same = std::any::TypeId::of::<T>() == std::any::TypeId::of::<f32>();
    // SAFETY: the same type.
    same.then(|| unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), x.len()) })
}
/// The same numbers where `T` is f32.
fn f32s<T: Element>(x: &[T]) -> &[f32] {
    numbers_of(bytes_of(x))
}

/// A part of the output positions: whole rows, or a part of one row. It is contiguous among all positions.
#[derive(Clone, Debug)]
struct Block {
    rows: Range<usize>,
    cols: Range<usize>,
    /// The first position.
    first: usize,
    len: usize,
}

/// Bytes of unrolled windows at a time: half of the second cache of most processors.
const BLOCK_BYTES: usize = 192 << 10;

/// The positions of a window in blocks whose unrolled form of `unrolled` rows stays in the cache.
fn blocks<T>(window: &Window, unrolled: usize) -> Vec<Block> {
    let most = (BLOCK_BYTES / (unrolled.max(1) * size_of::<T>())).max(64);
    let [depth, height, width] = window.output;
    let rows = depth * height;
    if width > most {
        let pieces = width.div_ceil(most);
        let each = width.div_ceil(pieces).next_multiple_of(16);
        return (0..rows)
            .flat_map(|r| {
                (0..width).step_by(each).map(move |c| {
                    let cols = c..width.min(c + each);
                    Block { rows: r..r + 1, first: r * width + c, len: cols.len(), cols }
                })
            })
            .collect();
    }
    let most = (most / width.max(1)).max(1);
    let each = rows.div_ceil(rows.div_ceil(most).max(1)).max(1);
    (0..rows)
        .step_by(each)
        .map(|r| {
            let rows = r..rows.min(r + each);
            Block { first: r * width, len: rows.len() * width, rows, cols: 0..width }
        })
        .collect()
}

/// Memory for the unrolled form of the largest block; none if the input needs no unrolling.
fn scratch<T>(window: &Window, unrolled: usize, blocks: &[Block]) -> Buffer {
    let longest = blocks.iter().map(|b| b.len).max().unwrap_or(0);
    Buffer::new(if window.is_pointwise() { 0 } else { longest * unrolled * size_of::<T>() })
}

/// The convolution: `y[n, o] = bias[o] + Σ_c w[o, c] ⋆ x[n, c]`.
///
/// PyTorch: `torch.nn.functional.conv1d`, `conv2d`, `conv3d`.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn forward<T: ConvElement>(conv: &Conv, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    if conv.is_implicit(conv.group_out())
        && let Some(y) = f32s_mut(y)
    {
        return implicit::forward(conv, f32s(x), f32s(w), bias.map(f32s), y);
    }
    let blocks = blocks::<T>(&conv.window, conv.unrolled());
    let size = conv.output_image();
    if size == 0 {
        return;
    }
    let images = |first: usize, y: &mut [T]| {
        let mut buffer = scratch::<T>(&conv.window, conv.unrolled(), &blocks);
        let scratch = buffer.as_mut_slice::<T>();
        for (i, y) in y.chunks_mut(size).enumerate() {
            let x = &x[(first + i) * conv.input_image()..][..conv.input_image()];
            image(conv, &blocks, x, w, bias, y, scratch);
        }
    };
    let y = &mut y[..conv.batch * size];
    match conv.images_each() {
        Some(each) => threads::run_chunks(y, each * size, &|i, y| images(i * each, y)),
        None => images(0, y),
    }
}

fn image<T: ConvElement>(
    conv: &Conv,
    blocks: &[Block],
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    scratch: &mut [T],
) {
    let (positions, k) = (conv.window.output_len(), conv.unrolled());
    let mut epilogue = Epilogue::default();
    if let Some(bias) = bias {
        for (y, b) in y.chunks_mut(positions).zip(bias) {
            y.fill(*b);
        }
        epilogue = epilogue.accumulate();
    }
    for g in 0..conv.groups {
        let x = &x[g * conv.group_in() * conv.window.input_len()..];
        let w = Mat::row_major(&w[g * conv.group_weight()..][..conv.group_weight()], k);
        let y = &mut y[g * conv.group_out() * positions..][..conv.group_out() * positions];
        if conv.window.is_pointwise() {
            gemm(conv.group_out(), positions, k, w, Mat::row_major(x, positions), y, positions, &epilogue);
            continue;
        }
        for block in blocks {
            columns::unroll(&conv.window, conv.group_in(), x, block, scratch);
            let cols = Mat::row_major(scratch, block.len);
            gemm(conv.group_out(), block.len, k, w, cols, &mut y[block.first..], positions, &epilogue);
        }
    }
}
