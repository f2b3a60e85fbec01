//! Reductions: sums, products, means, extrema, norms, order statistics, running sums, sorting.
//!
//! Every reduction has the same forms: `x.sum()` over all elements, and `x.sum_dim(dims, keepdim)` over some dimensions, where `dims` is
//! one dimension or several ([`IntList`]), and none (`[]`) means all, as in PyTorch. With `keepdim` the reduced dimensions stay with
//! size 1. PyTorch's `dtype` argument converts before reducing: `x.to_dtype(dtype).sum()`, or for short `x.sum_dtype(dtype)`.

use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList, wrap_dim};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, apply1};
use crate::tensor::Tensor;
use cresset_kernels::reduce::{Count, Reduce, Reduction, count_true};
use smallvec::SmallVec;

mod extrema;
mod helpers;
mod logic;
mod moments;
mod norm;
pub(crate) mod pick;
mod prod;
mod quantile;
mod scan;
mod sort;
pub(crate) mod sum;
mod unique;

pub use moments::Correction;
pub use quantile::Interpolation;
pub use unique::Unique;

pub(crate) use helpers::{around, nonzero, share, signs};

pub(super) const TABLES: &[&[super::table::OpInfo]] = &[
    sum::TABLE,
    extrema::TABLE,
    logic::TABLE,
    moments::TABLE,
    norm::TABLE,
    prod::TABLE,
    quantile::TABLE,
    scan::TABLE,
    sort::TABLE,
    unique::TABLE,
    super::softmax::TABLE,
    super::loss::TABLE,
    super::norm::TABLE,
];

/// The position of one dimension, or PyTorch's refusal.
#[track_caller]
pub(crate) fn one_dim(op: &'static str, dim: isize, ndim: usize) -> usize {
    wrap_dim(dim, ndim).unwrap_or_else(|e| fail(op, e))
}

/// Which dimensions are reduced, and which of them leave the shape. Bit d stands for dimension d.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub mask: u32,
    pub drop: u32,
}

impl Over {
    /// All dimensions, none of them kept.
    pub fn all(ndim: usize) -> Over {
        let mask = (1 << ndim) - 1;
        Over { mask, drop: mask }
    }
    /// The dimensions a call names; none means all.
    #[track_caller]
    pub fn dims(op: &'static str, dims: impl IntList, ndim: usize, keepdim: bool) -> Over {
        let dims = dims.ints();
        let all = Over::all(ndim).mask;
        let mut mask = 0;
        for &d in &dims {
            let d = one_dim(op, d, ndim);
            if mask >> d & 1 == 1 {
                fail(op, format!("dim {d} appears multiple times in the list of dims"));
            }
            mask |= 1 << d;
        }
        let mask = if dims.is_empty() { all } else { mask & all };
        Over { mask, drop: if keepdim { 0 } else { mask } }
    }
    /// One dimension.
    #[track_caller]
    pub fn one(op: &'static str, dim: isize, ndim: usize, keepdim: bool) -> Over {
        Over::dims(op, dim, ndim, keepdim)
    }
    /// Is dimension `d` reduced?
    #[inline]
    pub fn has(&self, d: usize) -> bool {
        self.mask >> d & 1 == 1
    }
    /// The same with every dimension kept.
    pub fn keep(&self) -> Over {
        Over { mask: self.mask, drop: 0 }
    }
    /// The shape of the result.
    pub fn shape(&self, x: &Dims) -> Dims {
        let mut out = Dims::EMPTY;
        for (d, &n) in x.iter().enumerate() {
            if self.drop >> d & 1 == 0 {
                out.push(if self.has(d) { 1 } else { n });
            }
        }
        out
    }
    /// How many elements make one of the result.
    pub fn count(&self, x: &Dims) -> usize {
        x.iter().enumerate().filter(|(d, _)| self.has(*d)).map(|(_, n)| n).product()
    }
    /// A result repeated to the shape of the input: a view.
    #[track_caller]
    pub fn spread(&self, g: &Tensor, shape: &Dims) -> Tensor {
        apply1(Spread { over: *self, shape: *shape }, [g])
    }
}

/// The opposite of a sum: repeats along the reduced dimensions.
#[derive(Debug)]
struct Spread {
    over: Over,
    shape: Dims,
}
impl Op for Spread {
    fn name(&self) -> &'static str {
        "expand"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        debug_assert_eq!(inputs[0].shape, self.over.shape(&self.shape));
        Ok([Meta { dtype: inputs[0].dtype, shape: self.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [self.over.spread_array(inputs[0], &self.shape)].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| sum::sum_over(g, self.over))].into()
    }
    fn is_view(&self) -> bool {
        true
    }
}

impl Over {
    /// [`Over::spread`] without a graph.
    pub fn spread_array(&self, x: &Array, shape: &Dims) -> Array {
        let mut strides = Dims::filled(shape.len(), 0);
        let mut from = 0;
        for d in 0..shape.len() {
            if self.drop >> d & 1 == 0 {
                strides[d] = if self.has(d) { 0 } else { x.strides()[from] };
                from += 1;
            }
        }
        x.view(*shape, strides, x.offset())
    }
}

/// f16 and bf16 as f32, integers and bool as i64: three types serve all ten, and the reductions are compiled for these alone.
pub(crate) fn widened(x: &Array) -> Array {
    x.to(x.dtype().computing())
}

/// [`widened`] for what only asks whether elements are zero: bools stay as they are.
pub(crate) fn truths(x: &Array) -> Array {
    if x.dtype() == DType::Bool { x.clone() } else { widened(x) }
}

/// Runs an expression with a type name standing for f32 or f64, after [`widened`].
macro_rules! with_real {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
            other => unreachable!("{other} is refused by the shape rule or widened before"),
        }
    };
}
/// The same for every type that elements are stored as, but f16 and bf16, after [`widened`].
macro_rules! with_number {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
            other => unreachable!("{other} is widened before"),
        }
    };
}
pub(crate) use sum::{refused, samples};
pub(crate) use {with_number, with_real};

/// A contiguous array with the same elements, and neighbouring dimensions of one kind merged: (size, reduced).
fn groups(x: &Array, over: &Over) -> (Array, SmallVec<[(usize, bool); 6]>) {
    let (x, mask) = dense(x, over.mask);
    let mut groups: SmallVec<[(usize, bool); 6]> = SmallVec::new();
    for (d, &n) in x.shape().iter().enumerate() {
        let reduced = mask >> d & 1 == 1;
        match groups.last_mut() {
            _ if n == 1 => {}
            Some((size, r)) if *r == reduced => *size *= n,
            _ => groups.push((n, reduced)),
        }
    }
    (x, groups)
}

/// The array with its dimensions in the order of memory, if that makes it contiguous and leaves those that are kept in order; otherwise a
/// contiguous copy.
fn dense(x: &Array, mask: u32) -> (Array, u32) {
    if x.is_contiguous() {
        return (x.clone(), mask);
    }
    let mut order: SmallVec<[usize; 10]> = (0..x.ndim()).filter(|&d| x.shape()[d] != 1).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(x.strides()[d]));
    let mut shape = Dims::EMPTY;
    let mut strides = Dims::EMPTY;
    let mut new_mask = 0;
    let mut last_kept = 0;
    for (i, &d) in order.iter().enumerate() {
        shape.push(x.shape()[d]);
        strides.push(x.strides()[d]);
        if mask >> d & 1 == 1 {
            new_mask |= 1 << i;
        } else if d < last_kept {
            return (x.copy(), mask);
        } else {
            last_kept = d;
        }
    }
    if strides[..] != shape.contiguous_strides()[..] {
        return (x.copy(), mask);
    }
    (x.view(shape, strides, x.offset()), new_mask)
}

/// Reduces a widened array to one of its own dtype.
pub(crate) fn fold(how: Reduction, x: &Array, over: &Over, shape: Dims) -> Array {
    let (x, groups) = groups(x, over);
    with_number!(x.dtype(), T => Array::build::<T>(Meta { dtype: x.dtype(), shape }, |out| {
        x.with_slice::<T, _>(|x| T::reduce(how, x, &groups, out));
    }))
}

/// Counts elements of a widened array, or of one of bools.
pub(crate) fn count(what: Count, x: &Array, over: &Over, shape: Dims) -> Array {
    let (x, groups) = groups(x, over);
    Array::build::<i64>(Meta { dtype: DType::I64, shape }, |out| {
        if x.dtype() == DType::Bool {
            return x.with_slice::<u8, _>(|x| count_true(x, &groups, out));
        }
        with_number!(x.dtype(), T => x.with_slice::<T, _>(|x| T::count(what, x, &groups, out)));
    })
}

/// A contiguous copy with the reduced dimensions last, and (outer, n): for what cannot be reduced in parts. With one group of reduced
/// dimensions nothing is moved, and the answer is (outer, n, inner).
pub(crate) fn layout(x: &Array, over: &Over) -> (Array, (usize, usize, usize)) {
    let (x, groups) = groups(x, over);
    let n: usize = groups.iter().filter(|g| g.1).map(|g| g.0).product();
    if groups.iter().filter(|g| g.1).count() <= 1 {
        let at = groups.iter().position(|g| g.1).unwrap_or(groups.len());
        let outer: usize = groups[..at].iter().map(|g| g.0).product();
        let inner: usize = groups.iter().skip(at + 1).map(|g| g.0).product();
        return (x, (outer, n, inner));
    }
    let sizes: Dims = groups.iter().map(|g| g.0).collect();
    let steps = sizes.contiguous_strides();
    let order: SmallVec<[usize; 10]> =
        (0..sizes.len()).filter(|&i| !groups[i].1).chain((0..sizes.len()).filter(|&i| groups[i].1)).collect();
    let shape: Dims = order.iter().map(|&i| sizes[i]).collect();
    let strides: Dims = order.iter().map(|&i| steps[i]).collect();
    let moved = x.view(shape, strides, x.offset()).copy();
    let outer = groups.iter().filter(|g| !g.1).map(|g| g.0).product();
    (moved, (outer, n, 1))
}

/// The dtype of sums and products: int64 for integers and bool.
pub(crate) fn sum_dtype(dtype: DType) -> DType {
    if dtype.is_floating_point() { dtype } else { DType::I64 }
}
