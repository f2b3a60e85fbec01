//! A network with an activation of its own, run forward as one would to time it.

use crate::Workload;
use cresset::prelude::*;
use cresset::where_;

/// Leaky ReLU.
fn optimized_activation(x: &Tensor) -> Tensor {
    where_(&x.gt(0.0), x, 0.01 * x)
}

#[derive(Module, Clone)]
pub struct OptimizedModel {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
impl OptimizedModel {
    pub fn new() -> OptimizedModel {
        OptimizedModel {
            base: Base::new(),
            fc1: Linear::new(100, 200),
            fc2: Linear::new(200, 100),
            fc3: Linear::new(100, 1),
        }
    }
}
impl Forward for OptimizedModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = optimized_activation(&self.fc1.call(x));
        let x = optimized_activation(&self.fc2.call(&x));
        self.fc3.call(&x)
    }
}

pub fn workloads() -> Vec<Workload> {
    vec![Workload::new("optimized_forward", || {
        let model = OptimizedModel::new();
        let input = Tensor::randn([1000, 100]);
        Box::new(move || model.call(&input))
    })]
}
