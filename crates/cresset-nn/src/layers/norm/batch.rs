//! Batch normalisation.

use super::state::{State, check_dim, extra_repr, next_momentum, reset_affine, reset_running_stats};
use crate::functional as F;
use crate::{Base, Buffer, Forward, Module, Parameter};
use cresset_tensor::{DType, Scalar, Tensor};

/// The keyword arguments of the batch normalisations.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormOptions {
    /// Added to the variance (1e-5).
    pub eps: Scalar,
    /// How far the running statistics move; `None` makes them the mean of all batches (0.1).
    pub momentum: Option<Scalar>,
    /// With a weight and a bias (true)?
    pub affine: bool,
    /// With running statistics (true)?
    pub track_running_stats: bool,
    /// Where there is a weight, a bias too (true)?
    pub bias: bool,
    /// The dtype of parameters and statistics (f32).
    pub dtype: DType,
}
impl Default for BatchNormOptions {
    fn default() -> BatchNormOptions {
        BatchNormOptions {
            eps: Scalar::Float(1e-5),
            momentum: Some(Scalar::Float(0.1)),
            affine: true,
            track_running_stats: true,
            bias: true,
            dtype: DType::F32,
        }
    }
}

/// Normalises each channel over the batch: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.BatchNorm1d`).
///
/// In training mean and biased variance are those of the batch, and the running statistics move towards the batch's mean and unbiased variance; in
/// evaluation the running statistics take their place.
///
/// - Input: `(N, C)` or `(N, C, L)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::BatchNorm1d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([20, 100])).shape(), [20, 100]);
/// assert_eq!(layer.num_batches_tracked.as_ref().unwrap().get().item::<i64>(), 1);
/// ```
#[derive(Module, Clone)]
pub struct BatchNorm1d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move; `None` makes them the mean of all batches.
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
impl BatchNorm1d {
    /// For inputs with `num_features` channels.
    pub fn new(num_features: usize) -> BatchNorm1d {
        BatchNorm1d::with(num_features, BatchNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: BatchNormOptions) -> BatchNorm1d {
        let BatchNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        BatchNorm1d {
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
impl Forward for BatchNorm1d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("BatchNorm1d", input, &[2, 3], "2D or 3D");
        let training = self.base.is_training();
        let momentum = match (training && self.track_running_stats, &self.num_batches_tracked) {
            (true, Some(batches)) => next_momentum(batches, self.momentum),
            _ => self.momentum.map_or(0.0, Scalar::f64),
        };
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        F::batch_norm(
            input,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            training || mean.is_none() && var.is_none(),
            momentum,
            self.eps.f64(),
        )
    }
}

/// Normalises each channel over the batch and all places: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.BatchNorm2d`).
///
/// In training mean and biased variance are those of the batch, and the running statistics move towards the batch's mean and unbiased variance; in
/// evaluation the running statistics take their place.
///
/// - Input: `(N, C, H, W)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::BatchNorm2d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([2, 100, 3, 4])).shape(), [2, 100, 3, 4]);
/// assert_eq!(layer.num_batches_tracked.as_ref().unwrap().get().item::<i64>(), 1);
/// ```
#[derive(Module, Clone)]
pub struct BatchNorm2d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move; `None` makes them the mean of all batches.
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
impl BatchNorm2d {
    /// For inputs with `num_features` channels.
    pub fn new(num_features: usize) -> BatchNorm2d {
        BatchNorm2d::with(num_features, BatchNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: BatchNormOptions) -> BatchNorm2d {
        let BatchNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        BatchNorm2d {
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
impl Forward for BatchNorm2d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("BatchNorm2d", input, &[4], "4D");
        let training = self.base.is_training();
        let momentum = match (training && self.track_running_stats, &self.num_batches_tracked) {
            (true, Some(batches)) => next_momentum(batches, self.momentum),
            _ => self.momentum.map_or(0.0, Scalar::f64),
        };
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        F::batch_norm(
            input,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            training || mean.is_none() && var.is_none(),
            momentum,
            self.eps.f64(),
        )
    }
}

/// Normalises each channel over the batch and all places: `y = (x - mean) / √(var + eps) * weight + bias` (`nn.BatchNorm3d`).
///
/// In training mean and biased variance are those of the batch, and the running statistics move towards the batch's mean and unbiased variance; in
/// evaluation the running statistics take their place.
///
/// - Input: `(N, C, D, H, W)`; output: the same shape.
/// - `weight`: ones, `bias`: zeros, `running_mean`: zeros, `running_var`: ones, each `(C)`; `num_batches_tracked`: 0.
///
/// ```
/// use cresset_nn::prelude::*;
/// let layer = cresset_nn::BatchNorm3d::new(100);
/// assert_eq!(layer.call(&Tensor::randn([2, 100, 2, 3, 4])).shape(), [2, 100, 2, 3, 4]);
/// assert_eq!(layer.num_batches_tracked.as_ref().unwrap().get().item::<i64>(), 1);
/// ```
#[derive(Module, Clone)]
pub struct BatchNorm3d {
    base: Base,
    /// The number of channels.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// How far the running statistics move; `None` makes them the mean of all batches.
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
impl BatchNorm3d {
    /// For inputs with `num_features` channels.
    pub fn new(num_features: usize) -> BatchNorm3d {
        BatchNorm3d::with(num_features, BatchNormOptions::default())
    }
    /// With keyword arguments.
    pub fn with(num_features: usize, options: BatchNormOptions) -> BatchNorm3d {
        let BatchNormOptions { eps, momentum, affine, track_running_stats, bias, dtype } = options;
        let state = State::new(num_features, affine, affine && bias, track_running_stats, dtype);
        let State { weight, bias, running_mean, running_var, num_batches_tracked } = state;
        BatchNorm3d {
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
impl Forward for BatchNorm3d {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        check_dim("BatchNorm3d", input, &[5], "5D");
        let training = self.base.is_training();
        let momentum = match (training && self.track_running_stats, &self.num_batches_tracked) {
            (true, Some(batches)) => next_momentum(batches, self.momentum),
            _ => self.momentum.map_or(0.0, Scalar::f64),
        };
        let (mean, var) = (self.running_mean.as_ref().map(Buffer::get), self.running_var.as_ref().map(Buffer::get));
        F::batch_norm(
            input,
            mean.as_ref(),
            var.as_ref(),
            self.weight.as_deref(),
            self.bias.as_deref(),
            training || mean.is_none() && var.is_none(),
            momentum,
            self.eps.f64(),
        )
    }
}
