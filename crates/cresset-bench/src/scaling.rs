//! Group 6: how the cost of a training step grows with the batch, the width and the depth of a network.

use crate::dense::train_with;
use crate::workload::Workload;
use cresset::nn::init;
use cresset::prelude::*;

/// A network and a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Which of the three sizes is varied.
    pub axis: &'static str,
    /// Rows of a batch.
    pub batch: usize,
    /// Inputs and outputs of every layer.
    pub width: usize,
    /// Layers.
    pub depth: usize,
}

impl Size {
    /// The size that is varied.
    pub fn varied(&self) -> usize {
        match self.axis {
            "batch" => self.batch,
            "width" => self.width,
            _ => self.depth,
        }
    }
    /// The name of its workload.
    pub fn name(&self) -> String {
        format!("scale_{}_{}", self.axis, self.varied())
    }
    /// Multiplications and additions of a step: forward, the gradients of the weights, and of the inputs of all layers but the first.
    pub fn flops(&self) -> f64 {
        let product = 2.0 * self.batch as f64 * (self.width * self.width) as f64;
        product * (3 * self.depth - 1) as f64
    }
    /// Bytes that a step must move if it keeps nothing in a cache: each weight is read forward and backward, its gradient is written, and the
    /// optimizer reads both and writes one; each layer writes and reads its sum and its activation forward, and as much twice backward.
    pub fn bytes(&self) -> f64 {
        let weights = 6 * self.width * self.width;
        let activations = 10 * self.batch * self.width;
        (4 * self.depth * (weights + activations)) as f64
    }
}

/// All of them, each around a network of three layers of 256 and a batch of 128; deep ones of 64 and 32.
pub fn sizes() -> Vec<Size> {
    let size = |axis, batch, width, depth| Size { axis, batch, width, depth };
    let batches = [1, 4, 16, 64, 256, 1024, 4096].map(|n| size("batch", n, 256, 3));
    let widths = [16, 64, 256, 1024, 4096].map(|n| size("width", 128, n, 3));
    let depths = [1, 10, 100, 1000].map(|n| size("depth", 32, 64, n));
    [&batches[..], &widths, &depths].concat()
}

/// The workloads of this group.
pub fn workloads() -> Vec<Workload> {
    let workload = |size: Size| {
        Workload::new(size.name(), move || {
            let mut layers = Sequential::new(());
            for _ in 0..size.depth {
                let layer = Linear::new(size.width, size.width);
                // So that activations and gradients keep their size through a thousand layers.
                let nonlinearity = init::Nonlinearity::Relu;
                init::kaiming_normal_(&layer.weight, init::KaimingOptions { nonlinearity, ..Default::default() });
                layers.push(layer);
                layers.push(ReLU::new());
            }
            let (input, target) = (Tensor::randn([size.batch, size.width]), Tensor::randn([size.batch, size.width]));
            let optimizer = SGD::new(layers.parameters(), 1e-4).optimizer().clone();
            train_with(layers, MSELoss::new(), optimizer, input, target)
        })
    };
    sizes().into_iter().map(workload).collect()
}
