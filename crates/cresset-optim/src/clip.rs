//! Clipping gradients.

use cresset_kernels::optim::{max_abs, power_sum};
use cresset_tensor::error::fail;
use cresset_tensor::{Array, DType, Meta, Scalar, Tensor, bf16, f16, no_grad};

/// The options of [`clip_grad_norm_with`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipOptions {
    /// The order p of the norm; infinity for the largest magnitude.
    pub norm_type: f64,
    /// Refuse a norm that is NaN or infinite?
    pub error_if_nonfinite: bool,
}

impl Default for ClipOptions {
    fn default() -> ClipOptions {
        ClipOptions { norm_type: 2.0, error_if_nonfinite: false }
    }
}

/// Scales all gradients together so that their norm, taken over all of them as one vector, is at most `max_norm`; gives the norm before
/// (`nn.utils.clip_grad_norm_`). Call it between `backward` and `step`.
///
/// ```
/// use cresset_optim::clip_grad_norm_;
/// use cresset_tensor::Tensor;
/// let w = Tensor::from_slice(&[3.0f32, 4.0]).requires_grad_(true);
/// (&w * &w).sum().backward();
/// assert_eq!(clip_grad_norm_([&w], 1.0).item::<f32>(), 10.0);
/// assert!((w.grad().unwrap().to_vec::<f32>()[0] - 0.6).abs() < 1e-6);
/// ```
#[track_caller]
pub fn clip_grad_norm_(params: impl IntoIterator<Item: Into<Tensor>>, max_norm: f64) -> Tensor {
    clip_grad_norm_with(params, max_norm, ClipOptions::default())
}

/// [`clip_grad_norm_`] with another norm, or refusing norms that are not finite.
///
/// # Panics
/// If the norm is NaN or infinite and `error_if_nonfinite` is set; the gradients are as they were.
#[track_caller]
pub fn clip_grad_norm_with(
    params: impl IntoIterator<Item: Into<Tensor>>,
    max_norm: f64,
    options: ClipOptions,
) -> Tensor {
    let grads: Vec<Tensor> = params.into_iter().filter_map(|p| p.into().grad()).collect();
    let norm = get_total_norm(&grads, options.norm_type);
    let value = norm.scalar().f64();
    if options.error_if_nonfinite && !value.is_finite() {
        fail(
            "clip_grad_norm_",
            format!(
                "The total norm of order {:?} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`",
                options.norm_type
            ),
        );
    }
    let factor = round(norm.dtype(), round(norm.dtype(), max_norm) / round(norm.dtype(), value + 1e-6));
    // NaN is no smaller than 1, and scales all the same.
    if factor.is_nan() || factor < 1.0 {
        no_grad(|| grads.iter().for_each(|g| drop(g.mul_(factor))));
    }
    norm
}

/// The norm of order `norm_type` over all elements of all tensors (`nn.utils.get_total_norm`); 0 of no tensors.
pub fn get_total_norm(tensors: impl IntoIterator<Item: Into<Tensor>>, norm_type: f64) -> Tensor {
    let tensors: Vec<Tensor> = tensors.into_iter().map(Into::into).collect();
    let dtype = tensors.iter().map(Tensor::dtype).reduce(DType::promote).unwrap_or(DType::F32);
    if !dtype.is_floating_point() {
        fail("get_total_norm", format!("expected tensors of a floating point dtype, got {}", dtype.name()));
    }
    let parts: Vec<f64> = tensors.iter().map(|t| part(&t.array().to(dtype).contiguous(), norm_type)).collect();
    let total = if parts.is_empty() {
        0.0
    } else if norm_type.is_infinite() {
        max_abs(&parts, norm_type < 0.0)
    } else if norm_type == 0.0 {
        // The norm of order 0 of norms of order 0: how many tensors are not zero.
        parts.iter().filter(|n| **n != 0.0).count() as f64
    } else if norm_type == 2.0 {
        parts.iter().sum::<f64>().sqrt()
    } else {
        parts.iter().sum::<f64>().powf(1.0 / norm_type)
    };
    Tensor::from_array(Array::full(Meta::new(dtype, []), Scalar::Float(total)))
}

/// The part of one tensor: its largest magnitude, or the sum of powers.
fn part(a: &Array, p: f64) -> f64 {
    fn of<T>(x: &[T], p: f64) -> f64
    where
        T: cresset_kernels::map::Element<Block: cresset_kernels::optim::Float>,
    {
        if p.is_infinite() { max_abs(x, p < 0.0) } else { power_sum(x, p) }
    }
    match a.dtype() {
        DType::F32 => a.with_slice::<f32, _>(|x| of(x, p)),
        DType::F64 => a.with_slice::<f64, _>(|x| of(x, p)),
        DType::F16 => a.with_slice::<f16, _>(|x| of(x, p)),
        DType::BF16 => a.with_slice::<bf16, _>(|x| of(x, p)),
        other => unreachable!("{other} was refused"),
    }
}

fn round(dtype: DType, x: f64) -> f64 {
    match dtype {
        DType::F64 => x,
        DType::F16 => f64::from(f16::from_f64(x)),
        DType::BF16 => f64::from(bf16::from_f64(x)),
        _ => f64::from(x as f32),
    }
}

/// Cuts every element of every gradient off at `-clip_value` and `clip_value` (`nn.utils.clip_grad_value_`).
///
/// ```
/// use cresset_optim::clip_grad_value_;
/// use cresset_tensor::Tensor;
/// let w = Tensor::from_slice(&[3.0f32, -0.1]).requires_grad_(true);
/// (&w * &w).sum().backward();
/// clip_grad_value_([&w], 0.5);
/// assert_eq!(w.grad().unwrap().to_vec::<f32>(), [0.5, -0.2]);
/// ```
pub fn clip_grad_value_(params: impl IntoIterator<Item: Into<Tensor>>, clip_value: f64) {
    no_grad(|| {
        for p in params {
            if let Some(g) = p.into().grad() {
                g.clamp_(-clip_value, clip_value);
            }
        }
    });
}
