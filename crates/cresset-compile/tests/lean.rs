//! A model that is called outside of `no_grad` and never asked for gradients stops keeping what they need; when they are asked for after all, they are right.

use cresset_compile::{Compiled, compile};
use cresset_kernels::buffer::stats;
use cresset_nn::prelude::*;
use cresset_nn::*;
use cresset_tensor::{attempt, get_rng_state, manual_seed, no_grad, set_rng_state};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The tests of this file share one stream of random numbers, and one count of memory.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual_seed(0);
    guard
}

fn network() -> Sequential {
    Sequential::new((
        Linear::new(100, 200),
        LeakyReLU::new(),
        Linear::new(200, 100),
        LeakyReLU::new(),
        Linear::new(100, 3),
    ))
}

/// Runs whose results are dropped.
fn make_a_habit(fast: &Compiled<Sequential>, x: &Tensor) {
    (0..6).for_each(|_| drop(fast.call(x)));
}

/// The bytes that a run leaves alive as long as its result lives.
fn held(fast: &Compiled<Sequential>, x: &Tensor) -> usize {
    let before = stats().live_bytes;
    let y = fast.call(x);
    let held = stats().live_bytes - before;
    drop(y);
    held
}

/// The gradients of the parameters.
fn gradients(model: &Sequential, y: &Tensor) -> Vec<Vec<f32>> {
    model.parameters().iter().for_each(|p| p.zero_grad());
    y.square().sum().backward();
    model.parameters().iter().map(|p| p.grad().expect("a gradient").to_vec::<f32>()).collect()
}

const KEPT: usize = 1000 * 300 * 4;

#[test]
fn what_no_backward_reads_is_not_kept() {
    let _turn = alone();
    let model = network();
    let x = Tensor::randn([1000, 100]);
    let fast = compile(&model, &x);
    let (first, bytes) = (fast.call(&x).to_vec::<f32>(), held(&fast, &x));
    assert!(bytes >= KEPT, "{bytes}");
    make_a_habit(&fast, &x);
    assert!(held(&fast, &x) < KEPT / 10);
    assert_eq!(fast.call(&x).to_vec::<f32>(), first);

    // A backward gives the same bits as ever, by way of a second forward, and ends the habit.
    let late = gradients(&model, &fast.call(&x));
    assert!(held(&fast, &x) >= KEPT);
    assert_eq!(late, gradients(&model, &fast.call(&x)));

    // Now and then a run without a backward is no habit.
    for _ in 0..5 {
        (0..3).for_each(|_| drop(fast.call(&x)));
        gradients(&model, &fast.call(&x));
        assert!(held(&fast, &x) >= KEPT);
    }
}

#[test]
fn parameters_may_change_before_backward_where_eager_mode_lets_them() {
    let _turn = alone();
    let model = network();
    let x = Tensor::randn([1000, 100]);
    let fast = compile(&model, &x);
    // Backward reads no bias, and the first weight only for a gradient of the input.
    let free: Vec<Parameter> = model
        .named_parameters()
        .into_iter()
        .filter(|(n, _)| n.ends_with("bias") || n == "0.weight")
        .map(|(_, p)| p)
        .collect();
    assert_eq!(free.len(), 4);
    let change = |p: &Parameter, by: f64| no_grad(|| drop(p.mul_(by)));
    let found = [false, true].map(|habit| {
        if habit {
            make_a_habit(&fast, &x);
        }
        assert_eq!(held(&fast, &x) < KEPT / 10, habit);
        let y = fast.call(&x);
        free.iter().for_each(|p| change(p, 2.0));
        let found = gradients(&model, &y);
        free.iter().for_each(|p| change(p, 0.5));
        found
    });
    assert_eq!(found[0], found[1]);

    // What backward reads may not change, habit or not.
    for what in [model.named_parameters()[2].1.tensor().clone(), x.clone()] {
        make_a_habit(&fast, &x);
        let y = fast.call(&x);
        no_grad(|| drop(what.mul_(1.0)));
        let refused = attempt(|| y.sum().backward()).expect_err("changed in place").to_string();
        assert!(refused.contains("modified by an inplace operation"), "{refused}");
    }
}

#[test]
fn changed_parameters_are_seen() {
    let _turn = alone();
    let model = network();
    let x = Tensor::randn([1000, 100]);
    let fast = compile(&model, &x);
    make_a_habit(&fast, &x);
    for _ in 0..3 {
        no_grad(|| model.parameters().iter().for_each(|p| drop(p.mul_(1.1))));
        let want = no_grad(|| model.call(&x));
        for _ in 0..8 {
            let y = fast.call(&x);
            assert!((&y - &want).abs().max().item::<f32>() < 1e-5);
        }
        let got = gradients(&model, &fast.call(&x));
        let want = gradients(&model, &model.call(&x));
        for (g, w) in got.iter().flatten().zip(want.iter().flatten()) {
            assert!((g - w).abs() <= 1e-4 * w.abs().max(100.0), "{g} {w}"); // sums over 1000 rows of numbers around 10
        }
    }
}

#[test]
fn random_numbers_are_drawn_once() {
    let _turn = alone();
    let model = Sequential::new((Linear::new(100, 200), Dropout::new(0.5), LeakyReLU::new(), Linear::new(200, 100)));
    let x = Tensor::randn([1000, 100]);
    let fast = compile(&model, &x);
    make_a_habit(&fast, &x);
    let begin = get_rng_state();
    let (y, after) = (fast.call(&x), get_rng_state().to_vec::<u8>());
    let got = gradients(&model, &y);
    assert_eq!(get_rng_state().to_vec::<u8>(), after);
    set_rng_state(&begin);
    let want = gradients(&model, &model.call(&x));
    assert_eq!(get_rng_state().to_vec::<u8>(), after);
    for (g, w) in got.iter().flatten().zip(want.iter().flatten()) {
        assert!((g - w).abs() <= 1e-4 * w.abs().max(100.0), "{g} {w}"); // see above
    }
}
