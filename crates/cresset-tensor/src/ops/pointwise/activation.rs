//! Activation functions.

use super::{BinaryDef, Ints, Reads, UnaryDef, apply_binary, apply_unary, apply_unary_inplace};
use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::lane::{Binary, InBlocks, InRegisters, InWideRegisters, Lane, LaneOps, Unary};

const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;

#[derive(Clone, Copy, Debug)]
struct Relu;
impl Unary for Relu {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.max_c(0.0)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L {
        L::select(&y.gt_c(0.0), &y.splat(1.0), &y.zero())
    }
}
impl UnaryDef for Relu {
    const NAME: &'static str = "relu";
    const READS: Reads = Reads::Output;
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        x.max(0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Relu6;
impl Unary for Relu6 {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let y = L::select(&x.lt_c(0.0), &x.zero(), x);
        L::select(&x.gt_c(6.0), &x.splat(6.0), &y)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        L::select(&L::and(&x.gt_c(0.0), &x.lt_c(6.0)), &x.splat(1.0), &x.zero())
    }
}
impl UnaryDef for Relu6 {
    const NAME: &'static str = "relu6";
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        x.clamp(0, 6)
    }
}

#[derive(Clone, Copy, Debug)]
struct Hardtanh {
    min: f64,
    max: f64,
}
impl Unary for Hardtanh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Hardtanh { min, max } = *self;
        let y = L::select(&x.lt_c(min), &x.splat(min), x);
        L::select(&x.gt_c(max), &x.splat(max), &y)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Hardtanh { min, max } = *self;
        L::select(&L::and(&x.gt_c(min), &x.lt_c(max)), &x.splat(1.0), &x.zero())
    }
}
impl UnaryDef for Hardtanh {
    const NAME: &'static str = "hardtanh";
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        (x as f64).clamp(self.min, self.max) as i64
    }
}

#[derive(Clone, Copy, Debug)]
struct LeakyRelu {
    negative_slope: f64,
}
impl Unary for LeakyRelu {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let LeakyRelu { negative_slope } = *self;
        L::select(&x.gt_c(0.0), x, &x.mul_c(negative_slope))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let LeakyRelu { negative_slope } = *self;
        L::select(&x.gt_c(0.0), &x.splat(1.0), &x.splat(negative_slope))
    }
}
impl UnaryDef for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Elu {
    alpha: f64,
    scale: f64,
    input_scale: f64,
}
impl Unary for Elu {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Elu { alpha, scale, input_scale } = *self;
        L::select(&x.gt_c(0.0), &x.mul_c(scale), &x.mul_c(input_scale).expm1().mul_c(alpha * scale))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Elu { alpha, scale, input_scale } = *self;
        L::select(
            &x.gt_c(0.0),
            &x.splat(scale),
            // The minimum keeps the exponential finite where it is not chosen.
            &L::select(&x.lt_c(0.0), x, &x.zero()).mul_c(input_scale).exp().mul_c(alpha * scale * input_scale),
        )
    }
}
impl UnaryDef for Elu {
    const NAME: &'static str = "elu";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Gelu;
impl Unary for Gelu {
    type Loop = InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul(&x.gaussian())
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.normal_pdf().fma(x, &x.gaussian())
    }
}
impl UnaryDef for Gelu {
    const NAME: &'static str = "gelu";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct GeluTanh;
impl Unary for GeluTanh {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        // tanh(z) + 1 = 2 sigmoid(2z), which does not cancel where tanh(z) is near -1.
        let z = x.mul(x).fma_c(0.044_715, 1.0).mul(x).mul_c(2.0 * SQRT_2_OVER_PI);
        x.mul(&z.sigmoid())
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let z = x.mul(x).fma_c(0.044_715, 1.0).mul(x).mul_c(2.0 * SQRT_2_OVER_PI);
        let s = z.sigmoid();
        let dz = x.mul(x).fma_c(3.0 * 0.044_715, 1.0).mul_c(2.0 * SQRT_2_OVER_PI);
        s.add(&x.mul(&s).mul(&s.rsub_c(1.0)).mul(&dz))
    }
}
impl UnaryDef for GeluTanh {
    const NAME: &'static str = "gelu";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Silu;
impl Unary for Silu {
    type Loop = InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.div(&x.neg().exp().add_c(1.0))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let s = x.sigmoid();
        s.rsub_c(1.0).mul(x).add_c(1.0).mul(&s)
    }
}
impl UnaryDef for Silu {
    const NAME: &'static str = "silu";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Mish;
impl Unary for Mish {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul(&x.softplus().tanh())
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let t = x.softplus().tanh();
        x.mul(&x.sigmoid()).mul(&t.mul(&t).rsub_c(1.0)).add(&t)
    }
}
impl UnaryDef for Mish {
    const NAME: &'static str = "mish";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Softplus {
    beta: f64,
    threshold: f64,
}
impl Unary for Softplus {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Softplus { beta, threshold } = *self;
        let z = x.mul_c(beta);
        L::select(&z.gt_c(threshold), x, &z.softplus().div_c(beta))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Softplus { beta, threshold } = *self;
        let z = x.mul_c(beta);
        L::select(&z.gt_c(threshold), &x.splat(1.0), &z.sigmoid())
    }
}
impl UnaryDef for Softplus {
    const NAME: &'static str = "softplus";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Hardshrink {
    lambda: f64,
}
impl Unary for Hardshrink {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Hardshrink { lambda } = *self;
        L::select(&L::and(&x.ge_c(-lambda), &x.le_c(lambda)), &x.zero(), x)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Hardshrink { lambda } = *self;
        L::select(&L::and(&x.ge_c(-lambda), &x.le_c(lambda)), &x.zero(), &x.splat(1.0))
    }
}
impl UnaryDef for Hardshrink {
    const NAME: &'static str = "hardshrink";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Softshrink {
    lambda: f64,
}
impl Unary for Softshrink {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Softshrink { lambda } = *self;
        let y = L::select(&x.gt_c(lambda), &x.sub_c(lambda), &x.mul_c(0.0));
        L::select(&x.lt_c(-lambda), &x.add_c(lambda), &y)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Softshrink { lambda } = *self;
        L::select(&L::and(&x.ge_c(-lambda), &x.le_c(lambda)), &x.zero(), &x.splat(1.0))
    }
}
impl UnaryDef for Softshrink {
    const NAME: &'static str = "softshrink";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Hardsigmoid;
impl Unary for Hardsigmoid {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let y = x.add_c(3.0);
        let y = L::select(&y.lt_c(0.0), &x.zero(), &y);
        L::select(&y.gt_c(6.0), &x.splat(1.0), &y.mul_c(1.0 / 6.0))
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        L::select(&L::and(&x.gt_c(-3.0), &x.lt_c(3.0)), &x.splat(1.0 / 6.0), &x.zero())
    }
}
impl UnaryDef for Hardsigmoid {
    const NAME: &'static str = "hardsigmoid";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Hardswish;
impl Unary for Hardswish {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let y = x.add_c(3.0);
        let y = L::select(&y.lt_c(0.0), &x.zero(), &y);
        let y = L::select(&y.gt_c(6.0), &x.splat(6.0), &y);
        x.mul(&y).mul_c(1.0 / 6.0)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let y = L::select(&x.ge_c(3.0), &x.splat(1.0), &x.mul_c(1.0 / 3.0).add_c(0.5));
        L::select(&x.le_c(-3.0), &x.zero(), &y)
    }
}
impl UnaryDef for Hardswish {
    const NAME: &'static str = "hardswish";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct LogSigmoid;
impl Unary for LogSigmoid {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.log_sigmoid()
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.neg().sigmoid()
    }
}
impl UnaryDef for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";
    const INTS: Ints = Ints::Refuse;
}

#[derive(Clone, Copy, Debug)]
struct Threshold {
    threshold: f64,
    value: f64,
}
impl Unary for Threshold {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        let Threshold { threshold, value } = *self;
        L::select(&x.le_c(threshold), &x.splat(value), x)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        let Threshold { threshold, .. } = *self;
        L::select(&x.le_c(threshold), &x.zero(), &x.splat(1.0))
    }
}
impl UnaryDef for Threshold {
    const NAME: &'static str = "threshold";
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        if x as f64 <= self.threshold { self.value as i64 } else { x }
    }
}

/// `x` above zero, `w x` below, the slope learned.
#[derive(Clone, Copy, Debug)]
struct Prelu;
impl Binary for Prelu {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L, w: &L) -> L {
        L::select(&x.gt_c(0.0), x, &x.mul(w))
    }
    #[inline(always)]
    fn da<L: Lane>(&self, x: &L, w: &L, _y: &L) -> L {
        L::select(&x.gt_c(0.0), &x.splat(1.0), w)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, x: &L, _w: &L, _y: &L) -> L {
        L::select(&x.gt_c(0.0), &x.zero(), x)
    }
}
impl BinaryDef for Prelu {
    const NAME: &'static str = "prelu";
    const INTS: Ints = Ints::Refuse;
    const GRAD_NAMES: [Option<&'static str>; 2] = [Some("PreluKernelBackward0"), Some("PreluKernelBackward0")];
}

/// Which formula [`Tensor::gelu`] uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approximate {
    /// `x Φ(x)` with the error function: `"none"`.
    #[default]
    None,
    /// The form with tanh: `"tanh"`.
    Tanh,
}

const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

impl Tensor {
    /// `max(x, 0)` (`torch.relu`).
    pub fn relu(&self) -> Tensor {
        apply_unary(Relu, self)
    }
    /// [`Tensor::relu`] in place.
    #[track_caller]
    pub fn relu_(&self) -> Tensor {
        apply_unary_inplace(Relu, self)
    }
    /// `min(max(x, 0), 6)` (`F.relu6`).
    #[track_caller]
    pub fn relu6(&self) -> Tensor {
        apply_unary(Relu6, self)
    }
    /// [`Tensor::relu6`] in place.
    #[track_caller]
    pub fn relu6_(&self) -> Tensor {
        apply_unary_inplace(Relu6, self)
    }
    /// `x` cut to [min_val, max_val] (`F.hardtanh`).
    ///
    /// # Panics
    /// If `min_val > max_val`.
    #[track_caller]
    pub fn hardtanh(&self, min_val: f64, max_val: f64) -> Tensor {
        apply_unary(hardtanh_rule(min_val, max_val), self)
    }
    /// [`Tensor::hardtanh`] in place.
    #[track_caller]
    pub fn hardtanh_(&self, min_val: f64, max_val: f64) -> Tensor {
        apply_unary_inplace(hardtanh_rule(min_val, max_val), self)
    }
    /// `x` above zero, `negative_slope * x` below; PyTorch's default slope is 0.01 (`F.leaky_relu`).
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Tensor {
        apply_unary(LeakyRelu { negative_slope }, self)
    }
    /// [`Tensor::leaky_relu`] in place.
    ///
    /// # Panics
    /// Under autograd if the slope is negative.
    #[track_caller]
    pub fn leaky_relu_(&self, negative_slope: f64) -> Tensor {
        apply_unary_inplace(LeakyRelu { negative_slope }, self)
    }
    /// `x` above zero, `alpha (e^x - 1)` below; PyTorch's default alpha is 1 (`F.elu`).
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Tensor {
        apply_unary(Elu { alpha, scale: 1.0, input_scale: 1.0 }, self)
    }
    /// [`Tensor::elu`] in place.
    #[track_caller]
    pub fn elu_(&self, alpha: f64) -> Tensor {
        apply_unary_inplace(Elu { alpha, scale: 1.0, input_scale: 1.0 }, self)
    }
    /// The self-normalising ELU of Klambauer et al. 2017 (`F.selu`).
    #[track_caller]
    pub fn selu(&self) -> Tensor {
        apply_unary(Elu { alpha: SELU_ALPHA, scale: SELU_SCALE, input_scale: 1.0 }, self)
    }
    /// [`Tensor::selu`] in place.
    #[track_caller]
    pub fn selu_(&self) -> Tensor {
        apply_unary_inplace(Elu { alpha: SELU_ALPHA, scale: SELU_SCALE, input_scale: 1.0 }, self)
    }
    /// `max(0, x) + min(0, alpha (e^(x / alpha) - 1))` (`F.celu`).
    ///
    /// # Panics
    /// If `alpha` is 0.
    #[track_caller]
    pub fn celu(&self, alpha: f64) -> Tensor {
        apply_unary(celu_rule(alpha), self)
    }
    /// [`Tensor::celu`] in place.
    #[track_caller]
    pub fn celu_(&self, alpha: f64) -> Tensor {
        apply_unary_inplace(celu_rule(alpha), self)
    }
    /// `x Φ(x)`, Φ being the normal distribution function, or its approximation by tanh (`F.gelu`).
    #[track_caller]
    pub fn gelu(&self, approximate: Approximate) -> Tensor {
        match approximate {
            Approximate::None => apply_unary(Gelu, self),
            Approximate::Tanh => apply_unary(GeluTanh, self),
        }
    }
    /// `x sigmoid(x)`, also called swish (`F.silu`).
    #[track_caller]
    pub fn silu(&self) -> Tensor {
        apply_unary(Silu, self)
    }
    /// [`Tensor::silu`] in place.
    #[track_caller]
    pub fn silu_(&self) -> Tensor {
        apply_unary_inplace(Silu, self)
    }
    /// `x tanh(softplus(x))` (`F.mish`).
    #[track_caller]
    pub fn mish(&self) -> Tensor {
        apply_unary(Mish, self)
    }
    /// [`Tensor::mish`] in place.
    #[track_caller]
    pub fn mish_(&self) -> Tensor {
        apply_unary_inplace(Mish, self)
    }
    /// `ln(1 + e^(beta x)) / beta`, and `x` where `beta x > threshold`; PyTorch's defaults are 1 and 20 (`F.softplus`).
    #[track_caller]
    pub fn softplus(&self, beta: f64, threshold: f64) -> Tensor {
        apply_unary(Softplus { beta, threshold }, self)
    }
    /// `x / (1 + |x|)` (`F.softsign`).
    #[track_caller]
    pub fn softsign(&self) -> Tensor {
        self / (self.abs() + 1.0)
    }
    /// `x - tanh(x)` (`F.tanhshrink`).
    #[track_caller]
    pub fn tanhshrink(&self) -> Tensor {
        self - self.tanh()
    }
    /// `x`, but 0 in [-lambda, lambda]; PyTorch's default is 0.5 (`F.hardshrink`).
    #[track_caller]
    pub fn hardshrink(&self, lambda: f64) -> Tensor {
        apply_unary(Hardshrink { lambda }, self)
    }
    /// `x` moved by `lambda` towards 0, and 0 in between; PyTorch's default is 0.5 (`F.softshrink`).
    ///
    /// # Panics
    /// If `lambda` is negative.
    #[track_caller]
    pub fn softshrink(&self, lambda: f64) -> Tensor {
        if !(lambda >= 0.0) {
            fail("softshrink", format!("lambda must be greater or equal to 0, but found to be {lambda}."));
        }
        apply_unary(Softshrink { lambda }, self)
    }
    /// `min(max(x + 3, 0), 6) / 6` (`F.hardsigmoid`).
    #[track_caller]
    pub fn hardsigmoid(&self) -> Tensor {
        apply_unary(Hardsigmoid, self)
    }
    /// [`Tensor::hardsigmoid`] in place.
    #[track_caller]
    pub fn hardsigmoid_(&self) -> Tensor {
        apply_unary_inplace(Hardsigmoid, self)
    }
    /// `x hardsigmoid(x)` (`F.hardswish`).
    #[track_caller]
    pub fn hardswish(&self) -> Tensor {
        apply_unary(Hardswish, self)
    }
    /// [`Tensor::hardswish`] in place.
    #[track_caller]
    pub fn hardswish_(&self) -> Tensor {
        apply_unary_inplace(Hardswish, self)
    }
    /// `ln(sigmoid(x))` without overflow (`F.logsigmoid`).
    #[track_caller]
    pub fn logsigmoid(&self) -> Tensor {
        apply_unary(LogSigmoid, self)
    }
    /// `x` where it is above `threshold`, else `value` (`F.threshold`).
    #[track_caller]
    pub fn threshold(&self, threshold: f64, value: f64) -> Tensor {
        apply_unary(Threshold { threshold, value }, self)
    }
    /// [`Tensor::threshold`] in place.
    #[track_caller]
    pub fn threshold_(&self, threshold: f64, value: f64) -> Tensor {
        apply_unary_inplace(Threshold { threshold, value }, self)
    }
    /// `x` above zero, `weight * x` below, with one weight or one for each channel (dimension 1) (`F.prelu`).
    ///
    /// # Panics
    /// If the weight is not 0-d or 1-d, or has neither one element nor one for each channel.
    #[track_caller]
    pub fn prelu(&self, weight: &Tensor) -> Tensor {
        let (x, w) = (self.shape(), weight.shape());
        if w.len() > 1 {
            fail("prelu", format!("prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {}", w.len()));
        }
        if self.dtype() != weight.dtype() {
            fail("prelu", format!("prelu: Type promoting not supported. Got {} and {}", self.dtype(), weight.dtype()));
        }
        if w.numel() == 1 {
            let weight = if w.len() == x.len() || w.is_empty() { weight.clone() } else { weight.sum_to_size(()) };
            return apply_binary(Prelu, self, (&weight).into());
        }
        let channels = if x.len() > 1 { x[1] } else { 1 };
        if x.is_empty() || w.numel() != channels {
            fail(
                "prelu",
                format!(
                    "Mismatch of parameter numbers and input channel size. Found parameter numbers = {} and channel size = {channels}.",
                    w.numel()
                ),
            );
        }
        let mut shape = crate::Dims::filled(x.len(), 1);
        shape[1] = channels;
        apply_binary(Prelu, self, (&weight.reshape(shape)).into())
    }
}

#[track_caller]
fn hardtanh_rule(min: f64, max: f64) -> Hardtanh {
    if min > max {
        fail("hardtanh", format!("min_val cannot be greater than max_val, got {min} and {max}"));
    }
    Hardtanh { min, max }
}
#[track_caller]
fn celu_rule(alpha: f64) -> Elu {
    if alpha == 0.0 {
        fail("celu", "ZeroDivisionError: alpha cannot be 0 for CELU");
    }
    Elu { alpha, scale: 1.0, input_scale: 1.0 / alpha }
}

/// A table row of an activation.
macro_rules! row {
    ($name:literal, $f:expr) => {
        OpInfo {
            name: $name,
            torch: concat!("F.", $name, "(x)"),
            samples: || {
                vec![
                    Sample::new(&[numbers(&[3, 4], 1)], |x| $f(&x[0])),
                    Sample::new(&[numbers(&[7], 2)], |x| $f(&(&x[0] * 3.0))),
                    Sample::new(&[numbers(&[], 3)], |x| $f(&x[0])),
                    Sample::new(&[numbers(&[0], 3)], |x| $f(&x[0])),
                ]
            },
            refused: Vec::new,
        }
    };
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    row!("relu", Tensor::relu),
    row!("relu6", Tensor::relu6),
    row!("hardtanh", |x: &Tensor| x.hardtanh(-1.0, 1.0)),
    row!("leaky_relu", |x: &Tensor| x.leaky_relu(0.01)),
    row!("elu", |x: &Tensor| x.elu(0.7)),
    row!("selu", Tensor::selu),
    row!("celu", |x: &Tensor| x.celu(1.3)),
    row!("gelu", |x: &Tensor| x.gelu(Approximate::None)),
    row!("gelu tanh", |x: &Tensor| x.gelu(Approximate::Tanh)),
    row!("silu", Tensor::silu),
    row!("mish", Tensor::mish),
    row!("softplus", |x: &Tensor| x.softplus(1.5, 20.0)),
    row!("softsign", Tensor::softsign),
    row!("tanhshrink", Tensor::tanhshrink),
    row!("hardshrink", |x: &Tensor| x.hardshrink(0.5)),
    row!("softshrink", |x: &Tensor| x.softshrink(0.5)),
    row!("hardsigmoid", Tensor::hardsigmoid),
    row!("hardswish", Tensor::hardswish),
    row!("logsigmoid", Tensor::logsigmoid),
    row!("threshold", |x: &Tensor| x.threshold(0.1, -2.0)),
    OpInfo {
        name: "prelu",
        torch: "F.prelu(x, weight)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[4], 2)], |x| x[0].prelu(&x[1])),
                Sample::new(&[numbers(&[3, 4, 2], 1), numbers(&[1], 2)], |x| x[0].prelu(&x[1])),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[3], 2)], |x| x[0].prelu(&x[1])),
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[1, 4], 2)], |x| x[0].prelu(&x[1])),
            ]
        },
    },
];
