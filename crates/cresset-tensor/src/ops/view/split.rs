//! A tensor cut into several views: split, chunk, unbind. One node for all parts, so that their gradients are joined by one copy.

use super::{Layout, Slice, Spec, dim_of};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::error::fail;
use crate::op::{Context, Few, Op, apply};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Neighbouring parts of a dimension.
#[derive(Debug)]
struct Split {
    dim: usize,
    sizes: Vec<usize>,
}

impl Op for Split {
    fn name(&self) -> &'static str {
        "split"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let n = inputs[0].shape[self.dim];
        if self.sizes.iter().sum::<usize>() != n {
            return Err(format!(
                "split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {}), but got split_sizes={:?}",
                self.dim, self.sizes
            ));
        }
        let part = |&len: &usize| {
            let mut m = *inputs[0];
            m.shape[self.dim] = len;
            m
        };
        Ok(self.sizes.iter().map(part).collect())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let mut start = 0;
        let part = |&len: &usize| {
            let slice = Slice { dim: self.dim, start, len, step: 1 };
            start += len;
            slice.layout(Layout::of(inputs[0])).on(inputs[0])
        };
        self.sizes.iter().map(part).collect()
    }
    fn is_view(&self) -> bool {
        true
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let parts: Vec<Tensor> =
            grads.iter().enumerate().map(|(i, g)| g.clone().unwrap_or_else(|| zeros_for(ctx.output_meta(i)))).collect();
        [Some(crate::cat(&parts, self.dim as isize))].into()
    }
}

/// Zeros that take no memory: one number, expanded.
fn zeros_for(meta: &Meta) -> Tensor {
    Tensor::zeros_of((), meta.dtype).broadcast_to(meta.shape)
}

/// All indices of a dimension, each a tensor without it.
#[derive(Debug)]
struct Unbind {
    dim: usize,
}

impl Op for Unbind {
    fn name(&self) -> &'static str {
        "unbind"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let mut part = *inputs[0];
        let n = part.shape.remove(self.dim);
        Ok(std::iter::repeat_n(part, n).collect())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let mut part = Layout::of(inputs[0]);
        let n = part.shape.remove(self.dim);
        let step = part.strides.remove(self.dim);
        (0..n).map(|i| Layout { offset: part.offset + i * step, ..part }.on(inputs[0])).collect()
    }
    fn is_view(&self) -> bool {
        true
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let parts: Vec<Tensor> =
            grads.iter().enumerate().map(|(i, g)| g.clone().unwrap_or_else(|| zeros_for(ctx.output_meta(i)))).collect();
        [Some(crate::stack(&parts, self.dim as isize))].into()
    }
}

impl Tensor {
    #[track_caller]
    fn split_at(&self, dim: usize, sizes: Vec<usize>) -> Vec<Tensor> {
        apply(Split { dim, sizes }, &[self]).into_vec()
    }
    #[track_caller]
    fn split_dim(&self, op: &'static str, dim: isize) -> (usize, usize) {
        let shape = self.shape();
        if shape.is_empty() {
            fail(op, format!("{op} expects at least a 1-dimensional tensor"));
        }
        let d = dim_of(op, dim, shape.len());
        (d, shape[d])
    }
    /// Parts of `size` indices along a dimension, the last one perhaps smaller, as views (`x.split(size, dim)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let parts = Tensor::zeros([5, 2]).split(2, 0);
    /// assert_eq!(parts[0].shape(), [2, 2]);
    /// assert_eq!(parts[2].shape(), [1, 2]);
    /// ```
    #[track_caller]
    pub fn split(&self, size: usize, dim: isize) -> Vec<Tensor> {
        let (d, n) = self.split_dim("split", dim);
        if size == 0 && n != 0 {
            fail("split", format!("split_size can only be 0 if dimension size is 0, but got dimension size of {n}"));
        }
        let count = if size == 0 { 1 } else { n.div_ceil(size).max(1) };
        self.split_at(d, (0..count).map(|i| size.min(n - i * size)).collect())
    }
    /// Parts of the given sizes along a dimension, as views (`x.split([2, 3], dim)`, `torch.split_with_sizes`).
    ///
    /// # Panics
    /// If the sizes do not add up to the dimension's.
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: impl IntList, dim: isize) -> Vec<Tensor> {
        let (d, _) = self.split_dim("split", dim);
        let sizes = sizes.ints();
        if sizes.iter().any(|&s| s < 0) {
            fail(
                "split",
                format!(
                    "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes:?}"
                ),
            );
        }
        self.split_at(d, sizes.iter().map(|&s| s as usize).collect())
    }
    /// At most `chunks` parts of equal size along a dimension, the last one perhaps smaller, as views (`x.chunk(chunks, dim)`).
    #[track_caller]
    pub fn chunk(&self, chunks: usize, dim: isize) -> Vec<Tensor> {
        let (d, n) = self.split_dim("chunk", dim);
        if chunks == 0 {
            fail("chunk", "chunk expects `chunks` to be greater than 0, got: 0");
        }
        if n == 0 {
            return self.split_at(d, vec![0; chunks]);
        }
        self.split(n.div_ceil(chunks), d as isize)
    }
    /// Exactly `sections` parts along a dimension, the first ones larger by one where it does not divide, as views
    /// (`x.tensor_split(sections, dim)`).
    #[track_caller]
    pub fn tensor_split(&self, sections: usize, dim: isize) -> Vec<Tensor> {
        let (d, n) = self.split_dim("tensor_split", dim);
        if sections == 0 {
            fail("tensor_split", "number of sections must be larger than 0, got 0");
        }
        self.split_at(d, (0..sections).map(|i| n / sections + usize::from(i < n % sections)).collect())
    }
    /// The parts between the given positions along a dimension, as views (`x.tensor_split(indices, dim)`). Positions may count from the end, and
    /// those beyond it mean the end, as in slices.
    #[track_caller]
    pub fn tensor_split_at(&self, indices: impl IntList, dim: isize) -> Vec<Tensor> {
        let (d, n) = self.split_dim("tensor_split", dim);
        let clamp = |i: isize| (if i < 0 { i + n as isize } else { i }).clamp(0, n as isize) as usize;
        let indices = indices.ints();
        let starts = std::iter::once(0).chain(indices.iter().map(|&i| clamp(i)));
        let ends = indices.iter().map(|&i| clamp(i)).chain(std::iter::once(n));
        let parts: Vec<(usize, usize)> = starts.zip(ends).collect();
        let adjacent = parts.iter().all(|(a, b)| a <= b);
        if adjacent {
            return self.split_at(d, parts.iter().map(|(a, b)| b - a).collect());
        }
        parts.iter().map(|&(a, b)| self.narrow(d as isize, a as isize, b.saturating_sub(a))).collect()
    }
    /// All indices of a dimension, each as a view without it (`x.unbind(dim)`).
    #[track_caller]
    pub fn unbind(&self, dim: isize) -> Vec<Tensor> {
        let n = self.dim();
        if n == 0 {
            fail("unbind", format!("Dimension specified as {dim} but tensor has no dimensions"));
        }
        apply(Unbind { dim: dim_of("unbind", dim, n) }, &[self]).into_vec()
    }
    #[track_caller]
    fn split_evenly(&self, op: &'static str, min: usize, dim: isize, sections: usize) -> Vec<Tensor> {
        let shape = self.shape();
        self.check_rank_for(op, min);
        let d = dim_of(op, dim, shape.len());
        if sections == 0 || !shape[d].is_multiple_of(sections) {
            fail(
                op,
                format!(
                    "torch.{op} attempted to split along dimension {d}, but the size of the dimension {} is not divisible by the split_size {sections}!",
                    shape[d]
                ),
            );
        }
        self.tensor_split(sections, d as isize)
    }
    #[track_caller]
    fn check_rank_for(&self, op: &'static str, min: usize) {
        if self.dim() < min {
            fail(
                op,
                format!(
                    "torch.{op} requires a tensor with at least {min} dimension{}, but got a tensor with {} dimensions!",
                    if min == 1 { "" } else { "s" },
                    self.dim()
                ),
            );
        }
    }
    /// `sections` equal parts along dimension 1, or 0 of a vector (`x.hsplit(sections)`).
    #[track_caller]
    pub fn hsplit(&self, sections: usize) -> Vec<Tensor> {
        self.split_evenly("hsplit", 1, isize::from(self.dim() > 1), sections)
    }
    /// The parts between positions along dimension 1, or 0 of a vector (`x.hsplit(indices)`).
    #[track_caller]
    pub fn hsplit_at(&self, indices: impl IntList) -> Vec<Tensor> {
        self.check_rank_for("hsplit", 1);
        self.tensor_split_at(indices, isize::from(self.dim() > 1))
    }
    /// `sections` equal parts along dimension 0 (`x.vsplit(sections)`).
    #[track_caller]
    pub fn vsplit(&self, sections: usize) -> Vec<Tensor> {
        self.split_evenly("vsplit", 2, 0, sections)
    }
    /// The parts between positions along dimension 0 (`x.vsplit(indices)`).
    #[track_caller]
    pub fn vsplit_at(&self, indices: impl IntList) -> Vec<Tensor> {
        self.check_rank_for("vsplit", 2);
        self.tensor_split_at(indices, 0)
    }
    /// `sections` equal parts along dimension 2 (`x.dsplit(sections)`).
    #[track_caller]
    pub fn dsplit(&self, sections: usize) -> Vec<Tensor> {
        self.split_evenly("dsplit", 3, 2, sections)
    }
    /// The parts between positions along dimension 2 (`x.dsplit(indices)`).
    #[track_caller]
    pub fn dsplit_at(&self, indices: impl IntList) -> Vec<Tensor> {
        self.check_rank_for("dsplit", 3);
        self.tensor_split_at(indices, 2)
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "split",
        torch: "x.split(size, dim)",
        samples: || {
            vec![
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].split(2, 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].split_with_sizes([1, 0, 2], -1)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].chunk(3, 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].tensor_split(3, 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].tensor_split_at([1, -1], 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].tensor_split_at([4, 2], 0)),
                Sample::new(&[numbers(&[5, 4], 1)], |x| x[0].hsplit(2).swap_remove(1)),
            ]
        },
        refused: || {
            vec![
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].split_with_sizes([1, 1], 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].split(0, 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].chunk(0, 0)),
                Sample::many(&[numbers(&[5, 3], 1)], |x| x[0].vsplit(2)),
                Sample::many(&[numbers(&[5], 1)], |x| x[0].vsplit(1)),
                Sample::many(&[numbers(&[], 1)], |x| x[0].split(1, 0)),
            ]
        },
    },
    OpInfo {
        name: "unbind",
        torch: "x.unbind(dim)",
        samples: || {
            vec![
                Sample::many(&[numbers(&[3, 2], 1)], |x| x[0].unbind(0)),
                Sample::new(&[numbers(&[3, 2, 2], 1)], |x| x[0].unbind(-2).swap_remove(1)),
            ]
        },
        refused: || {
            vec![
                Sample::many(&[numbers(&[], 1)], |x| x[0].unbind(0)),
                Sample::many(&[numbers(&[2], 1)], |x| x[0].unbind(1)),
            ]
        },
    },
];
