//! Rows times a matrix, with a bias: `y = x Wᵀ + b`, and what its gradients need. `mm`, `mv`, `dot`, `outer` and `linear` are forms of it.

use crate::array::{Array, Meta};
use crate::cost;
use crate::dims::Dims;
use crate::op::{Context, Few, Op, RowProduct, Saves, apply_one};
use crate::ops::matrix::{count, from_first, in_wide, row_strides, same_dtype, with_number};
use crate::tensor::Tensor;
use cresset_kernels::columns;
use cresset_kernels::gemm::{Epilogue, GemmElement, Mat, gemm};
use std::sync::Arc;

/// How an op is called in messages and in the graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// Of the op.
    pub op: &'static str,
    /// Of its node.
    pub grad: &'static str,
}

/// `y = x W'` or `x W' + bias` for every row of x, any number of leading dimensions. `W'` is W, or its transpose as a layer stores it. A
/// vector for W stands for a matrix with one output: transposed it takes the last dimension of x away, otherwise it adds one.
#[derive(Debug)]
pub(crate) struct Rows {
    pub names: Names,
    pub transposed: bool,
    /// ReLU at the end, in the same pass; only in compiled graphs, where nobody asks this op for a gradient.
    pub relu: bool,
}

/// The sizes of a run of [`Rows`].
struct Sizes {
    rows: usize,
    inner: usize,
    outer: usize,
    /// Does x have the inner dimension? (Not when a vector adds one.)
    has_inner: bool,
}

impl Rows {
    fn sizes(&self, x: &Dims, w: &Dims) -> Sizes {
        let (inner, outer) = match (w.len(), self.transposed) {
            (1, true) => (w[0], 1),
            (1, false) => (1, w[0]),
            (_, true) => (w[1], w[0]),
            (_, false) => (w[0], w[1]),
        };
        let has_inner = w.len() == 2 || self.transposed;
        Sizes { rows: count(x, has_inner as usize), inner, outer, has_inner }
    }
    fn derived(&self, transposed: bool) -> Rows {
        Rows { names: Names { op: "mm", grad: "MmBackward0" }, transposed, relu: false }
    }
}

impl Op for Rows {
    fn name(&self) -> &'static str {
        self.names.op
    }
    fn grad_name(&self) -> String {
        self.names.grad.into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (x, w) = (inputs[0], inputs[1]);
        let s = self.sizes(&x.shape, &w.shape);
        let mut shape = x.shape;
        if s.has_inner {
            let k = shape.remove(shape.len() - 1);
            if k != s.inner {
                return Err(if w.ndim() == 1 {
                    format!("size mismatch, got input ({}), mat ({}x{k}), vec ({})", s.rows, s.rows, s.inner)
                } else {
                    format!("mat1 and mat2 shapes cannot be multiplied ({}x{k} and {}x{})", s.rows, s.inner, s.outer)
                });
            }
        }
        if w.ndim() == 2 || !s.has_inner {
            shape.push(s.outer);
        }
        let mut dtype = same_dtype(x.dtype, w.dtype);
        if let Some(b) = inputs.get(2) {
            if b.shape != [s.outer] {
                return Err(format!("a bias of shape {:?} does not fit {} outputs", b.shape, s.outer));
            }
            if x.dtype != w.dtype || b.dtype != w.dtype {
                let other = if b.dtype != w.dtype { b.dtype } else { x.dtype };
                dtype = Err(format!(
                    "self and mat2 must have the same dtype, but got {} and {}",
                    other.scalar_name(),
                    w.dtype.scalar_name()
                ));
            }
        }
        Ok([Meta { dtype: dtype?, shape }].into())
    }
    #[inline]
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let s = self.sizes(inputs[0].shape(), inputs[1].shape());
        [in_wide(
            inputs,
            outputs[0],
            |i, m| with_number!(m.dtype, T => forward::<T>(&s, self.transposed, self.relu, i, m)),
        )]
        .into()
    }
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        let s = self.sizes(&inputs[0].shape, &inputs[1].shape);
        let added = usize::from(inputs.len() == 3) + usize::from(self.relu);
        cost::product(s.rows, s.outer, s.inner) + (added * outputs[0].numel()) as u64
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b11)
    }
    fn refuse_grad(&self) -> Option<String> {
        self.relu.then(|| "with ReLU at its end it gives no gradients".into())
    }
    fn row_product(&self) -> Option<RowProduct> {
        Some(RowProduct { transposed: self.transposed, relu: self.relu })
    }
    fn with_relu(&self) -> Option<Arc<dyn Op>> {
        Some(Arc::new(Rows { names: self.names, transposed: self.transposed, relu: true }))
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return (0..ctx.num_inputs()).map(|_| None).collect() };
        let bias = ctx.num_inputs() == 3;
        if ctx.create_graph() {
            let dx = ctx.needs(0).then(|| {
                let w = ctx.input(1);
                one(self.derived(!self.transposed), &[g, &w])
            });
            let dw = ctx.needs(1).then(|| {
                let (x, gram) = (ctx.input(0), Gram { vector: ctx.input_meta(1).ndim() == 1 });
                if self.transposed { one(gram, &[g, &x]) } else { one(gram, &[&x, g]) }
            });
            let mut all: Few<_> = [dx].into();
            all.push(dw);
            if bias {
                // Summed to the bias' shape by the caller.
                all.push(Some(g.clone()));
            }
            return all;
        }
        let mut g = g.array();
        // Numbers that stand for several (the gradient of a sum) are written out once, not for each of what follows.
        if g.shape().iter().zip(g.strides().iter()).any(|(n, step)| *n > 1 && *step == 0) {
            g = g.copy();
        }
        let s = self.sizes(&ctx.input_meta(0).shape, &ctx.input_meta(1).shape);
        let mut all = Few::with_capacity(3);
        all.push(ctx.needs(0).then(|| {
            let w = ctx.input_numbers(1);
            let back = Rows { names: self.names, transposed: !self.transposed, relu: false };
            let sizes =
                Sizes { rows: s.rows, inner: s.outer, outer: s.inner, has_inner: w.ndim() == 2 || !self.transposed };
            let meta = *ctx.input_meta(0);
            Tensor::from_array(in_wide(
                &[&g, w],
                meta,
                |i, m| with_number!(m.dtype, T => forward::<T>(&sizes, back.transposed, false, i, m)),
            ))
        }));
        all.push(ctx.needs(1).then(|| {
            let x = ctx.input_numbers(0);
            let meta = *ctx.input_meta(1);
            let (a, b) = if self.transposed { (&g, x) } else { (x, &g) };
            let vector = meta.ndim() == 1;
            Tensor::from_array(in_wide(
                &[a, b],
                meta,
                |i, m| with_number!(m.dtype, T => gram_forward::<T>(s.rows, vector, i[0], i[1], m)),
            ))
        }));
        if bias {
            all.push(ctx.needs(2).then(|| {
                let meta = *ctx.input_meta(2);
                Tensor::from_array(in_wide(
                    &[&g],
                    meta,
                    |i, m| with_number!(m.dtype, T => column_sums::<T>(i[0], s.rows, m)),
                ))
            }));
        }
        all
    }
}

#[track_caller]
fn one<O: Op>(op: O, inputs: &[&Tensor]) -> Tensor {
    apply_one(op, inputs)
}

/// `rows` rows of an array as a matrix: itself if its leading dimensions have one stride, otherwise a copy kept in `copy`.
fn rows_of<'a>(x: &'a Array, has_last: bool, copy: &'a mut Option<Array>) -> (&'a Array, usize, usize) {
    if !has_last {
        // Each element is a row.
        return match super::matrix::collapse(x.shape(), x.strides()) {
            Some(step) => (x, step, 1),
            None => (copy.insert(x.copy()), 1, 1),
        };
    }
    match row_strides(x) {
        Some((r, c)) => (x, r, c),
        None => {
            let last = x.shape()[x.ndim() - 1];
            (copy.insert(x.copy()), last, 1)
        }
    }
}

#[inline]
fn forward<T: GemmElement>(s: &Sizes, transposed: bool, relu: bool, inputs: &[&Array], meta: Meta) -> Array {
    let plain = if relu { Epilogue::default().relu() } else { Epilogue::default() };
    let w = inputs[1];
    let mut copy = None;
    let (x, row, col) = rows_of(inputs[0], s.has_inner, &mut copy);
    let (xr, wr) = (x.read(), w.read());
    let a = Mat::new(from_first::<T>(x, &xr), row, col);
    let w_mat = match w.ndim() {
        1 if transposed => Mat::new(from_first::<T>(w, &wr), w.strides()[0], 1),
        1 => Mat::new(from_first::<T>(w, &wr), 1, w.strides()[0]),
        _ if transposed => Mat::new(from_first::<T>(w, &wr), w.strides()[1], w.strides()[0]),
        _ => Mat::new(from_first::<T>(w, &wr), w.strides()[0], w.strides()[1]),
    };
    Array::build::<T>(meta, |out| match inputs.get(2) {
        None => gemm(s.rows, s.outer, s.inner, a, w_mat, out, s.outer, &plain),
        Some(bias) => {
            let copy;
            let bias = if bias.is_contiguous() {
                bias
            } else {
                copy = bias.copy();
                &copy
            };
            bias.with_slice::<T, _>(|bias| {
                gemm(s.rows, s.outer, s.inner, a, w_mat, out, s.outer, &plain.bias(bias));
            });
        }
    })
}

/// `C = Σ_r a_rᵀ b_r` over all rows of two tensors: the gradient of a weight that every row used. `vector`: a has no last dimension, its elements
/// are rows of one, and C has only that of b.
#[derive(Debug)]
struct Gram {
    vector: bool,
}

impl Op for Gram {
    fn name(&self) -> &'static str {
        "mm"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let last = |m: &Meta| m.shape[m.ndim() - 1];
        let shape = if self.vector { [last(inputs[1])].into() } else { [last(inputs[0]), last(inputs[1])].into() };
        Ok([Meta { dtype: inputs[0].dtype, shape }].into())
    }
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        cost::product(count(&inputs[0].shape, !self.vector as usize), outputs[0].numel(), 1)
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let rows = count(inputs[0].shape(), !self.vector as usize);
        let (a, b) = (inputs[0], inputs[1]);
        [in_wide(
            &[a, b],
            outputs[0],
            |i, m| with_number!(m.dtype, T => gram_forward::<T>(rows, self.vector, i[0], i[1], m)),
        )]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b11)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        // C = Σ a_rᵀ b_r, so da_r = b_r C̄ᵀ and db_r = a_r C̄.
        let rows = |transposed| Rows { names: Names { op: "mm", grad: "MmBackward0" }, transposed, relu: false };
        let da = ctx.needs(0).then(|| one(rows(true), &[&ctx.input(1), g]));
        let db = ctx.needs(1).then(|| one(rows(false), &[&ctx.input(0), g]));
        [da, db].into_iter().collect()
    }
}

fn gram_forward<T: GemmElement>(rows: usize, vector: bool, a: &Array, b: &Array, meta: Meta) -> Array {
    let (mut copy_a, mut copy_b) = (None, None);
    let (a, ar, ac) = rows_of(a, !vector, &mut copy_a);
    let (b, br, bc) = rows_of(b, true, &mut copy_b);
    let n = meta.shape[meta.ndim() - 1];
    let m = if vector { 1 } else { meta.shape[0] };
    let (ra, rb) = (a.read(), b.read());
    let a = Mat::new(from_first::<T>(a, &ra), ar, ac).t();
    let b = Mat::new(from_first::<T>(b, &rb), br, bc);
    Array::build::<T>(meta, |out| gemm(m, n, rows, a, b, out, n, &Epilogue::default()))
}

/// The sum of all rows: the gradient of a bias.
fn column_sums<T: columns::Sum>(g: &Array, rows: usize, meta: Meta) -> Array {
    let mut copy = None;
    let (mut g, mut row, col) = rows_of(g, true, &mut copy);
    let dense;
    if col != 1 && meta.numel() != 1 {
        dense = g.copy();
        g = &dense;
        row = meta.numel();
    }
    let reading = g.read();
    Array::build::<T>(meta, |out| columns::sum(from_first::<T>(g, &reading), rows, row, out))
}
