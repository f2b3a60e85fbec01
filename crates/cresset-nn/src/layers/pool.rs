//! Pooling.

use super::sizes::sizes;
use crate::functional::{self as F, AvgPoolOptions, MaxPoolOptions, OutputSize};
use crate::repr::{boolean, tuple};
use crate::{Base, Forward, Module};
use cresset_tensor::{Dims, Tensor};

macro_rules! pooling {
    ($nd:literal, $input:literal, $max:ident $max_f:ident $max_with:ident, $avg:ident $avg_f:ident,
     $amax:ident $amax_f:ident $amax_with:ident, $aavg:ident $aavg_f:ident, $avg_text:ident) => {
        #[doc = concat!("The largest element of every window (`nn.", stringify!($max), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`, with or without `N`; each size becomes")]
        ///   `(size + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1`, rounded down, or up with `ceil_mode`.
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($max), "::new(2);")]
        #[doc = concat!("let mut shape = vec![1, 3]; shape.extend([8; ", stringify!($nd), "]);")]
        #[doc = concat!("assert_eq!(layer.call(&Tensor::ones(shape)).shape()[2..], [4; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $max {
            base: Base,
            /// The size of the window.
            pub kernel_size: Dims,
            /// Steps of the window.
            pub stride: Dims,
            /// Imagined points (minus infinity) on both sides.
            pub padding: Dims,
            /// Distance between the window's points.
            pub dilation: Dims,
            /// Is the number of windows rounded up?
            pub ceil_mode: bool,
        }
        impl $max {
            /// Windows side by side.
            pub fn new(kernel_size: impl Into<Dims>) -> $max {
                $max::with(kernel_size, MaxPoolOptions::default())
            }
            /// With keyword arguments.
            pub fn with(kernel_size: impl Into<Dims>, options: MaxPoolOptions) -> $max {
                let MaxPoolOptions { stride, padding, dilation, ceil_mode } = options;
                let kernel_size = kernel_size.into();
                $max {
                    base: Base::new(),
                    kernel_size,
                    stride: stride.unwrap_or(kernel_size),
                    padding,
                    dilation,
                    ceil_mode,
                }
            }
            fn options(&self) -> MaxPoolOptions {
                let $max { stride, padding, dilation, ceil_mode, .. } = *self;
                MaxPoolOptions { stride: Some(stride), padding, dilation, ceil_mode }
            }
            /// The largest elements and where they lie in their planes (`return_indices=True`), without hooks.
            pub fn forward_with_indices(&self, input: &Tensor) -> (Tensor, Tensor) {
                F::$max_with(input, self.kernel_size, self.options())
            }
            fn extra_repr(&self) -> String {
                format!(
                    "kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={}",
                    sizes(&self.kernel_size),
                    sizes(&self.stride),
                    sizes(&self.padding),
                    sizes(&self.dilation),
                    boolean(self.ceil_mode)
                )
            }
        }
        impl Forward for $max {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                F::$max_f(input, self.kernel_size, self.options())
            }
        }

        #[doc = concat!("The mean of every window (`nn.", stringify!($avg), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`, with or without `N`; each size becomes")]
        ///   `(size + 2 padding - kernel_size) / stride + 1`, rounded down, or up with `ceil_mode`.
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($avg), "::new(2);")]
        #[doc = concat!("let mut shape = vec![1, 3]; shape.extend([8; ", stringify!($nd), "]);")]
        #[doc = concat!("assert_eq!(layer.call(&Tensor::ones(shape)).shape()[2..], [4; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $avg {
            base: Base,
            /// The size of the window.
            pub kernel_size: Dims,
            /// Steps of the window.
            pub stride: Dims,
            /// Zeros on both sides.
            pub padding: Dims,
            /// Is the number of windows rounded up?
            pub ceil_mode: bool,
            /// Do the zeros count in the mean?
            pub count_include_pad: bool,
            /// The divisor, instead of the number of points.
            pub divisor_override: Option<i64>,
        }
        impl $avg {
            /// Windows side by side.
            pub fn new(kernel_size: impl Into<Dims>) -> $avg {
                $avg::with(kernel_size, AvgPoolOptions::default())
            }
            /// With keyword arguments.
            pub fn with(kernel_size: impl Into<Dims>, options: AvgPoolOptions) -> $avg {
                let AvgPoolOptions { stride, padding, ceil_mode, count_include_pad, divisor_override } = options;
                let kernel_size = kernel_size.into();
                let stride = stride.unwrap_or(kernel_size);
                $avg { base: Base::new(), kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override }
            }
            fn extra_repr(&self) -> String {
                let (kernel, stride, padding) = (&self.kernel_size, &self.stride, &self.padding);
                format!(
                    "kernel_size={}, stride={}, padding={}",
                    $avg_text(kernel),
                    $avg_text(stride),
                    $avg_text(padding)
                )
            }
        }
        impl Forward for $avg {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                let $avg { stride, padding, ceil_mode, count_include_pad, divisor_override, .. } = *self;
                let stride = Some(stride);
                let options = AvgPoolOptions { stride, padding, ceil_mode, count_include_pad, divisor_override };
                F::$avg_f(input, self.kernel_size, options)
            }
        }

        #[doc = concat!("The largest element of so many parts of the input (`nn.", stringify!($amax), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`, with or without `N`; the sizes become `output_size`.")]
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($amax), "::new(3);")]
        #[doc = concat!("let mut shape = vec![1, 3]; shape.extend([8; ", stringify!($nd), "]);")]
        #[doc = concat!("assert_eq!(layer.call(&Tensor::ones(shape)).shape()[2..], [3; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $amax {
            base: Base,
            /// The sizes of the output; `None` where the input's stays.
            pub output_size: OutputSize,
        }
        impl $amax {
            /// With the sizes of the output: one for all dimensions or one for each.
            pub fn new(output_size: impl Into<OutputSize>) -> $amax {
                $amax { base: Base::new(), output_size: output_size.into() }
            }
            /// The largest elements and where they lie in their planes (`return_indices=True`), without hooks.
            pub fn forward_with_indices(&self, input: &Tensor) -> (Tensor, Tensor) {
                F::$amax_with(input, self.output_size)
            }
            fn extra_repr(&self) -> String {
                format!("output_size={}", output_size(&self.output_size))
            }
        }
        impl Forward for $amax {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                F::$amax_f(input, self.output_size)
            }
        }

        #[doc = concat!("The mean of so many parts of the input (`nn.", stringify!($aavg), "`).")]
        ///
        #[doc = concat!("- Input: `", $input, "`, with or without `N`; the sizes become `output_size`.")]
        ///
        /// ```
        /// use cresset_nn::prelude::*;
        #[doc = concat!("let layer = cresset_nn::", stringify!($aavg), "::new(3);")]
        #[doc = concat!("let mut shape = vec![1, 3]; shape.extend([8; ", stringify!($nd), "]);")]
        #[doc = concat!("assert_eq!(layer.call(&Tensor::ones(shape)).shape()[2..], [3; ", stringify!($nd), "]);")]
        /// ```
        #[derive(Module, Clone)]
        pub struct $aavg {
            base: Base,
            /// The sizes of the output; `None` where the input's stays.
            pub output_size: OutputSize,
        }
        impl $aavg {
            /// With the sizes of the output: one for all dimensions or one for each.
            pub fn new(output_size: impl Into<OutputSize>) -> $aavg {
                $aavg { base: Base::new(), output_size: output_size.into() }
            }
            fn extra_repr(&self) -> String {
                format!("output_size={}", output_size(&self.output_size))
            }
        }
        impl Forward for $aavg {
            type Output = Tensor;
            fn forward(&self, input: &Tensor) -> Tensor {
                F::$aavg_f(input, self.output_size)
            }
        }
    };
}

fn output_size(size: &OutputSize) -> String {
    let words: Vec<String> = size.given().iter().map(|s| s.map_or("None".into(), |n| n.to_string())).collect();
    match &words[..] {
        [one] => one.clone(),
        many => tuple(many),
    }
}

pooling! {
    1, "(N, C, L)", MaxPool1d max_pool1d max_pool1d_with_indices, AvgPool1d avg_pool1d,
    AdaptiveMaxPool1d adaptive_max_pool1d adaptive_max_pool1d_with_indices, AdaptiveAvgPool1d adaptive_avg_pool1d, tuple
}
pooling! {
    2, "(N, C, H, W)", MaxPool2d max_pool2d max_pool2d_with_indices, AvgPool2d avg_pool2d,
    AdaptiveMaxPool2d adaptive_max_pool2d adaptive_max_pool2d_with_indices, AdaptiveAvgPool2d adaptive_avg_pool2d, sizes
}
pooling! {
    3, "(N, C, D, H, W)", MaxPool3d max_pool3d max_pool3d_with_indices, AvgPool3d avg_pool3d,
    AdaptiveMaxPool3d adaptive_max_pool3d adaptive_max_pool3d_with_indices, AdaptiveAvgPool3d adaptive_avg_pool3d, sizes
}
