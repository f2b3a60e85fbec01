//! Views whose elements may share places: sliding windows, and any strides at all.

use super::{Layout, Spec, View, dim_of};
use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList};
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Windows along a dimension; their elements become a new last dimension.
#[derive(Clone, Debug)]
struct Unfold {
    dim: usize,
    size: usize,
    step: usize,
}

impl Spec for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        let n = from.get(self.dim).copied().unwrap_or(1);
        if self.size > n {
            return Err(format!("maximum size for tensor at dimension {} is {n} but size is {}", self.dim, self.size));
        }
        let mut shape = *from;
        if !shape.is_empty() {
            shape[self.dim] = (n - self.size) / self.step + 1;
        }
        shape.push(self.size);
        Ok(shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let shape = self.shape(&from.shape).expect("the shape rule has passed");
        let mut strides = from.strides;
        let inner = if from.shape.is_empty() { 1 } else { strides[self.dim] };
        if !from.shape.is_empty() {
            strides[self.dim] *= self.step;
        }
        strides.push(inner);
        Layout { shape, strides, offset: from.offset }
    }
    fn overlaps(&self) -> bool {
        self.step < self.size
    }
}

/// Any layout in the storage of the input, whose own layout is kept for the gradient.
#[derive(Clone, Debug)]
struct AsStrided {
    to: Layout,
    from: Layout,
}

impl Spec for AsStrided {
    fn name(&self) -> &'static str {
        "as_strided"
    }
    fn shape(&self, _from: &Dims) -> Result<Dims, String> {
        Ok(self.to.shape)
    }
    fn layout(&self, _from: Layout) -> Layout {
        self.to
    }
    fn backward(&self, g: &Tensor, _input: &Dims) -> Tensor {
        apply1(Relay { write: self.to, read: self.from }, [g])
    }
}

/// Adds the elements into a zeroed storage through one layout and reads it through another: linear, and its own transpose with the layouts exchanged.
#[derive(Debug)]
struct Relay {
    write: Layout,
    read: Layout,
}

impl Layout {
    /// One more than the last place it reaches.
    fn end(&self) -> usize {
        if self.shape.numel() == 0 {
            return 0;
        }
        self.offset + self.shape.iter().zip(self.strides.iter()).map(|(n, s)| (n - 1) * s).sum::<usize>() + 1
    }
    /// Has every element a place of its own? (Sufficient: sorted by stride, each step clears what lies below.)
    fn is_injective(&self) -> bool {
        let mut dims: Vec<(usize, usize)> =
            self.shape.iter().zip(self.strides.iter()).filter(|(n, _)| **n > 1).map(|(&n, &s)| (s, n)).collect();
        dims.sort_unstable();
        let mut reach = 0;
        dims.iter().all(|&(s, n)| {
            let clear = s > reach;
            reach += s * (n - 1);
            clear
        })
    }
}

impl Op for Relay {
    fn name(&self) -> &'static str {
        "as_strided_backward"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.read.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let room = Array::zeros(Meta::new(inputs[0].dtype(), self.write.end().max(self.read.end())));
        kernels::accumulate(&self.write.on(&room), inputs[0]);
        [self.read.on(&room)].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(Relay { write: self.read, read: self.write }, [g]))].into()
    }
}

impl Tensor {
    /// All windows of `size` indices along a dimension, `step` apart, as a view; the window's elements become a new last dimension
    /// (`x.unfold(dimension, size, step)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1i64, 2, 3, 4]);
    /// assert_eq!(x.unfold(0, 2, 1).to_vec::<i64>(), [1, 2, 2, 3, 3, 4]);
    /// ```
    #[track_caller]
    pub fn unfold(&self, dim: isize, size: usize, step: usize) -> Tensor {
        let dim = dim_of("unfold", dim, self.dim());
        if step == 0 {
            fail("unfold", "step is 0 but must be > 0");
        }
        apply1(View(Unfold { dim, size, step }), [self])
    }
    /// A view of any sizes and strides in the tensor's memory, from position `offset` of the storage on
    /// (`x.as_strided(size, stride, storage_offset)`).
    ///
    /// # Panics
    /// If an element would lie outside the storage, or the tensor requires grad and its own elements share places.
    #[track_caller]
    pub fn as_strided(&self, size: impl Into<Dims>, stride: impl IntList, offset: usize) -> Tensor {
        let (shape, stride, a) = (size.into(), stride.ints(), self.array_unseen());
        if shape.len() != stride.len() {
            fail(
                "as_strided",
                format!("mismatch in length of strides and shape: {} strides for shape {shape:?}", stride.len()),
            );
        }
        if stride.iter().any(|&s| s < 0) {
            fail("as_strided", format!("Negative strides are not supported at the moment, got strides: {stride:?}"));
        }
        let to = Layout { shape, strides: stride.iter().map(|&s| s as usize).collect(), offset };
        let room = a.storage().len() / a.dtype().size();
        if to.end() > room {
            fail(
                "as_strided",
                format!(
                    "setStorage: sizes {shape:?}, strides {stride:?}, storage offset {offset} require a storage of {} elements, which is out of bounds for storage of {room}",
                    to.end()
                ),
            );
        }
        let from = Layout::of(&a);
        if self.requires_grad() && crate::is_grad_enabled() && !from.is_injective() {
            fail(
                "as_strided",
                "the gradient of a tensor whose elements share places is not defined here; call contiguous() first",
            );
        }
        apply1(View(AsStrided { to, from }), [self])
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "unfold",
        torch: "x.unfold(dimension, size, step)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 7], 1)], |x| x[0].unfold(1, 3, 2)),
                Sample::new(&[numbers(&[5, 2], 1)], |x| x[0].unfold(0, 2, 3)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].unfold(0, 1, 1)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3], 1)], |x| x[0].unfold(0, 4, 1)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].unfold(0, 2, 0)),
            ]
        },
    },
    OpInfo {
        name: "as_strided",
        torch: "x.as_strided(size, stride, storage_offset)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 3], 1)], |x| x[0].contiguous().as_strided([2, 2], [1, 2], 1)),
                Sample::new(&[numbers(&[4], 1)], |x| x[0].contiguous().as_strided([3, 2], [1, 1], 0)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3], 1)], |x| x[0].as_strided([4], [1], 0)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].as_strided([2], [1, 1], 0)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].as_strided([2], [-1], 1)),
            ]
        },
    },
];
