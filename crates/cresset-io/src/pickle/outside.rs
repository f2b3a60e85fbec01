//! What the tar format keeps outside its pickle: storages and tensors by number.

use super::calls::{check_bounds, check_shown};
use super::globals::Global;
use super::machine::{Heap, Machine, Obj, TensorParts};
use crate::error::{Result, bail};
use cresset_tensor::DType;

impl Machine<'_> {
    /// From now on the pickle may refer to an object by this name.
    pub fn set_outside(&mut self, name: String, object: Obj) {
        self.outside.insert(name, object);
    }
    /// A storage of a class: the object, its position and its dtype.
    pub fn outside_storage(&mut self, key: &str, class: Obj, numel: u64) -> Result<(Obj, usize, DType)> {
        let Obj::Global(Global::Storage(Some(dtype))) = class else {
            bail!("the storage {key} has a class that is no storage class")
        };
        let storage = self.storage(key.to_string(), Some(dtype), numel)?;
        Ok((self.make(Heap::Storage { storage, offset: 0 }), storage, dtype))
    }
    /// A part of a storage.
    pub fn outside_view(&mut self, root: &str, offset: u64) -> Result<Obj> {
        let (storage, first) = self.storage_named(root)?;
        let Some(offset) = first.checked_add(offset) else { bail!("a view's offset is too large") };
        Ok(self.make(Heap::Storage { storage, offset }))
    }
    /// A tensor over a storage.
    pub fn outside_tensor(&mut self, root: &str, offset: usize, size: Vec<usize>, stride: Vec<usize>) -> Result<Obj> {
        let (storage, first) = self.storage_named(root)?;
        let Some(offset) = (first as usize).checked_add(offset) else { bail!("a tensor's offset is too large") };
        let Some(dtype) = self.storages[storage].dtype else { bail!("the storage {root} has no dtype") };
        check_bounds(&self.storages[storage], dtype, offset, &size, &stride)?;
        check_shown(dtype, &size, &stride, self.most_memory)?;
        let parts = TensorParts { storage, dtype, offset, size, stride, requires_grad: false, parameter: false };
        Ok(self.make(Heap::Tensor(Box::new(parts))))
    }
    fn storage_named(&self, name: &str) -> Result<(usize, u64)> {
        match self.outside.get(name) {
            Some(Obj::Heap(i)) => match self.heap[*i as usize] {
                Heap::Storage { storage, offset } => Ok((storage, offset)),
                _ => bail!("{name} is no storage"),
            },
            _ => bail!("there is no storage {name}"),
        }
    }
}
