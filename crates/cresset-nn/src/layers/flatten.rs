//! Layers that change the shape.

use crate::repr::tuple;
use crate::{Base, Forward, Module};
use cresset_tensor::Tensor;

/// Makes one dimension of several (`nn.Flatten`).
///
/// - Input: `(N, *)`; output with the defaults: `(N, product of *)`.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Flatten::new().call(&Tensor::zeros([32, 1, 5, 5])).shape(), [32, 25]);
/// ```
#[derive(Module, Clone)]
pub struct Flatten {
    base: Base,
    /// The first dimension to join.
    pub start_dim: isize,
    /// The last dimension to join.
    pub end_dim: isize,
}

/// The keyword arguments of [`Flatten`].
#[derive(Clone, Copy, Debug)]
pub struct FlattenOptions {
    /// The first dimension to join (1).
    pub start_dim: isize,
    /// The last dimension to join (-1).
    pub end_dim: isize,
}
impl Default for FlattenOptions {
    fn default() -> FlattenOptions {
        FlattenOptions { start_dim: 1, end_dim: -1 }
    }
}

impl Flatten {
    /// Joins all dimensions but the first.
    pub fn new() -> Flatten {
        Flatten::with(FlattenOptions::default())
    }
    /// Joins the dimensions from `start_dim` to `end_dim`.
    pub fn with(options: FlattenOptions) -> Flatten {
        let FlattenOptions { start_dim, end_dim } = options;
        Flatten { base: Base::new(), start_dim, end_dim }
    }
    fn extra_repr(&self) -> String {
        format!("start_dim={}, end_dim={}", self.start_dim, self.end_dim)
    }
}
impl Default for Flatten {
    fn default() -> Flatten {
        Flatten::new()
    }
}
impl Forward for Flatten {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.flatten(self.start_dim, self.end_dim)
    }
}

/// Makes several dimensions of one (`nn.Unflatten`).
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::Unflatten::new(1, (2, -1));
/// assert_eq!(layer.call(&Tensor::zeros([5, 50])).shape(), [5, 2, 25]);
/// assert_eq!(layer.to_string(), "Unflatten(dim=1, unflattened_size=(2, -1))");
/// ```
#[derive(Module, Clone)]
pub struct Unflatten {
    base: Base,
    /// The dimension to divide.
    pub dim: isize,
    /// The sizes that it becomes; one of them may be -1.
    pub unflattened_size: UnflattenedSize,
}

/// The sizes of [`Unflatten`], given as a tuple or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnflattenedSize {
    sizes: Vec<isize>,
    /// Python prints a tuple and a list differently.
    list: bool,
}
crate::member::plain!(UnflattenedSize);

impl UnflattenedSize {
    /// The sizes.
    pub fn sizes(&self) -> &[isize] {
        &self.sizes
    }
    /// As a tuple, for a number of sizes that is known at run time only.
    pub fn tuple(sizes: impl Into<Vec<isize>>) -> UnflattenedSize {
        UnflattenedSize { sizes: sizes.into(), list: false }
    }
}
impl From<Vec<isize>> for UnflattenedSize {
    fn from(sizes: Vec<isize>) -> UnflattenedSize {
        UnflattenedSize { sizes, list: true }
    }
}
impl<const N: usize> From<[isize; N]> for UnflattenedSize {
    fn from(sizes: [isize; N]) -> UnflattenedSize {
        sizes.to_vec().into()
    }
}
impl From<(isize, isize)> for UnflattenedSize {
    fn from((a, b): (isize, isize)) -> UnflattenedSize {
        UnflattenedSize::tuple([a, b])
    }
}
impl From<(isize, isize, isize)> for UnflattenedSize {
    fn from((a, b, c): (isize, isize, isize)) -> UnflattenedSize {
        UnflattenedSize::tuple([a, b, c])
    }
}
impl From<(isize, isize, isize, isize)> for UnflattenedSize {
    fn from((a, b, c, d): (isize, isize, isize, isize)) -> UnflattenedSize {
        UnflattenedSize::tuple([a, b, c, d])
    }
}

impl Unflatten {
    /// Divides `dim` into dimensions of these sizes; one may be -1 and follows from the others.
    pub fn new(dim: isize, unflattened_size: impl Into<UnflattenedSize>) -> Unflatten {
        Unflatten { base: Base::new(), dim, unflattened_size: unflattened_size.into() }
    }
    fn extra_repr(&self) -> String {
        let UnflattenedSize { sizes, list } = &self.unflattened_size;
        let sizes = if *list { format!("{sizes:?}") } else { tuple(sizes) };
        format!("dim={}, unflattened_size={sizes}", self.dim)
    }
}
impl Forward for Unflatten {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        input.unflatten(self.dim, self.unflattened_size.sizes())
    }
}
