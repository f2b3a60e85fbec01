//! Loading state dicts: everything is checked before anything is copied.

use crate::member::MemberRef;
use crate::module::Module;
use crate::tree::walk;
use cresset_tensor::{Dims, Error, StateDict, Tensor};
use std::collections::HashSet;

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

impl Target<'_> {
    fn is_optional(&self) -> bool {
        matches!(self, Target::Buffer(b) if b.is_optional())
    }
}

pub(crate) fn load(module: &dyn Module, state: &StateDict, strict: bool) -> Result<LoadReport, Error> {
    let mut targets = Vec::new();
    walk(module, "", &mut |name, member| match member {
        MemberRef::Parameter(p) => targets.push((name.to_string(), Target::Cell(p.tensor().clone()))),
        MemberRef::Buffer(b) if b.is_persistent() => targets.push((name.to_string(), Target::Buffer(b))),
        _ => {}
    });
    let known: HashSet<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<String> = targets
        .iter()
        .filter(|(name, target)| !state.contains_key(name) && !target.is_optional())
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
        } else if overlaps(&cell) {
            sentences.push(format!(
                "While copying the parameter named \"{name}\", whose dimensions in the model are {want} and whose dimensions in the checkpoint are {have}, an exception occurred: unsupported operation: more than one element of the written-to tensor refers to a single memory location."
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

/// Do several elements share a place (`expand`)? Such a tensor cannot be written.
fn overlaps(t: &Tensor) -> bool {
    let array = t.array();
    array.shape().iter().zip(array.strides().iter()).any(|(&n, &stride)| n > 1 && stride == 0)
}

/// The numbers of `new` in the memory of `cell`, in its dtype.
fn copy_into(cell: &Tensor, new: &Tensor) {
    let mut array = new.array();
    if array.shape() != &cell.shape() {
        array = array.contiguous().view(Dims::new(&[]), Dims::new(&[]), 0);
    }
    crate::init::overwrite(cell, &Tensor::from_array(array));
}
