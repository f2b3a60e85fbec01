//! 3.8.2 A residual network.

use cresset::prelude::*;

// 实现残差块
#[derive(Module, Clone)]
struct ResidualBlock {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    bn1: BatchNorm1d,
    bn2: BatchNorm1d,
    dropout: Dropout,
}
impl ResidualBlock {
    fn new(hidden_size: usize, dropout_rate: f64) -> ResidualBlock {
        ResidualBlock {
            base: Base::new(),
            fc1: Linear::new(hidden_size, hidden_size),
            fc2: Linear::new(hidden_size, hidden_size),
            bn1: BatchNorm1d::new(hidden_size),
            bn2: BatchNorm1d::new(hidden_size),
            dropout: Dropout::new(dropout_rate),
        }
    }
}
impl Forward for ResidualBlock {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let residual = x;

        let out = self.fc1.call(x);
        let out = self.bn1.call(&out);
        let out = out.relu();
        let out = self.dropout.call(&out);

        let out = self.fc2.call(&out);
        let mut out = self.bn2.call(&out);

        // 残差连接
        out += residual;
        out.relu()
    }
}

// 构建残差网络
#[derive(Module, Clone)]
struct ResNet {
    base: Base,
    // 输入投影层
    input_projection: Linear,
    // 残差块
    residual_blocks: ModuleList<ResidualBlock>,
    // 输出层
    output_layer: Linear,
}
impl ResNet {
    fn new(input_size: usize, hidden_size: usize, num_blocks: usize, num_classes: usize) -> ResNet {
        ResNet {
            base: Base::new(),
            input_projection: Linear::new(input_size, hidden_size),
            residual_blocks: ModuleList::of((0..num_blocks).map(|_| ResidualBlock::new(hidden_size, 0.1))),
            output_layer: Linear::new(hidden_size, num_classes),
        }
    }
}
impl Forward for ResNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.input_projection.call(x);
        let mut x = x.relu();

        for block in &self.residual_blocks {
            x = block.call(&x);
        }

        self.output_layer.call(&x)
    }
}

// 参数统计
fn count_parameters(model: &dyn Module) -> usize {
    model.parameters().iter().filter(|p| p.requires_grad()).map(|p| p.numel()).sum()
}

fn main() {
    manual_seed(0);

    // 创建残差网络
    let resnet = ResNet::new(100, 256, 4, 10);
    println!("残差网络参数数量: {}", count_parameters(&resnet));

    // 测试残差网络
    let test_input = Tensor::randn([16, 100]);
    let output = resnet.call(&test_input);
    println!("残差网络输出形状: {}", output.shape());
}
