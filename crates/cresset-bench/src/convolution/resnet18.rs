//! ResNet-18, for pictures of 224 x 224 and, with a smaller first layer, of 32 x 32.

use crate::Workload;
use crate::dense::{infer, train_with};
use cresset::nn::MaxPoolOptions;
use cresset::optim::SgdOptions;
use cresset::prelude::*;

fn conv(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Conv2d {
    let padding = (kernel / 2).into();
    Conv2d::with(
        inputs,
        outputs,
        kernel,
        Conv2dOptions { stride: stride.into(), padding, bias: false, ..Default::default() },
    )
}

#[derive(Module, Clone)]
struct BasicBlock {
    base: Base,
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    downsample: Option<Sequential>,
}
impl BasicBlock {
    fn new(inputs: usize, outputs: usize, stride: usize) -> BasicBlock {
        BasicBlock {
            base: Base::new(),
            conv1: conv(inputs, outputs, 3, stride),
            bn1: BatchNorm2d::new(outputs),
            conv2: conv(outputs, outputs, 3, 1),
            bn2: BatchNorm2d::new(outputs),
            downsample: (stride != 1)
                .then(|| Sequential::new((conv(inputs, outputs, 1, stride), BatchNorm2d::new(outputs)))),
        }
    }
}
impl Forward for BasicBlock {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let out = self.bn1.call(&self.conv1.call(x)).relu();
        let mut out = self.bn2.call(&self.conv2.call(&out));
        match &self.downsample {
            Some(downsample) => out += downsample.call(x),
            None => out += x,
        }
        out.relu()
    }
}

#[derive(Module, Clone)]
struct ResNet18 {
    base: Base,
    stem: Sequential,
    blocks: ModuleList,
    avgpool: AdaptiveAvgPool2d,
    fc: Linear,
}
impl ResNet18 {
    fn new(stem: Sequential, classes: usize) -> ResNet18 {
        let sizes = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)];
        let pair = |(inputs, outputs, stride)| {
            [BasicBlock::new(inputs, outputs, stride), BasicBlock::new(outputs, outputs, 1)]
        };
        ResNet18 {
            base: Base::new(),
            stem,
            blocks: sizes.into_iter().flat_map(pair).collect(),
            avgpool: AdaptiveAvgPool2d::new(1),
            fc: Linear::new(512, classes),
        }
    }
    fn imagenet() -> ResNet18 {
        let pool =
            MaxPool2d::with(3, MaxPoolOptions { stride: Some(2.into()), padding: 1.into(), ..Default::default() });
        ResNet18::new(Sequential::new((conv(3, 64, 7, 2), BatchNorm2d::new(64), ReLU::new(), pool)), 1000)
    }
    fn cifar() -> ResNet18 {
        ResNet18::new(Sequential::new((conv(3, 64, 3, 1), BatchNorm2d::new(64), ReLU::new())), 10)
    }
}
impl Forward for ResNet18 {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.stem.call(x);
        for block in &self.blocks {
            x = block.call(&x);
        }
        self.fc.call(&self.avgpool.call(&x).flatten(1, -1))
    }
}

pub fn workloads() -> Vec<Workload> {
    let inference = [1, 8].map(|batch| {
        Workload::new(format!("resnet18_infer_{batch}"), move || {
            let model = ResNet18::imagenet();
            infer(model, Tensor::randn([batch, 3, 224, 224]))
        })
    });
    let training = Workload::new("resnet18_cifar_train_32", || {
        let model = ResNet18::cifar();
        let input = Tensor::randn([32, 3, 32, 32]);
        let target = Tensor::randint(0, 10, [32]);
        let optimizer = SGD::with(model.parameters(), SgdOptions { lr: 0.01, momentum: 0.9, ..Default::default() });
        train_with(model, CrossEntropyLoss::new(), optimizer.optimizer().clone(), input, target)
    });
    [inference.to_vec(), vec![training]].concat()
}
