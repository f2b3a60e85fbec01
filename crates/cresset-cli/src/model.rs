//! The network that the command line describes.

use crate::args::{Activation, Norm};
use crate::failure::{Failure, Result};
use cresset::StateDict;
use cresset::nn::Layer;
use cresset::prelude::*;

/// Blocks of Linear, norm, activation and Dropout, then a Linear layer to the classes.
#[derive(Module, Clone)]
pub struct MultiClassifier {
    base: Base,
    network: Sequential,
}

impl MultiClassifier {
    /// A network from `inputs` numbers to `outputs` classes, with a block for each of `hidden`.
    pub fn new(
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        dropout: f64,
        activation: Activation,
        norm: Norm,
    ) -> MultiClassifier {
        let mut network = Sequential::new(Vec::<Box<dyn Layer>>::new());
        let mut size = inputs;
        for &next in hidden {
            network.push(Linear::new(size, next));
            match norm {
                Norm::Batch => drop(network.push(BatchNorm1d::new(next))),
                Norm::Layer => drop(network.push(LayerNorm::new(next))),
                Norm::None => {}
            }
            network.push(layer(activation));
            network.push(Dropout::new(dropout));
            size = next;
        }
        network.push(Linear::new(size, outputs));
        MultiClassifier { base: Base::new(), network }
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

fn layer(activation: Activation) -> Box<dyn Layer> {
    match activation {
        Activation::Relu => ReLU::new().boxed(),
        Activation::LeakyRelu => LeakyReLU::new().boxed(),
        Activation::Elu => ELU::new().boxed(),
        Activation::Selu => SELU::new().boxed(),
        Activation::Gelu => GELU::new().boxed(),
        Activation::Silu => SiLU::new().boxed(),
        Activation::Mish => Mish::new().boxed(),
        Activation::Tanh => Tanh::new().boxed(),
        Activation::Sigmoid => Sigmoid::new().boxed(),
    }
}

/// The normalisation of the network that a state dict belongs to: what follows its first layer has running statistics, or a weight, or nothing.
pub fn norm(state: &StateDict) -> Norm {
    match (state.contains_key("network.1.running_mean"), state.contains_key("network.1.weight")) {
        (true, _) => Norm::Batch,
        (false, true) => Norm::Layer,
        (false, false) => Norm::None,
    }
}

/// A file of a few bytes can state any size.
const MOST_WEIGHTS: usize = 1 << 28;

/// Inputs, hidden layers and outputs of the network that a state dict belongs to.
pub fn sizes(state: &StateDict) -> Result<(usize, Vec<usize>, usize)> {
    let mut matrices = Vec::new();
    for (name, tensor) in state {
        let in_network = name.starts_with("network.") && name.ends_with(".weight");
        if let (true, &[out, inputs]) = (in_network, &tensor.shape()[..]) {
            matrices.push((inputs, out));
        }
    }
    let (Some(&(inputs, _)), Some(&(_, outputs))) = (matrices.first(), matrices.last()) else {
        return Err(Failure::new(
            "it holds no network of this program, whose layers are named network.0.weight, network.0.bias, ...",
        ));
    };
    if matrices.iter().any(|&(inputs, out)| inputs.saturating_mul(out) > MOST_WEIGHTS) {
        return Err(Failure::new("its layers are larger than any that this program trains"));
    }
    matrices.pop();
    Ok((inputs, matrices.into_iter().map(|(_, out)| out).collect(), outputs))
}
