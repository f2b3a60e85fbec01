//! Layers.

use super::build::{Built, ModuleRow, module};
use crate::golden::Value;
use cresset_nn::{
    Bilinear, BilinearOptions, Embedding, EmbeddingOptions, Flatten, FlattenOptions, Identity, Linear, LinearOptions,
    Unflatten, UnflattenedSize,
};
use cresset_tensor::DType;

pub(super) const ROWS: &[ModuleRow] = &[
    module("Identity", "*ignored", |a| {
        // It takes any arguments and ignores them.
        a.rest("ignored");
        Ok(Built::layer(Identity::new()))
    }),
    module("Linear", "in_features out_features bias", |a| {
        let options = LinearOptions {
            bias: a.bool_or("bias", true)?,
            dtype: a.dtype()?.unwrap_or(LinearOptions::default().dtype),
        };
        Ok(Built::layer(Linear::with(a.usize("in_features")?, a.usize("out_features")?, options)))
    }),
    module("Bilinear", "in1_features in2_features out_features bias", |a| {
        let options = BilinearOptions { bias: a.bool_or("bias", true)?, dtype: a.dtype()?.unwrap_or(DType::F32) };
        let (in1, in2) = (a.usize("in1_features")?, a.usize("in2_features")?);
        Ok(Built::pair(Bilinear::with(in1, in2, a.usize("out_features")?, options), "input1 input2"))
    }),
    module("Embedding", "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse", |a| {
        a.only("sparse", false)?;
        let options = EmbeddingOptions {
            padding_idx: a.opt_int("padding_idx")?,
            max_norm: a.opt_scalar("max_norm")?,
            norm_type: a.opt_scalar("norm_type")?.unwrap_or(EmbeddingOptions::default().norm_type),
            scale_grad_by_freq: a.bool_or("scale_grad_by_freq", false)?,
            dtype: a.dtype()?.unwrap_or(DType::F32),
        };
        Ok(Built::layer(Embedding::with(a.usize("num_embeddings")?, a.usize("embedding_dim")?, options)))
    }),
    module("Flatten", "start_dim end_dim", |a| {
        let options = FlattenOptions { start_dim: a.int_or("start_dim", 1)?, end_dim: a.int_or("end_dim", -1)? };
        Ok(Built::layer(Flatten::with(options)))
    }),
    module("Unflatten", "dim unflattened_size", |a| {
        let sizes = a.dims("unflattened_size")?;
        let sizes = match a.raw("unflattened_size") {
            Some(Value::List(_)) => sizes.into(),
            _ => UnflattenedSize::tuple(sizes),
        };
        Ok(Built::layer(Unflatten::new(a.int("dim")?, sizes)))
    }),
];
