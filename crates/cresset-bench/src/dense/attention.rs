//! A simple attention: a weighted sum over a sequence.

use crate::Workload;
use cresset::prelude::*;

#[derive(Module, Clone)]
struct SimpleAttention {
    base: Base,
    attention: Linear,
}
impl SimpleAttention {
    fn new(hidden_size: usize) -> SimpleAttention {
        let attention = Linear::with(hidden_size, 1, LinearOptions { bias: false, ..Default::default() });
        SimpleAttention { base: Base::new(), attention }
    }
}
impl Forward for SimpleAttention {
    type Output = (Tensor, Tensor);
    fn forward(&self, hidden_states: &Tensor) -> (Tensor, Tensor) {
        let attention_scores = self.attention.call(hidden_states);
        let attention_scores = attention_scores.squeeze_dim(-1);
        let attention_weights = attention_scores.softmax(-1);
        let attended_output = (hidden_states * attention_weights.unsqueeze(-1)).sum_dim(1, false);
        (attended_output, attention_weights)
    }
}

pub fn workloads() -> Vec<Workload> {
    vec![Workload::new("attention_train", || {
        let model = SimpleAttention::new(64);
        let optimizer = SGD::new(model.parameters(), 0.01);
        let input = Tensor::randn([32, 100, 64]);
        Box::new(move || {
            optimizer.zero_grad();
            let (output, _) = model.call(&input);
            let loss = output.mean();
            loss.backward();
            optimizer.step();
            loss
        })
    })]
}
