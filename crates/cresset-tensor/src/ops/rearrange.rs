//! Elements in another order or several times: flip, roll, rot90, repeat, tile, repeat_interleave.

use super::view::{dim_of, dims_of};
use crate::array::{Array, Meta, with_bits};
use crate::dims::{Dims, IntList};
use crate::dtype::DType;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::record::depends;
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element as Stored;

/// Backwards along some dimensions.
#[derive(Debug)]
struct Flip(Dims);

impl Op for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Stored>(x: &Array, dims: &Dims, meta: Meta) -> Array {
            let from = x.read();
            let from = from.slice::<T>();
            // The walk goes over the result; what is flipped starts at its end and steps back.
            let mut start = x.offset();
            let mut strides = *x.strides();
            for &d in dims.iter() {
                start += (meta.shape[d] - 1) * strides[d];
                strides[d] = strides[d].wrapping_neg();
            }
            let last = meta.shape.len() - 1;
            let (row, step) = (meta.shape[last], strides[last]);
            let outer = Dims::new(&meta.shape[..last]);
            Array::build::<T>(meta, |out| {
                let mut at = [0usize; crate::dims::MAX_DIMS];
                let mut base = start;
                for line in out.chunks_exact_mut(row) {
                    if step == 1 {
                        line.copy_from_slice(&from[base..base + row]);
                    } else if step == 1usize.wrapping_neg() {
                        let source = from[base + 1 - row..=base].iter().rev();
                        line.iter_mut().zip(source).for_each(|(o, v)| *o = *v);
                    } else {
                        let mut p = base;
                        for o in line {
                            *o = from[p];
                            p = p.wrapping_add(step);
                        }
                    }
                    for d in (0..outer.len()).rev() {
                        at[d] += 1;
                        base = base.wrapping_add(strides[d]);
                        if at[d] < outer[d] {
                            break;
                        }
                        base = base.wrapping_sub(strides[d].wrapping_mul(outer[d]));
                        at[d] = 0;
                    }
                }
            })
        }
        let x = inputs[0];
        if x.numel() == 0 || x.ndim() == 0 {
            return [x.copy()].into();
        }
        [with_bits!(x.dtype(), T => go::<T>(x, &self.0, outputs[0]))].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(Flip(self.0), [g]))].into()
    }
}

/// Moved in circles along some dimensions.
#[derive(Debug)]
struct Roll {
    /// For each dimension, how far forwards, less than its size.
    shifts: Dims,
}

impl Op for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        // Along each moved dimension the tensor falls into two blocks; every combination of blocks is one copy.
        fn blocks(from: Array, to: Array, shifts: &Dims, d: usize) {
            let Some(d) = (d..shifts.len()).find(|&d| shifts[d] != 0) else {
                return kernels::write_into(&to, &from);
            };
            let (n, shift) = (from.shape()[d], shifts[d]);
            let part = |a: &Array, start: usize, len: usize| {
                let mut shape = *a.shape();
                shape[d] = len;
                a.view(shape, *a.strides(), a.offset() + start * a.strides()[d])
            };
            blocks(part(&from, 0, n - shift), part(&to, shift, n - shift), shifts, d + 1);
            blocks(part(&from, n - shift, shift), part(&to, 0, shift), shifts, d + 1);
        }
        let out = Array::from_buffer(Array::buffer_for(&outputs[0]), outputs[0]);
        if out.numel() > 0 {
            blocks(inputs[0].clone(), out.clone(), &self.shifts, 0);
        }
        [out].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let shape = ctx.input_meta(0).shape;
        let back = self.shifts.iter().zip(shape.iter()).map(|(&s, &n)| if s == 0 { 0 } else { n - s }).collect();
        [grads[0].as_ref().map(|g| apply1(Roll { shifts: back }, [g]))].into()
    }
}

impl Tensor {
    /// A copy in reverse order along the given dimensions (`x.flip(dims)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1i64, 2, 3]).flip(0).to_vec::<i64>(), [3, 2, 1]);
    /// ```
    #[track_caller]
    pub fn flip(&self, dims: impl IntList) -> Tensor {
        let dims = dims_of("flip", &dims.ints(), self.dim());
        apply1(Flip(dims), [self])
    }
    /// Columns in reverse order (`torch.fliplr(x)`).
    #[track_caller]
    pub fn fliplr(&self) -> Tensor {
        if self.dim() < 2 {
            fail("fliplr", "Input must be >= 2-d.");
        }
        self.flip(1)
    }
    /// Rows in reverse order (`torch.flipud(x)`).
    #[track_caller]
    pub fn flipud(&self) -> Tensor {
        if self.dim() < 1 {
            fail("flipud", "Input must be >= 1-d.");
        }
        self.flip(0)
    }
    /// A copy with the elements moved by `shifts` along `dims`; those that leave at the end come in at the beginning (`x.roll(shifts, dims)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1i64, 2, 3, 4]).roll(1, 0).to_vec::<i64>(), [4, 1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn roll(&self, shifts: impl IntList, dims: impl IntList) -> Tensor {
        let (by, dims, shape) = (shifts.ints(), dims.ints(), self.shape());
        if by.is_empty() {
            fail("roll", "`shifts` required");
        }
        if dims.is_empty() && by.len() == 1 {
            return self.reshape(-1).roll(by[0], 0).reshape(shape);
        }
        if by.len() != dims.len() {
            fail("roll", format!("shifts and dimensions must align. shifts: {}, dims:{}", by.len(), dims.len()));
        }
        if shape.is_empty() {
            fail("roll", format!("Dimension specified as {} but tensor has no dimensions", dims[0]));
        }
        let mut shifts = Dims::filled(shape.len(), 0);
        for (&s, &d) in by.iter().zip(&dims) {
            let d = dim_of("roll", d, shape.len());
            if let Some(&n) = shape.get(d).filter(|&&n| n > 0) {
                shifts[d] = (shifts[d] as isize + s.rem_euclid(n as isize)) as usize % n;
            }
        }
        apply1(Roll { shifts }, [self])
    }
    /// The plane of two dimensions rotated by `k` times 90 degrees, from the first towards the second (`torch.rot90(x, k, dims)`).
    #[track_caller]
    pub fn rot90(&self, k: isize, dims: impl IntList) -> Tensor {
        let (dims, n) = (dims.ints(), self.dim());
        if dims.len() != 2 {
            fail("rot90", format!("expected total rotation dims == 2, but got dims = {}", dims.len()));
        }
        if n < 2 {
            fail("rot90", format!("expected total dims >= 2, but got total dims = {n}"));
        }
        let (a, b) = (dims[0], dims[1]);
        if a == b || (a - b).unsigned_abs() == n {
            fail("rot90", format!("expected rotation dims to be different, but got dim0 = {a} and dim1 = {b}"));
        }
        for (which, d) in [("dim0", a), ("dim1", b)] {
            if d >= n as isize || d < -(n as isize) {
                fail("rot90", format!("Rotation {which} out of range, {which} = {d}"));
            }
        }
        match k.rem_euclid(4) {
            1 => self.flip(b).transpose(a, b),
            2 => self.flip([a, b]),
            3 => self.flip(a).transpose(a, b),
            _ => self.duplicate(),
        }
    }
    /// The tensor repeated along each dimension; more counts than dimensions add new ones in front (`x.repeat(sizes)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1i64, 2]);
    /// assert_eq!(x.repeat([2, 2]).to_vec::<i64>(), [1, 2, 1, 2, 1, 2, 1, 2]);
    /// ```
    #[track_caller]
    pub fn repeat(&self, sizes: impl IntList) -> Tensor {
        let counts = sizes.ints();
        if counts.len() < self.dim() {
            fail(
                "repeat",
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
            );
        }
        if let Some(bad) = counts.iter().find(|&&c| c < 0) {
            fail("repeat", format!("Trying to create tensor with negative dimension {bad}"));
        }
        let mut shape = self.shape();
        while shape.len() < counts.len() {
            shape.insert(0, 1);
        }
        let mut out = self.reshape(shape);
        // From the last dimension on, so that what is copied twice is small.
        for d in (0..counts.len()).rev() {
            let count = counts[d] as usize;
            if count != 1 {
                let mut wide = out.shape();
                wide.insert(d, count);
                out = out.unsqueeze(d as isize).broadcast_to(wide).flatten(d as isize, d as isize + 1);
            }
        }
        if out.shares_memory(self) { out.duplicate() } else { out }
    }
    /// [`Tensor::repeat`] in which missing counts, in front, are 1 (`x.tile(dims)`).
    #[track_caller]
    pub fn tile(&self, dims: impl IntList) -> Tensor {
        let mut counts = dims.ints();
        while counts.len() < self.dim() {
            counts.insert(0, 1);
        }
        self.repeat(counts)
    }
    /// Each index of a dimension repeated `repeats` times (`x.repeat_interleave(repeats, dim)`); without `dim`, of the flattened tensor.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1i64, 2]);
    /// assert_eq!(x.repeat_interleave(2, None).to_vec::<i64>(), [1, 1, 2, 2]);
    /// ```
    #[track_caller]
    pub fn repeat_interleave(&self, repeats: usize, dim: impl Into<Option<isize>>) -> Tensor {
        let Some(dim) = dim.into() else { return self.reshape(-1).repeat_interleave(repeats, 0) };
        if self.dim() == 0 {
            return self.reshape(1).repeat_interleave(repeats, dim);
        }
        let d = dim_of("repeat_interleave", dim, self.dim());
        let mut wide = self.shape();
        wide.insert(d + 1, repeats);
        let out = self.unsqueeze(d as isize + 1).broadcast_to(wide).flatten(d as isize, d as isize + 1);
        if out.shares_memory(self) { out.duplicate() } else { out }
    }
    /// Each index of a dimension repeated as often as `repeats` says for it (`x.repeat_interleave(repeats, dim)`).
    #[track_caller]
    pub fn repeat_interleave_each(&self, repeats: &Tensor, dim: impl Into<Option<isize>>) -> Tensor {
        let name = "repeat_interleave";
        depends(name);
        let Some(dim) = dim.into() else { return self.reshape(-1).repeat_interleave_each(repeats, 0) };
        if self.dim() == 0 {
            return self.reshape(1).repeat_interleave_each(repeats, dim);
        }
        let d = dim_of(name, dim, self.dim());
        if !matches!(repeats.dtype(), DType::I64 | DType::I32) {
            fail(name, "repeats has to be Long or Int tensor");
        }
        if repeats.dim() > 1 {
            fail(name, "repeats must be 0-dim or 1-dim tensor");
        }
        let counts = repeats.to_dtype(DType::I64).to_vec::<i64>();
        if counts.iter().any(|&c| c < 0) {
            fail(name, "repeats can not be negative");
        }
        let n = self.shape()[d];
        if counts.len() == 1 {
            return self.repeat_interleave(counts[0] as usize, d as isize);
        }
        if counts.len() != n {
            fail(
                name,
                format!(
                    "repeats must have the same size as input along dim, but got repeats.size(0) = {} and input.size({d}) = {n}",
                    counts.len()
                ),
            );
        }
        let index: Vec<i64> =
            counts.iter().enumerate().flat_map(|(i, &c)| std::iter::repeat_n(i as i64, c as usize)).collect();
        self.index_select(d as isize, &Tensor::from_slice(&index))
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "flip",
        torch: "x.flip(dims)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].flip(0)),
                Sample::new(&[numbers(&[2, 3, 2], 1)], |x| x[0].flip([0, -1])),
                Sample::new(&[numbers(&[2, 3, 2], 1)], |x| x[0].flip(1)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].flip(())),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].flip([0, 0])),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].fliplr()),
            ]
        },
    },
    OpInfo {
        name: "roll",
        torch: "x.roll(shifts, dims)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].roll(1, 0)),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].roll([-1, 6], [0, 1])),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].roll(2, ())),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3], 1)], |x| x[0].roll((), ())),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].roll(1, 2)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].roll([1, 1], 0)),
            ]
        },
    },
    OpInfo {
        name: "rot90",
        torch: "torch.rot90(x, k, dims)",
        samples: || (-1..3).map(|k| Sample::new(&[numbers(&[3, 2], 1)], move |x| x[0].rot90(k, [0, 1]))).collect(),
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].rot90(1, [0])),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].rot90(1, [1, -1])),
            ]
        },
    },
    OpInfo {
        name: "repeat",
        torch: "x.repeat(sizes)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].repeat([2, 3])),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].repeat([2, 1, 2])),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].repeat(1)),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].tile(2)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].repeat(2)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].repeat(-1)),
            ]
        },
    },
    OpInfo {
        name: "repeat_interleave",
        torch: "x.repeat_interleave(repeats, dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].repeat_interleave(2, 1)),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].repeat_interleave(2, None)),
                Sample::new(&[numbers(&[3, 2], 1)], |x| {
                    x[0].repeat_interleave_each(&Tensor::from_slice(&[1i64, 0, 2]), 0)
                }),
            ]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].repeat_interleave_each(&Tensor::from_slice(&[1i64, 2]), 0))]
        },
    },
];
