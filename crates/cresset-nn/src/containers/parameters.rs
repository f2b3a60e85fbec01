//! Lists and dictionaries of parameters.

use crate::base::Base;
use crate::copy::Copier;
use crate::member::{Member, MemberRef};
use crate::module::{Module, module_handles};
use crate::parameter::Parameter;
use cresset_tensor::error::fail;
use std::fmt;
use std::ops::Index;

/// Parameters in a row (`nn.ParameterList`); their names are `0`, `1`, …
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::ParameterList;
/// let list = ParameterList::new((0..2).map(|_| Parameter::new(Tensor::zeros([3]))));
/// assert_eq!(list.named_parameters()[1].0, "1");
/// ```
#[derive(Clone)]
pub struct ParameterList {
    base: Base,
    parameters: Vec<Parameter>,
}

impl ParameterList {
    /// A list of parameters.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> ParameterList {
        ParameterList { base: Base::new(), parameters: parameters.into_iter().collect() }
    }
    /// Appends a parameter (`append(parameter)`).
    pub fn push(&mut self, parameter: Parameter) -> &mut ParameterList {
        self.parameters.push(parameter);
        self
    }
    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }
    /// Is there no parameter?
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }
    /// The parameters, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Parameter> {
        self.parameters.iter()
    }
}
impl Member for ParameterList {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> ParameterList {
        ParameterList { base: self.base.deep_copy_with(copier), parameters: self.parameters.deep_copy_with(copier) }
    }
}
impl Module for ParameterList {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (i, parameter) in self.parameters.iter().enumerate() {
            parameter.visit(&i.to_string(), f);
        }
    }
    fn repr(&self) -> String {
        let line =
            |(i, p): (usize, &Parameter)| format!("({i}): {}", described(p, &format!("torch.{}", p.dtype().name())));
        listing(self.class_name(), self.parameters.iter().enumerate().map(line))
    }
    module_handles!("ParameterList");
}
impl Index<usize> for ParameterList {
    type Output = Parameter;
    #[track_caller]
    fn index(&self, i: usize) -> &Parameter {
        match self.parameters.get(i) {
            Some(p) => p,
            None => fail("ParameterList", format!("index {i} is out of range: there are {} parameters", self.len())),
        }
    }
}
impl<'a> IntoIterator for &'a ParameterList {
    type Item = &'a Parameter;
    type IntoIter = std::slice::Iter<'a, Parameter>;
    fn into_iter(self) -> Self::IntoIter {
        self.parameters.iter()
    }
}
impl fmt::Display for ParameterList {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}

/// Parameters by name, in the order of their insertion (`nn.ParameterDict`).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::ParameterDict;
/// let dict = ParameterDict::new([("left", Parameter::new(Tensor::zeros([2, 3])))]);
/// assert_eq!(dict["left"].shape(), [2, 3]);
/// ```
#[derive(Clone)]
pub struct ParameterDict {
    base: Base,
    parameters: Vec<(String, Parameter)>,
}

impl ParameterDict {
    /// Named parameters.
    #[track_caller]
    pub fn new<S: Into<String>>(parameters: impl IntoIterator<Item = (S, Parameter)>) -> ParameterDict {
        let mut made = ParameterDict { base: Base::new(), parameters: Vec::new() };
        for (name, parameter) in parameters {
            made.insert(name, parameter);
        }
        made
    }
    /// Puts a parameter under a name; one that was there is replaced (`dict[name] = parameter`).
    ///
    /// # Panics
    /// If the name is empty or has a dot.
    #[track_caller]
    pub fn insert(&mut self, name: impl Into<String>, parameter: Parameter) {
        let name = name.into();
        super::into_layers::check_name("ParameterDict", &name, std::iter::empty());
        match self.parameters.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = parameter,
            None => self.parameters.push((name, parameter)),
        }
    }
    /// The parameter of a name.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, p)| p)
    }
    /// Names and parameters, in order (`items()`).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters.iter().map(|(n, p)| (n.as_str(), p))
    }
    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|(n, _)| n.as_str())
    }
    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }
    /// Is there no parameter?
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }
}
impl Member for ParameterDict {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> ParameterDict {
        let parameters = self.parameters.iter().map(|(n, p)| (n.clone(), p.deep_copy_with(copier))).collect();
        ParameterDict { base: self.base.deep_copy_with(copier), parameters }
    }
}
impl Module for ParameterDict {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (name, parameter) in &self.parameters {
            parameter.visit(name, f);
        }
    }
    fn repr(&self) -> String {
        let line = |(n, p): &(String, Parameter)| format!("({n}): {}", described(p, &legacy_type(p)));
        listing(self.class_name(), self.parameters.iter().map(line))
    }
    module_handles!("ParameterDict");
}
impl Index<&str> for ParameterDict {
    type Output = Parameter;
    #[track_caller]
    fn index(&self, name: &str) -> &Parameter {
        match self.get(name) {
            Some(p) => p,
            None => fail("ParameterDict", format!("there is no parameter {name:?}")),
        }
    }
}
impl fmt::Display for ParameterDict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}

fn listing(name: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.map(|l| format!("    {l}")).collect();
    if lines.is_empty() { format!("{name}()") } else { format!("{name}(\n{}\n)", lines.join("\n")) }
}

fn described(p: &Parameter, ty: &str) -> String {
    let sizes: Vec<String> = p.shape().iter().map(usize::to_string).collect();
    format!("Parameter containing: [{ty} of size {}]", sizes.join("x"))
}

/// `torch.FloatTensor`: a dictionary prints the type, a list the dtype.
fn legacy_type(p: &Parameter) -> String {
    use cresset_tensor::DType::*;
    let name = match p.dtype() {
        F64 => "Double",
        F32 => "Float",
        F16 => "Half",
        BF16 => "BFloat16",
        I64 => "Long",
        I32 => "Int",
        I16 => "Short",
        I8 => "Char",
        U8 => "Byte",
        Bool => "Bool",
    };
    format!("torch.{name}Tensor")
}
