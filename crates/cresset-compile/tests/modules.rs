//! Layers, compiled against eager: results and gradients on three batches, in training and in evaluation.

use cresset_compile::compile;
use cresset_nn::*;
use cresset_tensor::{DType, Tensor, attempt, manual_seed};

fn layers() -> Vec<(Box<dyn Layer>, Vec<usize>)> {
    let rows = |layer: Box<dyn Layer>| (layer, vec![12]);
    let planes = |layer: Box<dyn Layer>| (layer, vec![4, 8, 8]);
    let lines = |layer: Box<dyn Layer>| (layer, vec![4, 16]);
    let blocks = |layer: Box<dyn Layer>| (layer, vec![4, 5, 6, 4]);
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
        rows(GLU::new(1).boxed()),
        rows(ReLU6::new().boxed()),
        rows(Hardshrink::new().boxed()),
        rows(Softshrink::new().boxed()),
        rows(Softmin::new(1).boxed()),
        rows(Threshold::new(0.1, 2.0).boxed()),
        rows(Unflatten::new(1, [3, 4]).boxed()),
        planes(Softmax2d::new().boxed()),
        planes(Dropout2d::new(0.3).boxed()),
        planes(ConvTranspose2d::new(4, 3, 3).boxed()),
        planes(AdaptiveMaxPool2d::new([3, 3]).boxed()),
        lines(Dropout1d::new(0.3).boxed()),
        lines(ConvTranspose1d::new(4, 3, 3).boxed()),
        lines(InstanceNorm1d::new(4).boxed()),
        lines(AdaptiveAvgPool1d::new(5).boxed()),
        lines(AdaptiveMaxPool1d::new(5).boxed()),
        blocks(Dropout3d::new(0.3).boxed()),
        blocks(BatchNorm3d::new(4).boxed()),
        blocks(InstanceNorm3d::new(4).boxed()),
        blocks(Conv3d::new(4, 3, 2).boxed()),
        blocks(ConvTranspose3d::new(4, 3, 2).boxed()),
        blocks(MaxPool3d::new(2).boxed()),
        blocks(AvgPool3d::new(2).boxed()),
        blocks(AdaptiveAvgPool3d::new([2, 3, 2]).boxed()),
        blocks(AdaptiveMaxPool3d::new([2, 3, 2]).boxed()),
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
        for (dtype, limit) in [(DType::F32, 1e-6), (DType::F64, 1e-13)] {
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

/// Results and gradients of a module of two tensors, of which the second may have none.
fn step_of_two<M: Forward<(Tensor, Tensor), Output = Tensor>>(
    module: &M,
    call: &dyn Fn(&Tensor, &Tensor) -> Tensor,
    (x, y): &(Tensor, Tensor),
) -> Vec<Tensor> {
    module.parameters().iter().for_each(|p| p.zero_grad());
    let (x, y) = (x.detach().requires_grad_(true), y.detach());
    let out = call(&x, &y);
    (&out * 0.7).sum().backward();
    let gradients = module.parameters().into_iter().map(|p| p.grad().expect("a gradient"));
    [out.detach(), x.grad().expect("a gradient")].into_iter().chain(gradients).collect()
}

fn pair<M>(module: M, input: impl Fn(usize) -> (Tensor, Tensor))
where
    M: Forward<(Tensor, Tensor), Output = Tensor> + Clone,
{
    let eager = module.deep_copy();
    let (x, y) = input(4);
    let fast = compile(&module, (&x.requires_grad_(true), &y));
    for n in [4, 2, 7] {
        for both in [input(n), input(n)] {
            let a = step_of_two(&module, &|x, y| fast.call((x, y)), &both);
            let b = step_of_two(&eager, &|x, y| eager.call((x, y)), &both);
            for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                let size = b.abs().max().item::<f32>().max(1e-3);
                let difference = (a - b).abs().max().item::<f32>();
                assert!(difference <= 1e-6 * size, "{} {n}, value {i}: {difference:e} apart", module.class_name());
            }
        }
    }
    assert_eq!(fast.kinds(), 3, "{}", module.class_name());
}

#[test]
fn modules_of_two_tensors() {
    manual_seed(0);
    let numbers = |n: usize| (Tensor::randn([n, 6]), Tensor::randn([n, 6]));
    let parts = |n: usize| (Tensor::rand([n, 6]) * 0.9 + 0.05, Tensor::rand([n, 6]));
    let classes = |n: usize| (Tensor::randn([n, 6]), Tensor::randint(0, 6, [n]));
    pair(MSELoss::new(), numbers);
    pair(L1Loss::new(), numbers);
    pair(SmoothL1Loss::new(), numbers);
    pair(HuberLoss::new(), numbers);
    pair(KLDivLoss::new(), parts);
    pair(BCEWithLogitsLoss::new(), |n| (Tensor::randn([n, 6]), Tensor::rand([n, 6])));
    pair(NLLLoss::new(), classes);
    pair(CrossEntropyLoss::new(), classes);
    pair(Bilinear::new(6, 6, 3), numbers);
}

#[test]
fn layers_that_look_at_numbers_are_refused() {
    manual_seed(0);
    let refused = |f: &dyn Fn()| attempt(f).expect_err("refused").to_string();
    let x = Tensor::rand([4, 6]);
    let why = "what it gives depends on the numbers that it reads";
    let e = refused(&|| drop(compile(&Sequential::new((Tanh::new(), RReLU::new())), &x)));
    assert!(e.contains(&format!("compile: Sequential: in 1 (RReLU): rrelu: {why}")), "{e}");
    for layer in [AlphaDropout::new(0.3).boxed(), FeatureAlphaDropout::new(0.3).boxed()] {
        let e = refused(&|| drop(compile(&layer, &x)));
        assert!(e.contains(&format!("{}: alpha_dropout: {why}", layer.class_name())), "{e}");
    }
    let e = refused(&|| drop(compile(&BCELoss::new(), (&x, &x))));
    assert!(e.contains(&format!("compile: BCELoss: binary_cross_entropy: {why}")), "{e}");
    // In evaluation it has one slope.
    let model = Sequential::new((Tanh::new(), RReLU::new()));
    model.eval();
    let fast = compile(&model, &x);
    assert!((fast.call(&x) - model.call(&x)).abs().max().item::<f32>() < 1e-6);
}

#[test]
fn an_embedding() {
    manual_seed(0);
    let model = Sequential::new((Embedding::new(10, 6), Linear::new(6, 3), Tanh::new()));
    let eager = model.deep_copy();
    let input = |n: usize| Tensor::randint(0, 10, [n, 4]);
    let fast = compile(&model, &input(2));
    for n in [2, 1, 5] {
        for x in [input(n), input(n)] {
            let run = |m: &Sequential, call: &dyn Fn(&Tensor) -> Tensor| {
                m.parameters().iter().for_each(|p| p.zero_grad());
                let y = call(&x);
                y.square().sum().backward();
                let gradients = m.parameters().into_iter().map(|p| p.grad().expect("a gradient"));
                std::iter::once(y.detach()).chain(gradients).collect::<Vec<_>>()
            };
            let (a, b) = (run(&model, &|x| fast.call(x)), run(&eager, &|x| eager.call(x)));
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs().max().item::<f32>() <= 1e-6 * b.abs().max().item::<f32>().max(1e-3));
            }
        }
    }
    assert_eq!(fast.kinds(), 3);
}
