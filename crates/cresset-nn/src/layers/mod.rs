//! The layers of `torch.nn`: each a constructor, `reset_parameters`, `forward` and `extra_repr`.

mod activation;
mod bilinear;
mod conv;
mod dropout;
mod embedding;
mod flatten;
mod linear;
mod loss;
mod norm;
mod pool;
mod sizes;
mod softmax;

pub use crate::functional::{AvgPoolOptions, MaxPoolOptions, OutputSize, Padding, Reduction};
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
pub use embedding::{Embedding, EmbeddingOptions};
pub use flatten::{Flatten, FlattenOptions, Unflatten, UnflattenedSize};
pub use linear::{Linear, LinearOptions};
pub use loss::{
    BCELoss, BCELossOptions, BCEWithLogitsLoss, BCEWithLogitsLossOptions, CrossEntropyLoss, CrossEntropyLossOptions,
    HuberLoss, HuberLossOptions, KLDivLoss, KLDivLossOptions, KLDivReduction, L1Loss, LossOptions, MSELoss, NLLLoss,
    NLLLossOptions, SmoothL1Loss, SmoothL1LossOptions,
};
pub use norm::{
    BatchNorm1d, BatchNorm2d, BatchNorm3d, BatchNormOptions, GroupNorm, GroupNormOptions, InstanceNorm1d,
    InstanceNorm2d, InstanceNorm3d, InstanceNormOptions, LayerNorm, LayerNormOptions, RMSNorm, RMSNormOptions,
};
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d,
    AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d,
};
pub use softmax::{LogSoftmax, Softmax, Softmax2d, Softmin};
