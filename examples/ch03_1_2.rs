//! 3.1.2 The multilayer perceptron.

use cresset::prelude::*;

// 使用PyTorch构建多层感知器
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

fn main() {
    manual_seed(0);

    // 创建MLP模型
    let model = SimpleMLP::new(10, 20, 1);
    println!("{model}");

    // 查看模型参数
    for (name, param) in model.named_parameters() {
        println!("{name}: {}", param.shape());
    }
}
