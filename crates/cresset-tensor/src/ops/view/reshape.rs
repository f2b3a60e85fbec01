//! Other sizes for the same elements: view, reshape, flatten, squeeze, unsqueeze.

use super::{Layout, Spec, View, dim_of, dims_of};
use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList};
use crate::error::fail;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// The strides with which `to` looks at the elements laid out by `shape` and `strides`, or none if that needs a copy: each run of dimensions that lies
/// in memory without gaps may be cut anew, runs may not be joined.
pub(crate) fn view_strides(shape: &[usize], strides: &[usize], to: &Dims) -> Option<Dims> {
    if shape == &to[..] {
        return Some(Dims::new(strides));
    }
    if to.numel() == 0 {
        return Some(to.contiguous_strides());
    }
    let mut out = Dims::filled(to.len(), 1);
    let mut v = to.len(); // dimensions of `to` from v on are done
    let (mut run, mut taken) = (1, 1); // elements in the run of old and of new dimensions
    let mut step = strides.last().copied().unwrap_or(1);
    for d in (0..shape.len()).rev() {
        run *= shape[d];
        let last = d == 0 || (shape[d - 1] != 1 && strides[d - 1] != run * step);
        if !last {
            continue;
        }
        while v > 0 && (taken < run || to[v - 1] == 1) {
            v -= 1;
            out[v] = taken * step;
            taken *= to[v];
        }
        if taken != run {
            return None;
        }
        if d > 0 {
            step = strides[d - 1];
            (run, taken) = (1, 1);
        }
    }
    while v > 0 && to[v - 1] == 1 {
        v -= 1;
        out[v] = step;
    }
    (v == 0).then_some(out)
}

/// A view of other sizes, its strides known.
#[derive(Clone, Debug)]
struct Reshape {
    shape: Dims,
    strides: Dims,
    name: &'static str,
    /// Which of PyTorch's overloads it is, for the name of the node.
    overload: u8,
}

impl Spec for Reshape {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        format!("{}Backward{}", crate::autograd::node::camel_case(self.name), self.overload)
    }
    fn shape(&self, _from: &Dims) -> Result<Dims, String> {
        Ok(self.shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        Layout { shape: self.shape, strides: self.strides, offset: from.offset }
    }
    fn backward(&self, g: &Tensor, input: &Dims) -> Tensor {
        g.reshape(input)
    }
}

/// A reshape that copies, as no view can do it.
#[derive(Debug)]
struct ReshapeCopy(Dims);

impl Op for ReshapeCopy {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn grad_name(&self) -> String {
        "UnsafeViewBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.0 }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [inputs[0].copy().view(self.0, self.0.contiguous_strides(), 0)].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| g.reshape(ctx.input_meta(0).shape))].into()
    }
}

/// The sizes with -1 worked out.
#[track_caller]
fn sizes_of(op: &'static str, sizes: &[isize], numel: usize) -> Dims {
    let mut infer = None;
    let mut known = 1usize;
    for (i, &s) in sizes.iter().enumerate() {
        match s {
            -1 if infer.is_some() => fail(op, "only one dimension can be inferred"),
            -1 => infer = Some(i),
            s if s < 0 => fail(op, format!("invalid shape dimension {s}")),
            s => known *= s as usize,
        }
    }
    let mut shape: Dims = sizes.iter().map(|&s| s.max(0) as usize).collect();
    match infer {
        Some(_) if known == 0 && numel == 0 => fail(
            op,
            format!(
                "cannot reshape tensor of 0 elements into shape {sizes:?} because the unspecified dimension size -1 can be any value and is ambiguous"
            ),
        ),
        Some(i) if known != 0 && numel.is_multiple_of(known) => shape[i] = numel / known,
        None if known == numel => {}
        _ => fail(op, format!("shape '{sizes:?}' is invalid for input of size {numel}")),
    }
    shape
}

impl Tensor {
    /// The elements in another shape; one size may be -1 and is worked out (`x.reshape(shape)`). A view where the strides allow it, else a copy.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::zeros([2, 3, 4]);
    /// assert_eq!(x.reshape([-1, 4]).shape(), [6, 4]);
    /// let batch = x.size(0);
    /// assert_eq!(x.reshape((batch, -1)).shape(), [2, 12]);
    /// ```
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl IntList) -> Tensor {
        let a = self.array_unseen();
        let shape = sizes_of("reshape", &shape.ints(), a.numel());
        match view_strides(a.shape(), a.strides(), &shape) {
            Some(strides) => apply1(View(Reshape { shape, strides, name: "view", overload: 0 }), [self]),
            None => apply1(ReshapeCopy(shape), [self]),
        }
    }
    /// The same memory in another shape; one size may be -1 (`x.view(shape)`).
    ///
    /// # Panics
    /// If the number of elements differs, or the strides need a copy.
    #[track_caller]
    pub fn view(&self, shape: impl IntList) -> Tensor {
        let a = self.array_unseen();
        let shape = sizes_of("view", &shape.ints(), a.numel());
        match view_strides(a.shape(), a.strides(), &shape) {
            Some(strides) => apply1(View(Reshape { shape, strides, name: "view", overload: 0 }), [self]),
            None => fail(
                "view",
                "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
            ),
        }
    }
    /// [`Tensor::view`] in the shape of another tensor (`x.view_as(other)`).
    #[track_caller]
    pub fn view_as(&self, other: &Tensor) -> Tensor {
        self.view(other.shape())
    }
    /// [`Tensor::reshape`] to the shape of another tensor (`x.reshape_as(other)`).
    #[track_caller]
    pub fn reshape_as(&self, other: &Tensor) -> Tensor {
        self.reshape(other.shape())
    }
    /// All elements in one dimension (`x.ravel()`).
    #[track_caller]
    pub fn ravel(&self) -> Tensor {
        self.contiguous().reshape(-1)
    }
    /// The dimensions from `start` to `end`, both included, as one (`x.flatten(start_dim, end_dim)`); `x.flatten(1, -1)` keeps the batch.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).flatten(1, -1).shape(), [2, 12]);
    /// ```
    #[track_caller]
    pub fn flatten(&self, start: isize, end: isize) -> Tensor {
        let shape = self.shape();
        let (a, b) = (dim_of("flatten", start, shape.len()), dim_of("flatten", end, shape.len()));
        if a > b {
            fail("flatten", "flatten() has invalid args: start_dim cannot come after end_dim");
        }
        if shape.is_empty() {
            return self.reshape(1);
        }
        if a == b {
            return self.clone();
        }
        let mut to = Dims::new(&shape[..a]);
        to.push(shape[a..=b].iter().product());
        shape[b + 1..].iter().for_each(|&n| to.push(n));
        self.reshape(to)
    }
    /// One dimension cut into several; one size may be -1 (`x.unflatten(dim, sizes)`).
    #[track_caller]
    pub fn unflatten(&self, dim: isize, sizes: impl IntList) -> Tensor {
        let (shape, sizes) = (self.shape(), sizes.ints());
        let d = dim_of("unflatten", dim, shape.len());
        if shape.is_empty() || sizes.is_empty() {
            fail("unflatten", "sizes must be non-empty");
        }
        let bad = |n: isize| {
            format!(
                "Provided sizes {sizes:?} don't multiply up to the size of dim {d} ({}) in the input tensor (product {n})",
                shape[d]
            )
        };
        let known: isize = sizes.iter().filter(|&&s| s != -1).product();
        match sizes.iter().filter(|&&s| s == -1).count() {
            0 if known != shape[d] as isize => fail("unflatten", bad(known)),
            1 if known <= 0 || shape[d] as isize % known != 0 => fail("unflatten", bad(known)),
            0 | 1 => {}
            _ => fail("unflatten", "only one dimension can be inferred"),
        }
        let mut to = Dims::new(&shape[..d]);
        for &s in &sizes {
            to.push(if s == -1 { shape[d] / known as usize } else { s as usize });
        }
        shape[d + 1..].iter().for_each(|&n| to.push(n));
        self.reshape(to)
    }
    #[track_caller]
    fn with_dims(&self, overload: u8, keep: impl Fn(usize) -> bool) -> Tensor {
        let a = self.array_unseen();
        let pick = |from: &Dims| -> Dims { (0..from.len()).filter(|&d| keep(d)).map(|d| from[d]).collect() };
        apply1(View(Reshape { shape: pick(a.shape()), strides: pick(a.strides()), name: "squeeze", overload }), [self])
    }
    /// A view without the dimensions of size 1 (`x.squeeze()`).
    #[track_caller]
    pub fn squeeze(&self) -> Tensor {
        let shape = self.shape();
        self.with_dims(0, |d| shape[d] != 1)
    }
    /// A view without those of the given dimensions whose size is 1 (`x.squeeze(dim)`); one dim or several.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::zeros([1, 2, 1]);
    /// assert_eq!(x.squeeze_dim(0).shape(), [2, 1]);
    /// assert_eq!(x.squeeze_dim([0, -1]).shape(), [2]);
    /// ```
    #[track_caller]
    pub fn squeeze_dim(&self, dims: impl IntList) -> Tensor {
        let shape = self.shape();
        let dims = dims_of("squeeze", &dims.ints(), shape.len());
        self.with_dims(if dims.len() == 1 { 1 } else { 2 }, |d| shape[d] != 1 || !dims.contains(&d))
    }
    /// A view with a new dimension of size 1 before `dim` (`x.unsqueeze(dim)`); -1 puts it last.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Tensor {
        let a = self.array_unseen();
        let d = dim_of("unsqueeze", dim, a.ndim() + 1);
        let (mut shape, mut strides) = (*a.shape(), *a.strides());
        let step = if d < a.ndim() { shape[d] * strides[d] } else { 1 };
        shape.insert(d, 1);
        strides.insert(d, step);
        apply1(View(Reshape { shape, strides, name: "unsqueeze", overload: 0 }), [self])
    }
    /// At least one dimension (`torch.atleast_1d(x)`).
    #[track_caller]
    pub fn atleast_1d(&self) -> Tensor {
        if self.dim() == 0 { self.reshape(1) } else { self.clone() }
    }
    /// At least two dimensions, new ones in front (`torch.atleast_2d(x)`).
    #[track_caller]
    pub fn atleast_2d(&self) -> Tensor {
        match self.dim() {
            0 => self.reshape([1, 1]),
            1 => self.unsqueeze(0),
            _ => self.clone(),
        }
    }
    /// At least three dimensions: a vector becomes `[1, n, 1]`, a matrix `[n, m, 1]` (`torch.atleast_3d(x)`).
    #[track_caller]
    pub fn atleast_3d(&self) -> Tensor {
        match self.dim() {
            0 => self.reshape([1, 1, 1]),
            1 => self.unsqueeze(0).unsqueeze(-1),
            2 => self.unsqueeze(-1),
            _ => self.clone(),
        }
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "reshape",
        torch: "x.reshape(shape)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].reshape([4, 6])),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].transpose(0, 2).reshape([-1, 2])),
                Sample::new(&[numbers(&[1, 1], 1)], |x| x[0].reshape(())),
                Sample::new(&[numbers(&[2, 6], 1)], |x| x[0].unflatten(1, [2, -1])),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].flatten(0, 1)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].atleast_3d()),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].reshape([4, 2])),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].reshape([-1, -1])),
                Sample::new(&[numbers(&[0, 3], 1)], |x| x[0].reshape([0, -1])),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].flatten(1, 0)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].unflatten(1, [2, 2])),
            ]
        },
    },
    OpInfo {
        name: "view",
        torch: "x.view(shape)",
        samples: || vec![Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].contiguous().view([2, -1]))],
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].t().view(6)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].view([4, 2])),
            ]
        },
    },
    OpInfo {
        name: "squeeze",
        torch: "x.squeeze(dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[1, 3, 1], 1)], |x| x[0].squeeze()),
                Sample::new(&[numbers(&[1, 3, 1], 1)], |x| x[0].squeeze_dim(-1)),
                Sample::new(&[numbers(&[1, 3, 1], 1)], |x| x[0].squeeze_dim([0, 1])),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[1, 3], 1)], |x| x[0].squeeze_dim(2)),
                Sample::new(&[numbers(&[1, 3], 1)], |x| x[0].squeeze_dim([0, -2])),
            ]
        },
    },
    OpInfo {
        name: "unsqueeze",
        torch: "x.unsqueeze(dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].unsqueeze(1)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].unsqueeze(-1)),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].unsqueeze(3))],
    },
];
