//! Convolutions.

use super::linear::reset_affine;
use super::sizes::{sizes_text, spread};
use crate::functional::{self as F, ConvOptions, ConvTransposeOptions, Padding};
use crate::repr::tuple;
use crate::{Base, Forward, Module, Parameter};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Dims, Tensor};

/// The keyword arguments of the convolutions. One number counts for all dimensions: `stride: 2.into()`.
#[derive(Clone, Copy, Debug)]
pub struct ConvNdOptions {
    /// Steps of the window (1).
    pub stride: Dims,
    /// Zeros around the input: numbers, `Padding::Same` or `Padding::Valid` (0).
    pub padding: Padding,
    /// Distance between the window's points (1).
    pub dilation: Dims,
    /// Into so many groups the channels are divided, each convolved for itself (1).
    pub groups: usize,
    /// With a bias (true)?
    pub bias: bool,
    /// What is seen around the input where there is padding (zeros).
    pub padding_mode: PaddingMode,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for ConvNdOptions {
    fn default() -> ConvNdOptions {
        ConvNdOptions {
            stride: 1.into(),
            padding: Padding::Zeros(0.into()),
            dilation: 1.into(),
            groups: 1,
            bias: true,
            padding_mode: PaddingMode::Zeros,
            dtype: DType::F32,
        }
    }
}
/// The keyword arguments of [`Conv1d`].
pub type Conv1dOptions = ConvNdOptions;
/// The keyword arguments of [`Conv2d`].
pub type Conv2dOptions = ConvNdOptions;
/// The keyword arguments of [`Conv3d`].
pub type Conv3dOptions = ConvNdOptions;

/// The keyword arguments of the transposed convolutions. One number counts for all dimensions.
#[derive(Clone, Copy, Debug)]
pub struct ConvTransposeNdOptions {
    /// Steps of the window (1).
    pub stride: Dims,
    /// So much is cut from both sides of the result (0).
    pub padding: Dims,
    /// So much is added to one side of the result (0).
    pub output_padding: Dims,
    /// Into so many groups the channels are divided (1).
    pub groups: usize,
    /// With a bias (true)?
    pub bias: bool,
    /// Distance between the window's points (1).
    pub dilation: Dims,
    /// The dtype of the parameters (f32).
    pub dtype: DType,
}
impl Default for ConvTransposeNdOptions {
    fn default() -> ConvTransposeNdOptions {
        let (one, zero) = (1.into(), 0.into());
        ConvTransposeNdOptions {
            stride: one,
            padding: zero,
            output_padding: zero,
            groups: 1,
            bias: true,
            dilation: one,
            dtype: DType::F32,
        }
    }
}
/// The keyword arguments of [`ConvTranspose1d`].
pub type ConvTranspose1dOptions = ConvTransposeNdOptions;
/// The keyword arguments of [`ConvTranspose2d`].
pub type ConvTranspose2dOptions = ConvTransposeNdOptions;
/// The keyword arguments of [`ConvTranspose3d`].
pub type ConvTranspose3dOptions = ConvTransposeNdOptions;

#[track_caller]
fn check_groups(name: &str, in_channels: usize, out_channels: usize, groups: usize) {
    if groups == 0 {
        fail(name, "groups must be a positive integer");
    }
    if !in_channels.is_multiple_of(groups) {
        fail(name, "in_channels must be divisible by groups");
    }
    if !out_channels.is_multiple_of(groups) {
        fail(name, "out_channels must be divisible by groups");
    }
}

/// What a convolution sees around its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// The input mirrored at its border, the border itself once.
    Reflect,
    /// The border.
    Replicate,
    /// The input again from its other side.
    Circular,
}
crate::member::plain!(PaddingMode);

impl PaddingMode {
    fn name(self) -> &'static str {
        match self {
            PaddingMode::Zeros => "zeros",
            PaddingMode::Reflect => "reflect",
            PaddingMode::Replicate => "replicate",
            PaddingMode::Circular => "circular",
        }
    }
    /// Which element of a dimension of size `n` is seen at place `i`, counted from its first.
    fn source(self, i: isize, n: isize) -> isize {
        match self {
            PaddingMode::Zeros | PaddingMode::Replicate => i.clamp(0, n - 1),
            PaddingMode::Reflect if i < 0 => -i,
            PaddingMode::Reflect if i >= n => 2 * (n - 1) - i,
            PaddingMode::Reflect => i,
            PaddingMode::Circular => i.rem_euclid(n),
        }
    }
    /// The input with `before` and `behind` more elements along its last dimensions.
    #[track_caller]
    fn pad(self, name: &str, input: &Tensor, before: &[usize], behind: &[usize]) -> Tensor {
        let nd = before.len();
        if input.dim() < nd {
            fail(name, format!("expected an input of at least {nd} dimensions, but got {}", input.dim()));
        }
        let mut x = input.clone();
        for (i, (&before, &behind)) in before.iter().zip(behind).enumerate() {
            let dim = i as isize - nd as isize;
            let n = x.size(dim);
            let most = before.max(behind);
            let refused = match self {
                PaddingMode::Reflect => most >= n,
                PaddingMode::Circular => most > n,
                _ => n == 0,
            };
            if refused {
                let why = match self {
                    PaddingMode::Circular => "Padding value causes wrapping around more than once.",
                    _ => "Padding size should be less than the corresponding input dimension",
                };
                fail(
                    name,
                    format!("{why} (padding ({before}, {behind}) at dimension {dim} of input {})", input.shape()),
                );
            }
            if most > 0 {
                let places = -(before as isize)..(n + behind) as isize;
                let index: Vec<i64> = places.map(|p| self.source(p, n as isize) as i64).collect();
                x = x.index_select(dim, &Tensor::from_slice(&index));
            }
        }
        x
    }
}

/// The weight of a convolution: `first` and `second` channels, then the window.
fn make_weight(first: usize, second: usize, kernel: &Dims, dtype: DType) -> Parameter {
    let shape: Dims = [first, second].into_iter().chain(kernel.iter().copied()).collect();
    Parameter::new(Tensor::zeros_of(shape, dtype))
}

/// How many elements are seen before and behind each dimension.
fn around(padding: &Padding, kernel: &Dims, dilation: &Dims) -> (Dims, Dims) {
    match padding {
        Padding::Zeros(sizes) => (*sizes, *sizes),
        Padding::Valid => (Dims::filled(kernel.len(), 0), Dims::filled(kernel.len(), 0)),
        Padding::Same => {
            let total = |i: usize| dilation[i] * (kernel[i] - 1);
            let before = |i| total(i) / 2;
            ((0..kernel.len()).map(before).collect(), (0..kernel.len()).map(|i| total(i) - before(i)).collect())
        }
    }
}

macro_rules! convolution {
    ($name:ident, $transposed:ident, $nd:literal, $over:literal, $conv:ident, $conv_transpose:ident, $input:literal, $output:literal, $window:literal) => {
        #[doc = concat!("Convolution over ", $over, ": each output channel is its bias plus the windows of all input channels, weighted")]
        #[doc = concat!("(`nn.", stringify!($name), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`; output: `", $output, "`, both with or without `N`; each size becomes")]
        ///   `(size + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1`, rounded down.
        #[doc = concat!("- `weight`: `(out_channels, in_channels / groups, ", $window, ")`, initially uniform in ±1/√fan_in.")]
        /// - `bias`: `(out_channels)`, initially uniform in ±1/√fan_in.
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($name), "::new(2, 5, 3);")]
        #[doc = concat!("let mut shape = vec![1, 2]; shape.extend([8; ", stringify!($nd), "]);")]
        /// let y = layer.call(&Tensor::ones(shape));
        #[doc = concat!("assert!(y.size(1) == 5 && y.shape()[2..] == [6; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $name {
            base: Base,
            /// The channels of the input.
            pub in_channels: usize,
            /// The channels of the output.
            pub out_channels: usize,
            /// The size of the window.
            pub kernel_size: Dims,
            /// Steps of the window.
            pub stride: Dims,
            /// Zeros around the input.
            pub padding: Padding,
            /// Distance between the window's points.
            pub dilation: Dims,
            /// The number of groups.
            pub groups: usize,
            /// What is seen around the input.
            pub padding_mode: PaddingMode,
            /// The windows.
            pub weight: Parameter,
            /// What is added to each output channel.
            pub bias: Option<Parameter>,
        }
        impl $name {
            /// A convolution with stride 1, without padding, with a bias.
            #[track_caller]
            pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<Dims>) -> $name {
                $name::with(in_channels, out_channels, kernel_size, ConvNdOptions::default())
            }
            /// A convolution with keyword arguments.
            ///
            /// # Panics
            /// If `groups` does not divide the channels, or `Padding::Same` meets a stride.
            #[track_caller]
            pub fn with(in_channels: usize, out_channels: usize, kernel_size: impl Into<Dims>, options: ConvNdOptions) -> $name {
                const NAME: &str = stringify!($name);
                let ConvNdOptions { stride, padding, dilation, groups, bias, padding_mode, dtype } = options;
                check_groups(NAME, in_channels, out_channels, groups);
                let kernel_size = spread(NAME, "kernel_size", kernel_size.into(), $nd);
                let stride = spread(NAME, "stride", stride, $nd);
                let dilation = spread(NAME, "dilation", dilation, $nd);
                let padding = match padding {
                    Padding::Zeros(zeros) => Padding::Zeros(spread(NAME, "padding", zeros, $nd)),
                    Padding::Same if stride.iter().any(|s| *s != 1) => {
                        fail(NAME, "padding='same' is not supported for strided convolutions")
                    }
                    named => named,
                };
                let layer = $name {
                    base: Base::new(),
                    in_channels,
                    out_channels,
                    kernel_size,
                    stride,
                    padding,
                    dilation,
                    groups,
                    padding_mode,
                    weight: make_weight(out_channels, in_channels / groups, &kernel_size, dtype),
                    bias: bias.then(|| Parameter::new(Tensor::zeros_of([out_channels], dtype))),
                };
                layer.reset_parameters();
                layer
            }
            /// Draws the initial values anew.
            pub fn reset_parameters(&self) {
                reset_affine(&self.weight, self.bias.as_ref());
            }
            fn extra_repr(&self) -> String {
                let padding = match &self.padding {
                    Padding::Zeros(zeros) => sizes_text("padding", zeros, 0),
                    Padding::Valid => ", padding=valid".into(),
                    Padding::Same => ", padding=same".into(),
                };
                format!(
                    "{}, {}, kernel_size={}, stride={}{padding}{}{}{}{}",
                    self.in_channels,
                    self.out_channels,
                    tuple(&self.kernel_size),
                    tuple(&self.stride),
                    sizes_text("dilation", &self.dilation, 1),
                    if self.groups == 1 { String::new() } else { format!(", groups={}", self.groups) },
                    if self.bias.is_some() { "" } else { ", bias=False" },
                    match self.padding_mode {
                        PaddingMode::Zeros => String::new(),
                        mode => format!(", padding_mode={}", mode.name()),
                    },
                )
            }
        }
        impl Forward for $name {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                let mut options = ConvOptions {
                    stride: self.stride,
                    padding: self.padding,
                    dilation: self.dilation,
                    groups: self.groups,
                };
                if self.padding_mode != PaddingMode::Zeros {
                    let (before, behind) = around(&self.padding, &self.kernel_size, &self.dilation);
                    let input = self.padding_mode.pad(stringify!($conv), input, &before, &behind);
                    options.padding = Padding::Valid;
                    return F::$conv(&input, &self.weight, self.bias.as_deref(), options);
                }
                F::$conv(input, &self.weight, self.bias.as_deref(), options)
            }
        }

        #[doc = concat!("Transposed convolution over ", $over, ": what [`", stringify!($name), "`] does to gradients")]
        #[doc = concat!("(`nn.", stringify!($transposed), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`; output: `", $output, "`, both with or without `N`; each size becomes")]
        ///   `(size - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1`.
        #[doc = concat!("- `weight`: `(in_channels, out_channels / groups, ", $window, ")`, initially uniform in ±1/√fan_in.")]
        /// - `bias`: `(out_channels)`, initially uniform in ±1/√fan_in.
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($transposed), "::new(2, 5, 3);")]
        #[doc = concat!("let mut shape = vec![1, 2]; shape.extend([8; ", stringify!($nd), "]);")]
        /// let y = layer.call(&Tensor::ones(shape));
        #[doc = concat!("assert!(y.size(1) == 5 && y.shape()[2..] == [10; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $transposed {
            base: Base,
            /// The channels of the input.
            pub in_channels: usize,
            /// The channels of the output.
            pub out_channels: usize,
            /// The size of the window.
            pub kernel_size: Dims,
            /// Steps of the window.
            pub stride: Dims,
            /// So much is cut from both sides of the result.
            pub padding: Dims,
            /// So much is added to one side of the result.
            pub output_padding: Dims,
            /// Distance between the window's points.
            pub dilation: Dims,
            /// The number of groups.
            pub groups: usize,
            /// The windows.
            pub weight: Parameter,
            /// What is added to each output channel.
            pub bias: Option<Parameter>,
        }
        impl $transposed {
            /// A transposed convolution with stride 1 and a bias.
            #[track_caller]
            pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<Dims>) -> $transposed {
                $transposed::with(in_channels, out_channels, kernel_size, ConvTransposeNdOptions::default())
            }
            /// A transposed convolution with keyword arguments.
            ///
            /// # Panics
            /// If `groups` does not divide the channels.
            #[track_caller]
            pub fn with(
                in_channels: usize,
                out_channels: usize,
                kernel_size: impl Into<Dims>,
                options: ConvTransposeNdOptions,
            ) -> $transposed {
                const NAME: &str = stringify!($transposed);
                let ConvTransposeNdOptions { stride, padding, output_padding, groups, bias, dilation, dtype } = options;
                check_groups(NAME, in_channels, out_channels, groups);
                let kernel_size = spread(NAME, "kernel_size", kernel_size.into(), $nd);
                let layer = $transposed {
                    base: Base::new(),
                    in_channels,
                    out_channels,
                    kernel_size,
                    stride: spread(NAME, "stride", stride, $nd),
                    padding: spread(NAME, "padding", padding, $nd),
                    output_padding: spread(NAME, "output_padding", output_padding, $nd),
                    dilation: spread(NAME, "dilation", dilation, $nd),
                    groups,
                    weight: make_weight(in_channels, out_channels / groups, &kernel_size, dtype),
                    bias: bias.then(|| Parameter::new(Tensor::zeros_of([out_channels], dtype))),
                };
                layer.reset_parameters();
                layer
            }
            /// Draws the initial values anew.
            pub fn reset_parameters(&self) {
                reset_affine(&self.weight, self.bias.as_ref());
            }
            fn extra_repr(&self) -> String {
                format!(
                    "{}, {}, kernel_size={}, stride={}{}{}{}{}{}",
                    self.in_channels,
                    self.out_channels,
                    tuple(&self.kernel_size),
                    tuple(&self.stride),
                    sizes_text("padding", &self.padding, 0),
                    sizes_text("dilation", &self.dilation, 1),
                    sizes_text("output_padding", &self.output_padding, 0),
                    if self.groups == 1 { String::new() } else { format!(", groups={}", self.groups) },
                    if self.bias.is_some() { "" } else { ", bias=False" },
                )
            }
        }
        impl Forward for $transposed {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                let options = ConvTransposeOptions {
                    stride: self.stride,
                    padding: self.padding,
                    output_padding: self.output_padding,
                    groups: self.groups,
                    dilation: self.dilation,
                };
                F::$conv_transpose(input, &self.weight, self.bias.as_deref(), options)
            }
        }
    };
}

convolution!(Conv1d, ConvTranspose1d, 1, "one dimension", conv1d, conv_transpose1d, "(N, C, L)", "(N, O, L')", "K");
convolution!(
    Conv2d,
    ConvTranspose2d,
    2,
    "two dimensions",
    conv2d,
    conv_transpose2d,
    "(N, C, H, W)",
    "(N, O, H', W')",
    "KH, KW"
);
convolution!(
    Conv3d,
    ConvTranspose3d,
    3,
    "three dimensions",
    conv3d,
    conv_transpose3d,
    "(N, C, D, H, W)",
    "(N, O, D', H', W')",
    "KD, KH, KW"
);
