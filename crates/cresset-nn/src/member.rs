//! Members: what may stand in a field of a module.

use crate::buffer::Buffer;
use crate::copy::Copier;
use crate::layer::Layer;
use crate::module::Module;
use crate::parameter::Parameter;
use cresset_tensor::{DType, Device, Dims, Scalar};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// One member of a module as a traversal meets it.
pub enum MemberRef<'a> {
    /// A parameter.
    Parameter(&'a Parameter),
    /// A buffer.
    Buffer(&'a Buffer),
    /// A child.
    Module(&'a dyn Module),
}

/// A type that may be a field of a module: parameters, buffers, modules; `Option`, `Vec`, arrays, tuples, ordered maps and boxes of them; plain data.
///
/// The elements of a collection are named after the field: `blocks.0`, `blocks.1`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a member of a module",
    label = "neither a parameter, a buffer, a module, a collection of them, nor plain data",
    note = "a tensor that belongs to the module's state is a `Parameter` or a `Buffer`",
    note = "mark a field that is none of the module's members with `#[module(skip)]`; it must be `Clone`",
    note = "a module of your own needs `#[derive(Module, Clone)]`"
)]
pub trait Member {
    /// Shows what it holds to `f`, in order, under `name`.
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>));
    /// A copy with cells of its own.
    fn deep_copy_with(&self, copier: &mut Copier) -> Self
    where
        Self: Sized;
}

impl Member for Parameter {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Parameter(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Parameter {
        copier.parameter(self)
    }
}
impl Member for Buffer {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Buffer(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Buffer {
        copier.buffer(self)
    }
}
impl<T: Member> Member for Option<T> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        if let Some(member) = self {
            member.visit(name, f);
        }
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Option<T> {
        self.as_ref().map(|m| m.deep_copy_with(copier))
    }
}
impl<T: Member> Member for Vec<T> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        visit_numbered(self, name, f);
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Vec<T> {
        self.iter().map(|m| m.deep_copy_with(copier)).collect()
    }
}
impl<T: Member, const N: usize> Member for [T; N] {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        visit_numbered(self, name, f);
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> [T; N] {
        std::array::from_fn(|i| self[i].deep_copy_with(copier))
    }
}
fn visit_numbered<'a, T: Member>(members: &'a [T], name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
    for (i, member) in members.iter().enumerate() {
        member.visit(&format!("{name}.{i}"), f);
    }
}
impl<T: Member> Member for BTreeMap<String, T> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (key, member) in self {
            member.visit(&format!("{name}.{key}"), f);
        }
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> BTreeMap<String, T> {
        self.iter().map(|(k, m)| (k.clone(), m.deep_copy_with(copier))).collect()
    }
}
impl<T: Member> Member for Box<T> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        (**self).visit(name, f);
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Box<T> {
        Box::new((**self).deep_copy_with(copier))
    }
}
impl Member for Box<dyn Layer> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self.as_module()));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Box<dyn Layer> {
        (**self).deep_copy_layer(copier)
    }
}
impl Member for Arc<dyn Module> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module((**self).as_module()));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Arc<dyn Module> {
        (**self).deep_copy_module(copier)
    }
}

macro_rules! tuples {
    ($($letter:ident $index:tt),*) => {
        impl<$($letter: Member),*> Member for ($($letter,)*) {
            fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
                $(self.$index.visit(&format!(concat!("{}.", stringify!($index)), name), f);)*
            }
            fn deep_copy_with(&self, copier: &mut Copier) -> Self {
                ($(self.$index.deep_copy_with(copier),)*)
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Types of which a module's copy simply has a clone.
macro_rules! plain {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::Member for $type {
            fn visit<'a>(&'a self, _name: &str, _f: &mut dyn FnMut(&str, $crate::MemberRef<'a>)) {}
            fn deep_copy_with(&self, _copier: &mut $crate::Copier) -> Self {
                self.clone()
            }
        }
    )*};
}
pub(crate) use plain;

plain!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, bool, char, ());
plain!(String, &'static str, Cow<'static, str>, Dims, DType, Device, Scalar);
plain!(
    crate::functional::Padding,
    crate::functional::OutputSize,
    crate::functional::Reduction,
    cresset_tensor::Approximate
);
plain!(std::ops::Range<usize>, std::time::Duration, std::path::PathBuf);

impl<T: ?Sized> Member for PhantomData<T> {
    fn visit<'a>(&'a self, _name: &str, _f: &mut dyn FnMut(&str, MemberRef<'a>)) {}
    fn deep_copy_with(&self, _copier: &mut Copier) -> PhantomData<T> {
        PhantomData
    }
}
