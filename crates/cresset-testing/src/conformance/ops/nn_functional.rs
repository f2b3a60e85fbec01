//! `torch.nn.functional` beyond activations and convolutions: normalisation, losses, pooling, embedding.

use super::linalg::window;
use crate::conformance::args::{Args, Res, Row, Stop, row, unsupported};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::functional::{
    self as F, AvgPoolOptions, CrossEntropyOptions, EmbeddingOptions, MaxPoolOptions, MaxUnpoolOptions, OutputSize,
    Reduction,
};
use cresset_tensor::{Dims, Tensor};

/// What a loss does with its elements.
pub fn reduction(a: &Args) -> Res<Reduction> {
    if a.has("size_average") || a.has("reduce") {
        return unsupported("size_average and reduce");
    }
    a.raw("size_average");
    a.raw("reduce");
    match a.text_or("reduction", "mean")? {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        "none" => Ok(Reduction::None),
        other => Err(Stop::Inexpressible(format!("reduction {other}"))),
    }
}

fn classes(a: &Args) -> Res<CrossEntropyOptions> {
    Ok(CrossEntropyOptions {
        weight: a.opt_tensor("weight")?,
        ignore_index: a.int_or("ignore_index", -100)? as i64,
        reduction: reduction(a)?,
        label_smoothing: a.float_or("label_smoothing", 0.0)?,
    })
}

fn max_options(a: &Args) -> Res<MaxPoolOptions> {
    Ok(MaxPoolOptions {
        stride: a.opt_sizes("stride")?.filter(|s| !s.is_empty()).map(Dims::from),
        padding: window(a, "padding", 0)?,
        dilation: window(a, "dilation", 1)?,
        ceil_mode: a.bool_or("ceil_mode", false)?,
    })
}
type MaxPool = fn(&Tensor, Dims, MaxPoolOptions) -> Tensor;
type MaxPoolBoth = fn(&Tensor, Dims, MaxPoolOptions) -> (Tensor, Tensor);
fn max_pool(a: &Args, plain: MaxPool, both: MaxPoolBoth) -> Res<Out> {
    let x = a.tensor("input")?;
    let kernel = Dims::from(a.sizes("kernel_size")?);
    let options = max_options(a)?;
    Ok(if a.bool_or("return_indices", false)? {
        both(&x, kernel, options).into()
    } else {
        plain(&x, kernel, options).into()
    })
}

fn avg_pool(a: &Args, f: fn(&Tensor, Dims, AvgPoolOptions) -> Tensor) -> Res<Out> {
    let x = a.tensor("input")?;
    let options = AvgPoolOptions {
        stride: a.opt_sizes("stride")?.filter(|s| !s.is_empty()).map(Dims::from),
        padding: window(a, "padding", 0)?,
        ceil_mode: a.bool_or("ceil_mode", false)?,
        count_include_pad: a.bool_or("count_include_pad", true)?,
        divisor_override: a.opt_int("divisor_override")?.map(|d| d as i64),
    };
    Ok(f(&x, Dims::from(a.sizes("kernel_size")?), options).into())
}

/// The size of an adaptive pooling's result: one number, or one or `None` for each dimension.
pub fn output_size(a: &Args) -> Res<OutputSize> {
    let item = |v: &Value| match v {
        Value::None => Ok(None),
        Value::Int(i) => usize::try_from(*i).map(Some).map_err(|_| Stop::Inexpressible("a negative size".into())),
        other => Err(Stop::Inexpressible(format!("output_size {other:?}"))),
    };
    match a.raw("output_size") {
        Some(Value::List(v) | Value::Tuple(v)) => {
            let sizes: Vec<Option<usize>> = v.iter().map(item).collect::<Res<_>>()?;
            Ok(match sizes[..] {
                [x] => [x].into(),
                [x, y] => [x, y].into(),
                [x, y, z] => [x, y, z].into(),
                _ => return Err(Stop::Inexpressible(format!("{} sizes", sizes.len()))),
            })
        }
        Some(v @ Value::Int(_)) => Ok(item(v)?.unwrap_or(0).into()),
        other => Err(Stop::Inexpressible(format!("output_size {other:?}"))),
    }
}

type Adaptive = fn(&Tensor, OutputSize) -> Tensor;
type AdaptiveBoth = fn(&Tensor, OutputSize) -> (Tensor, Tensor);
fn adaptive_max(a: &Args, plain: Adaptive, both: AdaptiveBoth) -> Res<Out> {
    let (x, size) = (a.tensor("input")?, output_size(a)?);
    Ok(if a.bool_or("return_indices", false)? { both(&x, size).into() } else { plain(&x, size).into() })
}
fn adaptive_avg(a: &Args, f: Adaptive) -> Res<Out> {
    Ok(f(&a.tensor("input")?, output_size(a)?).into())
}

fn max_unpool(a: &Args, f: fn(&Tensor, &Tensor, Dims, MaxUnpoolOptions) -> Tensor) -> Res<Out> {
    let (x, at) = (a.tensor("input")?, a.tensor("indices")?);
    let options = MaxUnpoolOptions {
        stride: a.opt_sizes("stride")?.filter(|s| !s.is_empty()).map(Dims::from),
        padding: window(a, "padding", 0)?,
        output_size: a.opt_sizes("output_size")?.map(Dims::from),
    };
    Ok(f(&x, &at, Dims::from(a.sizes("kernel_size")?), options).into())
}

type Dropout = fn(&Tensor, f64, bool) -> Tensor;
/// Dropout, `training` being `on` where it is not given.
fn dropout(a: &Args, on: bool, plain: Dropout, in_place: Dropout) -> Res<Out> {
    let (x, p) = (a.tensor("input")?, a.float_or("p", 0.5)?);
    let training = a.bool_or("training", on)?;
    Ok(if a.inplace() { in_place(&x, p, training) } else { plain(&x, p, training) }.into())
}

const MAX_POOL: &str = "input kernel_size stride padding dilation ceil_mode return_indices";
const AVG_POOL: &str = "input kernel_size stride padding ceil_mode count_include_pad divisor_override";
const UNPOOL: &str = "input indices kernel_size stride padding output_size";

pub(super) const ROWS: &[Row] = &[
    row("F.layer_norm", "input normalized_shape weight bias eps", |a| {
        let (x, w, b) = (a.tensor("input")?, a.opt_tensor("weight")?, a.opt_tensor("bias")?);
        Ok(F::layer_norm(&x, a.sizes("normalized_shape")?, w.as_ref(), b.as_ref(), a.float_or("eps", 1e-5)?).into())
    }),
    row("F.rms_norm", "input normalized_shape weight eps", |a| {
        let (x, w) = (a.tensor("input")?, a.opt_tensor("weight")?);
        let eps = a.opt_scalar("eps")?.map(|e| e.f64());
        Ok(F::rms_norm(&x, a.sizes("normalized_shape")?, w.as_ref(), eps).into())
    }),
    row("F.group_norm", "input num_groups weight bias eps", |a| {
        let (x, w, b) = (a.tensor("input")?, a.opt_tensor("weight")?, a.opt_tensor("bias")?);
        Ok(F::group_norm(&x, a.usize("num_groups")?, w.as_ref(), b.as_ref(), a.float_or("eps", 1e-5)?).into())
    }),
    row("F.batch_norm", "input running_mean running_var weight bias training momentum eps", |a| {
        let x = a.tensor("input")?;
        let (mean, var) = (a.opt_tensor("running_mean")?, a.opt_tensor("running_var")?);
        let (w, b) = (a.opt_tensor("weight")?, a.opt_tensor("bias")?);
        let (training, momentum) = (a.bool_or("training", false)?, a.float_or("momentum", 0.1)?);
        let eps = a.float_or("eps", 1e-5)?;
        let (mean, var, w, b) = (mean.as_ref(), var.as_ref(), w.as_ref(), b.as_ref());
        Ok(F::batch_norm(&x, mean, var, w, b, training, momentum, eps).into())
    }),
    row("F.instance_norm", "input running_mean running_var weight bias use_input_stats momentum eps", |a| {
        let x = a.tensor("input")?;
        let (mean, var) = (a.opt_tensor("running_mean")?, a.opt_tensor("running_var")?);
        let (w, b) = (a.opt_tensor("weight")?, a.opt_tensor("bias")?);
        let (own, momentum) = (a.bool_or("use_input_stats", true)?, a.float_or("momentum", 0.1)?);
        let eps = a.float_or("eps", 1e-5)?;
        let (mean, var, w, b) = (mean.as_ref(), var.as_ref(), w.as_ref(), b.as_ref());
        Ok(F::instance_norm(&x, mean, var, w, b, own, momentum, eps).into())
    }),
    row("F.cross_entropy", "input target weight size_average ignore_index reduce reduction label_smoothing", |a| {
        Ok(F::cross_entropy_with(&a.tensor("input")?, &a.tensor("target")?, &classes(a)?).into())
    }),
    row("F.nll_loss", "input target weight size_average ignore_index reduce reduction", |a| {
        Ok(F::nll_loss_with(&a.tensor("input")?, &a.tensor("target")?, &classes(a)?).into())
    }),
    row("F.embedding", "input weight padding_idx max_norm norm_type scale_grad_by_freq sparse", |a| {
        a.only("sparse", false)?;
        let options = EmbeddingOptions {
            padding_idx: a.opt_int("padding_idx")?,
            max_norm: a.opt_scalar("max_norm")?.map(|s| s.f64()),
            norm_type: a.float_or("norm_type", 2.0)?,
            scale_grad_by_freq: a.bool_or("scale_grad_by_freq", false)?,
        };
        Ok(F::embedding(&a.tensor("input")?, &a.tensor("weight")?, options).into())
    }),
    row("F.max_pool1d", MAX_POOL, |a| max_pool(a, F::max_pool1d, F::max_pool1d_with_indices)),
    row("F.max_pool2d", MAX_POOL, |a| max_pool(a, F::max_pool2d, F::max_pool2d_with_indices)),
    row("F.max_pool3d", MAX_POOL, |a| max_pool(a, F::max_pool3d, F::max_pool3d_with_indices)),
    row("F.avg_pool1d", AVG_POOL, |a| avg_pool(a, F::avg_pool1d)),
    row("F.avg_pool2d", AVG_POOL, |a| avg_pool(a, F::avg_pool2d)),
    row("F.avg_pool3d", AVG_POOL, |a| avg_pool(a, F::avg_pool3d)),
    row("F.adaptive_max_pool1d", "input output_size return_indices", |a| {
        adaptive_max(a, F::adaptive_max_pool1d, F::adaptive_max_pool1d_with_indices)
    }),
    row("F.adaptive_max_pool2d", "input output_size return_indices", |a| {
        adaptive_max(a, F::adaptive_max_pool2d, F::adaptive_max_pool2d_with_indices)
    }),
    row("F.adaptive_max_pool3d", "input output_size return_indices", |a| {
        adaptive_max(a, F::adaptive_max_pool3d, F::adaptive_max_pool3d_with_indices)
    }),
    row("F.adaptive_avg_pool1d", "input output_size", |a| adaptive_avg(a, F::adaptive_avg_pool1d)),
    row("F.adaptive_avg_pool2d", "input output_size", |a| adaptive_avg(a, F::adaptive_avg_pool2d)),
    row("F.adaptive_avg_pool3d", "input output_size", |a| adaptive_avg(a, F::adaptive_avg_pool3d)),
    row("F.max_unpool1d", UNPOOL, |a| max_unpool(a, F::max_unpool1d)),
    row("F.max_unpool2d", UNPOOL, |a| max_unpool(a, F::max_unpool2d)),
    row("F.max_unpool3d", UNPOOL, |a| max_unpool(a, F::max_unpool3d)),
    row("F.dropout", "input p training inplace", |a| dropout(a, true, F::dropout, F::dropout_)),
    row("F.dropout1d", "input p training inplace", |a| dropout(a, true, F::dropout1d, F::dropout1d_)),
    row("F.dropout2d", "input p training inplace", |a| dropout(a, true, F::dropout2d, F::dropout2d_)),
    row("F.dropout3d", "input p training inplace", |a| dropout(a, true, F::dropout3d, F::dropout3d_)),
    row("F.alpha_dropout", "input p training inplace", |a| dropout(a, false, F::alpha_dropout, F::alpha_dropout_)),
    row("F.feature_alpha_dropout", "input p training inplace", |a| {
        dropout(a, false, F::feature_alpha_dropout, F::feature_alpha_dropout_)
    }),
];
