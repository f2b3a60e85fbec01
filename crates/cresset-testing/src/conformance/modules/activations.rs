//! Activations.

use super::build::{Built, ModuleRow, module};
use crate::conformance::args::{Args, Res, Stop};
use crate::golden::Value;
use cresset_nn as nn;
use cresset_tensor::{Approximate, Scalar};

fn number(a: &Args, name: &str, default: f64) -> Res<Scalar> {
    Ok(a.opt_scalar(name)?.unwrap_or(Scalar::Float(default)))
}

/// The dimension of a softmax; Python refuses truth values there.
fn dim(a: &Args) -> Res<Option<isize>> {
    match a.raw("dim") {
        Some(Value::Bool(_)) => Err(Stop::Inexpressible("dim is a truth value".into())),
        _ => a.opt_int("dim"),
    }
}

pub(super) const ROWS: &[ModuleRow] = &[
    module("ReLU", "inplace", |a| {
        Ok(Built::layer(nn::ReLU::with(nn::ReLUOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("ReLU6", "inplace", |a| {
        Ok(Built::layer(nn::ReLU6::with(nn::ReLU6Options { inplace: a.bool_or("inplace", false)? })))
    }),
    module("LeakyReLU", "negative_slope inplace", |a| {
        let (negative_slope, inplace) = (number(a, "negative_slope", 0.01)?, a.bool_or("inplace", false)?);
        Ok(Built::layer(nn::LeakyReLU::with(nn::LeakyReLUOptions { negative_slope, inplace })))
    }),
    module("Hardtanh", "min_val max_val inplace", |a| {
        let (min_val, max_val) = (number(a, "min_val", -1.0)?, number(a, "max_val", 1.0)?);
        let inplace = a.bool_or("inplace", false)?;
        Ok(Built::layer(nn::Hardtanh::with(nn::HardtanhOptions { min_val, max_val, inplace })))
    }),
    module("ELU", "alpha inplace", |a| {
        let (alpha, inplace) = (number(a, "alpha", 1.0)?, a.bool_or("inplace", false)?);
        Ok(Built::layer(nn::ELU::with(nn::ELUOptions { alpha, inplace })))
    }),
    module("CELU", "alpha inplace", |a| {
        let (alpha, inplace) = (number(a, "alpha", 1.0)?, a.bool_or("inplace", false)?);
        Ok(Built::layer(nn::CELU::with(nn::CELUOptions { alpha, inplace })))
    }),
    module("SELU", "inplace", |a| {
        Ok(Built::layer(nn::SELU::with(nn::SELUOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("SiLU", "inplace", |a| {
        Ok(Built::layer(nn::SiLU::with(nn::SiLUOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("Mish", "inplace", |a| {
        Ok(Built::layer(nn::Mish::with(nn::MishOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("Hardsigmoid", "inplace", |a| {
        Ok(Built::layer(nn::Hardsigmoid::with(nn::HardsigmoidOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("Hardswish", "inplace", |a| {
        Ok(Built::layer(nn::Hardswish::with(nn::HardswishOptions { inplace: a.bool_or("inplace", false)? })))
    }),
    module("GELU", "approximate", |a| {
        let approximate =
            if a.text_or("approximate", "none")? == "tanh" { Approximate::Tanh } else { Approximate::None };
        Ok(Built::layer(nn::GELU::with(nn::GELUOptions { approximate })))
    }),
    module("Softplus", "beta threshold", |a| {
        let (beta, threshold) = (number(a, "beta", 1.0)?, number(a, "threshold", 20.0)?);
        Ok(Built::layer(nn::Softplus::with(nn::SoftplusOptions { beta, threshold })))
    }),
    module("Hardshrink", "lambd", |a| {
        Ok(Built::layer(nn::Hardshrink::with(nn::HardshrinkOptions { lambd: number(a, "lambd", 0.5)? })))
    }),
    module("Softshrink", "lambd", |a| {
        Ok(Built::layer(nn::Softshrink::with(nn::SoftshrinkOptions { lambd: number(a, "lambd", 0.5)? })))
    }),
    module("LogSigmoid", "", |_| Ok(Built::layer(nn::LogSigmoid::new()))),
    module("Sigmoid", "", |_| Ok(Built::layer(nn::Sigmoid::new()))),
    module("Tanh", "", |_| Ok(Built::layer(nn::Tanh::new()))),
    module("Tanhshrink", "", |_| Ok(Built::layer(nn::Tanhshrink::new()))),
    module("Softsign", "", |_| Ok(Built::layer(nn::Softsign::new()))),
    module("GLU", "dim", |a| Ok(Built::layer(nn::GLU::new(a.int_or("dim", -1)?)))),
    module("PReLU", "num_parameters init", |a| {
        let options = nn::PReLUOptions {
            num_parameters: a.usize_or("num_parameters", 1)?,
            init: a.float_or("init", 0.25)?,
            dtype: a.dtype()?.unwrap_or(nn::PReLUOptions::default().dtype),
        };
        Ok(Built::layer(nn::PReLU::with(options)))
    }),
    module("RReLU", "lower upper inplace", |a| {
        a.only("inplace", false)?;
        let (lower, upper) = (number(a, "lower", 1.0 / 8.0)?, number(a, "upper", 1.0 / 3.0)?);
        Ok(Built::layer(nn::RReLU::with(nn::RReLUOptions { lower, upper })))
    }),
    module("Threshold", "threshold value inplace", |a| {
        let options = nn::ThresholdOptions { inplace: a.bool_or("inplace", false)? };
        Ok(Built::layer(nn::Threshold::with(a.scalar("threshold")?, a.scalar("value")?, options)))
    }),
    module("Softmax", "dim", |a| Ok(Built::layer(nn::Softmax::new(dim(a)?)))),
    module("Softmin", "dim", |a| Ok(Built::layer(nn::Softmin::new(dim(a)?)))),
    module("LogSoftmax", "dim", |a| Ok(Built::layer(nn::LogSoftmax::new(dim(a)?)))),
    module("Softmax2d", "", |_| Ok(Built::layer(nn::Softmax2d::new()))),
];
