//! One case of an optimizer: fourteen steps, the state after twelve, and the last two again from the saved state.

use super::make::{Kwargs, optimizer};
use super::state::{same, to_state};
use crate::conformance::args::{Stop, unsupported};
use crate::conformance::report::Outcome;
use crate::golden::{Allowance, Container, Value, compare};
use cresset_optim::{Optimizer, OptimizerState};
use cresset_tensor::Tensor;
use serde_json::Value as Json;

/// Runs a case of `optim/`.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    try_case(file, case).unwrap_or_else(Outcome::from)
}

pub(super) struct Case<'a> {
    file: &'a Container,
    case: &'a Json,
    class: &'a str,
    kwargs: Kwargs,
    grads: Vec<Tensor>,
    after: Vec<Tensor>,
    names: Vec<String>,
}

pub(super) fn owned(t: &Tensor) -> Tensor {
    Tensor::from_array(t.array().copy())
}

impl Case<'_> {
    pub(super) fn build(&self, params: &[Tensor]) -> Result<Optimizer, Stop> {
        let mut groups = Vec::new();
        for group in self.case["groups"].as_array().into_iter().flatten() {
            let members = group["params"].as_array().into_iter().flatten();
            let members = members.filter_map(|i| params.get(i.as_u64()? as usize).cloned()).collect();
            groups.push((members, Value::parse_dict(&group["kwargs"]).map_err(Stop::Unsupported)?));
        }
        optimizer(self.class, self.file, &self.kwargs, &groups)
    }
    /// Steps before the state is saved, and all steps.
    pub(super) fn steps(&self) -> (usize, usize) {
        let steps = self.case["steps"].as_u64().unwrap_or(12) as usize;
        (steps, steps + self.case["resume_steps"].as_u64().unwrap_or(2) as usize)
    }
    pub(super) fn step(&self, optimizer: &Optimizer, params: &[Tensor], s: usize) -> Result<(), String> {
        let none = |k: usize| {
            let mut pairs = self.case["none_grads"].as_array().into_iter().flatten();
            pairs.any(|p| p[0].as_u64() == Some(s as u64) && p[1].as_u64() == Some(k as u64))
        };
        for (k, p) in params.iter().enumerate() {
            p.set_grad((!none(k)).then(|| owned(&self.grads[k].select(0, s as isize))));
        }
        optimizer.step();
        for (k, p) in params.iter().enumerate() {
            let noise = self.case["noise"][&self.names[k]].as_f64().unwrap_or(0.0);
            if noise >= 0.0 {
                compare(&p.detach(), &self.after[k].select(0, s as isize), Allowance::noise(noise))
                    .map_err(|e| format!("parameter {k}: {e}"))?;
            }
        }
        Ok(())
    }
}

fn tensors(file: &Container, list: &Json) -> Result<(Vec<Tensor>, Vec<String>), Stop> {
    let mut out = (Vec::new(), Vec::new());
    for t in list.as_array().into_iter().flatten() {
        let name = t["t"].as_str().unwrap_or_default();
        out.0.push(file.tensor(name).map_err(Stop::Unsupported)?);
        out.1.push(name.to_string());
    }
    Ok(out)
}

/// The case, and the values that its parameters begin with.
pub(super) fn case_of<'a>(file: &'a Container, case: &'a Json) -> Result<(Case<'a>, Vec<Tensor>), Stop> {
    let class = case["optimizer"].as_str().unwrap_or_default();
    let kwargs = Value::parse_dict(&case["kwargs"]).map_err(Stop::Unsupported)?;
    let (starts, _) = tensors(file, &case["params"])?;
    if case.get("grads").is_none() {
        return unsupported(format!("{class} is not there"));
    }
    let (grads, _) = tensors(file, &case["grads"])?;
    let (after, names) = tensors(file, &case["after"])?;
    Ok((Case { file, case, class, kwargs, grads, after, names }, starts))
}

fn try_case(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let state = Value::parse(&case["state_dict"]).map_err(Stop::Unsupported)?;
    let (this, starts) = case_of(file, case)?;
    let (steps, total) = this.steps();

    let params: Vec<Tensor> = starts.iter().map(|t| owned(t).requires_grad_(true)).collect();
    let optimizer = this.build(&params)?;
    for s in 0..total {
        if let Err(e) = this.step(&optimizer, &params, s) {
            return Ok(Outcome::Failed(format!("step {s}, {e}")));
        }
        if s + 1 == steps {
            let got = optimizer.state_dict().to_value();
            if let Err(e) = same(file, &got, &state, &case["noise"], "state_dict") {
                return Ok(Outcome::Failed(e));
            }
        }
    }

    let row = |t: &Tensor| owned(&t.select(0, steps as isize - 1)).requires_grad_(true);
    let params: Vec<Tensor> = this.after.iter().map(row).collect();
    let resumed = this.build(&params)?;
    let saved = to_state(file, &state).map_err(Stop::Unsupported)?;
    let loaded = OptimizerState::from_value(&saved).and_then(|saved| resumed.load_state_dict(&saved));
    if let Err(e) = loaded {
        return Ok(Outcome::Failed(e.to_string()));
    }
    for s in steps..total {
        if let Err(e) = this.step(&resumed, &params, s) {
            return Ok(Outcome::Failed(format!("step {s} after loading, {e}")));
        }
    }
    Ok(Outcome::Passed)
}
