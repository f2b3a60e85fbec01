//! State dicts: names and tensors of a module, and loading them.

use crate::member::MemberRef;
use crate::module::Module;
use crate::tree::{every_module, walk};
use cresset_tensor::{Dims, Error, Tensor};
use std::collections::{HashMap, HashSet};
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
            None => cresset_tensor::error::fail("state_dict", format!("there is no key {name:?}")),
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

/// What a load that was not strict has passed over (`_IncompatibleKeys`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Names of the module that the state dict does not have.
    pub missing_keys: Vec<String>,
    /// Names of the state dict that the module does not have.
    pub unexpected_keys: Vec<String>,
}

/// Where a tensor goes.
enum Target<'a> {
    Cell(Tensor),
    Buffer(&'a crate::Buffer),
}

pub(crate) fn load(module: &dyn Module, state: &StateDict, strict: bool) -> Result<LoadReport, Error> {
    let mut targets = Vec::new();
    walk(module, "", &mut |name, member| match member {
        MemberRef::Parameter(p) => targets.push((name.to_string(), Target::Cell(p.tensor().clone()))),
        MemberRef::Buffer(b) if b.is_persistent() => targets.push((name.to_string(), Target::Buffer(b))),
        _ => {}
    });
    let optional = optional_keys(module);
    let known: HashSet<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<String> = targets
        .iter()
        .filter(|(name, _)| !state.contains_key(name) && !optional.contains(name))
        .map(|(name, _)| name.clone())
        .collect();
    let unexpected: Vec<String> = state.keys().filter(|k| !known.contains(k)).map(str::to_string).collect();
    let mut copies = Vec::new();
    let mut sentences = Vec::new();
    for (name, target) in targets {
        let Some(new) = state.get(&name) else { continue };
        let cell = match target {
            Target::Cell(t) => t,
            Target::Buffer(b) => b.get(),
        };
        let (have, want) = (new.shape(), cell.shape());
        // Checkpoints of old versions have one number as a vector of one.
        let scalar = want.is_empty() && have == [1];
        if have != want && !scalar {
            sentences.push(format!(
                "size mismatch for {name}: copying a param with shape {have} from checkpoint, the shape in current model is {want}."
            ));
        } else {
            copies.push((cell, new.clone()));
        }
    }
    if strict {
        let quoted = |keys: &[String]| keys.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
        if !unexpected.is_empty() {
            sentences.insert(0, format!("Unexpected key(s) in state_dict: {}. ", quoted(&unexpected)));
        }
        if !missing.is_empty() {
            sentences.insert(0, format!("Missing key(s) in state_dict: {}. ", quoted(&missing)));
        }
    }
    if !sentences.is_empty() {
        return Err(Error::new(
            "load_state_dict",
            format!("Error(s) in loading state_dict for {}:\n\t{}", module.class_name(), sentences.join("\n\t")),
        ));
    }
    for (cell, new) in copies {
        copy_into(&cell, &new);
    }
    Ok(LoadReport { missing_keys: missing, unexpected_keys: unexpected })
}

/// Names that old checkpoints lack and that a strict load does without.
fn optional_keys(root: &dyn Module) -> HashSet<String> {
    let mut optional = HashSet::new();
    for (path, module) in every_module(root) {
        module.members(&mut |name, _| {
            if module.may_be_missing(name) {
                optional.insert(if path.is_empty() { name.to_string() } else { format!("{path}.{name}") });
            }
        });
    }
    optional
}

/// The numbers of `new` in the memory of `cell`, in its dtype.
fn copy_into(cell: &Tensor, new: &Tensor) {
    let mut array = new.array();
    if array.shape() != &cell.shape() {
        array = array.contiguous().view(Dims::new(&[]), Dims::new(&[]), 0);
    }
    crate::init::overwrite(cell, &Tensor::from_array(array));
}
