//! 3.1.1 The artificial neuron.

use cresset::prelude::*;

// 简单的感知器模型
struct Perceptron {
    weights: Tensor,
    bias: Tensor,
}
impl Perceptron {
    fn new(input_size: usize) -> Perceptron {
        Perceptron {
            weights: Tensor::randn([input_size]).requires_grad_(true),
            bias: Tensor::randn([1]).requires_grad_(true),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        (x.dot(&self.weights) + &self.bias).sigmoid()
    }

    // `__call__`
    fn call(&self, x: &Tensor) -> Tensor {
        self.forward(x)
    }
}

fn main() {
    manual_seed(0);

    // 创建感知器实例
    let perceptron = Perceptron::new(2);
    let input_data = Tensor::new([1.0, 2.0]);
    let output = perceptron.call(&input_data);
    println!("感知器输出: {output}");
}
