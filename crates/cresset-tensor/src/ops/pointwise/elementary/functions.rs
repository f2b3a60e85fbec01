//! The functions themselves, with their derivatives.

use super::super::{Ints, Reads, UnaryDef};
use cresset_kernels::lane::{InBlocks, InRegisters, InWideRegisters, Lane, LaneOps, Unary};

const SQRT_PI: f64 = 1.772_453_850_905_516;

#[derive(Clone, Copy, Debug)]
pub(super) struct Neg;
impl Unary for Neg {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.neg()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.splat(-1.0)
    }
}
impl UnaryDef for Neg {
    const NAME: &'static str = "neg";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        x.wrapping_neg()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Abs;
impl Unary for Abs {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.abs()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.sign()
    }
}
impl UnaryDef for Abs {
    const NAME: &'static str = "abs";
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        x.wrapping_abs()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sign;
impl Unary for Sign {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sign()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for Sign {
    const NAME: &'static str = "sign";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Own;
    const FLAT: bool = true;
    fn int(&self, x: i64) -> i64 {
        x.signum()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Square;
impl Unary for Square {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul(x)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul_c(2.0)
    }
}
impl UnaryDef for Square {
    const NAME: &'static str = "square";
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        x.wrapping_mul(x)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Exp;
impl Unary for Exp {
    type Loop = InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.exp()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.clone()
    }
}
impl UnaryDef for Exp {
    const NAME: &'static str = "exp";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Exp2;
impl Unary for Exp2 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.exp2()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul_c(std::f64::consts::LN_2)
    }
}
impl UnaryDef for Exp2 {
    const NAME: &'static str = "exp2";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Expm1;
impl Unary for Expm1 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.expm1()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.add_c(1.0)
    }
}
impl UnaryDef for Expm1 {
    const NAME: &'static str = "expm1";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Log;
impl Unary for Log {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.ln()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.recip()
    }
}
impl UnaryDef for Log {
    const NAME: &'static str = "log";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Log2;
impl Unary for Log2 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.log2()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul_c(std::f64::consts::LN_2).recip()
    }
}
impl UnaryDef for Log2 {
    const NAME: &'static str = "log2";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Log10;
impl Unary for Log10 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.log10()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul_c(std::f64::consts::LN_10).recip()
    }
}
impl UnaryDef for Log10 {
    const NAME: &'static str = "log10";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Log1p;
impl Unary for Log1p {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.log1p()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.add_c(1.0).recip()
    }
}
impl UnaryDef for Log1p {
    const NAME: &'static str = "log1p";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sqrt;
impl Unary for Sqrt {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sqrt()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul_c(2.0).recip()
    }
}
impl UnaryDef for Sqrt {
    const NAME: &'static str = "sqrt";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rsqrt;
impl Unary for Rsqrt {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.rsqrt()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul(y).mul(y).mul_c(-0.5)
    }
}
impl UnaryDef for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const READS: Reads = Reads::Output;
    const STEPS_IN_F16: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Reciprocal;
impl Unary for Reciprocal {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.recip()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul(y).neg()
    }
}
impl UnaryDef for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const READS: Reads = Reads::Output;
    const STEPS_IN_F16: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sin;
impl Unary for Sin {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sin()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.cos()
    }
}
impl UnaryDef for Sin {
    const NAME: &'static str = "sin";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cos;
impl Unary for Cos {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.cos()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.sin().neg()
    }
}
impl UnaryDef for Cos {
    const NAME: &'static str = "cos";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tan;
impl Unary for Tan {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.tan()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul(y).add_c(1.0)
    }
}
impl UnaryDef for Tan {
    const NAME: &'static str = "tan";
    const READS: Reads = Reads::Output;
    const STEPS_IN_F16: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asin;
impl Unary for Asin {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.asin()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).rsub_c(1.0).rsqrt()
    }
}
impl UnaryDef for Asin {
    const NAME: &'static str = "asin";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Acos;
impl Unary for Acos {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.acos()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).rsub_c(1.0).rsqrt().neg()
    }
}
impl UnaryDef for Acos {
    const NAME: &'static str = "acos";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Atan;
impl Unary for Atan {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.atan()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).add_c(1.0).recip()
    }
}
impl UnaryDef for Atan {
    const NAME: &'static str = "atan";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sinh;
impl Unary for Sinh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sinh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.cosh()
    }
}
impl UnaryDef for Sinh {
    const NAME: &'static str = "sinh";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cosh;
impl Unary for Cosh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.cosh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.sinh()
    }
}
impl UnaryDef for Cosh {
    const NAME: &'static str = "cosh";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tanh;
impl Unary for Tanh {
    type Loop = InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.tanh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul(y).rsub_c(1.0)
    }
}
impl UnaryDef for Tanh {
    const NAME: &'static str = "tanh";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asinh;
impl Unary for Asinh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.asinh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).add_c(1.0).rsqrt()
    }
}
impl UnaryDef for Asinh {
    const NAME: &'static str = "asinh";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Acosh;
impl Unary for Acosh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.acosh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).sub_c(1.0).rsqrt()
    }
}
impl UnaryDef for Acosh {
    const NAME: &'static str = "acosh";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Atanh;
impl Unary for Atanh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.atanh()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).rsub_c(1.0).recip()
    }
}
impl UnaryDef for Atanh {
    const NAME: &'static str = "atanh";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sigmoid;
impl Unary for Sigmoid {
    type Loop = InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sigmoid()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.rsub_c(1.0).mul(y)
    }
}
impl UnaryDef for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Erf;
impl Unary for Erf {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.erf()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).neg().exp().mul_c(std::f64::consts::FRAC_2_SQRT_PI)
    }
}
impl UnaryDef for Erf {
    const NAME: &'static str = "erf";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Erfc;
impl Unary for Erfc {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.erfc()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.mul(x).neg().exp().mul_c(-std::f64::consts::FRAC_2_SQRT_PI)
    }
}
impl UnaryDef for Erfc {
    const NAME: &'static str = "erfc";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Erfinv;
impl Unary for Erfinv {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.erfinv()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        y.mul(y).exp().mul_c(SQRT_PI / 2.0)
    }
}
impl UnaryDef for Erfinv {
    const NAME: &'static str = "erfinv";
    const READS: Reads = Reads::Output;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lgamma;
impl Unary for Lgamma {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.lgamma()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.digamma()
    }
}
impl UnaryDef for Lgamma {
    const NAME: &'static str = "lgamma";
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Floor;
impl Unary for Floor {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.floor()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for Floor {
    const NAME: &'static str = "floor";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Keep;
    const FLAT: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ceil;
impl Unary for Ceil {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.ceil()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for Ceil {
    const NAME: &'static str = "ceil";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Keep;
    const FLAT: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Round;
impl Unary for Round {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.round()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for Round {
    const NAME: &'static str = "round";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Keep;
    const FLAT: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Trunc;
impl Unary for Trunc {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.trunc()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for Trunc {
    const NAME: &'static str = "trunc";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Keep;
    const FLAT: bool = true;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Frac;
impl Unary for Frac {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.sub(&x.trunc())
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.splat(1.0)
    }
}
impl UnaryDef for Frac {
    const NAME: &'static str = "frac";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Deg2rad;
impl Unary for Deg2rad {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul_c(std::f64::consts::PI / 180.0)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.splat(std::f64::consts::PI / 180.0)
    }
}
impl UnaryDef for Deg2rad {
    const NAME: &'static str = "deg2rad";
    const READS: Reads = Reads::Nothing;
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rad2deg;
impl Unary for Rad2deg {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul_c(180.0 / std::f64::consts::PI)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.splat(180.0 / std::f64::consts::PI)
    }
}
impl UnaryDef for Rad2deg {
    const NAME: &'static str = "rad2deg";
    const READS: Reads = Reads::Nothing;
}

/// The derivative of `lgamma`; its own derivative is not offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digamma;
impl Unary for Digamma {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.digamma()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        // The trigamma function: pushed up by its recurrence, then its asymptotic series (Abramowitz & Stegun 6.4.6, 6.4.12).
        let mut z = x.clone();
        let mut sum = x.zero();
        for _ in 0..12 {
            sum = sum.add(&z.square().recip());
            z = z.add_c(1.0);
        }
        let r = z.recip();
        let s = r.square();
        let series = s.fma_c(-691.0 / 2730.0, 5.0 / 66.0);
        let series = series.mul(&s).add_c(-1.0 / 30.0);
        let series = series.mul(&s).add_c(1.0 / 42.0);
        let series = series.mul(&s).add_c(-1.0 / 30.0);
        let series = series.mul(&s).add_c(1.0 / 6.0);
        sum.add(&r).add(&s.mul_c(0.5)).add(&series.mul(&s).mul(&r))
    }
}
impl UnaryDef for Digamma {
    const NAME: &'static str = "digamma";
}

/// `sin(πx) / (πx)`
#[derive(Clone, Copy, Debug)]
pub(super) struct Sinc;
impl Unary for Sinc {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let t = x.mul_c(std::f64::consts::PI);
        L::select(&x.eq_c(0.0), &x.splat(1.0), &t.sin().div(&t))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let t = x.mul_c(std::f64::consts::PI);
        let d = t.mul(&t.cos()).sub(&t.sin()).div(&t.mul(x));
        L::select(&x.eq_c(0.0), &x.zero(), &d)
    }
}
impl UnaryDef for Sinc {
    const NAME: &'static str = "sinc";
}

/// `ln(x / (1 - x))`, the argument clamped to [eps, 1 - eps] if eps is not negative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logit {
    pub eps: f64,
}
impl Unary for Logit {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let z = if self.eps < 0.0 {
            x.clone()
        } else {
            // 1 - eps in the type itself, as PyTorch computes it; the lower bound goes before the upper, should they cross.
            let high = x.splat(1.0).sub(&x.splat(self.eps));
            L::select(&x.lt_c(self.eps), &x.splat(self.eps), &L::select(&x.gt(&high), &high, x))
        };
        z.div(&z.rsub_c(1.0)).ln()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let d = x.rsub_c(1.0).mul(x).recip();
        if self.eps < 0.0 {
            let outside = L::or(&x.lt_c(0.0), &x.gt_c(1.0));
            return L::select(&outside, &x.splat(f64::NAN), &d);
        }
        let inside = L::and(&x.ge_c(self.eps), &x.le_c(1.0 - self.eps));
        L::select(&inside, &d, &x.zero())
    }
}
impl UnaryDef for Logit {
    const NAME: &'static str = "logit";
}

/// NaN and infinities replaced by numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct NanToNum {
    pub nan: f64,
    pub posinf: f64,
    pub neginf: f64,
}
impl Unary for NanToNum {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let y = L::select(&x.is_nan(), &x.splat(self.nan), x);
        let y = L::select(&x.eq_c(f64::INFINITY), &x.splat(self.posinf), &y);
        L::select(&x.eq_c(f64::NEG_INFINITY), &x.splat(self.neginf), &y)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let odd = L::or(&x.is_nan(), &x.abs().eq_c(f64::INFINITY));
        L::select(&odd, &x.zero(), &x.splat(1.0))
    }
}
impl UnaryDef for NanToNum {
    const NAME: &'static str = "nan_to_num";
    const INTS: Ints = Ints::Keep;
}

/// Rounded to a number of decimal places.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundDecimals {
    pub scale: f64,
    pub up: bool,
}
impl Unary for RoundDecimals {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        if self.up {
            x.mul_c(self.scale).round().div_c(self.scale)
        } else {
            x.div_c(self.scale).round().mul_c(self.scale)
        }
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.zero()
    }
}
impl UnaryDef for RoundDecimals {
    const NAME: &'static str = "round";
    const READS: Reads = Reads::Nothing;
    const INTS: Ints = Ints::Keep;
    const FLAT: bool = true;
}
