//! The gated linear unit.

use crate::functional as F;
use crate::{Base, Forward, Module};
use cresset_tensor::Tensor;

/// `a * sigmoid(b)`, where `a` and `b` are the halves of the input along a dimension (`nn.GLU`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::GLU::new(-1).call(&Tensor::from_slice(&[3.0f32, 0.0]));
/// assert_eq!(y.to_vec::<f32>(), [1.5]);
/// ```
#[derive(Module, Clone)]
pub struct GLU {
    base: Base,
    /// The dimension to halve.
    pub dim: isize,
}
impl GLU {
    /// A unit that halves the dimension `dim`; PyTorch's default is the last, -1.
    pub fn new(dim: isize) -> GLU {
        GLU { base: Base::new(), dim }
    }
    fn extra_repr(&self) -> String {
        format!("dim={}", self.dim)
    }
}
impl Default for GLU {
    fn default() -> GLU {
        GLU::new(-1)
    }
}
impl Forward for GLU {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        F::glu(input, self.dim)
    }
}
