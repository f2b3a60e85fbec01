//! 3.2.2 Training mode and evaluation mode.

use cresset::prelude::*;

// 自定义神经网络模块
#[derive(Module, Clone)]
struct CustomModule {
    base: Base,
    // 定义子模块
    linear1: Linear,
    linear2: Linear,
    dropout: Dropout,

    // 定义参数
    custom_param: Parameter,

    // 定义缓冲区(不参与梯度计算)
    running_mean: Buffer,
}
impl CustomModule {
    fn new() -> CustomModule {
        CustomModule {
            base: Base::new(),
            linear1: Linear::new(10, 5),
            linear2: Linear::new(5, 1),
            dropout: Dropout::new(0.2),
            custom_param: Parameter::new(Tensor::randn([5])),
            running_mean: Buffer::new(Tensor::zeros([5])),
        }
    }
}
impl Forward for CustomModule {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.linear1.call(x).relu();
        let x = self.dropout.call(&x);
        self.linear2.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 训练模式和评估模式
    let model = CustomModule::new();

    // 设置为训练模式
    model.train();
    println!("训练模式: {}", Py(model.is_training()));

    // 设置为评估模式
    model.eval();
    println!("评估模式: {}", Py(model.is_training()));

    // 递归设置子模块的模式
    model.set_training(true); // 设置为训练模式: `model.train(True)`
    for (name, module) in model.named_modules() {
        println!("{name}: training={}", Py(module.is_training()));
    }
}
