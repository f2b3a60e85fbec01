//! Clipping gradients, and parameters as one vector: cases of `modules/nn.utils`.

use crate::conformance::args::{Res, Stop, unsupported};
use crate::conformance::report::{Outcome, is_refusal};
use crate::golden::{Allowance, Container, Value, compare};
use cresset_optim::{ClipOptions, clip_grad_norm_with, clip_grad_value_, parameters_to_vector, vector_to_parameters};
use cresset_tensor::{Tensor, attempt};
use serde_json::Value as Json;

/// Is it a case of these functions?
pub fn concerns(case: &Json) -> bool {
    let name = case["fn"].as_str().unwrap_or_default();
    ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]
        .iter()
        .any(|f| name.strip_prefix("torch.nn.utils.") == Some(f))
}

/// Runs a case.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    try_case(file, case).unwrap_or_else(Outcome::from)
}

fn tensor(file: &Container, json: &Json) -> Res<Option<Tensor>> {
    json["t"].as_str().map(|name| file.tensor(name).map_err(Stop::Unsupported)).transpose()
}

fn try_case(file: &Container, case: &Json) -> Res<Outcome> {
    let mut params = Vec::new();
    for p in case["params"].as_array().into_iter().flatten() {
        let Some(t) = tensor(file, &p["p"])? else { return unsupported("a parameter without numbers") };
        t.requires_grad_(true);
        t.set_grad(tensor(file, &p["g"])?);
        params.push(t);
    }
    let number = |json: &Json| -> Res<f64> {
        match Value::parse(json).map_err(Stop::Unsupported)? {
            Value::Int(i) => Ok(i as f64),
            Value::Float(f) => Ok(f),
            other => unsupported(format!("{other:?} instead of a number")),
        }
    };
    let mut options = ClipOptions::default();
    for (key, value) in case["kwargs"].as_object().into_iter().flatten() {
        match key.as_str() {
            "norm_type" => options.norm_type = number(value)?,
            "error_if_nonfinite" => options.error_if_nonfinite = *value == true,
            "foreach" => {}
            other => return unsupported(format!("the argument {other}")),
        }
    }
    let args = &case["args"];
    let name = case["fn"].as_str().unwrap_or_default();
    let bound = if name.contains("clip") { number(&args[1])? } else { 0.0 };
    let vector = tensor(file, &args[0])?;
    let result = attempt(|| match (name.rsplit('.').next().unwrap_or_default(), &vector) {
        ("clip_grad_norm_", _) => Some(clip_grad_norm_with(&params, bound, options)),
        ("clip_grad_value_", _) => {
            clip_grad_value_(&params, bound);
            None
        }
        ("vector_to_parameters", Some(v)) => {
            vector_to_parameters(v, &params);
            None
        }
        _ => Some(parameters_to_vector(&params)),
    });
    let out = match (result, case["error"].is_string()) {
        (Err(e), true) => return Ok(is_refusal(&e).into()),
        (Err(e), false) => return Ok(Outcome::Failed(format!("raised {e}"))),
        (Ok(_), true) => return Ok(Outcome::Failed(format!("must be refused: {}", case["message"]))),
        (Ok(out), false) => out,
    };
    let same = |got: Option<Tensor>, want: &Json, what: &str| -> Res<Result<(), String>> {
        Ok(match (got, tensor(file, want)?) {
            (Some(got), Some(want)) => {
                compare(&got.detach(), &want, Allowance::NONE).map_err(|e| format!("{what}: {e}"))
            }
            (None, None) => Ok(()),
            (got, want) => Err(format!("{what}: got {got:?}, want {want:?}")),
        })
    };
    let mut checks = vec![same(out, &case["out"], "the result")?];
    for (i, want) in case["after"].as_array().into_iter().flatten().enumerate() {
        checks.push(same(Some(params[i].clone()), &want["p"], &format!("parameter {i}"))?);
        checks.push(same(params[i].grad(), &want["g"], &format!("gradient {i}"))?);
    }
    Ok(checks.into_iter().collect::<Result<(), String>>().into())
}
