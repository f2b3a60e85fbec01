//! The elementary functions of one number.

mod functions;

use self::functions::{
    Abs, Acos, Acosh, Asin, Asinh, Atan, Atanh, Ceil, Cos, Cosh, Deg2rad, Digamma, Erf, Erfc, Erfinv, Exp, Exp2, Expm1,
    Floor, Frac, Lgamma, Log, Log1p, Log2, Log10, Logit, NanToNum, Neg, Rad2deg, Reciprocal, Round, RoundDecimals,
    Rsqrt, Sigmoid, Sign, Sin, Sinc, Sinh, Sqrt, Square, Tan, Tanh, Trunc,
};
use super::{apply_unary, apply_unary_inplace};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use crate::{DType, error::fail};

impl Tensor {
    /// `-x`; also the operator (`torch.neg`).
    pub fn neg(&self) -> Tensor {
        apply_unary(Neg, self)
    }
    /// [`Tensor::neg`] in place.
    #[track_caller]
    pub fn neg_(&self) -> Tensor {
        apply_unary_inplace(Neg, self)
    }
    /// `|x|` (`torch.abs`).
    pub fn abs(&self) -> Tensor {
        apply_unary(Abs, self)
    }
    /// [`Tensor::abs`] in place.
    #[track_caller]
    pub fn abs_(&self) -> Tensor {
        apply_unary_inplace(Abs, self)
    }
    /// -1, 0 or 1 (`torch.sign`).
    pub fn sign(&self) -> Tensor {
        if self.dtype() == DType::Bool {
            return self.duplicate();
        }
        apply_unary(Sign, self)
    }
    /// [`Tensor::sign`] in place.
    #[track_caller]
    pub fn sign_(&self) -> Tensor {
        if self.dtype() == DType::Bool {
            return self.clone();
        }
        apply_unary_inplace(Sign, self)
    }
    /// `x²` (`torch.square`).
    pub fn square(&self) -> Tensor {
        if self.dtype() == DType::Bool {
            return self.to_dtype(DType::I64);
        }
        apply_unary(Square, self)
    }
    /// [`Tensor::square`] in place.
    #[track_caller]
    pub fn square_(&self) -> Tensor {
        apply_unary_inplace(Square, self)
    }
    /// `e^x` (`torch.exp`).
    pub fn exp(&self) -> Tensor {
        apply_unary(Exp, self)
    }
    /// [`Tensor::exp`] in place.
    #[track_caller]
    pub fn exp_(&self) -> Tensor {
        apply_unary_inplace(Exp, self)
    }
    /// `2^x` (`torch.exp2`).
    pub fn exp2(&self) -> Tensor {
        apply_unary(Exp2, self)
    }
    /// [`Tensor::exp2`] in place.
    #[track_caller]
    pub fn exp2_(&self) -> Tensor {
        apply_unary_inplace(Exp2, self)
    }
    /// `e^x - 1`, accurate near 0 (`torch.expm1`).
    pub fn expm1(&self) -> Tensor {
        apply_unary(Expm1, self)
    }
    /// [`Tensor::expm1`] in place.
    #[track_caller]
    pub fn expm1_(&self) -> Tensor {
        apply_unary_inplace(Expm1, self)
    }
    /// The natural logarithm (`torch.log`).
    pub fn log(&self) -> Tensor {
        apply_unary(Log, self)
    }
    /// [`Tensor::log`] in place.
    #[track_caller]
    pub fn log_(&self) -> Tensor {
        apply_unary_inplace(Log, self)
    }
    /// The logarithm of base 2 (`torch.log2`).
    pub fn log2(&self) -> Tensor {
        apply_unary(Log2, self)
    }
    /// [`Tensor::log2`] in place.
    #[track_caller]
    pub fn log2_(&self) -> Tensor {
        apply_unary_inplace(Log2, self)
    }
    /// The logarithm of base 10 (`torch.log10`).
    pub fn log10(&self) -> Tensor {
        apply_unary(Log10, self)
    }
    /// [`Tensor::log10`] in place.
    #[track_caller]
    pub fn log10_(&self) -> Tensor {
        apply_unary_inplace(Log10, self)
    }
    /// `ln(1 + x)`, accurate near 0 (`torch.log1p`).
    pub fn log1p(&self) -> Tensor {
        apply_unary(Log1p, self)
    }
    /// [`Tensor::log1p`] in place.
    #[track_caller]
    pub fn log1p_(&self) -> Tensor {
        apply_unary_inplace(Log1p, self)
    }
    /// The square root (`torch.sqrt`).
    pub fn sqrt(&self) -> Tensor {
        apply_unary(Sqrt, self)
    }
    /// [`Tensor::sqrt`] in place.
    #[track_caller]
    pub fn sqrt_(&self) -> Tensor {
        apply_unary_inplace(Sqrt, self)
    }
    /// `1 / sqrt(x)` (`torch.rsqrt`).
    pub fn rsqrt(&self) -> Tensor {
        apply_unary(Rsqrt, self)
    }
    /// [`Tensor::rsqrt`] in place.
    #[track_caller]
    pub fn rsqrt_(&self) -> Tensor {
        apply_unary_inplace(Rsqrt, self)
    }
    /// `1 / x` (`torch.reciprocal`).
    pub fn reciprocal(&self) -> Tensor {
        apply_unary(Reciprocal, self)
    }
    /// [`Tensor::reciprocal`] in place.
    #[track_caller]
    pub fn reciprocal_(&self) -> Tensor {
        apply_unary_inplace(Reciprocal, self)
    }
    /// The sine (`torch.sin`).
    pub fn sin(&self) -> Tensor {
        apply_unary(Sin, self)
    }
    /// [`Tensor::sin`] in place.
    #[track_caller]
    pub fn sin_(&self) -> Tensor {
        apply_unary_inplace(Sin, self)
    }
    /// The cosine (`torch.cos`).
    pub fn cos(&self) -> Tensor {
        apply_unary(Cos, self)
    }
    /// [`Tensor::cos`] in place.
    #[track_caller]
    pub fn cos_(&self) -> Tensor {
        apply_unary_inplace(Cos, self)
    }
    /// The tangent (`torch.tan`).
    pub fn tan(&self) -> Tensor {
        apply_unary(Tan, self)
    }
    /// [`Tensor::tan`] in place.
    #[track_caller]
    pub fn tan_(&self) -> Tensor {
        apply_unary_inplace(Tan, self)
    }
    /// The inverse sine (`torch.asin`).
    pub fn asin(&self) -> Tensor {
        apply_unary(Asin, self)
    }
    /// [`Tensor::asin`] in place.
    #[track_caller]
    pub fn asin_(&self) -> Tensor {
        apply_unary_inplace(Asin, self)
    }
    /// The inverse cosine (`torch.acos`).
    pub fn acos(&self) -> Tensor {
        apply_unary(Acos, self)
    }
    /// [`Tensor::acos`] in place.
    #[track_caller]
    pub fn acos_(&self) -> Tensor {
        apply_unary_inplace(Acos, self)
    }
    /// The inverse tangent (`torch.atan`).
    pub fn atan(&self) -> Tensor {
        apply_unary(Atan, self)
    }
    /// [`Tensor::atan`] in place.
    #[track_caller]
    pub fn atan_(&self) -> Tensor {
        apply_unary_inplace(Atan, self)
    }
    /// The hyperbolic sine (`torch.sinh`).
    pub fn sinh(&self) -> Tensor {
        apply_unary(Sinh, self)
    }
    /// [`Tensor::sinh`] in place.
    #[track_caller]
    pub fn sinh_(&self) -> Tensor {
        apply_unary_inplace(Sinh, self)
    }
    /// The hyperbolic cosine (`torch.cosh`).
    pub fn cosh(&self) -> Tensor {
        apply_unary(Cosh, self)
    }
    /// [`Tensor::cosh`] in place.
    #[track_caller]
    pub fn cosh_(&self) -> Tensor {
        apply_unary_inplace(Cosh, self)
    }
    /// The hyperbolic tangent (`torch.tanh`).
    pub fn tanh(&self) -> Tensor {
        apply_unary(Tanh, self)
    }
    /// [`Tensor::tanh`] in place.
    #[track_caller]
    pub fn tanh_(&self) -> Tensor {
        apply_unary_inplace(Tanh, self)
    }
    /// The inverse hyperbolic sine (`torch.asinh`).
    pub fn asinh(&self) -> Tensor {
        apply_unary(Asinh, self)
    }
    /// [`Tensor::asinh`] in place.
    #[track_caller]
    pub fn asinh_(&self) -> Tensor {
        apply_unary_inplace(Asinh, self)
    }
    /// The inverse hyperbolic cosine (`torch.acosh`).
    pub fn acosh(&self) -> Tensor {
        apply_unary(Acosh, self)
    }
    /// [`Tensor::acosh`] in place.
    #[track_caller]
    pub fn acosh_(&self) -> Tensor {
        apply_unary_inplace(Acosh, self)
    }
    /// The inverse hyperbolic tangent (`torch.atanh`).
    pub fn atanh(&self) -> Tensor {
        apply_unary(Atanh, self)
    }
    /// [`Tensor::atanh`] in place.
    #[track_caller]
    pub fn atanh_(&self) -> Tensor {
        apply_unary_inplace(Atanh, self)
    }
    /// `1 / (1 + e^-x)` (`torch.sigmoid`).
    pub fn sigmoid(&self) -> Tensor {
        apply_unary(Sigmoid, self)
    }
    /// [`Tensor::sigmoid`] in place.
    #[track_caller]
    pub fn sigmoid_(&self) -> Tensor {
        apply_unary_inplace(Sigmoid, self)
    }
    /// The error function (`torch.erf`).
    pub fn erf(&self) -> Tensor {
        apply_unary(Erf, self)
    }
    /// [`Tensor::erf`] in place.
    #[track_caller]
    pub fn erf_(&self) -> Tensor {
        apply_unary_inplace(Erf, self)
    }
    /// `1 - erf(x)`, accurate in the tail (`torch.erfc`).
    pub fn erfc(&self) -> Tensor {
        apply_unary(Erfc, self)
    }
    /// [`Tensor::erfc`] in place.
    #[track_caller]
    pub fn erfc_(&self) -> Tensor {
        apply_unary_inplace(Erfc, self)
    }
    /// The inverse of the error function (`torch.erfinv`).
    pub fn erfinv(&self) -> Tensor {
        apply_unary(Erfinv, self)
    }
    /// [`Tensor::erfinv`] in place.
    #[track_caller]
    pub fn erfinv_(&self) -> Tensor {
        apply_unary_inplace(Erfinv, self)
    }
    /// `ln |Γ(x)|` (`torch.lgamma`).
    pub fn lgamma(&self) -> Tensor {
        apply_unary(Lgamma, self)
    }
    /// [`Tensor::lgamma`] in place.
    #[track_caller]
    pub fn lgamma_(&self) -> Tensor {
        apply_unary_inplace(Lgamma, self)
    }
    /// Rounded down (`torch.floor`).
    pub fn floor(&self) -> Tensor {
        apply_unary(Floor, self)
    }
    /// [`Tensor::floor`] in place.
    #[track_caller]
    pub fn floor_(&self) -> Tensor {
        apply_unary_inplace(Floor, self)
    }
    /// Rounded up (`torch.ceil`).
    pub fn ceil(&self) -> Tensor {
        apply_unary(Ceil, self)
    }
    /// [`Tensor::ceil`] in place.
    #[track_caller]
    pub fn ceil_(&self) -> Tensor {
        apply_unary_inplace(Ceil, self)
    }
    /// Rounded to the nearest integer, halves to the even one (`torch.round`).
    pub fn round(&self) -> Tensor {
        apply_unary(Round, self)
    }
    /// [`Tensor::round`] in place.
    #[track_caller]
    pub fn round_(&self) -> Tensor {
        apply_unary_inplace(Round, self)
    }
    /// The fraction cut off (`torch.trunc`).
    pub fn trunc(&self) -> Tensor {
        apply_unary(Trunc, self)
    }
    /// [`Tensor::trunc`] in place.
    #[track_caller]
    pub fn trunc_(&self) -> Tensor {
        apply_unary_inplace(Trunc, self)
    }
    /// The fraction, with the sign of x (`torch.frac`).
    pub fn frac(&self) -> Tensor {
        apply_unary(Frac, self)
    }
    /// [`Tensor::frac`] in place.
    #[track_caller]
    pub fn frac_(&self) -> Tensor {
        apply_unary_inplace(Frac, self)
    }
    /// Degrees to radians (`torch.deg2rad`).
    pub fn deg2rad(&self) -> Tensor {
        apply_unary(Deg2rad, self)
    }
    /// [`Tensor::deg2rad`] in place.
    #[track_caller]
    pub fn deg2rad_(&self) -> Tensor {
        apply_unary_inplace(Deg2rad, self)
    }
    /// Radians to degrees (`torch.rad2deg`).
    pub fn rad2deg(&self) -> Tensor {
        apply_unary(Rad2deg, self)
    }
    /// [`Tensor::rad2deg`] in place.
    #[track_caller]
    pub fn rad2deg_(&self) -> Tensor {
        apply_unary_inplace(Rad2deg, self)
    }
    /// The derivative of `ln Γ(x)` (`torch.digamma`).
    pub fn digamma(&self) -> Tensor {
        apply_unary(Digamma, self)
    }
    /// `sin(πx) / (πx)`, 1 at 0 (`torch.sinc`).
    pub fn sinc(&self) -> Tensor {
        apply_unary(Sinc, self)
    }
    /// [`Tensor::sinc`] in place.
    #[track_caller]
    pub fn sinc_(&self) -> Tensor {
        apply_unary_inplace(Sinc, self)
    }
    /// `ln(x / (1 - x))`, the argument clamped to [eps, 1 - eps] if `eps` is given (`torch.logit`).
    pub fn logit(&self, eps: Option<f64>) -> Tensor {
        apply_unary(Logit { eps: eps.unwrap_or(-1.0) }, self)
    }
    /// [`Tensor::logit`] in place.
    #[track_caller]
    pub fn logit_(&self, eps: Option<f64>) -> Tensor {
        apply_unary_inplace(Logit { eps: eps.unwrap_or(-1.0) }, self)
    }
    /// NaN replaced by `nan` (0 if none is given), infinities by the dtype's largest numbers or the given ones (`torch.nan_to_num`).
    pub fn nan_to_num(&self, nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> Tensor {
        if self.dtype() == DType::Bool {
            self.duplicate()
        } else {
            apply_unary(self.nan_rule(nan, posinf, neginf), self)
        }
    }
    /// [`Tensor::nan_to_num`] in place.
    #[track_caller]
    pub fn nan_to_num_(&self, nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> Tensor {
        if self.dtype() == DType::Bool {
            return self.clone();
        }
        apply_unary_inplace(self.nan_rule(nan, posinf, neginf), self)
    }
    fn nan_rule(&self, nan: Option<f64>, posinf: Option<f64>, neginf: Option<f64>) -> NanToNum {
        let largest = match self.dtype() {
            DType::F16 => 65504.0,
            DType::BF16 => f64::from(half::bf16::MAX),
            DType::F64 => f64::MAX,
            _ => f64::from(f32::MAX),
        };
        NanToNum { nan: nan.unwrap_or(0.0), posinf: posinf.unwrap_or(largest), neginf: neginf.unwrap_or(-largest) }
    }
    /// Rounded to `decimals` places, halves to the even one (`torch.round(x, decimals=...)`).
    pub fn round_decimals(&self, decimals: i32) -> Tensor {
        apply_unary(RoundDecimals { scale: 10f64.powi(decimals.abs()), up: decimals >= 0 }, self)
    }
    /// [`Tensor::round_decimals`] in place.
    #[track_caller]
    pub fn round_decimals_(&self, decimals: i32) -> Tensor {
        apply_unary_inplace(RoundDecimals { scale: 10f64.powi(decimals.abs()), up: decimals >= 0 }, self)
    }
    /// -1, 0 or 1 (`torch.sgn`): the same as [`Tensor::sign`] for real numbers.
    pub fn sgn(&self) -> Tensor {
        self.sign()
    }
    /// The tensor itself (`torch.positive`).
    ///
    /// # Panics
    /// For bool.
    #[track_caller]
    pub fn positive(&self) -> Tensor {
        if self.dtype() == DType::Bool {
            fail("positive", "The `+` operator, on a bool tensor is not supported.");
        }
        self.clone()
    }
}

/// Samples whose numbers lie where the function is defined and smooth.
fn samples(f: fn(&Tensor) -> Tensor, domain: fn(&Tensor) -> Tensor) -> Vec<Sample> {
    [&[2usize, 3][..], &[5], &[], &[0, 2]]
        .into_iter()
        .map(|shape| Sample::new(&[numbers(shape, 7)], move |x| f(&domain(&x[0]))))
        .collect()
}
fn any(x: &Tensor) -> Tensor {
    x.clone()
}
fn pos(x: &Tensor) -> Tensor {
    x * x + 0.1
}
fn unit(x: &Tensor) -> Tensor {
    x * 0.45
}
fn big(x: &Tensor) -> Tensor {
    x * x + 1.2
}

/// A table row.
macro_rules! row {
    ($name:literal, $f:expr, $domain:expr) => {
        OpInfo {
            name: $name,
            torch: concat!("torch.", $name, "(x)"),
            samples: || samples($f, $domain),
            refused: Vec::new,
        }
    };
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    row!("neg", Tensor::neg, any),
    row!("abs", Tensor::abs, any),
    row!("sign", Tensor::sign, any),
    row!("square", Tensor::square, any),
    row!("exp", Tensor::exp, any),
    row!("exp2", Tensor::exp2, any),
    row!("expm1", Tensor::expm1, any),
    row!("log", Tensor::log, pos),
    row!("log2", Tensor::log2, pos),
    row!("log10", Tensor::log10, pos),
    row!("log1p", Tensor::log1p, pos),
    row!("sqrt", Tensor::sqrt, pos),
    row!("rsqrt", Tensor::rsqrt, pos),
    row!("reciprocal", Tensor::reciprocal, any),
    row!("sin", Tensor::sin, any),
    row!("cos", Tensor::cos, any),
    row!("tan", Tensor::tan, any),
    row!("asin", Tensor::asin, unit),
    row!("acos", Tensor::acos, unit),
    row!("atan", Tensor::atan, any),
    row!("sinh", Tensor::sinh, any),
    row!("cosh", Tensor::cosh, any),
    row!("tanh", Tensor::tanh, any),
    row!("asinh", Tensor::asinh, any),
    row!("acosh", Tensor::acosh, big),
    row!("atanh", Tensor::atanh, unit),
    row!("sigmoid", Tensor::sigmoid, any),
    row!("erf", Tensor::erf, any),
    row!("erfc", Tensor::erfc, any),
    row!("erfinv", Tensor::erfinv, unit),
    row!("lgamma", Tensor::lgamma, pos),
    row!("floor", Tensor::floor, any),
    row!("ceil", Tensor::ceil, any),
    row!("round", Tensor::round, any),
    row!("trunc", Tensor::trunc, any),
    row!("frac", Tensor::frac, any),
    row!("deg2rad", Tensor::deg2rad, any),
    row!("rad2deg", Tensor::rad2deg, any),
    row!("digamma", Tensor::digamma, pos),
    row!("sinc", Tensor::sinc, any),
    row!("logit", |x| x.logit(None), |x| x * 0.2 + 0.5),
    row!("nan_to_num", |x| x.nan_to_num(None, None, None), any),
    row!("round decimals", |x| x.round_decimals(1), any),
];
