//! State dicts of modules that go to PyTorch and come from there.

use super::build::{Built, build};
use super::run::{compare_state, load, spec_of};
use crate::conformance::args::Stop;
use crate::conformance::report::Outcome;
use crate::golden::{Allowance, Container, Inputs, Value};
use cresset_nn::ModuleExt;
use cresset_tensor::{DType, attempt, manual_seed};
use serde_json::Value as Json;
use std::path::Path;

type State = Vec<(String, Value)>;

/// The case's module with random values of its own, and the state that is recorded for it.
fn module(file: &Container, case: &Json) -> Result<(Built, State), Stop> {
    if case.get("spec").is_none() {
        return Err(Stop::Unsupported("no module".into()));
    }
    let spec = spec_of(case)?;
    let inputs = Inputs::new(file, true);
    for r in Value::Module(spec.clone()).tensors() {
        inputs.get(r).map_err(Stop::Unsupported)?;
    }
    manual_seed(99);
    let built = attempt(|| build(&spec, &inputs)).map_err(|e| Stop::Unsupported(e.to_string()))??;
    if case["dtype"] == "float64" {
        built.module.to(DType::F64);
    }
    let state = Value::parse_dict(&case["state"]).map_err(Stop::Unsupported)?;
    if state.iter().any(|(_, v)| *v == Value::Uninitialized) {
        return Err(Stop::Unsupported("a lazy module".into()));
    }
    Ok((built, state))
}

/// Writes the recorded state of the case's module for PyTorch.
pub fn write_state(file: &Container, case: &Json, path: &Path) -> Outcome {
    let write = || -> Result<Outcome, Stop> {
        let (built, state) = module(file, case)?;
        Ok(load(file, &built, &state)
            .and_then(|()| cresset_io::save(built.module.state_dict(), path).map_err(|e| e.to_string()))
            .into())
    };
    write().unwrap_or_else(Outcome::from)
}

/// Loads what PyTorch has written for the case's module: it must be the recorded state, bit for bit.
pub fn read_state(file: &Container, case: &Json, path: &Path) -> Outcome {
    let read = || -> Result<Outcome, Stop> {
        let (built, state) = module(file, case)?;
        let check = || -> Result<(), String> {
            let saved = cresset_io::load(path).and_then(|v| v.state_dict()).map_err(|e| e.to_string())?;
            built.module.load_state_dict(&saved, true).map_err(|e| e.to_string())?;
            compare_state(file, &built.module.state_dict(), &state, Allowance::within(0.0, 0.0))
        };
        Ok(check().into())
    };
    read().unwrap_or_else(Outcome::from)
}
