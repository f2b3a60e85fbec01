//! Names and tensors in order: what modules hand out, optimizers keep and files hold.

use crate::tensor::Tensor;
use std::collections::HashMap;
use std::fmt;
use std::ops::Index;

/// Names and tensors in the order of their insertion (the `OrderedDict` of `state_dict()`).
///
/// The tensors of a module's state dict share their numbers with the module; [`StateDict::deep_copy`] gives numbers of its own.
#[derive(Clone, Default)]
pub struct StateDict {
    entries: Vec<(String, Tensor)>,
    places: HashMap<String, usize>,
}

impl StateDict {
    /// An empty one.
    pub fn new() -> StateDict {
        StateDict::default()
    }
    /// Puts a tensor under a name; a name that is there keeps its place.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        let name = name.into();
        match self.places.get(&name) {
            Some(&i) => self.entries[i].1 = tensor,
            None => {
                self.places.insert(name.clone(), self.entries.len());
                self.entries.push((name, tensor));
            }
        }
    }
    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.places.get(name).map(|&i| &self.entries[i].1)
    }
    /// Takes a name out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        let at = self.places.remove(name)?;
        let (_, tensor) = self.entries.remove(at);
        self.places.values_mut().filter(|i| **i > at).for_each(|i| *i -= 1);
        Some(tensor)
    }
    /// Is the name there?
    pub fn contains_key(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }
    /// The number of names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(k, _)| k.as_str())
    }
    /// The tensors, in order.
    pub fn values(&self) -> impl Iterator<Item = &Tensor> {
        self.entries.iter().map(|(_, t)| t)
    }
    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(k, t)| (k.as_str(), t))
    }
    /// Names and tensors as a slice.
    pub fn entries(&self) -> &[(String, Tensor)] {
        &self.entries
    }
    /// The same names with numbers of their own (`copy.deepcopy(state)`): a snapshot that further training does not change.
    pub fn deep_copy(&self) -> StateDict {
        self.iter().map(|(k, t)| (k.to_string(), Tensor::from_array(t.array().copy()))).collect()
    }
}

impl Index<&str> for StateDict {
    type Output = Tensor;
    #[track_caller]
    fn index(&self, name: &str) -> &Tensor {
        match self.get(name) {
            Some(t) => t,
            None => crate::error::fail("state_dict", format!("there is no key {name:?}")),
        }
    }
}
impl<S: Into<String>> FromIterator<(S, Tensor)> for StateDict {
    fn from_iter<I: IntoIterator<Item = (S, Tensor)>>(entries: I) -> StateDict {
        let mut state = StateDict::new();
        for (name, tensor) in entries {
            state.insert(name, tensor);
        }
        state
    }
}
impl IntoIterator for StateDict {
    type Item = (String, Tensor);
    type IntoIter = std::vec::IntoIter<(String, Tensor)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
impl<'a> IntoIterator for &'a StateDict {
    type Item = &'a (String, Tensor);
    type IntoIter = std::slice::Iter<'a, (String, Tensor)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}
impl From<StateDict> for Vec<(String, Tensor)> {
    fn from(state: StateDict) -> Vec<(String, Tensor)> {
        state.entries
    }
}
impl From<Vec<(String, Tensor)>> for StateDict {
    fn from(entries: Vec<(String, Tensor)>) -> StateDict {
        entries.into_iter().collect()
    }
}
impl fmt::Debug for StateDict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
