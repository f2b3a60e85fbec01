//! The layers of `torch.nn`: each a constructor, `reset_parameters`, `forward` and `extra_repr`.

mod activation;
mod bilinear;
mod conv;
mod dropout;
mod flatten;
mod linear;
mod sizes;

pub use crate::functional::Padding;
pub use activation::{
    CELU, CELUOptions, ELU, ELUOptions, GELU, GELUOptions, GLU, Hardshrink, HardshrinkOptions, Hardsigmoid,
    HardsigmoidOptions, Hardswish, HardswishOptions, Hardtanh, HardtanhOptions, LeakyReLU, LeakyReLUOptions,
    LogSigmoid, Mish, MishOptions, PReLU, PReLUOptions, RReLU, RReLUOptions, ReLU, ReLU6, ReLU6Options, ReLUOptions,
    SELU, SELUOptions, SiLU, SiLUOptions, Sigmoid, Softplus, SoftplusOptions, Softshrink, SoftshrinkOptions, Softsign,
    Tanh, Tanhshrink, Threshold, ThresholdOptions,
};
pub use bilinear::{Bilinear, BilinearOptions};
pub use conv::{
    Conv1d, Conv1dOptions, Conv2d, Conv2dOptions, Conv3d, Conv3dOptions, ConvNdOptions, ConvTranspose1d,
    ConvTranspose1dOptions, ConvTranspose2d, ConvTranspose2dOptions, ConvTranspose3d, ConvTranspose3dOptions,
    ConvTransposeNdOptions, PaddingMode,
};
pub use dropout::{AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, DropoutOptions, FeatureAlphaDropout};
pub use flatten::{Flatten, FlattenOptions, Unflatten};
pub use linear::{Linear, LinearOptions};
