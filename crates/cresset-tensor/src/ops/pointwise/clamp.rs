//! Clamping between bounds that are numbers or tensors.

use super::{Ints, Operand, UnaryDef, apply_unary, apply_unary_inplace};
use crate::dtype::{DType, Promotion, Scalar};
use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::lane::{InRegisters, Lane, LaneOps, Unary};

/// Between two numbers. A NaN bound makes everything NaN, as in PyTorch.
#[derive(Clone, Copy, Debug)]
struct Clamp {
    min: Option<f64>,
    max: Option<f64>,
}
impl Clamp {
    fn bounds(&self) -> (f64, f64) {
        (self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY))
    }
}
impl Unary for Clamp {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let (min, max) = self.bounds();
        let y = L::select(&x.lt_c(min), &x.splat(min), x);
        let y = L::select(&y.gt_c(max), &x.splat(max), &y);
        if min.is_nan() || max.is_nan() { x.splat(f64::NAN) } else { y }
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let (one, zero) = (x.splat(1.0), x.zero());
        let d = self.min.map_or(one.clone(), |min| L::select(&x.gt_c(min), &one, &zero));
        self.max.map_or(d.clone(), |max| L::select(&x.lt_c(max), &d, &zero))
    }
}
impl UnaryDef for Clamp {
    const NAME: &'static str = "clamp";
    const GRAD_NAME: Option<&'static str> = Some("ClampBackward1");
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        let low = self.min.map_or(i64::MIN, |min| min as i64);
        let high = self.max.map_or(i64::MAX, |max| max as i64);
        x.max(low).min(high)
    }
}

#[track_caller]
fn rule(x: &Tensor, min: Option<Scalar>, max: Option<Scalar>) -> (Tensor, Clamp) {
    if min.is_none() && max.is_none() {
        fail("clamp", "At least one of 'min' or 'max' must not be None");
    }
    let mut promotion = Promotion::default().tensor(x.dtype(), x.dim());
    for bound in [min, max].into_iter().flatten() {
        promotion = promotion.scalar(bound);
    }
    if x.dtype() == DType::Bool {
        fail("clamp", "\"clamp_scalar_cpu\" not implemented for 'Bool'");
    }
    let clamp = Clamp { min: min.map(Scalar::f64), max: max.map(Scalar::f64) };
    (x.to_dtype(promotion.result()), clamp)
}

impl Tensor {
    /// `min(max(x, min), max)` with bounds that are numbers (`torch.clamp(x, min, max)`). If `min > max`, everything is `max`. The gradient passes where
    /// `min < x < max`.
    ///
    /// # Panics
    /// If there is neither bound.
    #[track_caller]
    pub fn clamp(&self, min: impl Into<Bound>, max: impl Into<Bound>) -> Tensor {
        let (x, clamp) = rule(self, min.into().0, max.into().0);
        apply_unary(clamp, &x)
    }
    /// [`Tensor::clamp`] in place.
    #[track_caller]
    pub fn clamp_(&self, min: impl Into<Bound>, max: impl Into<Bound>) -> Tensor {
        let (x, clamp) = rule(self, min.into().0, max.into().0);
        if x.dtype() != self.dtype() {
            fail(
                "clamp_",
                format!(
                    "result type {} can't be cast to the desired output type {}",
                    x.dtype().scalar_name(),
                    self.dtype().scalar_name()
                ),
            );
        }
        apply_unary_inplace(clamp, self)
    }
    /// Clamping between bounds that are tensors, broadcast (`torch.clamp(x, min=tensor, max=tensor)`).
    #[track_caller]
    pub fn clamp_between(&self, min: Option<&Tensor>, max: Option<&Tensor>) -> Tensor {
        if min.is_none() && max.is_none() {
            fail("clamp", "At least one of 'min' or 'max' must not be None");
        }
        let x = match min {
            Some(m) => self.clamp_min(m),
            None => self.clone(),
        };
        match max {
            Some(m) => x.clamp_max(m),
            None => x,
        }
    }
    /// `max(x, min)` (`torch.clamp_min`). At equality nothing passes to `x` if the bound is a number, half of the gradient if it is a tensor.
    #[track_caller]
    pub fn clamp_min<'a>(&self, min: impl Into<Operand<'a>>) -> Tensor {
        match min.into() {
            Operand::Scalar(s) => self.clamp(s, None::<f64>),
            Operand::Tensor(m) => super::apply_binary(super::ternary::ClampBy::<true>, self, m.into()),
        }
    }
    /// `min(x, max)` (`torch.clamp_max`). At equality nothing passes to `x` if the bound is a number, half of the gradient if it is a tensor.
    #[track_caller]
    pub fn clamp_max<'a>(&self, max: impl Into<Operand<'a>>) -> Tensor {
        match max.into() {
            Operand::Scalar(s) => self.clamp(None::<f64>, s),
            Operand::Tensor(m) => super::apply_binary(super::ternary::ClampBy::<false>, self, m.into()),
        }
    }
    /// [`Tensor::clamp_min`] in place.
    #[track_caller]
    pub fn clamp_min_<'a>(&self, min: impl Into<Operand<'a>>) -> Tensor {
        match min.into() {
            Operand::Scalar(s) => self.clamp_(s, None::<f64>),
            Operand::Tensor(m) => super::apply_binary_inplace(super::ternary::ClampBy::<true>, self, m.into()),
        }
    }
    /// [`Tensor::clamp_max`] in place.
    #[track_caller]
    pub fn clamp_max_<'a>(&self, max: impl Into<Operand<'a>>) -> Tensor {
        match max.into() {
            Operand::Scalar(s) => self.clamp_(None::<f64>, s),
            Operand::Tensor(m) => super::apply_binary_inplace(super::ternary::ClampBy::<false>, self, m.into()),
        }
    }
}

/// A bound of [`Tensor::clamp`]: a number, or `None`.
#[derive(Clone, Copy, Debug)]
pub struct Bound(Option<Scalar>);
impl<S: Into<Scalar>> From<S> for Bound {
    fn from(s: S) -> Bound {
        Bound(Some(s.into()))
    }
}
impl From<Option<f64>> for Bound {
    fn from(s: Option<f64>) -> Bound {
        Bound(s.map(Scalar::Float))
    }
}
impl From<Option<Scalar>> for Bound {
    fn from(s: Option<Scalar>) -> Bound {
        Bound(s)
    }
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[OpInfo {
    name: "clamp",
    torch: "torch.clamp(x, min, max)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].clamp(-0.5, 0.7)),
            Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].clamp_min(0.01)),
            Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].clamp_max(0.01)),
            Sample::new(&[numbers(&[3, 4], 1), numbers(&[4], 2)], |x| x[0].clamp_min(&x[1])),
            Sample::new(&[numbers(&[3, 4], 1), numbers(&[3, 1], 2)], |x| x[0].clamp_max(&x[1])),
        ]
    },
    refused: || vec![Sample::new(&[numbers(&[2], 1)], |x| x[0].clamp(None::<f64>, None::<f64>))],
}];
