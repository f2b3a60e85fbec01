//! Pointwise ops. Each is one function over [`Lane`], with its derivative written the same way; the ops below run it
//! over arrays of every dtype, and over tensors where the derivative itself is to be differentiated.

pub mod activation;
pub mod arith;
pub mod clamp;
pub(super) mod compare;
pub(super) mod elementary;
mod lane;
mod operand;
mod operators;
pub(super) mod power;
pub mod ternary;

pub use operand::Operand;

use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast};
use crate::dtype::{DType, Promotion, Scalar};
use crate::op::{Context, Few, Op, Saves};
use crate::ops::table::OpInfo;
use crate::tensor::Tensor;
use cresset_kernels::lane::{Binary, Lane, Unary};
use cresset_kernels::map;
use std::fmt::Debug;

/// The rows of all pointwise ops.
pub(super) const TABLES: &[&[OpInfo]] =
    &[arith::TABLE, elementary::TABLE, activation::TABLE, power::TABLE, compare::TABLE, clamp::TABLE, ternary::TABLE];

/// What a derivative reads of its function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    Input,
    Output,
    Both,
}

/// What a function does with integers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ints {
    /// They are converted to float32 first.
    ToFloat,
    /// [`UnaryDef::int`] gives an integer.
    Own,
    /// It leaves them as they are (floor, round).
    Keep,
    /// It is not for them.
    Refuse,
}

/// A pointwise function of one number, with what the op needs to know besides.
pub(crate) trait UnaryDef: Unary + Debug {
    const NAME: &'static str;
    const READS: Reads = Reads::Input;
    const INTS: Ints = Ints::ToFloat;
    /// Its derivative is zero wherever it exists (floor, sign), so the gradient is zero and nothing is saved.
    const FLAT: bool = false;
    /// Is its derivative of f16 rounded (and cut off at the largest number) after each step, as PyTorch does? For those that leave its range easily.
    const STEPS_IN_F16: bool = false;
    fn int(&self, x: i64) -> i64 {
        x
    }
}

/// The op of a [`UnaryDef`].
#[derive(Debug)]
pub(crate) struct UnaryOp<U>(pub U);

impl<U: UnaryDef> Op for UnaryOp<U> {
    fn name(&self) -> &'static str {
        U::NAME
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        infer_unary(U::NAME, U::INTS, inputs[0])
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        forward_unary(U::INTS, inputs[0], &outputs[0], &|x| unary(self.0, x), &|v| self.0.int(v))
    }
    fn saves(&self) -> Saves {
        match U::READS {
            _ if U::FLAT => Saves::NOTHING,
            Reads::Nothing => Saves::NOTHING,
            Reads::Input => Saves::inputs(1),
            Reads::Output => Saves::outputs(1),
            Reads::Both => Saves { inputs: 1, outputs: 1 },
        }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let g = grads[0].as_ref();
        [g.map(|g| if U::FLAT { g.zeros_like() } else { unary_backward(self.0, U::READS, U::STEPS_IN_F16, ctx, g) })]
            .into()
    }
}

// What does not depend on the function stands here once, not once for each of a hundred functions.

fn infer_unary(name: &str, ints: Ints, x: &Meta) -> Result<Few<Meta>, String> {
    let mut meta = *x;
    if !meta.dtype.is_floating_point() {
        match ints {
            Ints::ToFloat => meta.dtype = DType::F32,
            Ints::Own | Ints::Keep if meta.dtype != DType::Bool => {}
            _ => return Err(format!("\"{name}\" not implemented for '{}'", meta.dtype.scalar_name())),
        }
    }
    Ok([meta].into())
}

fn forward_unary(
    ints_are: Ints,
    x: &Array,
    out: &Meta,
    float: &dyn Fn(&Array) -> Array,
    int: &dyn Fn(i64) -> i64,
) -> Few<Array> {
    if out.dtype.is_floating_point() {
        return [float(&x.to(out.dtype))].into();
    }
    if ints_are == Ints::Keep {
        return [x.copy()].into();
    }
    [ints(x, out, int)].into()
}

/// `g * f'(x, y)`: in one fused pass, or in tensor operations where it will be differentiated again.
///
/// `steps`: is the derivative of f16 rounded (and cut off at the largest number) after each step, as PyTorch does?
pub(crate) fn unary_backward<U: Unary>(u: U, reads: Reads, steps: bool, ctx: &Context, g: &Tensor) -> Tensor {
    let formula = ctx.create_graph() || steps && g.dtype() == DType::F16;
    backward_unary(reads, formula, ctx, g, &|x, y| u.derivative(x, y), &|kind, shape, ins, out| {
        map::unary_grad_of(u, kind, shape, ins[0].expect("the gradient"), (ins[1], ins[2]), out);
    })
}

fn backward_unary(
    reads: Reads,
    formula: bool,
    ctx: &Context,
    g: &Tensor,
    derivative: &dyn Fn(&Tensor, &Tensor) -> Tensor,
    kernel: FloatKernel,
) -> Tensor {
    let (input, output) = (matches!(reads, Reads::Input | Reads::Both), matches!(reads, Reads::Output | Reads::Both));
    if formula {
        let x = if input { ctx.input(0) } else { g.clone() };
        let y = if output { ctx.output(0) } else { g.clone() };
        return g * &derivative(&x, &y);
    }
    let g = g.array();
    let x = if input { Some(ctx.input_array(0)) } else { None };
    let y = if output { Some(ctx.output_array(0)) } else { None };
    Tensor::from_array(float_op(g.meta(), &[Some(&g), x.as_ref(), y.as_ref()], kernel))
}

/// `f(x)` over an array of a floating-point dtype.
pub(crate) fn unary<U: Unary>(u: U, x: &Array) -> Array {
    float_op(x.meta(), &[Some(x)], &|kind, shape, ins, out| map::unary_of(u, kind, shape, ins[0].expect("x"), out))
}

/// What runs a kernel over operands as bytes.
type FloatKernel<'a> = &'a dyn Fn(map::FloatKind, &[usize], [Option<map::BytesIn>; 4], map::BytesOut);

/// Runs a pointwise kernel on operands of one dtype and shape: the one place that takes arrays apart for it, for all functions and dtypes.
#[inline(never)]
fn float_op(meta: &Meta, operands: &[Option<&Array>], kernel: FloatKernel) -> Array {
    let kind = match meta.dtype {
        DType::F16 => map::FloatKind::F16,
        DType::BF16 => map::FloatKind::BF16,
        DType::F64 => map::FloatKind::F64,
        _ => map::FloatKind::F32,
    };
    let size = meta.dtype.size();
    let mut readings = [const { None }; 4];
    for (slot, a) in readings.iter_mut().zip(operands) {
        *slot = a.map(Array::read);
    }
    let mut ins = [None; 4];
    for (i, a) in operands.iter().enumerate() {
        if let (Some(a), Some(r)) = (a, &readings[i]) {
            let bytes = r.slice::<u8>();
            ins[i] = Some((&bytes[(a.offset() * size).min(bytes.len())..], &a.strides()[..]));
        }
    }
    let layout = Layout::like(operands, meta);
    let mut buffer = Array::buffer_for(meta);
    kernel(kind, &meta.shape, ins, (buffer.as_mut_slice::<u8>(), &layout.strides));
    layout.wrap(buffer)
}

/// The elements of an array as the kernels take them.
#[inline]
pub(crate) fn part<'a, T>(storage: &'a [T], a: &'a Array) -> map::In<'a, T> {
    (&storage[a.offset().min(storage.len())..], a.strides())
}

/// The memory layout of a pointwise result: row-major, unless the inputs lie in another dense order, which is then kept (as PyTorch does: a random fill of the
/// result goes by memory order, so the order is visible).
pub(crate) struct Layout {
    meta: Meta,
    strides: Dims,
}

impl Layout {
    #[inline(never)]
    pub(crate) fn like(inputs: &[Option<&Array>], meta: &Meta) -> Layout {
        let mut strides = meta.shape.contiguous_strides();
        for a in inputs.iter().flatten() {
            if *a.shape() == meta.shape {
                if a.is_contiguous() {
                    break;
                }
                if cresset_kernels::strided::is_injective(a.shape(), a.strides()) {
                    strides = crate::random::dense_like(a).0;
                    break;
                }
            }
        }
        Layout { meta: *meta, strides }
    }
    pub(crate) fn build<T: cresset_kernels::buffer::Element>(self, fill: impl FnOnce(&mut [T], &[usize])) -> Array {
        let mut buffer = Array::buffer_for(&self.meta);
        fill(&mut buffer.as_mut_slice::<T>()[..self.meta.numel()], &self.strides);
        self.wrap(buffer)
    }
    #[inline(never)]
    fn wrap(self, buffer: cresset_kernels::buffer::Buffer) -> Array {
        let a = Array::from_buffer(buffer, self.meta);
        if a.strides()[..] == self.strides[..] { a } else { a.view(self.meta.shape, self.strides, 0) }
    }
}

/// An integer function, computed in i64 and brought to `meta`'s dtype (wrapping). Integers are not in the hot path of networks: one loop that calls a
/// function for each element serves all dtypes and functions, and costs no compile time.
pub(crate) fn ints(x: &Array, meta: &Meta, f: &dyn Fn(i64) -> i64) -> Array {
    let out: Vec<i64> = x.to(DType::I64).to_vec::<i64>().into_iter().map(f).collect();
    Array::from_slice(&out, meta.shape).to(meta.dtype)
}
/// The same for two operands of `meta`'s shape.
pub(crate) fn ints2(a: &Array, b: &Array, meta: &Meta, f: &dyn Fn(i64, i64) -> i64) -> Array {
    let (a, b) = (a.to(DType::I64).to_vec::<i64>(), b.to(DType::I64).to_vec::<i64>());
    let out: Vec<i64> = a.into_iter().zip(b).map(|(a, b)| f(a, b)).collect();
    Array::from_slice(&out, meta.shape).to(meta.dtype)
}

/// How one derivative of a binary function looks: most are so simple that no pass is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slope {
    One,
    MinusOne,
    Zero,
    General,
}

/// A pointwise function of two numbers, with what the op needs to know besides.
pub(crate) trait BinaryDef: Binary + Debug {
    const NAME: &'static str;
    /// Bits of the inputs and the output that the derivatives read.
    const SAVES: Saves = Saves::inputs(0b11);
    /// Are the derivatives of f16 rounded (and cut off at its largest number) after each step, as PyTorch does? For those that leave its range easily.
    const STEPS_IN_F16: bool = false;
    const DA: Slope = Slope::General;
    const DB: Slope = Slope::General;
    /// Are two integers converted to float32 (`/`)?
    const INTS: Ints = Ints::Own;
    /// Is it for bool operands, as integers 0 and 1?
    const BOOLS: bool = false;
    fn int(&self, _a: i64, _b: i64) -> i64 {
        unreachable!("{} has no integer form", Self::NAME)
    }
    /// For names that are not the usual one.
    fn grad_name(&self, _scalar: bool) -> Option<&'static str> {
        None
    }
}

fn result_dtype<B: BinaryDef>(promotion: Promotion) -> Result<DType, String> {
    let dtype = promotion.result();
    match dtype {
        d if d.is_floating_point() => Ok(d),
        _ if B::INTS == Ints::ToFloat => Ok(DType::F32),
        DType::Bool if !B::BOOLS => Err(match B::NAME {
            "sub" => "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.".into(),
            name => format!("\"{name}\" not implemented for 'Bool'"),
        }),
        d if B::INTS == Ints::Refuse => Err(format!("\"{}\" not implemented for '{}'", B::NAME, d.scalar_name())),
        d => Ok(d),
    }
}

/// The op of a [`BinaryDef`] on two tensors.
#[derive(Debug)]
pub(crate) struct BinaryOp<B>(pub B);

impl<B: BinaryDef> Op for BinaryOp<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }
    fn grad_name(&self) -> String {
        self.0.grad_name(false).map_or_else(|| crate::autograd::node::camel_case(B::NAME) + "Backward0", Into::into)
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        infer_binary(inputs[0], inputs[1], &result_dtype::<B>)
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let meta = &outputs[0];
        let (a, b) = (inputs[0].to(meta.dtype), inputs[1].to(meta.dtype));
        let (a, b) = (spread(&a, &meta.shape), spread(&b, &meta.shape));
        [binary(self.0, &a, &b, meta)].into()
    }
    fn saves(&self) -> Saves {
        B::SAVES
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        let da = ctx.needs(0).then(|| binary_backward(self.0, B::DA, true, ctx, g));
        let db = ctx.needs(1).then(|| binary_backward(self.0, B::DB, false, ctx, g));
        [da, db].into_iter().collect()
    }
}

fn infer_binary(
    a: &Meta,
    b: &Meta,
    result_dtype: &dyn Fn(Promotion) -> Result<DType, String>,
) -> Result<Few<Meta>, String> {
    let shape = broadcast(&a.shape, &b.shape)?;
    if a.dtype == b.dtype && a.dtype.is_floating_point() {
        return Ok([Meta { dtype: a.dtype, shape }].into());
    }
    let dtype = result_dtype(Promotion::default().tensor(a.dtype, a.ndim()).tensor(b.dtype, b.ndim()))?;
    Ok([Meta { dtype, shape }].into())
}

/// Stretched to a shape by strides of 0.
#[inline]
pub(crate) fn spread(a: &Array, shape: &Dims) -> Array {
    if a.shape() == shape { a.clone() } else { a.broadcast_to(shape) }
}

/// `f(a, b)` over two arrays of one dtype and shape.
pub(crate) fn binary<B: BinaryDef>(f: B, a: &Array, b: &Array, meta: &Meta) -> Array {
    if !meta.dtype.is_floating_point() {
        return ints2(a, b, meta, &|x, y| f.int(x, y));
    }
    float_op(meta, &[Some(a), Some(b)], &|kind, shape, ins, out| {
        map::binary_of(f, kind, shape, ins[0].expect("a"), ins[1].expect("b"), out);
    })
}

fn binary_backward<B: BinaryDef>(f: B, slope: Slope, first: bool, ctx: &Context, g: &Tensor) -> Tensor {
    let derivative = |a: &Tensor, b: &Tensor, y: &Tensor| if first { f.da(a, b, y) } else { f.db(a, b, y) };
    let formula = ctx.create_graph() || B::STEPS_IN_F16 && g.dtype() == DType::F16;
    backward_binary(B::SAVES, slope, formula, ctx, g, &derivative, &|kind, shape, ins, out| {
        map::binary_grad_of(f, !first, kind, shape, ins[0].expect("the gradient"), [ins[1], ins[2], ins[3]], out);
    })
}

fn backward_binary(
    reads: Saves,
    slope: Slope,
    formula: bool,
    ctx: &Context,
    g: &Tensor,
    derivative: &dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor,
    kernel: FloatKernel,
) -> Tensor {
    match slope {
        Slope::One => return g.clone(),
        Slope::MinusOne => return -g,
        Slope::Zero => return g.zeros_like(),
        Slope::General => {}
    }
    let has = |i: usize| reads.inputs >> i & 1 != 0;
    if formula {
        // What the formula does not read gets a stand-in.
        let dtype = g.dtype();
        let a = if has(0) { ctx.input(0).to_dtype(dtype) } else { g.clone() };
        let b = if has(1) { ctx.input(1).to_dtype(dtype) } else { g.clone() };
        let y = if reads.outputs != 0 { ctx.output(0) } else { g.clone() };
        return g * &derivative(&a, &b, &y);
    }
    let g = g.array();
    let shape = *g.shape();
    let get = |i: usize| has(i).then(|| spread(&ctx.input_array(i).to(g.dtype()), &shape));
    let (a, b, y) = (get(0), get(1), (reads.outputs != 0).then(|| ctx.output_array(0)));
    Tensor::from_array(float_op(g.meta(), &[Some(&g), a.as_ref(), b.as_ref(), y.as_ref()], kernel))
}

/// A [`BinaryDef`] with a plain number for one operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithScalar<B> {
    pub f: B,
    pub scalar: Scalar,
    /// Is the number the first operand?
    pub left: bool,
}

impl<B: BinaryDef> Unary for WithScalar<B> {
    type Loop = B::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let s = x.splat(self.scalar.f64());
        if self.left { self.f.eval(&s, x) } else { self.f.eval(x, &s) }
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, y: &L) -> L {
        let s = x.splat(self.scalar.f64());
        if self.left { self.f.db(&s, x, y) } else { self.f.da(x, &s, y) }
    }
}

impl<B: BinaryDef> WithScalar<B> {
    /// Which of the tensor operand and the result the one derivative reads.
    fn reads(&self) -> Reads {
        let (slope, own) = if self.left { (B::DB, 0b10) } else { (B::DA, 0b01) };
        if slope != Slope::General {
            return Reads::Nothing;
        }
        // The derivative by one operand of a product reads the other, which is the number here.
        let reads_number = B::NAME == "mul" || (B::NAME == "div" && !self.left);
        let input = B::SAVES.inputs & own != 0 && !reads_number;
        match (input, B::SAVES.outputs != 0) {
            (false, false) => Reads::Nothing,
            (true, false) => Reads::Input,
            (false, true) => Reads::Output,
            (true, true) => Reads::Both,
        }
    }
}

/// The op of a [`WithScalar`].
#[derive(Debug)]
pub(crate) struct ScalarOp<B>(pub WithScalar<B>);

impl<B: BinaryDef> Op for ScalarOp<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }
    fn grad_name(&self) -> String {
        match (B::NAME, self.0.left) {
            ("sub", true) => "RsubBackward1".into(),
            _ => self
                .0
                .f
                .grad_name(true)
                .map_or_else(|| crate::autograd::node::camel_case(B::NAME) + "Backward0", Into::into),
        }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let dtype = if x.dtype.is_floating_point() {
            x.dtype
        } else {
            result_dtype::<B>(Promotion::default().tensor(x.dtype, x.ndim()).scalar(self.0.scalar))?
        };
        Ok([Meta { dtype, shape: x.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let meta = &outputs[0];
        let x = inputs[0].to(meta.dtype);
        if meta.dtype.is_floating_point() {
            return [unary(self.0, &x)].into();
        }
        let s = Array::full(Meta::new(meta.dtype, ()), self.0.scalar).broadcast_to(&meta.shape);
        let (a, b) = if self.0.left { (&s, &x) } else { (&x, &s) };
        [binary(self.0.f, a, b, meta)].into()
    }
    fn saves(&self) -> Saves {
        match self.0.reads() {
            Reads::Nothing => Saves::NOTHING,
            Reads::Input => Saves::inputs(1),
            Reads::Output => Saves::outputs(1),
            Reads::Both => Saves { inputs: 1, outputs: 1 },
        }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let slope = if self.0.left { B::DB } else { B::DA };
        [Some(match slope {
            Slope::One => g.clone(),
            Slope::MinusOne => -g,
            Slope::Zero => g.zeros_like(),
            Slope::General => unary_backward(self.0, self.0.reads(), B::STEPS_IN_F16, ctx, g),
        })]
        .into()
    }
}

/// Runs a binary function on a tensor and an operand that is a tensor or a number.
#[track_caller]
#[inline]
pub(crate) fn apply_binary<B: BinaryDef>(f: B, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => crate::op::apply1(BinaryOp(f), [a, b]),
        Operand::Scalar(scalar) => crate::op::apply1(ScalarOp(WithScalar { f, scalar, left: false }), [a]),
    }
}
/// The same in place.
#[track_caller]
pub(crate) fn apply_binary_inplace<B: BinaryDef>(f: B, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => crate::op::apply_inplace(BinaryOp(f), &[a, b]),
        Operand::Scalar(scalar) => crate::op::apply_inplace(ScalarOp(WithScalar { f, scalar, left: false }), &[a]),
    }
}
