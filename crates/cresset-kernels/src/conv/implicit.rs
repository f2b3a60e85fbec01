//! Convolutions of f32 as a product whose right operand, the unrolled windows, is never written as a whole: its panels are copied out of
//! the pictures while they are needed.

use super::frame::Frame;
use super::grid::{Grid, Part, Phase};
use super::{Conv, Window};
use crate::buffer::Buffer;
use crate::gemm::panels::{Panels, Product};
use crate::level::{Kernel, Simd, dispatch};
use crate::threads;
use std::ops::Range;

/// Bytes of the left operand that pass over a panel while it is in the second-level cache; with more, several panels are made before.
const ROWS_ONCE: usize = 320 << 10;
/// Bytes of panels that are made at a time then.
const PANELS: usize = 1 << 20;
/// The same where the left operand is small.
const PANELS_SHORT: usize = 128 << 10;

/// Where the results belong.
#[derive(Clone, Copy)]
struct Target<'a> {
    y: *mut f32,
    /// Numbers of a picture, and of one of its channels.
    image: usize,
    channel: usize,
    /// Sizes of a channel, and its first position and the distance to the next.
    sizes: [usize; 3],
    first: [usize; 3],
    step: [usize; 3],
    bias: Option<&'a [f32]>,
}

// SAFETY: every piece of work writes to other places.
unsafe impl Sync for Target<'_> {}

/// `y[n, i, p] = bias[i] + Σ_k a[i, k] x[n, k's channel, p at k's tap]`.
struct Implicit<'a> {
    grid: &'a Grid,
    images: usize,
    channels: usize,
    /// The first picture from its first channel on.
    x: &'a [f32],
    image: usize,
    m: usize,
    a: &'a [f32],
    to: Target<'a>,
}

/// The convolution of f32.
pub(super) fn forward(conv: &Conv, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let grid = Grid::forward(&conv.window);
    let x = &x[..conv.batch * conv.input_image()];
    let y = &mut y[..conv.batch * conv.output_image()];
    for group in 0..conv.groups {
        let (m, size) = (conv.group_out(), conv.window.output_len());
        Implicit {
            grid: &grid,
            images: conv.batch,
            channels: conv.group_in(),
            x: &x[group * conv.group_in() * conv.window.input_len()..],
            image: conv.input_image(),
            m,
            a: &w[group * conv.group_weight()..][..conv.group_weight()],
            to: Target {
                y: y[group * m * size..].as_mut_ptr(),
                image: conv.output_image(),
                channel: size,
                sizes: conv.window.output,
                first: [0; 3],
                step: [1; 3],
                bias: bias.map(|b| &b[group * m..][..m]),
            },
        }
        .run();
    }
}

/// The gradient of the input of f32: convolutions over the gradient, one for each phase of the stride.
pub(super) fn input_gradient(conv: &Conv, g: &[f32], w: &[f32], bias: Option<&[f32]>, dx: &mut [f32]) {
    let window = &conv.window;
    let g = &g[..conv.batch * conv.output_image()];
    let dx = &mut dx[..conv.batch * conv.input_image()];
    let phases: Vec<Phase> = Grid::backward(window).collect();
    if phases.iter().any(|p| p.points.is_empty()) {
        let inputs = window.input_len();
        for (i, dx) in dx.chunks_mut(inputs).enumerate() {
            dx.fill(bias.map_or(0.0, |b| b[i % conv.in_channels]));
        }
    }
    let most = phases.iter().map(|p| p.points.len()).max().unwrap_or(0);
    let mut room = Buffer::new(most * conv.group_in() * conv.group_out() * size_of::<f32>());
    for group in 0..conv.groups {
        let (m, size) = (conv.group_in(), window.input_len());
        let w = &w[group * conv.group_weight()..][..conv.group_weight()];
        for phase in phases.iter().filter(|p| !p.points.is_empty()) {
            let k = phase.points.len() * conv.group_out();
            let a = &mut room.as_mut_slice::<f32>()[..m * k];
            turn(window, w, m, conv.group_out(), &phase.points, a);
            Implicit {
                grid: &phase.grid,
                images: conv.batch,
                channels: conv.group_out(),
                x: &g[group * conv.group_out() * window.output_len()..],
                image: conv.output_image(),
                m,
                a,
                to: Target {
                    y: dx[group * m * size..].as_mut_ptr(),
                    image: conv.input_image(),
                    channel: size,
                    sizes: window.input,
                    first: phase.first,
                    step: window.stride,
                    bias: bias.map(|b| &b[group * m..][..m]),
                },
            }
            .run();
        }
    }
}

/// `a[c, o, i] = w[o, c, points[i]]`. Eight channels at a time, so that what is read and what is written lie in few lines of the cache.
fn turn(window: &Window, w: &[f32], channels: usize, out_channels: usize, points: &[usize], a: &mut [f32]) {
    let (taps, n) = (window.kernel_len(), points.len());
    threads::run_chunks(a, 8 * n * out_channels, &|i, a| {
        let count = a.len() / (n * out_channels);
        for (o, w) in w.chunks_exact(channels * taps).enumerate() {
            for (c, w) in w[i * 8 * taps..].chunks_exact(taps).take(count).enumerate() {
                let a = &mut a[(c * out_channels + o) * n..][..n];
                match (<&[f32; 9]>::try_from(w), <&mut [f32; 9]>::try_from(&mut *a)) {
                    (Ok(w), Ok(a)) => *a = *w,
                    _ => a.iter_mut().zip(points).for_each(|(a, &p)| *a = w[p]),
                }
            }
        }
    });
}

/// Into how many pieces threads cut the rows of each part, so that few parts keep all of them busy, though each piece makes the panels anew: a number for
/// which the slowest thread has least to do. (No sum depends on the cuts.)
fn cuts(parts: usize, m: usize) -> usize {
    let threads = threads::num_threads();
    // Making a panel takes as long as multiplying it with so many rows.
    const PANEL: f64 = 50.0;
    let slowest = |cuts: usize| {
        let rounds = (parts * cuts).div_ceil(threads);
        rounds as f64 * (m as f64 / cuts as f64 + PANEL)
    };
    (1..=(m / 96).clamp(1, 8)).min_by(|a, b| slowest(*a).total_cmp(&slowest(*b))).unwrap_or(1)
}

impl Implicit<'_> {
    fn k(&self) -> usize {
        self.channels * self.grid.taps.len()
    }

    fn run(&self) {
        let parts = self.grid.parts(self.images, self.channels, self.m * self.k());
        if parts.is_empty() {
            return;
        }
        let cuts = cuts(parts.len(), self.m);
        let panels = Panels::new();
        threads::run(parts.len() * cuts, &|i| {
            let cut = i % cuts;
            let rows = self.m * cut / cuts..self.m * (cut + 1) / cuts;
            self.piece(panels, &parts[i / cuts], rows);
        });
    }

    /// Some rows of the product at a part of the positions.
    fn piece(&self, panels: Panels, part: &Part, rows: Range<usize>) {
        let (width, unit, k) = (panels.width(), panels.lanes(), self.k());
        let (k_blocks, kc_most) = panels.k_blocks(k);
        let mut frame = Frame::new(self.grid, part, self.channels);
        frame.fill(self.x, self.image);
        let positions = frame.len();
        let bytes = if rows.len() * k * size_of::<f32>() > ROWS_ONCE { PANELS } else { PANELS_SHORT };
        let block = (bytes / (kc_most * width * size_of::<f32>())).max(1) * width;
        // In place where positions that lie side by side in the target fill panels. Else several pictures, or phases, come to lie in a room first.
        let to = &self.to;
        let each = part.rows.len() * self.grid.size[2];
        let dense = to.step == [1; 3] && (part.images.len() == 1 || each >= 4 * width);
        let stretch = if dense { each } else { positions };
        let block = stretch.div_ceil(stretch.div_ceil(block)).next_multiple_of(width);
        let mut b_room = Buffer::new((block * kc_most + 64) * size_of::<f32>());
        let b = b_room.as_mut_ptr().cast::<f32>();
        let mut c_room = Buffer::new(if dense { 0 } else { block * rows.len() * size_of::<f32>() });
        let starts = (0..positions).step_by(stretch).flat_map(|s| (s..s + stretch).step_by(block));
        for start in starts {
            let lanes = start..(start + block).min((start / stretch + 1) * stretch);
            let (c, ldc) = if dense {
                let (image, first) = (part.images.start + start / each, part.rows.start * self.grid.size[2]);
                let at = image * to.image + rows.start * to.channel + first + start % each;
                (to.y.wrapping_add(at), to.channel)
            } else {
                (c_room.as_mut_ptr().cast::<f32>(), block)
            };
            if let Some(bias) = to.bias {
                for (i, &bias) in bias[rows.clone()].iter().enumerate() {
                    // SAFETY: row `i` of this piece of C.
                    unsafe { std::slice::from_raw_parts_mut(c.add(i * ldc), lanes.len()) }.fill(bias);
                }
            }
            for kb in 0..k_blocks {
                let ks = kb * kc_most..k.min((kb + 1) * kc_most);
                if ks.is_empty() {
                    continue;
                }
                // SAFETY: the room was made for such a block; these rows of A; this piece's part of C.
                unsafe {
                    frame.unroll(ks.clone(), lanes.clone(), width, unit, b);
                    panels.multiply(&Product {
                        m: rows.len(),
                        n: lanes.len(),
                        k: ks.len(),
                        a: self.a[rows.start * k + ks.start..].as_ptr(),
                        a_row: k,
                        b,
                        c,
                        ldc,
                        accumulate: kb > 0 || to.bias.is_some(),
                    });
                }
            }
            if !dense {
                let runs = self.runs(part, lanes);
                let to = to.y.wrapping_add(rows.start * to.channel);
                let (channel, step) = (self.to.channel, self.to.step[2]);
                dispatch(Place { runs: &runs, rows: rows.len(), from: c, ld: block, to, channel, step });
            }
        }
    }

    /// Where positions `lanes` of a part belong in the first channel of the target.
    fn runs(&self, part: &Part, lanes: Range<usize>) -> Vec<Run> {
        let (to, size) = (&self.to, self.grid.size);
        let (width, rows) = (size[2], part.rows.len());
        let (mut at, mut runs) = (lanes.start, Vec::with_capacity(lanes.len() / width + 2));
        while at < lanes.end {
            let (line, x) = (at / width, at % width);
            let len = (width - x).min(lanes.end - at);
            let (image, row) = (part.images.start + line / rows, part.rows.start + line % rows);
            let (z, y) = (row / size[1], row % size[1]);
            let line = (z * to.step[0] + to.first[0]) * to.sizes[1] + y * to.step[1] + to.first[1];
            let first = image * to.image + line * to.sizes[2] + x * to.step[2] + to.first[2];
            runs.push(Run { from: at - lanes.start, to: first, len });
            at += len;
        }
        runs
    }
}

/// Positions in a row of the target.
struct Run {
    from: usize,
    to: usize,
    len: usize,
}

/// Copies rows of sums to where they belong.
struct Place<'a> {
    runs: &'a [Run],
    rows: usize,
    from: *const f32,
    ld: usize,
    to: *mut f32,
    channel: usize,
    step: usize,
}

impl Kernel for Place<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..self.rows {
            for run in self.runs {
                let from = self.from.wrapping_add(i * self.ld + run.from);
                let to = self.to.wrapping_add(i * self.channel + run.to);
                let mut j = 0;
                // SAFETY: these positions of this row of the sums, and of the target, which are this piece's alone.
                unsafe {
                    if self.step == 1 {
                        while j + 8 <= run.len {
                            let x = from.add(j).cast::<[f32; 8]>().read_unaligned();
                            to.add(j).cast::<[f32; 8]>().write_unaligned(x);
                            j += 8;
                        }
                    } else if self.step == 2 {
                        // The numbers between are written again as they are, but none behind the row: they may be another thread's.
                        while j + 8 < run.len {
                            let x = from.add(j).cast::<[f32; 8]>().read_unaligned();
                            let to = to.add(2 * j).cast::<[f32; 16]>();
                            let mut both = to.read_unaligned();
                            for l in 0..8 {
                                both[2 * l] = x[l];
                            }
                            to.write_unaligned(both);
                            j += 8;
                        }
                    }
                    while j < run.len {
                        *to.add(j * self.step) = *from.add(j);
                        j += 1;
                    }
                }
            }
        }
    }
}
