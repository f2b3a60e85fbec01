//! Instance normalisation.

use super::state::{State, check_channels, check_dim, extra_repr, reset_affine, reset_running_stats};
use crate::functional as F;
use crate::{Base, Buffer, Forward, Module, Parameter};
use cresset_tensor::{DType, Scalar, Tensor};

/// The keyword arguments of the instance normalisations.
#[derive(Clone, Copy, Debug)]
pub struct InstanceNormOptions {
    /// Added to the variance (1e-5).
    pub eps: Scalar,
    /// How far the running statistics move (0.1).
    pub momentum: Option<Scalar>,
    /// With a weight and a bias (false)?
    pub affine: bool,
    /// With running statistics (false)?
    pub track_running_stats: bool,
    /// Where there is a weight, a bias too (true)?
    pub bias: bool,
    /// The dtype of parameters and statistics (f32).
    pub dtype: DType,
}
impl Default for InstanceNormOptions {
    fn default() -> InstanceNormOptions {
        InstanceNormOptions {
            eps: Scalar::Float(1e-5),
            momentum: Some(Scalar::Float(0.1)),
            affine: false,
            track_running_stats: false,
            bias: true,
            dtype: DType::F32,
        }
    }
}

/// Normalises each channel of each sample by itself: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.InstanceNorm1d`).
///
/// - Input: `(N, C, L)` or `(C, L)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0. By default there are none.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::InstanceNorm1d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([20, 100, 40])).shape(), [20, 100, 40]);
/// ```
#[derive(Module, Clone)]
pub struct InstanceNorm1d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move.
    pub momentum: Option<Scalar>,
    /// With a weight and a bias?
    pub affine: bool,
    /// With running statistics?
    pub track_running_stats: bool,
    /// The factor of each channel.
    pub weight: Option<Parameter>,
    /// Added to each channel.
    pub bias: Option<Parameter>,
    /// The running mean.
    pub running_mean: Option<Buffer>,
    /// The running variance.
    pub running_var: Option<Buffer>,
    /// How many batches there were.
    pub num_batches_tracked: Option<Buffer>,
}
impl InstanceNorm1d {
    /// For inputs with `num_features` channels, without weight, bias and running statistics.
    pub fn new(num_features: usize) -> InstanceNorm1d {
        InstanceNorm1d::with(num_features, InstanceNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: InstanceNormOptions) -> InstanceNorm1d {
        let InstanceNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        InstanceNorm1d {
            base: Base::new(),
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            weight,
            bias,
            running_mean,
            running_var,
            num_batches_tracked,
        }
    }
    /// Weights one, biases zero, statistics as at first.
    pub fn reset_parameters(&self) {
        self.reset_running_stats();
        reset_affine(&self.weight, &self.bias);
    }
    /// Statistics as at first.
    pub fn reset_running_stats(&self) {
        reset_running_stats(&self.running_mean, &self.running_var, &self.num_batches_tracked);
    }
    fn extra_repr(&self) -> String {
        let bias = self.bias.is_some();
        extra_repr(self.num_features, self.eps, self.momentum, self.affine, bias, self.track_running_stats)
    }
}
impl Forward for InstanceNorm1d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("InstanceNorm1d", input, &[2, 3], "2D or 3D");
        let single = input.dim() == 2;
        check_channels("InstanceNorm1d", input, usize::from(!single), self.num_features, self.affine);
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        let batch = if single { input.unsqueeze(0) } else { input.clone() };
        let output = F::instance_norm(
            &batch,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            self.base.is_training() || !self.track_running_stats,
            self.momentum.map_or(0.0, Scalar::f64),
            self.eps.f64(),
        );
        if single { output.squeeze_dim(0) } else { output }
    }
}

/// Normalises each channel of each sample by itself: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.InstanceNorm2d`).
///
/// - Input: `(N, C, H, W)` or `(C, H, W)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0. By default there are none.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::InstanceNorm2d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([2, 100, 3, 4])).shape(), [2, 100, 3, 4]);
/// ```
#[derive(Module, Clone)]
pub struct InstanceNorm2d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move.
    pub momentum: Option<Scalar>,
    /// With a weight and a bias?
    pub affine: bool,
    /// With running statistics?
    pub track_running_stats: bool,
    /// The factor of each channel.
    pub weight: Option<Parameter>,
    /// Added to each channel.
    pub bias: Option<Parameter>,
    /// The running mean.
    pub running_mean: Option<Buffer>,
    /// The running variance.
    pub running_var: Option<Buffer>,
    /// How many batches there were.
    pub num_batches_tracked: Option<Buffer>,
}
impl InstanceNorm2d {
    /// For inputs with `num_features` channels, without weight, bias and running statistics.
    pub fn new(num_features: usize) -> InstanceNorm2d {
        InstanceNorm2d::with(num_features, InstanceNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: InstanceNormOptions) -> InstanceNorm2d {
        let InstanceNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        InstanceNorm2d {
            base: Base::new(),
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            weight,
            bias,
            running_mean,
            running_var,
            num_batches_tracked,
        }
    }
    /// Weights one, biases zero, statistics as at first.
    pub fn reset_parameters(&self) {
        self.reset_running_stats();
        reset_affine(&self.weight, &self.bias);
    }
    /// Statistics as at first.
    pub fn reset_running_stats(&self) {
        reset_running_stats(&self.running_mean, &self.running_var, &self.num_batches_tracked);
    }
    fn extra_repr(&self) -> String {
        let bias = self.bias.is_some();
        extra_repr(self.num_features, self.eps, self.momentum, self.affine, bias, self.track_running_stats)
    }
}
impl Forward for InstanceNorm2d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("InstanceNorm2d", input, &[3, 4], "3D or 4D");
        let single = input.dim() == 3;
        check_channels("InstanceNorm2d", input, usize::from(!single), self.num_features, self.affine);
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        let batch = if single { input.unsqueeze(0) } else { input.clone() };
        let output = F::instance_norm(
            &batch,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            self.base.is_training() || !self.track_running_stats,
            self.momentum.map_or(0.0, Scalar::f64),
            self.eps.f64(),
        );
        if single { output.squeeze_dim(0) } else { output }
    }
}

/// Normalises each channel of each sample by itself: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.InstanceNorm3d`).
///
/// - Input: `(N, C, D, H, W)` or `(C, D, H, W)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0. By default there are none.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::InstanceNorm3d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([2, 100, 2, 3, 4])).shape(), [2, 100, 2, 3, 4]);
/// ```
#[derive(Module, Clone)]
pub struct InstanceNorm3d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move.
    pub momentum: Option<Scalar>,
    /// With a weight and a bias?
    pub affine: bool,
    /// With running statistics?
    pub track_running_stats: bool,
    /// The factor of each channel.
    pub weight: Option<Parameter>,
    /// Added to each channel.
    pub bias: Option<Parameter>,
    /// The running mean.
    pub running_mean: Option<Buffer>,
    /// The running variance.
    pub running_var: Option<Buffer>,
    /// How many batches there were.
    pub num_batches_tracked: Option<Buffer>,
}
impl InstanceNorm3d {
    /// For inputs with `num_features` channels, without weight, bias and running statistics.
    pub fn new(num_features: usize) -> InstanceNorm3d {
        InstanceNorm3d::with(num_features, InstanceNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: InstanceNormOptions) -> InstanceNorm3d {
        let InstanceNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        InstanceNorm3d {
            base: Base::new(),
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            weight,
            bias,
            running_mean,
            running_var,
            num_batches_tracked,
        }
    }
    /// Weights one, biases zero, statistics as at first.
    pub fn reset_parameters(&self) {
        self.reset_running_stats();
        reset_affine(&self.weight, &self.bias);
    }
    /// Statistics as at first.
    pub fn reset_running_stats(&self) {
        reset_running_stats(&self.running_mean, &self.running_var, &self.num_batches_tracked);
    }
    fn extra_repr(&self) -> String {
        let bias = self.bias.is_some();
        extra_repr(self.num_features, self.eps, self.momentum, self.affine, bias, self.track_running_stats)
    }
}
impl Forward for InstanceNorm3d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("InstanceNorm3d", input, &[4, 5], "4D or 5D");
        let single = input.dim() == 4;
        check_channels("InstanceNorm3d", input, usize::from(!single), self.num_features, self.affine);
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        let batch = if single { input.unsqueeze(0) } else { input.clone() };
        let output = F::instance_norm(
            &batch,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            self.base.is_training() || !self.track_running_stats,
            self.momentum.map_or(0.0, Scalar::f64),
            self.eps.f64(),
        );
        if single { output.squeeze_dim(0) } else { output }
    }
}
