//! The tensors of one case, made when they are first named.

use super::{Container, TensorRef};
use cresset_tensor::Tensor;
use std::cell::RefCell;

/// The tensors that a case has made so far: the same name is the same tensor.
pub struct Inputs<'a> {
    /// The file of the case.
    pub file: &'a Container,
    made: RefCell<Vec<(String, Tensor)>>,
    grad: bool,
}

impl<'a> Inputs<'a> {
    /// The tensors of a case in `file`; with `grad` those that are marked so require grad.
    pub fn new(file: &'a Container, grad: bool) -> Inputs<'a> {
        Inputs { file, made: RefCell::default(), grad }
    }
    /// The tensor that is meant.
    pub fn get(&self, r: &TensorRef) -> Result<Tensor, String> {
        if let Some((_, t)) = self.made.borrow().iter().find(|(n, _)| *n == r.name) {
            return Ok(t.clone());
        }
        let t = self.file.strided(&r.name, r.stride.as_deref())?;
        if self.grad && r.grad {
            t.requires_grad_(true);
        }
        self.made.borrow_mut().push((r.name.clone(), t.clone()));
        Ok(t)
    }
    /// The tensor of a name, if it was made.
    pub fn named(&self, name: &str) -> Option<Tensor> {
        self.made.borrow().iter().find(|(n, _)| n == name).map(|(_, t)| t.clone())
    }
    /// All tensors made so far.
    pub fn all(&self) -> Vec<(String, Tensor)> {
        self.made.borrow().clone()
    }
}
