//! The position in the random stream over several calls, and generators of one's own.

use super::args::Stop;
use super::op_cases::Parsed;
use super::ops::resolve;
use super::out::{Out, Rules};
use super::report::Outcome;
use crate::golden::{Allowance, Container, Inputs, Value, compare};
use cresset_tensor::{DType, Generator, Tensor, attempt, manual_seed};
use serde_json::Value as Json;

/// Runs a case of `rng/`.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    try_case(file, case).unwrap_or_else(Outcome::from)
}

fn try_case(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let Some(seed) = case["seed"].as_i64() else { return Err(Stop::Unsupported("no seed".into())) };
    if case.get("generator_seed").is_some() {
        return own_generator(file, case, seed);
    }
    manual_seed(seed);
    for (i, call) in case["calls"].as_array().into_iter().flatten().enumerate() {
        let name = call["fn"].as_str().unwrap_or_default();
        let Some(found) = resolve(name) else { return Err(Stop::Unsupported(format!("{name} is not there"))) };
        let parsed = Parsed::of(call)?;
        let inputs = Inputs::new(file, false);
        parsed.make_inputs(&inputs)?;
        let out = match attempt(|| parsed.call(&found, &inputs, false)) {
            Ok(out) => out?,
            Err(e) => return Ok(Outcome::Failed(format!("call {i} ({name}) refused: {e}"))),
        };
        let want = Value::parse(&call["out"]).map_err(Stop::Unsupported)?;
        let rules = Rules {
            inputs: &inputs,
            allowance: Allowance::within(1.3e-6, 2e-6),
            layout: false,
            free_indices: false,
            shapes_only: false,
            grad: false,
            own_memory: false,
        };
        if let Err(why) = rules.check(&out, &want) {
            return Ok(Outcome::Failed(format!("call {i} ({name}): {why}")));
        }
        let _: Out = out;
    }
    Ok(Outcome::Passed)
}

/// A generator has its own stream, and its state can be saved and restored.
fn own_generator(file: &Container, case: &Json, seed: i64) -> Result<Outcome, Stop> {
    manual_seed(seed);
    let own = Generator::with_seed(case["generator_seed"].as_i64().unwrap_or(0));
    let drawn = [
        ("own", Tensor::rand_with([3], DType::F32, Some(&own))),
        ("default", Tensor::rand([3])),
        ("first", {
            let state = own.get_state();
            let first = Tensor::randn_with([4], DType::F32, Some(&own));
            own.set_state(&state);
            first
        }),
        ("again", Tensor::randn_with([4], DType::F32, Some(&own))),
    ];
    for (name, got) in drawn {
        let Value::Tensor(want) = Value::parse(&case[name]).map_err(Stop::Unsupported)? else { continue };
        let want = file.tensor(&want.name).map_err(Stop::Unsupported)?;
        if let Err(why) = compare(&got, &want, Allowance::within(1.3e-6, 2e-6)) {
            return Ok(Outcome::Failed(format!("{name}: {why}")));
        }
    }
    Ok(Outcome::Passed)
}
