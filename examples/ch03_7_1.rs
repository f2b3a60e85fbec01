//! 3.7.1 Saving a model. The files go to the current folder, or to the folder given as an argument; PyTorch loads them as its own.

use cresset::io::{self, Value};
use cresset::prelude::*;
use std::path::PathBuf;

// 创建一个示例模型
#[derive(Module, Clone)]
struct ExampleModel {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    dropout: Dropout,
}
impl ExampleModel {
    fn new() -> ExampleModel {
        ExampleModel {
            base: Base::new(),
            fc1: Linear::new(10, 20),
            fc2: Linear::new(20, 1),
            dropout: Dropout::new(0.2),
        }
    }
}
impl Forward for ExampleModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.fc1.call(x).relu();
        let x = self.dropout.call(&x);
        self.fc2.call(&x)
    }
}

fn main() -> io::Result<()> {
    manual_seed(0);
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();

    // 创建和训练模型(简化版)
    let model = ExampleModel::new();
    let optimizer = Adam::new(model.parameters(), 0.001);

    // 模拟训练
    let input_data = Tensor::randn([100, 10]);
    let target = Tensor::randn([100, 1]);
    let criterion = MSELoss::new();

    let mut last_loss = 0.0;
    for _epoch in 0..10 {
        optimizer.zero_grad();
        let output = model.call(&input_data);
        let loss = criterion.call((&output, &target));
        loss.backward();
        optimizer.step();
        last_loss = loss.item::<f32>();
    }

    println!("训练完成,最终损失: {last_loss:.4}");

    // 保存模型
    save(model.state_dict(), folder.join("model_weights.pth"))?;
    let checkpoint = Value::dict([
        ("model_state_dict", model.state_dict().into()),
        ("optimizer_state_dict", optimizer.state_dict().into()),
        ("loss", last_loss.into()),
        ("epoch", 10.into()),
    ]);
    save(checkpoint, folder.join("checkpoint.pth"))?;

    println!("模型已保存");
    Ok(())
}
