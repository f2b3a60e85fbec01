//! The gradients of a convolution. All three maps are bilinear, and each one's derivatives are the other two.

use super::columns::{roll, unroll};
use super::{Block, Conv, ConvElement, blocks, f32s, f32s_mut, implicit, scratch, weights};
use crate::buffer::Buffer;
use crate::columns::Sum;
use crate::gemm::{Epilogue, Mat, gemm};
use crate::threads;

/// The gradient of the input: `dx = Σ_o wᵀ[o] g[o]`, every number added where its window read. With a bias (one number per input channel)
/// that is a transposed convolution.
///
/// PyTorch: `torch.nn.grad.conv2d_input`, `torch.nn.functional.conv_transpose2d`.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn input_gradient<T: ConvElement>(conv: &Conv, g: &[T], w: &[T], bias: Option<&[T]>, dx: &mut [T]) {
    let size = conv.input_image();
    if size == 0 {
        return;
    }
    if conv.is_implicit(conv.group_in())
        && let Some(dx) = f32s_mut(dx)
    {
        return implicit::input_gradient(conv, f32s(g), f32s(w), bias.map(f32s), dx);
    }
    let blocks = blocks::<T>(&conv.window, conv.unrolled());
    let images = |first: usize, dx: &mut [T]| {
        let mut buffer = scratch::<T>(&conv.window, conv.unrolled(), &blocks);
        let scratch = buffer.as_mut_slice::<T>();
        for (i, dx) in dx.chunks_mut(size).enumerate() {
            let g = &g[(first + i) * conv.output_image()..][..conv.output_image()];
            image(conv, &blocks, g, w, bias, dx, scratch);
        }
    };
    let dx = &mut dx[..conv.batch * size];
    match conv.images_each() {
        Some(each) => threads::run_chunks(dx, each * size, &|i, dx| images(i * each, dx)),
        None => images(0, dx),
    }
}

fn image<T: ConvElement>(
    conv: &Conv,
    blocks: &[Block],
    g: &[T],
    w: &[T],
    bias: Option<&[T]>,
    dx: &mut [T],
    scratch: &mut [T],
) {
    let (window, channels, k) = (&conv.window, conv.group_in(), conv.unrolled());
    let (inputs, positions) = (window.input_len(), window.output_len());
    let pointwise = window.is_pointwise();
    let mut epilogue = Epilogue::default();
    match bias {
        Some(bias) => {
            dx.chunks_mut(inputs).zip(bias).for_each(|(dx, b)| dx.fill(*b));
            epilogue = epilogue.accumulate();
        }
        None if pointwise => {}
        None => dx.fill(T::ZERO),
    }
    for group in 0..conv.groups {
        let w = Mat::row_major(&w[group * conv.group_weight()..][..conv.group_weight()], k).t();
        let g = &g[group * conv.group_out() * positions..][..conv.group_out() * positions];
        let dx = &mut dx[group * channels * inputs..][..channels * inputs];
        if pointwise {
            gemm(k, positions, conv.group_out(), w, Mat::row_major(g, positions), dx, positions, &epilogue);
            continue;
        }
        for block in blocks {
            let g = Mat::row_major(g.get(block.first..).unwrap_or(&[]), positions);
            gemm(k, block.len, conv.group_out(), w, g, scratch, block.len, &Epilogue::default());
            roll(window, channels, scratch, block, dx);
        }
    }
}

/// At most so many sums over parts of the batch, which are then added pairwise.
const PARTS: usize = 16;
/// All parts together take at most so many bytes.
const PARTS_BYTES: usize = 32 << 20;

/// The gradient of the weight: `dw[o, c, p] = Σ_n Σ_l g[n, o, l] x[n, c, l·stride + p]`.
///
/// PyTorch: `torch.nn.grad.conv2d_weight`.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn weight_gradient<T: ConvElement>(conv: &Conv, x: &[T], g: &[T], dw: &mut [T]) {
    let size = conv.groups * conv.group_weight();
    let dw = &mut dw[..size];
    if conv.batch == 0 || conv.window.output_len() == 0 || size == 0 {
        return dw.fill(T::ZERO);
    }
    if conv.is_implicit(conv.group_out())
        && let Some(dw) = f32s_mut(dw)
    {
        return weights::weight_gradient(conv, f32s(x), f32s(g), dw);
    }
    let blocks = blocks::<T>(&conv.window, conv.unrolled());
    let parts = conv.batch.min(PARTS).min(PARTS_BYTES / (size * size_of::<T>()).max(1)).max(1);
    let each = conv.batch.div_ceil(parts);
    let parts = conv.batch.div_ceil(each);
    let images = |part: usize, dw: &mut [T]| {
        let mut buffer = scratch::<T>(&conv.window, conv.unrolled(), &blocks);
        let scratch = buffer.as_mut_slice::<T>();
        for i in threads::piece(part, conv.batch, each) {
            let x = &x[i * conv.input_image()..][..conv.input_image()];
            let g = &g[i * conv.output_image()..][..conv.output_image()];
            add_image(conv, &blocks, x, g, dw, i == part * each, scratch);
        }
    };
    if parts < 4 && conv.work() * conv.batch >= 1 << 18 {
        // Few images: the products themselves are cut.
        let mut rest = Buffer::new((parts - 1) * size * size_of::<T>());
        let rest = rest.as_mut_slice::<T>();
        images(0, dw);
        for (i, part) in rest.chunks_mut(size).enumerate() {
            images(i + 1, part);
            add(dw, part);
        }
        return;
    }
    if parts == 1 {
        return images(0, dw);
    }
    let mut all = Buffer::new(parts * size * size_of::<T>());
    let all = &mut all.as_mut_slice::<T>()[..parts * size];
    threads::run_chunks(all, size, &images);
    let mut step = 1;
    while step < parts {
        for i in (0..parts - step).step_by(2 * step) {
            let (a, b) = all[i * size..].split_at_mut(step * size);
            add(&mut a[..size], &b[..size]);
        }
        step *= 2;
    }
    dw.copy_from_slice(&all[..size]);
}

fn add<T: Sum<Acc = T>>(sum: &mut [T], x: &[T]) {
    for (s, x) in sum.iter_mut().zip(x) {
        *s = T::add(*s, *x);
    }
}

fn add_image<T: ConvElement>(
    conv: &Conv,
    blocks: &[Block],
    x: &[T],
    g: &[T],
    dw: &mut [T],
    first: bool,
    scratch: &mut [T],
) {
    let (window, k, m) = (&conv.window, conv.unrolled(), conv.group_out());
    let positions = window.output_len();
    let epilogue = |first: bool| if first { Epilogue::default() } else { Epilogue::default().accumulate() };
    for group in 0..conv.groups {
        let x = &x[group * conv.group_in() * window.input_len()..];
        let g = &g[group * m * positions..][..m * positions];
        let dw = &mut dw[group * conv.group_weight()..][..conv.group_weight()];
        if window.is_pointwise() {
            let cols = Mat::row_major(x, positions).t();
            gemm(m, k, positions, Mat::row_major(g, positions), cols, dw, k, &epilogue(first));
            continue;
        }
        for (i, block) in blocks.iter().enumerate() {
            unroll(window, conv.group_in(), x, block, scratch);
            let g = Mat::row_major(&g[block.first..], positions);
            let cols = Mat::row_major(scratch, block.len).t();
            gemm(m, k, block.len, g, cols, dw, k, &epilogue(first && i == 0));
        }
    }
}

/// The gradient of the bias: the sum of every channel over images and positions. Pairwise.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn bias_gradient<T: Sum>(batch: usize, channels: usize, positions: usize, g: &[T], db: &mut [T]) {
    let each = 65536usize.div_ceil((batch * positions).max(1));
    threads::run_chunks(&mut db[..channels], each, &|piece, db| {
        for (i, db) in db.iter_mut().enumerate() {
            let channel = piece * each + i;
            let plane = |n: usize| row_sum(&g[(n * channels + channel) * positions..][..positions]);
            *db = T::narrow(pairwise::<T>(0, batch, &plane));
        }
    });
}

fn pairwise<T: Sum>(from: usize, to: usize, plane: &dyn Fn(usize) -> T::Acc) -> T::Acc {
    match to - from {
        0 => T::Acc::default(),
        1 => plane(from),
        n => T::add(pairwise::<T>(from, from + n / 2, plane), pairwise::<T>(from + n / 2, to, plane)),
    }
}

/// 16 running sums over at most 1024 numbers; more are halved.
fn row_sum<T: Sum>(x: &[T]) -> T::Acc {
    if x.len() > 1024 {
        let (a, b) = x.split_at(x.len() / 2);
        return T::add(row_sum(a), row_sum(b));
    }
    let mut sums = [T::Acc::default(); 16];
    let chunks = x.chunks_exact(16);
    for (s, x) in sums.iter_mut().zip(chunks.remainder()) {
        *s = x.widen();
    }
    for chunk in chunks {
        for (s, x) in sums.iter_mut().zip(chunk) {
            *s = T::add(*s, x.widen());
        }
    }
    let mut n = 16;
    while n > 1 {
        n /= 2;
        for i in 0..n {
            sums[i] = T::add(sums[i], sums[i + n]);
        }
    }
    sums[0]
}
