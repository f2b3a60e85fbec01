//! Layers: modules from one tensor to one tensor, as containers hold them.

use crate::base::Base;
use crate::copy::Copier;
use crate::forward::Forward;
use crate::member::MemberRef;
use crate::module::Module;
use cresset_tensor::Tensor;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A module that takes one tensor and gives one tensor: what [`Sequential`](crate::Sequential), [`ModuleList`](crate::ModuleList) and
/// [`ModuleDict`](crate::ModuleDict) hold. Every such module that is `Clone` is one.
///
/// `Box<dyn Layer>` is a module too, and may be a field of a module.
pub trait Layer: Forward<Tensor, Output = Tensor> {
    /// Another handle on the same layer.
    fn share_layer(&self) -> Box<dyn Layer>;
    /// A copy with cells of its own.
    fn deep_copy_layer(&self, copier: &mut Copier) -> Box<dyn Layer>;
    /// The layer in a box, for lists of layers of different types.
    fn boxed(self) -> Box<dyn Layer>
    where
        Self: Sized;
}

impl<M: Forward<Tensor, Output = Tensor> + Clone> Layer for M {
    fn share_layer(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }
    fn deep_copy_layer(&self, copier: &mut Copier) -> Box<dyn Layer> {
        Box::new(self.deep_copy_with(copier))
    }
    fn boxed(self) -> Box<dyn Layer> {
        // A box is not put into another box.
        let mut slot = Some(self);
        match (&mut slot as &mut dyn Any).downcast_mut::<Option<Box<dyn Layer>>>() {
            Some(boxed) => boxed.take().expect("just put there"),
            None => Box::new(slot.expect("just put there")),
        }
    }
}

impl Clone for Box<dyn Layer> {
    fn clone(&self) -> Box<dyn Layer> {
        (**self).share_layer()
    }
}
impl Module for Box<dyn Layer> {
    fn base(&self) -> &Base {
        (**self).base()
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        (**self).members(f);
    }
    fn class_name(&self) -> &str {
        (**self).class_name()
    }
    fn describe(&self) -> String {
        (**self).describe()
    }
    fn repr(&self) -> String {
        (**self).repr()
    }
    fn as_module(&self) -> &dyn Module {
        (**self).as_module()
    }
    fn share(&self) -> Arc<dyn Module> {
        (**self).share()
    }
    fn deep_copy_module(&self, copier: &mut Copier) -> Arc<dyn Module> {
        (**self).deep_copy_module(copier)
    }
}
impl Forward for Box<dyn Layer> {
    type Output = Tensor;
    #[track_caller]
    fn forward(&self, input: &Tensor) -> Tensor {
        (**self).forward(input)
    }
}
impl fmt::Display for dyn Layer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self.as_module(), f)
    }
}
impl fmt::Debug for dyn Layer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self.as_module(), f)
    }
}
