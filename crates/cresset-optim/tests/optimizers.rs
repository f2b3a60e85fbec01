//! The shared part of optimizers: identity, groups, saving, refusals.

use cresset_optim::*;
use cresset_tensor::{DType, Tensor, attempt};

fn param(values: &[f32]) -> Tensor {
    Tensor::from_slice(values).requires_grad_(true)
}

fn give_grad(p: &Tensor, values: &[f32]) {
    p.set_grad(Some(Tensor::from_slice(values).to_dtype(p.dtype())));
}

fn refusal(f: impl FnOnce()) -> String {
    attempt(f).unwrap_err().message().to_string()
}

#[test]
fn steps_write_into_the_very_tensor() {
    let w = param(&[1.0, 2.0]);
    let alias = w.detach();
    let version = w.version();
    let sgd = SGD::new([&w], 0.5);
    give_grad(&w, &[2.0, 4.0]);
    sgd.step();
    assert_eq!(alias.to_vec::<f32>(), [0.0, 0.0]);
    assert_eq!(w.version(), version + 1);
    sgd.zero_grad();
    assert!(w.grad().is_none());
    sgd.step();
    assert_eq!(w.to_vec::<f32>(), [0.0, 0.0]);
}

#[test]
fn strided_parameters_and_gradients() {
    let base = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let w = Tensor::from_array(base.array().view([3, 2].into(), [1, 3].into(), 0)).requires_grad_(true);
    let grad = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    w.set_grad(Some(Tensor::from_array(grad.array().view([3, 2].into(), [1, 3].into(), 0))));
    SGD::new([&w], 1.0).step();
    assert_eq!(base.to_vec::<f32>(), [0.0; 6]);
}

#[test]
fn a_tensor_may_be_its_own_gradient() {
    let w = param(&[1.0, 2.0]);
    w.set_grad(Some(w.detach()));
    SGD::new([&w], 0.5).step();
    assert_eq!(w.to_vec::<f32>(), [0.5, 1.0]);
}

#[test]
fn state_follows_a_change_of_dtype() {
    let w = param(&[1.0, 2.0]);
    let adam = Adam::new([&w], 0.1);
    give_grad(&w, &[1.0, 1.0]);
    adam.step();
    w.set_data(&w.detach().to_dtype(DType::F64));
    give_grad(&w, &[1.0, 1.0]);
    adam.step();
    let saved = adam.state_dict();
    let StateValue::Tensor(m) = &saved.state[0].1[1].1 else { panic!("exp_avg") };
    assert_eq!(m.dtype(), DType::F64);
    assert!((w.to_vec::<f64>()[0] - 0.8).abs() < 1e-6);
}

#[test]
fn half_precision() {
    for dtype in [DType::F16, DType::BF16] {
        let w = param(&[1.0; 300]).detach().to_dtype(dtype).requires_grad_(true);
        let adam = AdamW::new([&w], 0.25);
        give_grad(&w, &[1.0; 300]);
        adam.step();
        let got = w.to_dtype(DType::F32).to_vec::<f32>();
        assert!(got.iter().all(|x| (x - 0.7475).abs() < 4e-3), "{dtype}: {got:?}");
    }
}

#[test]
fn the_saved_state_is_a_snapshot_and_loads() {
    let w = param(&[1.0, 2.0, 3.0]);
    let adam = Adam::with([&w], AdamOptions { lr: 0.1, amsgrad: true, ..Default::default() });
    give_grad(&w, &[1.0, -1.0, 2.0]);
    adam.step();
    let (saved, at) = (adam.state_dict(), w.to_vec::<f32>());
    adam.step();
    let want = w.to_vec::<f32>();
    let again = param(&at);
    let resumed = Adam::new([&again], 1.0);
    let round_trip = OptimizerState::from_value(&saved.to_value()).unwrap();
    resumed.load_state_dict(&round_trip).unwrap();
    assert!(resumed.options(0).amsgrad && resumed.lrs() == [0.1]);
    give_grad(&again, &[1.0, -1.0, 2.0]);
    resumed.step();
    assert_eq!(again.to_vec::<f32>(), want);
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() {
    let (a, b) = (param(&[1.0]), param(&[1.0, 2.0]));
    let (one, other) = (Adam::new([&a], 0.1), Adam::new([&b], 0.2));
    give_grad(&a, &[1.0]);
    one.step();
    let error = other.load_state_dict(&one.state_dict()).unwrap_err();
    assert!(error.message().contains("exp_avg has the shape"), "{error}");
    assert_eq!(other.lrs(), [0.2]);
    let two = Adam::new([&a, &b], 0.1);
    let error = two.load_state_dict(&one.state_dict()).unwrap_err();
    assert_eq!(
        error.message(),
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
    );
}

#[test]
fn unknown_options_of_a_file_are_kept() {
    let w = param(&[1.0]);
    let sgd = SGD::new([&w], 0.1);
    let mut saved = sgd.state_dict();
    saved.param_groups[0].push(("swa_lr".into(), StateValue::Float(0.05)));
    sgd.load_state_dict(&saved).unwrap();
    assert_eq!(sgd.param_groups()[0].number("swa_lr"), Some(0.05));
}

#[test]
fn a_shared_tensor_holds_the_learning_rate() {
    let w = param(&[1.0]);
    let sgd = SGD::new([&w], 0.1);
    let lr = Tensor::from_slice(&[0.5f32]);
    sgd.share_lr(0, &lr);
    give_grad(&w, &[1.0]);
    sgd.step();
    assert_eq!(w.to_vec::<f32>(), [0.5]);
    StepLR::new(&sgd, 1, 0.5).step();
    assert_eq!(lr.to_vec::<f32>(), [0.25]);
}

#[test]
fn mistakes_are_refused_in_pytorchs_words() {
    let w = param(&[1.0]);
    assert_eq!(refusal(|| drop(SGD::new([&w], -1.0))), "Invalid learning rate: -1");
    assert_eq!(
        refusal(|| drop(SGD::with([&w], SgdOptions { nesterov: true, ..Default::default() }))),
        "Nesterov momentum requires a momentum and zero dampening"
    );
    assert_eq!(
        refusal(|| drop(Adam::with([&w], AdamOptions { betas: (1.0, 0.999), ..Default::default() }))),
        "Invalid beta parameter at index 0: 1"
    );
    assert_eq!(refusal(|| drop(SGD::new(Vec::<Tensor>::new(), 0.1))), "optimizer got an empty parameter list");
    assert_eq!(refusal(|| drop(SGD::new([&w * 2.0], 0.1))), "can't optimize a non-leaf Tensor");
    let sgd = SGD::new([&w], 0.1);
    assert_eq!(
        refusal(|| sgd.add_param_group(ParamGroup::new([&w], SgdOptions::default()))),
        "some parameters appear in more than one parameter group"
    );
    assert_eq!(
        refusal(|| drop(SGD::new([&w, &w], 0.1))),
        "optimizer contains a parameter group with duplicate parameters"
    );
    assert_eq!(
        refusal(|| drop(OneCycleLR::new(&Adagrad::new([&w], 0.1), 0.1, 10))),
        "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
    );
}

#[test]
fn many_threads_give_the_same_bits() {
    let n = 100_003;
    let values: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
    let mut results = Vec::new();
    for threads in [1, 3] {
        cresset_kernels::threads::set_num_threads(threads);
        let w = param(&values);
        let adam = AdamW::new([&w], 1e-2);
        for _ in 0..3 {
            give_grad(&w, &values);
            clip_grad_norm_([&w], 1.0);
            adam.step();
        }
        results.push(w.to_vec::<f32>());
    }
    cresset_kernels::threads::set_num_threads(0);
    assert_eq!(results[0], results[1]);
}

#[test]
fn prints_as_pytorch_does() {
    let sgd = SGD::new([param(&[1.0])], 0.001);
    assert_eq!(
        sgd.to_string(),
        "SGD (\nParameter Group 0\n    dampening: 0.0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n    momentum: 0.0\n    nesterov: False\n    weight_decay: 0.0\n)"
    );
}
