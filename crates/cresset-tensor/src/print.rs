//! How tensors print: `Debug` is a short form for logs.

use crate::tensor::Tensor;
use std::fmt;

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Tensor({:?}", self.meta())?;
        if let Some((node, _)) = self.grad_fn() {
            write!(f, ", grad_fn=<{}>", node.name())?;
        } else if self.requires_grad() {
            write!(f, ", requires_grad=true")?;
        }
        write!(f, ")")
    }
}
