//! Softmax, losses and normalisation over the rows of a matrix, forward and backward.

use super::forward_backward;
use crate::{Step, Workload};
use cresset::Backward;
use cresset::functional as F;
use cresset::prelude::*;

/// Forward and backward of a layer; gives the gradient of the input.
fn layer(layer: impl Forward<Output = Tensor> + 'static, input: Tensor) -> Step {
    let gradient = input.randn_like();
    input.requires_grad_(true);
    Box::new(move || {
        layer.zero_grad();
        input.zero_grad();
        layer.call(&input).backward_with(Some(&gradient), Backward::default());
        input.grad().expect("backward gave a gradient")
    })
}

pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for [rows, classes] in [[128, 10], [1000, 1000]] {
        all.push(Workload::new(format!("softmax_{rows}x{classes}"), move || {
            forward_backward([Tensor::randn([rows, classes])], |[x]| x.softmax(1))
        }));
        all.push(Workload::new(format!("log_softmax_{rows}x{classes}"), move || {
            forward_backward([Tensor::randn([rows, classes])], |[x]| x.log_softmax(1))
        }));
    }
    for [rows, classes] in [[512, 10], [64, 10000]] {
        all.push(Workload::new(format!("cross_entropy_{rows}x{classes}"), move || {
            let target = Tensor::randint(0, classes as i64, [rows]);
            forward_backward([Tensor::randn([rows, classes])], move |[x]| F::cross_entropy(x, &target))
        }));
    }
    all.push(Workload::new("layer_norm_1000x768", || layer(LayerNorm::new([768]), Tensor::randn([1000, 768]))));
    all.push(Workload::new("batch_norm_512x256", || layer(BatchNorm1d::new(256), Tensor::randn([512, 256]))));
    all
}
