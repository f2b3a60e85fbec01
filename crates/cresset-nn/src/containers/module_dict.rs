//! Modules by name.

use super::into_layers::{IntoNamedLayers, check_name};
use crate::base::Base;
use crate::copy::Copier;
use crate::layer::Layer;
use crate::member::{Member, MemberRef};
use crate::module::{Module, module_handles};
use cresset_tensor::error::fail;
use std::fmt;
use std::ops::Index;

/// Modules by name, in the order of their insertion (`nn.ModuleDict`).
///
/// By default it holds layers of any types; [`ModuleDict::of`] holds modules of one type.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Identity, Linear, ModuleDict};
/// let heads = ModuleDict::new((("classes", Linear::new(8, 10)), ("features", Identity::new())));
/// assert_eq!(heads["classes"].call(&Tensor::ones([2, 8])).shape(), [2, 10]);
/// ```
#[derive(Clone)]
pub struct ModuleDict<M = Box<dyn Layer>> {
    base: Base,
    modules: Vec<(String, M)>,
}

impl ModuleDict {
    /// Named layers: a tuple, a `Vec` or an array of pairs (`nn.ModuleDict({...})`).
    ///
    /// # Panics
    /// If a name is empty or has a dot.
    #[track_caller]
    pub fn new(layers: impl IntoNamedLayers) -> ModuleDict {
        ModuleDict::of(layers.into_named_layers())
    }
}
impl<M> ModuleDict<M> {
    /// Named modules of one type.
    #[track_caller]
    pub fn of<S: Into<String>>(modules: impl IntoIterator<Item = (S, M)>) -> ModuleDict<M> {
        let mut made = ModuleDict { base: Base::new(), modules: Vec::new() };
        for (name, module) in modules {
            made.insert(name, module);
        }
        made
    }
    /// Puts a module under a name; one that was there is replaced (`dict[name] = module`).
    ///
    /// # Panics
    /// If the name is empty or has a dot.
    #[track_caller]
    pub fn insert(&mut self, name: impl Into<String>, module: M) {
        let name = name.into();
        check_name("ModuleDict", &name, std::iter::empty());
        match self.modules.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = module,
            None => self.modules.push((name, module)),
        }
    }
    /// Takes a module out (`pop(name)`).
    pub fn remove(&mut self, name: &str) -> Option<M> {
        let at = self.modules.iter().position(|(n, _)| n == name)?;
        Some(self.modules.remove(at).1)
    }
    /// The module of a name.
    pub fn get(&self, name: &str) -> Option<&M> {
        self.modules.iter().find(|(n, _)| n == name).map(|(_, m)| m)
    }
    /// Is there a module of this name?
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|(n, _)| n.as_str())
    }
    /// The modules, in order.
    pub fn values(&self) -> impl Iterator<Item = &M> {
        self.modules.iter().map(|(_, m)| m)
    }
    /// Names and modules, in order (`items()`).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &M)> {
        self.modules.iter().map(|(n, m)| (n.as_str(), m))
    }
    /// The number of modules.
    pub fn len(&self) -> usize {
        self.modules.len()
    }
    /// Is there no module?
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }
}

impl<M: Module + Clone> Member for ModuleDict<M> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> ModuleDict<M> {
        let modules = self.modules.iter().map(|(n, m)| (n.clone(), m.deep_copy_with(copier))).collect();
        ModuleDict { base: self.base.deep_copy_with(copier), modules }
    }
}
impl<M: Module + Clone> Module for ModuleDict<M> {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (name, module) in &self.modules {
            module.visit(name, f);
        }
    }
    module_handles!("ModuleDict");
}
impl<M> Index<&str> for ModuleDict<M> {
    type Output = M;
    #[track_caller]
    fn index(&self, name: &str) -> &M {
        match self.get(name) {
            Some(module) => module,
            None => fail("ModuleDict", format!("there is no module {name:?}")),
        }
    }
}
impl<M: Module + Clone> fmt::Display for ModuleDict<M> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}
