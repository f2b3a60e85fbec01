//! A small network for pictures of 28 x 28.

use crate::Workload;
use crate::dense::train;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct LeNet {
    base: Base,
    features: Sequential,
    classifier: Sequential,
}
impl LeNet {
    fn new() -> LeNet {
        LeNet {
            base: Base::new(),
            features: Sequential::new((
                Conv2d::new(1, 32, 3),
                ReLU::new(),
                Conv2d::new(32, 64, 3),
                ReLU::new(),
                MaxPool2d::new(2),
            )),
            classifier: Sequential::new((Flatten::new(), Linear::new(9216, 128), ReLU::new(), Linear::new(128, 10))),
        }
    }
}
impl Forward for LeNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.classifier.call(&self.features.call(x))
    }
}

pub fn workloads() -> Vec<Workload> {
    vec![Workload::new("lenet_train_64", || {
        let model = LeNet::new();
        let input = Tensor::randn([64, 1, 28, 28]);
        let target = Tensor::randint(0, 10, [64]);
        train(model, CrossEntropyLoss::new(), input, target)
    })]
}
