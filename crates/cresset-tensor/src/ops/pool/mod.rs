//! Pooling: the largest or the mean element of windows, sliding or adaptive, over one to three dimensions.

mod rule;
mod table;

use crate::array::{Array, Meta, with_bits};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves, apply_one, apply1};
use crate::ops::matrix::with_number;
use crate::tensor::Tensor;
use cresset_kernels::pool::{self, Windows, adaptive, sliding};

pub(super) use table::TABLE;

/// How the windows lie.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // one lives on the stack for the time of a call
pub(crate) enum Layout {
    /// A window that slides.
    Sliding {
        /// Sizes of the window.
        kernel: Dims,
        /// Its steps.
        stride: Dims,
        /// Imagined points around the input.
        padding: Dims,
        /// From point to point of the window.
        dilation: Dims,
        /// May the last window reach over the edge?
        ceil_mode: bool,
        /// Do imagined points count in a mean?
        count_padding: bool,
    },
    /// So many parts.
    Adaptive {
        /// By dimension.
        output: Dims,
    },
}

/// The windows of an op over `nd` dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub name: &'static str,
    pub grad: &'static str,
    pub nd: usize,
    pub layout: Layout,
}

impl Pool {
    fn windows(&self, input: &Dims) -> Windows {
        let sizes = &input[input.len() - self.nd..];
        let output = self.output_sizes(sizes).expect("the shape rule accepted it");
        let mut w = Windows { spans: std::array::from_fn(|_| adaptive(1, 1)), input: [1; 3] };
        for d in 0..self.nd {
            let at = 3 - self.nd + d;
            w.input[at] = sizes[d];
            w.spans[at] = match &self.layout {
                Layout::Sliding { kernel, stride, padding, dilation, count_padding, .. } => {
                    sliding(sizes[d], output[d], kernel[d], stride[d], padding[d], dilation[d], *count_padding)
                }
                Layout::Adaptive { .. } => adaptive(sizes[d], output[d]),
            };
        }
        w
    }
    fn planes(&self, shape: &Dims) -> usize {
        shape[..shape.len() - self.nd].iter().product()
    }
}

/// Elements of the last `nd` dimensions.
fn plane(shape: &Dims, nd: usize) -> usize {
    shape[shape.len() - nd..].iter().product()
}

/// The largest elements, and where they lie in their planes.
#[derive(Debug)]
pub(crate) struct MaxPool(pub Pool);

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        self.0.name
    }
    fn grad_name(&self) -> String {
        self.0.grad.into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let meta = self.0.infer(inputs[0])?;
        Ok([meta, Meta { dtype: DType::I64, shape: meta.shape }].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T>(op: &Pool, x: &Array, out: &[Meta]) -> [Array; 2]
        where
            T: cresset_kernels::buffer::Element + PartialOrd + Default,
        {
            let mut indices = Array::buffer_for(&out[1]);
            let values = Array::build::<T>(Meta { dtype: x.dtype(), ..out[0] }, |values| {
                x.with_slice::<T, _>(|s| {
                    let planes = op.planes(x.shape());
                    pool::max(&op.windows(x.shape()), planes, s, values, indices.as_mut_slice());
                });
            });
            [values.to(out[0].dtype), Array::from_buffer(indices, out[1])]
        }
        let x = inputs[0].to(inputs[0].dtype().computing()).contiguous();
        with_number!(x.dtype(), T => go::<T>(&self.0, &x, outputs)).into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let indices = Tensor::from_array(ctx.output_array(1));
        let op = PlaneScatter { shape: ctx.input_meta(0).shape, nd: self.0.nd, add: true, ..SCATTER };
        [grads[0].as_ref().map(|g| apply1(op, [g, &indices]))].into()
    }
}

const SCATTER: PlaneScatter =
    PlaneScatter { name: "max_pool_backward", grad: "MaxPoolBackward0", shape: Dims::EMPTY, nd: 0, add: true };

/// Numbers put back to where indices say, in planes of zeros: the gradient of a maximum, and unpooling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaneScatter {
    pub name: &'static str,
    pub grad: &'static str,
    pub shape: Dims,
    pub nd: usize,
    /// Numbers for one place are added; otherwise the last one stays.
    pub add: bool,
}

impl Op for PlaneScatter {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        self.grad.into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T>(op: &PlaneScatter, g: &Array, at: &Array, meta: Meta) -> Array
        where
            T: cresset_kernels::buffer::Element + Default + std::ops::Add<Output = T>,
        {
            let (input, output) = (plane(&meta.shape, op.nd), plane(g.shape(), op.nd));
            Array::build::<T>(Meta { dtype: g.dtype(), ..meta }, |x| {
                g.with_slice::<T, _>(|g| at.with_slice::<i64, _>(|at| pool::scatter(input, output, g, at, x, op.add)));
            })
        }
        let g = inputs[0].to(inputs[0].dtype().computing()).contiguous();
        let at = inputs[1].contiguous();
        [with_number!(g.dtype(), T => go::<T>(self, &g, &at, outputs[0])).to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let g = grads[0].as_ref().map(|g| apply1(PlaneGather { nd: self.nd }, [g, &ctx.input(1)]));
        [g, None].into_iter().collect()
    }
}

/// The numbers at the places that indices say.
#[derive(Debug)]
struct PlaneGather {
    nd: usize,
}

impl Op for PlaneGather {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: inputs[1].shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: cresset_kernels::buffer::Element>(nd: usize, x: &Array, at: &Array, meta: Meta) -> Array {
            let (input, output) = (plane(x.shape(), nd), plane(&meta.shape, nd));
            Array::build::<T>(Meta { dtype: x.dtype(), ..meta }, |out| {
                x.with_slice::<T, _>(|x| at.with_slice::<i64, _>(|at| pool::gather(input, output, x, at, out)));
            })
        }
        let (x, at) = (inputs[0].contiguous(), inputs[1].contiguous());
        [with_bits!(x.dtype(), T => go::<T>(self.nd, &x, &at, outputs[0]))].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let op = PlaneScatter { shape: ctx.input_meta(0).shape, nd: self.nd, ..SCATTER };
        [grads[0].as_ref().map(|g| apply1(op, [g, &ctx.input(1)])), None].into_iter().collect()
    }
}

/// The means of windows.
#[derive(Debug)]
pub(crate) struct MeanPool {
    pub pool: Pool,
    /// Instead of the number of points.
    pub divisor: Option<i64>,
}

impl Op for MeanPool {
    fn name(&self) -> &'static str {
        self.pool.name
    }
    fn grad_name(&self) -> String {
        self.pool.grad.into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let meta = self.pool.infer(inputs[0])?;
        match self.divisor {
            Some(0) => Err("divisor must be not zero".into()),
            _ => Ok([meta].into()),
        }
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = inputs[0];
        let windows = self.pool.windows(x.shape());
        let planes = self.pool.planes(x.shape());
        [means(x, outputs[0], &|x: Slice, out: SliceMut| match (x, out) {
            (Slice::F32(x), SliceMut::F32(out)) => pool::mean(&windows, planes, x, self.divisor, out),
            (Slice::F64(x), SliceMut::F64(out)) => pool::mean(&windows, planes, x, self.divisor, out),
            (Slice::I64(x), SliceMut::I64(out)) => pool::mean(&windows, planes, x, self.divisor, out),
            _ => unreachable!("one type"),
        })]
        .into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let op = MeanSpread { pool: self.pool, divisor: self.divisor, shape: ctx.input_meta(0).shape };
        [grads[0].as_ref().map(|g| apply_one(op, &[g]))].into()
    }
}

/// The gradient of [`MeanPool`].
#[derive(Debug)]
struct MeanSpread {
    pool: Pool,
    divisor: Option<i64>,
    shape: Dims,
}

impl Op for MeanSpread {
    fn name(&self) -> &'static str {
        "avg_pool_backward"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let windows = self.pool.windows(&self.shape);
        let planes = self.pool.planes(&self.shape);
        [means(inputs[0], outputs[0], &|g: Slice, out: SliceMut| match (g, out) {
            (Slice::F32(g), SliceMut::F32(out)) => pool::spread(&windows, planes, g, self.divisor, out),
            (Slice::F64(g), SliceMut::F64(out)) => pool::spread(&windows, planes, g, self.divisor, out),
            (Slice::I64(g), SliceMut::I64(out)) => pool::spread(&windows, planes, g, self.divisor, out),
            _ => unreachable!("one type"),
        })]
        .into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let op = MeanPool { pool: self.pool, divisor: self.divisor };
        [grads[0].as_ref().map(|g| apply1(op, [g]))].into()
    }
}

/// The numbers of a mean: f64, f32 (f16 and bf16 too), or i64 for all integers.
enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I64(&'a [i64]),
}
enum SliceMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    I64(&'a mut [i64]),
}

/// Runs `f` over the numbers of `x` in the dtype of means, and rounds what it wrote.
fn means(x: &Array, meta: Meta, f: &dyn Fn(Slice, SliceMut)) -> Array {
    let wide = match meta.dtype {
        d if d.is_floating_point() => d.accumulator(),
        _ => DType::I64,
    };
    let x = x.to(wide).contiguous();
    let wide = Meta { dtype: wide, ..meta };
    match wide.dtype {
        DType::F32 => Array::build(wide, |out| x.with_slice(|x| f(Slice::F32(x), SliceMut::F32(out)))),
        DType::F64 => Array::build(wide, |out| x.with_slice(|x| f(Slice::F64(x), SliceMut::F64(out)))),
        _ => Array::build(wide, |out| x.with_slice(|x| f(Slice::I64(x), SliceMut::I64(out)))),
    }
    .to(meta.dtype)
}
