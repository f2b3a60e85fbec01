//! Comparisons, logic, bits, and predicates: their results carry no gradient.

use super::{Layout, Operand, part, spread};
use crate::array::{Array, Meta};
use crate::dims::broadcast;
use crate::dtype::{DType, Promotion, Scalar};
use crate::expr::{self, Expr, Pointwise, Term};
use crate::op::{Context, Few, Op, Saves, apply_inplace, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::lane::Lane;
use cresset_kernels::map::{self, Number};

/// What a two-operand op without gradient computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Gcd,
    Lcm,
    Heaviside,
    NextAfter,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Eq => "eq",
            Kind::Ne => "ne",
            Kind::Lt => "lt",
            Kind::Le => "le",
            Kind::Gt => "gt",
            Kind::Ge => "ge",
            Kind::LogicalAnd => "logical_and",
            Kind::LogicalOr => "logical_or",
            Kind::LogicalXor => "logical_xor",
            Kind::BitAnd => "bitwise_and",
            Kind::BitOr => "bitwise_or",
            Kind::BitXor => "bitwise_xor",
            Kind::ShiftLeft => "bitwise_left_shift",
            Kind::ShiftRight => "bitwise_right_shift",
            Kind::Gcd => "gcd",
            Kind::Lcm => "lcm",
            Kind::Heaviside => "heaviside",
            Kind::NextAfter => "nextafter",
        }
    }
    /// Is its result bool?
    fn is_test(self) -> bool {
        (self as u8) <= Kind::LogicalXor as u8
    }
    fn test<B: Number>(self, a: B, b: B) -> bool {
        match self {
            Kind::Eq => a == b,
            Kind::Ne => a != b,
            Kind::Lt => a < b,
            Kind::Le => a <= b,
            Kind::Gt => a > b,
            Kind::Ge => a >= b,
            Kind::LogicalAnd => a.as_bool() && b.as_bool(),
            Kind::LogicalOr => a.as_bool() || b.as_bool(),
            Kind::LogicalXor => a.as_bool() != b.as_bool(),
            _ => unreachable!("not a test"),
        }
    }
    fn int(self, a: i64, b: i64, bits: u32) -> i64 {
        match self {
            Kind::BitAnd => a & b,
            Kind::BitOr => a | b,
            Kind::BitXor => a ^ b,
            // A shift by the width or more, or by a negative number, leaves nothing (or the sign), as in PyTorch.
            Kind::ShiftLeft if b < 0 || b >= i64::from(bits) => 0,
            Kind::ShiftLeft => a << b,
            Kind::ShiftRight if b < 0 || b >= i64::from(bits) => {
                if a < 0 {
                    -1
                } else {
                    0
                }
            }
            Kind::ShiftRight => a >> b,
            Kind::Gcd => gcd(a, b),
            Kind::Lcm => {
                let g = gcd(a, b);
                if g == 0 { 0 } else { (a / g).wrapping_mul(b).wrapping_abs() }
            }
            Kind::Heaviside => {
                if a == 0 {
                    b
                } else {
                    (a > 0) as i64
                }
            }
            _ => unreachable!("not for integers"),
        }
    }
    fn float(self, a: f64, b: f64, dtype: DType) -> f64 {
        match self {
            Kind::Heaviside => {
                if a == 0.0 {
                    b
                } else {
                    (a > 0.0) as u8 as f64
                }
            }
            Kind::NextAfter => match dtype {
                DType::F64 => next(a, b),
                DType::F32 => f64::from(next32(a as f32, b as f32)),
                DType::BF16 => f64::from(next_bf16(a, b)),
                _ => next_f16(a, b),
            },
            _ => unreachable!("not for floating-point numbers"),
        }
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.wrapping_abs(), b.wrapping_abs());
    while b != 0 {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a
}
/// The neighbour of `a` towards `b`, by stepping its bits.
fn next(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        None => f64::NAN,
        Some(std::cmp::Ordering::Equal) => b,
        Some(std::cmp::Ordering::Less) => a.next_up(),
        Some(std::cmp::Ordering::Greater) => a.next_down(),
    }
}
fn next32(a: f32, b: f32) -> f32 {
    match a.partial_cmp(&b) {
        None => f32::NAN,
        Some(std::cmp::Ordering::Equal) => b,
        Some(std::cmp::Ordering::Less) => a.next_up(),
        Some(std::cmp::Ordering::Greater) => a.next_down(),
    }
}
/// The same for a 16-bit pattern: up moves away from zero if the number is positive.
fn step16(bits: u16, a: f64, up: bool) -> u16 {
    if a == 0.0 {
        return if up { 1 } else { 0x8001 };
    }
    if (a > 0.0) == up { bits + 1 } else { bits - 1 }
}
fn next_bf16(a: f64, b: f64) -> half::bf16 {
    if a.is_nan() || b.is_nan() {
        return half::bf16::NAN;
    }
    if a == b {
        return half::bf16::from_f64(b);
    }
    half::bf16::from_bits(step16(half::bf16::from_f64(a).to_bits(), a, a < b))
}
fn next_f16(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if a == b {
        return b;
    }
    half::f16::from_bits(step16(half::f16::from_f64(a).to_bits(), a, a < b)).to_f64()
}

fn test<T: map::Element<Block = T> + Number + cresset_kernels::buffer::Element>(
    kind: Kind,
    a: &Array,
    b: &Array,
    meta: &Meta,
) -> Array {
    let (ra, rb) = (a.read(), b.read());
    let (x, y) = (part(ra.slice::<T>(), a), part(rb.slice::<T>(), b));
    Layout::like(&[Some(a), Some(b)], meta).build::<u8>(|out, strides| {
        // One loop for each test, so that each is vectorised.
        let out = (out, strides);
        let shape = &meta.shape;
        match kind {
            Kind::Eq => map::map2::<T, T, u8>(shape, |a, b| (a == b) as u8, x, y, out),
            Kind::Ne => map::map2::<T, T, u8>(shape, |a, b| (a != b) as u8, x, y, out),
            Kind::Lt => map::map2::<T, T, u8>(shape, |a, b| (a < b) as u8, x, y, out),
            Kind::Le => map::map2::<T, T, u8>(shape, |a, b| (a <= b) as u8, x, y, out),
            Kind::Gt => map::map2::<T, T, u8>(shape, |a, b| (a > b) as u8, x, y, out),
            Kind::Ge => map::map2::<T, T, u8>(shape, |a, b| (a >= b) as u8, x, y, out),
            _ => map::map2::<T, T, u8>(shape, move |a, b| kind.test(a, b) as u8, x, y, out),
        }
    })
}

/// The op on two tensors, or on a tensor and a number.
#[derive(Debug)]
struct Compare {
    kind: Kind,
    scalar: Option<Scalar>,
}

impl Compare {
    /// The dtype in which the operands meet.
    fn common(&self, inputs: &[&Meta]) -> DType {
        let a = Promotion::default().tensor(inputs[0].dtype, inputs[0].ndim());
        match self.scalar {
            Some(s) => a.scalar(s).result(),
            None => a.tensor(inputs[1].dtype, inputs[1].ndim()).result(),
        }
    }
}

impl Op for Compare {
    fn name(&self) -> &'static str {
        self.kind.name()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let shape =
            if self.scalar.is_some() { inputs[0].shape } else { broadcast(&inputs[0].shape, &inputs[1].shape)? };
        let common = self.common(inputs);
        if self.kind.is_test() {
            return Ok([Meta { dtype: DType::Bool, shape }].into());
        }
        let allowed = match self.kind {
            Kind::BitAnd | Kind::BitOr | Kind::BitXor => !common.is_floating_point(),
            Kind::ShiftLeft | Kind::ShiftRight | Kind::Gcd | Kind::Lcm => common.is_integer(),
            Kind::NextAfter => common.is_floating_point(),
            _ => true,
        };
        if !allowed {
            return Err(format!("\"{}_cpu\" not implemented for '{}'", self.kind.name(), common.scalar_name()));
        }
        if matches!(self.kind, Kind::Heaviside | Kind::NextAfter)
            && inputs.len() == 2
            && inputs[0].dtype != inputs[1].dtype
        {
            return Err(format!("{} is not yet implemented for tensors with different dtypes.", self.kind.name()));
        }
        Ok([Meta { dtype: common, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let shape = outputs[0].shape;
        let metas: Few<&Meta> = inputs.iter().map(|a| a.meta()).collect();
        let common = self.common(&metas);
        let scalar = |dtype| {
            Array::full(Meta::new(dtype, ()), self.scalar.expect("one operand is a number")).broadcast_to(&shape)
        };
        // Three types serve all ten: integers meet as i64, half precision as f32.
        let wide = match common {
            DType::F64 => DType::F64,
            d if d.is_floating_point() => DType::F32,
            _ => DType::I64,
        };
        let a = inputs[0].to(common).to(wide);
        let a = spread(&a, &shape);
        let b = match self.scalar {
            Some(_) => scalar(common).to(wide),
            None => spread(&inputs[1].to(common).to(wide), &shape).into_owned(),
        };
        if self.kind.is_test() {
            return [match wide {
                DType::F32 => test::<f32>(self.kind, &a, &b, &outputs[0]),
                DType::F64 => test::<f64>(self.kind, &a, &b, &outputs[0]),
                _ => test::<i64>(self.kind, &a, &b, &outputs[0]),
            }]
            .into();
        }
        let (kind, meta) = (self.kind, &outputs[0]);
        if wide == DType::I64 {
            let bits = 8 * common.size() as u32;
            return [super::ints2(&a, &b, meta, &|a, b| kind.int(a, b, bits))].into();
        }
        let (a, b) = (a.to(DType::F64).to_vec::<f64>(), b.to(DType::F64).to_vec::<f64>());
        let out: Vec<f64> = a.into_iter().zip(b).map(|(a, b)| kind.float(a, b, common)).collect();
        [Array::from_slice(&out, meta.shape).to(meta.dtype)].into()
    }
    fn saves(&self) -> Saves {
        match (self.kind, self.scalar) {
            (Kind::NextAfter, None) => Saves::inputs(0b11),
            (Kind::NextAfter, Some(_)) => Saves::inputs(0b01),
            _ => Saves::NOTHING,
        }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        // Only nextafter comes here: where the numbers are equal the result is the second, which PyTorch counts as a constant.
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        let x = ctx.input(0).detach();
        let moved = match self.scalar {
            None => x.ne(&ctx.input(1).detach()),
            Some(s) => x.ne(s),
        };
        let own = ctx.needs(0).then(|| g.masked_fill(&moved.logical_not(), 0.0));
        match self.scalar {
            Some(_) => [own].into(),
            None => [own, ctx.needs(1).then(|| g.zeros_like())].into_iter().collect(),
        }
    }
    fn differentiable(&self, _output: usize) -> bool {
        self.kind == Kind::NextAfter
    }
    fn refuse_grad(&self) -> Option<String> {
        (self.kind == Kind::Heaviside)
            .then(|| format!("the derivative for '{}' is not implemented: detach() its inputs", self.kind.name()))
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        // Exclusive or and what is no test stay ops of their own.
        (self.kind.is_test() && self.kind != Kind::LogicalXor).then_some(self)
    }
}

impl Pointwise for Compare {
    fn eval(&self, x: &[Term]) -> Term {
        let second = match self.scalar {
            Some(s) => Term::Number(expr::constant(s.f64())),
            None => x[1],
        };
        let (a, b) = (|| x[0].number(), || second.number());
        Term::Truth(match self.kind {
            Kind::Eq => Lane::eq(&a(), &b()),
            Kind::Ne => Lane::ne(&a(), &b()),
            Kind::Lt => Lane::lt(&a(), &b()),
            Kind::Le => Lane::le(&a(), &b()),
            Kind::Gt => Lane::gt(&a(), &b()),
            Kind::Ge => Lane::ge(&a(), &b()),
            Kind::LogicalAnd => Expr::and(&x[0].truth(), &second.truth()),
            Kind::LogicalOr => Expr::or(&x[0].truth(), &second.truth()),
            other => unreachable!("{other:?} is not offered as a pointwise function"),
        })
    }
    fn gradient(&self, _i: usize, _g: &Expr, _x: &[Term], _output: &Term) -> Option<Expr> {
        None
    }
}

#[track_caller]
fn compare(kind: Kind, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => apply1(Compare { kind, scalar: None }, [a, b]),
        Operand::Scalar(s) => apply1(Compare { kind, scalar: Some(s) }, [a]),
    }
}
#[track_caller]
fn compare_inplace(kind: Kind, a: &Tensor, b: Operand) -> Tensor {
    match b {
        Operand::Tensor(b) => apply_inplace(Compare { kind, scalar: None }, &[a, b]),
        Operand::Scalar(s) => apply_inplace(Compare { kind, scalar: Some(s) }, &[a]),
    }
}

/// A question about one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    IsNan,
    IsInf,
    IsFinite,
    IsPosInf,
    IsNegInf,
    SignBit,
    LogicalNot,
}

/// The op of a [`Question`]: bool out.
#[derive(Debug)]
struct Ask(Question);

impl Op for Ask {
    fn name(&self) -> &'static str {
        match self.0 {
            Question::IsNan => "isnan",
            Question::IsInf => "isinf",
            Question::IsFinite => "isfinite",
            Question::IsPosInf => "isposinf",
            Question::IsNegInf => "isneginf",
            Question::SignBit => "signbit",
            Question::LogicalNot => "logical_not",
        }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: DType::Bool, shape: inputs[0].shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: map::Element<Block = T> + Number + cresset_kernels::buffer::Element>(
            q: Question,
            x: &Array,
            meta: &Meta,
        ) -> Array {
            let reading = x.read();
            let input = part(reading.slice::<T>(), x);
            Layout::like(&[Some(x)], meta).build::<u8>(|out, strides| {
                let f = move |v: T| {
                    (match q {
                        Question::LogicalNot => !v.as_bool(),
                        Question::IsNan => v.as_f64().is_nan(),
                        Question::IsInf => v.as_f64().is_infinite(),
                        Question::IsFinite => v.as_f64().is_finite(),
                        Question::IsPosInf => v.as_f64() == f64::INFINITY,
                        Question::IsNegInf => v.as_f64() == f64::NEG_INFINITY,
                        Question::SignBit => v.as_f64().is_sign_negative(),
                    }) as u8
                };
                map::map1::<T, u8>(&meta.shape, f, input, (out, strides));
            })
        }
        let (x, meta) = (inputs[0], &outputs[0]);
        [match x.dtype() {
            DType::F64 => go::<f64>(self.0, x, meta),
            d if d.is_floating_point() => go::<f32>(self.0, &x.to(DType::F32), meta),
            _ => go::<i64>(self.0, &x.to(DType::I64), meta),
        }]
        .into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
}

/// All bits turned over; for bool, not.
#[derive(Debug)]
struct BitwiseNot;
impl Op for BitwiseNot {
    fn name(&self) -> &'static str {
        "bitwise_not"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        if inputs[0].dtype.is_floating_point() {
            return Err(format!("\"bitwise_not_cpu\" not implemented for '{}'", inputs[0].dtype.scalar_name()));
        }
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let bool = outputs[0].dtype == DType::Bool;
        [super::ints(inputs[0], &outputs[0], &|v| if bool { (v == 0) as i64 } else { !v })].into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
}

impl Tensor {
    /// Where `self == other`, element by element, as bool (`torch.eq`, `x == y`).
    #[track_caller]
    pub fn eq<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Eq, self, other.into())
    }
    /// [`Tensor::eq`] written over `self`, in its dtype.
    #[track_caller]
    pub fn eq_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Eq, self, other.into())
    }
    /// Where `self != other`, element by element, as bool (`torch.ne`, `x != y`).
    #[track_caller]
    pub fn ne<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Ne, self, other.into())
    }
    /// [`Tensor::ne`] written over `self`, in its dtype.
    #[track_caller]
    pub fn ne_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Ne, self, other.into())
    }
    /// Where `self < other`, element by element, as bool (`torch.lt`, `x < y`).
    #[track_caller]
    pub fn lt<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Lt, self, other.into())
    }
    /// [`Tensor::lt`] written over `self`, in its dtype.
    #[track_caller]
    pub fn lt_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Lt, self, other.into())
    }
    /// Where `self <= other`, element by element, as bool (`torch.le`, `x <= y`).
    #[track_caller]
    pub fn le<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Le, self, other.into())
    }
    /// [`Tensor::le`] written over `self`, in its dtype.
    #[track_caller]
    pub fn le_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Le, self, other.into())
    }
    /// Where `self > other`, element by element, as bool (`torch.gt`, `x > y`).
    #[track_caller]
    pub fn gt<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Gt, self, other.into())
    }
    /// [`Tensor::gt`] written over `self`, in its dtype.
    #[track_caller]
    pub fn gt_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Gt, self, other.into())
    }
    /// Where `self >= other`, element by element, as bool (`torch.ge`, `x >= y`).
    #[track_caller]
    pub fn ge<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Ge, self, other.into())
    }
    /// [`Tensor::ge`] written over `self`, in its dtype.
    #[track_caller]
    pub fn ge_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Ge, self, other.into())
    }
    /// Are both different from zero? (`torch.logical_and`).
    #[track_caller]
    pub fn logical_and<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::LogicalAnd, self, other.into())
    }
    /// [`Tensor::logical_and`] in place.
    #[track_caller]
    pub fn logical_and_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::LogicalAnd, self, other.into())
    }
    /// Is one different from zero? (`torch.logical_or`).
    #[track_caller]
    pub fn logical_or<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::LogicalOr, self, other.into())
    }
    /// [`Tensor::logical_or`] in place.
    #[track_caller]
    pub fn logical_or_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::LogicalOr, self, other.into())
    }
    /// Is exactly one different from zero? (`torch.logical_xor`).
    #[track_caller]
    pub fn logical_xor<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::LogicalXor, self, other.into())
    }
    /// [`Tensor::logical_xor`] in place.
    #[track_caller]
    pub fn logical_xor_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::LogicalXor, self, other.into())
    }
    /// The bits that both have (`torch.bitwise_and`).
    #[track_caller]
    pub fn bitwise_and<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::BitAnd, self, other.into())
    }
    /// [`Tensor::bitwise_and`] in place.
    #[track_caller]
    pub fn bitwise_and_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::BitAnd, self, other.into())
    }
    /// The bits that one has (`torch.bitwise_or`).
    #[track_caller]
    pub fn bitwise_or<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::BitOr, self, other.into())
    }
    /// [`Tensor::bitwise_or`] in place.
    #[track_caller]
    pub fn bitwise_or_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::BitOr, self, other.into())
    }
    /// The bits that exactly one has (`torch.bitwise_xor`).
    #[track_caller]
    pub fn bitwise_xor<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::BitXor, self, other.into())
    }
    /// [`Tensor::bitwise_xor`] in place.
    #[track_caller]
    pub fn bitwise_xor_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::BitXor, self, other.into())
    }
    /// The bits moved up (`torch.bitwise_left_shift`).
    #[track_caller]
    pub fn bitwise_left_shift<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::ShiftLeft, self, other.into())
    }
    /// [`Tensor::bitwise_left_shift`] in place.
    #[track_caller]
    pub fn bitwise_left_shift_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::ShiftLeft, self, other.into())
    }
    /// The bits moved down, the sign kept (`torch.bitwise_right_shift`).
    #[track_caller]
    pub fn bitwise_right_shift<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::ShiftRight, self, other.into())
    }
    /// [`Tensor::bitwise_right_shift`] in place.
    #[track_caller]
    pub fn bitwise_right_shift_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::ShiftRight, self, other.into())
    }
    /// The greatest common divisor of integers (`torch.gcd`).
    #[track_caller]
    pub fn gcd<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Gcd, self, other.into())
    }
    /// [`Tensor::gcd`] in place.
    #[track_caller]
    pub fn gcd_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Gcd, self, other.into())
    }
    /// The least common multiple of integers (`torch.lcm`).
    #[track_caller]
    pub fn lcm<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Lcm, self, other.into())
    }
    /// [`Tensor::lcm`] in place.
    #[track_caller]
    pub fn lcm_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Lcm, self, other.into())
    }
    /// 0 below zero, 1 above, `other` at zero; not differentiable (`torch.heaviside`).
    #[track_caller]
    pub fn heaviside<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::Heaviside, self, other.into())
    }
    /// [`Tensor::heaviside`] in place.
    #[track_caller]
    pub fn heaviside_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::Heaviside, self, other.into())
    }
    /// The next number of the dtype towards `other` (`torch.nextafter`). The gradient passes to `self` where the two differ.
    #[track_caller]
    pub fn nextafter<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare(Kind::NextAfter, self, other.into())
    }
    /// [`Tensor::nextafter`] in place.
    #[track_caller]
    pub fn nextafter_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        compare_inplace(Kind::NextAfter, self, other.into())
    }
    /// Is it NaN? (`torch.isnan`)
    pub fn isnan(&self) -> Tensor {
        apply1(Ask(Question::IsNan), [self])
    }
    /// Is it infinite? (`torch.isinf`)
    pub fn isinf(&self) -> Tensor {
        apply1(Ask(Question::IsInf), [self])
    }
    /// Is it neither infinite nor NaN? (`torch.isfinite`)
    pub fn isfinite(&self) -> Tensor {
        apply1(Ask(Question::IsFinite), [self])
    }
    /// Is it +infinity? (`torch.isposinf`)
    pub fn isposinf(&self) -> Tensor {
        apply1(Ask(Question::IsPosInf), [self])
    }
    /// Is it -infinity? (`torch.isneginf`)
    pub fn isneginf(&self) -> Tensor {
        apply1(Ask(Question::IsNegInf), [self])
    }
    /// Is its sign bit set (also for -0.0)? (`torch.signbit`)
    pub fn signbit(&self) -> Tensor {
        apply1(Ask(Question::SignBit), [self])
    }
    /// Is it zero? (`torch.logical_not`)
    pub fn logical_not(&self) -> Tensor {
        apply1(Ask(Question::LogicalNot), [self])
    }
    /// [`Tensor::logical_not`] in place.
    #[track_caller]
    pub fn logical_not_(&self) -> Tensor {
        apply_inplace(Ask(Question::LogicalNot), &[self])
    }
    /// All bits turned over; for bool, not (`torch.bitwise_not`, `~x`).
    ///
    /// # Panics
    /// For floating-point dtypes.
    #[track_caller]
    pub fn bitwise_not(&self) -> Tensor {
        apply1(BitwiseNot, [self])
    }
    /// [`Tensor::bitwise_not`] in place.
    #[track_caller]
    pub fn bitwise_not_(&self) -> Tensor {
        apply_inplace(BitwiseNot, &[self])
    }
    /// Are all elements equal, in the same shape (`torch.equal`)?
    ///
    /// # Panics
    /// If the dtypes differ.
    #[track_caller]
    pub fn equal(&self, other: &Tensor) -> bool {
        if self.shape() != other.shape() {
            return false;
        }
        if self.dtype() != other.dtype() {
            crate::error::fail(
                "equal",
                format!(
                    "Expected object of data type {} but got data type {} for argument 'other'",
                    self.dtype(),
                    other.dtype()
                ),
            );
        }
        crate::kernels::scalars(&self.array()).iter().zip(&crate::kernels::scalars(&other.array())).all(|(a, b)| a == b)
    }
    /// Where `|self - other| <= atol + rtol |other|` (`torch.isclose`); two NaN are close if `equal_nan`.
    ///
    /// # Panics
    /// If the dtypes differ or a tolerance is negative.
    #[track_caller]
    pub fn isclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Tensor {
        if self.dtype() != other.dtype() {
            crate::error::fail(
                "isclose",
                format!("{} did not match {}", self.dtype().scalar_name(), other.dtype().scalar_name()),
            );
        }
        if rtol < 0.0 {
            crate::error::fail("isclose", format!("rtol must be greater than or equal to zero, but got {rtol}"));
        }
        if atol < 0.0 {
            crate::error::fail("isclose", format!("atol must be greater than or equal to zero, but got {atol}"));
        }
        let (a, b) = (self.detach(), other.detach());
        let same = a.eq(&b);
        let same = if equal_nan { same.logical_or(&a.isnan().logical_and(&b.isnan())) } else { same };
        if !a.is_floating_point() && rtol == 0.0 && atol == 0.0 {
            return same;
        }
        let (a, b) = if a.is_floating_point() { (a, b) } else { (a.to_dtype(DType::F64), b.to_dtype(DType::F64)) };
        let allowed = b.abs().mul(rtol).add(atol);
        let difference = a.sub(&b).abs();
        same.logical_or(&difference.isfinite().logical_and(&difference.le(&allowed)))
    }
    /// Are all elements close (`torch.allclose`; PyTorch's defaults are rtol 1e-5, atol 1e-8)?
    #[track_caller]
    pub fn allclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> bool {
        let close = self.isclose(other, rtol, atol, equal_nan);
        crate::kernels::scalars(&close.array()).iter().all(|s| s.truth())
    }
}

impl std::ops::Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        self.bitwise_not()
    }
}
macro_rules! bit_operator {
    ($trait:ident, $f:ident, $method:ident) => {
        impl std::ops::$trait<&Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: &Tensor) -> Tensor {
                self.$method(other)
            }
        }
    };
}
bit_operator!(BitAnd, bitand, bitwise_and);
bit_operator!(BitOr, bitor, bitwise_or);
bit_operator!(BitXor, bitxor, bitwise_xor);

/// A table row of a comparison.
macro_rules! row {
    ($name:literal, $f:expr) => {
        OpInfo {
            name: $name,
            torch: concat!("torch.", $name, "(a, b)"),
            samples: || {
                vec![
                    Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2)], |x| $f(&x[0], &x[1])).without_grad(),
                    Sample::new(&[numbers(&[0], 1), numbers(&[], 2)], |x| $f(&x[0], &x[1])).without_grad(),
                ]
            },
            refused: || vec![Sample::new(&[numbers(&[2], 1), numbers(&[3], 2)], |x| $f(&x[0], &x[1]))],
        }
    };
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    row!("eq", |a: &Tensor, b: &Tensor| a.eq(b)),
    row!("ne", |a: &Tensor, b: &Tensor| a.ne(b)),
    row!("lt", |a: &Tensor, b: &Tensor| a.lt(b)),
    row!("le", |a: &Tensor, b: &Tensor| a.le(b)),
    row!("gt", |a: &Tensor, b: &Tensor| a.gt(b)),
    row!("ge", |a: &Tensor, b: &Tensor| a.ge(b)),
    row!("logical_and", |a: &Tensor, b: &Tensor| a.logical_and(b)),
    row!("logical_or", |a: &Tensor, b: &Tensor| a.logical_or(b)),
    row!("logical_xor", |a: &Tensor, b: &Tensor| a.logical_xor(b)),
];
