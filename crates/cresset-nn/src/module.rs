//! The trait behind the module tree.

use crate::base::Base;
use crate::copy::Copier;
use crate::member::{Member, MemberRef};
use std::any::Any;
use std::sync::Arc;

/// A module: a struct with a [`Base`] and members (`nn.Module`).
///
/// Write `#[derive(Module, Clone)]` on a struct with a field `base: Base`; what there is to do with a module stands in [`ModuleExt`](crate::ModuleExt).
/// Children, parameters and buffers are named after their fields, in the order of the fields. An `extra_repr` is a method of the struct:
///
/// ```
/// use cresset_nn::prelude::*;
///
/// #[derive(Module, Clone)]
/// struct Power {
///     base: Base,
///     exponent: usize,
/// }
/// impl Power {
///     fn extra_repr(&self) -> String {
///         format!("exponent={}", self.exponent)
///     }
/// }
/// assert_eq!(Power { base: Base::new(), exponent: 2 }.to_string(), "Power(exponent=2)");
/// ```
///
/// `#[module(name = "Other")]` on the struct changes the name that is printed, on a field the name in the tree; `#[module(skip)]` takes a field
/// out of the tree: nothing in it is saved, trained or moved, and a deep copy has a clone of it. Anything else that is not a member is refused:
///
/// ```compile_fail
/// use cresset_nn::prelude::*;
/// #[derive(Module, Clone)]
/// struct Refused {
///     base: Base,
///     history: std::collections::HashMap<String, Tensor>, // a member? Say #[module(skip)], or use buffers
/// }
/// ```
/// ```
/// use cresset_nn::prelude::*;
/// #[derive(Module, Clone)]
/// struct Accepted {
///     base: Base,
///     #[module(skip)]
///     history: std::collections::HashMap<String, Tensor>,
/// }
/// ```
/// A bare tensor is refused too, because in PyTorch it would silently be left out of the state dict:
/// ```compile_fail
/// use cresset_nn::prelude::*;
/// #[derive(Module, Clone)]
/// struct Refused {
///     base: Base,
///     weight: Tensor,
/// }
/// ```
/// A module without a base is refused:
/// ```compile_fail
/// use cresset_nn::prelude::*;
/// #[derive(Module, Clone)]
/// struct Refused {
///     weight: Parameter,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    label = "not a module",
    note = "write `#[derive(Module, Clone)]` on the struct and give it a field `base: Base`"
)]
pub trait Module: Member + Any + Send + Sync {
    /// Its own part: training flag, hooks, identity.
    fn base(&self) -> &Base;
    /// Shows its members to `f`, in the order of the fields.
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>));
    /// The name of its type, as it is printed: `Linear`.
    fn class_name(&self) -> &str;
    /// What stands between the parentheses when it is printed, beside its children (`extra_repr`).
    fn describe(&self) -> String {
        String::new()
    }
    /// Its text, as Python prints it.
    fn repr(&self) -> String {
        crate::repr::standard(self.as_module())
    }
    /// Itself as a trait object.
    fn as_module(&self) -> &dyn Module;
    /// Another handle on the same module.
    fn share(&self) -> Arc<dyn Module>;
    /// A copy with cells of its own.
    fn deep_copy_module(&self, copier: &mut Copier) -> Arc<dyn Module>;
}

/// The `extra_repr` of a struct that has none.
#[doc(hidden)]
pub trait NoExtraRepr {
    fn extra_repr(&self) -> String {
        String::new()
    }
}
impl<T: ?Sized> NoExtraRepr for T {}

/// The part of [`Module`] that every module writes alike, for modules that are written by hand.
macro_rules! module_handles {
    ($name:literal) => {
        fn class_name(&self) -> &str {
            $name
        }
        module_handles!();
    };
    () => {
        fn as_module(&self) -> &dyn $crate::Module {
            self
        }
        fn share(&self) -> std::sync::Arc<dyn $crate::Module> {
            std::sync::Arc::new(self.clone())
        }
        fn deep_copy_module(&self, copier: &mut $crate::Copier) -> std::sync::Arc<dyn $crate::Module> {
            std::sync::Arc::new($crate::Member::deep_copy_with(self, copier))
        }
    };
}
pub(crate) use module_handles;
