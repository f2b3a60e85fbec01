//! Tensors as lanes: a derivative written over [`Lane`] becomes tensor operations, and so can be differentiated again.

use crate::op::apply1;
use crate::tensor::Tensor;
use cresset_kernels::lane::{Lane, LaneOps};

impl Lane for Tensor {
    type Mask = Tensor;

    fn splat(&self, v: f64) -> Self {
        Tensor::full_of((), v, self.dtype())
    }
    fn add(&self, b: &Self) -> Self {
        self + b
    }
    fn sub(&self, b: &Self) -> Self {
        self - b
    }
    fn mul(&self, b: &Self) -> Self {
        self * b
    }
    fn div(&self, b: &Self) -> Self {
        self / b
    }
    fn neg(&self) -> Self {
        -self
    }
    fn fma(&self, b: &Self, c: &Self) -> Self {
        &(self * b) + c
    }
    fn min(&self, b: &Self) -> Self {
        self.minimum(b)
    }
    fn max(&self, b: &Self) -> Self {
        self.maximum(b)
    }
    fn abs(&self) -> Self {
        Tensor::abs(self)
    }
    fn sign(&self) -> Self {
        Tensor::sign(self)
    }
    fn copysign(&self, b: &Self) -> Self {
        Tensor::copysign(self, b)
    }
    fn sqrt(&self) -> Self {
        Tensor::sqrt(self)
    }
    fn rsqrt(&self) -> Self {
        Tensor::rsqrt(self)
    }
    fn recip(&self) -> Self {
        self.reciprocal()
    }
    fn floor(&self) -> Self {
        Tensor::floor(self)
    }
    fn ceil(&self) -> Self {
        Tensor::ceil(self)
    }
    fn round(&self) -> Self {
        Tensor::round(self)
    }
    fn trunc(&self) -> Self {
        Tensor::trunc(self)
    }
    fn fmod(&self, b: &Self) -> Self {
        Tensor::fmod(self, b)
    }
    fn rem(&self, b: &Self) -> Self {
        self.remainder(b)
    }
    fn exp(&self) -> Self {
        Tensor::exp(self)
    }
    fn exp2(&self) -> Self {
        Tensor::exp2(self)
    }
    fn expm1(&self) -> Self {
        Tensor::expm1(self)
    }
    fn ln(&self) -> Self {
        self.log()
    }
    fn log2(&self) -> Self {
        Tensor::log2(self)
    }
    fn log10(&self) -> Self {
        Tensor::log10(self)
    }
    fn log1p(&self) -> Self {
        Tensor::log1p(self)
    }
    fn pow(&self, b: &Self) -> Self {
        Tensor::pow(self, b)
    }
    fn sin(&self) -> Self {
        Tensor::sin(self)
    }
    fn cos(&self) -> Self {
        Tensor::cos(self)
    }
    fn tan(&self) -> Self {
        Tensor::tan(self)
    }
    fn asin(&self) -> Self {
        Tensor::asin(self)
    }
    fn acos(&self) -> Self {
        Tensor::acos(self)
    }
    fn atan(&self) -> Self {
        Tensor::atan(self)
    }
    fn atan2(&self, x: &Self) -> Self {
        Tensor::atan2(self, x)
    }
    fn sinh(&self) -> Self {
        Tensor::sinh(self)
    }
    fn cosh(&self) -> Self {
        Tensor::cosh(self)
    }
    fn tanh(&self) -> Self {
        Tensor::tanh(self)
    }
    fn asinh(&self) -> Self {
        Tensor::asinh(self)
    }
    fn acosh(&self) -> Self {
        Tensor::acosh(self)
    }
    fn atanh(&self) -> Self {
        Tensor::atanh(self)
    }
    fn sigmoid(&self) -> Self {
        Tensor::sigmoid(self)
    }
    fn erf(&self) -> Self {
        Tensor::erf(self)
    }
    fn erfc(&self) -> Self {
        Tensor::erfc(self)
    }
    fn gaussian(&self) -> Self {
        self.mul_c(std::f64::consts::FRAC_1_SQRT_2).erf().mul_c(0.5).add_c(0.5)
    }
    fn erfinv(&self) -> Self {
        Tensor::erfinv(self)
    }
    fn lgamma(&self) -> Self {
        Tensor::lgamma(self)
    }
    fn digamma(&self) -> Self {
        Tensor::digamma(self)
    }
    fn lt(&self, b: &Self) -> Tensor {
        Tensor::lt(self, b)
    }
    fn le(&self, b: &Self) -> Tensor {
        Tensor::le(self, b)
    }
    fn gt(&self, b: &Self) -> Tensor {
        Tensor::gt(self, b)
    }
    fn ge(&self, b: &Self) -> Tensor {
        Tensor::ge(self, b)
    }
    fn eq(&self, b: &Self) -> Tensor {
        Tensor::eq(self, b)
    }
    fn ne(&self, b: &Self) -> Tensor {
        Tensor::ne(self, b)
    }
    fn is_nan(&self) -> Tensor {
        self.isnan()
    }
    fn and(a: &Tensor, b: &Tensor) -> Tensor {
        a.logical_and(b)
    }
    fn or(a: &Tensor, b: &Tensor) -> Tensor {
        a.logical_or(b)
    }
    fn not(a: &Tensor) -> Tensor {
        a.logical_not()
    }
    fn select(mask: &Tensor, yes: &Self, no: &Self) -> Self {
        apply1(super::ternary::Where, [mask, yes, no])
    }
}
