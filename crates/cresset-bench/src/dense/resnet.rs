//! A residual network of Linear layers.

use super::train;
use crate::Workload;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct ResidualBlock {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    bn1: BatchNorm1d,
    bn2: BatchNorm1d,
    dropout: Dropout,
}
impl ResidualBlock {
    fn new(hidden_size: usize) -> ResidualBlock {
        ResidualBlock {
            base: Base::new(),
            fc1: Linear::new(hidden_size, hidden_size),
            fc2: Linear::new(hidden_size, hidden_size),
            bn1: BatchNorm1d::new(hidden_size),
            bn2: BatchNorm1d::new(hidden_size),
            dropout: Dropout::new(0.1),
        }
    }
}
impl Forward for ResidualBlock {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let residual = x;
        let out = self.fc1.call(x);
        let out = self.bn1.call(&out);
        let out = out.relu();
        let out = self.dropout.call(&out);

        let out = self.fc2.call(&out);
        let mut out = self.bn2.call(&out);

        out += residual;
        out.relu()
    }
}

#[derive(Module, Clone)]
struct ResNet {
    base: Base,
    input_projection: Linear,
    residual_blocks: ModuleList,
    output_layer: Linear,
}
impl ResNet {
    fn new(input_size: usize, hidden_size: usize, num_blocks: usize, num_classes: usize) -> ResNet {
        ResNet {
            base: Base::new(),
            input_projection: Linear::new(input_size, hidden_size),
            residual_blocks: (0..num_blocks).map(|_| ResidualBlock::new(hidden_size)).collect(),
            output_layer: Linear::new(hidden_size, num_classes),
        }
    }
}
impl Forward for ResNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input_projection.call(x).relu();
        for block in &self.residual_blocks {
            x = block.call(&x);
        }
        self.output_layer.call(&x)
    }
}

pub fn workloads() -> Vec<Workload> {
    let training = [16, 128].map(|batch| {
        Workload::new(format!("resnet_train_{batch}"), move || {
            let model = ResNet::new(100, 256, 4, 10);
            let input = Tensor::randn([batch, 100]);
            let target = Tensor::randint(0, 10, [batch]);
            train(model, CrossEntropyLoss::new(), input, target)
        })
    });
    training.into()
}
