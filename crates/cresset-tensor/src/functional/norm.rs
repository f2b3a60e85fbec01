//! Normalisation.

use crate::array::Array;
use crate::autograd::mode;
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::apply_one;
use crate::ops::norm::{Affine, BatchNorm, GroupNorm, RowNorm, Running, update_running};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The inputs that are there, in order.
fn present<'a>(x: &'a Tensor, rest: &[Option<&'a Tensor>]) -> SmallVec<[&'a Tensor; 5]> {
    std::iter::once(x).chain(rest.iter().copied().flatten()).collect()
}

/// Normalises the last dimensions: `y = (x - mean) / sqrt(var + eps) * weight + bias`, with mean and biased variance over
/// `normalized_shape` (`torch.nn.functional.layer_norm(x, normalized_shape, weight, bias, eps)`).
///
/// `weight` and `bias` have the shape `normalized_shape`, in which the shape of `x` must end.
///
/// ```
/// use cresset_tensor::{functional::layer_norm, Tensor};
/// let x = Tensor::from_vec([1.0f32, 3.0, 10.0, 30.0], [2, 2]);
/// let y = layer_norm(&x, [2], None, None, 0.0);
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0, -1.0, 1.0]);
/// ```
///
/// # Panics
/// If the shapes do not fit, or the dtype is no floating-point one.
#[track_caller]
pub fn layer_norm(
    x: &Tensor,
    normalized_shape: impl Into<Dims>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Tensor {
    let affine = Affine::of(weight, bias);
    let op = RowNorm { name: "layer_norm", shape: normalized_shape.into(), eps, centred: true, affine };
    apply_one(op, &present(x, &[weight, bias]))
}

/// Divides the last dimensions by their root mean square: `y = x / sqrt(mean(x²) + eps) * weight`
/// (`torch.nn.functional.rms_norm(x, normalized_shape, weight, eps)`). Without `eps` it is the machine epsilon of the dtype that is
/// computed in.
///
/// # Panics
/// If the shapes do not fit, or the dtype is no floating-point one.
#[track_caller]
pub fn rms_norm(
    x: &Tensor,
    normalized_shape: impl Into<Dims>,
    weight: Option<&Tensor>,
    eps: impl Into<Option<f64>>,
) -> Tensor {
    let machine = if x.dtype() == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let affine = Affine::of(weight, None);
    let eps = eps.into().unwrap_or(machine);
    let op = RowNorm { name: "rms_norm", shape: normalized_shape.into(), eps, centred: false, affine };
    apply_one(op, &present(x, &[weight]))
}

/// Normalises each of `num_groups` groups of channels of each sample, then scales and shifts each channel
/// (`torch.nn.functional.group_norm(x, num_groups, weight, bias, eps)`).
///
/// `x` is `(N, C, *)`, `weight` and `bias` are `(C)`.
///
/// # Panics
/// If the number of channels is not a multiple of `num_groups`, a group has one element only, or the shapes do not fit.
#[track_caller]
pub fn group_norm(x: &Tensor, num_groups: usize, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Tensor {
    let shape = x.shape();
    if shape.get(1) == Some(&0) {
        fail("group_norm", "Expected number of channels to be greater than 0, got 0");
    }
    if shape.len() >= 2 && num_groups > 0 && shape[1].is_multiple_of(num_groups) {
        let values = shape[0] * shape[1] / num_groups * shape[2..].iter().product::<usize>();
        if values == 1 {
            fail("group_norm", format!("Expected more than 1 value per channel when training, got input size {shape}"));
        }
    }
    let op = GroupNorm { name: "group_norm", groups: num_groups, eps, affine: Affine::of(weight, bias) };
    apply_one(op, &present(x, &[weight, bias]))
}

/// Normalises each channel over the batch: `y = (x - mean) / sqrt(var + eps) * weight + bias`
/// (`torch.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)`).
///
/// `x` is `(N, C, *)`, all others are `(C)`. In training mean and biased variance are those of the batch, and the running statistics,
/// if given, move: `running = (1 - momentum) running + momentum batch`, with the **unbiased** variance of the batch. Otherwise the
/// running statistics are used as they are.
///
/// ```
/// use cresset_tensor::{functional::batch_norm, Tensor};
/// let x = Tensor::from_vec([1.0f32, 3.0], [2, 1]);
/// let (mean, var) = (Tensor::zeros([1]), Tensor::ones([1]));
/// let y = batch_norm(&x, Some(&mean), Some(&var), None, None, true, 0.1, 1e-12);
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
/// assert!((mean.item::<f32>() - 0.2).abs() < 1e-6);
/// assert!((var.item::<f32>() - 1.1).abs() < 1e-6); // 0.9 * 1 + 0.1 * 2
/// ```
///
/// # Panics
/// If there is only one value per channel in training, running statistics are missing outside training, or the shapes do not fit.
#[track_caller]
pub fn batch_norm(
    x: &Tensor,
    running_mean: Option<&Tensor>,
    running_var: Option<&Tensor>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    training: bool,
    momentum: f64,
    eps: f64,
) -> Tensor {
    let affine = Affine::of(weight, bias);
    if training {
        let array = |t: Option<&Tensor>| t.map(Tensor::array_unseen);
        let running = Running { mean: array(running_mean), var: array(running_var), momentum };
        // An empty batch has no statistics.
        let tracked = x.numel() > 0 && (running.mean.is_some() || running.var.is_some());
        let op = BatchNorm { training, eps, affine, running: tracked.then_some(running), keeps: true };
        return apply_one(op, &present(x, &[weight, bias]));
    }
    let (Some(mean), Some(var)) = (running_mean, running_var) else {
        let missing = if running_mean.is_none() { "running_mean" } else { "running_var" };
        fail("batch_norm", format!("{missing} must be defined in evaluation mode"));
    };
    // No gradient goes to statistics. (Those of a layer want none.)
    let constant = |t: &Tensor| t.requires_grad().then(|| t.detach());
    let (fixed_mean, fixed_var) = (constant(mean), constant(var));
    let (mean, var) = (fixed_mean.as_ref().unwrap_or(mean), fixed_var.as_ref().unwrap_or(var));
    let keeps = mode::is_grad_enabled() || mode::is_recording();
    let op = BatchNorm { training, eps, affine, running: None, keeps };
    let inputs = present(x, &[weight, bias, Some(mean), Some(var)]);
    apply_one(op, &inputs)
}

/// Normalises each channel of each sample by itself (`torch.nn.functional.instance_norm(x, running_mean, running_var, weight, bias,
/// use_input_stats, momentum, eps)`).
///
/// `x` is `(N, C, *)`, all others are `(C)`. With `use_input_stats` the running statistics, if given, move by the mean over the batch of the
/// samples' statistics; without it they are what normalises.
///
/// # Panics
/// If there is only one value per channel and sample, running statistics are missing without `use_input_stats`, or the shapes do not fit.
#[track_caller]
pub fn instance_norm(
    x: &Tensor,
    running_mean: Option<&Tensor>,
    running_var: Option<&Tensor>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    use_input_stats: bool,
    momentum: f64,
    eps: f64,
) -> Tensor {
    const NAME: &str = "instance_norm";
    if !use_input_stats {
        if running_mean.is_none() || running_var.is_none() {
            fail(NAME, "Expected running_mean and running_var to be defined when use_input_stats is false");
        }
        return batch_norm(x, running_mean, running_var, weight, bias, false, momentum, eps);
    }
    let shape = x.shape();
    let values: usize = shape.get(2..).map_or(1, |s| s.iter().product());
    if shape.len() < 2 || values == 1 {
        fail(NAME, format!("Expected more than 1 spatial element when training, got input size {shape}"));
    }
    let op = GroupNorm { name: NAME, groups: shape[1], eps, affine: Affine::of(weight, bias) };
    let y = apply_one(op, &present(x, &[weight, bias]));
    if running_mean.is_some() || running_var.is_some() {
        let wide = x.array().to(DType::F64).contiguous();
        let (rows, mut mean) = (shape[0] * shape[1], Vec::new());
        let mut squares = vec![0.0; rows];
        mean.resize(rows, 0.0);
        wide.with_slice::<f64, _>(|x| {
            <f64 as cresset_kernels::reduce::Real>::moments(x, (rows, values, 1), &mut mean, &mut squares)
        });
        let over_batch = |v: &[f64], by: f64| -> Vec<f64> {
            (0..shape[1]).map(|c| (0..shape[0]).map(|n| v[n * shape[1] + c]).sum::<f64>() / by).collect()
        };
        let n = shape[0] as f64;
        let update = |old: Option<&Tensor>, new: Vec<f64>| {
            let old: Option<Array> = old.map(Tensor::array);
            if let Some(old) = old {
                update_running(&old, new.into_iter(), momentum);
            }
        };
        update(running_mean, over_batch(&mean, n));
        update(running_var, over_batch(&squares, n * (values as f64 - 1.0)));
    }
    y
}
