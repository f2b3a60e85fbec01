//! Layers: linear ones, convolutions, activations, dropout.

use super::build::{Built, ModuleRow, module};
use crate::conformance::args::{Args, Res, Stop, unsupported};
use crate::conformance::ops::window;
use crate::golden::Value;
use cresset_nn::*;
use cresset_tensor::{Approximate, DType, Scalar};

fn dtype(a: &Args) -> Res<DType> {
    Ok(a.dtype()?.unwrap_or(DType::F32))
}
fn inplace(a: &Args) -> Res<bool> {
    a.bool_or("inplace", false)
}

fn conv(a: &Args) -> Res<(usize, usize, Vec<usize>, ConvNdOptions)> {
    let padding = match a.raw("padding") {
        None => Padding::Zeros(0.into()),
        Some(Value::Str(s)) if s == "valid" => Padding::Valid,
        Some(Value::Str(s)) if s == "same" => Padding::Same,
        Some(Value::Str(s)) => return Err(Stop::Inexpressible(format!("padding {s}"))),
        Some(_) => Padding::Zeros(window(a, "padding", 0)?),
    };
    let padding_mode = match a.text_or("padding_mode", "zeros")? {
        "zeros" => PaddingMode::Zeros,
        "reflect" => PaddingMode::Reflect,
        "replicate" => PaddingMode::Replicate,
        "circular" => PaddingMode::Circular,
        other => return Err(Stop::Inexpressible(format!("padding_mode {other}"))),
    };
    let options = ConvNdOptions {
        stride: window(a, "stride", 1)?,
        padding,
        dilation: window(a, "dilation", 1)?,
        groups: a.usize_or("groups", 1)?,
        bias: a.bool_or("bias", true)?,
        padding_mode,
        dtype: dtype(a)?,
    };
    Ok((a.usize("in_channels")?, a.usize("out_channels")?, a.sizes("kernel_size")?, options))
}

fn conv_transpose(a: &Args) -> Res<(usize, usize, Vec<usize>, ConvTransposeNdOptions)> {
    if a.text_or("padding_mode", "zeros")? != "zeros" {
        return Err(Stop::Inexpressible("padding_mode of a transposed convolution".into()));
    }
    let options = ConvTransposeNdOptions {
        stride: window(a, "stride", 1)?,
        padding: window(a, "padding", 0)?,
        output_padding: window(a, "output_padding", 0)?,
        groups: a.usize_or("groups", 1)?,
        bias: a.bool_or("bias", true)?,
        dilation: window(a, "dilation", 1)?,
        dtype: dtype(a)?,
    };
    Ok((a.usize("in_channels")?, a.usize("out_channels")?, a.sizes("kernel_size")?, options))
}

const CONV: &str = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode";
const CONV_TRANSPOSE: &str =
    "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode";

macro_rules! conv {
    ($name:literal, $type:ident) => {
        module($name, CONV, |a| {
            let (i, o, k, options) = conv(a)?;
            Ok(Built::layer($type::with(i, o, k, options)))
        })
    };
}
macro_rules! conv_transpose {
    ($name:literal, $type:ident) => {
        module($name, CONV_TRANSPOSE, |a| {
            let (i, o, k, options) = conv_transpose(a)?;
            let layer = $type::with(i, o, k, options);
            Ok(Built::layer(layer))
        })
    };
}
macro_rules! dropout {
    ($name:literal, $type:ident) => {
        module($name, "p inplace", |a| {
            let p = a.opt_scalar("p")?.unwrap_or(Scalar::Float(0.5));
            Ok(Built::layer($type::with(p, DropoutOptions { inplace: inplace(a)? })))
        })
    };
}
/// An activation without arguments.
macro_rules! plain {
    ($name:literal, $type:ident) => {
        module($name, "", |_| Ok(Built::layer($type::new())))
    };
    ($name:literal, $type:ident, $options:ident) => {
        module($name, "inplace", |a| Ok(Built::layer($type::with($options { inplace: inplace(a)? }))))
    };
}

/// A number or the option's default.
fn number(a: &Args, name: &str, default: Scalar) -> Res<Scalar> {
    Ok(a.opt_scalar(name)?.unwrap_or(default))
}

pub(super) const ROWS: &[ModuleRow] = &[
    module("Identity", "*ignored", |a| {
        // It takes any arguments and ignores them.
        a.rest("ignored");
        Ok(Built::layer(Identity::new()))
    }),
    module("Linear", "in_features out_features bias", |a| {
        let options = LinearOptions { bias: a.bool_or("bias", true)?, dtype: dtype(a)? };
        Ok(Built::layer(Linear::with(a.usize("in_features")?, a.usize("out_features")?, options)))
    }),
    module("Bilinear", "in1_features in2_features out_features bias", |a| {
        let options = BilinearOptions { bias: a.bool_or("bias", true)?, dtype: dtype(a)? };
        let (i, j, o) = (a.usize("in1_features")?, a.usize("in2_features")?, a.usize("out_features")?);
        Ok(Built::pair(Bilinear::with(i, j, o, options), "input1 input2"))
    }),
    module("Flatten", "start_dim end_dim", |a| {
        let options = FlattenOptions { start_dim: a.int_or("start_dim", 1)?, end_dim: a.int_or("end_dim", -1)? };
        Ok(Built::layer(Flatten::with(options)))
    }),
    module("Unflatten", "dim unflattened_size", |a| {
        // Python prints a list as it was given; here a shape is a shape, printed as a tuple.
        if matches!(a.raw("unflattened_size"), Some(Value::List(_))) {
            return unsupported("a list that prints as a list");
        }
        Ok(Built::layer(Unflatten::new(a.int("dim")?, a.dims("unflattened_size")?)))
    }),
    conv!("Conv1d", Conv1d),
    conv!("Conv2d", Conv2d),
    conv!("Conv3d", Conv3d),
    conv_transpose!("ConvTranspose1d", ConvTranspose1d),
    conv_transpose!("ConvTranspose2d", ConvTranspose2d),
    conv_transpose!("ConvTranspose3d", ConvTranspose3d),
    dropout!("Dropout", Dropout),
    dropout!("Dropout1d", Dropout1d),
    dropout!("Dropout2d", Dropout2d),
    dropout!("Dropout3d", Dropout3d),
    dropout!("AlphaDropout", AlphaDropout),
    dropout!("FeatureAlphaDropout", FeatureAlphaDropout),
    plain!("Tanhshrink", Tanhshrink),
    plain!("Softsign", Softsign),
    plain!("LogSigmoid", LogSigmoid),
    plain!("Sigmoid", Sigmoid),
    plain!("Tanh", Tanh),
    plain!("ReLU", ReLU, ReLUOptions),
    plain!("ReLU6", ReLU6, ReLU6Options),
    plain!("SELU", SELU, SELUOptions),
    plain!("SiLU", SiLU, SiLUOptions),
    plain!("Mish", Mish, MishOptions),
    plain!("Hardsigmoid", Hardsigmoid, HardsigmoidOptions),
    plain!("Hardswish", Hardswish, HardswishOptions),
    module("LeakyReLU", "negative_slope inplace", |a| {
        let d = LeakyReLUOptions::default();
        let negative_slope = number(a, "negative_slope", d.negative_slope)?;
        Ok(Built::layer(LeakyReLU::with(LeakyReLUOptions { negative_slope, inplace: inplace(a)? })))
    }),
    module("Hardtanh", "min_val max_val inplace", |a| {
        let d = HardtanhOptions::default();
        let (min_val, max_val) = (number(a, "min_val", d.min_val)?, number(a, "max_val", d.max_val)?);
        Ok(Built::layer(Hardtanh::with(HardtanhOptions { min_val, max_val, inplace: inplace(a)? })))
    }),
    module("ELU", "alpha inplace", |a| {
        let alpha = number(a, "alpha", ELUOptions::default().alpha)?;
        Ok(Built::layer(ELU::with(ELUOptions { alpha, inplace: inplace(a)? })))
    }),
    module("CELU", "alpha inplace", |a| {
        let alpha = number(a, "alpha", CELUOptions::default().alpha)?;
        Ok(Built::layer(CELU::with(CELUOptions { alpha, inplace: inplace(a)? })))
    }),
    module("GELU", "approximate", |a| {
        let approximate = match a.text_or("approximate", "none")? {
            "none" => Approximate::None,
            "tanh" => Approximate::Tanh,
            other => return Err(Stop::Inexpressible(format!("approximate {other}"))),
        };
        Ok(Built::layer(GELU::with(GELUOptions { approximate })))
    }),
    module("Softplus", "beta threshold", |a| {
        let d = SoftplusOptions::default();
        let (beta, threshold) = (number(a, "beta", d.beta)?, number(a, "threshold", d.threshold)?);
        Ok(Built::layer(Softplus::with(SoftplusOptions { beta, threshold })))
    }),
    module("Hardshrink", "lambd", |a| {
        let lambd = number(a, "lambd", HardshrinkOptions::default().lambd)?;
        Ok(Built::layer(Hardshrink::with(HardshrinkOptions { lambd })))
    }),
    module("Softshrink", "lambd", |a| {
        let lambd = number(a, "lambd", SoftshrinkOptions::default().lambd)?;
        Ok(Built::layer(Softshrink::with(SoftshrinkOptions { lambd })))
    }),
    module("Threshold", "threshold value inplace", |a| {
        let options = ThresholdOptions { inplace: inplace(a)? };
        Ok(Built::layer(Threshold::with(a.scalar("threshold")?, a.scalar("value")?, options)))
    }),
    module("PReLU", "num_parameters init", |a| {
        let d = PReLUOptions::default();
        let options = PReLUOptions {
            num_parameters: a.usize_or("num_parameters", d.num_parameters)?,
            init: a.float_or("init", d.init)?,
            dtype: dtype(a)?,
        };
        Ok(Built::layer(PReLU::with(options)))
    }),
    module("RReLU", "lower upper inplace", |a| {
        a.only("inplace", false)?;
        let d = RReLUOptions::default();
        let (lower, upper) = (number(a, "lower", d.lower)?, number(a, "upper", d.upper)?);
        Ok(Built::layer(RReLU::with(RReLUOptions { lower, upper })))
    }),
    module("GLU", "dim", |a| Ok(Built::layer(GLU::new(a.int_or("dim", -1)?)))),
];
