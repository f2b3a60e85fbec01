//! 3.3.1 Linear layers.

use cresset::prelude::*;

// 线性层详解
#[derive(Module, Clone)]
struct LinearLayerDemo {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
impl LinearLayerDemo {
    fn new() -> LinearLayerDemo {
        let model = LinearLayerDemo {
            base: Base::new(),
            // 基本线性层
            fc1: Linear::new(10, 5),

            // 不使用偏置的线性层
            fc2: Linear::with(5, 3, LinearOptions { bias: false, ..Default::default() }),

            // 自定义权重初始化
            fc3: Linear::new(3, 1),
        };
        init::xavier_uniform_(&model.fc3.weight, 1.0);
        init::zeros_(model.fc3.bias.tensor()); // a bias may be missing: `tensor()` says so if it is
        model
    }
}
impl Forward for LinearLayerDemo {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x);
        let x = self.fc2.call(&x);
        self.fc3.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 测试线性层
    let model = LinearLayerDemo::new();
    let input_tensor = Tensor::randn([32, 10]); // batch_size=32, input_size=10
    let output = model.call(&input_tensor);
    println!("输入形状: {}", input_tensor.shape());
    println!("输出形状: {}", output.shape());

    // 查看权重和偏置
    println!("fc1权重形状: {}", model.fc1.weight.shape());
    println!("fc1偏置形状: {}", model.fc1.bias.tensor().shape());
}
