//! 3.2.3 Managing parameters: counting and freezing.

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

// 参数统计
fn count_parameters(model: &dyn Module) -> usize {
    model.parameters().iter().filter(|p| p.requires_grad()).map(|p| p.numel()).sum()
}

// 参数冻结和解冻
#[allow(dead_code)] // for the reader's use, as the next
fn freeze_model(model: &dyn Module) {
    for param in model.parameters() {
        param.requires_grad_(false);
    }
}

#[allow(dead_code)]
fn unfreeze_model(model: &dyn Module) {
    for param in model.parameters() {
        param.requires_grad_(true);
    }
}

// 部分参数冻结
fn freeze_layer(layer: &dyn Module) {
    for param in layer.parameters() {
        param.requires_grad_(false);
    }
}

fn main() {
    manual_seed(0);
    let model = CustomModule::new();

    let total_params = count_parameters(&model);
    println!("可训练参数总数: {total_params}");

    // 冻结第一层
    freeze_layer(&model.linear1);
    println!("冻结第一层后的参数状态:");
    for (name, param) in model.named_parameters() {
        println!("{name}: requires_grad={}", Py(param.requires_grad()));
    }
}
