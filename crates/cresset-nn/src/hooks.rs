//! Hooks: what runs around a module's forward and backward.

use crate::backward_hook;
use crate::bundle::Bundle;
use crate::forward::Forward;
use crate::module::Module;
use cresset_tensor::error::fail;
use cresset_tensor::{HookHandle, Tensor};
use std::ops::{Deref, Index};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tensors of a module's input or output, as a hook sees them.
///
/// One tensor is used like the tensor itself (`output.detach()`), several by index (`output[1]`).
#[derive(Clone, Debug)]
pub struct Values(Vec<Tensor>);

impl Values {
    pub(crate) fn of(bundle: &impl Bundle) -> Values {
        let mut tensors = Vec::new();
        bundle.visit(&mut |t| tensors.push(t.clone()));
        Values(tensors)
    }
    /// All tensors, in order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.0
    }
    /// How many tensors there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
impl Deref for Values {
    type Target = Tensor;
    #[track_caller]
    fn deref(&self) -> &Tensor {
        &self[0]
    }
}
impl Index<usize> for Values {
    type Output = Tensor;
    #[track_caller]
    fn index(&self, i: usize) -> &Tensor {
        match self.0.get(i) {
            Some(t) => t,
            None => fail("hook", format!("index {i} is out of range: there are {} tensors here", self.0.len())),
        }
    }
}

/// The gradients of a module's inputs or outputs, as a full backward hook sees them. An input that requires no grad has none.
#[derive(Clone, Debug)]
pub struct Gradients(pub(crate) Vec<Option<Tensor>>);

impl Gradients {
    /// The gradient of input or output `i`, if it has one.
    pub fn get(&self, i: usize) -> Option<&Tensor> {
        self.0.get(i).and_then(Option::as_ref)
    }
    /// All gradients, in order.
    pub fn all(&self) -> &[Option<Tensor>] {
        &self.0
    }
}
impl Index<usize> for Gradients {
    type Output = Tensor;
    #[track_caller]
    fn index(&self, i: usize) -> &Tensor {
        match self.get(i) {
            Some(t) => t,
            None => fail("hook", format!("there is no gradient {i}: use get({i}) where it may be missing")),
        }
    }
}

/// What a hook may return: nothing, or tensors that take the place of those it saw.
pub trait Replacement {
    /// The new tensors in order, `None` for one to keep; nothing if all are kept.
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>>;
}
impl Replacement for () {
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>> {
        None
    }
}
impl Replacement for Tensor {
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>> {
        Some(vec![Some(self)])
    }
}
impl Replacement for Option<Tensor> {
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>> {
        self.map(|t| vec![Some(t)])
    }
}
impl Replacement for Vec<Tensor> {
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>> {
        Some(self.into_iter().map(Some).collect())
    }
}
impl Replacement for Vec<Option<Tensor>> {
    fn into_replacement(self) -> Option<Vec<Option<Tensor>>> {
        Some(self)
    }
}

type Replaced = Option<Vec<Option<Tensor>>>;
type PreHook = Arc<dyn Fn(&dyn Module, &Values) -> Replaced + Send + Sync>;
type ForwardHook = Arc<dyn Fn(&dyn Module, &Values, &Values) -> Replaced + Send + Sync>;
pub(crate) type BackwardPreHook = Arc<dyn Fn(&dyn Module, &Gradients) -> Replaced + Send + Sync>;
pub(crate) type BackwardHook = Arc<dyn Fn(&dyn Module, &Gradients, &Gradients) -> Replaced + Send + Sync>;

/// Hooks with their numbers, in the order of their registration.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) pre: Vec<(u64, PreHook)>,
    pub(crate) forward: Vec<(u64, ForwardHook)>,
    pub(crate) backward_pre: Vec<(u64, BackwardPreHook)>,
    pub(crate) backward: Vec<(u64, BackwardHook)>,
}

impl Hooks {
    const NONE: Hooks = Hooks { pre: vec![], forward: vec![], backward_pre: vec![], backward: vec![] };

    pub(crate) fn is_empty(&self) -> bool {
        self.pre.is_empty() && self.forward.is_empty() && self.backward_pre.is_empty() && self.backward.is_empty()
    }
    fn remove(&mut self, id: u64) {
        self.pre.retain(|(i, _)| *i != id);
        self.forward.retain(|(i, _)| *i != id);
        self.backward_pre.retain(|(i, _)| *i != id);
        self.backward.retain(|(i, _)| *i != id);
    }
    /// These, then `more`.
    fn followed_by(mut self, more: Hooks) -> Hooks {
        self.pre.extend(more.pre);
        self.forward.extend(more.forward);
        self.backward_pre.extend(more.backward_pre);
        self.backward.extend(more.backward);
        self
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static GLOBAL: Mutex<Hooks> = Mutex::new(Hooks::NONE);
static ANY_GLOBAL: AtomicBool = AtomicBool::new(false);

/// Are hooks registered that run for every module?
pub fn has_global_hooks() -> bool {
    ANY_GLOBAL.load(Ordering::Relaxed)
}

fn global() -> MutexGuard<'static, Hooks> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn new_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// Puts a hook into the lists of one module and gives the handle that takes it out again.
pub(crate) fn register(base: &crate::Base, put: impl FnOnce(&mut Hooks, u64)) -> HookHandle {
    let id = new_id();
    base.change_hooks(|h| put(h, id));
    let base = base.clone();
    HookHandle::new(move || base.change_hooks(|h| h.remove(id)))
}

fn register_global(put: impl FnOnce(&mut Hooks, u64)) -> HookHandle {
    let id = new_id();
    let change = |f: &mut dyn FnMut(&mut Hooks)| {
        let mut hooks = global();
        f(&mut hooks);
        ANY_GLOBAL.store(!hooks.is_empty(), Ordering::Relaxed);
    };
    let mut put = Some(put);
    change(&mut |h| {
        if let Some(put) = put.take() {
            put(h, id);
        }
    });
    HookHandle::new(move || change(&mut |h| h.remove(id)))
}

/// Calls `hook` before the forward of every module (`torch.nn.modules.module.register_module_forward_pre_hook`).
pub fn register_module_forward_pre_hook<R: Replacement>(
    hook: impl Fn(&dyn Module, &Values) -> R + Send + Sync + 'static,
) -> HookHandle {
    register_global(|h, id| h.pre.push((id, Arc::new(move |m, x| hook(m, x).into_replacement()))))
}
/// Calls `hook` after the forward of every module (`torch.nn.modules.module.register_module_forward_hook`).
pub fn register_module_forward_hook<R: Replacement>(
    hook: impl Fn(&dyn Module, &Values, &Values) -> R + Send + Sync + 'static,
) -> HookHandle {
    register_global(|h, id| h.forward.push((id, Arc::new(move |m, x, y| hook(m, x, y).into_replacement()))))
}
/// Calls `hook` when the gradients of every module's inputs are known (`torch.nn.modules.module.register_module_full_backward_hook`).
pub fn register_module_full_backward_hook<R: Replacement>(
    hook: impl Fn(&dyn Module, &Gradients, &Gradients) -> R + Send + Sync + 'static,
) -> HookHandle {
    register_global(|h, id| h.backward.push((id, Arc::new(move |m, x, y| hook(m, x, y).into_replacement()))))
}

/// The forward of a module with its hooks.
#[inline]
pub(crate) fn run<I: Bundle, M: Forward<I> + ?Sized>(module: &M, input: &I) -> M::Output
where
    M::Output: Bundle,
{
    if module.base().is_hooked() || ANY_GLOBAL.load(Ordering::Relaxed) {
        run_hooked(module, input)
    } else {
        module.forward(input)
    }
}

#[cold]
fn run_hooked<I: Bundle, M: Forward<I> + ?Sized>(module: &M, input: &I) -> M::Output
where
    M::Output: Bundle,
{
    let hooks = global().clone().followed_by(module.base().hooks());
    let handle = module.as_module();
    let mut replaced: Option<I> = None;
    for (_, hook) in &hooks.pre {
        let now = replaced.as_ref().unwrap_or(input);
        if let Some(new) = hook(handle, &Values::of(now)) {
            replaced = Some(replace(now, new, "forward pre-hook"));
        }
    }
    let gate = backward_hook::Gate::new(module, &hooks);
    if let Some(gate) = &gate {
        replaced = Some(gate.enter(replaced.as_ref().unwrap_or(input)));
    }
    let input = replaced.as_ref().unwrap_or(input);
    let mut output = module.forward(input);
    for (_, hook) in &hooks.forward {
        if let Some(new) = hook(handle, &Values::of(input), &Values::of(&output)) {
            output = replace(&output, new, "forward hook");
        }
    }
    match gate {
        Some(gate) => gate.leave(&output),
        None => output,
    }
}

/// The bundle with the tensors that a hook returned.
pub(crate) fn replace<B: Bundle>(bundle: &B, new: Vec<Option<Tensor>>, what: &str) -> B {
    let mut count = 0;
    bundle.visit(&mut |_| count += 1);
    if count != new.len() {
        fail("hook", format!("a {what} returned {} tensors, but {count} are to be replaced", new.len()));
    }
    let mut new = new.into_iter();
    bundle.map_tensors(&mut |old| new.next().flatten().unwrap_or_else(|| old.clone()))
}
