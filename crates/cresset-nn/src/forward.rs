//! Running a module: `forward`, and `call` with hooks around it.

use crate::buffer::Buffer;
use crate::bundle::Bundle;
use crate::hooks;
use crate::module::Module;
use crate::parameter::Parameter;
use cresset_tensor::error::{self, ModuleScope};
use cresset_tensor::{Error, Tensor, trace};
use std::any::Any;
use std::panic::resume_unwind;

/// What a module computes (`def forward(self, input)`).
///
/// The input is one tensor, or a tuple or another [`Bundle`]: `impl Forward<(Tensor, Tensor)> for MyLoss`. Run a module with [`Call::call`];
/// `forward` itself skips the hooks, as in PyTorch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no forward for an input `{I}`",
    label = "no `impl Forward<{I}> for {Self}`"
)]
pub trait Forward<I = Tensor>: Module {
    /// What it gives.
    type Output;
    /// Computes the output, without hooks.
    fn forward(&self, input: &I) -> Self::Output;
}

/// Calling a module: `module(input)` in PyTorch.
pub trait Call<I> {
    /// What the module gives.
    type Output;
    /// Runs the module: its forward-pre hooks, its forward, its forward hooks; full backward hooks are attached to what comes out.
    ///
    /// Several inputs are a tuple of references: `criterion.call((&output, &target))`.
    ///
    /// # Panics
    /// With the sentence of the op that refused, and the path of the module in whose forward it happened.
    fn call<A: Args<I>>(&self, input: A) -> Self::Output;
}

impl<I: Bundle, M: Forward<I> + ?Sized> Call<I> for M
where
    M::Output: Bundle,
{
    type Output = M::Output;
    #[inline]
    #[track_caller]
    fn call<A: Args<I>>(&self, input: A) -> M::Output {
        let (scope, outermost) = ModuleScope::enter(self.base().id());
        if let Some(event) = scope.event() {
            introduce(self.as_module(), event, outermost);
        }
        if !outermost {
            return input.with(|input| hooks::run(self, input));
        }
        match error::catch(|| input.with(|input| hooks::run(self, input))) {
            Ok(output) => output,
            Err(payload) => explain(self.as_module(), payload),
        }
    }
}

/// Tells a profile the names of the modules: of the module that was called first, and of all below it.
#[cold]
#[inline(never)]
fn introduce(module: &dyn Module, event: &trace::Open, outermost: bool) {
    if !event.is_new(outermost) {
        return;
    }
    let root = module.base().id();
    match outermost {
        true => crate::tree::every_module(module)
            .into_iter()
            .for_each(|(path, m)| event.name(m.base().id(), &path, m.class_name(), root)),
        false => event.name(root, "", module.class_name(), 0),
    }
}

/// Where the sources of this crate stand.
const SOURCES: &str = file!().split_at(file!().len() - "forward.rs".len()).0;

/// Adds to an error the path of the module that was running, and raises it again.
#[cold]
#[inline(never)]
#[track_caller]
fn explain(root: &dyn Module, payload: Box<dyn Any + Send>) -> ! {
    let mut error = match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => resume_unwind(other),
    };
    if error.module_path().is_none()
        && let Some(path) = path_of(root, error.modules())
    {
        error.set_module_path(path);
    }
    error.blame_caller(SOURCES);
    error::raise(error)
}

/// The innermost of the running modules that stands in the tree of `root`: `network.4 (Linear)`.
fn path_of(root: &dyn Module, running: impl DoubleEndedIterator<Item = u64>) -> Option<String> {
    let places = crate::tree::every_module(root);
    running.rev().find_map(|id| {
        let (path, module) = places.iter().find(|(_, m)| m.base().id() == id)?;
        Some(if path.is_empty() { module.class_name().into() } else { format!("{path} ({})", module.class_name()) })
    })
}

/// What [`Call::call`] takes for an input `I`: a reference to it, or for several inputs a tuple of references.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit the module's input `{I}`",
    note = "pass `&input`, or a tuple of references for several inputs: `(&output, &target)`"
)]
pub trait Args<I> {
    /// Lends the input to `f`.
    fn with<R>(self, f: impl FnOnce(&I) -> R) -> R;
}

impl<I> Args<I> for &I {
    #[inline]
    fn with<R>(self, f: impl FnOnce(&I) -> R) -> R {
        f(self)
    }
}
impl Args<Tensor> for &Parameter {
    fn with<R>(self, f: impl FnOnce(&Tensor) -> R) -> R {
        f(self.tensor())
    }
}
impl Args<Tensor> for &Buffer {
    fn with<R>(self, f: impl FnOnce(&Tensor) -> R) -> R {
        f(&self.get())
    }
}

/// One of several inputs: a reference where the module wants the thing itself.
pub trait Arg<T> {
    /// The thing itself; for a tensor another handle, no copy of its numbers.
    fn into_arg(self) -> T;
}
impl<T: Clone> Arg<T> for &T {
    #[inline]
    fn into_arg(self) -> T {
        self.clone()
    }
}
impl Arg<Tensor> for Tensor {
    fn into_arg(self) -> Tensor {
        self
    }
}
impl Arg<Tensor> for &Parameter {
    fn into_arg(self) -> Tensor {
        self.into()
    }
}
impl Arg<Tensor> for &Buffer {
    fn into_arg(self) -> Tensor {
        self.get()
    }
}
impl<T: Clone> Arg<Option<T>> for Option<&T> {
    fn into_arg(self) -> Option<T> {
        self.cloned()
    }
}
impl<T, A: Arg<T>, B: Arg<T>> Arg<(T, T)> for (A, B) {
    fn into_arg(self) -> (T, T) {
        (self.0.into_arg(), self.1.into_arg())
    }
}

macro_rules! tuples {
    ($($letter:ident $to:ident $index:tt),*) => {
        impl<$($to, $letter: Arg<$to>),*> Args<($($to,)*)> for ($($letter,)*) {
            #[inline]
            fn with<R>(self, f: impl FnOnce(&($($to,)*)) -> R) -> R {
                f(&($(self.$index.into_arg(),)*))
            }
        }
    };
}
tuples!(A A1 0);
tuples!(A A1 0, B B1 1);
tuples!(A A1 0, B B1 1, C C1 2);
tuples!(A A1 0, B B1 1, C C1 2, D D1 3);
tuples!(A A1 0, B B1 1, C C1 2, D D1 3, E E1 4);
tuples!(A A1 0, B B1 1, C C1 2, D D1 3, E E1 4, F F1 5);
