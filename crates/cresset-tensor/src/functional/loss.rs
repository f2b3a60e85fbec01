//! Losses of classification.

use crate::error::fail;
use crate::ops::loss::{ClassLoss, class_loss};
use crate::tensor::Tensor;

pub use crate::ops::loss::Reduction;

/// The optional arguments of [`cross_entropy_with`] and [`nll_loss_with`].
#[derive(Clone, Debug)]
pub struct CrossEntropyOptions {
    /// A weight for each class, of shape `(C)`.
    pub weight: Option<Tensor>,
    /// Elements with this class do not count, neither in the loss nor in the mean.
    pub ignore_index: i64,
    /// What happens with the losses of the elements.
    pub reduction: Reduction,
    /// How much of the target is spread evenly over all classes, from 0 to 1.
    pub label_smoothing: f64,
}
impl Default for CrossEntropyOptions {
    /// No weights, `ignore_index` -100, the mean, no smoothing.
    fn default() -> Self {
        CrossEntropyOptions { weight: None, ignore_index: -100, reduction: Reduction::Mean, label_smoothing: 0.0 }
    }
}

/// `-log softmax(input)[target]`, the mean over the batch (`torch.nn.functional.cross_entropy(input, target)`).
///
/// `input` are scores of shape `(C)`, `(N, C)` or `(N, C, d1, ...)`; `target` are classes, int64 of shape `()`, `(N)` or `(N, d1, ...)`, or
/// probabilities, floating-point of the shape of `input`.
///
/// ```
/// use cresset_tensor::{functional::cross_entropy, Tensor};
/// let x = Tensor::from_vec([0.0f32, 0.0, 0.0, 0.0], [2, 2]).requires_grad_(true);
/// let loss = cross_entropy(&x, &Tensor::from_slice(&[0i64, 1]));
/// assert_eq!(loss.item::<f32>(), 2.0f32.ln());
/// loss.backward();
/// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [-0.25, 0.25, 0.25, -0.25]);
/// ```
///
/// # Panics
/// If shapes or dtypes do not fit, or a class is out of range.
#[track_caller]
pub fn cross_entropy(input: &Tensor, target: &Tensor) -> Tensor {
    cross_entropy_with(input, target, &CrossEntropyOptions::default())
}

/// [`cross_entropy`] with all arguments (`torch.nn.functional.cross_entropy(input, target, weight, ignore_index=..., reduction=...,
/// label_smoothing=...)`).
///
/// The mean divides by the sum of the weights of the targets; with probabilities by the number of rows.
///
/// # Panics
/// As [`cross_entropy`]; also if `label_smoothing` is not between 0 and 1, or `ignore_index` is given with probabilities.
#[track_caller]
pub fn cross_entropy_with(input: &Tensor, target: &Tensor, options: &CrossEntropyOptions) -> Tensor {
    let o = options;
    if input.shape() == target.shape() && input.dim() > 0 {
        return with_probabilities(input, target, o);
    }
    let op = ClassLoss {
        scores: true,
        weighted: o.weight.is_some(),
        ignore: o.ignore_index,
        reduction: o.reduction,
        smoothing: o.label_smoothing,
        planes: input.dim() > 2,
    };
    class_loss(op, input, target, o.weight.as_ref())
}

#[track_caller]
fn with_probabilities(input: &Tensor, target: &Tensor, o: &CrossEntropyOptions) -> Tensor {
    const NAME: &str = "cross_entropy";
    if !target.is_floating_point() {
        let dtype = target.dtype().scalar_name();
        fail(NAME, format!("Expected floating point type for target with class probabilities, got {dtype}"));
    }
    if o.ignore_index >= 0 {
        fail(NAME, "ignore_index is not supported for floating point target");
    }
    if !(0.0..=1.0).contains(&o.label_smoothing) {
        fail(NAME, format!("label_smoothing must be between 0.0 and 1.0. Got: {:?}", o.label_smoothing));
    }
    let dim = if input.dim() == 1 { 0 } else { 1 };
    let classes = input.size(dim);
    let target = match o.label_smoothing {
        0.0 => target.clone(),
        s => &(target * (1.0 - s)) + s / classes as f64,
    };
    let mut terms = &input.log_softmax(dim) * &target;
    if let Some(w) = &o.weight {
        if w.shape() != [classes] {
            fail(
                NAME,
                format!(
                    "cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {:?}",
                    &w.shape()[..]
                ),
            );
        }
        let mut shape = vec![1isize; input.dim()];
        shape[dim as usize] = classes as isize;
        terms = &terms * &w.reshape(shape);
    }
    match o.reduction {
        Reduction::None => -&terms.sum_dim(dim, false),
        Reduction::Sum => -&terms.sum(),
        Reduction::Mean => -&(&terms.sum() / (input.numel() as f64 / classes.max(1) as f64)),
    }
}

/// `-input[target]` of log probabilities, the mean over the batch (`torch.nn.functional.nll_loss(input, target)`).
///
/// Shapes as in [`cross_entropy`] with classes.
///
/// # Panics
/// If shapes or dtypes do not fit, or a class is out of range.
#[track_caller]
pub fn nll_loss(input: &Tensor, target: &Tensor) -> Tensor {
    nll_loss_with(input, target, &CrossEntropyOptions::default())
}

/// [`nll_loss`] with all arguments; the mean is weighted (`torch.nn.functional.nll_loss(input, target, weight, ignore_index=...,
/// reduction=...)`).
///
/// # Panics
/// As [`nll_loss`]; also if `label_smoothing` is given, which this loss has not.
#[track_caller]
pub fn nll_loss_with(input: &Tensor, target: &Tensor, options: &CrossEntropyOptions) -> Tensor {
    let o = options;
    if o.label_smoothing != 0.0 {
        fail("nll_loss", "label_smoothing belongs to cross_entropy");
    }
    let op = ClassLoss {
        scores: false,
        weighted: o.weight.is_some(),
        ignore: o.ignore_index,
        reduction: o.reduction,
        smoothing: 0.0,
        planes: input.dim() > 2,
    };
    class_loss(op, input, target, o.weight.as_ref())
}
