//! Functions of tensors that layers are made of (`torch.nn.functional`).

mod conv;
mod linear;

pub use conv::{
    ConvOptions, ConvTransposeOptions, Padding, conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d,
    conv3d,
};
pub use linear::linear;
