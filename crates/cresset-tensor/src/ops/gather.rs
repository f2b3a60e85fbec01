//! Elements picked along one dimension by an index of the result's shape: gather, and its opposite, scatter, with all its ways to combine.

mod reduce;
mod table;

pub(super) use table::TABLE;

use self::reduce::reduce_backward;
use super::fill::zero_grad;
use super::index::checked_index;
use super::number::{Number, with_summed, with_sums};
use super::value::Value;
use super::view::dim_of;
use crate::array::{Array, Meta, with_bits};
use crate::dims::{Dims, broadcast};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply_directly, apply1};
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element as Stored;

/// Visits an index array in row-major order with the places that go along with it in up to two other arrays: `f(position in the index, a, b)`.
/// The strides of the others are given with the dimension of the index set to 0 where the index decides.
fn walk(index: &Array, a: (&Dims, usize), b: (&Dims, usize), mut f: impl FnMut(usize, usize, usize)) {
    let shape = index.shape();
    if shape.numel() == 0 {
        return;
    }
    let n = shape.len();
    if n == 0 {
        return f(index.offset(), a.1, b.1);
    }
    let mut at = [0usize; crate::dims::MAX_DIMS];
    let (mut p, mut q, mut r) = (index.offset(), a.1, b.1);
    let last = n - 1;
    loop {
        for i in 0..shape[last] {
            f(p + i * index.strides()[last], q + i * a.0[last], r + i * b.0[last]);
        }
        let mut d = last;
        loop {
            if d == 0 {
                return;
            }
            d -= 1;
            at[d] += 1;
            p += index.strides()[d];
            q += a.0[d];
            r += b.0[d];
            if at[d] < shape[d] {
                break;
            }
            p -= index.strides()[d] * shape[d];
            q -= a.0[d] * shape[d];
            r -= b.0[d] * shape[d];
            at[d] = 0;
        }
    }
}

/// The strides with dimension `dim` left to the index, and that dimension's own stride.
fn apart(strides: &Dims, dim: usize) -> (Dims, usize) {
    let mut rest = *strides;
    let step = if rest.is_empty() { 0 } else { std::mem::replace(&mut rest[dim], 0) };
    (rest, step)
}

/// `out[i][j] = x[index[i][j]][j]`
#[derive(Debug)]
struct Gather {
    dim: usize,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: inputs[1].shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Stored>(dim: usize, x: &Array, index: &Array, meta: Meta) -> Array {
            let (from, at) = (x.read(), index.read());
            let (from, at) = (from.slice::<T>(), at.slice::<i64>());
            let (rest, step) = apart(x.strides(), dim);
            let n = index.numel();
            Array::build::<T>(meta, |out| {
                if n > 0 {
                    let at = &at[index.offset()..][..n];
                    cresset_kernels::rows::gather(&from[x.offset()..], &rest, step, index.shape(), at, out);
                }
            })
        }
        // A 0-d operand takes part as a vector of one.
        let (x, index) = (vector(inputs[0]), vector(inputs[1]).contiguous());
        let out = with_bits!(x.dtype(), T => go::<T>(self.dim, &x, &index, Meta::new(x.dtype(), *index.shape())));
        [out.view(outputs[0].shape, outputs[0].shape.contiguous_strides(), 0)].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let g = grads[0].as_ref().map(|g| {
            let op = Scatter { dim: self.dim, how: How::Sum, include_self: true, name: "scatter_add" };
            let x = ctx.input_meta(0);
            apply1(op, [&zero_grad(x), &ctx.input(1), &g.to_dtype(x.dtype)])
        });
        [g, None].into_iter().collect()
    }
}

/// A number as a vector of one.
fn vector(a: &Array) -> Array {
    if a.ndim() == 0 { a.view(Dims::from(1), Dims::from(1), a.offset()) } else { a.clone() }
}

/// What happens when an element meets the one that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Replace,
    Sum,
    Product,
    Mean,
    Max,
    Min,
}

/// `out = x; out[index[i][j]][j] = combine(out[index[i][j]][j], source[i][j])`
#[derive(Debug, Clone)]
struct Scatter {
    dim: usize,
    how: How,
    include_self: bool,
    name: &'static str,
}

impl Scatter {
    /// Works on array 0 itself.
    fn write(&self, a: &[Array]) {
        fn go<T: Number>(op: &Scatter, x: &Array, index: &Array, source: &Array) {
            let (at, from) = (index.read(), source.read());
            let (at, from) = (at.slice::<i64>(), from.slice::<T::Stored>());
            let mut to = x.storage().write();
            let to = to.slice::<T::Stored>();
            let (rest, step) = apart(x.strides(), op.dim);
            let each = |f: &mut dyn FnMut(usize, T)| {
                walk(index, (&rest, x.offset()), (source.strides(), source.offset()), |p, q, r| {
                    f(q + at[p] as usize * step, T::load(from[r]));
                });
            };
            if !op.include_self {
                let start = match op.how {
                    How::Product => T::ONE,
                    How::Max => T::LOWEST,
                    How::Min => T::HIGHEST,
                    _ => T::default(),
                };
                each(&mut |q, _| to[q] = start.store());
            }
            let mut combine = |f: fn(T, T) -> T| each(&mut |q, v| to[q] = f(T::load(to[q]), v).store());
            match op.how {
                How::Replace => each(&mut |q, v| to[q] = v.store()),
                How::Sum | How::Mean => combine(T::plus),
                How::Product => combine(T::times),
                How::Max => combine(T::larger),
                How::Min => combine(T::smaller),
            }
            if op.how == How::Mean {
                let mut counts = std::collections::BTreeMap::<usize, i64>::new();
                each(&mut |q, _| *counts.entry(q).or_insert(i64::from(op.include_self)) += 1);
                for (q, n) in counts {
                    to[q] = T::load(to[q]).over(T::from_scalar(n.into())).store();
                }
            }
        }
        let (x, index, source) = (vector(&a[0]), vector(&a[1]), vector(&a[2]));
        with_sums(&x, |x| {
            let source = source.to(x.dtype());
            with_summed!(x.dtype(), T => go::<T>(self, x, &index, &source));
        });
    }
}

impl Op for Scatter {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (x, index, source) = (inputs[0], inputs[1], inputs[2]);
        if source.dtype != x.dtype {
            return Err(format!(
                "scatter(): Expected self.dtype to be equal to src.dtype, got {} and {}",
                x.dtype.scalar_name(),
                source.dtype.scalar_name()
            ));
        }
        if index.numel() == 0 {
            return Ok([*x].into());
        }
        fits("src", &index.shape, &source.shape, None)?;
        Ok([*x].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let out = inputs[0].copy();
        self.write(&[out.clone(), inputs[1].clone(), inputs[2].clone()]);
        [out].into()
    }
    fn grad_name(&self) -> String {
        crate::autograd::node::camel_case(self.name.trim_end_matches('_')) + "Backward0"
    }
    fn saves(&self) -> Saves {
        match self.how {
            How::Replace | How::Sum => Saves::inputs(0b010),
            How::Product | How::Max | How::Min => Saves { inputs: 0b111, outputs: 1 },
            How::Mean => Saves::inputs(0b110),
        }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None, None].into_iter().collect() };
        reduce_backward(self, ctx, g)
    }
}

/// May `index` be laid over `other`? Each of its dimensions, but `but`, must not be larger.
fn fits(what: &str, index: &Dims, other: &Dims, but: Option<usize>) -> Result<(), String> {
    let one = |d: &Dims| if d.is_empty() { Dims::from(1) } else { *d };
    let (i, o) = (one(index), one(other));
    if i.len() != o.len() {
        return Err(format!("Index tensor must have the same number of dimensions as {what} tensor"));
    }
    match (0..i.len()).find(|&d| i[d] > o[d] && Some(d) != but) {
        None => Ok(()),
        Some(d) => Err(match but {
            Some(dim) => format!(
                "Size does not match at dimension {d} expected index {index:?} to be no larger than {what} {other:?} apart from dimension {dim}"
            ),
            None => format!(
                "Size does not match at dimension {d} expected index {index:?} to be no larger than {what} {other:?}"
            ),
        }),
    }
}

/// The dimension and the checked index of an op; `what` is how its sentences call the tensor.
#[track_caller]
fn prepared(op: &'static str, what: &str, x: &Tensor, dim: isize, index: &Tensor) -> (usize, Tensor) {
    let shape = x.shape();
    let d = dim_of(op, dim, shape.len());
    if index.numel() == 0 {
        return (d, index.to_dtype(DType::I64));
    }
    if !matches!(index.dtype(), DType::I64 | DType::I32) {
        fail(op, format!("{op}(): Expected dtype int32/int64 for index, got {}", index.dtype().name()));
    }
    if let Err(sentence) = fits(what, &index.shape(), &shape, Some(d)) {
        fail(op, sentence);
    }
    let n = shape.get(d).copied().unwrap_or(1);
    (d, checked_index(op, index, d, n, false))
}

impl Tensor {
    /// The elements that `index` picks along a dimension: for `dim` 0, `out[i][j] = x[index[i][j]][j]` (`x.gather(dim, index)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_vec([1i64, 2, 3, 4], [2, 2]);
    /// let index = Tensor::from_vec([1i64, 0], [2, 1]);
    /// assert_eq!(x.gather(1, &index).to_vec::<i64>(), [2, 3]);
    /// ```
    ///
    /// # Panics
    /// If `index` has another number of dimensions, is larger elsewhere than in `dim`, or names a position out of bounds.
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Tensor) -> Tensor {
        let (d, index) = prepared("gather", "self", self, dim, index);
        if index.numel() == 0 && self.requires_grad() {
            // Nothing is picked, whatever the shapes; the graph still leads to `self`.
            let nothing = self.reshape(-1).index_select(0, &Tensor::zeros_of([0], DType::I64));
            return nothing.reshape(index.shape());
        }
        apply1(Gather { dim: d }, [self, &index])
    }
    /// [`Tensor::gather`] with `indices` and `self` broadcast to each other outside of `dim` (`x.take_along_dim(indices, dim)`).
    #[track_caller]
    pub fn take_along_dim(&self, indices: &Tensor, dim: isize) -> Tensor {
        let n = self.dim();
        if indices.dim() != n {
            fail(
                "take_along_dim",
                format!(
                    "torch.take_along_dim(): input and indices should have the same number of dimensions, but got {n} dimensions for input, and {} dimensions for indices",
                    indices.dim()
                ),
            );
        }
        let d = dim_of("take_along_dim", dim, n);
        let (mut a, mut b) = (self.shape(), indices.shape());
        if n == 0 {
            return self.gather(0, indices);
        }
        let (along_x, along_i) = (a[d], b[d]);
        (a[d], b[d]) = (1, 1);
        let mut shape = broadcast(&a, &b).unwrap_or_else(|e| fail("take_along_dim", e));
        shape[d] = along_i;
        let indices = checked_index("take_along_dim", indices, d, along_x, true).broadcast_to(shape);
        shape[d] = along_x;
        self.broadcast_to(shape).gather(d as isize, &indices)
    }
    #[track_caller]
    fn scatter_with(&self, name: &'static str, how: How, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let (dim, index) = prepared(name, "self", self, dim, index);
        apply1(Scatter { dim, how, include_self: true, name }, [self, &index, source])
    }
    #[track_caller]
    fn scatter_with_(&self, name: &'static str, how: How, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let (dim, index) = prepared(name, "self", self, dim, index);
        apply_directly(Scatter { dim, how, include_self: true, name }, &[self, &index, source], |op, a| op.write(a))
    }
    /// A number as a source of the index's shape; a tensor as it is.
    #[track_caller]
    fn source(&self, index: &Tensor, value: Value) -> Tensor {
        match value {
            Value::Number(_) => value.tensor(self.dtype()).broadcast_to(index.shape()),
            Value::Tensor(t) => t,
        }
    }
    /// A copy in which the elements of `source`, a tensor or a number, stand where `index` says: for `dim` 0, `out[index[i][j]][j] = source[i][j]`
    /// (`x.scatter(dim, index, src)`). Of several for one place, the last one stays.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let index = Tensor::from_vec([2i64, 0], [2, 1]);
    /// let y = Tensor::zeros([2, 3]).scatter(1, &index, 1.0);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the dtypes differ, `index` is larger than `source`, or than `self` elsewhere than in `dim`, or names a position out of bounds. Backward
    /// refuses a `source` that requires grad and is larger than `index`, as PyTorch does.
    #[track_caller]
    pub fn scatter(&self, dim: isize, index: &Tensor, source: impl Into<Value>) -> Tensor {
        self.scatter_with("scatter", How::Replace, dim, index, &self.source(index, source.into()))
    }
    /// [`Tensor::scatter`] in place (`x.scatter_(dim, index, src)`).
    #[track_caller]
    pub fn scatter_(&self, dim: isize, index: &Tensor, source: impl Into<Value>) -> Tensor {
        self.scatter_with_("scatter_", How::Replace, dim, index, &self.source(index, source.into()))
    }
    /// A copy with the elements of `source` added where `index` says, one after the other (`x.scatter_add(dim, index, src)`).
    #[track_caller]
    pub fn scatter_add(&self, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        self.scatter_with("scatter_add", How::Sum, dim, index, source)
    }
    /// [`Tensor::scatter_add`] in place (`x.scatter_add_(dim, index, src)`).
    #[track_caller]
    pub fn scatter_add_(&self, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        self.scatter_with_("scatter_add_", How::Sum, dim, index, source)
    }
    /// A copy with the elements of `source` combined with what is there: `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self`
    /// the elements that were there do not count (`x.scatter_reduce(dim, index, src, reduce, include_self=...)`).
    #[track_caller]
    pub fn scatter_reduce(
        &self,
        dim: isize,
        index: &Tensor,
        source: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Tensor {
        let how = self::reduce::way("scatter_reduce", reduce);
        let (dim, index) = prepared("scatter_reduce", "self", self, dim, index);
        apply1(Scatter { dim, how, include_self, name: "scatter_reduce" }, [self, &index, source])
    }
    /// [`Tensor::scatter_reduce`] in place (`x.scatter_reduce_(...)`).
    #[track_caller]
    pub fn scatter_reduce_(
        &self,
        dim: isize,
        index: &Tensor,
        source: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Tensor {
        let how = self::reduce::way("scatter_reduce_", reduce);
        let (dim, index) = prepared("scatter_reduce_", "self", self, dim, index);
        let op = Scatter { dim, how, include_self, name: "scatter_reduce_" };
        apply_directly(op, &[self, &index, source], |op, a| op.write(a))
    }
}
