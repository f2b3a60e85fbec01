//! Which numbers of a picture each output position reads.

use super::Window;
use std::ops::Range;

/// Positions on a regular grid, and the taps that each of them reads: tap `t` of position `p` is the number at `low + p * step + taps[t]`, or
/// zero if that lies outside the picture.
pub(super) struct Grid {
    /// Sizes of one channel of the picture.
    pub source: [usize; 3],
    /// Numbers of positions.
    pub size: [usize; 3],
    pub step: [usize; 3],
    pub low: [isize; 3],
    pub taps: Vec<[usize; 3]>,
}

/// The part of the input whose gradients come from the same taps: every `stride`-th number, from `first` on.
pub(super) struct Phase {
    pub first: [usize; 3],
    /// Positions of the convolution's output as the source, the phase's numbers as positions.
    pub grid: Grid,
    /// Which of the window's points each tap is.
    pub points: Vec<usize>,
}

/// All triples below `n`, the last dimension fastest.
fn triples(n: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..n[0]).flat_map(move |a| (0..n[1]).flat_map(move |b| (0..n[2]).map(move |c| [a, b, c])))
}

impl Grid {
    /// The grid of a convolution.
    pub fn forward(w: &Window) -> Grid {
        Grid {
            source: w.input,
            size: w.output,
            step: w.stride,
            low: w.padding.map(|p| -(p as isize)),
            taps: triples(w.kernel).map(|p| std::array::from_fn(|d| p[d] * w.dilation[d])).collect(),
        }
    }
    /// The grids of the input's gradient: output `o` reads input `i` at point `p` if `o * stride + p * dilation - padding = i`. So for input numbers
    /// `stride` apart it is a convolution over the gradient, without steps.
    pub fn backward(w: &Window) -> impl Iterator<Item = Phase> {
        let first: [usize; 3] = std::array::from_fn(|d| w.stride[d].min(w.input[d]));
        triples(first).map(move |first| {
            let away = |p: [usize; 3]| -> Option<[isize; 3]> {
                let mut at = [0; 3];
                for d in 0..3 {
                    let far = (first[d] + w.padding[d]) as isize - (p[d] * w.dilation[d]) as isize;
                    if far % w.stride[d] as isize != 0 {
                        return None;
                    }
                    at[d] = far / w.stride[d] as isize;
                }
                Some(at)
            };
            let taps: Vec<(usize, [isize; 3])> =
                triples(w.kernel).enumerate().filter_map(|(i, p)| Some((i, away(p)?))).collect();
            let low = std::array::from_fn(|d| taps.iter().map(|t| t.1[d]).min().unwrap_or(0));
            let grid = Grid {
                source: w.output,
                size: std::array::from_fn(|d| (w.input[d] - first[d]).div_ceil(w.stride[d])),
                step: [1; 3],
                low,
                taps: taps.iter().map(|t| std::array::from_fn(|d| (t.1[d] - low[d]) as usize)).collect(),
            };
            Phase { first, grid, points: taps.iter().map(|t| t.0).collect() }
        })
    }
    /// Are rows of positions long enough that a tile may go through them one by one? (Of `most` positions there must be one row at least.)
    pub fn runs(&self, most: usize) -> bool {
        self.size[0] == 1 && (16..=most).contains(&self.size[2])
    }
    /// Number of positions.
    pub fn len(&self) -> usize {
        self.size.iter().product()
    }
    /// Rows of positions.
    pub fn rows(&self) -> usize {
        self.size[0] * self.size[1]
    }
    /// The farthest that a tap reaches.
    pub fn reach(&self, d: usize) -> usize {
        self.taps.iter().map(|t| t[d]).max().unwrap_or(0)
    }
}

/// A part of the positions of some pictures: all of their rows, or some rows of one picture.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub images: Range<usize>,
    pub rows: Range<usize>,
}

/// Numbers of a frame: together with what is packed of them they stay in the second-level cache, or nearly.
const FRAME: usize = 96 << 10;
/// Positions that are worth a product.
const POSITIONS: usize = 384;
/// A piece of work has about so many multiplications at least.
const WORK: usize = 1 << 20;

impl Grid {
    /// Cuts the positions of `images` pictures into parts, for `channels` channels and `work` multiplications at each position.
    pub fn parts(&self, images: usize, channels: usize, work: usize) -> Vec<Part> {
        let (len, rows) = (self.len(), self.rows());
        let width = self.size[2];
        if len == 0 || images == 0 {
            return Vec::new();
        }
        let small = WORK.div_ceil(work * len).max(1);
        if len < POSITIONS && images > 1 || small > 1 || self.size[0] > 1 {
            // Several pictures together: their positions fill panels that those of one would not.
            let least = images.div_ceil(2 * POSITIONS.div_ceil(len).max(small));
            let most = images.div_ceil(POSITIONS.div_ceil(len).max(small));
            let time = |groups: usize| {
                let each = |images: usize| panels(images * len);
                images % groups * each(images / groups + 1) + (groups - images % groups) * each(images / groups)
            };
            let groups = (least..=most).rev().min_by_key(|&groups| time(groups)).unwrap_or(most);
            return (0..groups)
                .map(|g| Part { images: images * g / groups..images * (g + 1) / groups, rows: 0..rows })
                .collect();
        }
        // Rows of one picture. As many as fill whole panels: W * rows is a multiple of 48 where that is possible.
        let row = channels * self.step[1] * (width * self.step[2] + self.reach(2));
        let whole = 48 / gcd(48, width);
        let few = POSITIONS.max(WORK.div_ceil(work)).div_ceil(width);
        let most = (FRAME / row.max(1)).min(rows.div_ceil(8usize.div_ceil(images))).max(few).max(1);
        let each = if most >= whole { most / whole * whole } else { most };
        let bands = rows.div_ceil(each);
        let each = if each.is_multiple_of(whole) { each } else { rows.div_ceil(bands) };
        (0..images)
            .flat_map(|i| (0..rows).step_by(each).map(move |r| Part { images: i..i + 1, rows: r..rows.min(r + each) }))
            .collect()
    }
}

/// About the time that panels of 48 columns for so many positions take: a vector alone takes longer than a third of three.
fn panels(positions: usize) -> usize {
    positions / 48 * 24 + [0, 10, 16, 24][(positions % 48).div_ceil(16)]
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
