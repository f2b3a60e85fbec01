//! Layers, compiled against eager: results and gradients on three batches, in training and in evaluation.

use cresset_compile::compile;
use cresset_nn::*;
use cresset_tensor::{DType, Tensor, manual_seed};

fn layers() -> Vec<(Box<dyn Layer>, Vec<usize>)> {
    let rows = |layer: Box<dyn Layer>| (layer, vec![12]);
    let planes = |layer: Box<dyn Layer>| (layer, vec![4, 8, 8]);
    let lines = |layer: Box<dyn Layer>| (layer, vec![4, 16]);
    vec![
        rows(Linear::new(12, 5).boxed()),
        rows(Identity::new().boxed()),
        rows(ReLU::new().boxed()),
        rows(LeakyReLU::new().boxed()),
        rows(PReLU::new().boxed()),
        rows(ELU::new().boxed()),
        rows(SELU::new().boxed()),
        rows(CELU::new().boxed()),
        rows(GELU::new().boxed()),
        rows(SiLU::new().boxed()),
        rows(Mish::new().boxed()),
        rows(Softplus::new().boxed()),
        rows(Softsign::new().boxed()),
        rows(Sigmoid::new().boxed()),
        rows(Tanh::new().boxed()),
        rows(Hardtanh::new().boxed()),
        rows(Hardswish::new().boxed()),
        rows(Hardsigmoid::new().boxed()),
        rows(LogSigmoid::new().boxed()),
        rows(Tanhshrink::new().boxed()),
        rows(Softmax::new(1).boxed()),
        rows(LogSoftmax::new(1).boxed()),
        rows(Dropout::new(0.4).boxed()),
        rows(BatchNorm1d::new(12).boxed()),
        rows(LayerNorm::new([12]).boxed()),
        rows(RMSNorm::new([12]).boxed()),
        planes(Conv2d::new(4, 6, 3).boxed()),
        planes(BatchNorm2d::new(4).boxed()),
        planes(GroupNorm::new(2, 4).boxed()),
        planes(InstanceNorm2d::new(4).boxed()),
        planes(MaxPool2d::new(2).boxed()),
        planes(AvgPool2d::new(2).boxed()),
        planes(AdaptiveAvgPool2d::new([3, 3]).boxed()),
        planes(Flatten::new().boxed()),
        lines(Conv1d::new(4, 6, 3).boxed()),
        lines(MaxPool1d::new(2).boxed()),
        lines(AvgPool1d::new(2).boxed()),
    ]
}

/// Result, gradient of the input, gradients of the parameters, buffers.
fn step(module: &dyn Layer, call: &dyn Fn(&Tensor) -> Tensor, x: &Tensor) -> Vec<Tensor> {
    manual_seed(11);
    module.parameters().iter().for_each(|p| p.zero_grad());
    let x = x.detach().requires_grad_(true);
    let y = call(&x);
    let w = Tensor::linspace(0.5, 1.5, y.numel()).to_dtype(y.dtype()).reshape(y.shape());
    (&y * &w).sum().backward();
    let gradients = module.parameters().into_iter().map(|p| p.grad().expect("a gradient"));
    let buffers = module.buffers().into_iter().map(|b| b.get().duplicate());
    [y.detach(), x.grad().expect("a gradient")].into_iter().chain(gradients).chain(buffers).collect()
}

#[test]
fn every_layer() {
    let mut wrong = String::new();
    for (layer, rest) in layers() {
        for (dtype, limit) in [(DType::F32, 2e-6), (DType::F64, 1e-13)] {
            for training in [true, false] {
                layer.to(dtype);
                let _ = if training { layer.train() } else { layer.eval() };
                let eager = layer.deep_copy();
                let input = |n: usize| {
                    let shape: Vec<usize> = std::iter::once(n).chain(rest.iter().copied()).collect();
                    Tensor::randn(&shape[..]).to_dtype(dtype)
                };
                let fast = compile(&layer, &input(4).requires_grad_(true));
                for n in [4, 2, 7] {
                    // The first call of a new shape is the recording; the second runs the plan.
                    for x in [input(n), input(n)] {
                        let a = step(&*layer, &|x| fast.call(x), &x);
                        let b = step(&*eager, &|x| eager.call(x), &x);
                        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                            let (a, b) = (a.to_dtype(DType::F64), b.to_dtype(DType::F64));
                            let size = b.abs().max().item::<f64>().max(1e-3);
                            let difference = (&a - &b).abs().max().item::<f64>();
                            if !(difference <= limit * size) {
                                wrong +=
                                    &format!("{layer} {dtype} {n}, value {i}: {difference:e} apart, of {size:e}\n");
                            }
                        }
                    }
                }
                assert_eq!(fast.kinds(), 3, "{layer}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
