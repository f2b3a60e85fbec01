//! Modules without state of their own: a function, and nothing at all.

use crate::base::Base;
use crate::copy::Copier;
use crate::forward::Forward;
use crate::member::{Member, MemberRef};
use crate::module::{Module, module_handles};
use cresset_tensor::Tensor;
use std::fmt;
use std::sync::Arc;

/// A function as a layer, for a place between others in a [`Sequential`](crate::Sequential).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Lambda, Linear, Sequential};
/// let model = Sequential::new((Linear::new(4, 2), Lambda::new(|x| x * 2.0)));
/// assert_eq!(model.call(&Tensor::ones([1, 4])).shape(), [1, 2]);
/// ```
#[derive(Clone)]
pub struct Lambda {
    base: Base,
    function: Arc<dyn Fn(&Tensor) -> Tensor + Send + Sync>,
}

impl Lambda {
    /// A layer that computes `function`.
    pub fn new(function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static) -> Lambda {
        Lambda { base: Base::new(), function: Arc::new(function) }
    }
}
impl Forward for Lambda {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        (self.function)(input)
    }
}
impl Member for Lambda {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Lambda {
        Lambda { base: self.base.deep_copy_with(copier), function: self.function.clone() }
    }
}
impl Module for Lambda {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, _f: &mut dyn FnMut(&str, MemberRef<'a>)) {}
    module_handles!("Lambda");
}
impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}

/// A layer that gives its input back (`nn.Identity`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let x = Tensor::ones([2]);
/// assert!(cresset_nn::Identity::new().call(&x).is_same(&x));
/// ```
#[derive(crate::Module, Clone, Default)]
pub struct Identity {
    base: Base,
}

impl Identity {
    /// A layer that gives its input back.
    pub fn new() -> Identity {
        Identity::default()
    }
}
impl Forward for Identity {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.clone()
    }
}
