//! 3.4.2 Hooks that watch the forward pass.

use cresset::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

// 使用钩子函数监控前向传播
#[derive(Module, Clone)]
struct HookDemo {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,

    // 存储中间结果
    // Owned by the model and by its hooks. It is no part of the model's state: `skip`.
    #[module(skip)]
    activations: Arc<Mutex<BTreeMap<&'static str, Tensor>>>,
}
impl HookDemo {
    fn new() -> HookDemo {
        let model = HookDemo {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            fc2: Linear::new(20, 10),
            fc3: Linear::new(10, 1),
            activations: Default::default(),
        };

        // 注册前向钩子
        model.fc1.register_forward_hook(model.get_activation("fc1"));
        model.fc2.register_forward_hook(model.get_activation("fc2"));
        model
    }

    fn get_activation(&self, name: &'static str) -> impl Fn(&dyn Module, &Values, &Values) + 'static {
        let activations = self.activations.clone();
        move |_model, _input, output| {
            activations.lock().unwrap().insert(name, output.detach());
        }
    }
}
impl Forward for HookDemo {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x).relu();
        let x = self.fc2.call(&x).relu();
        self.fc3.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 测试钩子函数
    let model = HookDemo::new();
    let input_data = Tensor::randn([5, 10]);
    let _output = model.call(&input_data);

    println!("中间层激活值:");
    for (name, activation) in model.activations.lock().unwrap().iter() {
        println!("{name}: {}, mean: {:.4}", activation.shape(), activation.mean().item::<f32>());
    }
}
