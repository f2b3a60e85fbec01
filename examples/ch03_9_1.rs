//! 3.9.1 Models that are sparing with memory. As in the book, the two are only defined; `crates/cresset/tests/chapter.rs` trains the second and
//! measures what the checkpoints save.

#![allow(dead_code)]

use cresset::prelude::*;

// 内存高效的模型设计
#[derive(Module, Clone)]
struct MemoryEfficientModel {
    base: Base,
    // 使用参数共享
    shared_layer: Linear,
    input_layer: Linear,
    output_layer: Linear,
    num_layers: usize,
}
impl MemoryEfficientModel {
    fn new(input_size: usize, hidden_size: usize, num_layers: usize) -> MemoryEfficientModel {
        MemoryEfficientModel {
            base: Base::new(),
            shared_layer: Linear::new(hidden_size, hidden_size),
            input_layer: Linear::new(input_size, hidden_size),
            output_layer: Linear::new(hidden_size, 1),
            num_layers,
        }
    }
}
impl Forward for MemoryEfficientModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input_layer.call(x).relu();

        // 重复使用同一层(参数共享)
        for _ in 0..self.num_layers {
            x = self.shared_layer.call(&x).relu();
        }

        self.output_layer.call(&x)
    }
}

// 梯度检查点(用于大模型)
#[derive(Module, Clone)]
pub(crate) struct CheckpointModel {
    base: Base,
    layer1: Linear,
    layer2: Linear,
    layer3: Linear,
    pub(crate) layer4: Linear,
}
impl CheckpointModel {
    pub(crate) fn new() -> CheckpointModel {
        CheckpointModel {
            base: Base::new(),
            layer1: Linear::new(1000, 1000),
            layer2: Linear::new(1000, 1000),
            layer3: Linear::new(1000, 1000),
            layer4: Linear::new(1000, 1),
        }
    }

    pub(crate) fn forward_block1(&self, x: &Tensor) -> Tensor {
        // Two statements, because a temporary lives until its statement ends: in one, all four results would live at once.
        let x = self.layer1.call(x).relu();
        self.layer2.call(&x).relu()
    }

    pub(crate) fn forward_block2(&self, x: &Tensor) -> Tensor {
        self.layer3.call(x).relu()
    }
}
impl Forward for CheckpointModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        // 使用检查点节省内存
        let x = self.checkpoint(Self::forward_block1, x);
        let x = self.checkpoint(Self::forward_block2, &x);
        self.layer4.call(&x)
    }
}

fn main() {
    manual_seed(0);

    println!("内存优化模型创建完成");
}
