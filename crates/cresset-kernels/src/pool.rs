//! Pooling: the largest or the mean element of windows, over one to three dimensions.
//!
//! A window is a product of spans, one for each dimension, so that sliding and adaptive windows are one thing. Rows of a window are
//! combined first, element by element, which vectorises; then the columns.

use crate::buffer::Element;
use crate::level::{Kernel, Simd, dispatch_on};
use crate::threads;

/// Where one output looks along one dimension: `start`, `start + step`, ... below `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first point within the input.
    pub start: usize,
    /// Points are below this.
    pub end: usize,
    /// From point to point.
    pub step: usize,
    /// For how many points it counts in a mean: more than it has where zeros around the input count.
    pub count: usize,
}

impl Span {
    #[inline(always)]
    fn points(self) -> impl Iterator<Item = usize> {
        // Not `step_by`, which divides before it begins: small windows are many.
        let mut next = self.start;
        std::iter::from_fn(move || {
            let point = next;
            next += self.step;
            (point < self.end).then_some(point)
        })
    }
}

/// The spans of a window that slides over `input` points, with `padding` imagined points on both sides (and more behind, if `output` asks).
pub fn sliding(
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    count_padding: bool,
) -> Vec<Span> {
    (0..output)
        .map(|o| {
            let from = o * stride; // counted from the first imagined point
            let skip = padding.saturating_sub(from).div_ceil(dilation);
            let start = from + skip * dilation - padding.min(from + skip * dilation);
            let end = (from + (kernel - 1) * dilation + 1).saturating_sub(padding).min(input);
            let points = if end > start { (end - start).div_ceil(dilation) } else { 0 };
            let count =
                if count_padding { (from + kernel).min(input + 2 * padding).saturating_sub(from) } else { points };
            Span { start: start.min(end), end, step: dilation, count }
        })
        .collect()
}

/// The spans that divide `input` points into `output` parts as equal as can be; parts overlap where it does not divide.
pub fn adaptive(input: usize, output: usize) -> Vec<Span> {
    (0..output)
        .map(|o| {
            let (start, end) = (o * input / output, ((o + 1) * input).div_ceil(output));
            Span { start, end, step: 1, count: end - start }
        })
        .collect()
}

/// The windows of a pooling: spans for depth, height and width, and the sizes of the input.
#[derive(Clone, Debug)]
pub struct Windows {
    /// By dimension, one span for each output.
    pub spans: [Vec<Span>; 3],
    /// Sizes of a plane of the input.
    pub input: [usize; 3],
}

impl Windows {
    fn input_len(&self) -> usize {
        self.input.iter().product()
    }
    fn output_len(&self) -> usize {
        self.spans.iter().map(Vec::len).product()
    }
    /// How many planes make a piece of work for a thread.
    fn planes_each(&self) -> usize {
        32768usize.div_ceil(self.input_len().max(self.output_len()).max(1))
    }
    /// Where the rows of the window of output row (d, h) begin in a plane.
    #[inline(always)]
    fn rows(&self, d: Span, h: Span) -> impl Iterator<Item = usize> {
        let [_, height, width] = self.input;
        d.points().flat_map(move |d| h.points().map(move |h| (d * height + h) * width))
    }
}

/// The largest element of every window of `planes` planes, and where it lies in its plane (the first of equals; NaN counts as largest).
///
/// PyTorch: `torch.nn.functional.max_pool2d(x, ..., return_indices=True)`.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn max<T: Element + PartialOrd + Default>(
    windows: &Windows,
    planes: usize,
    x: &[T],
    values: &mut [T],
    indices: &mut [i64],
) {
    let (size, each) = (windows.output_len(), windows.planes_each());
    if size == 0 {
        return;
    }
    let mut pairs: Vec<(&mut [T], &mut [i64])> =
        values[..planes * size].chunks_mut(each * size).zip(indices[..planes * size].chunks_mut(each * size)).collect();
    threads::run_chunks(&mut pairs, 1, &|i, pair| {
        let (values, indices) = &mut pair[0];
        dispatch_on::<T, _>(Max { windows, x: &x[i * each * windows.input_len()..], values, indices });
    });
}

struct Max<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    values: &'a mut [T],
    indices: &'a mut [i64],
}

/// The best of the columns from each on, and where it is, counted from that column; and room for those of one column, or row, more.
struct Wide<T> {
    now: (Vec<T>, Vec<u32>),
    next: (Vec<T>, Vec<u32>),
}

impl<T: Element + PartialOrd> Wide<T> {
    /// Of the first `starts` columns, with `columns` columns each, `step` apart.
    #[inline(always)]
    fn combine(&mut self, best: &[T], which: &[u32], columns: usize, step: usize, starts: usize) {
        for j in 1..columns {
            let ahead = j * step;
            let (from, from_at) = if j == 1 { (best, which) } else { (&self.now.0[..], &self.now.1[..]) };
            let (to, to_at) = (&mut self.next.0[..starts], &mut self.next.1[..starts]);
            better_of((from, from_at), (&best[ahead..], &which[ahead..]), ahead as u32, to, to_at);
            std::mem::swap(&mut self.now, &mut self.next);
        }
    }
}

/// The better of two for each column, and where it is: of equal ones the first, of NaN the last. The places of `b` are counted from `ahead` columns further
/// on.
#[inline(always)]
#[allow(clippy::eq_op)]
fn better_of<T: Element + PartialOrd>(
    (a, a_at): (&[T], &[u32]),
    (b, b_at): (&[T], &[u32]),
    ahead: u32,
    to: &mut [T],
    to_at: &mut [u32],
) {
    let n = to.len();
    let (a, a_at, b, b_at, to_at) = (&a[..n], &a_at[..n], &b[..n], &b_at[..n], &mut to_at[..n]);
    for c in 0..n {
        let (value, at, x, p) = (a[c], a_at[c], b[c], b_at[c] + ahead);
        let newer = (x != x) & ((value == value) | (p > at));
        let take = newer | (x > value) | ((x == value) & (p < at));
        to[c] = if take { x } else { value };
        to_at[c] = if take { p } else { at };
    }
}

/// The better of the rows so far and one more, which begins at `row`. Written beside: over themselves the compiler makes stores of chosen lanes, which
/// are slow on AMD's processors.
#[inline(always)]
#[allow(clippy::eq_op)]
fn better_row<T: Element + PartialOrd>(a: &[T], a_at: &[u32], x: &[T], row: u32, to: &mut [T], to_at: &mut [u32]) {
    let n = to.len();
    let (a, a_at, x, to_at) = (&a[..n], &a_at[..n], &x[..n], &mut to_at[..n]);
    for c in 0..n {
        let take = (x[c] > a[c]) | (x[c] != x[c]);
        to[c] = if take { x[c] } else { a[c] };
        to_at[c] = if take { row } else { a_at[c] };
    }
}

impl<T: Element + PartialOrd + Default> Kernel for Max<'_, T> {
    type Output = ();
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn run<S: Simd>(self) {
        let w = self.windows;
        let width = w.input[2];
        // Where most windows begin, the columns are combined element by element, too. Which of two is larger cannot be foreseen, so this is several times
        // as fast as to walk through each window. Whole vectors of columns, some of them beyond the end, which nobody asks for.
        let most = w.spans[2].iter().map(|s| s.points().count()).max().unwrap_or(0);
        let step = w.spans[2].first().map_or(1, |s| s.step);
        let reach = most.saturating_sub(1) * step;
        let starts = width.saturating_sub(reach).next_multiple_of(8);
        let room = || (vec![T::default(); width.max(starts + reach)], vec![0u32; width.max(starts + reach)]);
        let (mut best, mut which) = room();
        let mut wide = Wide { now: room(), next: room() };
        let full: Vec<bool> = w.spans[2].iter().map(|s| most > 1 && s.points().count() == most).collect();
        let any_full = full.contains(&true);
        let size = w.output_len();
        let planes = self.values.chunks_mut(size).zip(self.indices.chunks_mut(size));
        for ((values, indices), x) in planes.zip(self.x.chunks(w.input_len().max(1))) {
            let columns = w.spans[2].len();
            let mut out = values.chunks_mut(columns).zip(indices.chunks_mut(columns));
            for &d in &w.spans[0] {
                for &h in &w.spans[1] {
                    let mut rows = w.rows(d, h);
                    let first = rows.next().unwrap_or(0);
                    best[..width].copy_from_slice(&x[first..][..width]);
                    which[..width].fill(first as u32);
                    for row in rows {
                        let (to, to_at) = (&mut wide.next.0[..width], &mut wide.next.1[..width]);
                        better_row(&best, &which, &x[row..][..width], row as u32, to, to_at);
                        std::mem::swap(&mut best, &mut wide.next.0);
                        std::mem::swap(&mut which, &mut wide.next.1);
                    }
                    let Some((values, indices)) = out.next() else { return };
                    if any_full {
                        wide.combine(&best, &which, most, step, starts);
                    }
                    for (((v, i), &span), full) in values.iter_mut().zip(indices).zip(&w.spans[2]).zip(&full) {
                        if *full {
                            (*v, *i) = (wide.now.0[span.start], i64::from(wide.now.1[span.start]) + span.start as i64);
                            continue;
                        }
                        let (mut value, mut at) = (best[span.start], which[span.start] as usize + span.start);
                        for c in span.points().skip(1) {
                            let (x, p) = (best[c], which[c] as usize + c);
                            let take =
                                if x != x { value == value || p > at } else { x > value || (x == value && p < at) };
                            if take {
                                (value, at) = (x, p);
                            }
                        }
                        (*v, *i) = (value, at as i64);
                    }
                }
            }
        }
    }
}

/// `x[p, indices[p, i]] += g[p, i]` in planes of `input` elements that begin as zeros; with `add` false the last one stays.
///
/// # Panics
/// If an index lies outside its plane, or a slice is shorter than the sizes say.
pub fn scatter<T: Element + Default + std::ops::Add<Output = T>>(
    input: usize,
    output: usize,
    g: &[T],
    indices: &[i64],
    x: &mut [T],
    add: bool,
) {
    if input == 0 {
        return;
    }
    let each = 32768usize.div_ceil(input.max(output).max(1));
    threads::run_chunks(x, each * input, &|piece, x| {
        x.fill(T::default());
        for (i, x) in x.chunks_mut(input).enumerate() {
            let from = (piece * each + i) * output;
            for (g, at) in g[from..][..output].iter().zip(&indices[from..][..output]) {
                let x = &mut x[*at as usize];
                *x = if add { *x + *g } else { *g };
            }
        }
    });
}

/// `values[p, i] = x[p, indices[p, i]]`.
///
/// # Panics
/// If an index lies outside its plane, or a slice is shorter than the sizes say.
pub fn gather<T: Element>(input: usize, output: usize, x: &[T], indices: &[i64], values: &mut [T]) {
    if output == 0 {
        return;
    }
    let each = 32768usize.div_ceil(input.max(output).max(1));
    threads::run_chunks(values, each * output, &|piece, values| {
        for (i, values) in values.chunks_mut(output).enumerate() {
            let plane = piece * each + i;
            let x = &x[plane * input..][..input];
            for (v, at) in values.iter_mut().zip(&indices[plane * output..][..output]) {
                *v = x[*at as usize];
            }
        }
    });
}

/// A type with means: f32, f64 and i64 (which rounds towards zero).
pub trait Mean: Element + Default + std::ops::Add<Output = Self> + std::ops::Div<Output = Self> {
    /// The number of points.
    fn count(n: i64) -> Self;
}
impl Mean for f32 {
    #[inline(always)]
    fn count(n: i64) -> f32 {
        n as f32
    }
}
impl Mean for f64 {
    #[inline(always)]
    fn count(n: i64) -> f64 {
        n as f64
    }
}
impl Mean for i64 {
    #[inline(always)]
    fn count(n: i64) -> i64 {
        n
    }
}

/// The mean of every window of `planes` planes: its sum divided by its count, or by `divisor`.
///
/// PyTorch: `torch.nn.functional.avg_pool2d`, `adaptive_avg_pool2d`.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn mean<T: Mean>(windows: &Windows, planes: usize, x: &[T], divisor: Option<i64>, out: &mut [T]) {
    let (size, each) = (windows.output_len(), windows.planes_each());
    if size == 0 {
        return;
    }
    threads::run_chunks(&mut out[..planes * size], each * size, &|i, out| {
        dispatch_on::<T, _>(Average { windows, x: &x[i * each * windows.input_len()..], divisor, out });
    });
}

struct Average<'a, T> {
    windows: &'a Windows,
    x: &'a [T],
    divisor: Option<i64>,
    out: &'a mut [T],
}

impl<T: Mean> Kernel for Average<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let w = self.windows;
        let width = w.input[2];
        let mut sums = vec![T::default(); width];
        for (out, x) in self.out.chunks_mut(w.output_len()).zip(self.x.chunks(w.input_len().max(1))) {
            let mut out = out.chunks_mut(w.spans[2].len());
            for &d in &w.spans[0] {
                for &h in &w.spans[1] {
                    sums.fill(T::default());
                    for row in w.rows(d, h) {
                        for (s, &x) in sums.iter_mut().zip(&x[row..][..width]) {
                            *s = *s + x;
                        }
                    }
                    let Some(out) = out.next() else { return };
                    for (o, &span) in out.iter_mut().zip(&w.spans[2]) {
                        let mut sum = T::default();
                        for c in span.points() {
                            sum = sum + sums[c];
                        }
                        let count = (d.count * h.count * span.count) as i64;
                        *o = sum / T::count(self.divisor.unwrap_or(count));
                    }
                }
            }
        }
    }
}

/// The gradient of [`mean`]: every output's share goes to all points of its window.
///
/// # Panics
/// If a slice is shorter than the sizes say.
pub fn spread<T: Mean>(windows: &Windows, planes: usize, g: &[T], divisor: Option<i64>, x: &mut [T]) {
    let (input, output, each) = (windows.input_len(), windows.output_len(), windows.planes_each());
    if input == 0 {
        return;
    }
    threads::run_chunks(&mut x[..planes * input], each * input, &|i, x| {
        x.fill(T::default());
        if output > 0 {
            dispatch_on::<T, _>(Spread { windows, g: &g[i * each * output..], divisor, x });
        }
    });
}

struct Spread<'a, T> {
    windows: &'a Windows,
    g: &'a [T],
    divisor: Option<i64>,
    x: &'a mut [T],
}

impl<T: Mean> Kernel for Spread<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let w = self.windows;
        let width = w.input[2];
        let mut shares = vec![T::default(); width];
        for (x, g) in self.x.chunks_mut(w.input_len()).zip(self.g.chunks(w.output_len())) {
            let mut g = g.chunks(w.spans[2].len());
            for &d in &w.spans[0] {
                for &h in &w.spans[1] {
                    let Some(g) = g.next() else { return };
                    shares.fill(T::default());
                    for (&g, &span) in g.iter().zip(&w.spans[2]) {
                        let count = (d.count * h.count * span.count) as i64;
                        let share = g / T::count(self.divisor.unwrap_or(count));
                        for c in span.points() {
                            shares[c] = shares[c] + share;
                        }
                    }
                    for row in w.rows(d, h) {
                        for (x, &s) in x[row..][..width].iter_mut().zip(&shares) {
                            *x = *x + s;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stay_inside() {
        for (input, kernel, stride, padding, dilation) in
            [(5, 3, 2, 1, 1), (7, 2, 1, 1, 3), (4, 4, 3, 2, 1), (6, 3, 1, 1, 2)]
        {
            let output = (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
            for (o, s) in sliding(input, output, kernel, stride, padding, dilation, false).iter().enumerate() {
                let want: Vec<usize> = (0..kernel)
                    .filter_map(|k| (o * stride + k * dilation).checked_sub(padding).filter(|&i| i < input))
                    .collect();
                assert_eq!(s.points().collect::<Vec<_>>(), want);
                assert_eq!(s.count, want.len());
            }
        }
    }

    #[test]
    fn maxima_first_of_equals_and_nan() {
        let windows = Windows { spans: [adaptive(1, 1), adaptive(2, 1), adaptive(4, 2)], input: [1, 2, 4] };
        let x = [1.0f32, 3.0, 0.0, f32::NAN, 3.0, 2.0, 9.0, 1.0];
        let (mut v, mut i) = ([0.0; 2], [0; 2]);
        max(&windows, 1, &x, &mut v, &mut i);
        assert_eq!((v[0], i), (3.0, [1, 3]));
        assert!(v[1].is_nan());
    }

    /// PyTorch's walk through each window: what is larger, or NaN, takes the place.
    #[test]
    fn maxima_of_sliding_windows() {
        let mut seed = 7u32;
        let mut dice = |n: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % n
        };
        for (height, width, kernel, stride, padding, dilation) in [
            (5, 24, 2, 2, 0, 1),
            (9, 31, 3, 2, 1, 1),
            (7, 13, 3, 1, 1, 2),
            (4, 9, 4, 3, 2, 1),
            (6, 40, 5, 1, 2, 1),
            (3, 3, 1, 2, 0, 1),
        ] {
            let out = |n: usize| (n + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
            let spans = |n: usize| sliding(n, out(n), kernel, stride, padding, dilation, false);
            let windows = Windows { spans: [adaptive(1, 1), spans(height), spans(width)], input: [1, height, width] };
            // Few numbers, so that many are equal.
            let x: Vec<f32> = (0..3 * height * width).map(|_| [f32::NAN, 1.0, 2.0, -3.0][dice(4) as usize]).collect();
            let size = windows.output_len();
            let (mut values, mut indices) = (vec![0.0; 3 * size], vec![0; 3 * size]);
            max(&windows, 3, &x, &mut values, &mut indices);
            for plane in 0..3 {
                let x = &x[plane * height * width..][..height * width];
                let mut o = plane * size;
                for h in &windows.spans[1] {
                    for w in &windows.spans[2] {
                        let places = h.points().flat_map(|h| w.points().map(move |w| h * width + w));
                        let mut best = (f32::NEG_INFINITY, 0);
                        places.for_each(|at| {
                            if x[at] > best.0 || x[at].is_nan() {
                                best = (x[at], at);
                            }
                        });
                        assert_eq!(indices[o], best.1 as i64, "{height}x{width}, kernel {kernel}, output {o}");
                        assert!(values[o] == best.0 || values[o].is_nan() && best.0.is_nan());
                        o += 1;
                    }
                }
            }
        }
    }
}
