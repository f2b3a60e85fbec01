//! 3.7.2 Loading a model, from files that 3.7.1 or PyTorch has written to the current folder, or to the folder given as an argument.

use cresset::io;
use cresset::prelude::*;
use std::path::{Path, PathBuf};

// 创建一个示例模型
#[derive(Module, Clone)]
pub(crate) struct ExampleModel {
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

// 加载模型权重
fn load_model_weights(folder: &Path) -> io::Result<ExampleModel> {
    // 创建新的模型实例
    let new_model = ExampleModel::new();

    // 加载权重
    new_model.load_state_dict(&load(folder.join("model_weights.pth"))?.state_dict()?, true)?;
    new_model.eval();

    Ok(new_model)
}

// 加载完整检查点
#[allow(dead_code)] // for the reader's use
pub(crate) fn load_checkpoint(folder: &Path) -> io::Result<(ExampleModel, Adam, i64, f64)> {
    let new_model = ExampleModel::new();
    let new_optimizer = Adam::new(new_model.parameters(), 0.001);

    let checkpoint = load(folder.join("checkpoint.pth"))?;
    new_model.load_state_dict(&checkpoint["model_state_dict"].state_dict()?, true)?;
    new_optimizer.load_state_dict(&checkpoint["optimizer_state_dict"].optimizer_state()?)?;
    let epoch = checkpoint["epoch"].int()?;
    let loss = checkpoint["loss"].float()?;

    Ok((new_model, new_optimizer, epoch, loss))
}

fn main() -> io::Result<()> {
    manual_seed(0);
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();

    // 测试加载的模型
    match load_model_weights(&folder) {
        Ok(loaded_model) => {
            let test_input = Tensor::randn([5, 10]);
            let output = no_grad(|| loaded_model.call(&test_input));
            println!("加载的模型输出形状: {}", output.shape());
            println!("模型加载成功!");
        }
        Err(e) if e.is_not_found() => println!("模型文件不存在,请先运行保存代码"),
        Err(e) => return Err(e),
    }
    Ok(())
}
