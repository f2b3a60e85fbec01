//! 3.3.4 Batch normalisation.

use cresset::prelude::*;

// 批量归一化
#[derive(Module, Clone)]
struct BatchNormDemo {
    base: Base,
    fc1: Linear,
    bn1: BatchNorm1d,
    fc2: Linear,
    bn2: BatchNorm1d,
    fc3: Linear,
}
impl BatchNormDemo {
    fn new() -> BatchNormDemo {
        BatchNormDemo {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            bn1: BatchNorm1d::new(20),
            fc2: Linear::new(20, 10),
            bn2: BatchNorm1d::new(10),
            fc3: Linear::new(10, 1),
        }
    }
}
impl Forward for BatchNormDemo {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x);
        let x = self.bn1.call(&x);
        let x = x.relu();
        let x = self.fc2.call(&x);
        let x = self.bn2.call(&x);
        let x = x.relu();
        self.fc3.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 测试批量归一化
    let model = BatchNormDemo::new();
    let input_tensor = Tensor::randn([32, 10]); // 批量大小为32

    // 训练模式
    model.train();
    let output = model.call(&input_tensor);
    println!("训练模式输出形状: {}", output.shape());

    // 查看BatchNorm的统计信息
    println!("BN1 running_mean: {}", model.bn1.running_mean.tensor().i(..5));
    println!("BN1 running_var: {}", model.bn1.running_var.tensor().i(..5));
}
