//! Pooling: the largest or the mean element of windows.

use super::conv::spread;
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{apply, apply1};
use crate::ops::pool::{Layout, MaxPool, MeanPool, PlaneScatter, Pool};
use crate::tensor::Tensor;

/// Options of [`max_pool1d`], [`max_pool2d`] and [`max_pool3d`]. One number counts for all dimensions: `stride: Some(2.into())`.
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolOptions {
    /// Steps of the window. Default: its size.
    pub stride: Option<Dims>,
    /// Imagined points (minus infinity) on both sides. Default 0.
    pub padding: Dims,
    /// Distance between the window's points. Default 1.
    pub dilation: Dims,
    /// Round the number of windows up instead of down. Default false.
    pub ceil_mode: bool,
}
impl Default for MaxPoolOptions {
    fn default() -> MaxPoolOptions {
        MaxPoolOptions { stride: None, padding: 0.into(), dilation: 1.into(), ceil_mode: false }
    }
}

/// Options of [`avg_pool1d`], [`avg_pool2d`] and [`avg_pool3d`].
#[derive(Clone, Copy, Debug)]
pub struct AvgPoolOptions {
    /// Steps of the window. Default: its size.
    pub stride: Option<Dims>,
    /// Zeros on both sides. Default 0.
    pub padding: Dims,
    /// Round the number of windows up instead of down. Default false.
    pub ceil_mode: bool,
    /// Do the zeros count in the mean? Default true.
    pub count_include_pad: bool,
    /// Divide by this instead of the number of points.
    pub divisor_override: Option<i64>,
}
impl Default for AvgPoolOptions {
    fn default() -> AvgPoolOptions {
        AvgPoolOptions {
            stride: None,
            padding: 0.into(),
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

/// Options of [`max_unpool1d`], [`max_unpool2d`] and [`max_unpool3d`].
#[derive(Clone, Copy, Debug)]
pub struct MaxUnpoolOptions {
    /// Steps of the window. Default: its size.
    pub stride: Option<Dims>,
    /// Imagined points that the pooling had. Default 0.
    pub padding: Dims,
    /// The spatial sizes of the result, where several lead to the same pooled size. Default: the smallest.
    pub output_size: Option<Dims>,
}
impl Default for MaxUnpoolOptions {
    fn default() -> MaxUnpoolOptions {
        MaxUnpoolOptions { stride: None, padding: 0.into(), output_size: None }
    }
}

/// The sizes that an adaptive pooling gives: one number for all dimensions, one for each, or `None` for those that stay.
#[derive(Clone, Copy, Debug)]
pub struct OutputSize {
    /// `None` where the input's size stays.
    sizes: [Option<usize>; 3],
    given: usize,
}

impl From<usize> for OutputSize {
    fn from(n: usize) -> OutputSize {
        OutputSize { sizes: [Some(n); 3], given: 1 }
    }
}
impl<const N: usize> From<[usize; N]> for OutputSize {
    fn from(n: [usize; N]) -> OutputSize {
        n.map(Some).into()
    }
}
impl<const N: usize> From<[Option<usize>; N]> for OutputSize {
    fn from(n: [Option<usize>; N]) -> OutputSize {
        let mut sizes = [None; 3];
        sizes.iter_mut().zip(n).for_each(|(s, n)| *s = n);
        OutputSize { sizes, given: N }
    }
}

impl OutputSize {
    /// The sizes as they were given: one for all dimensions, or one for each.
    pub fn given(&self) -> &[Option<usize>] {
        &self.sizes[..self.given]
    }
    /// The sizes for an input of this shape; a wrong number of them is left to the shape rule.
    fn resolve(&self, input: &Dims, nd: usize) -> Dims {
        let OutputSize { sizes, given } = *self;
        let at = |d: usize| if given == 1 { sizes[0] } else { sizes[d.min(2)] };
        let n = if given == 1 { nd } else { given };
        (0..n)
            .map(|d| at(d).unwrap_or_else(|| if d + input.len() >= nd { input[d + input.len() - nd] } else { 0 }))
            .collect()
    }
}

const NAMES: [[(&str, &str); 3]; 4] = [
    [
        ("max_pool1d", "SqueezeBackward1"),
        ("max_pool2d", "MaxPool2DWithIndicesBackward0"),
        ("max_pool3d", "MaxPool3DWithIndicesBackward0"),
    ],
    [("avg_pool1d", "SqueezeBackward1"), ("avg_pool2d", "AvgPool2DBackward0"), ("avg_pool3d", "AvgPool3DBackward0")],
    [
        ("adaptive_max_pool1d", "SqueezeBackward1"),
        ("adaptive_max_pool2d", "AdaptiveMaxPool2DBackward0"),
        ("adaptive_max_pool3d", "AdaptiveMaxPool3DBackward0"),
    ],
    [
        ("adaptive_avg_pool1d", "SqueezeBackward1"),
        ("adaptive_avg_pool2d", "AdaptiveAvgPool2DBackward0"),
        ("adaptive_avg_pool3d", "AdaptiveAvgPool3DBackward0"),
    ],
];

#[track_caller]
fn max_pool(x: &Tensor, nd: usize, kernel: Dims, o: &MaxPoolOptions) -> (Tensor, Tensor) {
    let (name, grad) = NAMES[0][nd - 1];
    let kernel = spread(kernel, nd);
    let layout = Layout::Sliding {
        kernel,
        stride: o.stride.map_or(kernel, |s| spread(s, nd)),
        padding: spread(o.padding, nd),
        dilation: spread(o.dilation, nd),
        ceil_mode: o.ceil_mode,
        count_padding: false,
    };
    pair(x, Pool { name, grad, nd, layout })
}

#[track_caller]
fn pair(x: &Tensor, pool: Pool) -> (Tensor, Tensor) {
    let mut both = apply(MaxPool(pool), &[x]);
    let indices = both.pop().expect("two results");
    (both.swap_remove(0), indices)
}

#[track_caller]
fn avg_pool(x: &Tensor, nd: usize, kernel: Dims, o: &AvgPoolOptions) -> Tensor {
    let (name, grad) = NAMES[1][nd - 1];
    let kernel = spread(kernel, nd);
    let layout = Layout::Sliding {
        kernel,
        stride: o.stride.map_or(kernel, |s| spread(s, nd)),
        padding: spread(o.padding, nd),
        dilation: Dims::filled(nd, 1),
        ceil_mode: o.ceil_mode,
        count_padding: o.count_include_pad,
    };
    apply1(MeanPool { pool: Pool { name, grad, nd, layout }, divisor: o.divisor_override }, [x])
}

#[track_caller]
fn adaptive_max_pool(x: &Tensor, nd: usize, size: OutputSize) -> (Tensor, Tensor) {
    let (name, grad) = NAMES[2][nd - 1];
    pair(x, Pool { name, grad, nd, layout: Layout::Adaptive { output: size.resolve(&x.shape(), nd) } })
}

#[track_caller]
fn adaptive_avg_pool(x: &Tensor, nd: usize, size: OutputSize) -> Tensor {
    let (name, grad) = NAMES[3][nd - 1];
    let pool = Pool { name, grad, nd, layout: Layout::Adaptive { output: size.resolve(&x.shape(), nd) } };
    apply1(MeanPool { pool, divisor: None }, [x])
}

#[track_caller]
fn max_unpool(
    name: &'static str,
    x: &Tensor,
    indices: &Tensor,
    nd: usize,
    kernel: Dims,
    o: &MaxUnpoolOptions,
) -> Tensor {
    crate::record::depends(name);
    let kernel = spread(kernel, nd);
    let (stride, padding) = (o.stride.map_or(kernel, |s| spread(s, nd)), spread(o.padding, nd));
    let (shape, have) = (x.shape(), indices.meta());
    if have.dtype != DType::I64 {
        fail(name, format!("elements in indices should be type int64 but got: {}", have.dtype.scalar_name()));
    }
    if shape.len() != nd + 1 && shape.len() != nd + 2 {
        fail(name, format!("Input to {name} should be a {}d or {}d Tensor, but got {shape:?}", nd + 1, nd + 2));
    }
    if have.shape != shape {
        fail(
            name,
            format!(
                "Expected shape of indices to be same as that of the input tensor ({shape:?}) but got indices tensor with shape: {:?}",
                have.shape
            ),
        );
    }
    if stride.contains(&0) {
        fail(name, format!("strides should be greater than zero, but got stride: {stride:?}"));
    }
    let lead = shape.len() - nd;
    let default: Dims = match [&kernel, &stride, &padding].iter().all(|d| d.len() == nd) {
        true => (0..nd)
            .map(|d| (shape[lead + d].saturating_sub(1) * stride[d] + kernel[d]).saturating_sub(2 * padding[d]))
            .collect(),
        false => fail(name, format!("kernel_size, stride and padding must have one or {nd} numbers")),
    };
    let sizes = match o.output_size {
        None => default,
        Some(s) => {
            let s = Dims::new(&s[s.len() - nd.min(s.len())..]);
            let fits = s.len() == nd && (0..nd).all(|d| s[d] + stride[d] > default[d] && s[d] < default[d] + stride[d]);
            if !fits {
                fail(
                    name,
                    format!(
                        "invalid output_size {s:?}: each size must be less than the stride {stride:?} away from {default:?}"
                    ),
                );
            }
            s
        }
    };
    let plane = sizes.numel();
    let bad = indices
        .array()
        .contiguous()
        .with_slice::<i64, _>(|s| s.iter().find(|&&i| i < 0 || i as usize >= plane).copied());
    if let Some(bad) = bad {
        fail(name, format!("Found an invalid max index: {bad} (output volumes are of size {sizes:?})"));
    }
    let mut target = Dims::new(&shape[..lead]);
    sizes.iter().for_each(|&n| target.push(n));
    let op = PlaneScatter { name, grad: "MaxUnpoolBackward0", shape: target, nd, add: false };
    apply1(op, [x, indices])
}

macro_rules! dimensions {
    ($($nd:literal, $what:literal, $shape:literal:
        $max:ident $max_with:ident $avg:ident $amax:ident $amax_with:ident $aavg:ident $unpool:ident;)*) => { $(
        #[doc = concat!("The largest element of every ", $what, " window (`torch.nn.functional.", stringify!($max), "`).")]
        ///
        #[doc = concat!("`x` is `", $shape, "`, with or without the batch. There are")]
        /// `(size + 2 padding - dilation (kernel - 1) - 1) / stride + 1` windows along each dimension, rounded down, or up with `ceil_mode`.
        /// The gradient goes to the first of equal elements.
        ///
        /// # Panics
        /// If the number of dimensions is another, a size, stride or dilation is 0, the padding is more than half of the window, or
        /// there is no window.
        #[track_caller]
        pub fn $max(x: &Tensor, kernel_size: impl Into<Dims>, options: MaxPoolOptions) -> Tensor {
            max_pool(x, $nd, kernel_size.into(), &options).0
        }
        #[doc = concat!("[`", stringify!($max), "`] and where the elements lie in their planes")]
        #[doc = concat!("(`torch.nn.functional.", stringify!($max), "(..., return_indices=True)`).")]
        ///
        /// # Panics
        #[doc = concat!("As [`", stringify!($max), "`].")]
        #[track_caller]
        pub fn $max_with(x: &Tensor, kernel_size: impl Into<Dims>, options: MaxPoolOptions) -> (Tensor, Tensor) {
            max_pool(x, $nd, kernel_size.into(), &options)
        }
        #[doc = concat!("The mean of every ", $what, " window (`torch.nn.functional.", stringify!($avg), "`).")]
        ///
        #[doc = concat!("`x` is `", $shape, "`, with or without the batch. Integers are divided towards zero.")]
        ///
        /// # Panics
        #[doc = concat!("As [`", stringify!($max), "`]; also if `divisor_override` is 0.")]
        #[track_caller]
        pub fn $avg(x: &Tensor, kernel_size: impl Into<Dims>, options: AvgPoolOptions) -> Tensor {
            avg_pool(x, $nd, kernel_size.into(), &options)
        }
        #[doc = concat!("The largest element of so many parts (`torch.nn.functional.", stringify!($amax), "`).")]
        ///
        #[doc = concat!("`x` is `", $shape, "`, with or without the batch. Part i of n goes from")]
        /// `floor(i size / n)` to `ceil((i + 1) size / n)`.
        ///
        /// # Panics
        /// If the number of dimensions is another or the input is empty.
        #[track_caller]
        pub fn $amax(x: &Tensor, output_size: impl Into<OutputSize>) -> Tensor {
            adaptive_max_pool(x, $nd, output_size.into()).0
        }
        #[doc = concat!("[`", stringify!($amax), "`] and where the elements lie in their planes")]
        #[doc = concat!("(`torch.nn.functional.", stringify!($amax), "(..., return_indices=True)`).")]
        ///
        /// # Panics
        #[doc = concat!("As [`", stringify!($amax), "`].")]
        #[track_caller]
        pub fn $amax_with(x: &Tensor, output_size: impl Into<OutputSize>) -> (Tensor, Tensor) {
            adaptive_max_pool(x, $nd, output_size.into())
        }
        #[doc = concat!("The mean of so many parts (`torch.nn.functional.", stringify!($aavg), "`).")]
        ///
        #[doc = concat!("Parts as in [`", stringify!($amax), "`].")]
        ///
        /// # Panics
        #[doc = concat!("As [`", stringify!($amax), "`].")]
        #[track_caller]
        pub fn $aavg(x: &Tensor, output_size: impl Into<OutputSize>) -> Tensor {
            adaptive_avg_pool(x, $nd, output_size.into())
        }
        #[doc = concat!("Puts what [`", stringify!($max_with), "`] gave back to its places, zeros elsewhere")]
        #[doc = concat!("(`torch.nn.functional.", stringify!($unpool), "`).")]
        ///
        /// # Panics
        /// If the indices are no int64, have another shape than `x` or lie outside, or `output_size` does not belong to the input's size.
        #[track_caller]
        pub fn $unpool(x: &Tensor, indices: &Tensor, kernel_size: impl Into<Dims>, options: MaxUnpoolOptions) -> Tensor {
            max_unpool(stringify!($unpool), x, indices, $nd, kernel_size.into(), &options)
        }
    )* };
}
dimensions! {
    1, "1-d", "(N, C, L)":
        max_pool1d max_pool1d_with_indices avg_pool1d adaptive_max_pool1d adaptive_max_pool1d_with_indices adaptive_avg_pool1d max_unpool1d;
    2, "2-d", "(N, C, H, W)":
        max_pool2d max_pool2d_with_indices avg_pool2d adaptive_max_pool2d adaptive_max_pool2d_with_indices adaptive_avg_pool2d max_unpool2d;
    3, "3-d", "(N, C, D, H, W)":
        max_pool3d max_pool3d_with_indices avg_pool3d adaptive_max_pool3d adaptive_max_pool3d_with_indices adaptive_avg_pool3d max_unpool3d;
}
