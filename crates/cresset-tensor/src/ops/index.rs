//! Indexing as in Python: `x.i((.., 0))`, masks and index tensors, and assignment to what an index selects.

mod along;
mod basic;
mod convert;
mod elements;

pub use convert::{Ellipsis, Indices, NewAxis, Slice, ToIndex, s};

use self::basic::{Basic, Item};
pub(crate) use self::elements::checked_index;
use self::elements::{Get, Put};
use super::value::Value;
use super::view::{Spec, View};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{apply_directly, apply_one, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// One place of an index. Usually written as what converts into it.
#[derive(Clone, Debug)]
pub enum Index {
    /// One position, perhaps counted from the end; the dimension goes away.
    Int(isize),
    /// Every `step`-th position from `start` to before `stop`.
    Slice {
        /// The first position; none is the beginning.
        start: Option<isize>,
        /// The position after the last; none is the end.
        stop: Option<isize>,
        /// The distance, at least 1.
        step: isize,
    },
    /// A new dimension of size 1.
    NewAxis,
    /// As many whole dimensions as are left.
    Ellipsis,
    /// A truth value: a new dimension of size 1 or 0.
    Bool(bool),
    /// Positions (an integer tensor) or a mask over one or more dimensions (a bool or uint8 tensor).
    Tensor(Tensor),
}

/// An index, resolved against a shape: a view, and index tensors for some of the view's dimensions.
struct Resolved {
    basic: Basic,
    dims: Dims,
    tensors: Vec<Tensor>,
}

#[track_caller]
fn resolve(op: &'static str, shape: &Dims, index: &[Index]) -> Resolved {
    let consumed: usize = index
        .iter()
        .map(|i| match i {
            Index::Int(_) | Index::Slice { .. } => 1,
            Index::NewAxis | Index::Ellipsis | Index::Bool(_) => 0,
            Index::Tensor(t) if is_mask(t) => t.dim(),
            Index::Tensor(_) => 1,
        })
        .sum();
    if consumed > shape.len() {
        if shape.is_empty() {
            fail(op, "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a number");
        }
        fail(op, format!("too many indices for tensor of dimension {}", shape.len()));
    }
    if index.iter().filter(|i| matches!(i, Index::Ellipsis)).count() > 1 {
        fail(op, "an index can only have a single ellipsis ('...')");
    }
    let mut r = Resolved { basic: Basic::default(), dims: Dims::EMPTY, tensors: Vec::new() };
    let mut d = 0; // of the tensor
    let mut v = 0; // of the view
    for (place, i) in index.iter().enumerate() {
        match i {
            Index::Int(i) => {
                r.basic.push(Item::Select(position(op, *i, d, shape[d])));
                d += 1;
            }
            Index::Slice { start, stop, step } => {
                r.basic.push(slice_item(op, *start, *stop, *step, shape[d]));
                d += 1;
                v += 1;
            }
            Index::NewAxis => {
                r.basic.push(Item::New);
                v += 1;
            }
            Index::Ellipsis => {
                for _ in 0..shape.len() - consumed {
                    r.basic.push(Item::Whole);
                    d += 1;
                    v += 1;
                }
            }
            Index::Bool(b) => {
                r.add_flag(*b, &mut v);
            }
            Index::Tensor(t) if is_mask(t) => {
                if t.dim() == 0 {
                    r.add_flag(t.scalar().truth(), &mut v);
                    continue;
                }
                for (k, &n) in t.shape().iter().enumerate() {
                    if n != shape[d + k] {
                        fail(
                            op,
                            format!(
                                "The shape of the mask {:?} at index {place} does not match the shape of the indexed tensor {:?} at index {}",
                                &t.shape()[..],
                                &shape[..],
                                d + k
                            ),
                        );
                    }
                }
                for positions in t.nonzero().unbind(1) {
                    r.add_tensor(positions, &mut d, &mut v);
                }
            }
            Index::Tensor(t) => match t.dtype() {
                DType::I64 | DType::I32 if t.dim() == 0 => {
                    r.basic.push(Item::Select(position(op, t.item::<i64>() as isize, d, shape[d])));
                    d += 1;
                }
                DType::I64 | DType::I32 => {
                    let t = checked_index(op, t, d, shape[d], true);
                    r.add_tensor(t, &mut d, &mut v);
                }
                other => fail(
                    op,
                    format!("tensors used as indices must be long, int, byte or bool tensors, got {}", other.name()),
                ),
            },
        }
    }
    for _ in d..shape.len() {
        r.basic.push(Item::Whole);
    }
    r
}

impl Resolved {
    fn add_tensor(&mut self, t: Tensor, d: &mut usize, v: &mut usize) {
        self.basic.push(Item::Whole);
        self.dims.push(*v);
        self.tensors.push(t);
        *d += 1;
        *v += 1;
    }
    fn add_flag(&mut self, on: bool, v: &mut usize) {
        self.basic.push(Item::New);
        self.dims.push(*v);
        self.tensors.push(Tensor::zeros_of([usize::from(on)], DType::I64));
        *v += 1;
    }
}

fn is_mask(t: &Tensor) -> bool {
    matches!(t.dtype(), DType::Bool | DType::U8)
}

#[track_caller]
fn position(op: &'static str, i: isize, dim: usize, n: usize) -> usize {
    let size = n as isize;
    if i < -size || i >= size {
        fail(op, format!("index {i} is out of bounds for dimension {dim} with size {n}"));
    }
    (if i < 0 { i + size } else { i }) as usize
}

#[track_caller]
fn slice_item(op: &'static str, start: Option<isize>, stop: Option<isize>, step: isize, n: usize) -> Item {
    if step <= 0 {
        fail(op, "step must be greater than zero");
    }
    let n = n as isize;
    let clamp = |i: isize| (if i < 0 { i + n } else { i }).clamp(0, n);
    let start_at = start.map_or(0, clamp);
    let stop_at = stop.map_or(n, clamp);
    let len = (stop_at - start_at).max(0) as usize;
    if start_at == 0 && len == n as usize && step == 1 {
        return Item::Whole;
    }
    Item::Slice { start: start_at as usize, len: len.div_ceil(step as usize), step: step as usize }
}

impl Tensor {
    /// The part that an index selects, read as in Python (`x[...]`).
    ///
    /// | Python | here |
    /// |---|---|
    /// | `x[0]`, `x[-1]` | `x.i(0)`, `x.i(-1)` |
    /// | `x[:, 0]`, `x[..., 0]` | `x.i((.., 0))`, `x.i((Ellipsis, 0))` |
    /// | `x[1:3]`, `x[:-1]`, `x[::2]` | `x.i(1..3)`, `x.i(..-1)`, `x.i(s(..).step(2))` |
    /// | `x[None]`, `x[:, None]` | `x.i(NewAxis)`, `x.i((.., NewAxis))` |
    /// | `x[mask]`, `x[idx]`, `x[[0, 2]]` | `x.i(&mask)`, `x.i(&idx)`, `x.i([0, 2])` |
    ///
    /// Integers, ranges and new axes give a view. Index tensors, lists and masks are broadcast together and give a copy, whose dimensions stand where
    /// the index tensors stood, or in front where those are separated by ranges. Gradients flow through all of them.
    ///
    /// ```
    /// use cresset_tensor::{Tensor, s, NewAxis};
    /// let x = Tensor::from_vec([0i64, 1, 2, 3, 4, 5], [2, 3]);
    /// assert_eq!(x.i((.., -1)).to_vec::<i64>(), [2, 5]);
    /// assert_eq!(x.i((0, s(..).step(2))).to_vec::<i64>(), [0, 2]);
    /// assert_eq!(x.i((.., [2, 0])).to_vec::<i64>(), [2, 0, 5, 3]);
    /// assert_eq!(x.i((NewAxis, 1)).shape(), [1, 3]);
    /// ```
    ///
    /// # Panics
    /// If there are too many indices, a position is out of bounds, a mask has another shape, or index tensors do not broadcast.
    #[track_caller]
    pub fn i(&self, index: impl Indices) -> Tensor {
        let r = resolve("index", &self.shape(), &index.list());
        let part =
            if r.basic.is_whole() && !r.tensors.is_empty() { self.clone() } else { apply1(View(r.basic), [self]) };
        if r.tensors.is_empty() { part } else { part.get(r.dims, &r.tensors, "index") }
    }
    /// [`Tensor::i`] in full.
    #[track_caller]
    pub fn index(&self, index: impl Indices) -> Tensor {
        self.i(index)
    }
    /// The elements at index tensors of some dimensions, all checked.
    #[track_caller]
    fn get(&self, dims: Dims, tensors: &[Tensor], name: &'static str) -> Tensor {
        let mut inputs = vec![self];
        inputs.extend(tensors);
        apply_one(Get { dims, name }, &inputs)
    }
    /// Assigns to the part that an index selects (`x[index] = value`). The value, a number or a tensor, is broadcast to that part and converted to the
    /// dtype. Works in place; gradients flow to the value and to what was not overwritten.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// x.set_index((.., 1), 5.0);
    /// x.set_index((0, [0, 2]), &Tensor::from_slice(&[1.0f32, 2.0]));
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 5.0, 2.0, 0.0, 5.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn set_index(&self, index: impl Indices, value: impl Into<Value>) {
        let shape = self.shape();
        let r = resolve("index_put_", &shape, &index.list());
        let mut value = value.into().tensor(self.dtype());
        // Leading dimensions of size 1 that the part has not are dropped, as PyTorch does.
        let room = elements::result_shape(&r.basic.shape(&shape).expect("resolved"), &r.dims, &r.tensors);
        let room = room.map_or(usize::MAX, |s| s.len());
        while value.dim() > room && value.shape()[0] == 1 {
            value = value.squeeze_dim(0);
        }
        self.put_in(r.basic, r.dims, &r.tensors, &value, false, "index_put_");
    }
    #[track_caller]
    fn put_in(
        &self,
        basic: Basic,
        dims: Dims,
        tensors: &[Tensor],
        value: &Tensor,
        accumulate: bool,
        name: &'static str,
    ) -> Tensor {
        let mut inputs = vec![self, value];
        inputs.extend(tensors);
        apply_directly(Put { basic, dims, accumulate, name }, &inputs, |op, a| op.write(a))
    }
    #[track_caller]
    fn put_copy(&self, dims: Dims, tensors: &[Tensor], value: &Tensor, accumulate: bool, name: &'static str) -> Tensor {
        let mut inputs = vec![self, value];
        inputs.extend(tensors);
        apply_one(Put { basic: Basic::whole(self.dim()), dims, accumulate, name }, &inputs)
    }
    /// Puts (or, with `accumulate`, adds) `values` at the positions of an index that consists of index tensors and masks, one for each of the first
    /// dimensions, in place (`x.index_put_(indices, values, accumulate)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::zeros([3]);
    /// x.index_put_([1, 1, 2], &Tensor::ones([3]), true);
    /// assert_eq!(x.to_vec::<f32>(), [0.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn index_put_(&self, index: impl Indices, values: &Tensor, accumulate: bool) -> Tensor {
        let r = self.for_put(index, values);
        self.put_in(r.basic, r.dims, &r.tensors, values, accumulate, "index_put_")
    }
    /// [`Tensor::index_put_`] on a copy (`x.index_put(indices, values, accumulate)`).
    #[track_caller]
    pub fn index_put(&self, index: impl Indices, values: &Tensor, accumulate: bool) -> Tensor {
        let r = self.for_put(index, values);
        let mut inputs = vec![self, values];
        inputs.extend(&r.tensors);
        apply_one(Put { basic: r.basic, dims: r.dims, accumulate, name: "index_put" }, &inputs)
    }
    #[track_caller]
    fn for_put(&self, index: impl Indices, values: &Tensor) -> Resolved {
        if values.dtype() != self.dtype() {
            fail(
                "index_put_",
                format!(
                    "Index put requires the source and destination dtypes match, got {} for the destination and {} for the source.",
                    self.dtype().scalar_name(),
                    values.dtype().scalar_name()
                ),
            );
        }
        resolve("index_put_", &self.shape(), &index.list())
    }
    /// A copy in which `source` replaces index `index` of a dimension (`torch.select_scatter(x, source, dim, index)`).
    #[track_caller]
    pub fn select_scatter(&self, source: &Tensor, dim: isize, index: isize) -> Tensor {
        let part = self.select(dim, index);
        self.check_scatter("select_scatter", source, &part);
        let d = crate::ops::view::dim_of("select_scatter", dim, self.dim());
        let mut list = vec![Index::from_whole(); d];
        list.push(Index::Int(index));
        let r = resolve("select_scatter", &self.shape(), &list);
        apply1(Put { basic: r.basic, dims: Dims::EMPTY, accumulate: false, name: "select_scatter" }, [self, source])
    }
    #[track_caller]
    fn check_scatter(&self, op: &'static str, source: &Tensor, part: &Tensor) {
        if source.shape() != part.shape() {
            fail(
                op,
                format!(
                    "expected src to have a size equal to the slice of self. src size = {:?}, slice size = {:?}",
                    source.shape(),
                    part.shape()
                ),
            );
        }
    }
    /// A copy in which `source` replaces every `step`-th index from `start` to before `end` of a dimension
    /// (`torch.slice_scatter(x, source, dim, start, end, step)`).
    #[track_caller]
    pub fn slice_scatter(&self, source: &Tensor, dim: isize, start: isize, end: isize, step: isize) -> Tensor {
        let d = crate::ops::view::dim_of("slice_scatter", dim, self.dim());
        let mut list = vec![Index::from_whole(); d];
        list.push(Index::Slice { start: Some(start), stop: Some(end), step });
        self.check_scatter("slice_scatter", source, &crate::no_grad(|| self.i(list.clone())));
        let r = resolve("slice_scatter", &self.shape(), &list);
        apply1(Put { basic: r.basic, dims: Dims::EMPTY, accumulate: false, name: "slice_scatter" }, [self, source])
    }
}

impl Index {
    /// `:`.
    fn from_whole() -> Index {
        Index::Slice { start: None, stop: None, step: 1 }
    }
}

fn mask(bits: &[bool], shape: &[usize]) -> Tensor {
    Tensor::from_vec(bits, shape)
}

pub(crate) const TABLES: [&[OpInfo]; 2] = [TABLE, along::TABLE];

const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "__getitem__",
        torch: "x[index]",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i(1)),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((.., s(1..).step(2)))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((Ellipsis, NewAxis, -1))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i([2, 0, 2])),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((.., [1, -1]))),
                Sample::new(&[numbers(&[3, 4, 2], 1)], |x| x[0].i(([0, 1], .., [1, 1]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((&mask(&[true, false, true], &[3]), 1..3))),
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].i(mask(&[true, false, true, true], &[2, 2]))),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].i(true)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i(3)),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((0, 0, 0))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i([0, 3])),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i(([0, 1], [0, 1, 2]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i(mask(&[true, false], &[2]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i(s(..).step(-1))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].i((Ellipsis, Ellipsis))),
                Sample::new(&[numbers(&[], 1)], |x| x[0].i(0)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].i(&x[0])),
            ]
        },
    },
    OpInfo {
        name: "index_put",
        torch: "x.index_put(indices, values, accumulate)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[2, 4], 2)], |x| x[0].index_put([2, 0], &x[1], false)),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3, 1], 2)], |x| x[0].index_put([2, 0, 2], &x[1], true)),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3], 2)], |x| {
                    let y = x[0].duplicate();
                    y.set_index((.., 1), &x[1]);
                    y
                }),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[], 2)], |x| {
                    let y = x[0].duplicate();
                    y.set_index((s(..).step(2), [0, 3]), &x[1]);
                    y
                }),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3], 2)], |x| x[0].select_scatter(&x[1], 1, -1)),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3, 2], 2)], |x| x[0].slice_scatter(&x[1], 1, 0, 4, 2)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3], 2)], |x| x[0].index_put([0, 1], &x[1], false)),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[2], 2)], |x| {
                    x[0].set_index((.., 1), &x[1]);
                    x[0].clone()
                }),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[2], 2)], |x| x[0].select_scatter(&x[1], 1, 0)),
            ]
        },
    },
];
