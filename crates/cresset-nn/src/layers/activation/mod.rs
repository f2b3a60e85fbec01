//! Activations.

mod exponential;
mod glu;
mod parametric;
mod relu;
mod shrink;

pub use exponential::{
    CELU, CELUOptions, ELU, ELUOptions, GELU, GELUOptions, LogSigmoid, Mish, MishOptions, SELU, SELUOptions, SiLU,
    SiLUOptions, Sigmoid, Softplus, SoftplusOptions, Tanh,
};
pub use glu::GLU;
pub use parametric::{PReLU, PReLUOptions, RReLU, RReLUOptions, Threshold, ThresholdOptions};
pub use relu::{Hardtanh, HardtanhOptions, LeakyReLU, LeakyReLUOptions, ReLU, ReLU6, ReLU6Options, ReLUOptions};
pub use shrink::{
    Hardshrink, HardshrinkOptions, Hardsigmoid, HardsigmoidOptions, Hardswish, HardswishOptions, Softshrink,
    SoftshrinkOptions, Softsign, Tanhshrink,
};

use crate::repr::number;
/// `inplace=True`, if so.
fn inplace_text(inplace: bool) -> String {
    if inplace { "inplace=True".into() } else { String::new() }
}
/// `, inplace=True`, if so.
fn comma_inplace(inplace: bool) -> &'static str {
    if inplace { ", inplace=True" } else { "" }
}
