//! The vocabulary in which every pointwise operation is written, once.
//!
//! A function over [`Lane`] is arithmetic without a fixed kind of number. The kernels instantiate it with
//! [`Real`](crate::math::Real), which the compiler turns into vector instructions of every [`Level`](crate::level::Level); a tensor
//! library instantiates it with tensors, which makes derivatives differentiable; an expression tree can be recorded from it.
//!
//! ```
//! use cresset_kernels::lane::{InRegisters, Lane, LaneOps, Unary};
//!
//! #[derive(Clone, Copy)]
//! struct Silu;
//! impl Unary for Silu {
//!     type Loop = InRegisters;
//!     fn eval<L: Lane>(&self, x: &L) -> L {
//!         x.mul(&x.sigmoid())
//!     }
//!     fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
//!         let s = x.sigmoid();
//!         s.mul(&x.mul(&s.rsub_c(1.0)).add_c(1.0))
//!     }
//! }
//!
//! let x = [1.0f32, -2.0];
//! let mut y = [0.0f32; 2];
//! cresset_kernels::map::unary(Silu, &[2], (&x, &[1]), (&mut y, &[1]));
//! assert!((y[0] - 0.731_058_6).abs() < 1e-6);
//! ```

/// A number, or many of them in step: what pointwise functions are written over.
///
/// No method has a default, so that whoever implements it answers for each. Floating-point rules follow PyTorch: `min`, `max` and
/// all functions propagate NaN, comparisons with NaN are false except `ne`, `round` goes to even.
pub trait Lane: Clone {
    /// The result of a comparison: yes or no for each element.
    type Mask: Clone;

    /// The constant `v`, of `self`'s kind (dtype, device, width).
    fn splat(&self, v: f64) -> Self;

    /// `self + b`
    fn add(&self, b: &Self) -> Self;
    /// `self - b`
    fn sub(&self, b: &Self) -> Self;
    /// `self * b`
    fn mul(&self, b: &Self) -> Self;
    /// `self / b`
    fn div(&self, b: &Self) -> Self;
    /// `-self`
    fn neg(&self) -> Self;
    /// `self * b + c`, with one rounding where the processor can.
    fn fma(&self, b: &Self, c: &Self) -> Self;
    /// The smaller; NaN if either is.
    fn min(&self, b: &Self) -> Self;
    /// The larger; NaN if either is.
    fn max(&self, b: &Self) -> Self;
    /// `|self|`
    fn abs(&self) -> Self;
    /// -1, 0 or 1 by the sign; 0 for NaN, as `torch.sign` has it.
    fn sign(&self) -> Self;
    /// `|self|` with the sign bit of `b`.
    fn copysign(&self, b: &Self) -> Self;
    /// The square root.
    fn sqrt(&self) -> Self;
    /// `1 / sqrt(self)`
    fn rsqrt(&self) -> Self;
    /// `1 / self`
    fn recip(&self) -> Self;
    /// The largest integer not above.
    fn floor(&self) -> Self;
    /// The smallest integer not below.
    fn ceil(&self) -> Self;
    /// The nearest integer, halves to the even one.
    fn round(&self) -> Self;
    /// The integer part, towards zero.
    fn trunc(&self) -> Self;
    /// C's `fmod`: the remainder with the sign of `self`.
    fn fmod(&self, b: &Self) -> Self;
    /// `torch.remainder`: the remainder with the sign of `b`.
    fn rem(&self, b: &Self) -> Self;

    /// e to the power `self`.
    fn exp(&self) -> Self;
    /// 2 to the power `self`.
    fn exp2(&self) -> Self;
    /// `exp(self) - 1`, exact for small numbers.
    fn expm1(&self) -> Self;
    /// The natural logarithm.
    fn ln(&self) -> Self;
    /// The logarithm to base 2.
    fn log2(&self) -> Self;
    /// The logarithm to base 10.
    fn log10(&self) -> Self;
    /// `ln(1 + self)`, exact for small numbers.
    fn log1p(&self) -> Self;
    /// `self` to the power `b`.
    fn pow(&self, b: &Self) -> Self;

    /// The sine.
    fn sin(&self) -> Self;
    /// The cosine.
    fn cos(&self) -> Self;
    /// The tangent.
    fn tan(&self) -> Self;
    /// The inverse sine.
    fn asin(&self) -> Self;
    /// The inverse cosine.
    fn acos(&self) -> Self;
    /// The inverse tangent.
    fn atan(&self) -> Self;
    /// The angle of the point (x = `x`, y = `self`).
    fn atan2(&self, x: &Self) -> Self;
    /// The hyperbolic sine.
    fn sinh(&self) -> Self;
    /// The hyperbolic cosine.
    fn cosh(&self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(&self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh(&self) -> Self;
    /// The inverse hyperbolic cosine.
    fn acosh(&self) -> Self;
    /// The inverse hyperbolic tangent.
    fn atanh(&self) -> Self;

    /// `1 / (1 + exp(-self))`, accurate in both tails.
    fn sigmoid(&self) -> Self;
    /// The error function.
    fn erf(&self) -> Self;
    /// `1 - erf(self)`, accurate in the tail.
    fn erfc(&self) -> Self;
    /// The standard normal distribution function, to a rounding of 1: all that a factor beside it keeps (GELU), at a fraction of the time of
    /// [`erf`](Lane::erf). [`LaneOps::normal_cdf`] is accurate in the tail, too.
    fn gaussian(&self) -> Self;
    /// The inverse of `erf`.
    fn erfinv(&self) -> Self;
    /// The logarithm of |Γ(self)|.
    fn lgamma(&self) -> Self;
    /// The derivative of [`lgamma`](Lane::lgamma).
    fn digamma(&self) -> Self;

    /// `self < b`
    fn lt(&self, b: &Self) -> Self::Mask;
    /// `self <= b`
    fn le(&self, b: &Self) -> Self::Mask;
    /// `self > b`
    fn gt(&self, b: &Self) -> Self::Mask;
    /// `self >= b`
    fn ge(&self, b: &Self) -> Self::Mask;
    /// `self == b`
    fn eq(&self, b: &Self) -> Self::Mask;
    /// `self != b` (true if either is NaN)
    fn ne(&self, b: &Self) -> Self::Mask;
    /// Is it NaN?
    fn is_nan(&self) -> Self::Mask;

    /// Both.
    fn and(a: &Self::Mask, b: &Self::Mask) -> Self::Mask;
    /// Either.
    fn or(a: &Self::Mask, b: &Self::Mask) -> Self::Mask;
    /// The opposite.
    fn not(a: &Self::Mask) -> Self::Mask;
    /// `yes` where the mask holds, `no` elsewhere. Both are computed; the one not taken may be NaN or infinite without harm.
    fn select(mask: &Self::Mask, yes: &Self, no: &Self) -> Self;
}

/// Shorter spellings over [`Lane`]: constants as operands and a few compositions. `_c` takes a constant.
pub trait LaneOps: Lane {
    /// `self + c`
    #[inline(always)]
    fn add_c(&self, c: f64) -> Self {
        self.add(&self.splat(c))
    }
    /// `self - c`
    #[inline(always)]
    fn sub_c(&self, c: f64) -> Self {
        self.sub(&self.splat(c))
    }
    /// `c - self`
    #[inline(always)]
    fn rsub_c(&self, c: f64) -> Self {
        self.splat(c).sub(self)
    }
    /// `self * c`
    #[inline(always)]
    fn mul_c(&self, c: f64) -> Self {
        self.mul(&self.splat(c))
    }
    /// `self / c`
    #[inline(always)]
    fn div_c(&self, c: f64) -> Self {
        self.div(&self.splat(c))
    }
    /// `c / self`
    #[inline(always)]
    fn rdiv_c(&self, c: f64) -> Self {
        self.splat(c).div(self)
    }
    /// `self * m + a`
    #[inline(always)]
    fn fma_c(&self, m: f64, a: f64) -> Self {
        self.fma(&self.splat(m), &self.splat(a))
    }
    /// The smaller of `self` and `c`.
    #[inline(always)]
    fn min_c(&self, c: f64) -> Self {
        self.min(&self.splat(c))
    }
    /// The larger of `self` and `c`.
    #[inline(always)]
    fn max_c(&self, c: f64) -> Self {
        self.max(&self.splat(c))
    }
    /// `self < c`
    #[inline(always)]
    fn lt_c(&self, c: f64) -> Self::Mask {
        self.lt(&self.splat(c))
    }
    /// `self <= c`
    #[inline(always)]
    fn le_c(&self, c: f64) -> Self::Mask {
        self.le(&self.splat(c))
    }
    /// `self > c`
    #[inline(always)]
    fn gt_c(&self, c: f64) -> Self::Mask {
        self.gt(&self.splat(c))
    }
    /// `self >= c`
    #[inline(always)]
    fn ge_c(&self, c: f64) -> Self::Mask {
        self.ge(&self.splat(c))
    }
    /// `self == c`
    #[inline(always)]
    fn eq_c(&self, c: f64) -> Self::Mask {
        self.eq(&self.splat(c))
    }
    /// `self * self`
    #[inline(always)]
    fn square(&self) -> Self {
        self.mul(self)
    }
    /// Zero of `self`'s kind.
    #[inline(always)]
    fn zero(&self) -> Self {
        self.splat(0.0)
    }
    /// One of `self`'s kind.
    #[inline(always)]
    fn one(&self) -> Self {
        self.splat(1.0)
    }
    /// `ln(1 + exp(self))` without overflow or cancellation.
    #[inline(always)]
    fn softplus(&self) -> Self {
        self.max(&self.zero()).add(&self.abs().neg().exp().log1p())
    }
    /// `ln(sigmoid(self))` without overflow or cancellation.
    #[inline(always)]
    fn log_sigmoid(&self) -> Self {
        self.neg().softplus().neg()
    }
    /// The standard normal distribution function, accurate in the tail.
    #[inline(always)]
    fn normal_cdf(&self) -> Self {
        self.mul_c(-std::f64::consts::FRAC_1_SQRT_2).erfc().mul_c(0.5)
    }
    /// The standard normal density.
    #[inline(always)]
    fn normal_pdf(&self) -> Self {
        self.square().mul_c(-0.5).exp().mul_c(0.398_942_280_401_432_7)
    }
}
impl<L: Lane> LaneOps for L {}

/// How the loop around a function is compiled.
pub trait Style: 'static {
    /// In one piece?
    const WHOLE: bool;
    /// With a loop of its own for AVX-512?
    const WIDE: bool;
}
/// The whole function is compiled into its loop, for each level and type: fastest, but each such function adds a second or more to the
/// time that the library takes to compile.
#[derive(Clone, Copy, Debug)]
pub struct InRegisters;
/// [`InRegisters`] with one more loop, for AVX-512: for functions of many steps, which are not done when the memory has them.
#[derive(Clone, Copy, Debug)]
pub struct InWideRegisters;
/// The function is written down as a list of steps, which are run over blocks of 64 numbers: about as fast for functions of few steps on data
/// in cache, and almost free to compile.
#[derive(Clone, Copy, Debug)]
pub struct InBlocks;
impl Style for InRegisters {
    const WHOLE: bool = true;
    const WIDE: bool = false;
}
impl Style for InWideRegisters {
    const WHOLE: bool = true;
    const WIDE: bool = true;
}
impl Style for InBlocks {
    const WHOLE: bool = false;
    const WIDE: bool = false;
}

/// A pointwise function of one number, with its derivative. The value may carry hyperparameters. Mark both methods
/// `#[inline(always)]`: the loop around them is compiled for each level.
pub trait Unary: Copy + Send + Sync + 'static {
    /// [`InRegisters`] for a function in the hot path, [`InBlocks`] for the others.
    type Loop: Style;
    /// `f(x)`
    fn eval<L: Lane>(&self, x: &L) -> L;
    /// `f'(x)`, given `x` and `y = f(x)`. A function that reads only one of them says so where it is saved; the other argument is
    /// then a stand-in.
    fn derivative<L: Lane>(&self, x: &L, y: &L) -> L;
}

/// A pointwise function of two numbers, with its derivatives.
pub trait Binary: Copy + Send + Sync + 'static {
    /// [`InRegisters`] for a function in the hot path, [`InBlocks`] for the others.
    type Loop: Style;
    /// `f(a, b)`
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L;
    /// `∂f/∂a`, given `y = f(a, b)`.
    fn da<L: Lane>(&self, a: &L, b: &L, y: &L) -> L;
    /// `∂f/∂b`, given `y = f(a, b)`.
    fn db<L: Lane>(&self, a: &L, b: &L, y: &L) -> L;
}

/// A pointwise function of three numbers, with its derivatives.
pub trait Ternary: Copy + Send + Sync + 'static {
    /// [`InRegisters`] for a function in the hot path, [`InBlocks`] for the others.
    type Loop: Style;
    /// `f(a, b, c)`
    fn eval<L: Lane>(&self, a: &L, b: &L, c: &L) -> L;
    /// `∂f/∂a`
    fn da<L: Lane>(&self, a: &L, b: &L, c: &L) -> L;
    /// `∂f/∂b`
    fn db<L: Lane>(&self, a: &L, b: &L, c: &L) -> L;
    /// `∂f/∂c`
    fn dc<L: Lane>(&self, a: &L, b: &L, c: &L) -> L;
}
