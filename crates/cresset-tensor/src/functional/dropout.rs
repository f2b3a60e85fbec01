//! The dropout family. Draws PyTorch's masks; nothing is drawn outside training, or where `p` is 0 or 1.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::ops::dropout::{check, dropped, noise};
use crate::ops::pointwise::ternary::assign;
use crate::tensor::Tensor;
use crate::with_float;
use cresset_kernels::rng::{AlphaDropout, Float};

/// In training zeroes each element with probability `p` and divides the others by `1 - p`; otherwise gives the input back
/// (`torch.nn.functional.dropout(x, p, training)`).
///
/// ```
/// use cresset_tensor::{functional::dropout, Tensor};
/// let x = Tensor::ones([1000]);
/// let y = dropout(&x, 0.2, true).to_vec::<f32>();
/// assert!(y.iter().all(|y| *y == 0.0 || *y == 1.25));
/// assert!(dropout(&x, 0.2, false).is_same(&x));
/// ```
///
/// # Panics
/// If `p` is not between 0 and 1, or the dtype is no floating-point one.
#[track_caller]
pub fn dropout(x: &Tensor, p: f64, training: bool) -> Tensor {
    check("dropout", x, p);
    if idle(x, p, training) { x.clone() } else { dropped(x, p) }
}

/// Drops whole channels of `(N, C, L)` or `(C, L)` (`torch.nn.functional.dropout1d(x, p, training)`).
///
/// # Panics
/// As [`dropout`]; also if the input has not two or three dimensions.
#[track_caller]
pub fn dropout1d(x: &Tensor, p: f64, training: bool) -> Tensor {
    channels("dropout1d", x, p, training, &[2, 3], x.dim() == 2)
}

/// Drops whole channels of `(N, C, H, W)`; the first two dimensions of `(N, C, L)` are taken as batch and channels, as in PyTorch
/// (`torch.nn.functional.dropout2d(x, p, training)`).
///
/// # Panics
/// As [`dropout`]; also if the input has fewer than two dimensions.
#[track_caller]
pub fn dropout2d(x: &Tensor, p: f64, training: bool) -> Tensor {
    channels("dropout2d", x, p, training, &[], false)
}

/// Drops whole channels of `(N, C, D, H, W)` or `(C, D, H, W)` (`torch.nn.functional.dropout3d(x, p, training)`).
///
/// # Panics
/// As [`dropout`]; also if the input has fewer than two dimensions.
#[track_caller]
pub fn dropout3d(x: &Tensor, p: f64, training: bool) -> Tensor {
    channels("dropout3d", x, p, training, &[], x.dim() == 4)
}

/// In training sets elements to the value that keeps mean and variance of a network of SELUs, with probability `p`
/// (`torch.nn.functional.alpha_dropout(x, p, training)`).
///
/// # Panics
/// As [`dropout`].
#[track_caller]
pub fn alpha_dropout(x: &Tensor, p: f64, training: bool) -> Tensor {
    check("alpha_dropout", x, p);
    if idle(x, p, training) { x.clone() } else { alpha(x, p, &x.array_unseen()) }
}

/// [`alpha_dropout`] of whole channels (`torch.nn.functional.feature_alpha_dropout(x, p, training)`).
///
/// # Panics
/// As [`dropout`]; also if the input has fewer than two dimensions.
#[track_caller]
pub fn feature_alpha_dropout(x: &Tensor, p: f64, training: bool) -> Tensor {
    if (0.0..=1.0).contains(&p) && idle(x, p, training) {
        return x.clone();
    }
    check("feature_alpha_dropout", x, p);
    alpha(x, p, &one_for_each_channel("feature_alpha_dropout", x, false))
}

/// The in-place forms: what the plain form gives is moved into the input.
macro_rules! in_place {
    ($($name:ident: $plain:ident),*) => {$(
        #[doc = concat!("[`", stringify!($plain), "`] in place (`torch.nn.functional.", stringify!($plain), "(x, p, training, inplace=True)`).")]
        ///
        /// # Panics
        /// As the form that is not in place; also if the input is a leaf that requires grad.
        #[track_caller]
        pub fn $name(x: &Tensor, p: f64, training: bool) -> Tensor {
            let y = $plain(x, p, training);
            if y.is_same(x) { y } else { assign(stringify!($name), x, y) }
        }
    )*};
}
in_place!(
    dropout_: dropout,
    dropout1d_: dropout1d,
    dropout2d_: dropout2d,
    dropout3d_: dropout3d,
    alpha_dropout_: alpha_dropout,
    feature_alpha_dropout_: feature_alpha_dropout
);

/// Does nothing happen?
fn idle(x: &Tensor, p: f64, training: bool) -> bool {
    !training || p == 0.0 || x.numel() == 0
}

#[track_caller]
fn channels(name: &'static str, x: &Tensor, p: f64, training: bool, dims: &[usize], single: bool) -> Tensor {
    check(name, x, p);
    if !dims.is_empty() && !dims.contains(&x.dim()) {
        fail(name, format!("Expected 2D or 3D input, but received a {}D input.", x.dim()));
    }
    if idle(x, p, training) {
        return x.clone();
    }
    x * &noise(&one_for_each_channel(name, x, single), p)
}

/// An array with one element for each channel, which broadcasts to `x`. A single sample has no batch dimension.
#[track_caller]
fn one_for_each_channel(name: &'static str, x: &Tensor, single: bool) -> Array {
    let shape = x.shape();
    let kept = if single { 1 } else { 2 };
    if shape.len() < 2 {
        fail(name, "Feature dropout requires at least 2 dimensions in the input");
    }
    let sizes: Dims = shape.iter().enumerate().map(|(d, n)| if d < kept { *n } else { 1 }).collect();
    Array::zeros(Meta::new(x.dtype(), sizes))
}

/// Alpha dropout with one draw for each element of `like`.
fn alpha(x: &Tensor, p: f64, like: &Array) -> Tensor {
    crate::record::depends("alpha_dropout");
    if p == 1.0 {
        return x * &Tensor::from_array(Array::zeros(*like.meta()));
    }
    let stays = noise(like, p).array().to(DType::F64).to_vec::<f64>();
    let meta = *like.meta();
    let numbers = |kept: f64, dropped: f64| {
        let all: Vec<f64> = stays.iter().map(|s| if *s != 0.0 { kept } else { dropped }).collect();
        Tensor::from_vec(all, meta.shape).to_dtype(meta.dtype)
    };
    fn constants<T: Float>(p: f64) -> [f64; 3] {
        let c = AlphaDropout::<T>::new(p);
        [c.scale.to_f64(), c.shift_kept.to_f64(), c.shift_dropped.to_f64()]
    }
    let [scale, kept, dropped] = with_float!(meta.dtype, T => constants::<T>(p));
    &(x * &numbers(scale, 0.0)) + &numbers(kept, dropped)
}
