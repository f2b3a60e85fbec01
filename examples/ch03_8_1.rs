//! 3.8.1 A classifier of many classes.

use cresset::prelude::*;

// 构建多分类神经网络
#[derive(Module, Clone)]
struct MultiClassifier {
    base: Base,
    network: Sequential,
}
impl MultiClassifier {
    fn new(input_size: usize, hidden_sizes: &[usize], num_classes: usize, dropout_rate: f64) -> MultiClassifier {
        // 构建层列表
        let mut network = Sequential::new(());
        let mut prev_size = input_size;

        for &hidden_size in hidden_sizes {
            network.extend((
                Linear::new(prev_size, hidden_size),
                BatchNorm1d::new(hidden_size),
                ReLU::new(),
                Dropout::new(dropout_rate),
            ));
            prev_size = hidden_size;
        }

        // 输出层
        network.push(Linear::new(prev_size, num_classes));

        MultiClassifier { base: Base::new(), network }
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

fn main() {
    manual_seed(0);

    // 创建分类器
    let classifier = MultiClassifier::new(
        784,              // 28x28图像展平
        &[512, 256, 128], // hidden_sizes
        10,               // 10个类别
        0.3,              // dropout_rate
    );

    println!("多分类器结构:");
    println!("{classifier}");

    // 测试前向传播
    let test_input = Tensor::randn([32, 784]); // 32个样本
    let output = classifier.call(&test_input);
    println!("输出形状: {}", output.shape());
    println!("输出概率分布(第一个样本): {}", output.i(0).softmax(0));
}
