//! Normalisation of groups of channels.

use crate::functional as F;
use crate::repr::{boolean, number};
use crate::{Base, Forward, Module, Parameter};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Scalar, Tensor};

/// Normalises groups of channels of each sample, then scales and shifts each channel (`nn.GroupNorm`).
///
/// - Input: `(N, C, *)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, both `(C)`.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::GroupNorm::new(3, 6);
/// assert_eq!(layer.call(&Tensor::randn([20, 6, 10, 10])).shape(), [20, 6, 10, 10]);
/// assert_eq!(layer.to_string(), "GroupNorm(3, 6, eps=1e-05, affine=True, bias=True)");
/// ```
#[derive(Module, Clone)]
pub struct GroupNorm {
    base: Base,
    /// The number of groups.
    pub num_groups: usize,
    /// The number of channels.
    pub num_channels: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// With a weight and a bias?
    pub affine: bool,
    /// The factor of each channel.
    pub weight: Option<Parameter>,
    /// Added to each channel.
    pub bias: Option<Parameter>,
}

/// The keyword arguments of [`GroupNorm`].
#[derive(Clone, Copy, Debug)]
pub struct GroupNormOptions {
    /// Added to the variance (1e-5).
    pub eps: Scalar,
    /// With a weight and a bias (true)?
    pub affine: bool,
    /// Where there is a weight, a bias too (true)?
    pub bias: bool,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for GroupNormOptions {
    fn default() -> GroupNormOptions {
        GroupNormOptions { eps: Scalar::Float(1e-5), affine: true, bias: true, dtype: DType::F32 }
    }
}

impl GroupNorm {
    /// With weight and bias.
    ///
    /// # Panics
    /// If `num_groups` does not divide `num_channels`.
    #[track_caller]
    pub fn new(num_groups: usize, num_channels: usize) -> GroupNorm {
        GroupNorm::with(num_groups, num_channels, GroupNormOptions::default())
    }
    /// With keyword arguments.
    ///
    /// # Panics
    /// If `num_groups` does not divide `num_channels`.
    #[track_caller]
    pub fn with(num_groups: usize, num_channels: usize, options: GroupNormOptions) -> GroupNorm {
        if num_groups == 0 || !num_channels.is_multiple_of(num_groups) {
            fail("GroupNorm", format!("num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"));
        }
        let GroupNormOptions { eps, affine, bias, dtype } = options;
        GroupNorm {
            base: Base::new(),
            num_groups,
            num_channels,
            eps,
            affine,
            weight: affine.then(|| Parameter::new(Tensor::ones_of([num_channels], dtype))),
            bias: (affine && bias).then(|| Parameter::new(Tensor::zeros_of([num_channels], dtype))),
        }
    }
    /// Weights one, biases zero.
    pub fn reset_parameters(&self) {
        super::state::reset_affine(&self.weight, &self.bias);
    }
    fn extra_repr(&self) -> String {
        let (affine, bias) = (boolean(self.affine), boolean(self.bias.is_some()));
        format!("{}, {}, eps={}, affine={affine}, bias={bias}", self.num_groups, self.num_channels, number(self.eps))
    }
}
impl Forward for GroupNorm {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        F::group_norm(input, self.num_groups, self.weight.as_deref(), self.bias.as_deref(), self.eps.f64())
    }
}
