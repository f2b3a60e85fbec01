//! 3.4.1 The forward pass, step by step.

use cresset::prelude::*;

// 详细的前向传播示例
#[derive(Module, Clone)]
struct DetailedForward {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
impl DetailedForward {
    fn new() -> DetailedForward {
        DetailedForward { base: Base::new(), fc1: Linear::new(4, 8), fc2: Linear::new(8, 4), fc3: Linear::new(4, 1) }
    }
}
impl Forward for DetailedForward {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        println!("输入形状: {}", x.shape());

        // 第一层
        let x1 = self.fc1.call(x);
        println!("第一层输出形状: {}", x1.shape());
        let x1_activated = x1.relu();
        println!("第一层激活后形状: {}", x1_activated.shape());

        // 第二层
        let x2 = self.fc2.call(&x1_activated);
        println!("第二层输出形状: {}", x2.shape());
        let x2_activated = x2.relu();

        // 第三层
        let x3 = self.fc3.call(&x2_activated);
        println!("最终输出形状: {}", x3.shape());

        x3
    }
}

fn main() {
    manual_seed(0);

    // 测试前向传播
    let model = DetailedForward::new();
    let input_data = Tensor::randn([3, 4]); // 3个样本,每个样本4个特征
    let _output = model.call(&input_data);
}
