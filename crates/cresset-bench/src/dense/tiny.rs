//! The smallest networks, where the library's own work counts, not the arithmetic.

use super::train;
use crate::Workload;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct SimpleMLP {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    relu: ReLU,
}
impl SimpleMLP {
    fn new(input_size: usize, hidden_size: usize, output_size: usize) -> SimpleMLP {
        SimpleMLP {
            base: Base::new(),
            fc1: Linear::new(input_size, hidden_size),
            fc2: Linear::new(hidden_size, output_size),
            relu: ReLU::new(),
        }
    }
}
impl Forward for SimpleMLP {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x);
        let x = self.relu.call(&x);
        self.fc2.call(&x)
    }
}

#[derive(Module, Clone)]
struct ExampleModel {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    dropout: Dropout,
}
impl ExampleModel {
    fn new() -> ExampleModel {
        ExampleModel {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            fc2: Linear::new(20, 1),
            dropout: Dropout::new(0.2),
        }
    }
}
impl Forward for ExampleModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x).relu();
        let x = self.dropout.call(&x);
        self.fc2.call(&x)
    }
}

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("tiny_forward", || {
            let model = SimpleMLP::new(10, 20, 1);
            let input = Tensor::randn([32, 10]);
            Box::new(move || no_grad(|| model.call(&input)))
        }),
        Workload::new("tiny_train", || {
            let model = SimpleMLP::new(10, 20, 1);
            train(model, MSELoss::new(), Tensor::randn([32, 10]), Tensor::randn([32, 1]))
        }),
        Workload::new("example_train", || {
            let model = ExampleModel::new();
            train(model, MSELoss::new(), Tensor::randn([100, 10]), Tensor::randn([100, 1]))
        }),
    ]
}
