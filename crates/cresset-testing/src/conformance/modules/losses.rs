//! Losses.

use super::build::{Built, ModuleRow, module};
use crate::conformance::args::{Args, Res, Stop};
use cresset_nn as nn;
use cresset_nn::functional::{CrossEntropyOptions, Reduction};

fn reduction(a: &Args) -> Res<Reduction> {
    // Arguments that PyTorch has given up.
    for old in ["size_average", "reduce"] {
        if a.opt_bool(old)?.is_some() {
            return Err(Stop::Unsupported(format!("the deprecated {old}")));
        }
    }
    match a.text_or("reduction", "mean")? {
        "none" => Ok(Reduction::None),
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        other => Err(Stop::Inexpressible(format!("reduction={other}"))),
    }
}

pub(super) const ROWS: &[ModuleRow] = &[
    module("CrossEntropyLoss", "weight size_average ignore_index reduce reduction label_smoothing", |a| {
        let options = CrossEntropyOptions {
            weight: a.opt_tensor("weight")?,
            ignore_index: a.int_or("ignore_index", -100)? as i64,
            reduction: reduction(a)?,
            label_smoothing: a.float_or("label_smoothing", 0.0)?,
        };
        Ok(Built::pair(nn::CrossEntropyLoss::with(options), "input target"))
    }),
    module("NLLLoss", "weight size_average ignore_index reduce reduction", |a| {
        let options = nn::NLLLossOptions {
            weight: a.opt_tensor("weight")?,
            ignore_index: a.int_or("ignore_index", -100)? as i64,
            reduction: reduction(a)?,
        };
        Ok(Built::pair(nn::NLLLoss::with(options), "input target"))
    }),
    module("MSELoss", "size_average reduce reduction", |a| {
        Ok(Built::pair(nn::MSELoss::with(nn::LossOptions { reduction: reduction(a)? }), "input target"))
    }),
    module("L1Loss", "size_average reduce reduction", |a| {
        Ok(Built::pair(nn::L1Loss::with(nn::LossOptions { reduction: reduction(a)? }), "input target"))
    }),
    module("SmoothL1Loss", "size_average reduce reduction beta", |a| {
        let options = nn::SmoothL1LossOptions { reduction: reduction(a)?, beta: a.float_or("beta", 1.0)? };
        Ok(Built::pair(nn::SmoothL1Loss::with(options), "input target"))
    }),
    module("HuberLoss", "reduction delta", |a| {
        let options = nn::HuberLossOptions { reduction: reduction(a)?, delta: a.float_or("delta", 1.0)? };
        Ok(Built::pair(nn::HuberLoss::with(options), "input target"))
    }),
    module("BCELoss", "weight size_average reduce reduction", |a| {
        let options = nn::BCELossOptions { weight: a.opt_tensor("weight")?, reduction: reduction(a)? };
        Ok(Built::pair(nn::BCELoss::with(options), "input target"))
    }),
    module("BCEWithLogitsLoss", "weight size_average reduce reduction pos_weight", |a| {
        let options = nn::BCEWithLogitsLossOptions {
            weight: a.opt_tensor("weight")?,
            reduction: reduction(a)?,
            pos_weight: a.opt_tensor("pos_weight")?,
        };
        Ok(Built::pair(nn::BCEWithLogitsLoss::with(options), "input target"))
    }),
    module("KLDivLoss", "size_average reduce reduction log_target", |a| {
        let reduction = match a.text_or("reduction", "mean")? {
            "batchmean" => nn::KLDivReduction::BatchMean,
            _ => match reduction(a)? {
                Reduction::None => nn::KLDivReduction::None,
                Reduction::Mean => nn::KLDivReduction::Mean,
                Reduction::Sum => nn::KLDivReduction::Sum,
            },
        };
        let options = nn::KLDivLossOptions { reduction, log_target: a.bool_or("log_target", false)? };
        Ok(Built::pair(nn::KLDivLoss::with(options), "input target"))
    }),
];
