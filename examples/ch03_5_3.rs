//! 3.5.3 A layer with a state.

use cresset::prelude::*;

// 带状态的自定义层(类似LSTM的隐藏状态)
#[derive(Module, Clone)]
struct StatefulLayer {
    base: Base,
    hidden_size: usize,

    input_transform: Linear,
    hidden_transform: Linear,

    // 初始化隐藏状态
    hidden_state: Buffer,
}
impl StatefulLayer {
    fn new(input_size: usize, hidden_size: usize) -> StatefulLayer {
        StatefulLayer {
            base: Base::new(),
            hidden_size,
            input_transform: Linear::new(input_size, hidden_size),
            hidden_transform: Linear::new(hidden_size, hidden_size),
            hidden_state: Buffer::new(Tensor::zeros([1, hidden_size])),
        }
    }

    #[allow(dead_code)] // there for whoever uses the layer
    fn reset_state(&self, batch_size: usize) {
        self.hidden_state.set(Tensor::zeros([batch_size, self.hidden_size]));
    }
}
impl Forward for StatefulLayer {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        // x: (batch_size, input_size)
        let batch_size = x.size(0);

        // 扩展隐藏状态以匹配批量大小
        if self.hidden_state.size(0) != batch_size {
            self.hidden_state.set(self.hidden_state.get().expand((batch_size, -1)).contiguous());
        }

        // 计算新的隐藏状态
        let input_contribution = self.input_transform.call(x);
        let hidden_contribution = self.hidden_transform.call(&self.hidden_state);

        let new_hidden = (input_contribution + hidden_contribution).tanh();

        // 更新隐藏状态
        self.hidden_state.set(new_hidden.detach());

        new_hidden
    }
}

fn main() {
    manual_seed(0);

    // 测试带状态的层
    let stateful_layer = StatefulLayer::new(10, 20);
    for i in 0..3 {
        let input_data = Tensor::randn([1, 10]);
        let output = stateful_layer.call(&input_data);
        println!("步骤 {} 输出均值: {:.4}", i + 1, output.mean().item::<f32>());
    }
}
