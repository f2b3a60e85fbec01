//! A run of a model that leaves no traces in it.

use crate::{Base, Buffer, Module, ModuleExt};
use cresset_tensor::{Generator, Tensor, no_grad};

/// Remembers the modes and buffers of a model and the state of the random numbers, and puts them back when it goes, also after a panic.
pub(super) struct Quiet {
    modes: Vec<(Base, bool)>,
    /// Each cell, the tensor in it, and the tensor's version and numbers.
    buffers: Vec<(Buffer, Tensor, u32, Tensor)>,
    random: Tensor,
}

impl Quiet {
    pub fn new(model: &dyn Module) -> Quiet {
        let modes = model.modules().into_iter().map(|m| (m.base().clone(), m.is_training())).collect();
        let keep = |b: Buffer| {
            let held = b.get();
            let numbers = Tensor::from_array(held.array().copy());
            (b, held.clone(), held.version(), numbers)
        };
        let buffers = model.buffers().into_iter().map(keep).collect();
        Quiet { modes, buffers, random: Generator::default_generator().get_state() }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        for (base, mode) in &self.modes {
            base.set_training(*mode);
        }
        for (cell, held, version, numbers) in &self.buffers {
            cell.set(held.clone());
            if held.version() != *version {
                no_grad(|| held.copy_(numbers));
            }
        }
        Generator::default_generator().set_state(&self.random);
    }
}
