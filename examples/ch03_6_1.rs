//! 3.6.1 Initial values of parameters.

use cresset::prelude::*;

// 参数初始化示例
#[derive(Module, Clone)]
struct InitializationDemo {
    base: Base,
    layers: ModuleList<Linear>,
}
impl InitializationDemo {
    fn new() -> InitializationDemo {
        let model = InitializationDemo {
            base: Base::new(),
            layers: ModuleList::of([Linear::new(10, 20), Linear::new(20, 20), Linear::new(20, 10), Linear::new(10, 1)]),
        };

        // 应用不同的初始化方法
        model.apply_initialization();
        model
    }

    fn apply_initialization(&self) {
        for (i, layer) in self.layers.iter().enumerate() {
            let bias = layer.bias.tensor();
            if i == 0 {
                // Xavier/Glorot 初始化
                init::xavier_uniform_(&layer.weight, 1.0);
                init::zeros_(bias);
            } else if i == 1 {
                // Kaiming/He 初始化
                let (mode, nonlinearity) = (init::FanMode::FanOut, init::Nonlinearity::Relu);
                init::kaiming_normal_(&layer.weight, init::KaimingOptions { mode, nonlinearity, ..Default::default() });
                init::zeros_(bias);
            } else if i == 2 {
                // 正态分布初始化
                init::normal_(&layer.weight, 0.0, 0.1);
                init::constant_(bias, 0.1);
            } else {
                // 均匀分布初始化
                init::uniform_(&layer.weight, -0.1, 0.1);
                init::zeros_(bias);
            }
        }
    }
}
impl Forward for InitializationDemo {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let (last, hidden) = self.layers.split_last().unwrap(); // `self.layers[-1]`, `self.layers[:-1]`
        let mut x = x.clone();
        for layer in hidden {
            x = layer.call(&x).relu();
        }
        last.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 分析初始化效果
    let model = InitializationDemo::new();
    println!("各层权重统计:");
    for (i, layer) in model.layers.iter().enumerate() {
        let weight = layer.weight.detach();
        let (mean, std) = (weight.mean().item::<f32>(), weight.std().item::<f32>());
        println!("层 {}: 均值={mean:.4}, 标准差={std:.4}", i + 1);
    }
}
