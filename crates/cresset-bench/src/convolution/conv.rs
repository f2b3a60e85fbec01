//! Single convolutions of ResNet-18's sizes, eight pictures at once, forward and backward.

use crate::{Step, Workload};
use cresset::Backward;
use cresset::prelude::*;

/// Gives the gradient of the input.
fn step(layer: Conv2d, input: Tensor) -> Step {
    let gradient = no_grad(|| layer.call(&input)).randn_like();
    input.requires_grad_(true);
    Box::new(move || {
        layer.zero_grad();
        input.zero_grad();
        layer.call(&input).backward_with(Some(&gradient), Backward::default());
        input.grad().expect("backward gave a gradient")
    })
}

pub fn workloads() -> Vec<Workload> {
    let options = || Conv2dOptions { bias: false, ..Default::default() };
    vec![
        Workload::new("conv_3x3_64", move || {
            let layer = Conv2d::with(64, 64, 3, Conv2dOptions { padding: 1.into(), ..options() });
            step(layer, Tensor::randn([8, 64, 56, 56]))
        }),
        Workload::new("conv_1x1_256", move || {
            let layer = Conv2d::with(128, 256, 1, Conv2dOptions { stride: 2.into(), ..options() });
            step(layer, Tensor::randn([8, 128, 28, 28]))
        }),
        Workload::new("conv_7x7s2", move || {
            let layer = Conv2d::with(3, 64, 7, Conv2dOptions { stride: 2.into(), padding: 3.into(), ..options() });
            step(layer, Tensor::randn([8, 3, 224, 224]))
        }),
    ]
}
