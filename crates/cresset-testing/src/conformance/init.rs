//! `torch.nn.init`.

use super::args::{Args, Res, Stop, unsupported};
use super::op_cases::Parsed;
use super::report::{Outcome, is_refusal};
use crate::golden::{Allowance, Container, Inputs, Value, compare};
use cresset_nn::init::{self, FanMode, KaimingOptions, Nonlinearity};
use cresset_tensor::{DType, Tensor, attempt, manual_seed};
use serde_json::Value as Json;

/// Runs a case of `init/`.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    try_case(file, case).unwrap_or_else(Outcome::from)
}

fn kaiming(a: &Args) -> Res<Result<KaimingOptions, String>> {
    let mode = match a.text_or("mode", "fan_in")? {
        "fan_in" => FanMode::FanIn,
        "fan_out" => FanMode::FanOut,
        other => return Err(Stop::Inexpressible(format!("mode {other}"))),
    };
    let a_ = a.float_or("a", 0.0)?;
    Ok(a.text_or("nonlinearity", "leaky_relu")?.parse::<Nonlinearity>().map(|nonlinearity| KaimingOptions {
        a: a_,
        mode,
        nonlinearity,
    }))
}

fn fill(name: &str, t: &Tensor, a: &Args) -> Res<Result<Tensor, String>> {
    Ok(Ok(match name {
        "uniform_" => init::uniform_(t, a.float_or("a", 0.0)?, a.float_or("b", 1.0)?),
        "normal_" => init::normal_(t, a.float_or("mean", 0.0)?, a.float_or("std", 1.0)?),
        "trunc_normal_" => init::trunc_normal_(
            t,
            a.float_or("mean", 0.0)?,
            a.float_or("std", 1.0)?,
            a.float_or("a", -2.0)?,
            a.float_or("b", 2.0)?,
        ),
        "constant_" => init::constant_(t, a.scalar("val")?),
        "ones_" => init::ones_(t),
        "zeros_" => init::zeros_(t),
        "eye_" => init::eye_(t),
        "dirac_" => init::dirac_(t, a.usize_or("groups", 1)?),
        "xavier_uniform_" => init::xavier_uniform_(t, a.float_or("gain", 1.0)?),
        "xavier_normal_" => init::xavier_normal_(t, a.float_or("gain", 1.0)?),
        "kaiming_uniform_" => match kaiming(a)? {
            Ok(options) => init::kaiming_uniform_(t, options),
            Err(e) => return Ok(Err(e)),
        },
        "kaiming_normal_" => match kaiming(a)? {
            Ok(options) => init::kaiming_normal_(t, options),
            Err(e) => return Ok(Err(e)),
        },
        "orthogonal_" => init::orthogonal_(t, a.float_or("gain", 1.0)?),
        "sparse_" => init::sparse_(t, a.float("sparsity")?, a.float_or("std", 0.01)?),
        other => return unsupported(format!("init.{other}")),
    }))
}

fn signature(name: &str) -> &'static str {
    match name {
        "uniform_" => "a b",
        "normal_" => "mean std",
        "trunc_normal_" => "mean std a b",
        "constant_" => "val",
        "dirac_" => "groups",
        "kaiming_uniform_" | "kaiming_normal_" => "a mode nonlinearity",
        "sparse_" => "sparsity std",
        "xavier_uniform_" | "xavier_normal_" | "orthogonal_" => "gain",
        _ => "",
    }
}

fn try_case(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let name = case["fn"].as_str().unwrap_or_default().trim_start_matches("torch.nn.init.");
    let parsed = Parsed::of(case)?;
    let inputs = Inputs::new(file, false);
    let shape: Vec<usize> =
        case["shape"].as_array().into_iter().flatten().map(|n| n.as_u64().unwrap_or(0) as usize).collect();
    let dtype = case["dtype"].as_str().and_then(DType::from_name).unwrap_or(DType::F32);
    let target = Tensor::full_of(shape, 9.0, dtype);
    manual_seed(case["seed"].as_i64().unwrap_or(0));
    let args = Args::new(signature(name), &parsed.args, &parsed.kwargs, &inputs, false);
    let result = attempt(|| fill(name, &target, &args));
    if case.get("error").is_some() {
        return Ok(match result {
            Err(e) => is_refusal(&e).into(),
            Ok(Err(Stop::Inexpressible(_))) | Ok(Ok(Err(_))) => Outcome::Passed,
            Ok(Err(stop)) => return Err(stop),
            Ok(Ok(Ok(_))) => Outcome::Failed("must be refused, but went through".into()),
        });
    }
    let filled = match result {
        Err(e) => return Ok(Outcome::Failed(format!("refused: {e}"))),
        Ok(filled) => match filled? {
            Ok(t) => t,
            Err(e) => return Ok(Outcome::Failed(format!("refused: {e}"))),
        },
    };
    if let Some(what) = args.unread() {
        return unsupported(what);
    }
    let allowance = match name {
        "orthogonal_" | "trunc_normal_" => Allowance::within(1e-5, 1e-5),
        _ => Allowance::within(1.3e-6, 2e-6),
    };
    let Value::Tensor(want) = Value::parse(&case["out"]).map_err(Stop::Unsupported)? else {
        return unsupported("a result that is no tensor");
    };
    let want = file.tensor(&want.name).map_err(Stop::Unsupported)?;
    if !filled.shares_memory(&target) && target.numel() > 0 {
        return Ok(Outcome::Failed("must fill its argument".into()));
    }
    Ok(compare(&target, &want, allowance).into())
}

/// The rows of `tables.json`.
pub fn tables(json: &Json) -> Vec<(String, Outcome)> {
    let mut rows = Vec::new();
    let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
    for (i, row) in list("calculate_gain").iter().enumerate() {
        let name = row["nonlinearity"].as_str().unwrap_or_default();
        let got = name.parse::<Nonlinearity>();
        let outcome = match (got, row["gain"].as_f64()) {
            (Ok(n), Some(want)) => {
                let got = init::calculate_gain(n, row["param"].as_f64());
                if (got - want).abs() <= 1e-12 {
                    Outcome::Passed
                } else {
                    Outcome::Failed(format!("got {got}, want {want}"))
                }
            }
            (Err(_), None) => Outcome::Passed,
            // The slope is a number by its type: PyTorch's refusal of `True` has no counterpart.
            (Ok(_), None) if row["param"].is_boolean() => Outcome::Passed,
            (Ok(_), None) => Outcome::Failed("must be refused".into()),
            (Err(e), Some(_)) => Outcome::Failed(e),
        };
        rows.push((format!("calculate_gain {i}"), outcome));
    }
    for (i, row) in list("fan_in_and_fan_out").iter().enumerate() {
        let shape: Vec<usize> =
            row["shape"].as_array().into_iter().flatten().map(|n| n.as_u64().unwrap_or(0) as usize).collect();
        let got = attempt(|| init::calculate_fan_in_and_fan_out(&Tensor::zeros(shape)));
        let want = row["fan_in"].as_u64().zip(row["fan_out"].as_u64()).map(|(a, b)| (a as usize, b as usize));
        let outcome = match (got, want) {
            (Ok(got), Some(want)) if got == want => Outcome::Passed,
            (Err(e), None) => is_refusal(&e).into(),
            (got, want) => Outcome::Failed(format!("got {got:?}, want {want:?}")),
        };
        rows.push((format!("fan_in_and_fan_out {i}"), outcome));
    }
    rows
}
