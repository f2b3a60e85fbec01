//! Losses of pairs of numbers. (The losses over classes are in `loss`.)

use crate::error::fail;
use crate::ops::loss::Reduction;
use crate::ops::pointwise::{BinaryDef, Ints, apply_binary, apply_reduced};
use crate::tensor::Tensor;
use crate::where_;
use cresset_kernels::lane::{Binary, InBlocks, InRegisters, Lane, LaneOps};

/// Reduces the losses of the elements.
fn reduced(losses: Tensor, reduction: Reduction) -> Tensor {
    match reduction {
        Reduction::None => losses,
        Reduction::Mean => losses.mean(),
        Reduction::Sum => losses.sum(),
    }
}

/// `(a - b)²`
#[derive(Clone, Copy, Debug)]
struct SquaredError;
impl Binary for SquaredError {
    type Loop = InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let d = a.sub(b);
        d.mul(&d)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        a.sub(b).mul_c(2.0)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        b.sub(a).mul_c(2.0)
    }
}
impl BinaryDef for SquaredError {
    const NAME: &'static str = "mse_loss";
    const INTS: Ints = Ints::Refuse;
}

/// `d²/2` near zero, straight outside: the smooth L1 loss (divided by beta) and Huber's (not divided).
#[derive(Clone, Copy, Debug)]
struct Bend {
    delta: f64,
    /// 1 for Huber, 1 / beta for smooth L1.
    scale: f64,
    smooth_l1: bool,
}
impl Binary for Bend {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        let d = a.sub(b).abs();
        let near = d.mul(&d).mul_c(0.5 * self.scale);
        let far = d.sub_c(0.5 * self.delta).mul_c(self.delta * self.scale);
        L::select(&d.lt_c(self.delta), &near, &far)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        let d = a.sub(b);
        L::select(&d.abs().lt_c(self.delta), &d.mul_c(self.scale), &d.sign().mul_c(self.delta * self.scale))
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, y: &L) -> L {
        self.da(a, b, y).neg()
    }
}
impl BinaryDef for Bend {
    const NAME: &'static str = "huber_loss";
    const INTS: Ints = Ints::Refuse;
    fn grad_name(&self) -> Option<&'static str> {
        self.smooth_l1.then_some("SmoothL1LossBackward0")
    }
}

/// The binary cross entropy of a probability, its logarithms cut at -100 as PyTorch cuts them.
#[derive(Clone, Copy, Debug)]
struct BinaryCrossEntropy;
impl Binary for BinaryCrossEntropy {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, p: &L, t: &L) -> L {
        let a = p.ln().max_c(-100.0);
        let b = p.neg().log1p().max_c(-100.0);
        t.sub_c(1.0).mul(&b).sub(&t.mul(&a))
    }
    #[inline(always)]
    fn da<L: Lane>(&self, p: &L, t: &L, _y: &L) -> L {
        p.sub(t).div(&p.rsub_c(1.0).mul(p).max_c(1e-12))
    }
    #[inline(always)]
    fn db<L: Lane>(&self, p: &L, _t: &L, _y: &L) -> L {
        p.neg().log1p().max_c(-100.0).sub(&p.ln().max_c(-100.0))
    }
}
impl BinaryDef for BinaryCrossEntropy {
    const NAME: &'static str = "binary_cross_entropy";
    const INTS: Ints = Ints::Refuse;
}

/// `(input - target)²`, reduced (`F.mse_loss`).
///
/// # Panics
/// If the shapes do not broadcast.
#[track_caller]
pub fn mse_loss(input: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    apply_reduced(SquaredError, input, target, reduction)
}
/// `|input - target|`, reduced (`F.l1_loss`).
#[track_caller]
pub fn l1_loss(input: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    reduced((input - target).abs(), reduction)
}
/// `d² / (2 beta)` where `d = |input - target| < beta`, else `d - beta / 2`, reduced (`F.smooth_l1_loss`).
///
/// # Panics
/// If `beta` is negative.
#[track_caller]
pub fn smooth_l1_loss(input: &Tensor, target: &Tensor, reduction: Reduction, beta: f64) -> Tensor {
    if !(beta >= 0.0) {
        fail("smooth_l1_loss", "smooth_l1_loss does not support negative values for beta.");
    }
    if beta == 0.0 {
        return l1_loss(input, target, reduction);
    }
    apply_reduced(Bend { delta: beta, scale: 1.0 / beta, smooth_l1: true }, input, target, reduction)
}
/// `d² / 2` where `d = |input - target| < delta`, else `delta (d - delta / 2)`, reduced (`F.huber_loss`).
///
/// # Panics
/// If `delta` is not positive.
#[track_caller]
pub fn huber_loss(input: &Tensor, target: &Tensor, reduction: Reduction, delta: f64) -> Tensor {
    if !(delta > 0.0) {
        fail("huber_loss", "huber_loss does not support non-positive values for delta.");
    }
    apply_reduced(Bend { delta, scale: 1.0, smooth_l1: false }, input, target, reduction)
}
/// `-(t ln p + (1 - t) ln(1 - p))` of probabilities `p`, weighted and reduced (`F.binary_cross_entropy`).
///
/// # Panics
/// If the shapes differ or an input is not in [0, 1].
#[track_caller]
pub fn binary_cross_entropy(input: &Tensor, target: &Tensor, weight: Option<&Tensor>, reduction: Reduction) -> Tensor {
    if input.shape() != target.shape() {
        fail(
            "binary_cross_entropy",
            format!(
                "Using a target size ({}) that is different to the input size ({}) is deprecated. Please ensure they have the same size.",
                target.shape(),
                input.shape()
            ),
        );
    }
    let outside = input.detach().lt(0.0).logical_or(&input.detach().gt(1.0));
    crate::record::depends("binary_cross_entropy");
    if crate::kernels::scalars(&outside.array()).iter().any(|s| s.truth()) {
        fail("binary_cross_entropy", "all elements of input should be between 0 and 1");
    }
    match weight {
        Some(w) => reduced(apply_binary(BinaryCrossEntropy, input, target.into()) * w, reduction),
        None => apply_reduced(BinaryCrossEntropy, input, target, reduction),
    }
}
/// [`binary_cross_entropy`] of `sigmoid(input)` without overflow, weighted, the positive class `pos_weight` times
/// (`F.binary_cross_entropy_with_logits`).
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn binary_cross_entropy_with_logits(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    pos_weight: Option<&Tensor>,
    reduction: Reduction,
) -> Tensor {
    if input.shape() != target.shape() {
        fail(
            "binary_cross_entropy_with_logits",
            format!("Target size ({}) must be the same as input size ({})", target.shape(), input.shape()),
        );
    }
    let losses = match pos_weight {
        Some(p) => (1.0 - target) * input - ((p - 1.0) * target + 1.0) * input.logsigmoid(),
        None => (1.0 - target) * input - input.logsigmoid(),
    };
    reduced(
        match weight {
            Some(w) => losses * w,
            None => losses,
        },
        reduction,
    )
}
/// `t (ln t - input)` with 0 for t = 0, `input` being log-probabilities; with `log_target` the target too, `e^t (t - input)`. Reduced
/// (`F.kl_div`). `batchmean` divides the sum by the batch size, which is the mathematical definition.
#[track_caller]
pub fn kl_div(input: &Tensor, target: &Tensor, reduction: Reduction, log_target: bool) -> Tensor {
    let losses = if log_target {
        target.exp() * (target - input)
    } else {
        let entropy = target.xlogy(target);
        let cross =
            where_(&target.detach().eq(0.0).logical_and(&input.detach().isfinite()), target * 0.0, target * input);
        entropy - cross
    };
    reduced(losses, reduction)
}
