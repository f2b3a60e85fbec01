//! A layer that keeps its hidden state in a buffer.

use crate::Workload;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct StatefulLayer {
    base: Base,
    input_transform: Linear,
    hidden_transform: Linear,
    hidden_state: Buffer,
}
impl StatefulLayer {
    fn new(input_size: usize, hidden_size: usize) -> StatefulLayer {
        StatefulLayer {
            base: Base::new(),
            input_transform: Linear::new(input_size, hidden_size),
            hidden_transform: Linear::new(hidden_size, hidden_size),
            hidden_state: Buffer::new(Tensor::zeros([1, hidden_size])),
        }
    }
}
impl Forward for StatefulLayer {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let batch_size = x.size(0);
        if self.hidden_state.get().size(0) != batch_size {
            let state = self.hidden_state.get();
            self.hidden_state.set(state.expand((batch_size, -1)).contiguous());
        }
        let input_contribution = self.input_transform.call(x);
        let hidden_contribution = self.hidden_transform.call(&self.hidden_state.get());
        let new_hidden = (input_contribution + hidden_contribution).tanh();
        self.hidden_state.set(new_hidden.detach());
        new_hidden
    }
}

pub fn workloads() -> Vec<Workload> {
    vec![Workload::new("stateful_step", || {
        let layer = StatefulLayer::new(10, 20);
        let input = Tensor::randn([1, 10]);
        Box::new(move || layer.call(&input))
    })]
}
