//! Memory for time: a network with and without checkpoints.

use super::train;
use crate::Workload;
use cresset::checkpoint;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct CheckpointModel {
    base: Base,
    layer1: Linear,
    layer2: Linear,
    layer3: Linear,
    layer4: Linear,
    checkpoints: bool,
}
impl CheckpointModel {
    fn new(checkpoints: bool) -> CheckpointModel {
        CheckpointModel {
            base: Base::new(),
            layer1: Linear::new(1000, 1000),
            layer2: Linear::new(1000, 1000),
            layer3: Linear::new(1000, 1000),
            layer4: Linear::new(1000, 1),
            checkpoints,
        }
    }
    fn forward_block1(&self, x: &Tensor) -> Tensor {
        self.layer2.call(&self.layer1.call(x).relu()).relu()
    }
    fn forward_block2(&self, x: &Tensor) -> Tensor {
        self.layer3.call(x).relu()
    }
}
impl Forward for CheckpointModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        if !self.checkpoints {
            return self.layer4.call(&self.forward_block2(&self.forward_block1(x)));
        }
        let (block1, block2) = (self.clone(), self.clone());
        let x = checkpoint(move |x| block1.forward_block1(x), x);
        let x = checkpoint(move |x| block2.forward_block2(x), &x);
        self.layer4.call(&x)
    }
}

pub fn workloads() -> Vec<Workload> {
    let training = [("checkpoint_train", true), ("checkpoint_train_without", false)].map(|(name, checkpoints)| {
        Workload::new(name, move || {
            let model = CheckpointModel::new(checkpoints);
            train(model, MSELoss::new(), Tensor::randn([256, 1000]), Tensor::randn([256, 1]))
        })
        .with_peak()
    });
    training.into()
}
