//! 3.3.3 Dropout.

use cresset::prelude::*;

// Dropout层
#[derive(Module, Clone)]
struct DropoutDemo {
    base: Base,
    fc1: Linear,
    dropout1: Dropout,
    fc2: Linear,
    dropout2: Dropout,
    fc3: Linear,
}
impl DropoutDemo {
    fn new() -> DropoutDemo {
        DropoutDemo {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            dropout1: Dropout::new(0.2),
            fc2: Linear::new(20, 10),
            dropout2: Dropout::new(0.5),
            fc3: Linear::new(10, 1),
        }
    }
}
impl Forward for DropoutDemo {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x).relu();
        let x = self.dropout1.call(&x);
        let x = self.fc2.call(&x).relu();
        let x = self.dropout2.call(&x);
        self.fc3.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 测试Dropout效果
    let model = DropoutDemo::new();
    let input_tensor = Tensor::randn([5, 10]);

    // 训练模式下的输出(有随机性)
    model.train();
    println!("训练模式下的输出:");
    for i in 0..3 {
        let output = model.call(&input_tensor);
        println!("第{}次: {:.4}", i + 1, output.i(0).item::<f32>());
    }

    // 评估模式下的输出(确定性)
    model.eval();
    println!("\n评估模式下的输出:");
    for i in 0..3 {
        let output = model.call(&input_tensor);
        println!("第{}次: {:.4}", i + 1, output.i(0).item::<f32>());
    }
}
