//! Convolutions and transposed convolutions.

use crate::dims::Dims;
use crate::error::fail;
use crate::op::apply_one;
use crate::ops::conv::{Convolution, Kind};
use crate::tensor::Tensor;

/// Zeros around the input of a convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// So many on both sides of each dimension; one number counts for all dimensions.
    Zeros(Dims),
    /// None (`padding='valid'`).
    #[default]
    Valid,
    /// As many as keep the size, for stride 1 (`padding='same'`). An odd number puts one more behind.
    Same,
}
impl<D: Into<Dims>> From<D> for Padding {
    fn from(zeros: D) -> Padding {
        Padding::Zeros(zeros.into())
    }
}

/// Options of [`conv1d`], [`conv2d`] and [`conv3d`]. One number counts for all dimensions: `stride: 2.into()`.
#[derive(Clone, Copy, Debug)]
pub struct ConvOptions {
    /// Steps of the window. Default 1.
    pub stride: Dims,
    /// Zeros around the input. Default none.
    pub padding: Padding,
    /// Distance between the window's points. Default 1.
    pub dilation: Dims,
    /// Into so many groups the channels are divided, each convolved for itself. Default 1.
    pub groups: usize,
}
impl Default for ConvOptions {
    fn default() -> ConvOptions {
        ConvOptions { stride: 1.into(), padding: Padding::Valid, dilation: 1.into(), groups: 1 }
    }
}

/// Options of [`conv_transpose1d`], [`conv_transpose2d`] and [`conv_transpose3d`].
#[derive(Clone, Copy, Debug)]
pub struct ConvTransposeOptions {
    /// Steps of the window. Default 1.
    pub stride: Dims,
    /// So much is cut from both sides of the result. Default 0.
    pub padding: Dims,
    /// So much is added to one side of the result, which the shape of the input leaves open where the stride is not 1. Default 0.
    pub output_padding: Dims,
    /// Into so many groups the channels are divided. Default 1.
    pub groups: usize,
    /// Distance between the window's points. Default 1.
    pub dilation: Dims,
}
impl Default for ConvTransposeOptions {
    fn default() -> ConvTransposeOptions {
        ConvTransposeOptions {
            stride: 1.into(),
            padding: 0.into(),
            output_padding: 0.into(),
            groups: 1,
            dilation: 1.into(),
        }
    }
}

/// One number stands for all dimensions.
pub(crate) fn spread(d: Dims, nd: usize) -> Dims {
    if d.len() == 1 { Dims::filled(nd, d[0]) } else { d }
}

#[track_caller]
fn conv(name: &'static str, nd: usize, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, o: &ConvOptions) -> Tensor {
    let (stride, dilation) = (spread(o.stride, nd), spread(o.dilation, nd));
    let (before, behind) = match o.padding {
        Padding::Zeros(d) => (spread(d, nd), spread(d, nd)),
        Padding::Valid => (Dims::filled(nd, 0), Dims::filled(nd, 0)),
        Padding::Same => {
            if stride.iter().any(|&s| s != 1) {
                fail(name, "padding='same' is not supported for strided convolutions");
            }
            let w = weight.shape();
            let total = |d: usize| match (w.len() == nd + 2, dilation.get(d)) {
                (true, Some(step)) => step * w[d + 2].saturating_sub(1),
                _ => 0,
            };
            ((0..nd).map(|d| total(d) / 2).collect(), (0..nd).map(|d| total(d) - total(d) / 2).collect())
        }
    };
    let (groups, target) = (o.groups, Dims::EMPTY);
    let op = Convolution { name, kind: Kind::Output, nd, stride, before, behind, dilation, groups, target };
    match bias {
        Some(b) => apply_one(op, &[x, weight, b]),
        None => apply_one(op, &[x, weight]),
    }
}

#[track_caller]
fn conv_transpose(
    name: &'static str,
    nd: usize,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    o: &ConvTransposeOptions,
) -> Tensor {
    let (stride, dilation, padding) = (spread(o.stride, nd), spread(o.dilation, nd), spread(o.padding, nd));
    let extra = spread(o.output_padding, nd);
    if extra.len() != nd {
        fail(
            name,
            format!(
                "expected output_padding to be a single integer value or a list of {nd} values to match the convolution dimensions, but got output_padding={extra:?}"
            ),
        );
    }
    let (xs, ws) = (x.shape(), weight.shape());
    let mut target = Dims::EMPTY;
    // Otherwise the shape rule refuses.
    let fits = xs.len() > nd && ws.len() == nd + 2 && [&stride, &dilation, &padding].iter().all(|d| d.len() == nd);
    for d in 0..if fits { nd } else { 0 } {
        if extra[d] >= stride[d] && extra[d] >= dilation[d] {
            fail(
                name,
                format!(
                    "output padding must be smaller than either stride or dilation, but got output_padding: {extra:?} stride: {stride:?} dilation: {dilation:?}"
                ),
            );
        }
        let n = xs[xs.len() - nd + d];
        let full = n.saturating_sub(1) * stride[d] + dilation[d] * ws[d + 2].saturating_sub(1) + extra[d] + 1;
        match full.checked_sub(2 * padding[d]) {
            Some(size) if size > 0 && n > 0 => target.push(size),
            size => fail(
                name,
                format!(
                    "Given input size per channel: {:?}. Calculated output size per channel: {} in dimension {d}. Output size is too small",
                    &xs[xs.len() - nd..],
                    size.map_or(full as isize - 2 * padding[d] as isize, |s| s as isize)
                ),
            ),
        }
    }
    let op = Convolution {
        name,
        kind: Kind::Image,
        nd,
        stride,
        before: padding,
        behind: padding,
        dilation,
        groups: o.groups,
        target,
    };
    match bias {
        Some(b) => apply_one(op, &[x, weight, b]),
        None => apply_one(op, &[x, weight]),
    }
}

/// Convolution over one dimension: `y[n, o] = bias[o] + Σ_c w[o, c] ⋆ x[n, c]` (`torch.nn.functional.conv1d`).
///
/// `x` is `(N, C, L)` or `(C, L)`, `weight` `(O, C / groups, K)`, `bias` `(O)`; the result `(N, O, L')` or `(O, L')` with
/// `L' = (L + 2 padding - dilation (K - 1) - 1) / stride + 1`, rounded down.
///
/// # Panics
/// If shapes or dtypes do not fit, a stride, dilation or `groups` is 0, or the window is larger than the padded input.
#[track_caller]
pub fn conv1d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvOptions) -> Tensor {
    conv("conv1d", 1, x, weight, bias, &options)
}

/// Convolution over two dimensions: `y[n, o] = bias[o] + Σ_c w[o, c] ⋆ x[n, c]` (`torch.nn.functional.conv2d`).
///
/// `x` is `(N, C, H, W)` or `(C, H, W)`, `weight` `(O, C / groups, KH, KW)`, `bias` `(O)`; the result `(N, O, H', W')` or `(O, H', W')`.
///
/// ```
/// use cresset_tensor::{functional::{conv2d, ConvOptions, Padding}, Tensor};
/// let x = Tensor::ones([1, 1, 3, 3]);
/// let w = Tensor::ones([1, 1, 3, 3]);
/// let options = ConvOptions { padding: Padding::Same, ..Default::default() };
/// let y = conv2d(&x, &w, None, options);
/// assert_eq!(y.to_vec::<f32>(), [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
/// let options = ConvOptions { stride: 2.into(), padding: 1.into(), ..Default::default() };
/// assert_eq!(conv2d(&x, &w, None, options).shape(), [1, 1, 2, 2]);
/// ```
///
/// # Panics
/// As [`conv1d`].
#[track_caller]
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvOptions) -> Tensor {
    conv("conv2d", 2, x, weight, bias, &options)
}

/// Convolution over three dimensions (`torch.nn.functional.conv3d`). Shapes as [`conv2d`] with a depth before height and width.
///
/// # Panics
/// As [`conv1d`].
#[track_caller]
pub fn conv3d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvOptions) -> Tensor {
    conv("conv3d", 3, x, weight, bias, &options)
}

/// Transposed convolution over one dimension: the gradient of [`conv1d`] with respect to its input (`torch.nn.functional.conv_transpose1d`).
///
/// `x` is `(N, C, L)` or `(C, L)`, `weight` `(C, O / groups, K)`, `bias` `(O)`; the result has the length
/// `(L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1`.
///
/// # Panics
/// As [`conv1d`]; also if `output_padding` is not smaller than stride or dilation, or the result would be empty.
#[track_caller]
pub fn conv_transpose1d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvTransposeOptions) -> Tensor {
    conv_transpose("conv_transpose1d", 1, x, weight, bias, &options)
}

/// Transposed convolution over two dimensions (`torch.nn.functional.conv_transpose2d`). See [`conv_transpose1d`].
///
/// ```
/// use cresset_tensor::{functional::{conv_transpose2d, ConvTransposeOptions}, Tensor};
/// let options = ConvTransposeOptions { stride: 2.into(), ..Default::default() };
/// let y = conv_transpose2d(&Tensor::ones([1, 3, 4, 4]), &Tensor::ones([3, 5, 2, 2]), None, options);
/// assert_eq!(y.shape(), [1, 5, 8, 8]);
/// ```
///
/// # Panics
/// As [`conv_transpose1d`].
#[track_caller]
pub fn conv_transpose2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvTransposeOptions) -> Tensor {
    conv_transpose("conv_transpose2d", 2, x, weight, bias, &options)
}

/// Transposed convolution over three dimensions (`torch.nn.functional.conv_transpose3d`). See [`conv_transpose1d`].
///
/// # Panics
/// As [`conv_transpose1d`].
#[track_caller]
pub fn conv_transpose3d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvTransposeOptions) -> Tensor {
    conv_transpose("conv_transpose3d", 3, x, weight, bias, &options)
}
