//! Padding: a constant, or what lies at the edge.

use super::view::{Layout, Spec, View};
use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList};
use crate::dtype::Scalar;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// How [`Tensor::pad`] fills the new places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pad {
    /// With a number.
    Constant(Scalar),
    /// As in a mirror on the outermost element, which is not repeated.
    Reflect,
    /// With the outermost element.
    Replicate,
    /// As if the tensor went on from the beginning.
    Circular,
}

/// The middle of a padded tensor: for each dimension, where it starts and how long it is.
#[derive(Clone, Debug)]
struct Middle {
    start: Dims,
    shape: Dims,
}

impl Spec for Middle {
    fn name(&self) -> &'static str {
        "constant_pad_nd"
    }
    fn shape(&self, _from: &Dims) -> Result<Dims, String> {
        Ok(self.shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let offset = from.offset + self.start.iter().zip(from.strides.iter()).map(|(i, s)| i * s).sum::<usize>();
        Layout { shape: self.shape, strides: from.strides, offset }
    }
}

/// The tensor in the middle of a larger one that is constant elsewhere.
#[derive(Debug)]
struct ConstantPad {
    middle: Middle,
    to: Dims,
    value: Scalar,
}

impl Op for ConstantPad {
    fn name(&self) -> &'static str {
        "constant_pad_nd"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.to }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let out = Array::full(outputs[0], self.value);
        if inputs[0].numel() > 0 {
            kernels::write_into(&self.middle.layout(Layout::of(&out)).on(&out), inputs[0]);
        }
        [out].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(View(self.middle.clone()), [g]))].into()
    }
}

/// Pairs (before, after) for the dimensions from the last one on.
#[track_caller]
fn pairs(pads: &[isize], shape: &Dims) -> Vec<(usize, isize, isize)> {
    if !pads.len().is_multiple_of(2) {
        fail("pad", "Padding length must be divisible by 2");
    }
    if pads.len() / 2 > shape.len() {
        fail(
            "pad",
            format!(
                "Padding length should be less than or equal to two times the input dimension but got padding length {} and input of dimension {}",
                pads.len(),
                shape.len()
            ),
        );
    }
    pads.chunks(2).enumerate().map(|(i, p)| (shape.len() - 1 - i, p[0], p[1])).collect()
}

#[track_caller]
fn padded_size(d: usize, n: usize, before: isize, after: isize) -> usize {
    let size = n as isize + before + after;
    if size < 0 {
        fail(
            "pad",
            format!(
                "The input size {n}, plus negative padding {before} and {after} resulted in a negative output size, which is invalid. Check dimension {d} of your input."
            ),
        );
    }
    size as usize
}

impl Tensor {
    /// A copy with padding around it. `pads` counts before and after each dimension, the last dimension first: `[left, right, top, bottom, ...]`
    /// (`F.pad(x, pads, mode, value)`). Negative counts cut off.
    ///
    /// `Reflect`, `Replicate` and `Circular` pad the last one, two or three dimensions of an input that has one or two more.
    ///
    /// ```
    /// use cresset_tensor::{Pad, Tensor};
    /// let x = Tensor::from_vec([1i64, 2, 3], [1, 3]);
    /// assert_eq!(x.pad([1, 1], Pad::Constant(0.into())).to_vec::<i64>(), [0, 1, 2, 3, 0]);
    /// assert_eq!(x.pad([2, 0], Pad::Reflect).to_vec::<i64>(), [3, 2, 1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn pad(&self, pads: impl IntList, mode: Pad) -> Tensor {
        let pads = pads.ints();
        let pairs = pairs(&pads, &self.shape());
        match mode {
            Pad::Constant(value) => self.pad_constant(&pairs, value),
            _ => self.pad_edges(&pads, &pairs, mode),
        }
    }
    #[track_caller]
    fn pad_constant(&self, pairs: &[(usize, isize, isize)], value: Scalar) -> Tensor {
        let mut inner = self.clone();
        let mut to = self.shape();
        let mut start = Dims::filled(to.len(), 0);
        for &(d, before, after) in pairs {
            let n = to[d];
            to[d] = padded_size(d, n, before, after);
            let (cut_front, cut_back) = (before.min(0).unsigned_abs(), after.min(0).unsigned_abs());
            if cut_front + cut_back > 0 {
                let from = cut_front.min(n);
                inner = inner.narrow(d as isize, from as isize, n.saturating_sub(cut_front + cut_back));
            }
            start[d] = before.max(0) as usize;
        }
        apply1(ConstantPad { middle: Middle { start, shape: inner.shape() }, to, value }, [&inner])
    }
    #[track_caller]
    fn pad_edges(&self, pads: &[isize], pairs: &[(usize, isize, isize)], mode: Pad) -> Tensor {
        let shape = self.shape();
        let k = pairs.len();
        if k == 0 || k > 3 || !(k + 1..=k + 2).contains(&shape.len()) {
            let name = match mode {
                Pad::Reflect => "reflect",
                Pad::Replicate => "replicate",
                _ => "circular",
            };
            fail(
                "pad",
                format!(
                    "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: mode {name} with padding {pads:?} does not fit an input of shape {shape:?}"
                ),
            );
        }
        let first = shape.len() - k;
        let batch_only = shape.len() == k + 2;
        if shape.iter().enumerate().any(|(d, &n)| n == 0 && !(batch_only && d == 0)) {
            fail(
                "pad",
                format!(
                    "Expected {}D or {}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: {shape:?}",
                    k + 1,
                    k + 2
                ),
            );
        }
        debug_assert!(first >= 1);
        let mut out = self.clone();
        for &(d, before, after) in pairs {
            let n = shape[d] as isize;
            let size = padded_size(d, shape[d], before, after) as isize;
            match mode {
                Pad::Reflect if before >= n || after >= n => fail(
                    "pad",
                    format!(
                        "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding ({before}, {after}) at dimension {d} of input {:?}",
                        &shape[..]
                    ),
                ),
                Pad::Circular if before > n || after > n => {
                    fail("pad", "Padding value causes wrapping around more than once.")
                }
                _ if size < 1 || mode == Pad::Circular && n + before.min(0) + after.min(0) < 1 => {
                    fail("pad", format!("input (W: {n}) is too small. Calculated output W: {size}"))
                }
                _ => {}
            }
            if before == 0 && after == 0 {
                continue;
            }
            let at = |i: isize| match mode {
                Pad::Reflect if i < 0 => -i,
                Pad::Reflect if i >= n => 2 * (n - 1) - i,
                Pad::Replicate => i.clamp(0, n - 1),
                // Around what is left after cutting, from its own beginning.
                Pad::Circular => {
                    let cut = before.min(0).abs();
                    cut + (i - cut).rem_euclid((n + before.min(0) + after.min(0)).max(1))
                }
                _ => i,
            };
            let index: Vec<i64> = (0..size).map(|i| at(i - before) as i64).collect();
            out = out.index_select(d as isize, &Tensor::from_slice(&index));
        }
        if out.is_same(self) { self.duplicate() } else { out }
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "pad",
    torch: "F.pad(x, pads, mode, value)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([1, 2, 0, 1], Pad::Constant(0.5.into()))),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([-1, 2], Pad::Constant(0.into()))),
            Sample::new(&[numbers(&[2, 4], 1)], |x| x[0].pad([2, 1], Pad::Reflect)),
            Sample::new(&[numbers(&[1, 2, 3], 1)], |x| x[0].pad([1, 1, 2, 0], Pad::Replicate)),
            Sample::new(&[numbers(&[1, 2, 3], 1)], |x| x[0].pad([2, -3], Pad::Replicate)),
            Sample::new(&[numbers(&[1, 2, 3], 1)], |x| x[0].pad([1, 3, -1, 0], Pad::Circular)),
        ]
    },
    refused: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([1], Pad::Constant(0.into()))),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([-2, -2], Pad::Constant(0.into()))),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([1, 1, 1, 1, 1, 1], Pad::Constant(0.into()))),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([3, 0], Pad::Reflect)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pad([4, 0], Pad::Circular)),
            Sample::new(&[numbers(&[3], 1)], |x| x[0].pad([1, 0], Pad::Replicate)),
        ]
    },
}];
