//! Optimizers whose state goes to PyTorch and comes from there: the next steps must be the recorded ones.

use super::run::{case_of, owned};
use crate::conformance::args::Stop;
use crate::conformance::report::Outcome;
use crate::golden::Container;
use cresset_io::Value;
use cresset_tensor::Tensor;
use serde_json::Value as Json;
use std::path::Path;

/// Does the first steps of a case and writes parameters and state for PyTorch.
pub fn write_state(file: &Container, case: &Json, path: &Path) -> Outcome {
    let write = || -> Result<Outcome, Stop> {
        let (this, starts) = case_of(file, case)?;
        let params: Vec<Tensor> = starts.iter().map(|t| owned(t).requires_grad_(true)).collect();
        let optimizer = this.build(&params)?;
        let steps = || -> Result<(), String> {
            (0..this.steps().0).try_for_each(|s| this.step(&optimizer, &params, s))?;
            let params = Value::list(params.iter().map(|p| p.detach()));
            let value = Value::dict([("params", params), ("optimizer", optimizer.state_dict().into())]);
            cresset_io::save(value, path).map_err(|e| e.to_string())
        };
        Ok(steps().into())
    };
    write().unwrap_or_else(Outcome::from)
}

/// Goes on from parameters and state that PyTorch has written.
pub fn read_state(file: &Container, case: &Json, path: &Path) -> Outcome {
    let read = || -> Result<Outcome, Stop> {
        let (this, _) = case_of(file, case)?;
        let saved = cresset_io::load(path).map_err(|e| Stop::Unsupported(e.to_string()))?;
        let tensors = || -> cresset_io::Result<Vec<Tensor>> {
            saved["params"].as_list()?.iter().map(|v| Ok(owned(v.tensor()?).requires_grad_(true))).collect()
        };
        let params = match tensors() {
            Ok(params) => params,
            Err(e) => return Ok(Outcome::Failed(e.to_string())),
        };
        let optimizer = this.build(&params)?;
        let steps = || -> Result<(), String> {
            let state = saved["optimizer"].optimizer_state().map_err(|e| e.to_string())?;
            optimizer.load_state_dict(&state).map_err(|e| e.to_string())?;
            let (first, total) = this.steps();
            (first..total).try_for_each(|s| this.step(&optimizer, &params, s))
        };
        Ok(steps().into())
    };
    read().unwrap_or_else(Outcome::from)
}
