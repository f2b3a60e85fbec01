//! Initial values whose scale follows from the shape: Xavier's and Kaiming's.

use super::fill::{normal_, uniform_};
use cresset_tensor::Tensor;
use cresset_tensor::error::fail;
use std::str::FromStr;

/// The nonlinearity after a layer, for [`calculate_gain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonlinearity {
    /// None, or a linear layer or convolution: gain 1.
    Linear,
    /// Gain 1.
    Sigmoid,
    /// Gain 5/3.
    Tanh,
    /// Gain √2.
    Relu,
    /// Gain √(2 / (1 + slope²)).
    LeakyRelu,
    /// Gain 3/4.
    Selu,
}

impl FromStr for Nonlinearity {
    type Err = String;
    /// From PyTorch's name: `"leaky_relu"`.
    fn from_str(name: &str) -> Result<Nonlinearity, String> {
        Ok(match name {
            "linear" | "conv1d" | "conv2d" | "conv3d" | "conv_transpose1d" | "conv_transpose2d"
            | "conv_transpose3d" => Nonlinearity::Linear,
            "sigmoid" => Nonlinearity::Sigmoid,
            "tanh" => Nonlinearity::Tanh,
            "relu" => Nonlinearity::Relu,
            "leaky_relu" => Nonlinearity::LeakyRelu,
            "selu" => Nonlinearity::Selu,
            other => return Err(format!("Unsupported nonlinearity {other}")),
        })
    }
}

/// The recommended gain of a nonlinearity; `param` is the slope of a leaky ReLU, 0.01 if not given (`nn.init.calculate_gain(nonlinearity, param)`).
pub fn calculate_gain(nonlinearity: Nonlinearity, param: Option<f64>) -> f64 {
    match nonlinearity {
        Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
        Nonlinearity::Tanh => 5.0 / 3.0,
        Nonlinearity::Relu => 2.0f64.sqrt(),
        Nonlinearity::LeakyRelu => {
            let slope = param.unwrap_or(0.01);
            (2.0 / (1.0 + slope * slope)).sqrt()
        }
        Nonlinearity::Selu => 3.0 / 4.0,
    }
}

/// How many numbers flow into and out of one element of a weight (`nn.init._calculate_fan_in_and_fan_out(tensor)`).
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn calculate_fan_in_and_fan_out(tensor: &Tensor) -> (usize, usize) {
    let shape = tensor.shape();
    if shape.len() < 2 {
        fail("init", "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
    }
    let field: usize = shape[2..].iter().product();
    (shape[1] * field, shape[0] * field)
}

/// Uniform numbers of the standard deviation `gain·√(2 / (fan_in + fan_out))` (`nn.init.xavier_uniform_(tensor, gain)`; PyTorch's default gain is 1).
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn xavier_uniform_(tensor: &Tensor, gain: f64) -> Tensor {
    let bound = 3.0f64.sqrt() * xavier_std(tensor, gain);
    uniform_(tensor, -bound, bound)
}
/// Normal numbers of the standard deviation `gain·√(2 / (fan_in + fan_out))` (`nn.init.xavier_normal_(tensor, gain)`).
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn xavier_normal_(tensor: &Tensor, gain: f64) -> Tensor {
    normal_(tensor, 0.0, xavier_std(tensor, gain))
}
#[track_caller]
fn xavier_std(tensor: &Tensor, gain: f64) -> f64 {
    let (fan_in, fan_out) = calculate_fan_in_and_fan_out(tensor);
    gain * (2.0 / (fan_in + fan_out) as f64).sqrt()
}

/// Whether Kaiming's rule keeps the scale of the forward or of the backward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanMode {
    /// By the inputs: keeps the scale of the forward pass.
    #[default]
    FanIn,
    /// By the outputs: keeps the scale of the backward pass.
    FanOut,
}

/// The keyword arguments of [`kaiming_uniform_`] and [`kaiming_normal_`].
#[derive(Clone, Copy, Debug)]
pub struct KaimingOptions {
    /// The slope of the leaky ReLU that follows (0).
    pub a: f64,
    /// By which fan to scale (`FanIn`).
    pub mode: FanMode,
    /// What follows the layer (`LeakyRelu`).
    pub nonlinearity: Nonlinearity,
}
impl Default for KaimingOptions {
    fn default() -> KaimingOptions {
        KaimingOptions { a: 0.0, mode: FanMode::FanIn, nonlinearity: Nonlinearity::LeakyRelu }
    }
}

/// Uniform numbers of the standard deviation `gain / √fan` (`nn.init.kaiming_uniform_(tensor, a, mode, nonlinearity)`).
///
/// ```
/// use cresset_nn::init::{self, KaimingOptions};
/// let weight = cresset_tensor::Tensor::zeros([4, 100]);
/// init::kaiming_uniform_(&weight, KaimingOptions { a: 5f64.sqrt(), ..Default::default() });
/// assert!(weight.to_vec::<f32>().iter().all(|w| w.abs() <= 0.1));
/// ```
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn kaiming_uniform_(tensor: &Tensor, options: KaimingOptions) -> Tensor {
    match kaiming_std(tensor, options) {
        Some(std) => {
            let bound = 3.0f64.sqrt() * std;
            uniform_(tensor, -bound, bound)
        }
        None => tensor.clone(),
    }
}
/// Normal numbers of the standard deviation `gain / √fan` (`nn.init.kaiming_normal_(tensor, a, mode, nonlinearity)`).
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn kaiming_normal_(tensor: &Tensor, options: KaimingOptions) -> Tensor {
    match kaiming_std(tensor, options) {
        Some(std) => normal_(tensor, 0.0, std),
        None => tensor.clone(),
    }
}
/// `None` for a tensor without elements: nothing is drawn for it.
#[track_caller]
fn kaiming_std(tensor: &Tensor, options: KaimingOptions) -> Option<f64> {
    if tensor.numel() == 0 && tensor.shape().contains(&0) {
        return None;
    }
    let (fan_in, fan_out) = calculate_fan_in_and_fan_out(tensor);
    let fan = match options.mode {
        FanMode::FanIn => fan_in,
        FanMode::FanOut => fan_out,
    };
    Some(calculate_gain(options.nonlinearity, Some(options.a)) / (fan as f64).sqrt())
}
