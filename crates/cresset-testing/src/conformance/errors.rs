//! Calls that must be refused.

use super::args::Stop;
use super::op_cases::{Parsed, Snapshot};
use super::ops::resolve;
use super::report::{Outcome, is_refusal};
use crate::golden::{Container, Inputs};
use cresset_tensor::{attempt, manual_seed};
use serde_json::Value as Json;

/// Runs a case: an ordinary error, nothing changed. What a typed interface cannot even express counts as refused.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    if case.get("spec").is_some() {
        return super::modules::refused_case(file, case);
    }
    match try_case(file, case) {
        Ok(outcome) => outcome,
        Err(Stop::Inexpressible(_)) => Outcome::Passed,
        Err(stop) => stop.into(),
    }
}

fn try_case(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let name = case["fn"].as_str().unwrap_or_default();
    let Some(call) = resolve(name) else { return Err(Stop::Unsupported(format!("{name} is not there"))) };
    let parsed = Parsed::of(case)?;
    if parsed.kwargs.iter().any(|(name, _)| name == "out") {
        return Err(Stop::Unsupported("a tensor to write the result into (out=)".into()));
    }
    let inputs = Inputs::new(file, true);
    // A tensor of more dimensions than there can be here: the call that is to be refused is never reached.
    attempt(|| parsed.make_inputs(&inputs)).map_err(|e| Stop::Unsupported(e.to_string()))??;
    let before = Snapshot::of(&inputs);
    manual_seed(1);
    match attempt(|| parsed.call(&call, &inputs, false)) {
        Err(e) => {
            if let Err(why) = is_refusal(&e) {
                return Ok(Outcome::Failed(why));
            }
            Ok(before.unchanged(&|_| false).into())
        }
        Ok(out) => {
            let out = out?;
            let message = case["message"].as_str().unwrap_or_default();
            Ok(Outcome::Failed(format!("must be refused ({message}), but gave {out:.200?}")))
        }
    }
}
