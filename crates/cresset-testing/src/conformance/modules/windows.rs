//! Convolutions and pooling.

use super::build::{Built, ModuleRow, module};
use crate::conformance::args::{Args, Res, Stop};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_nn as nn;
use cresset_nn::functional::{AvgPoolOptions, MaxPoolOptions, OutputSize, Padding};
use cresset_tensor::{DType, Dims};

const CONV: &str = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode";
const TRANSPOSED: &str =
    "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode";
const MAX: &str = "kernel_size stride padding dilation return_indices ceil_mode";
const AVG: &str = "kernel_size stride padding ceil_mode count_include_pad divisor_override";

fn sizes(a: &Args, name: &str, default: usize) -> Res<Dims> {
    Ok(a.opt_sizes(name)?.map_or(default.into(), Dims::from))
}
fn conv(a: &Args) -> Res<nn::ConvNdOptions> {
    let padding = match a.raw("padding") {
        Some(Value::Str(s)) if s == "same" => Padding::Same,
        Some(Value::Str(s)) if s == "valid" => Padding::Valid,
        _ => Padding::Zeros(sizes(a, "padding", 0)?),
    };
    let padding_mode = match a.text_or("padding_mode", "zeros")? {
        "zeros" => nn::PaddingMode::Zeros,
        "reflect" => nn::PaddingMode::Reflect,
        "replicate" => nn::PaddingMode::Replicate,
        "circular" => nn::PaddingMode::Circular,
        other => return Err(Stop::Inexpressible(format!("padding_mode={other}"))),
    };
    Ok(nn::ConvNdOptions {
        stride: sizes(a, "stride", 1)?,
        padding,
        dilation: sizes(a, "dilation", 1)?,
        groups: a.usize_or("groups", 1)?,
        bias: a.bool_or("bias", true)?,
        padding_mode,
        dtype: a.dtype()?.unwrap_or(DType::F32),
    })
}
fn transposed(a: &Args) -> Res<nn::ConvTransposeNdOptions> {
    if a.text_or("padding_mode", "zeros")? != "zeros" {
        return Err(Stop::Inexpressible("a transposed convolution has no padding_mode".into()));
    }
    Ok(nn::ConvTransposeNdOptions {
        stride: sizes(a, "stride", 1)?,
        padding: sizes(a, "padding", 0)?,
        output_padding: sizes(a, "output_padding", 0)?,
        groups: a.usize_or("groups", 1)?,
        bias: a.bool_or("bias", true)?,
        dilation: sizes(a, "dilation", 1)?,
        dtype: a.dtype()?.unwrap_or(DType::F32),
    })
}
fn max(a: &Args) -> Res<MaxPoolOptions> {
    Ok(MaxPoolOptions {
        stride: a.opt_sizes("stride")?.map(Dims::from),
        padding: sizes(a, "padding", 0)?,
        dilation: sizes(a, "dilation", 1)?,
        ceil_mode: a.bool_or("ceil_mode", false)?,
    })
}
fn avg(a: &Args) -> Res<AvgPoolOptions> {
    Ok(AvgPoolOptions {
        stride: a.opt_sizes("stride")?.map(Dims::from),
        padding: sizes(a, "padding", 0)?,
        ceil_mode: a.bool_or("ceil_mode", false)?,
        count_include_pad: a.bool_or("count_include_pad", true)?,
        divisor_override: a.opt_int("divisor_override")?.map(|d| d as i64),
    })
}
fn output_size(a: &Args) -> Res<OutputSize> {
    let size = |v: &Value| match v {
        Value::None => Ok(None),
        Value::Int(n) if *n >= 0 => Ok(Some(*n as usize)),
        other => Err(Stop::Inexpressible(format!("output_size={other:?}"))),
    };
    match a.raw("output_size") {
        Some(Value::List(v) | Value::Tuple(v)) => match &v[..] {
            [x] => Ok([size(x)?].into()),
            [x, y] => Ok([size(x)?, size(y)?].into()),
            [x, y, z] => Ok([size(x)?, size(y)?, size(z)?].into()),
            other => Err(Stop::Inexpressible(format!("output_size={other:?}"))),
        },
        _ => Ok(a.usize("output_size")?.into()),
    }
}

macro_rules! convolution {
    ($name:literal, $layer:ident, $signature:ident, $options:ident) => {
        module($name, $signature, |a| {
            let (input, output) = (a.usize("in_channels")?, a.usize("out_channels")?);
            Ok(Built::layer(nn::$layer::with(input, output, a.sizes("kernel_size")?, $options(a)?)))
        })
    };
}
macro_rules! max_pool {
    ($name:literal, $layer:ident) => {
        module($name, MAX, |a| {
            let layer = nn::$layer::with(a.sizes("kernel_size")?, max(a)?);
            if !a.bool_or("return_indices", false)? {
                return Ok(Built::layer(layer));
            }
            Ok(Built::with(layer, "input", |m, a| Ok(Out::from(m.forward_with_indices(&a.tensor("input")?)))))
        })
    };
}
macro_rules! avg_pool {
    ($name:literal, $layer:ident) => {
        module($name, AVG, |a| Ok(Built::layer(nn::$layer::with(a.sizes("kernel_size")?, avg(a)?))))
    };
}
macro_rules! adaptive {
    ($name:literal, $layer:ident) => {
        module($name, "output_size", |a| Ok(Built::layer(nn::$layer::new(output_size(a)?))))
    };
}
macro_rules! adaptive_max {
    ($name:literal, $layer:ident) => {
        module($name, "output_size return_indices", |a| {
            let layer = nn::$layer::new(output_size(a)?);
            if !a.bool_or("return_indices", false)? {
                return Ok(Built::layer(layer));
            }
            Ok(Built::with(layer, "input", |m, a| Ok(Out::from(m.forward_with_indices(&a.tensor("input")?)))))
        })
    };
}

pub(super) const ROWS: &[ModuleRow] = &[
    convolution!("Conv1d", Conv1d, CONV, conv),
    convolution!("Conv2d", Conv2d, CONV, conv),
    convolution!("Conv3d", Conv3d, CONV, conv),
    convolution!("ConvTranspose1d", ConvTranspose1d, TRANSPOSED, transposed),
    convolution!("ConvTranspose2d", ConvTranspose2d, TRANSPOSED, transposed),
    convolution!("ConvTranspose3d", ConvTranspose3d, TRANSPOSED, transposed),
    max_pool!("MaxPool1d", MaxPool1d),
    max_pool!("MaxPool2d", MaxPool2d),
    max_pool!("MaxPool3d", MaxPool3d),
    avg_pool!("AvgPool1d", AvgPool1d),
    avg_pool!("AvgPool2d", AvgPool2d),
    avg_pool!("AvgPool3d", AvgPool3d),
    adaptive!("AdaptiveAvgPool1d", AdaptiveAvgPool1d),
    adaptive!("AdaptiveAvgPool2d", AdaptiveAvgPool2d),
    adaptive!("AdaptiveAvgPool3d", AdaptiveAvgPool3d),
    adaptive_max!("AdaptiveMaxPool1d", AdaptiveMaxPool1d),
    adaptive_max!("AdaptiveMaxPool2d", AdaptiveMaxPool2d),
    adaptive_max!("AdaptiveMaxPool3d", AdaptiveMaxPool3d),
];
