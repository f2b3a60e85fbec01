//! Normalisation and dropout.

use super::build::{Built, ModuleRow, module};
use crate::conformance::args::{Args, Res};
use crate::golden::Value;
use cresset_nn as nn;
use cresset_tensor::{DType, Scalar};

const CHANNELS: &str = "num_features eps momentum affine track_running_stats device dtype bias";

fn eps(a: &Args) -> Res<Scalar> {
    Ok(a.opt_scalar("eps")?.unwrap_or(Scalar::Float(1e-5)))
}
fn momentum(a: &Args) -> Res<Option<Scalar>> {
    match a.raw("momentum") {
        None => Ok(Some(Scalar::Float(0.1))),
        Some(Value::None) => Ok(None),
        Some(_) => a.opt_scalar("momentum"),
    }
}
fn dtype(a: &Args) -> Res<DType> {
    Ok(a.dtype()?.unwrap_or(DType::F32))
}
fn batch(a: &Args) -> Res<nn::BatchNormOptions> {
    Ok(nn::BatchNormOptions {
        eps: eps(a)?,
        momentum: momentum(a)?,
        affine: a.bool_or("affine", true)?,
        track_running_stats: a.bool_or("track_running_stats", true)?,
        bias: a.bool_or("bias", true)?,
        dtype: dtype(a)?,
    })
}
fn instance(a: &Args) -> Res<nn::InstanceNormOptions> {
    Ok(nn::InstanceNormOptions {
        eps: eps(a)?,
        momentum: momentum(a)?,
        affine: a.bool_or("affine", false)?,
        track_running_stats: a.bool_or("track_running_stats", false)?,
        bias: a.bool_or("bias", true)?,
        dtype: dtype(a)?,
    })
}

macro_rules! channels {
    ($name:literal, $layer:ident, $options:ident) => {
        module($name, CHANNELS, |a| Ok(Built::layer(nn::$layer::with(a.usize("num_features")?, $options(a)?))))
    };
}
macro_rules! dropout {
    ($name:literal, $layer:ident) => {
        module($name, "p inplace", |a| {
            let p = a.opt_scalar("p")?.unwrap_or(Scalar::Float(0.5));
            Ok(Built::layer(nn::$layer::with(p, nn::DropoutOptions { inplace: a.bool_or("inplace", false)? })))
        })
    };
}

pub(super) const ROWS: &[ModuleRow] = &[
    channels!("BatchNorm1d", BatchNorm1d, batch),
    channels!("BatchNorm2d", BatchNorm2d, batch),
    channels!("BatchNorm3d", BatchNorm3d, batch),
    channels!("InstanceNorm1d", InstanceNorm1d, instance),
    channels!("InstanceNorm2d", InstanceNorm2d, instance),
    channels!("InstanceNorm3d", InstanceNorm3d, instance),
    module("LayerNorm", "normalized_shape eps elementwise_affine bias", |a| {
        let options = nn::LayerNormOptions {
            eps: eps(a)?,
            elementwise_affine: a.bool_or("elementwise_affine", true)?,
            bias: a.bool_or("bias", true)?,
            dtype: dtype(a)?,
        };
        Ok(Built::layer(nn::LayerNorm::with(a.sizes("normalized_shape")?, options)))
    }),
    module("RMSNorm", "normalized_shape eps elementwise_affine", |a| {
        let options = nn::RMSNormOptions {
            eps: a.opt_scalar("eps")?,
            elementwise_affine: a.bool_or("elementwise_affine", true)?,
            dtype: dtype(a)?,
        };
        Ok(Built::layer(nn::RMSNorm::with(a.sizes("normalized_shape")?, options)))
    }),
    module("GroupNorm", "num_groups num_channels eps affine device dtype bias", |a| {
        let options = nn::GroupNormOptions {
            eps: eps(a)?,
            affine: a.bool_or("affine", true)?,
            bias: a.bool_or("bias", true)?,
            dtype: dtype(a)?,
        };
        Ok(Built::layer(nn::GroupNorm::with(a.usize("num_groups")?, a.usize("num_channels")?, options)))
    }),
    dropout!("Dropout", Dropout),
    dropout!("Dropout1d", Dropout1d),
    dropout!("Dropout2d", Dropout2d),
    dropout!("Dropout3d", Dropout3d),
    dropout!("AlphaDropout", AlphaDropout),
    dropout!("FeatureAlphaDropout", FeatureAlphaDropout),
];
