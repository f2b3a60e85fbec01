//! 3.6.2 An initialisation of one's own.

use cresset::prelude::*;

// 自定义初始化函数
fn custom_init(module: &dyn Module) {
    if let Some(linear) = module.downcast_ref::<Linear>() {
        // 对线性层使用自定义初始化
        init::orthogonal_(&linear.weight, 1.0);
        if let Some(bias) = &linear.bias {
            init::constant_(bias, 0);
        }
    } else if let Some(norm) = module.downcast_ref::<BatchNorm1d>() {
        // 对批量归一化层的初始化
        init::constant_(norm.weight.tensor(), 1);
        init::constant_(norm.bias.tensor(), 0);
    }
}

// 应用自定义初始化
#[derive(Module, Clone)]
struct CustomInitModel {
    base: Base,
    fc1: Linear,
    bn1: BatchNorm1d,
    fc2: Linear,
}
impl CustomInitModel {
    fn new() -> CustomInitModel {
        let model = CustomInitModel {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            bn1: BatchNorm1d::new(20),
            fc2: Linear::new(20, 1),
        };

        // 应用自定义初始化
        model.apply(custom_init);
        model
    }
}
impl Forward for CustomInitModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.bn1.call(&self.fc1.call(x)).relu();
        self.fc2.call(&x)
    }
}

fn main() {
    manual_seed(0);

    let model = CustomInitModel::new();
    println!("自定义初始化后的权重:");
    for (name, param) in model.named_parameters() {
        if name.contains("weight") {
            let (mean, std) = (param.mean().item::<f32>(), param.std().item::<f32>());
            println!("{name}: 均值={mean:.4}, 标准差={std:.4}");
        }
    }
}
