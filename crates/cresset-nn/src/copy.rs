//! Deep copies: new cells for old ones, ties kept.

use crate::base::Base;
use crate::buffer::Buffer;
use crate::parameter::Parameter;
use cresset_tensor::Tensor;
use std::collections::HashMap;

/// Remembers which cells a deep copy has copied, so that what was shared in the original is shared in the copy.
#[derive(Default)]
pub struct Copier {
    bases: HashMap<u64, Base>,
    /// Originals and copies by the original's address, which no other cell can have while the original is kept here.
    parameters: HashMap<usize, (Parameter, Parameter)>,
    buffers: HashMap<usize, (Buffer, Buffer)>,
}

fn numbers(t: &Tensor) -> Tensor {
    Tensor::from_array(t.array().copy())
}

impl Copier {
    /// A copier that has copied nothing yet.
    pub fn new() -> Copier {
        Copier::default()
    }
    pub(crate) fn base(&mut self, old: &Base, make: impl FnOnce() -> Base) -> Base {
        self.bases.entry(old.id()).or_insert_with(make).clone()
    }
    /// The copy of a parameter: same numbers, same `requires_grad`, a copy of its `.grad`.
    pub fn parameter(&mut self, old: &Parameter) -> Parameter {
        if let Some((_, copy)) = self.parameters.get(&old.id()) {
            return copy.clone();
        }
        let copy = Parameter::frozen(numbers(old));
        if old.requires_grad() {
            copy.requires_grad_(true);
        }
        copy.set_grad(old.grad().as_ref().map(numbers));
        self.parameters.insert(old.id(), (old.clone(), copy.clone()));
        copy
    }
    /// The copy of a buffer.
    pub fn buffer(&mut self, old: &Buffer) -> Buffer {
        let make = || (old.clone(), old.like(numbers(&old.get())));
        self.buffers.entry(old.id()).or_insert_with(make).1.clone()
    }
}
