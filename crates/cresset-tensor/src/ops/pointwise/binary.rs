//! The ops of functions of two numbers, of which one may be a plain number.

use super::{Ints, Operand, Operands, Reads, float_op, ints2, spread};
use crate::array::{Array, Meta};
use crate::dims::broadcast;
use crate::dtype::{DType, Promotion, Scalar};
use crate::expr::Pointwise;
use crate::op::{Context, Few, Op, Saves};
use crate::tensor::Tensor;
use cresset_kernels::lane::Binary;
use cresset_kernels::map::{Function, Part};
use std::borrow::Cow;

/// How one derivative of a binary function looks: most are so simple that no pass is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slope {
    One,
    MinusOne,
    Zero,
    General,
}

/// A pointwise function of two numbers, with what the op needs to know besides.
pub(crate) trait BinaryDef: Binary {
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
    /// Is it so quick that it has loops of its own for a plain number as one operand, and for broadcast rows?
    const QUICK: bool = false;
    /// Is it the product, whose derivatives are the other operand? Then a gradient is a product as well.
    const PRODUCT: bool = false;
    /// For names of the node that are not the usual one: of two tensors, of a tensor and a number.
    const GRAD_NAMES: [Option<&'static str>; 2] = [None, None];
    /// The same for a function that stands for several of PyTorch's.
    fn grad_name(&self) -> Option<&'static str> {
        None
    }
    fn int(&self, _a: i64, _b: i64) -> i64 {
        unreachable!("{} has no integer form", Self::NAME)
    }
}

/// The op of a [`BinaryDef`] on two tensors: the function as a value.
#[derive(Clone, Copy)]
pub(crate) struct BinaryOp {
    pub(super) f: Function,
    pub(super) rules: &'static BinaryRules,
}

/// What a [`BinaryDef`] says of itself.
pub(super) struct BinaryRules {
    name: &'static str,
    saves: Saves,
    steps_in_f16: bool,
    pub(super) slopes: [Slope; 2],
    ints: Ints,
    bools: bool,
    product: bool,
    grad_names: [Option<&'static str>; 2],
    grad_name: fn(&Function) -> Option<&'static str>,
    int: fn(&Function, i64, i64) -> i64,
}

struct OfBinary<B>(B);
impl<B: BinaryDef> OfBinary<B> {
    const RULES: BinaryRules = BinaryRules {
        name: B::NAME,
        saves: B::SAVES,
        steps_in_f16: B::STEPS_IN_F16,
        slopes: [B::DA, B::DB],
        ints: B::INTS,
        bools: B::BOOLS,
        product: B::PRODUCT,
        grad_names: B::GRAD_NAMES,
        grad_name: |f| f.get::<B>().grad_name(),
        int: |f, a, b| f.get::<B>().int(a, b),
    };
}

impl BinaryOp {
    pub(crate) const fn of<B: BinaryDef>(f: B) -> BinaryOp {
        let f = if B::QUICK { Function::quick_binary(f) } else { Function::binary(f) };
        BinaryOp { f, rules: &OfBinary::<B>::RULES }
    }

    fn result_dtype(&self, promotion: Promotion) -> Result<DType, String> {
        let dtype = promotion.result();
        let r = self.rules;
        match dtype {
            d if d.is_floating_point() => Ok(d),
            _ if r.ints == Ints::ToFloat => Ok(DType::F32),
            DType::Bool if !r.bools => Err(match r.name {
                "sub" => "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.".into(),
                name => format!("\"{name}\" not implemented for 'Bool'"),
            }),
            d if r.ints == Ints::Refuse => Err(format!("\"{}\" not implemented for '{}'", r.name, d.scalar_name())),
            d => Ok(d),
        }
    }

    /// `f(a, b)` over two arrays of one dtype and shape.
    pub(crate) fn value(&self, a: &Array, b: &Array, meta: &Meta) -> Array {
        if !meta.dtype.is_floating_point() {
            return ints2(a, b, meta, &|x, y| (self.rules.int)(&self.f, x, y));
        }
        float_op(&self.f, Part::Value, meta, &[Operands::Array(a), Operands::Array(b)])
    }

    /// The gradient of input `i`.
    fn gradient(&self, i: usize, ctx: &Context, g: &Tensor) -> Tensor {
        match self.rules.slopes[i] {
            Slope::One => return g.clone(),
            Slope::MinusOne => return -g,
            Slope::Zero => return g.zeros_like(),
            Slope::General => {}
        }
        let reads = self.rules.saves;
        let has = |i: usize| reads.inputs >> i & 1 != 0;
        if ctx.create_graph() || self.rules.steps_in_f16 && g.dtype() == DType::F16 {
            // What the formula does not read gets a stand-in.
            let dtype = g.dtype();
            let a = if has(0) { ctx.input(0).to_dtype(dtype) } else { g.clone() };
            let b = if has(1) { ctx.input(1).to_dtype(dtype) } else { g.clone() };
            let y = if reads.outputs != 0 { ctx.output(0) } else { g.clone() };
            return self.f.replay(Part::Gradient(i), &[g, &a, &b, &y]);
        }
        let g = g.array();
        let shape = *g.shape();
        let get = |i: usize| match ctx.input_numbers(i).as_dtype(g.dtype()) {
            Cow::Borrowed(a) => spread(a, &shape),
            Cow::Owned(a) => Cow::Owned(spread(&a, &shape).into_owned()),
        };
        if self.rules.product {
            return Tensor::from_array(self.value(&g, &get(1 - i), g.meta()));
        }
        let (a, b) = (has(0).then(|| get(0)), has(1).then(|| get(1)));
        let y = (reads.outputs != 0).then(|| ctx.output_numbers(0));
        let operands = [Operands::Array(&g), Operands::of(a.as_deref()), Operands::of(b.as_deref()), Operands::of(y)];
        Tensor::from_array(float_op(&self.f, Part::Gradient(i), g.meta(), &operands))
    }

    fn grad_name(&self, scalar: bool) -> String {
        let own = (self.rules.grad_name)(&self.f).or(self.rules.grad_names[usize::from(scalar)]);
        own.map_or_else(|| crate::autograd::node::usual_name(self.rules.name), Into::into)
    }
}

impl std::fmt::Debug for BinaryOp {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.rules.name)
    }
}

impl Op for BinaryOp {
    fn name(&self) -> &'static str {
        self.rules.name
    }
    fn grad_name(&self) -> String {
        self.grad_name(false)
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (a, b) = (inputs[0], inputs[1]);
        if a == b && a.dtype.is_floating_point() {
            return Ok([*a].into());
        }
        let shape = broadcast(&a.shape, &b.shape)?;
        if a.dtype == b.dtype && a.dtype.is_floating_point() {
            return Ok([Meta { dtype: a.dtype, shape }].into());
        }
        let dtype = self.result_dtype(Promotion::default().tensor(a.dtype, a.ndim()).tensor(b.dtype, b.ndim()))?;
        Ok([Meta { dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let meta = &outputs[0];
        let (a, b) = (inputs[0].as_dtype(meta.dtype), inputs[1].as_dtype(meta.dtype));
        let (a, b) = (spread(&a, &meta.shape), spread(&b, &meta.shape));
        [self.value(&a, &b, meta)].into()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
    fn saves(&self) -> Saves {
        self.rules.saves
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        let da = ctx.needs(0).then(|| self.gradient(0, ctx, g));
        let db = ctx.needs(1).then(|| self.gradient(1, ctx, g));
        [da, db].into_iter().collect()
    }
}

/// A [`BinaryOp`] with a plain number for one operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScalarOp {
    pub(super) op: BinaryOp,
    pub(super) scalar: Scalar,
    /// Is the number the first operand?
    pub(super) left: bool,
}

impl ScalarOp {
    /// Which of the tensor operand and the result the one derivative reads.
    fn reads(&self) -> Reads {
        let rules = self.op.rules;
        if rules.slopes[usize::from(self.left)] != Slope::General {
            return Reads::Nothing;
        }
        // The derivative by one operand of a product reads the other, which is the number here.
        let reads_number = rules.product || (rules.name == "div" && !self.left);
        let input = rules.saves.inputs >> usize::from(self.left) & 1 != 0 && !reads_number;
        match (input, rules.saves.outputs != 0) {
            (false, false) => Reads::Nothing,
            (true, false) => Reads::Input,
            (false, true) => Reads::Output,
            (true, true) => Reads::Both,
        }
    }

    /// The tensor operand `x` and the number in their order.
    pub(super) fn order<T>(&self, x: T, number: T) -> (T, T) {
        if self.left { (number, x) } else { (x, number) }
    }

    fn gradient(&self, ctx: &Context, g: &Tensor) -> Tensor {
        let BinaryOp { f, rules } = &self.op;
        let i = usize::from(self.left);
        match rules.slopes[i] {
            Slope::One => return g.clone(),
            Slope::MinusOne => return -g,
            Slope::Zero => return g.zeros_like(),
            Slope::General => {}
        }
        let reads = self.reads();
        let input = matches!(reads, Reads::Input | Reads::Both);
        let output = matches!(reads, Reads::Output | Reads::Both);
        if ctx.create_graph() || rules.steps_in_f16 && g.dtype() == DType::F16 {
            let x = if input { ctx.input(0) } else { g.clone() };
            let y = if output { ctx.output(0) } else { g.clone() };
            let s = Tensor::full_of((), self.scalar.f64(), x.dtype());
            let (a, b) = self.order(&x, &s);
            return f.replay(Part::Gradient(i), &[g, a, b, &y]);
        }
        let g = g.array();
        let x = input.then(|| ctx.input_numbers(0));
        let y = output.then(|| ctx.output_numbers(0));
        let (a, b) = self.order(Operands::of(x), Operands::Number(self.scalar.f64()));
        let operands = [Operands::Array(&g), a, b, Operands::of(y)];
        Tensor::from_array(float_op(f, Part::Gradient(i), g.meta(), &operands))
    }
}

impl Op for ScalarOp {
    fn name(&self) -> &'static str {
        self.op.rules.name
    }
    fn grad_name(&self) -> String {
        match (self.op.rules.name, self.left) {
            ("sub", true) => "RsubBackward1".into(),
            _ => self.op.grad_name(true),
        }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let dtype = if x.dtype.is_floating_point() {
            x.dtype
        } else {
            self.op.result_dtype(Promotion::default().tensor(x.dtype, x.ndim()).scalar(self.scalar))?
        };
        Ok([Meta { dtype, shape: x.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let meta = &outputs[0];
        let x = inputs[0].as_dtype(meta.dtype);
        if meta.dtype.is_floating_point() {
            let (a, b) = self.order(Operands::Array(&x), Operands::Number(self.scalar.f64()));
            return [float_op(&self.op.f, Part::Value, x.meta(), &[a, b])].into();
        }
        let s = Array::full(Meta::new(meta.dtype, ()), self.scalar).broadcast_to(&meta.shape);
        let (a, b) = self.order(&*x, &s);
        [self.op.value(a, b, meta)].into()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
    fn saves(&self) -> Saves {
        self.reads().saves()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| self.gradient(ctx, g))].into()
    }
}

/// Runs a binary function on a tensor and an operand that is a tensor or a number.
#[track_caller]
pub(crate) fn apply_binary<B: BinaryDef>(f: B, a: &Tensor, b: Operand) -> Tensor {
    run_binary(&BinaryOp::of(f), a, b)
}
#[track_caller]
fn run_binary(op: &BinaryOp, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => crate::op::apply1(*op, [a, b]),
        Operand::Scalar(scalar) => crate::op::apply1(ScalarOp { op: *op, scalar, left: false }, [a]),
    }
}
/// A binary function of a number and a tensor.
#[track_caller]
pub(crate) fn apply_scalar_first<B: BinaryDef>(f: B, scalar: Scalar, x: &Tensor) -> Tensor {
    crate::op::apply1(ScalarOp { op: BinaryOp::of(f), scalar, left: true }, [x])
}
/// [`apply_binary`] in place.
#[track_caller]
pub(crate) fn apply_binary_inplace<B: BinaryDef>(f: B, a: &Tensor, b: Operand) -> Tensor {
    run_binary_inplace(&BinaryOp::of(f), a, b)
}
#[track_caller]
fn run_binary_inplace(op: &BinaryOp, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => crate::op::apply_inplace(*op, &[a, b]),
        Operand::Scalar(scalar) => crate::op::apply_inplace(ScalarOp { op: *op, scalar, left: false }, &[a]),
    }
}
