//! One case of an op: forward, what it changes, gradients of first and second order, the in-place variant.

use super::args::{Args, Res, Stop};
use super::ops::{Call, resolve};
use super::out::{Out, Rules};
use super::report::{Outcome, is_refusal};
use crate::golden::compare::{floats, integers, same};
use crate::golden::{Allowance, Container, Inputs, Value, compare};
use cresset_tensor::autograd::{self, Backward};
use cresset_tensor::{Tensor, attempt, manual_seed};
use serde_json::Value as Json;

/// The ops that are about memory layout: their strides are compared.
const LAYOUT: [&str; 11] = [
    "clone",
    "contiguous",
    "to",
    "permute",
    "as_strided",
    "empty_like",
    "full_like",
    "ones_like",
    "zeros_like",
    "rand_like",
    "randn_like",
];

/// The parsed parts of a call.
pub struct Parsed {
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments.
    pub kwargs: Vec<(String, Value)>,
}

impl Parsed {
    /// Reads `args` and `kwargs` of a case.
    pub fn of(case: &Json) -> Result<Parsed, Stop> {
        let parse = || -> Result<Parsed, String> {
            Ok(Parsed { args: Value::parse_list(&case["args"])?, kwargs: Value::parse_dict(&case["kwargs"])? })
        };
        parse().map_err(Stop::Unsupported)
    }
    /// Makes all tensors among the arguments.
    pub fn make_inputs(&self, inputs: &Inputs) -> Result<(), Stop> {
        for v in self.args.iter().chain(self.kwargs.iter().map(|(_, v)| v)) {
            for r in v.all_tensors() {
                inputs.get(r).map_err(Stop::Unsupported)?;
            }
        }
        Ok(())
    }
    /// Makes the call.
    pub fn call(&self, call: &Call, inputs: &Inputs, inplace: bool) -> Res<Out> {
        let args = Args::new(call.row.signature, &self.args, &self.kwargs, inputs, inplace || call.inplace);
        let out = (call.row.call)(&args)?;
        match args.unread() {
            Some(what) => Err(Stop::Unsupported(what)),
            None => Ok(out),
        }
    }
}

/// The largest figure under `noise`.
pub fn noise_of(case: &Json) -> f64 {
    fn largest(j: &Json) -> f64 {
        match j {
            Json::Number(n) => n.as_f64().unwrap_or(0.0),
            Json::Array(v) => v.iter().map(largest).fold(0.0, f64::max),
            Json::Object(m) => {
                if m.get("f").is_some() {
                    return f64::INFINITY;
                }
                m.values().map(largest).fold(0.0, f64::max)
            }
            _ => 0.0,
        }
    }
    largest(&case["noise"])
}

/// A copy of the numbers of some tensors, to see later whether they changed.
pub struct Snapshot(Vec<(String, Tensor, Tensor)>);

impl Snapshot {
    /// Of all tensors that a case has made.
    pub fn of(inputs: &Inputs) -> Snapshot {
        Snapshot(
            inputs
                .all()
                .into_iter()
                .map(|(n, t)| {
                    let copy = Tensor::from_array(t.array().copy());
                    (n, t, copy)
                })
                .collect(),
        )
    }
    /// All but `except` must be as before.
    pub fn unchanged(&self, except: &dyn Fn(&str) -> bool) -> Result<(), String> {
        for (name, now, before) in &self.0 {
            if except(name) {
                continue;
            }
            let same = now.meta() == before.meta()
                && if now.is_floating_point() {
                    floats(now).iter().zip(&floats(before)).all(|(a, b)| same(*a, *b))
                } else {
                    integers(now) == integers(before)
                };
            if !same {
                return Err(format!("the input {name} was changed"));
            }
        }
        Ok(())
    }
}

/// Runs a case of an op's file.
pub fn run_case(file: &Container, case: &Json) -> Outcome {
    let name = case["fn"].as_str().unwrap_or_default();
    match resolve(name) {
        Some(call) => run_with(&call, file, case),
        None => Outcome::Unsupported(format!("{name} is not there")),
    }
}

/// Runs a case with another op than the registry's (to see that a wrong one is caught).
pub fn run_with(call: &Call, file: &Container, case: &Json) -> Outcome {
    try_case(call, file, case).unwrap_or_else(Outcome::from)
}

fn seed(case: &Json) {
    if let Some(s) = case["seed"].as_i64() {
        manual_seed(s);
    }
}

/// Turns a text into a failure and leaves the function.
macro_rules! check {
    ($result:expr, $where:expr) => {
        if let Err(why) = $result {
            return Ok(Outcome::Failed(if $where.is_empty() { why } else { format!("{}: {why}", $where) }));
        }
    };
}

fn try_case(call: &Call, file: &Container, case: &Json) -> Result<Outcome, Stop> {
    let name = case["fn"].as_str().unwrap_or_default();
    let parsed = Parsed::of(case)?;
    let inputs = Inputs::new(file, true);
    parsed.make_inputs(&inputs)?;
    let before = Snapshot::of(&inputs);
    let want = Value::parse(&case["out"]).map_err(Stop::Unsupported)?;
    let mutated = Value::parse_dict(&case["mutated"]).map_err(Stop::Unsupported)?;
    let op = name.rsplit('.').next().unwrap_or_default();
    let ties = case["ties"] == true;
    let gauge = case["gauge"].as_str();
    let rules = Rules {
        inputs: &inputs,
        allowance: Allowance::noise(noise_of(case)),
        layout: LAYOUT.contains(&op),
        free_indices: ties,
        shapes_only: gauge.is_some(),
        grad: true,
        own_memory: true,
    };

    seed(case);
    let out = match attempt(|| parsed.call(call, &inputs, false)) {
        Ok(out) => out?,
        Err(e) => return Ok(Outcome::Failed(format!("refused: {e}"))),
    };
    check!(rules.check(&out, &want), "");
    if ties {
        check!(super::ties::indices_select(&parsed, &inputs, &out, op), "ties");
    }
    check!(before.unchanged(&|n| mutated.iter().any(|(m, _)| m == n)), "");
    for (name, want) in &mutated {
        let Some(now) = inputs.named(name) else { continue };
        let plain = Rules { inputs: &inputs, grad: false, own_memory: false, layout: false, ..rules };
        check!(plain.check(&Out::Tensor(now), want), format!("{name} after the call"));
    }
    let mut results = out.tensors();
    if let Some(gauge) = gauge {
        check!(super::gauge::factors_fit(gauge, &parsed, &inputs, &out), gauge);
        results = super::gauge::derived(gauge, &out);
        let post = Value::parse_list(&case["post"]).map_err(Stop::Unsupported)?;
        let plain = Rules { inputs: &inputs, shapes_only: false, grad: false, own_memory: false, ..rules };
        if results.len() != post.len() {
            return Ok(Outcome::Failed(format!("{} derived tensors, want {}", results.len(), post.len())));
        }
        for (i, (got, want)) in results.iter().zip(&post).enumerate() {
            check!(plain.check(&Out::Tensor(got.clone()), want), format!("post[{i}]"));
        }
    }
    if case.get("no_grad").is_some() {
        let outs: Vec<Tensor> = results.iter().filter(|t| t.is_floating_point()).cloned().collect();
        let refs: Vec<&Tensor> = outs.iter().collect();
        let ones: Vec<_> = outs.iter().map(|t| Some(t.ones_like())).collect();
        return Ok(match attempt(|| autograd::backward(&refs, &ones, Backward::default())) {
            Ok(()) => Outcome::Failed("backward must be refused, but went through".into()),
            Err(e) => is_refusal(&e).into(),
        });
    }
    if case.get("grads").is_some() {
        check!(gradients(file, case, &inputs, &results), "");
        check!(before.unchanged(&|n| mutated.iter().any(|(m, _)| m == n)), "after backward");
    }
    in_place(file, case, call, &parsed, &want)
}

/// Backward of first and second order.
fn gradients(file: &Container, case: &Json, inputs: &Inputs, results: &[Tensor]) -> Result<(), String> {
    let allowance = Allowance::noise(noise_of(case));
    let grad_out = Value::parse_list(&case["grad_out"])?;
    if grad_out.len() != results.len() {
        return Err(format!("{} results, but {} gradients for them", results.len(), grad_out.len()));
    }
    let mut outs = Vec::new();
    let mut seeds = Vec::new();
    for (out, g) in results.iter().zip(&grad_out) {
        if let Value::Tensor(r) = g {
            outs.push(out);
            seeds.push(Some(file.tensor(&r.name)?));
        }
    }
    let grads = Value::parse_dict(&case["grads"])?;
    let second = case.get("grads2").is_some();
    let retain = Backward { retain_graph: second, ..Default::default() };
    attempt(|| autograd::backward(&outs, &seeds, retain)).map_err(|e| format!("backward refused: {e}"))?;
    let mut leaves = Vec::new();
    for (name, want) in &grads {
        let leaf = inputs.named(name).ok_or_else(|| format!("no input {name}"))?;
        let got = leaf.grad();
        if let Err(e) = check_grad(file, got.clone(), want, &leaf, allowance)
            && !(case["ties"] == true && super::ties::shares_agree(file, got, want, &leaf, allowance))
        {
            return Err(format!("gradient of {name}: {e}"));
        }
        leaves.push(leaf);
    }
    if !second {
        return Ok(());
    }
    let vectors = Value::parse_list(&case["grad_grad_out"])?;
    let wants = Value::parse_dict(&case["grads2"])?;
    let mut allowance = allowance;
    if allowance.noise == 0.0 {
        allowance.tolerance = Some((1e-6, 1e-6));
    }
    let (first, seconds) = attempt(|| {
        let refs: Vec<&Tensor> = leaves.iter().collect();
        let graph = Backward { create_graph: true, allow_unused: true, ..Default::default() };
        let first = autograd::grad(&outs, &refs, &seeds, graph);
        let mut gs = Vec::new();
        let mut vs = Vec::new();
        for (g, v) in first.iter().zip(&vectors) {
            if let (Some(g), Value::Tensor(r)) = (g, v)
                && g.requires_grad()
            {
                gs.push(g);
                vs.push(Some(file.tensor(&r.name).expect("the tensors of a case are in its file")));
            }
        }
        let plain = Backward { allow_unused: true, ..Default::default() };
        let seconds = if gs.is_empty() { vec![None; leaves.len()] } else { autograd::grad(&gs, &refs, &vs, plain) };
        (first.clone(), seconds)
    })
    .map_err(|e| format!("second order refused: {e}"))?;
    for (((name, want), leaf), g) in grads.iter().zip(&leaves).zip(first) {
        check_grad(file, g, want, leaf, allowance).map_err(|e| format!("gradient of {name} with create_graph: {e}"))?;
    }
    for (name, want) in &wants {
        let Some(at) = grads.iter().position(|(n, _)| n == name) else { continue };
        // No dependence and a dependence that is zero everywhere are the same.
        let second = seconds[at].clone().or_else(|| Some(leaves[at].zeros_like()));
        check_grad(file, second, want, &leaves[at], allowance)
            .map_err(|e| format!("second gradient of {name}: {e}"))?;
    }
    Ok(())
}

/// A gradient against the recorded one; where PyTorch leaves it undefined, nothing or zeros.
pub fn check_grad(
    file: &Container,
    got: Option<Tensor>,
    want: &Value,
    leaf: &Tensor,
    allowance: Allowance,
) -> Result<(), String> {
    let zeros = |g: &Tensor| floats(g).iter().all(|&x| x == 0.0);
    match (got, want) {
        (None, Value::None) => Ok(()),
        (Some(g), Value::None) if zeros(&g) => Ok(()),
        (Some(g), Value::None) => Err(format!("got {g:?}, want none")),
        (Some(g), Value::Tensor(r)) => compare(&g, &file.tensor(&r.name)?, allowance),
        (None, Value::Tensor(r)) => {
            let want = file.tensor(&r.name)?;
            if zeros(&want) && leaf.numel() == 0 { Ok(()) } else { Err("got none".into()) }
        }
        (_, other) => Err(format!("cannot compare with {other:?}")),
    }
}

/// The in-place variant on fresh inputs.
fn in_place(file: &Container, case: &Json, call: &Call, parsed: &Parsed, want: &Value) -> Result<Outcome, Stop> {
    let must_fail = case.get("inplace_error").is_some();
    if case["inplace"] != true && !must_fail {
        return Ok(Outcome::Passed);
    }
    let inputs = Inputs::new(file, false);
    parsed.make_inputs(&inputs)?;
    let before = Snapshot::of(&inputs);
    let Some(Value::Tensor(first)) = parsed.args.first() else { return Ok(Outcome::Passed) };
    let target = inputs.get(first).map_err(Stop::Unsupported)?;
    seed(case);
    let result = attempt(|| parsed.call(call, &inputs, true));
    let out = match result {
        Err(e) if must_fail => {
            check!(is_refusal(&e), "in place");
            check!(before.unchanged(&|_| false), "refused in place");
            return Ok(Outcome::Passed);
        }
        Err(e) => return Ok(Outcome::Failed(format!("in place refused: {e}"))),
        Ok(Err(Stop::Inexpressible(_))) if must_fail => return Ok(Outcome::Passed),
        Ok(out) => out?,
    };
    if must_fail {
        return Ok(Outcome::Failed("in place must be refused, but went through".into()));
    }
    let rules = Rules {
        inputs: &inputs,
        allowance: Allowance::noise(noise_of(case)),
        layout: false,
        free_indices: false,
        shapes_only: false,
        grad: false,
        own_memory: false,
    };
    let want = match want {
        Value::Tensor(r) => {
            let mut r = r.clone();
            r.alias = None;
            Value::Tensor(r)
        }
        other => other.clone(),
    };
    check!(rules.check(&out, &want), "in place, returned");
    check!(rules.check(&Out::Tensor(target.clone()), &want), "in place, target");
    if let Out::Tensor(t) = &out
        && !t.shares_memory(&target)
    {
        return Ok(Outcome::Failed("in place must return its target".into()));
    }
    check!(before.unchanged(&|n| n == first.name), "in place");
    Ok(Outcome::Passed)
}
