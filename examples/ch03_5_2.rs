//! 3.5.2 An attention layer.

use cresset::prelude::*;

// 自定义注意力层
#[derive(Module, Clone)]
struct SimpleAttention {
    base: Base,
    #[allow(dead_code)]
    hidden_size: usize,
    attention: Linear,
}
impl SimpleAttention {
    fn new(hidden_size: usize) -> SimpleAttention {
        SimpleAttention {
            base: Base::new(),
            hidden_size,
            attention: Linear::with(hidden_size, 1, LinearOptions { bias: false, ..Default::default() }),
        }
    }
}
impl Forward for SimpleAttention {
    type Output = (Tensor, Tensor);
    fn forward(&self, hidden_states: &Tensor) -> (Tensor, Tensor) {
        // hidden_states: (batch_size, seq_len, hidden_size)

        // 计算注意力分数
        let attention_scores = self.attention.call(hidden_states); // (batch_size, seq_len, 1)
        let attention_scores = attention_scores.squeeze_dim(-1); // (batch_size, seq_len)

        // 应用softmax
        let attention_weights = attention_scores.softmax(-1); // (batch_size, seq_len)

        // 计算加权和
        let attended_output = (hidden_states * attention_weights.unsqueeze(-1)).sum_dim(1, false);
        // (batch_size, hidden_size)

        (attended_output, attention_weights)
    }
}

fn main() {
    manual_seed(0);

    // 测试注意力层
    let attention_layer = SimpleAttention::new(64);
    let hidden_states = Tensor::randn([2, 10, 64]); // 2个样本,序列长度10,隐藏维度64
    let (output, weights) = attention_layer.call(&hidden_states);
    println!("注意力输出形状: {}", output.shape());
    println!("注意力权重形状: {}", weights.shape());
    println!("注意力权重和: {}", weights.sum_dim(1, false)); // 应该接近1
}
