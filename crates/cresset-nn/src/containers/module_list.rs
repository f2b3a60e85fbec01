//! A list of modules.

use super::into_layers::IntoLayers;
use crate::base::Base;
use crate::copy::Copier;
use crate::layer::Layer;
use crate::member::{Member, MemberRef};
use crate::module::{Module, module_handles};
use cresset_tensor::error::fail;
use std::fmt;
use std::ops::{Deref, Index};

/// A list of modules that its owner runs as it likes (`nn.ModuleList`).
///
/// By default it holds layers of any types; [`ModuleList::of`] makes a list of modules of one type, which need not be layers
/// (`ModuleList<GRUCell>`).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, ModuleList};
/// let blocks: ModuleList = (0..4).map(|_| Linear::new(3, 3)).collect();
/// let mut x = Tensor::ones([2, 3]);
/// for block in &blocks {
///     x = block.call(&x);
/// }
/// let (last, hidden) = blocks.split_last().unwrap(); // `blocks[-1]`, `blocks[:-1]`
/// assert_eq!((last.class_name(), hidden.len()), ("Linear", 3));
/// assert_eq!(blocks.to_string(), "ModuleList(\n  (0-3): 4 x Linear(in_features=3, out_features=3, bias=True)\n)");
/// ```
#[derive(Clone)]
pub struct ModuleList<M = Box<dyn Layer>> {
    base: Base,
    modules: Vec<M>,
}

impl ModuleList {
    /// A list of layers: a tuple, a `Vec` or an array of them (`nn.ModuleList([...])`).
    pub fn new(layers: impl IntoLayers) -> ModuleList {
        ModuleList::of(layers.into_layers())
    }
    /// Appends a layer (`append(module)`).
    pub fn push(&mut self, layer: impl Layer) -> &mut ModuleList {
        self.modules.push(layer.boxed());
        self
    }
}
impl<M> ModuleList<M> {
    /// A list of modules of one type.
    pub fn of(modules: impl IntoIterator<Item = M>) -> ModuleList<M> {
        ModuleList { base: Base::new(), modules: modules.into_iter().collect() }
    }
    /// Appends modules of the list's type (`extend(modules)`).
    pub fn extend(&mut self, modules: impl IntoIterator<Item = M>) -> &mut ModuleList<M> {
        self.modules.extend(modules);
        self
    }
    /// Puts a module before the one at `index` (`insert(index, module)`).
    pub fn insert(&mut self, index: usize, module: M) {
        self.modules.insert(index.min(self.modules.len()), module);
    }
}

/// A list of modules is read like a slice: `len()`, `iter()`, `get(i)`, `last()`, `split_last()`, ...
impl<M> Deref for ModuleList<M> {
    type Target = [M];
    fn deref(&self) -> &[M] {
        &self.modules
    }
}

impl<M: Module + Clone> Member for ModuleList<M> {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> ModuleList<M> {
        let modules = self.modules.iter().map(|m| m.deep_copy_with(copier)).collect();
        ModuleList { base: self.base.deep_copy_with(copier), modules }
    }
}
impl<M: Module + Clone> Module for ModuleList<M> {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (i, module) in self.modules.iter().enumerate() {
            module.visit(&i.to_string(), f);
        }
    }
    fn repr(&self) -> String {
        crate::repr::collapsed(self.class_name(), self.modules.iter().map(Module::as_module))
    }
    module_handles!("ModuleList");
}
impl<M> Index<usize> for ModuleList<M> {
    type Output = M;
    #[track_caller]
    fn index(&self, i: usize) -> &M {
        match self.modules.get(i) {
            Some(module) => module,
            None => fail("ModuleList", format!("index {i} is out of range: there are {} modules", self.len())),
        }
    }
}
impl<L: Layer> FromIterator<L> for ModuleList {
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> ModuleList {
        ModuleList::of(layers.into_iter().map(Layer::boxed))
    }
}
impl<'a, M> IntoIterator for &'a ModuleList<M> {
    type Item = &'a M;
    type IntoIter = std::slice::Iter<'a, M>;
    fn into_iter(self) -> Self::IntoIter {
        self.modules.iter()
    }
}
impl<M: Module + Clone> fmt::Display for ModuleList<M> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}
