//! What batch and instance normalisation share: a weight and a bias for each channel, and running statistics.

use crate::repr::{boolean, number};
use crate::{Buffer, Parameter, init};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Scalar, Tensor, no_grad};

/// The state of a new layer.
pub(super) struct State {
    pub(super) weight: Option<Parameter>,
    pub(super) bias: Option<Parameter>,
    pub(super) running_mean: Option<Buffer>,
    pub(super) running_var: Option<Buffer>,
    pub(super) num_batches_tracked: Option<Buffer>,
}

impl State {
    pub(super) fn new(n: usize, weight: bool, bias: bool, track: bool, dtype: DType) -> State {
        State {
            weight: weight.then(|| Parameter::new(Tensor::ones_of([n], dtype))),
            bias: bias.then(|| Parameter::new(Tensor::zeros_of([n], dtype))),
            running_mean: track.then(|| Buffer::new(Tensor::zeros_of([n], dtype))),
            running_var: track.then(|| Buffer::new(Tensor::ones_of([n], dtype))),
            // Checkpoints of PyTorch before 0.4.1 do not have it.
            num_batches_tracked: track.then(|| Buffer::optional(Tensor::zeros_of((), DType::I64))),
        }
    }
}

pub(super) fn reset_affine(weight: &Option<Parameter>, bias: &Option<Parameter>) {
    if let Some(weight) = weight {
        init::ones_(weight);
    }
    if let Some(bias) = bias {
        init::zeros_(bias);
    }
}

pub(super) fn reset_running_stats(mean: &Option<Buffer>, var: &Option<Buffer>, batches: &Option<Buffer>) {
    for (buffer, value) in [(mean, 0.0), (var, 1.0), (batches, 0.0)] {
        if let Some(b) = buffer {
            init::constant_(&b.get(), value);
        }
    }
}

/// Counts a batch; gives the share that it has in the running statistics.
pub(super) fn next_momentum(batches: &Buffer, momentum: Option<Scalar>) -> f64 {
    let cell = batches.get();
    if let (true, Some(momentum)) = (cresset_tensor::record::is_recording(), momentum) {
        // In a recording the count is an op like any other, not a number that was read.
        no_grad(|| cell.add_(1i64));
        return momentum.f64();
    }
    let count = cell.item::<i64>() + 1;
    init::constant_(&cell, count);
    momentum.map_or(1.0 / count as f64, Scalar::f64)
}

pub(super) fn extra_repr(
    num_features: usize,
    eps: Scalar,
    momentum: Option<Scalar>,
    affine: bool,
    bias: bool,
    track_running_stats: bool,
) -> String {
    format!(
        "{num_features}, eps={}, momentum={}, affine={}, bias={}, track_running_stats={}",
        number(eps),
        momentum.map_or("None".into(), number),
        boolean(affine),
        boolean(bias),
        boolean(track_running_stats)
    )
}

#[track_caller]
pub(super) fn check_dim(layer: &str, input: &Tensor, dims: &[usize], words: &str) {
    if !dims.contains(&input.dim()) {
        fail(layer, format!("expected {words} input (got {}D input)", input.dim()));
    }
}

#[track_caller]
pub(super) fn check_channels(layer: &str, input: &Tensor, dim: usize, num_features: usize, affine: bool) {
    let have = input.shape()[dim];
    if affine && have != num_features {
        fail(
            layer,
            format!("expected input's size at dim={dim} to match num_features ({num_features}), but got: {have}."),
        );
    }
}
