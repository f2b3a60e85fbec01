//! 3.2.1 The basic structure of a module.

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

    // 创建模型实例
    let model = CustomModule::new();
    println!("模型结构:");
    println!("{model}");

    // 查看所有参数
    println!("\n模型参数:");
    for (name, param) in model.named_parameters() {
        println!("{name}: {}, requires_grad: {}", param.shape(), Py(param.requires_grad()));
    }

    // 查看所有缓冲区
    println!("\n模型缓冲区:");
    for (name, buffer) in model.named_buffers() {
        println!("{name}: {}", buffer.shape());
    }
}
