//! 3.10.1 A model that reports on its forward pass.

use cresset::prelude::*;

// 模型调试工具
#[derive(Module, Clone)]
struct DebugModel {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,

    // 调试标志
    debug: bool,
}
impl DebugModel {
    fn new() -> DebugModel {
        DebugModel {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            fc2: Linear::new(20, 10),
            fc3: Linear::new(10, 1),
            debug: true,
        }
    }
}
impl Forward for DebugModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        if self.debug {
            let (mean, std) = (x.mean().item::<f32>(), x.std().item::<f32>());
            println!("输入: shape={}, mean={mean:.4}, std={std:.4}", x.shape());
        }

        let x1 = self.fc1.call(x).relu();
        if self.debug {
            println!("第一层输出: shape={}, mean={:.4}", x1.shape(), x1.mean().item::<f32>());
            println!("第一层激活率: {:.4}", x1.gt(0).float().mean().item::<f32>());
        }

        let x2 = self.fc2.call(&x1).relu();
        if self.debug {
            println!("第二层输出: shape={}, mean={:.4}", x2.shape(), x2.mean().item::<f32>());
        }

        let x3 = self.fc3.call(&x2);
        if self.debug {
            println!("最终输出: shape={}, mean={:.4}", x3.shape(), x3.mean().item::<f32>());
        }

        x3
    }
}

fn main() {
    manual_seed(0);

    // 测试调试模型
    let mut debug_model = DebugModel::new();
    let test_input = Tensor::randn([5, 10]);
    let _output = debug_model.call(&test_input);

    // 关闭调试模式
    debug_model.debug = false;
    let _output = debug_model.call(&test_input);
    println!("调试模式已关闭");
}
