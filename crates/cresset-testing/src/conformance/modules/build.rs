//! Building the modules of a case.

use crate::conformance::args::{Args, Res, Stop, unsupported};
use crate::conformance::out::Out;
use crate::golden::{Inputs, Spec, Value};
use cresset_nn::{Call, Forward, Layer, Module, Parameter};
use cresset_tensor::Tensor;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// How the forward of a module is called.
pub type Run = Box<dyn Fn(&Args) -> Res<Out>>;

/// A module that was built.
pub struct Built {
    /// The module.
    pub module: Arc<dyn Module>,
    /// The module as a layer, if it is one.
    pub layer: Option<Box<dyn Layer>>,
    /// The parameters' names of its forward.
    pub signature: &'static str,
    /// Its forward.
    pub run: Run,
}

impl Built {
    /// A module from one tensor to one tensor.
    pub fn layer(layer: impl Layer) -> Built {
        let layer = layer.boxed();
        let own = layer.clone();
        Built {
            module: layer.share(),
            layer: Some(layer),
            signature: "input",
            run: Box::new(move |a| Ok(own.call(&a.tensor("input")?).into())),
        }
    }
    /// A module with a forward of its own kind.
    pub fn with<M: Module + Clone>(
        module: M,
        signature: &'static str,
        run: impl Fn(&M, &Args) -> Res<Out> + 'static,
    ) -> Built {
        Built { module: module.share(), layer: None, signature, run: Box::new(move |a| run(&module, a)) }
    }
    /// A module of two tensors, as most losses are.
    pub fn pair<M: Forward<(Tensor, Tensor), Output = Tensor> + Module + Clone>(
        module: M,
        signature: &'static str,
    ) -> Built {
        let mut names = signature.split_whitespace();
        let (first, second) = (names.next().unwrap_or("input"), names.next().unwrap_or("target"));
        Built::with(module, signature, move |m, a| Ok(m.call((&a.tensor(first)?, &a.tensor(second)?)).into()))
    }
    /// A module without forward.
    pub fn silent<M: Module + Clone>(module: M) -> Built {
        Built::with(module, "", |_, _| unsupported("a container has no forward"))
    }
}

/// What builds a module.
pub type Builder = fn(&Args) -> Res<Built>;

/// A row of the registry: the class, its parameters, how it is built.
pub struct ModuleRow {
    /// The last part of the class's name.
    pub name: &'static str,
    /// The constructor's parameters in order.
    pub signature: &'static str,
    /// How it is built.
    pub build: Builder,
}

/// A row of the registry.
pub const fn module(name: &'static str, signature: &'static str, build: Builder) -> ModuleRow {
    ModuleRow { name, signature, build }
}

fn registry() -> &'static HashMap<&'static str, &'static ModuleRow> {
    static REGISTRY: OnceLock<HashMap<&'static str, &'static ModuleRow>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let families: &[&'static [ModuleRow]] = &[
            super::activations::ROWS,
            super::containers::ROWS,
            super::layers::ROWS,
            super::losses::ROWS,
            super::norms::ROWS,
            super::windows::ROWS,
        ];
        families.iter().flat_map(|f| f.iter()).map(|r| (r.name, r)).collect()
    })
}

/// Builds a module.
pub fn build(spec: &Spec, inputs: &Inputs) -> Res<Built> {
    let name = spec.class.rsplit('.').next().unwrap_or_default();
    let Some(row) = registry().get(name) else { return unsupported(format!("{} is not there", spec.class)) };
    let args = Args::new(row.signature, &spec.args, &spec.kwargs, inputs, false);
    args.device()?;
    let built = (row.build)(&args)?;
    match args.unread() {
        Some(what) => unsupported(format!("{name}: {what}")),
        None => Ok(built),
    }
}

/// A value that must be a module which is a layer.
pub fn as_layer(v: &Value, inputs: &Inputs) -> Res<Box<dyn Layer>> {
    let Value::Module(spec) = v else { return Err(Stop::Inexpressible(format!("{v:?} is no module"))) };
    match build(spec, inputs)?.layer {
        Some(layer) => Ok(layer),
        None => unsupported(format!("{} in a container of layers", spec.class)),
    }
}

/// A value that must be a parameter.
pub fn as_parameter(a: &Args, v: &Value) -> Res<Parameter> {
    let t = a.as_tensor("parameter", v)?;
    Ok(if matches!(v, Value::Tensor(r) if r.grad) { Parameter::new(t.detach()) } else { Parameter::frozen(t.detach()) })
}
