//! What can be done with any module, written once on top of the traversal.

use crate::buffer::Buffer;
use crate::copy::Copier;
use crate::hooks::{Gradients, Replacement, Values, register};
use crate::load::{self, LoadReport};
use crate::member::{Member, MemberRef};
use crate::module::Module;
use crate::parameter::Parameter;
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Error, HookHandle, StateDict, Tensor};
use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

/// What every module can do: the methods of `nn.Module`.
///
/// Names are paths of fields, `network.0.weight`; order and de-duplication are PyTorch's: a module's own parameters come before those of its
/// children, and what is shared appears once, under its first name (in the state dict under every name).
pub trait ModuleExt: Module {
    // ---- looking

    /// All parameters with their names (`named_parameters()`).
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for (path, module) in distinct_modules(self.as_module()) {
            module.members(&mut |name, member| {
                if let MemberRef::Parameter(p) = member
                    && seen.insert(p.id())
                {
                    found.push((join(&path, name), p.clone()));
                }
            });
        }
        found
    }
    /// All parameters (`parameters()`).
    fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters().into_iter().map(|(_, p)| p).collect()
    }
    /// All buffers with their names (`named_buffers()`).
    fn named_buffers(&self) -> Vec<(String, Buffer)> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for (path, module) in distinct_modules(self.as_module()) {
            module.members(&mut |name, member| {
                if let MemberRef::Buffer(b) = member
                    && seen.insert(b.id())
                {
                    found.push((join(&path, name), b.clone()));
                }
            });
        }
        found
    }
    /// All buffers (`buffers()`).
    fn buffers(&self) -> Vec<Buffer> {
        self.named_buffers().into_iter().map(|(_, b)| b).collect()
    }
    /// The modules directly below, with their names (`named_children()`).
    fn named_children(&self) -> Vec<(String, &dyn Module)> {
        let mut seen = HashSet::new();
        let mut children = all_children(self.as_module());
        children.retain(|(_, child)| seen.insert(child.base().id()));
        children
    }
    /// The modules directly below (`children()`).
    fn children(&self) -> Vec<&dyn Module> {
        self.named_children().into_iter().map(|(_, m)| m).collect()
    }
    /// This module (under the empty name) and all below it, parents first (`named_modules()`).
    fn named_modules(&self) -> Vec<(String, &dyn Module)> {
        distinct_modules(self.as_module())
    }
    /// This module and all below it, parents first (`modules()`).
    fn modules(&self) -> Vec<&dyn Module> {
        self.named_modules().into_iter().map(|(_, m)| m).collect()
    }
    /// The module of a path (`get_submodule(path)`).
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    fn get_submodule(&self, path: &str) -> &dyn Module {
        match every_module(self.as_module()).into_iter().find(|(p, _)| p == path) {
            Some((_, module)) => module,
            None => fail("get_submodule", format!("{} has no submodule `{path}`", self.class_name())),
        }
    }
    /// The parameter of a path (`get_parameter(path)`).
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    fn get_parameter(&self, path: &str) -> Parameter {
        let mut found = None;
        walk(self.as_module(), "", &mut |name, member| {
            if let (MemberRef::Parameter(p), None) = (member, &found)
                && name == path
            {
                found = Some(p.clone());
            }
        });
        found.unwrap_or_else(|| fail("get_parameter", format!("{} has no parameter `{path}`", self.class_name())))
    }
    /// The buffer of a path (`get_buffer(path)`).
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    fn get_buffer(&self, path: &str) -> Buffer {
        let mut found = None;
        walk(self.as_module(), "", &mut |name, member| {
            if let (MemberRef::Buffer(b), None) = (member, &found)
                && name == path
            {
                found = Some(b.clone());
            }
        });
        found.unwrap_or_else(|| fail("get_buffer", format!("{} has no buffer `{path}`", self.class_name())))
    }
    /// The number of elements of all parameters (`sum(p.numel() for p in parameters())`).
    fn num_parameters(&self) -> usize {
        self.parameters().iter().map(|p| p.numel()).sum()
    }
    /// The number of elements of all parameters that are trained (`sum(p.numel() for p in parameters() if p.requires_grad)`).
    fn num_trainable_parameters(&self) -> usize {
        self.parameters().iter().filter(|p| p.requires_grad()).map(|p| p.numel()).sum()
    }
    /// Is it of type `T` (`isinstance(module, nn.Linear)`)?
    fn is<T: Module>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }
    /// The module as what it is, if it is of type `T`.
    fn downcast_ref<T: Module>(&self) -> Option<&T> {
        (self.as_module() as &dyn Any).downcast_ref::<T>()
    }
    /// Do both mean one module (`a is b`)?
    fn is_same_module(&self, other: &dyn Module) -> bool {
        self.base().is_same(other.base())
    }
    /// Do both own a common parameter or buffer?
    fn shares_state(&self, other: &dyn Module) -> bool {
        let ids = |m: &dyn Module| -> HashSet<usize> {
            let parameters = m.named_parameters().into_iter().map(|(_, p)| p.id());
            parameters.chain(m.named_buffers().into_iter().map(|(_, b)| b.id())).collect()
        };
        !ids(self.as_module()).is_disjoint(&ids(other))
    }

    // ---- changing

    /// Calls `f` with every module below, children first, then with this one (`apply(fn)`).
    ///
    /// ```
    /// use cresset_nn::prelude::*;
    /// use cresset_nn::{init, Linear, Sequential};
    /// let model = Sequential::new((Linear::new(2, 3), Linear::new(3, 1)));
    /// model.apply(|m| {
    ///     if let Some(linear) = m.downcast_ref::<Linear>() {
    ///         init::ones_(&linear.weight);
    ///     }
    /// });
    /// assert_eq!(model.get_parameter("1.weight").to_vec::<f32>(), [1.0; 3]);
    /// ```
    fn apply(&self, mut f: impl FnMut(&dyn Module)) -> &Self {
        fn go(module: &dyn Module, f: &mut dyn FnMut(&dyn Module)) {
            for child in module.children() {
                go(child, f);
            }
            f(module);
        }
        go(self.as_module(), &mut f);
        self
    }
    /// Training mode for this module and all below it (`train()`).
    fn train(&self) -> &Self {
        self.set_training(true)
    }
    /// Evaluation mode for this module and all below it (`eval()`).
    fn eval(&self) -> &Self {
        self.set_training(false)
    }
    /// Training or evaluation mode for this module and all below it (`train(mode)`).
    fn set_training(&self, mode: bool) -> &Self {
        for module in self.modules() {
            module.base().set_training(mode);
        }
        self
    }
    /// Is this module in training mode (`module.training`)?
    fn is_training(&self) -> bool {
        self.base().is_training()
    }
    /// Trains all parameters, or freezes them (`requires_grad_(...)`).
    #[track_caller]
    fn requires_grad_(&self, requires_grad: bool) -> &Self {
        for p in self.parameters() {
            p.requires_grad_(requires_grad);
        }
        self
    }
    /// Removes the gradients of all parameters (`zero_grad()`).
    fn zero_grad(&self) {
        for p in self.parameters() {
            p.zero_grad();
        }
    }
    /// Converts all floating-point parameters and buffers (`to(dtype)`). The cells stay the same, so an optimizer made before goes on training them.
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    fn to(&self, dtype: DType) -> &Self {
        if !dtype.is_floating_point() {
            fail(
                "to",
                format!("nn.Module.to only accepts floating point dtypes, but got desired dtype={}", dtype.name()),
            );
        }
        let convert = |t: &Tensor| Tensor::from_array(t.array().to(dtype));
        for p in self.parameters() {
            if p.is_floating_point() && p.dtype() != dtype {
                let grad = p.grad().as_ref().map(convert);
                p.set_data(&convert(&p));
                p.set_grad(grad);
            }
        }
        for b in self.buffers() {
            let t = b.get();
            if t.is_floating_point() && t.dtype() != dtype {
                b.set(convert(&t));
            }
        }
        self
    }
    /// Converts to f16 (`half()`).
    fn half(&self) -> &Self {
        self.to(DType::F16)
    }
    /// Converts to bf16 (`bfloat16()`).
    fn bfloat16(&self) -> &Self {
        self.to(DType::BF16)
    }
    /// Converts to f32 (`float()`).
    fn float(&self) -> &Self {
        self.to(DType::F32)
    }
    /// Converts to f64 (`double()`).
    fn double(&self) -> &Self {
        self.to(DType::F64)
    }

    // ---- state

    /// Parameters and persistent buffers by name, sharing the numbers with the module (`state_dict()`).
    fn state_dict(&self) -> StateDict {
        let mut state = StateDict::new();
        walk(self.as_module(), "", &mut |name, member| match member {
            MemberRef::Parameter(p) => state.insert(name, p.detach()),
            MemberRef::Buffer(b) if b.is_persistent() => state.insert(name, b.get().detach()),
            _ => {}
        });
        state
    }
    /// Copies the numbers of a state dict into the parameters and buffers (`load_state_dict(state, strict)`), converting dtypes.
    ///
    /// With `strict`, the names must be exactly those of [`ModuleExt::state_dict`].
    ///
    /// # Errors
    /// All missing, unexpected and mis-shaped keys in one sentence; then nothing was changed.
    fn load_state_dict(&self, state: &StateDict, strict: bool) -> Result<LoadReport, Error> {
        load::load(self.as_module(), state, strict)
    }
    /// A copy with cells of its own (`copy.deepcopy(module)`). What is shared within the module is shared within the copy. (`clone()` gives
    /// another handle on the same module.)
    fn deep_copy(&self) -> Self
    where
        Self: Sized,
    {
        Member::deep_copy_with(self, &mut Copier::new())
    }

    // ---- running

    /// Runs `block(self, x)`, a part of the forward, without keeping what its backward will need; backward runs it again
    /// (`torch.utils.checkpoint.checkpoint(self.block, x)`). See [`checkpoint`](cresset_tensor::checkpoint()).
    ///
    /// ```
    /// use cresset_nn::prelude::*;
    /// use cresset_nn::Linear;
    /// #[derive(Module, Clone)]
    /// struct Block {
    ///     base: Base,
    ///     fc: Linear,
    /// }
    /// impl Block {
    ///     fn inner(&self, x: &Tensor) -> Tensor {
    ///         self.fc.call(x).relu()
    ///     }
    /// }
    /// impl Forward for Block {
    ///     type Output = Tensor;
    ///     fn forward(&self, x: &Tensor) -> Tensor {
    ///         self.checkpoint(Self::inner, x)
    ///     }
    /// }
    /// let block = Block { base: Base::new(), fc: Linear::new(4, 4) };
    /// block.call(&Tensor::ones([2, 4])).sum().backward();
    /// assert!(block.fc.weight.grad().is_some());
    /// ```
    #[track_caller]
    fn checkpoint(&self, block: impl Fn(&Self, &Tensor) -> Tensor + Send + Sync + 'static, x: &Tensor) -> Tensor
    where
        Self: Clone,
    {
        let module = self.clone();
        cresset_tensor::checkpoint(move |x| block(&module, x), x)
    }

    // ---- hooks

    /// Calls `hook` with the input before every forward; tensors that it returns take the input's place (`register_forward_pre_hook`).
    fn register_forward_pre_hook<R: Replacement>(
        &self,
        hook: impl Fn(&dyn Module, &Values) -> R + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = Arc::new(move |m: &dyn Module, x: &Values| hook(m, x).into_replacement());
        register(self.base(), |h, id| h.pre.push((id, hook)))
    }
    /// Calls `hook` with input and output after every forward; tensors that it returns take the output's place (`register_forward_hook`).
    ///
    /// ```
    /// use cresset_nn::prelude::*;
    /// use cresset_nn::Linear;
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    /// let activations = Arc::new(Mutex::new(HashMap::new()));
    /// let fc1 = Linear::new(10, 20);
    /// let kept = activations.clone();
    /// let handle = fc1.register_forward_hook(move |_module, _input, output| {
    ///     kept.lock().unwrap().insert("fc1", output.detach());
    /// });
    /// fc1.call(&Tensor::ones([5, 10]));
    /// assert_eq!(activations.lock().unwrap()["fc1"].shape(), [5, 20]);
    /// handle.remove();
    /// ```
    fn register_forward_hook<R: Replacement>(
        &self,
        hook: impl Fn(&dyn Module, &Values, &Values) -> R + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = Arc::new(move |m: &dyn Module, x: &Values, y: &Values| hook(m, x, y).into_replacement());
        register(self.base(), |h, id| h.forward.push((id, hook)))
    }
    /// Calls `hook` in every backward with the gradients of inputs and outputs (`grad_input`, `grad_output`); what it returns takes the place
    /// of the gradients of the inputs (`register_full_backward_hook`).
    fn register_full_backward_hook<R: Replacement>(
        &self,
        hook: impl Fn(&dyn Module, &Gradients, &Gradients) -> R + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = Arc::new(move |m: &dyn Module, x: &Gradients, y: &Gradients| hook(m, x, y).into_replacement());
        register(self.base(), |h, id| h.backward.push((id, hook)))
    }
    /// Calls `hook` in every backward with the gradients of the outputs, before the module's own backward; what it returns takes their place
    /// (`register_full_backward_pre_hook`).
    fn register_full_backward_pre_hook<R: Replacement>(
        &self,
        hook: impl Fn(&dyn Module, &Gradients) -> R + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = Arc::new(move |m: &dyn Module, y: &Gradients| hook(m, y).into_replacement());
        register(self.base(), |h, id| h.backward_pre.push((id, hook)))
    }
}

impl<M: Module + ?Sized> ModuleExt for M {}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}

fn all_children(module: &dyn Module) -> Vec<(String, &dyn Module)> {
    let mut children = Vec::new();
    module.members(&mut |name, member| {
        if let MemberRef::Module(child) = member {
            children.push((name.to_string(), child));
        }
    });
    children
}

fn collect<'a>(
    path: String,
    module: &'a dyn Module,
    seen: &mut Option<HashSet<u64>>,
    found: &mut Vec<(String, &'a dyn Module)>,
) {
    if seen.as_mut().is_some_and(|seen| !seen.insert(module.base().id())) {
        return;
    }
    found.push((path.clone(), module));
    for (name, child) in all_children(module) {
        collect(join(&path, &name), child, seen, found);
    }
}

/// Every module under every name, parents first.
pub(crate) fn every_module(root: &dyn Module) -> Vec<(String, &dyn Module)> {
    let mut found = Vec::new();
    collect(String::new(), root, &mut None, &mut found);
    found
}

fn distinct_modules(root: &dyn Module) -> Vec<(String, &dyn Module)> {
    let mut found = Vec::new();
    collect(String::new(), root, &mut Some(HashSet::new()), &mut found);
    found
}

/// Shows every parameter and buffer under every name to `f`: of each module first its parameters, then its buffers, then its children's.
pub(crate) fn walk<'a>(module: &'a dyn Module, path: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
    let mut later = Vec::new();
    module.members(&mut |name, member| match member {
        MemberRef::Parameter(_) => f(&join(path, name), member),
        member => later.push((join(path, name), member)),
    });
    let mut children = Vec::new();
    for (name, member) in later {
        match member {
            MemberRef::Module(child) => children.push((name, child)),
            member => f(&name, member),
        }
    }
    for (name, child) in children {
        walk(child, &name, f);
    }
}
