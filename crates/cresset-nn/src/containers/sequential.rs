//! Layers one after the other.

use super::into_layers::{IntoLayers, IntoNamedLayers, check_name};
use crate::base::Base;
use crate::copy::Copier;
use crate::forward::{Call, Forward};
use crate::layer::Layer;
use crate::member::{Member, MemberRef};
use crate::module::{Module, module_handles};
use cresset_tensor::Tensor;
use cresset_tensor::error::fail;
use std::fmt;
use std::ops::{Index, RangeBounds};

/// Layers that run one after the other (`nn.Sequential`).
///
/// Their names are `0`, `1`, … or those given. Built from a tuple, a `Vec` or an array, or by [`Sequential::push`].
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, Sequential};
/// let mut model = Sequential::new((Linear::new(3, 12), Linear::new(12, 4)));
/// model.push(Linear::new(4, 2));
/// model.extend((Linear::new(2, 2), Linear::new(2, 2)));
/// assert_eq!(model.call(&Tensor::ones([5, 3])).shape(), [5, 2]);
/// assert_eq!(model[1].downcast_ref::<Linear>().unwrap().out_features, 4);
///
/// let named = Sequential::named((("fc1", Linear::new(4, 3)), ("fc2", Linear::new(3, 2))));
/// assert_eq!(named.named_parameters()[2].0, "fc2.weight");
/// ```
#[derive(Clone)]
pub struct Sequential {
    base: Base,
    layers: Vec<(String, Box<dyn Layer>)>,
}

impl Sequential {
    /// Layers under the names `0`, `1`, … (`nn.Sequential(*layers)`).
    pub fn new(layers: impl IntoLayers) -> Sequential {
        let mut made = Sequential { base: Base::new(), layers: Vec::new() };
        made.extend(layers);
        made
    }
    /// Layers under names of their own (`nn.Sequential(OrderedDict([...]))`).
    ///
    /// # Panics
    /// If a name is empty, has a dot, or stands twice.
    #[track_caller]
    pub fn named(layers: impl IntoNamedLayers) -> Sequential {
        let mut made = Sequential { base: Base::new(), layers: Vec::new() };
        for (name, layer) in layers.into_named_layers() {
            made = made.with(&name, layer);
        }
        made
    }
    /// The same with one more layer under a name.
    #[track_caller]
    pub fn with(mut self, name: &str, layer: impl Layer) -> Sequential {
        check_name("Sequential", name, self.layers.iter().map(|(n, _)| n == name));
        self.layers.push((name.into(), layer.boxed()));
        self
    }
    /// Appends a layer under the next number (`append(layer)`).
    pub fn push(&mut self, layer: impl Layer) -> &mut Sequential {
        self.layers.push((self.layers.len().to_string(), layer.boxed()));
        self
    }
    /// Appends layers under the next numbers: a tuple, a `Vec` or an array of them (`extend([...])`).
    pub fn extend(&mut self, layers: impl IntoLayers) -> &mut Sequential {
        for layer in layers.into_layers() {
            self.push(layer);
        }
        self
    }
    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }
    /// Is there no layer?
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
    /// The layers, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &dyn Layer> + ExactSizeIterator {
        self.layers.iter().map(|(_, l)| &**l)
    }
    /// The layer of a name.
    pub fn get(&self, name: &str) -> Option<&dyn Layer> {
        self.layers.iter().find(|(n, _)| n == name).map(|(_, l)| &**l)
    }
    /// Some of the layers, shared, under their names (`model[1:3]`).
    ///
    /// # Panics
    /// If the range is out of bounds.
    #[track_caller]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Sequential {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        match self.layers.get(range) {
            Some(layers) => Sequential { base: Base::new(), layers: layers.to_vec() },
            None => fail("Sequential", format!("range {range:?} is out of bounds for {} layers", self.len())),
        }
    }
}

impl Forward for Sequential {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let mut layers = self.layers.iter();
        let Some((_, first)) = layers.next() else { return input.clone() };
        layers.fold(first.call(input), |x, (_, layer)| layer.call(&x))
    }
}
impl Member for Sequential {
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    fn deep_copy_with(&self, copier: &mut Copier) -> Sequential {
        let layers = self.layers.iter().map(|(n, l)| (n.clone(), l.deep_copy_layer(copier))).collect();
        Sequential { base: self.base.deep_copy_with(copier), layers }
    }
}
impl Module for Sequential {
    fn base(&self) -> &Base {
        &self.base
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        for (name, layer) in &self.layers {
            layer.visit(name, f);
        }
    }
    module_handles!("Sequential");
}
impl Index<usize> for Sequential {
    type Output = dyn Layer;
    #[track_caller]
    fn index(&self, i: usize) -> &dyn Layer {
        match self.layers.get(i) {
            Some((_, layer)) => &**layer,
            None => fail("Sequential", format!("index {i} is out of range: there are {} layers", self.len())),
        }
    }
}
impl<L: Layer> FromIterator<L> for Sequential {
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> Sequential {
        Sequential::new(layers.into_iter().collect::<Vec<L>>())
    }
}
impl fmt::Display for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        crate::repr::display(self, f)
    }
}
