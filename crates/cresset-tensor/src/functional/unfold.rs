//! Windows of images as columns, and back.

use super::conv::spread;
use crate::dims::Dims;
use crate::error::fail;
use crate::op::apply1;
use crate::ops::unfold::{Fold, Sliding, Unfold};
use crate::tensor::Tensor;

/// Options of [`unfold`] and [`fold`]. One number counts for both dimensions.
#[derive(Clone, Copy, Debug)]
pub struct UnfoldOptions {
    /// Distance between the window's points. Default 1.
    pub dilation: Dims,
    /// Zeros on both sides of the image. Default 0.
    pub padding: Dims,
    /// Steps of the window. Default 1.
    pub stride: Dims,
}
impl Default for UnfoldOptions {
    fn default() -> UnfoldOptions {
        UnfoldOptions { dilation: 1.into(), padding: 0.into(), stride: 1.into() }
    }
}

#[track_caller]
fn two(op: &'static str, what: &str, d: Dims) -> [usize; 2] {
    match spread(d, 2)[..] {
        [h, w] => [h, w],
        _ => fail(op, format!("It is expected {what} equals to 2, but got size {}", d.len())),
    }
}

#[track_caller]
fn sliding(op: &'static str, kernel: Dims, o: &UnfoldOptions) -> Sliding {
    Sliding {
        kernel: two(op, "kernel_size", kernel),
        dilation: two(op, "dilation", o.dilation),
        padding: two(op, "padding", o.padding),
        stride: two(op, "stride", o.stride),
    }
}

/// All windows of an image as columns (`torch.nn.functional.unfold`): `(N, C, H, W)` to `(N, C KH KW, L)` for L positions of the window. The
/// batch may be missing.
///
/// ```
/// use cresset_tensor::{functional::{unfold, UnfoldOptions}, Tensor};
/// assert_eq!(unfold(&Tensor::ones([1, 3, 4, 5]), 2, UnfoldOptions::default()).shape(), [1, 12, 12]);
/// ```
///
/// # Panics
/// If the shape does not fit, a size, stride or dilation is 0, or there is no position.
#[track_caller]
pub fn unfold(x: &Tensor, kernel_size: impl Into<Dims>, options: UnfoldOptions) -> Tensor {
    apply1(Unfold(sliding("unfold", kernel_size.into(), &options)), [x])
}

/// The reverse of [`unfold`]: every column is added to where its window lies in an image of `output_size` (`torch.nn.functional.fold`).
///
/// # Panics
/// If the shape does not fit the number of positions, or a size, stride or dilation is 0.
#[track_caller]
pub fn fold(x: &Tensor, output_size: impl Into<Dims>, kernel_size: impl Into<Dims>, options: UnfoldOptions) -> Tensor {
    let image = two("fold", "output_size", output_size.into());
    apply1(Fold { sliding: sliding("fold", kernel_size.into(), &options), image }, [x])
}
