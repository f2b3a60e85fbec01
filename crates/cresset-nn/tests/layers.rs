//! Layers: texts, initial values, shapes and modes.

use cresset_nn::prelude::*;
use cresset_nn::*;
use cresset_tensor::{attempt, manual_seed};

#[test]
fn texts_are_pythons() {
    let conv = Conv2dOptions {
        stride: [2, 1].into(),
        padding: [1, 2].into(),
        dilation: [1, 2].into(),
        groups: 3,
        bias: false,
        padding_mode: PaddingMode::Circular,
        ..Default::default()
    };
    let same = Conv1dOptions { padding: Padding::Same, ..Default::default() };
    let transposed = ConvTranspose2dOptions {
        stride: 2.into(),
        padding: 1.into(),
        output_padding: 1.into(),
        bias: false,
        ..Default::default()
    };
    let rows: Vec<(String, &str)> = vec![
        (
            Conv2d::with(3, 6, [3, 5], conv).to_string(),
            "Conv2d(3, 6, kernel_size=(3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=3, bias=False, padding_mode=circular)",
        ),
        (Conv1d::with(2, 4, 3, same).to_string(), "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same)"),
        (
            ConvTranspose2d::with(3, 6, 3, transposed).to_string(),
            "ConvTranspose2d(3, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1), bias=False)",
        ),
        (Dropout::with(0.25, DropoutOptions { inplace: true }).to_string(), "Dropout(p=0.25, inplace=True)"),
        (AlphaDropout::new(0).to_string(), "AlphaDropout(p=0, inplace=False)"),
        (ReLU::with(ReLUOptions { inplace: true }).to_string(), "ReLU(inplace=True)"),
        (ReLU6::new().to_string(), "ReLU6()"),
        (ELU::with(ELUOptions { alpha: 2.into(), inplace: true }).to_string(), "ELU(alpha=2, inplace=True)"),
        (
            Softplus::with(SoftplusOptions { beta: 2.into(), threshold: (-100).into() }).to_string(),
            "Softplus(beta=2, threshold=-100)",
        ),
        (Softplus::new().to_string(), "Softplus(beta=1.0, threshold=20.0)"),
        (Hardshrink::with(HardshrinkOptions { lambd: 0.7.into() }).to_string(), "Hardshrink(0.7)"),
        (Hardswish::with(HardswishOptions { inplace: true }).to_string(), "Hardswish()"),
        (RReLU::new().to_string(), "RReLU(lower=0.125, upper=0.3333333333333333)"),
        (GELU::new().to_string(), "GELU(approximate='none')"),
        (GLU::new(1).to_string(), "GLU(dim=1)"),
        (LeakyReLU::new().to_string(), "LeakyReLU(negative_slope=0.01)"),
        (Flatten::new().to_string(), "Flatten(start_dim=1, end_dim=-1)"),
        (Bilinear::new(3, 4, 2).to_string(), "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)"),
    ];
    for (have, want) in rows {
        assert_eq!(have, want);
    }
}

#[test]
fn initial_values_are_pytorchs() {
    manual_seed(0);
    let fc = Linear::new(2, 3);
    // torch.manual_seed(0); torch.nn.Linear(2, 3)
    let weight = [-0.005293981, 0.3793229, -0.58198076, -0.5203875, -0.27234524, 0.18961589];
    let bias = [-0.014010034, 0.5606575, -0.06275152];
    assert_eq!(fc.weight.to_vec::<f32>(), weight);
    assert_eq!(fc.bias.unwrap().to_vec::<f32>(), bias);
}

#[test]
fn convolutions_pad_in_every_mode() {
    for (mode, want) in [
        (PaddingMode::Zeros, [3.0f32, 6.0, 9.0, 7.0]),
        (PaddingMode::Reflect, [5.0, 6.0, 9.0, 10.0]),
        (PaddingMode::Replicate, [4.0, 6.0, 9.0, 11.0]),
        (PaddingMode::Circular, [7.0, 6.0, 9.0, 8.0]),
    ] {
        let options = Conv1dOptions { padding: 1.into(), bias: false, padding_mode: mode, ..Default::default() };
        let conv = Conv1d::with(1, 1, 3, options);
        init::ones_(&conv.weight);
        let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [1, 1, 4]).requires_grad_(true);
        let y = conv.call(&x);
        assert_eq!(y.to_vec::<f32>(), want, "{mode:?}");
        y.sum().backward();
        assert_eq!(
            x.grad().unwrap().to_vec::<f32>().iter().sum::<f32>(),
            if mode == PaddingMode::Zeros { 10.0 } else { 12.0 }
        );
    }
    let wrong = Conv1dOptions { padding: 4.into(), padding_mode: PaddingMode::Reflect, ..Default::default() };
    assert!(attempt(|| Conv1d::with(1, 1, 3, wrong).call(&Tensor::ones([1, 1, 4]))).is_err());
    let error = attempt(|| Conv2d::with(4, 4, 3, Conv2dOptions { groups: 3, ..Default::default() })).err().unwrap();
    assert_eq!(error.message(), "in_channels must be divisible by groups");
}

#[test]
fn dropout_drops_in_training_only() {
    manual_seed(0);
    let layer = Dropout::new(0.5);
    let x = Tensor::ones([8]).requires_grad_(true);
    let y = layer.call(&x);
    // torch.manual_seed(0); torch.nn.functional.dropout(torch.ones(8), 0.5)
    assert!(y.to_vec::<f32>().iter().all(|y| *y == 0.0 || *y == 2.0));
    y.sum().backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), y.to_vec::<f32>());
    layer.eval();
    assert!(layer.call(&x).is_same(&x));
    assert!(attempt(|| Dropout::new(1.5)).is_err());
}

#[test]
fn bilinear_is_a_form_in_both_inputs() {
    let layer = Bilinear::new(2, 3, 4);
    let (x1, x2) = (Tensor::randn([5, 2]).requires_grad_(true), Tensor::randn([5, 3]));
    let y = layer.call((&x1, &x2));
    let (a, b, w) = (x1.to_vec::<f32>(), x2.to_vec::<f32>(), layer.weight.to_vec::<f32>());
    let bias = layer.bias.as_ref().unwrap().to_vec::<f32>();
    for (i, y) in y.to_vec::<f32>().into_iter().enumerate() {
        let (n, o) = (i / 4, i % 4);
        let mut want = bias[o];
        for j in 0..2 {
            for k in 0..3 {
                want += a[n * 2 + j] * w[(o * 2 + j) * 3 + k] * b[n * 3 + k];
            }
        }
        assert!((y - want).abs() < 1e-5);
    }
    y.sum().backward();
    assert!(x1.grad().is_some() && layer.weight.grad().is_some());
    assert!(attempt(|| layer.call((&x1, &x1))).is_err());
}

#[test]
fn a_deep_network_of_activations_learns() {
    let net = Sequential::new((
        Linear::new(4, 8),
        ReLU::new(),
        LeakyReLU::new(),
        ELU::new(),
        GELU::new(),
        SiLU::new(),
        Mish::new(),
        Tanh::new(),
        Sigmoid::new(),
        Softplus::new(),
        Hardtanh::new(),
        Softsign::new(),
        PReLU::new(),
        Linear::new(8, 1),
    ));
    net.call(&Tensor::randn([3, 4])).sum().backward();
    assert!(net.parameters().iter().all(|p| p.grad().is_some()));
}
