//! The dropout family.

use crate::functional as F;
use crate::repr::{boolean, number};
use crate::{Base, Forward, Module};
use cresset_tensor::error::fail;
use cresset_tensor::{Scalar, Tensor};

/// The keyword arguments of the dropout layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropoutOptions {
    /// Overwrite the input instead of making a new tensor (false)?
    pub inplace: bool,
}

#[track_caller]
fn probability(layer: &str, p: Scalar) -> Scalar {
    if !(0.0..=1.0).contains(&p.f64()) {
        fail(layer, format!("dropout probability has to be between 0 and 1, but got {p}"));
    }
    p
}
fn text(p: Scalar, inplace: bool) -> String {
    format!("p={}, inplace={}", number(p), boolean(inplace))
}
/// The output in the memory of the input.
#[track_caller]
fn put(input: &Tensor, output: Tensor) -> Tensor {
    if output.is_same(input) { output } else { input.copy_(&output) }
}

/// In training zeroes each element with probability `p` and divides the others by `1 - p` (`nn.Dropout`).
///
/// - Input: `(*)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::Dropout::new(0.2);
/// assert!(layer.call(&Tensor::ones([100])).to_vec::<f32>().iter().all(|y| *y == 0.0 || *y == 1.25));
/// layer.eval();
/// assert_eq!(layer.call(&Tensor::ones([3])).to_vec::<f32>(), [1.0; 3]);
/// assert_eq!(layer.to_string(), "Dropout(p=0.2, inplace=False)");
/// ```
#[derive(Module, Clone)]
pub struct Dropout {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl Dropout {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> Dropout {
        Dropout::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> Dropout {
        Dropout { base: Base::new(), p: probability("Dropout", p.into()), inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for Dropout {
    fn default() -> Dropout {
        Dropout::new(0.5)
    }
}
impl Forward for Dropout {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::dropout(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}

/// In training zeroes whole channels with probability `p` (`nn.Dropout1d`).
///
/// - Input: `(N, C, L)` or `(C, L)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Dropout1d::new(0.5).call(&Tensor::ones([20, 16, 32])).shape(), [20, 16, 32]);
/// ```
#[derive(Module, Clone)]
pub struct Dropout1d {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl Dropout1d {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> Dropout1d {
        Dropout1d::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> Dropout1d {
        Dropout1d { base: Base::new(), p: probability("Dropout1d", p.into()), inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for Dropout1d {
    fn default() -> Dropout1d {
        Dropout1d::new(0.5)
    }
}
impl Forward for Dropout1d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::dropout1d(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}

/// In training zeroes whole channels with probability `p` (`nn.Dropout2d`).
///
/// - Input: `(N, C, H, W)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Dropout2d::new(0.5).call(&Tensor::ones([2, 16, 4, 4])).shape(), [2, 16, 4, 4]);
/// ```
#[derive(Module, Clone)]
pub struct Dropout2d {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl Dropout2d {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> Dropout2d {
        Dropout2d::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> Dropout2d {
        Dropout2d { base: Base::new(), p: probability("Dropout2d", p.into()), inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for Dropout2d {
    fn default() -> Dropout2d {
        Dropout2d::new(0.5)
    }
}
impl Forward for Dropout2d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::dropout2d(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}

/// In training zeroes whole channels with probability `p` (`nn.Dropout3d`).
///
/// - Input: `(N, C, D, H, W)` or `(C, D, H, W)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::Dropout3d::new(0.5).call(&Tensor::ones([2, 3, 4, 4, 4])).shape(), [2, 3, 4, 4, 4]);
/// ```
#[derive(Module, Clone)]
pub struct Dropout3d {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl Dropout3d {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> Dropout3d {
        Dropout3d::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> Dropout3d {
        Dropout3d { base: Base::new(), p: probability("Dropout3d", p.into()), inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for Dropout3d {
    fn default() -> Dropout3d {
        Dropout3d::new(0.5)
    }
}
impl Forward for Dropout3d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::dropout3d(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}

/// In training sets elements to a fixed value with probability `p`, so that mean and variance of a network of SELUs stay (`nn.AlphaDropout`).
///
/// - Input: `(*)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::AlphaDropout::new(0.5).call(&Tensor::ones([20, 16])).shape(), [20, 16]);
/// ```
#[derive(Module, Clone)]
pub struct AlphaDropout {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl AlphaDropout {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> AlphaDropout {
        AlphaDropout::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> AlphaDropout {
        AlphaDropout { base: Base::new(), p: probability("AlphaDropout", p.into()), inplace: options.inplace }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for AlphaDropout {
    fn default() -> AlphaDropout {
        AlphaDropout::new(0.5)
    }
}
impl Forward for AlphaDropout {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::alpha_dropout(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}

/// [`AlphaDropout`] of whole channels (`nn.FeatureAlphaDropout`).
///
/// - Input: `(N, C, *)`; output: the same shape. Outside training it gives its input back.
///
/// ```
/// use cresset_nn::prelude::*;
/// assert_eq!(cresset_nn::FeatureAlphaDropout::new(0.5).call(&Tensor::ones([2, 3, 4])).shape(), [2, 3, 4]);
/// ```
#[derive(Module, Clone)]
pub struct FeatureAlphaDropout {
    base: Base,
    /// The probability of dropping.
    pub p: Scalar,
    /// Overwrites its input?
    pub inplace: bool,
}
impl FeatureAlphaDropout {
    /// Drops with probability `p`; PyTorch's default is 0.5.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: impl Into<Scalar>) -> FeatureAlphaDropout {
        FeatureAlphaDropout::with(p, DropoutOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1.
    #[track_caller]
    pub fn with(p: impl Into<Scalar>, options: DropoutOptions) -> FeatureAlphaDropout {
        FeatureAlphaDropout {
            base: Base::new(),
            p: probability("FeatureAlphaDropout", p.into()),
            inplace: options.inplace,
        }
    }
    fn extra_repr(&self) -> String {
        text(self.p, self.inplace)
    }
}
impl Default for FeatureAlphaDropout {
    fn default() -> FeatureAlphaDropout {
        FeatureAlphaDropout::new(0.5)
    }
}
impl Forward for FeatureAlphaDropout {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let output = F::feature_alpha_dropout(input, self.p.f64(), self.base.is_training());
        if self.inplace { put(input, output) } else { output }
    }
}
