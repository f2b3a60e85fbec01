//! Neural network modules for cresset: the module tree, layers, losses, initialisers (`torch.nn`).
//!
//! A module is a struct with a [`Base`] and members: parameters, buffers, other modules, plain data. `#[derive(Module)]` generates one
//! traversal of them; names, state dicts, printing, train and eval, freezing and copying are provided once on top of it ([`ModuleExt`]).
//!
//! ```
//! use cresset_nn::prelude::*;
//!
//! #[derive(Module, Clone)]
//! struct Scale {
//!     base: Base,
//!     weight: Parameter,
//! }
//! impl Scale {
//!     fn new(features: usize) -> Scale {
//!         Scale { base: Base::new(), weight: Parameter::new(Tensor::ones([features])) }
//!     }
//! }
//! impl Forward for Scale {
//!     type Output = Tensor;
//!     fn forward(&self, x: &Tensor) -> Tensor {
//!         x * &*self.weight
//!     }
//! }
//!
//! let scale = Scale::new(3);
//! let y = scale.call(&Tensor::ones([2, 3]));
//! assert_eq!(y.shape(), [2, 3]);
//! assert_eq!(scale.named_parameters()[0].0, "weight");
//! assert_eq!(scale.to_string(), "Scale()");
//! ```

extern crate self as cresset_nn;

mod backward_hook;
mod base;
mod buffer;
mod bundle;
mod containers;
mod copy;
mod forward;
mod hooks;
pub mod init;
mod inspect;
mod layer;
mod layers;
mod load;
mod member;
mod module;
mod optional;
mod parameter;
mod repr;
mod tree;

pub use base::Base;
pub use buffer::Buffer;
pub use bundle::Bundle;
pub use containers::{
    Identity, IntoLayers, IntoNamedLayers, Lambda, ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential,
};
pub use copy::Copier;
pub use cresset_derive::Module;
pub use cresset_tensor::{Approximate, functional};
pub use cresset_tensor::{HookHandle, StateDict};
pub use forward::{Arg, Args, Call, Forward};
pub use hooks::{
    Gradients, Replacement, Values, has_global_hooks, register_module_forward_hook, register_module_forward_pre_hook,
    register_module_full_backward_hook,
};
pub use inspect::{Summary, SummaryRow, stats, summary};
pub use layer::Layer;
pub use layers::*;
pub use load::LoadReport;
pub use member::{Member, MemberRef};
pub use module::Module;
pub use optional::Optional;
pub use parameter::Parameter;
pub use tree::ModuleExt;

/// What a program with modules of its own needs.
pub mod prelude {
    pub use crate::{Base, Buffer, Call, Forward, Layer, Module, ModuleExt, Optional, Parameter};
    pub use cresset_tensor::Tensor;
}

/// What the derive macro's code calls.
#[doc(hidden)]
pub mod __derive {
    pub use crate::module::NoExtraRepr;
    pub use crate::repr::display;
    pub use crate::{Base, Copier, Member, MemberRef, Module};
}
