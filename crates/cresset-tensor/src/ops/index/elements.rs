//! Elements at positions that tensors give: the op that reads them and the op that writes them.

use super::basic::Basic;
use crate::array::{Array, Meta, with_bits};
use crate::dims::{Dims, broadcast};
use crate::dtype::DType;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, Saves, apply_one, apply1};
use crate::ops::fill::zero_grad;
use crate::ops::number::{Number, with_summed, with_sums};
use crate::ops::view::{Layout, Spec, View};
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element as Stored;
use cresset_kernels::rows::take;
use cresset_kernels::threads;

/// An index tensor as int64, negative positions counted from the end (where `wrap`), all of them checked against the dimension's size.
#[track_caller]
pub(crate) fn checked_index(op: &'static str, index: &Tensor, dim: usize, n: usize, wrap: bool) -> Tensor {
    let checked = CheckedIndex { op, dim, n, wrap };
    if crate::record::is_recording() {
        return apply1(checked, [index]);
    }
    Tensor::from_array(checked.look(&index.array()))
}

/// Looks at every index. An op of its own in recordings, so that the indices of later runs are looked at, too.
#[derive(Debug)]
struct CheckedIndex {
    op: &'static str,
    dim: usize,
    n: usize,
    wrap: bool,
}

impl CheckedIndex {
    #[track_caller]
    fn look(&self, index: &Array) -> Array {
        let CheckedIndex { op, dim, n, wrap } = *self;
        let lowest = if wrap { -(n as i64) } else { 0 };
        let array = index.to(DType::I64).contiguous();
        // One look at all; which index is the first bad one is asked only if one is not as most are.
        let outside = |i: i64| i < lowest || i >= n as i64;
        let bad = array.with_slice::<i64, _>(|numbers| {
            let unusual = !cresset_kernels::rows::all_within(numbers, n);
            unusual.then(|| numbers.iter().copied().find(|&i| outside(i)))
        });
        let Some(bad) = bad else { return array };
        if let Some(i) = bad {
            fail(op, format!("index {i} is out of bounds for dimension {dim} with size {n}"));
        }
        let fixed: Vec<i64> = array.to_vec::<i64>().into_iter().map(|i| if i < 0 { i + n as i64 } else { i }).collect();
        Array::from_slice(&fixed, *array.shape())
    }
}

impl Op for CheckedIndex {
    fn name(&self) -> &'static str {
        "checked_index"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: DType::I64, shape: inputs[0].shape }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [self.look(inputs[0])].into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
    fn effects(&self) -> bool {
        // It may refuse, so it is run even where nobody reads what it gives.
        true
    }
}

/// The shape that index tensors broadcast to.
fn index_shape<'a>(shapes: impl Iterator<Item = &'a Dims> + Clone) -> Result<Dims, String> {
    let mut out = Dims::EMPTY;
    for s in shapes.clone() {
        out = broadcast(&out, s).map_err(|_| {
            let all: Vec<String> = shapes.clone().map(|s| format!("{:?}", &s[..])).collect();
            format!("shape mismatch: indexing tensors could not be broadcast together with shapes {}", all.join(", "))
        })?;
    }
    Ok(out)
}

/// The shape of what index tensors for `dims` of a part select.
pub(super) fn result_shape(part: &Dims, dims: &Dims, tensors: &[Tensor]) -> Result<Dims, String> {
    let shapes: Vec<Dims> = tensors.iter().map(Tensor::shape).collect();
    Ok(arrange(part, dims, &index_shape(shapes.iter())?))
}

/// Do the dimensions of the index stand where the first indexed one stood? Otherwise they stand in front.
fn adjacent(dims: &Dims) -> bool {
    dims.windows(2).all(|w| w[1] == w[0] + 1)
}

fn arrange(part: &Dims, dims: &Dims, index: &Dims) -> Dims {
    if dims.is_empty() {
        return *part;
    }
    let before = if adjacent(dims) { dims[0] } else { 0 };
    let mut shape = Dims::new(&part[..before]);
    index.iter().for_each(|&n| shape.push(n));
    (before..part.len()).filter(|d| !dims.contains(d)).for_each(|d| shape.push(part[d]));
    shape
}

/// Elements that make a piece for a thread.
const ELEMENTS: usize = 16384;

/// The places of the selected elements: `before` x `rows` x `after`, offsets that add up, in the order of the result.
struct Places {
    before: Vec<usize>,
    rows: Vec<usize>,
    after: Vec<usize>,
    /// The elements of `after` are neighbours in memory.
    block: bool,
}

impl Places {
    /// In an array seen as `part`, for index arrays of some of its dimensions.
    fn new(part: &Array, dims: &Dims, index: &[&Array]) -> Places {
        let shapes: Vec<Dims> = index.iter().map(|a| *a.shape()).collect();
        let shape = index_shape(shapes.iter()).expect("the shape rule has passed");
        let mut rows = vec![0usize; shape.numel()];
        for (a, &d) in index.iter().zip(dims.iter()) {
            let a = a.broadcast_to(&shape);
            let step = part.strides()[d];
            let reading = a.read();
            let numbers = reading.slice::<i64>();
            let mut row = rows.iter_mut();
            kernels::for_each_position(&a, |p| *row.next().expect("as many") += numbers[p] as usize * step);
        }
        let split = if adjacent(dims) { dims.first().copied().unwrap_or(0) } else { 0 };
        let offsets = |range: std::ops::Range<usize>, base: usize| -> Vec<usize> {
            let pick = |from: &Dims| -> Dims { range.clone().filter(|d| !dims.contains(d)).map(|d| from[d]).collect() };
            let a = part.view(pick(part.shape()), pick(part.strides()), part.offset());
            let mut out = Vec::with_capacity(a.numel());
            kernels::for_each_position(&a, |p| out.push(p - part.offset() + base));
            out
        };
        let after = offsets(split..part.ndim(), 0);
        let block = after.iter().enumerate().all(|(i, &p)| p == i);
        Places { before: offsets(0..split, part.offset()), rows, after, block }
    }

    fn read<T: Stored>(&self, from: &[T], out: &mut [T]) {
        let n = self.after.len();
        let each = ELEMENTS.div_ceil(n.max(1));
        threads::run_chunks(out, each * n.max(1), &|piece, out| {
            let (mut b, mut r) = (piece * each / self.rows.len(), piece * each % self.rows.len());
            for out in out.chunks_mut(n) {
                let start = self.before[b] + self.rows[r];
                if self.block {
                    out.copy_from_slice(&from[start..start + n]);
                } else {
                    for (o, p) in out.iter_mut().zip(&self.after) {
                        *o = from[start + p];
                    }
                }
                r += 1;
                if r == self.rows.len() {
                    (b, r) = (b + 1, 0);
                }
            }
        });
    }

    /// Writes values in the order of the result; of those of duplicates the last one stays.
    fn write<T: Copy>(&self, to: &mut [T], values: &[T]) {
        let n = self.after.len();
        let mut at = 0;
        for b in &self.before {
            for r in &self.rows {
                let start = b + r;
                let values = &values[at..at + n];
                at += n;
                if self.block {
                    to[start..start + n].copy_from_slice(values);
                } else {
                    for (p, v) in self.after.iter().zip(values) {
                        to[start + p] = *v;
                    }
                }
            }
        }
    }

    /// Adds values in the order of the result.
    fn add<T: Number>(&self, to: &mut [T::Stored], values: &[T::Stored]) {
        let n = self.after.len();
        let mut at = 0;
        for b in &self.before {
            for r in &self.rows {
                let start = b + r;
                let values = &values[at..at + n];
                at += n;
                let plus = |t: &mut T::Stored, v: T::Stored| *t = T::load(*t).plus(T::load(v)).store();
                if self.block {
                    for (t, v) in to[start..start + n].iter_mut().zip(values) {
                        plus(t, *v);
                    }
                } else {
                    for (p, v) in self.after.iter().zip(values) {
                        plus(&mut to[start + p], *v);
                    }
                }
            }
        }
    }
}

/// The elements of input 0 at the positions that inputs 1.. give for the dimensions `dims`.
#[derive(Debug)]
pub(super) struct Get {
    pub dims: Dims,
    pub name: &'static str,
}

impl Get {
    /// Does it read whole rows, which are dense in memory? Then how long they are. (No list of places is made then, which took a sixth of the time of rows of 128.)
    fn whole_rows(&self, inputs: &[&Array]) -> Option<usize> {
        let x = inputs[0];
        let mut width = 1;
        for d in (1..x.ndim()).rev() {
            if x.shape()[d] != 1 && x.strides()[d] != width {
                return None;
            }
            width *= x.shape()[d];
        }
        (self.dims[..] == [0] && inputs[1].is_contiguous()).then_some(width)
    }
}

impl Op for Get {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let index = index_shape(inputs[1..].iter().map(|m| &m.shape))?;
        Ok([Meta { dtype: inputs[0].dtype, shape: arrange(&inputs[0].shape, &self.dims, &index) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Stored>(x: &Array, places: &Places, meta: Meta) -> Array {
            let reading = x.read();
            Array::build::<T>(meta, |out| places.read(reading.slice::<T>(), out))
        }
        fn rows<T: Stored>(x: &Array, width: usize, at: &Array, meta: Meta) -> Array {
            let reading = x.read();
            let table = &reading.slice::<T>()[x.offset()..];
            Array::build::<T>(meta, |out| at.with_slice(|at| take(table, x.strides()[0], width, at, out)))
        }
        let x = inputs[0];
        if outputs[0].numel() == 0 {
            return [Array::zeros(outputs[0])].into();
        }
        if let Some(width) = self.whole_rows(inputs) {
            return [with_bits!(x.dtype(), T => rows::<T>(x, width, inputs[1], outputs[0]))].into();
        }
        let places = Places::new(x, &self.dims, &inputs[1..]);
        [with_bits!(x.dtype(), T => go::<T>(x, &places, outputs[0]))].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(!1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let n = ctx.num_inputs();
        let mut out: Few<Option<Tensor>> = vec![None; n].into();
        if let Some(g) = &grads[0] {
            let zeros = zero_grad(ctx.input_meta(0));
            let index: Vec<Tensor> = (1..n).map(|i| ctx.input(i)).collect();
            let basic = Basic::whole(zeros.dim());
            let g = g.to_dtype(zeros.dtype());
            let mut inputs = vec![&zeros, &g];
            inputs.extend(&index);
            let op = Put { basic, dims: self.dims, accumulate: true, name: "index_backward" };
            out[0] = Some(apply_one(op, &inputs));
        }
        out
    }
}

/// Input 0 with the elements of a part (at positions that inputs 2.. give for some of its dimensions) replaced by, or increased by, input 1.
#[derive(Debug)]
pub(super) struct Put {
    pub basic: Basic,
    pub dims: Dims,
    pub accumulate: bool,
    pub name: &'static str,
}

impl Put {
    /// Writes into the memory of array 0.
    pub fn write(&self, a: &[Array]) {
        let part = self.basic.layout(Layout::of(&a[0])).on(&a[0]);
        let index: Vec<&Array> = a[2..].iter().collect();
        self.write_part(&part, &a[1], &index);
    }
    fn write_part(&self, part: &Array, values: &Array, index: &[&Array]) {
        fn put<T: Stored>(part: &Array, values: &Array, places: &Places) {
            values.with_slice::<T, _>(|values| places.write(part.storage().write().slice::<T>(), values));
        }
        fn add<T: Number>(part: &Array, values: &Array, places: &Places) {
            values.with_slice::<T::Stored, _>(|values| places.add::<T>(part.storage().write().slice(), values));
        }
        let shapes: Vec<Dims> = index.iter().map(|a| *a.shape()).collect();
        let shape = arrange(part.shape(), &self.dims, &index_shape(shapes.iter()).expect("the shape rule has passed"));
        if shape.numel() == 0 {
            return;
        }
        let values = values.to(part.dtype()).broadcast_to(&shape);
        if index.is_empty() && !self.accumulate {
            return kernels::write_into(part, &values);
        }
        let values = if values.same_storage(part) { values.copy() } else { values.contiguous() };
        if !self.accumulate {
            let places = Places::new(part, &self.dims, index);
            return with_bits!(part.dtype(), T => put::<T>(part, &values, &places));
        }
        with_sums(part, |part| {
            let (values, places) = (values.to(part.dtype()), Places::new(part, &self.dims, index));
            with_summed!(part.dtype(), T => add::<T>(part, &values, &places));
        });
    }
}

impl Op for Put {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let part = self.basic.shape(&inputs[0].shape)?;
        let shape = arrange(&part, &self.dims, &index_shape(inputs[2..].iter().map(|m| &m.shape))?);
        let value = inputs[1].shape;
        if !broadcast(&shape, &value).is_ok_and(|s| s == shape) {
            return Err(format!(
                "shape mismatch: value tensor of shape {value:?} cannot be broadcast to indexing result of shape {shape:?}"
            ));
        }
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let out = inputs[0].copy();
        let part = self.basic.layout(Layout::of(&out)).on(&out);
        self.write_part(&part, inputs[1], &inputs[2..]);
        [out].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(!0b11)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let n = ctx.num_inputs();
        let mut out: Few<Option<Tensor>> = vec![None; n].into();
        let Some(g) = &grads[0] else { return out };
        let index: Vec<Tensor> = (2..n).map(|i| ctx.input(i)).collect();
        if ctx.needs(0) {
            out[0] = Some(if self.accumulate {
                g.clone()
            } else {
                let zero = Tensor::zeros_of((), g.dtype());
                let mut inputs = vec![g, &zero];
                inputs.extend(&index);
                let op = Put { basic: self.basic.clone(), dims: self.dims, accumulate: false, name: self.name };
                apply_one(op, &inputs)
            });
        }
        if ctx.needs(1) {
            let part = if self.basic.is_whole() { g.clone() } else { apply1(View(self.basic.clone()), [g]) };
            out[1] = Some(if index.is_empty() { part } else { part.get(self.dims, &index, "index") });
        }
        out
    }
}
