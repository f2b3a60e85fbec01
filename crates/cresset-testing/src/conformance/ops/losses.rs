//! Losses of pairs, distances, and other functions of `torch.nn.functional` without weights.

use super::linalg::window;
use super::nn_functional::reduction;
use crate::conformance::args::{Args, Res, Row, row};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::functional::{self as F, Reduction, UnfoldOptions};
use cresset_tensor::{Dims, Tensor};

fn pair(a: &Args) -> Res<(Tensor, Tensor)> {
    Ok((a.tensor("input")?, a.tensor("target")?))
}

fn plain(a: &Args, loss: fn(&Tensor, &Tensor, Reduction) -> Tensor) -> Res<Out> {
    let (x, y) = pair(a)?;
    Ok(loss(&x, &y, reduction(a)?).into())
}

/// The divergence knows one way more to reduce.
fn kl_div(a: &Args) -> Res<Out> {
    let (x, y) = pair(a)?;
    let log_target = a.bool_or("log_target", false)?;
    if matches!(a.raw("reduction"), Some(Value::Str(s)) if s == "batchmean") {
        a.raw("size_average");
        a.raw("reduce");
        let sum = F::kl_div(&x, &y, Reduction::Sum, log_target);
        let n = x.shape().first().copied().unwrap_or(1);
        return Ok((sum / n as f64).into());
    }
    Ok(F::kl_div(&x, &y, reduction(a)?, log_target).into())
}

fn windows(a: &Args) -> Res<UnfoldOptions> {
    Ok(UnfoldOptions {
        dilation: window(a, "dilation", 1)?,
        padding: window(a, "padding", 0)?,
        stride: window(a, "stride", 1)?,
    })
}

fn rrelu(a: &Args) -> Res<Out> {
    let (x, lower, upper) = (a.tensor("input")?, a.float_or("lower", 1.0 / 8.0)?, a.float_or("upper", 1.0 / 3.0)?);
    let training = a.bool_or("training", false)?;
    Ok(if a.inplace() { F::rrelu_(&x, lower, upper, training) } else { F::rrelu(&x, lower, upper, training) }.into())
}

const PAIR: &str = "input target size_average reduce reduction";

pub(super) const ROWS: &[Row] = &[
    row("F.mse_loss", PAIR, |a| plain(a, F::mse_loss)),
    row("F.l1_loss", PAIR, |a| plain(a, F::l1_loss)),
    row("F.smooth_l1_loss", "input target size_average reduce reduction beta", |a| {
        let ((x, y), r) = (pair(a)?, reduction(a)?);
        Ok(F::smooth_l1_loss(&x, &y, r, a.float_or("beta", 1.0)?).into())
    }),
    row("F.huber_loss", "input target reduction delta", |a| {
        let ((x, y), r) = (pair(a)?, reduction(a)?);
        Ok(F::huber_loss(&x, &y, r, a.float_or("delta", 1.0)?).into())
    }),
    row("F.binary_cross_entropy", "input target weight size_average reduce reduction", |a| {
        let ((x, y), r) = (pair(a)?, reduction(a)?);
        Ok(F::binary_cross_entropy(&x, &y, a.opt_tensor("weight")?.as_ref(), r).into())
    }),
    row("F.binary_cross_entropy_with_logits", "input target weight size_average reduce reduction pos_weight", |a| {
        let ((x, y), r) = (pair(a)?, reduction(a)?);
        let (w, p) = (a.opt_tensor("weight")?, a.opt_tensor("pos_weight")?);
        Ok(F::binary_cross_entropy_with_logits(&x, &y, w.as_ref(), p.as_ref(), r).into())
    }),
    row("F.kl_div", "input target size_average reduce reduction log_target", kl_div),
    row("F.normalize", "input p dim eps", |a| {
        let x = a.tensor("input")?;
        Ok(F::normalize(&x, a.float_or("p", 2.0)?, a.int_or("dim", 1)?, a.float_or("eps", 1e-12)?).into())
    }),
    row("F.cosine_similarity", "x1 x2 dim eps", |a| {
        let (x, y) = (a.tensor("x1")?, a.tensor("x2")?);
        Ok(F::cosine_similarity(&x, &y, a.int_or("dim", 1)?, a.float_or("eps", 1e-8)?).into())
    }),
    row("F.pairwise_distance", "x1 x2 p eps keepdim", |a| {
        let (x, y) = (a.tensor("x1")?, a.tensor("x2")?);
        let (p, eps) = (a.float_or("p", 2.0)?, a.float_or("eps", 1e-6)?);
        Ok(F::pairwise_distance(&x, &y, p, eps, a.bool_or("keepdim", false)?).into())
    }),
    row("F.bilinear", "input1 input2 weight bias", |a| {
        let (x, y) = (a.tensor("input1")?, a.tensor("input2")?);
        Ok(F::bilinear(&x, &y, &a.tensor("weight")?, a.opt_tensor("bias")?.as_ref()).into())
    }),
    row("F.glu", "input dim", |a| Ok(F::glu(&a.tensor("input")?, a.int_or("dim", -1)?).into())),
    row("F.rrelu", "input lower upper training inplace", rrelu),
    row("F.unfold", "input kernel_size dilation padding stride", |a| {
        Ok(F::unfold(&a.tensor("input")?, Dims::from(a.sizes("kernel_size")?), windows(a)?).into())
    }),
    row("F.fold", "input output_size kernel_size dilation padding stride", |a| {
        let (output, kernel) = (Dims::from(a.sizes("output_size")?), Dims::from(a.sizes("kernel_size")?));
        Ok(F::fold(&a.tensor("input")?, output, kernel, windows(a)?).into())
    }),
];
