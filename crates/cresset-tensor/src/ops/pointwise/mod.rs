//! Pointwise ops. Each is one function over `Lane`, with its derivative written the same way; the ops below run it
//! over arrays of every dtype, and over tensors where the derivative itself is to be differentiated.

pub mod activation;
pub mod arith;
mod binary;
pub mod clamp;
pub(super) mod compare;
pub(super) mod elementary;
mod lane;
mod operand;
mod operators;
pub(super) mod power;
mod reduced;
pub mod ternary;
mod written;

pub(crate) use binary::{BinaryDef, BinaryOp, Slope, apply_binary, apply_binary_inplace, apply_scalar_first};
pub use operand::Operand;
pub(crate) use reduced::apply_reduced;

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::expr::Pointwise;
use crate::op::{Context, Few, Op, Saves};
use crate::ops::table::OpInfo;
use crate::tensor::Tensor;
use cresset_kernels::buffer::Buffer;
use cresset_kernels::lane::Unary;
use cresset_kernels::map::{self, Function, Part};
use std::borrow::Cow;

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
impl Reads {
    fn saves(self) -> Saves {
        match self {
            Reads::Nothing => Saves::NOTHING,
            Reads::Input => Saves::inputs(1),
            Reads::Output => Saves::outputs(1),
            Reads::Both => Saves { inputs: 1, outputs: 1 },
        }
    }
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
pub(crate) trait UnaryDef: Unary {
    const NAME: &'static str;
    const READS: Reads = Reads::Input;
    const INTS: Ints = Ints::ToFloat;
    /// Its derivative is zero wherever it exists (floor, sign), so the gradient is zero and nothing is saved.
    const FLAT: bool = false;
    /// Is its derivative of f16 rounded (and cut off at the largest number) after each step, as PyTorch does? For those that leave its range easily.
    const STEPS_IN_F16: bool = false;
    /// The name of the node, where it is not the usual one.
    const GRAD_NAME: Option<&'static str> = None;
    fn int(&self, x: i64) -> i64 {
        x
    }
}

/// The op of a [`UnaryDef`]: the function as a value, so that nothing but the function itself is compiled for each.
#[derive(Clone, Copy)]
pub(crate) struct UnaryOp {
    f: Function,
    rules: &'static UnaryRules,
}

/// What a [`UnaryDef`] says of itself.
struct UnaryRules {
    name: &'static str,
    reads: Reads,
    ints: Ints,
    steps_in_f16: bool,
    flat: bool,
    grad_name: Option<&'static str>,
    int: fn(&Function, i64) -> i64,
}

struct OfUnary<U>(U);
impl<U: UnaryDef> OfUnary<U> {
    const RULES: UnaryRules = UnaryRules {
        name: U::NAME,
        reads: if U::FLAT { Reads::Nothing } else { U::READS },
        ints: U::INTS,
        steps_in_f16: U::STEPS_IN_F16,
        flat: U::FLAT,
        grad_name: U::GRAD_NAME,
        int: |f, x| f.get::<U>().int(x),
    };
}

impl UnaryOp {
    pub(crate) const fn of<U: UnaryDef>(u: U) -> UnaryOp {
        UnaryOp { f: Function::unary(u), rules: &OfUnary::<U>::RULES }
    }
}

impl std::fmt::Debug for UnaryOp {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.rules.name)
    }
}

impl Op for UnaryOp {
    fn name(&self) -> &'static str {
        self.rules.name
    }
    fn grad_name(&self) -> String {
        self.rules.grad_name.map_or_else(|| crate::autograd::node::usual_name(self.rules.name), Into::into)
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let mut meta = *inputs[0];
        if !meta.dtype.is_floating_point() {
            match self.rules.ints {
                Ints::ToFloat => meta.dtype = DType::F32,
                Ints::Own | Ints::Keep if meta.dtype != DType::Bool => {}
                _ => return Err(format!("\"{}\" not implemented for '{}'", self.rules.name, meta.dtype.scalar_name())),
            }
        }
        Ok([meta].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let (x, out) = (inputs[0], &outputs[0]);
        if out.dtype.is_floating_point() {
            return [self.value(&x.as_dtype(out.dtype))].into();
        }
        if self.rules.ints == Ints::Keep {
            return [x.copy()].into();
        }
        [ints(x, out, &|v| (self.rules.int)(&self.f, v))].into()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
    fn saves(&self) -> Saves {
        self.rules.reads.saves()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| if self.rules.flat { g.zeros_like() } else { self.gradient(ctx, g) })].into()
    }
}

impl UnaryOp {
    /// `f(x)` over an array of a floating-point dtype.
    pub(crate) fn value(&self, x: &Array) -> Array {
        float_op(&self.f, Part::Value, x.meta(), &[Operands::Array(x)])
    }
    /// `g * f'(x, y)`: in one fused pass, or in tensor operations where it will be differentiated again.
    pub(crate) fn gradient(&self, ctx: &Context, g: &Tensor) -> Tensor {
        let reads = self.rules.reads;
        let input = matches!(reads, Reads::Input | Reads::Both);
        let output = matches!(reads, Reads::Output | Reads::Both);
        if ctx.create_graph() || self.rules.steps_in_f16 && g.dtype() == DType::F16 {
            let x = if input { ctx.input(0) } else { g.clone() };
            let y = if output { ctx.output(0) } else { g.clone() };
            return self.f.replay(Part::Gradient(0), &[g, &x, &y]);
        }
        let g = g.array();
        let x = input.then(|| ctx.input_numbers(0));
        let y = output.then(|| ctx.output_numbers(0));
        let operands = [Operands::Array(&g), Operands::of(x), Operands::of(y)];
        Tensor::from_array(float_op(&self.f, Part::Gradient(0), g.meta(), &operands))
    }
}

/// What a kernel computes with: an array of the common shape and dtype, a number, or nothing where it reads nothing.
#[derive(Clone, Copy)]
enum Operands<'a> {
    Array(&'a Array),
    Number(f64),
    Nothing,
}
impl<'a> Operands<'a> {
    fn of(a: Option<&'a Array>) -> Operands<'a> {
        a.map_or(Operands::Nothing, Operands::Array)
    }
}

/// Runs a pointwise kernel on operands of one dtype and shape: the one place that takes arrays apart for it, for all functions and dtypes.
fn float_op(f: &Function, part: Part, meta: &Meta, operands: &[Operands]) -> Array {
    if let Some(result) = short_op(f, part, meta, operands) {
        return result;
    }
    if let Some(result) = short_op_with_number(f, part, meta, operands) {
        return result;
    }
    let kind = match meta.dtype {
        DType::F16 => map::FloatKind::F16,
        DType::BF16 => map::FloatKind::BF16,
        DType::F64 => map::FloatKind::F64,
        _ => map::FloatKind::F32,
    };
    let size = meta.dtype.size();
    let mut arrays = [None; 4];
    let mut readings = [const { None }; 4];
    let mut ins = [map::Input::Nothing; 4];
    for (i, o) in operands.iter().enumerate() {
        match *o {
            Operands::Array(a) => {
                arrays[i] = Some(a);
                readings[i] = Some(a.read());
            }
            Operands::Number(v) => ins[i] = map::Input::Scalar(v),
            Operands::Nothing => {}
        }
    }
    for (i, input) in ins.iter_mut().enumerate() {
        if let (Some(a), Some(r)) = (arrays[i], &readings[i]) {
            let bytes = r.slice::<u8>();
            *input = map::Input::Tensor((&bytes[(a.offset() * size).min(bytes.len())..], &a.strides()[..]));
        }
    }
    let layout = Layout::like(&arrays, meta);
    let mut buffer = Array::buffer_for(meta);
    f.run(part, kind, &meta.shape, &ins[..operands.len()], (buffer.as_mut_slice::<u8>(), &layout.strides));
    layout.wrap(buffer)
}

/// The most elements of a [`short_op`].
const SHORT: usize = 4096;
/// The same where an operand is a number, which is written out.
const SHORT_WITH_NUMBER: usize = 256;

/// [`float_op`] on few numbers that lie side by side in the computing type: nothing to be planned. (It halves what an op on one number takes.)
#[inline(always)]
fn short_op(f: &Function, part: Part, meta: &Meta, operands: &[Operands]) -> Option<Array> {
    short(f, part, meta, operands, None, |buffer| Array::from_buffer(buffer, *meta))
}

/// The numbers of a [`short_op`], if it is one. The arrays have its dtype; one operand that is nothing may be `given` as memory.
#[inline(never)]
fn short_buffer(
    f: &Function,
    part: Part,
    meta: &Meta,
    operands: &[Operands],
    given: Option<(usize, &Buffer)>,
) -> Option<Buffer> {
    short(f, part, meta, operands, given, |buffer| buffer)
}

#[inline(always)]
fn short<R>(
    f: &Function,
    part: Part,
    meta: &Meta,
    operands: &[Operands],
    given: Option<(usize, &Buffer)>,
    finish: impl FnOnce(Buffer) -> R,
) -> Option<R> {
    let n = meta.numel();
    if n > SHORT || !matches!(meta.dtype, DType::F32 | DType::F64) {
        return None;
    }
    let size = meta.dtype.size();
    let mut readings = [const { None }; 4];
    let mut ins: [&[u8]; 4] = [&[]; 4];
    for (i, o) in operands.iter().enumerate() {
        match *o {
            Operands::Array(a) if *a.shape() == meta.shape && a.is_contiguous() => readings[i] = Some((a, a.read())),
            Operands::Nothing => {}
            _ => return None,
        }
    }
    for (bytes, reading) in ins.iter_mut().zip(&readings) {
        if let Some((a, r)) = reading {
            *bytes = &r.slice::<u8>()[a.offset() * size..][..n * size];
        }
    }
    if let Some((i, buffer)) = given {
        ins[i] = &buffer.as_slice::<u8>()[..n * size];
    }
    let mut buffer = Array::buffer_for(meta);
    let out = &mut buffer.as_mut_slice::<u8>()[..n * size];
    let done = f.run_short(part, meta.dtype == DType::F64, &ins[..operands.len()], out);
    done.then(|| finish(buffer))
}

/// A [`short_op`] of which one operand is a number: it is written out.
#[inline(never)]
fn short_op_with_number(f: &Function, part: Part, meta: &Meta, operands: &[Operands]) -> Option<Array> {
    let n = meta.numel();
    if n > SHORT_WITH_NUMBER || !matches!(meta.dtype, DType::F32 | DType::F64) {
        return None;
    }
    let (i, v) = operands.iter().enumerate().find_map(|(i, o)| match *o {
        Operands::Number(v) => Some((i, v)),
        _ => None,
    })?;
    let mut arrays = [Operands::Nothing; 4];
    arrays[..operands.len()].copy_from_slice(operands);
    arrays[i] = Operands::Nothing;
    let number = repeated(v, meta, n);
    short_buffer(f, part, meta, &arrays[..operands.len()], Some((i, &number)))
        .map(|buffer| Array::from_buffer(buffer, *meta))
}

/// A number of f32 or f64 `n` times.
fn repeated(v: f64, meta: &Meta, n: usize) -> Buffer {
    let mut buffer = Array::buffer_for(meta);
    match meta.dtype {
        DType::F64 => buffer.as_mut_slice::<f64>()[..n].fill(v),
        _ => buffer.as_mut_slice::<f32>()[..n].fill(v as f32),
    }
    buffer
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
    fn wrap(self, buffer: Buffer) -> Array {
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

/// Stretched to a shape by strides of 0.
#[inline]
pub(crate) fn spread<'a>(a: &'a Array, shape: &Dims) -> Cow<'a, Array> {
    if a.shape() == shape { Cow::Borrowed(a) } else { Cow::Owned(a.broadcast_to(shape)) }
}

/// `f(x)`.
#[track_caller]
pub(crate) fn apply_unary<U: UnaryDef>(u: U, x: &Tensor) -> Tensor {
    crate::op::apply1(UnaryOp::of(u), [x])
}
/// The same in place.
#[track_caller]
pub(crate) fn apply_unary_inplace<U: UnaryDef>(u: U, x: &Tensor) -> Tensor {
    crate::op::apply_inplace(UnaryOp::of(u), &[x])
}
