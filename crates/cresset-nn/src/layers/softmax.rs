//! Softmax and its relatives.

use crate::{Base, Forward, Module};
use cresset_tensor::Tensor;
use cresset_tensor::error::fail;

/// PyTorch's choice where no dimension is given.
fn implicit(dim: Option<isize>, input: &Tensor) -> isize {
    dim.unwrap_or(if matches!(input.dim(), 0 | 1 | 3) { 0 } else { 1 })
}
fn text(dim: Option<isize>) -> String {
    format!("dim={}", dim.map_or("None".into(), |d| d.to_string()))
}

/// `exp(x) / Σ exp(x)` along a dimension (`nn.Softmax`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Softmax::new(1).call(&Tensor::zeros([1, 4]));
/// assert_eq!(y.to_vec::<f32>(), [0.25; 4]);
/// ```
#[derive(Module, Clone)]
pub struct Softmax {
    base: Base,
    /// The dimension; `None` leaves the choice to the number of dimensions, as in old programs.
    pub dim: Option<isize>,
}
impl Softmax {
    /// Along the dimension `dim`.
    pub fn new(dim: impl Into<Option<isize>>) -> Softmax {
        Softmax { base: Base::new(), dim: dim.into() }
    }
    fn extra_repr(&self) -> String {
        text(self.dim)
    }
}
impl Forward for Softmax {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.softmax(implicit(self.dim, input))
    }
}

/// `softmax(-x)` along a dimension (`nn.Softmin`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Softmin::new(1).call(&Tensor::zeros([1, 4]));
/// assert_eq!(y.to_vec::<f32>(), [0.25; 4]);
/// ```
#[derive(Module, Clone)]
pub struct Softmin {
    base: Base,
    /// The dimension; `None` leaves the choice to the number of dimensions.
    pub dim: Option<isize>,
}
impl Softmin {
    /// Along the dimension `dim`.
    pub fn new(dim: impl Into<Option<isize>>) -> Softmin {
        Softmin { base: Base::new(), dim: dim.into() }
    }
    fn extra_repr(&self) -> String {
        text(self.dim)
    }
}
impl Forward for Softmin {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        (-input).softmax(implicit(self.dim, input))
    }
}

/// The logarithm of [`Softmax`], without its rounding (`nn.LogSoftmax`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::LogSoftmax::new(1).call(&Tensor::zeros([1, 4]));
/// assert!((y.to_vec::<f32>()[0] - 0.25f32.ln()).abs() < 1e-6);
/// ```
#[derive(Module, Clone)]
pub struct LogSoftmax {
    base: Base,
    /// The dimension; `None` leaves the choice to the number of dimensions.
    pub dim: Option<isize>,
}
impl LogSoftmax {
    /// Along the dimension `dim`.
    pub fn new(dim: impl Into<Option<isize>>) -> LogSoftmax {
        LogSoftmax { base: Base::new(), dim: dim.into() }
    }
    fn extra_repr(&self) -> String {
        text(self.dim)
    }
}
impl Forward for LogSoftmax {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.log_softmax(implicit(self.dim, input))
    }
}

/// [`Softmax`] over the channels of `(N, C, H, W)` or `(C, H, W)` (`nn.Softmax2d`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let y = cresset_nn::Softmax2d::new().call(&Tensor::zeros([2, 4, 3, 3]));
/// assert_eq!(y.to_vec::<f32>()[0], 0.25);
/// ```
#[derive(Module, Clone, Default)]
pub struct Softmax2d {
    base: Base,
}
impl Softmax2d {
    /// The layer.
    pub fn new() -> Softmax2d {
        Softmax2d::default()
    }
}
impl Forward for Softmax2d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        if !matches!(input.dim(), 3 | 4) {
            fail("Softmax2d", format!("expected input to be 3D or 4D (got {}D input instead)", input.dim()));
        }
        input.softmax(-3)
    }
}
