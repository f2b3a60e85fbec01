//! Full backward hooks: two gates in the graph, one around a module's inputs, one around its outputs.

use crate::bundle::Bundle;
use crate::forward::Forward;
use crate::hooks::{BackwardHook, BackwardPreHook, Gradients, Hooks, Values};
use crate::module::Module;
use cresset_tensor::error::fail;
use cresset_tensor::op::{Context, Few, Op, apply};
use cresset_tensor::{Array, Meta, Tensor, is_grad_enabled};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One call of a module with full backward hooks.
pub(crate) struct Gate(Arc<Shared>);

struct Shared {
    module: Arc<dyn Module>,
    pre: Vec<(u64, BackwardPreHook)>,
    hooks: Vec<(u64, BackwardHook)>,
    inputs: AtomicUsize,
    /// Does an input require grad? If none does, the hooks run as soon as the gradients of the outputs are known.
    tracked: AtomicBool,
    grad_output: Mutex<Option<Gradients>>,
}

impl Gate {
    /// A gate, if the module has backward hooks and a graph is recorded.
    pub(crate) fn new<I, M: Forward<I> + ?Sized>(module: &M, hooks: &Hooks) -> Option<Gate> {
        if (hooks.backward.is_empty() && hooks.backward_pre.is_empty()) || !is_grad_enabled() {
            return None;
        }
        Some(Gate(Arc::new(Shared {
            module: module.share(),
            pre: hooks.backward_pre.clone(),
            hooks: hooks.backward.clone(),
            inputs: AtomicUsize::new(0),
            tracked: AtomicBool::new(false),
            grad_output: Mutex::new(None),
        })))
    }
    pub(crate) fn enter<B: Bundle>(&self, input: &B) -> B {
        let values = Values::of(input);
        self.0.inputs.store(values.count(), Ordering::Relaxed);
        if !values.tensors().iter().any(Tensor::requires_grad) {
            return input.map_tensors(&mut Tensor::clone);
        }
        self.0.tracked.store(true, Ordering::Relaxed);
        through(Inputs(self.0.clone()), input, &values)
    }
    pub(crate) fn leave<B: Bundle>(&self, output: &B) -> B {
        let values = Values::of(output);
        if !values.tensors().iter().any(Tensor::requires_grad) {
            return output.map_tensors(&mut Tensor::clone);
        }
        through(Outputs(self.0.clone()), output, &values)
    }
}

/// The bundle behind an op that changes nothing.
fn through<B: Bundle>(op: impl Op, bundle: &B, values: &Values) -> B {
    let inputs: Vec<&Tensor> = values.tensors().iter().collect();
    let mut outs = apply(op, &inputs).into_iter();
    bundle.map_tensors(&mut |_| outs.next().expect("an output for each input"))
}

impl Shared {
    fn run(&self, mut grad_input: Vec<Option<Tensor>>) -> Vec<Option<Tensor>> {
        let grad_output = self.grad_output.lock().unwrap_or_else(PoisonError::into_inner).take();
        // None of the outputs was used, or backward was asked for the gradients of inner tensors only.
        let Some(grad_output) = grad_output else { return grad_input };
        for (_, hook) in &self.hooks {
            let seen = Gradients(grad_input);
            let new = hook(self.module.as_module(), &seen, &grad_output);
            grad_input = merged(seen.0, new, "gradients of the inputs");
        }
        grad_input
    }
}

fn merged(old: Vec<Option<Tensor>>, new: Option<Vec<Option<Tensor>>>, what: &str) -> Vec<Option<Tensor>> {
    let Some(new) = new else { return old };
    if new.len() != old.len() {
        fail("hook", format!("a full backward hook returned {} {what}, but there are {}", new.len(), old.len()));
    }
    old.into_iter().zip(new).map(|(old, new)| new.or(old)).collect()
}

struct Inputs(Arc<Shared>);
struct Outputs(Arc<Shared>);

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Inputs of {}", self.0.module.class_name())
    }
}
impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Outputs of {}", self.0.module.class_name())
    }
}

impl Op for Inputs {
    fn name(&self) -> &'static str {
        "backward_hook"
    }
    fn grad_name(&self) -> String {
        "BackwardHookFunctionBackward".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok(inputs.iter().map(|m| **m).collect())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        inputs.iter().map(|a| (*a).clone()).collect()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        self.0.run(grads.to_vec()).into()
    }
    fn is_view(&self) -> bool {
        true
    }
}
impl Op for Outputs {
    fn name(&self) -> &'static str {
        "backward_hook"
    }
    fn grad_name(&self) -> String {
        "BackwardHookFunctionBackward".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok(inputs.iter().map(|m| **m).collect())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        inputs.iter().map(|a| (*a).clone()).collect()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let shared = &self.0;
        let mut grads = grads.to_vec();
        for (_, hook) in &shared.pre {
            let seen = Gradients(grads);
            let new = hook(shared.module.as_module(), &seen);
            grads = merged(seen.0, new, "gradients of the outputs");
        }
        *shared.grad_output.lock().unwrap_or_else(PoisonError::into_inner) = Some(Gradients(grads.clone()));
        if !shared.tracked.load(Ordering::Relaxed) {
            shared.run(vec![None; shared.inputs.load(Ordering::Relaxed)]);
        }
        grads.into()
    }
    fn is_view(&self) -> bool {
        true
    }
}
