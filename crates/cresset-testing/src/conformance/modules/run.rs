//! One case of a module.

use super::build::{Built, build};
use crate::conformance::args::{Args, Stop};
use crate::conformance::op_cases::{Parsed, Snapshot, check_grad, noise_of};
use crate::conformance::out::{Out, Rules};
use crate::conformance::report::{Outcome, is_refusal};
use crate::golden::{Allowance, Container, Inputs, Spec, Value, compare};
use cresset_nn::ModuleExt;
use cresset_tensor::autograd::{self, Backward};
use cresset_tensor::{DType, StateDict, Tensor, attempt, manual_seed};
use serde_json::Value as Json;

/// Runs a case of `modules/`.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    if crate::conformance::optim::utils::concerns(case) {
        return crate::conformance::optim::utils::run_case(file, case);
    }
    if case.get("spec").is_none() {
        return Outcome::Unsupported(format!("{} is not there", case["fn"].as_str().unwrap_or_default()));
    }
    try_case(file, case).unwrap_or_else(Outcome::from)
}

macro_rules! check {
    ($result:expr, $where:expr) => {
        if let Err(why) = $result {
            return Ok(Outcome::Failed(format!("{}: {why}", $where)));
        }
    };
}

pub(super) fn spec_of(case: &Json) -> Result<Spec, Stop> {
    Spec::parse(&case["spec"]).map_err(Stop::Unsupported)
}

fn try_case(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let spec = spec_of(case)?;
    let inputs = Inputs::new(file, true);
    for r in Value::Module(spec.clone()).tensors() {
        inputs.get(r).map_err(Stop::Unsupported)?;
    }
    manual_seed(case["seed"].as_i64().unwrap_or(0));
    let built = match attempt(|| build(&spec, &inputs)) {
        Ok(built) => built?,
        Err(e) => return Ok(Outcome::Failed(format!("building refused: {e}"))),
    };
    let module = &*built.module;
    if case["dtype"] == "float64" {
        module.to(DType::F64);
    }
    module.set_training(case["training"] != false);
    let lazy = case.get("repr_after").is_some();
    let state = Value::parse_dict(&case["state"]).map_err(Stop::Unsupported)?;
    check!(compare_state(file, &module.state_dict(), &state, Allowance::within(1.3e-6, 2e-6)), "initial state");
    if !state.iter().any(|(_, v)| *v == Value::Uninitialized) {
        check!(load(file, &built, &state), "load_state_dict");
    }
    check!(same_text(&module.repr(), &case["repr"]), "repr");
    if !lazy {
        check!(names(&built, case), "names");
    }
    if case.get("args").is_none() {
        return Ok(Outcome::Passed);
    }

    let parsed = Parsed::of(case)?;
    parsed.make_inputs(&inputs)?;
    let before = Snapshot::of(&inputs);
    let held = module.state_dict().deep_copy();
    manual_seed(case["fwd_seed"].as_i64().unwrap_or(0));
    let args = Args::new(built.signature, &parsed.args, &parsed.kwargs, &inputs, false);
    let out = match attempt(|| (built.run)(&args)) {
        Ok(out) => out?,
        Err(e) => return Ok(Outcome::Failed(format!("forward refused: {e}"))),
    };
    if let Some(what) = args.unread() {
        return Err(Stop::Unsupported(format!("forward: {what}")));
    }
    let want = Value::parse(&case["out"]).map_err(Stop::Unsupported)?;
    let allowance = Allowance::noise(noise_of(case));
    let rules = Rules {
        inputs: &inputs,
        allowance,
        layout: false,
        free_indices: false,
        shapes_only: false,
        grad: true,
        own_memory: false,
    };
    check!(rules.check(&out, &want), "forward");
    check!(before.unchanged(&|_| false), "forward");
    if lazy {
        check!(same_text(&module.repr(), &case["repr_after"]), "repr after the forward");
        check!(names(&built, case), "names");
    }
    check!(state_after(file, &built, &held, case, allowance), "state after the forward");
    if case.get("no_grad").is_some() {
        let outs: Vec<Tensor> = out.tensors().into_iter().filter(Tensor::is_floating_point).collect();
        let refs: Vec<&Tensor> = outs.iter().collect();
        let ones: Vec<_> = outs.iter().map(|t| Some(t.ones_like())).collect();
        return Ok(match attempt(|| autograd::backward(&refs, &ones, Backward::default())) {
            Ok(()) => Outcome::Failed("backward must be refused, but went through".into()),
            Err(e) => is_refusal(&e).into(),
        });
    }
    check!(gradients(file, case, &inputs, &built, &out, allowance), "backward");
    Ok(Outcome::Passed)
}

fn same_text(got: &str, want: &Json) -> Result<(), String> {
    let want = want.as_str().unwrap_or_default();
    if got == want { Ok(()) } else { Err(format!("got\n{got}\nwant\n{want}")) }
}

pub(super) fn compare_state(
    file: &Container,
    got: &StateDict,
    want: &[(String, Value)],
    allowance: Allowance,
) -> Result<(), String> {
    let names: Vec<&str> = got.keys().collect();
    let wanted: Vec<&str> = want.iter().map(|(n, _)| n.as_str()).collect();
    let known: Vec<&str> = want.iter().filter(|(_, v)| *v != Value::Uninitialized).map(|(n, _)| n.as_str()).collect();
    if names != wanted && names != known {
        return Err(format!("keys: got {names:?}, want {wanted:?}"));
    }
    for (name, value) in want {
        if let (Value::Tensor(r), Some(t)) = (value, got.get(name)) {
            compare(t, &file.tensor(&r.name)?, allowance).map_err(|e| format!("{name}: {e}"))?;
        }
    }
    Ok(())
}

pub(super) fn load(file: &Container, built: &Built, state: &[(String, Value)]) -> Result<(), String> {
    let mut dict = StateDict::new();
    for (name, value) in state {
        if let Value::Tensor(r) = value {
            dict.insert(name.clone(), file.tensor(&r.name)?);
        }
    }
    built.module.load_state_dict(&dict, true).map_err(|e| e.to_string())?;
    compare_state(file, &built.module.state_dict(), state, Allowance::within(0.0, 0.0))
}

fn names(built: &Built, case: &Json) -> Result<(), String> {
    let module = &*built.module;
    let got: Vec<Json> = module
        .named_parameters()
        .iter()
        .map(|(n, p)| {
            let t = p.tensor();
            serde_json::json!([n, t.dtype().name(), t.shape().to_vec(), t.requires_grad()])
        })
        .collect();
    equal_lists("named_parameters", got, &case["named_parameters"])?;
    let persistent = module.state_dict();
    let got: Vec<Json> = module
        .named_buffers()
        .iter()
        .map(|(n, b)| {
            let t = b.get();
            serde_json::json!([n, t.dtype().name(), t.shape().to_vec(), persistent.contains_key(n)])
        })
        .collect();
    equal_lists("named_buffers", got, &case["named_buffers"])?;
    let got: Vec<Json> = module.named_modules().iter().map(|(n, m)| serde_json::json!([n, m.class_name()])).collect();
    equal_lists("named_modules", got, &case["named_modules"])
}

fn equal_lists(what: &str, got: Vec<Json>, want: &Json) -> Result<(), String> {
    let want = want.as_array().cloned().unwrap_or_default();
    if got == want {
        return Ok(());
    }
    Err(format!("{what}: got {}, want {}", Json::Array(got), Json::Array(want)))
}

fn state_after(
    file: &Container,
    built: &Built,
    before: &StateDict,
    case: &Json,
    allowance: Allowance,
) -> Result<(), String> {
    let changed = Value::parse_dict(&case["state_after"])?;
    let now = built.module.state_dict();
    for (name, value) in &changed {
        let Value::Tensor(r) = value else { continue };
        let t = now.get(name).ok_or_else(|| format!("{name} is missing"))?;
        compare(t, &file.tensor(&r.name)?, allowance).map_err(|e| format!("{name}: {e}"))?;
    }
    for (name, t) in now.iter() {
        if changed.iter().any(|(n, _)| n == name) {
            continue;
        }
        let old = before.get(name).ok_or_else(|| format!("{name} appeared"))?;
        compare(t, old, Allowance::within(0.0, 0.0)).map_err(|e| format!("{name} was changed: {e}"))?;
    }
    Ok(())
}

fn gradients(
    file: &Container,
    case: &Json,
    inputs: &Inputs,
    built: &Built,
    out: &Out,
    allowance: Allowance,
) -> Result<(), String> {
    let grad_out = Value::parse_list(&case["grad_out"])?;
    let results = out.tensors();
    let mut outs = Vec::new();
    let mut seeds = Vec::new();
    for (t, g) in results.iter().zip(&grad_out) {
        if let Value::Tensor(r) = g {
            outs.push(t);
            seeds.push(Some(file.tensor(&r.name)?));
        }
    }
    if outs.is_empty() {
        return Ok(());
    }
    attempt(|| autograd::backward(&outs, &seeds, Backward::default())).map_err(|e| format!("refused: {e}"))?;
    for (name, want) in Value::parse_dict(&case["grads"])? {
        let leaf = inputs.named(&name).ok_or_else(|| format!("no input {name}"))?;
        check_grad(file, leaf.grad(), &want, &leaf, allowance).map_err(|e| format!("gradient of {name}: {e}"))?;
    }
    let parameters = built.module.named_parameters();
    for (name, want) in Value::parse_dict(&case["param_grads"])? {
        let (_, p) = parameters.iter().find(|(n, _)| *n == name).ok_or_else(|| format!("no parameter {name}"))?;
        check_grad(file, p.tensor().grad(), &want, p.tensor(), allowance)
            .map_err(|e| format!("gradient of {name}: {e}"))?;
    }
    Ok(())
}

/// A case of `errors/` about a module: building it, or its forward, must be refused.
pub fn refused_case(file: &Container, case: &Json) -> Outcome {
    try_refused(file, case).unwrap_or_else(|stop| match stop {
        Stop::Inexpressible(_) => Outcome::Passed,
        stop => stop.into(),
    })
}

fn try_refused(file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let spec = spec_of(case)?;
    let inputs = Inputs::new(file, true);
    manual_seed(1);
    let construct = case["on"] == "construct";
    let built = match attempt(|| build(&spec, &inputs)) {
        Err(e) if construct => return Ok(is_refusal(&e).into()),
        Err(e) => return Ok(Outcome::Failed(format!("building refused: {e}"))),
        Ok(built) => built?,
    };
    let message = case["message"].as_str().unwrap_or_default();
    if construct {
        return Ok(Outcome::Failed(format!("building must be refused ({message})")));
    }
    let parsed = Parsed::of(case)?;
    parsed.make_inputs(&inputs)?;
    let before = Snapshot::of(&inputs);
    let args = Args::new(built.signature, &parsed.args, &parsed.kwargs, &inputs, false);
    match attempt(|| (built.run)(&args)) {
        Err(e) => {
            if let Err(why) = is_refusal(&e) {
                return Ok(Outcome::Failed(why));
            }
            Ok(before.unchanged(&|_| false).into())
        }
        Ok(out) => {
            out?;
            Ok(Outcome::Failed(format!("the forward must be refused ({message})")))
        }
    }
}
