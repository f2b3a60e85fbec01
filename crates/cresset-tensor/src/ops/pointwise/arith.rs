//! Sums, differences, products, quotients, remainders, and the functions of two numbers related to them.

use super::{BinaryDef, Ints, Operand, Slope, apply_binary, apply_binary_inplace, apply_scalar_first};
use crate::error::fail;
use crate::op::Saves;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use crate::{DType, Scalar};
use cresset_kernels::lane::{Binary, InBlocks, InRegisters, Lane, LaneOps};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Add;
impl Binary for Add {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(1.0)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(1.0)
    }
}
impl BinaryDef for Add {
    const NAME: &'static str = "add";
    const QUICK: bool = true;
    const SAVES: Saves = Saves::NOTHING;
    const DA: Slope = Slope::One;
    const DB: Slope = Slope::One;
    const BOOLS: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sub;
impl Binary for Sub {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.sub(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(1.0)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(-1.0)
    }
}
impl BinaryDef for Sub {
    const NAME: &'static str = "sub";
    const QUICK: bool = true;
    const SAVES: Saves = Saves::NOTHING;
    const DA: Slope = Slope::One;
    const DB: Slope = Slope::MinusOne;
    fn int(&self, a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Mul;
impl Binary for Mul {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.mul(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, _a: &L, b: &L, _y: &L) -> L {
        b.clone()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.clone()
    }
}
impl BinaryDef for Mul {
    const NAME: &'static str = "mul";
    const QUICK: bool = true;
    const PRODUCT: bool = true;
    const BOOLS: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        a.wrapping_mul(b)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Div;
impl Binary for Div {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.div(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, _a: &L, b: &L, _y: &L) -> L {
        b.recip()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.div(b).div(b).neg()
    }
}
impl BinaryDef for Div {
    const NAME: &'static str = "div";
    const QUICK: bool = true;
    const INTS: Ints = Ints::ToFloat;
}

/// How a quotient is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundingMode {
    /// Towards minus infinity: `"floor"`.
    Floor,
    /// Towards zero: `"trunc"`.
    Trunc,
}

#[derive(Clone, Copy, Debug)]
struct FloorDivide;
impl Binary for FloorDivide {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        // The exact quotient of what is left after the remainder, so that rounding of a / b cannot step over an integer.
        let m = a.fmod(b);
        let q = a.sub(&m).div(b);
        let zero = a.zero();
        let wrong_side =
            L::and(&m.ne(&zero), &L::or(&L::and(&m.lt(&zero), &b.gt(&zero)), &L::and(&m.gt(&zero), &b.lt(&zero))));
        let q = L::select(&wrong_side, &q.sub_c(1.0), &q);
        let f = q.floor();
        let f = L::select(&q.sub(&f).gt_c(0.5), &f.add_c(1.0), &f);
        let f = L::select(&q.eq(&zero), &a.div(b).copysign(&a.div(b)).mul_c(0.0), &f);
        L::select(&b.eq(&zero), &a.div(b), &f)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.zero()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.zero()
    }
}
impl BinaryDef for FloorDivide {
    const NAME: &'static str = "floor_divide";
    const SAVES: Saves = Saves::NOTHING;
    const DA: Slope = Slope::Zero;
    const DB: Slope = Slope::Zero;
    fn int(&self, a: i64, b: i64) -> i64 {
        let q = a.wrapping_div(b);
        if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) { q - 1 } else { q }
    }
    const GRAD_NAMES: [Option<&'static str>; 2] = [Some("DivBackward1"), Some("DivBackward1")];
}

#[derive(Clone, Copy, Debug)]
struct TruncDivide;
impl Binary for TruncDivide {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.div(b).trunc()
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.zero()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.zero()
    }
}
impl BinaryDef for TruncDivide {
    const NAME: &'static str = "div";
    const SAVES: Saves = Saves::NOTHING;
    const DA: Slope = Slope::Zero;
    const DB: Slope = Slope::Zero;
    fn int(&self, a: i64, b: i64) -> i64 {
        a.wrapping_div(b)
    }
    const GRAD_NAMES: [Option<&'static str>; 2] = [Some("DivBackward1"), Some("DivBackward1")];
}

#[derive(Clone, Copy, Debug)]
struct Remainder;
impl Binary for Remainder {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.rem(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(1.0)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.sub(&a.rem(b)).div(b).round().neg()
    }
}
impl BinaryDef for Remainder {
    const NAME: &'static str = "remainder";
    const DA: Slope = Slope::One;
    fn int(&self, a: i64, b: i64) -> i64 {
        let r = a.wrapping_rem(b);
        if r != 0 && (r < 0) != (b < 0) { r.wrapping_add(b) } else { r }
    }
}

#[derive(Clone, Copy, Debug)]
struct Fmod;
impl Binary for Fmod {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.fmod(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.splat(1.0)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.div(b).trunc().neg()
    }
}
impl BinaryDef for Fmod {
    const NAME: &'static str = "fmod";
    const DA: Slope = Slope::One;
    fn int(&self, a: i64, b: i64) -> i64 {
        a.wrapping_rem(b)
    }
}

/// The larger or the smaller of two numbers; NaN if one is. Equal numbers share the gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extremum<const MAX: bool>;
impl<const MAX: bool> Extremum<MAX> {
    #[inline(always)]
    fn share<L: Lane>(a: &L, b: &L) -> L {
        let half = L::select(&a.eq(b), &a.splat(0.5), &a.zero());
        let wins = if MAX { a.gt(b) } else { a.lt(b) };
        // Beside a NaN both get the whole gradient, as in PyTorch.
        let nan = L::or(&a.is_nan(), &b.is_nan());
        L::select(&L::or(&wins, &nan), &a.splat(1.0), &half)
    }
}
impl<const MAX: bool> Binary for Extremum<MAX> {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let wins = if MAX { a.gt(b) } else { a.lt(b) };
        let y = L::select(&wins, a, b);
        L::select(&a.is_nan(), a, &y)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        Self::share(a, b)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        Self::share(b, a)
    }
}
impl<const MAX: bool> BinaryDef for Extremum<MAX> {
    const NAME: &'static str = if MAX { "maximum" } else { "minimum" };
    const BOOLS: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        if MAX { a.max(b) } else { a.min(b) }
    }
}

/// The larger or the smaller, a NaN counting as missing. Equal numbers share the gradient.
#[derive(Clone, Copy, Debug)]
struct NumberExtremum<const MAX: bool>;
impl<const MAX: bool> NumberExtremum<MAX> {
    #[inline(always)]
    fn first<L: Lane>(a: &L, b: &L) -> L::Mask {
        let wins = if MAX { a.ge(b) } else { a.le(b) };
        L::or(&wins, &b.is_nan())
    }
}
impl<const MAX: bool> Binary for NumberExtremum<MAX> {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        L::select(&Self::first(a, b), a, b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        let whole = L::select(&Self::first(a, b), &a.splat(1.0), &a.zero());
        L::select(&a.eq(b), &a.splat(0.5), &whole)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        let whole = L::select(&Self::first(a, b), &a.zero(), &a.splat(1.0));
        L::select(&a.eq(b), &a.splat(0.5), &whole)
    }
}
impl<const MAX: bool> BinaryDef for NumberExtremum<MAX> {
    const NAME: &'static str = if MAX { "fmax" } else { "fmin" };
    const BOOLS: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        if MAX { a.max(b) } else { a.min(b) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Atan2;
impl Binary for Atan2 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.atan2(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        b.div(&a.square().add(&b.square()))
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.neg().div(&a.square().add(&b.square()))
    }
}
impl BinaryDef for Atan2 {
    const NAME: &'static str = "atan2";
    const INTS: Ints = Ints::ToFloat;
}

#[derive(Clone, Copy, Debug)]
struct Hypot;
impl Binary for Hypot {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let (x, y) = (a.abs(), b.abs());
        let (big, small) = (L::select(&x.gt(&y), &x, &y), L::select(&x.gt(&y), &y, &x));
        let r = small.div(&big);
        let h = big.mul(&r.square().add_c(1.0).sqrt());
        let h = L::select(&big.eq(&a.zero()), &big, &h);
        let infinite = L::or(&x.eq_c(f64::INFINITY), &y.eq_c(f64::INFINITY));
        L::select(&infinite, &a.splat(f64::INFINITY), &h)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, y: &L) -> L {
        a.div(y)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, _a: &L, b: &L, y: &L) -> L {
        b.div(y)
    }
}
impl BinaryDef for Hypot {
    const NAME: &'static str = "hypot";
    const SAVES: Saves = Saves { inputs: 0b11, outputs: 1 };
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct CopySign;
impl Binary for CopySign {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.copysign(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, y: &L) -> L {
        L::select(&a.eq(&a.zero()), &a.zero(), &a.sign().mul(&y.sign()))
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.zero()
    }
}
impl BinaryDef for CopySign {
    const NAME: &'static str = "copysign";
    const SAVES: Saves = Saves { inputs: 0b01, outputs: 1 };
    const DB: Slope = Slope::Zero;
    const INTS: Ints = Ints::ToFloat;
}

/// `ln(exp(a) + exp(b))`, in base e or 2.
#[derive(Clone, Copy, Debug)]
struct LogAddExp<const BASE2: bool>;
impl<const BASE2: bool> Binary for LogAddExp<BASE2> {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let m = L::select(&a.gt(b), a, b);
        let d = a.sub(b).abs().neg();
        let tail = if BASE2 { d.exp2().log1p().mul_c(std::f64::consts::LOG2_E) } else { d.exp().log1p() };
        let infinite = L::and(&a.eq(b), &a.abs().eq_c(f64::INFINITY));
        let y = L::select(&infinite, a, &m.add(&tail));
        L::select(&L::or(&a.is_nan(), &b.is_nan()), &a.add(b), &y)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        let d = b.sub(a);
        if BASE2 { d.exp2().add_c(1.0).recip() } else { d.exp().add_c(1.0).recip() }
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, y: &L) -> L {
        self.da(b, a, y)
    }
}
impl<const BASE2: bool> BinaryDef for LogAddExp<BASE2> {
    const NAME: &'static str = if BASE2 { "logaddexp2" } else { "logaddexp" };
    const INTS: Ints = Ints::Refuse;
}

/// `a * ln(b)` with 0 for a = 0.
#[derive(Clone, Copy, Debug)]
struct Xlogy;
impl Binary for Xlogy {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let y = L::select(&a.eq(&a.zero()), &a.zero(), &a.mul(&b.ln()));
        L::select(&b.is_nan(), b, &y)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        L::select(&L::and(&a.eq(&a.zero()), &b.le(&b.zero())), &a.zero(), &b.ln())
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.div(b)
    }
}
impl BinaryDef for Xlogy {
    const NAME: &'static str = "xlogy";
    const INTS: Ints = Ints::ToFloat;
}

/// Refuses an integer quotient or remainder by zero, which has no value.
#[track_caller]
fn check_zero(name: &'static str, a: &Tensor, b: Operand) {
    if a.is_floating_point() {
        return;
    }
    let zero = match b {
        Operand::Scalar(s) => !s.is_float() && !s.truth(),
        Operand::Tensor(b) => !b.is_floating_point() && crate::kernels::scalars(&b.array()).iter().any(|s| !s.truth()),
    };
    if zero {
        fail(name, "ZeroDivisionError");
    }
}

/// Is `alpha` the plain sum?
fn is_one(alpha: Scalar) -> bool {
    alpha.f64() == 1.0
}

/// Calls through a function without type parameters, so that the op is compiled here: what only generic methods call is compiled, kernels and
/// all, in every crate that uses it. That is left so for the rarer ops, which most programs never need.
macro_rules! once {
    ($apply:ident, $op:expr, $a:expr, $b:expr) => {{
        #[track_caller]
        fn once(a: &Tensor, b: Operand) -> Tensor {
            $apply($op, a, b)
        }
        once($a, $b)
    }};
}

impl Tensor {
    /// `self + other` (`x.add(other)`); also the operator `+`.
    #[track_caller]
    pub fn add<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary, Add, self, other.into())
    }
    /// `self + alpha * other` (`x.add(other, alpha=alpha)`).
    ///
    /// # Panics
    /// If `alpha` is fractional while both operands are integers.
    #[track_caller]
    pub fn add_scaled<'a>(&self, other: impl Into<Operand<'a>>, alpha: impl Into<Scalar>) -> Tensor {
        let other = scaled("add", self, other.into(), alpha.into());
        self.add(other.as_operand())
    }
    /// `self - other` (`x.sub(other)`); also the operator `-`.
    #[track_caller]
    pub fn sub<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary, Sub, self, other.into())
    }
    /// `self - alpha * other` (`x.sub(other, alpha=alpha)`).
    #[track_caller]
    pub fn sub_scaled<'a>(&self, other: impl Into<Operand<'a>>, alpha: impl Into<Scalar>) -> Tensor {
        let other = scaled("sub", self, other.into(), alpha.into());
        self.sub(other.as_operand())
    }
    /// `other - self` (`torch.rsub(x, other)`).
    #[track_caller]
    pub fn rsub<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        match other.into() {
            Operand::Tensor(other) => other.sub(self),
            Operand::Scalar(s) => apply_scalar_first(Sub, s, self),
        }
    }
    /// `self * other` (`x.mul(other)`); also the operator `*`.
    #[track_caller]
    pub fn mul<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary, Mul, self, other.into())
    }
    /// `self / other`, in floating point also for integers (`x.div(other)`); also the operator `/`.
    #[track_caller]
    pub fn div<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary, Div, self, other.into())
    }
    /// The quotient rounded to an integer (`x.div(other, rounding_mode=...)`). Its gradient is zero.
    #[track_caller]
    pub fn div_rounded<'a>(&self, other: impl Into<Operand<'a>>, mode: RoundingMode) -> Tensor {
        let other = other.into();
        check_zero("div", self, other);
        match mode {
            RoundingMode::Floor => apply_binary(FloorDivide, self, other),
            RoundingMode::Trunc => apply_binary(TruncDivide, self, other),
        }
    }
    /// The quotient rounded towards minus infinity (`x.floor_divide(other)`, `x // other`).
    #[track_caller]
    pub fn floor_divide<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        self.div_rounded(other, RoundingMode::Floor)
    }
    /// What is left of the quotient rounded towards minus infinity: it has the sign of `other` (`x.remainder(other)`, `x % other`).
    #[track_caller]
    pub fn remainder<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        let other = other.into();
        check_zero("remainder", self, other);
        apply_binary(Remainder, self, other)
    }
    /// What is left of the quotient rounded towards zero: it has the sign of `self` (`x.fmod(other)`).
    #[track_caller]
    pub fn fmod<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        let other = other.into();
        check_zero("fmod", self, other);
        apply_binary(Fmod, self, other)
    }
    /// The larger of two numbers, NaN if one is (`torch.maximum`). Equal numbers share the gradient.
    #[track_caller]
    pub fn maximum<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(Extremum::<true>, self, other.into())
    }
    /// The smaller of two numbers, NaN if one is (`torch.minimum`). Equal numbers share the gradient.
    #[track_caller]
    pub fn minimum<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(Extremum::<false>, self, other.into())
    }
    /// The larger of two numbers, the other one if one is NaN (`torch.fmax`).
    #[track_caller]
    pub fn fmax<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(NumberExtremum::<true>, self, other.into())
    }
    /// The smaller of two numbers, the other one if one is NaN (`torch.fmin`).
    #[track_caller]
    pub fn fmin<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(NumberExtremum::<false>, self, other.into())
    }
    /// The angle of the point (other, self), in (-π, π] (`torch.atan2(y, x)`).
    #[track_caller]
    pub fn atan2<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(Atan2, self, other.into())
    }
    /// `sqrt(self² + other²)` without overflow (`torch.hypot`).
    #[track_caller]
    pub fn hypot<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(Hypot, self, other.into())
    }
    /// The magnitude of `self` with the sign of `other` (`torch.copysign`).
    #[track_caller]
    pub fn copysign<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(CopySign, self, other.into())
    }
    /// `ln(exp(self) + exp(other))` without overflow (`torch.logaddexp`).
    #[track_caller]
    pub fn logaddexp(&self, other: &Tensor) -> Tensor {
        apply_binary(LogAddExp::<false>, self, other.into())
    }
    /// `log2(2^self + 2^other)` without overflow (`torch.logaddexp2`).
    #[track_caller]
    pub fn logaddexp2(&self, other: &Tensor) -> Tensor {
        apply_binary(LogAddExp::<true>, self, other.into())
    }
    /// `self * ln(other)`, 0 where `self` is 0 (`torch.xlogy`).
    #[track_caller]
    pub fn xlogy<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary(Xlogy, self, other.into())
    }

    /// `self += other` (`x.add_(other)`); also the operator `+=`.
    #[track_caller]
    pub fn add_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary_inplace, Add, self, other.into())
    }
    /// `self += alpha * other` (`x.add_(other, alpha=alpha)`).
    #[track_caller]
    pub fn add_scaled_<'a>(&self, other: impl Into<Operand<'a>>, alpha: impl Into<Scalar>) -> Tensor {
        let other = scaled("add", self, other.into(), alpha.into());
        self.add_(other.as_operand())
    }
    /// `self -= other` (`x.sub_(other)`); also the operator `-=`.
    #[track_caller]
    pub fn sub_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary_inplace, Sub, self, other.into())
    }
    /// `self -= alpha * other` (`x.sub_(other, alpha=alpha)`).
    #[track_caller]
    pub fn sub_scaled_<'a>(&self, other: impl Into<Operand<'a>>, alpha: impl Into<Scalar>) -> Tensor {
        let other = scaled("sub", self, other.into(), alpha.into());
        self.sub_(other.as_operand())
    }
    /// `self *= other` (`x.mul_(other)`); also the operator `*=`.
    #[track_caller]
    pub fn mul_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary_inplace, Mul, self, other.into())
    }
    /// `self /= other` (`x.div_(other)`); also the operator `/=`.
    #[track_caller]
    pub fn div_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        once!(apply_binary_inplace, Div, self, other.into())
    }
    /// The rounded quotient in place (`x.div_(other, rounding_mode=...)`).
    #[track_caller]
    pub fn div_rounded_<'a>(&self, other: impl Into<Operand<'a>>, mode: RoundingMode) -> Tensor {
        let other = other.into();
        check_zero("div", self, other);
        match mode {
            RoundingMode::Floor => apply_binary_inplace(FloorDivide, self, other),
            RoundingMode::Trunc => apply_binary_inplace(TruncDivide, self, other),
        }
    }
    /// The floored quotient in place (`x.floor_divide_(other)`).
    #[track_caller]
    pub fn floor_divide_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        self.div_rounded_(other, RoundingMode::Floor)
    }
    /// The remainder in place (`x.remainder_(other)`).
    #[track_caller]
    pub fn remainder_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        let other = other.into();
        check_zero("remainder", self, other);
        apply_binary_inplace(Remainder, self, other)
    }
    /// The remainder towards zero in place (`x.fmod_(other)`).
    #[track_caller]
    pub fn fmod_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        let other = other.into();
        check_zero("fmod", self, other);
        apply_binary_inplace(Fmod, self, other)
    }
    /// [`Tensor::atan2`] in place.
    #[track_caller]
    pub fn atan2_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary_inplace(Atan2, self, other.into())
    }
    /// [`Tensor::hypot`] in place.
    #[track_caller]
    pub fn hypot_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary_inplace(Hypot, self, other.into())
    }
    /// [`Tensor::copysign`] in place.
    #[track_caller]
    pub fn copysign_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary_inplace(CopySign, self, other.into())
    }
    /// [`Tensor::xlogy`] in place.
    #[track_caller]
    pub fn xlogy_<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
        apply_binary_inplace(Xlogy, self, other.into())
    }
}

/// `alpha * other`, still a number if `other` is one.
enum Scaled {
    Tensor(Tensor),
    Scalar(Scalar),
}
impl Scaled {
    fn as_operand(&self) -> Operand<'_> {
        match self {
            Scaled::Tensor(t) => Operand::Tensor(t),
            Scaled::Scalar(s) => Operand::Scalar(*s),
        }
    }
}
#[track_caller]
fn scaled(name: &'static str, x: &Tensor, other: Operand, alpha: Scalar) -> Scaled {
    let (other_float, other_bool) = match other {
        Operand::Tensor(t) => (t.is_floating_point(), t.dtype() == DType::Bool),
        Operand::Scalar(s) => (s.is_float(), matches!(s, Scalar::Bool(_))),
    };
    if !x.is_floating_point() && !other_float && alpha.is_float() {
        fail(name, "For integral input tensors, argument alpha must not be a floating point number.");
    }
    if matches!(alpha, Scalar::Bool(_)) && !(x.dtype() == DType::Bool && other_bool) {
        fail(name, "Boolean alpha only supported for Boolean results.");
    }
    match other {
        Operand::Tensor(t) if is_one(alpha) => Scaled::Tensor(t.clone()),
        Operand::Tensor(t) => Scaled::Tensor(t.mul(alpha)),
        Operand::Scalar(s) if s.is_float() || alpha.is_float() => Scaled::Scalar(Scalar::Float(s.f64() * alpha.f64())),
        Operand::Scalar(s) => Scaled::Scalar(Scalar::Int(s.i64().wrapping_mul(alpha.i64()))),
    }
}

fn two_by_three() -> [Tensor; 2] {
    [numbers(&[2, 3], 1), numbers(&[2, 3], 2)]
}
fn mismatch(f: fn(&Tensor, &Tensor) -> Tensor) -> Vec<Sample> {
    vec![Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 4], 2)], move |x| f(&x[0], &x[1]))]
}
fn binary_samples(f: fn(&Tensor, &Tensor) -> Tensor) -> Vec<Sample> {
    vec![
        Sample::new(&two_by_three(), move |x| f(&x[0], &x[1])),
        Sample::new(&[numbers(&[2, 1, 3], 1), numbers(&[4, 1], 2)], move |x| f(&x[0], &x[1])),
        Sample::new(&[numbers(&[3], 1), numbers(&[], 2)], move |x| f(&x[0], &x[1])),
        Sample::new(&[numbers(&[0, 3], 1), numbers(&[3], 2)], move |x| f(&x[0], &x[1])),
    ]
}

/// A table row of a binary op.
macro_rules! row {
    ($name:literal, $torch:literal, $f:expr) => {
        OpInfo { name: $name, torch: $torch, samples: || binary_samples($f), refused: || mismatch($f) }
    };
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    row!("add", "a + b", |a, b| a + b),
    row!("sub", "a - b", |a, b| a - b),
    row!("mul", "a * b", |a, b| a * b),
    row!("div", "a / b", |a, b| a / b),
    row!("remainder", "torch.remainder(a, b)", |a, b| a.remainder(b)),
    row!("fmod", "torch.fmod(a, b)", |a, b| a.fmod(b)),
    row!("maximum", "torch.maximum(a, b)", |a, b| a.maximum(b)),
    row!("minimum", "torch.minimum(a, b)", |a, b| a.minimum(b)),
    row!("fmax", "torch.fmax(a, b)", |a, b| a.fmax(b)),
    row!("fmin", "torch.fmin(a, b)", |a, b| a.fmin(b)),
    row!("atan2", "torch.atan2(a, b)", |a, b| a.atan2(b)),
    row!("hypot", "torch.hypot(a, b)", |a, b| a.hypot(b)),
    row!("copysign", "torch.copysign(a, b)", |a, b| a.copysign(b)),
    row!("logaddexp", "torch.logaddexp(a, b)", |a, b| a.logaddexp(b)),
    row!("logaddexp2", "torch.logaddexp2(a, b)", |a, b| a.logaddexp2(b)),
    OpInfo {
        name: "floor_divide",
        torch: "torch.floor_divide(a, b)",
        samples: || binary_samples(|a, b| a.floor_divide(b)),
        refused: || vec![Sample::new(&[numbers(&[2], 1).to_dtype(DType::I64)], |x| x[0].floor_divide(0i64))],
    },
    OpInfo {
        name: "xlogy",
        torch: "torch.xlogy(a, b)",
        samples: || vec![Sample::new(&two_by_three(), |x| x[0].xlogy(&x[1].square().add(0.1)))],
        refused: || mismatch(|a, b| a.xlogy(b)),
    },
    OpInfo {
        name: "scalar operands",
        torch: "2 - x, x * 3, 1 / x",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| 2.0 - &x[0]),
                Sample::new(&[numbers(&[2, 3], 1)], |x| &x[0] * 3.0),
                Sample::new(&[numbers(&[2, 3], 1)], |x| 1.0 / &x[0]),
                Sample::new(&[numbers(&[2, 3], 1)], |x| &x[0] / 4.0),
                Sample::new(&two_by_three(), |x| x[0].add_scaled(&x[1], 2.5)),
                Sample::new(&two_by_three(), |x| x[0].sub_scaled(&x[1], 2.5)),
            ]
        },
        refused: || vec![Sample::new(&[Tensor::full([2], 1i64)], |x| x[0].add_scaled(&x[0], 1.5))],
    },
];
