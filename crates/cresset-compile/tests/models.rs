//! Compiled models against eager ones: results, gradients, random numbers, buffers.

use cresset_compile::{Compiled, compile, compile_fn};
use cresset_nn::prelude::*;
use cresset_nn::*;
use cresset_tensor::{DType, attempt, manual_seed, no_grad, where_};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tests of this file share one stream of random numbers, so they run one after the other, each from the same seed.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual_seed(0);
    guard
}

/// The largest difference, relative to the largest number.
#[track_caller]
fn close(a: &Tensor, b: &Tensor, limit: f64) {
    assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()));
    if a.numel() == 0 {
        return;
    }
    let (a, b) = (a.detach().to_dtype(DType::F64), b.detach().to_dtype(DType::F64));
    let difference = (&a - &b).abs().max().item::<f64>();
    let size = b.abs().max().item::<f64>().max(1e-3);
    assert!(difference <= limit * size, "{difference:e} apart, of {size:e}");
}

/// Runs a step of both, from the same seed; compares result, gradients of parameters and input, and buffers.
#[track_caller]
fn same_step<M: Forward<Tensor, Output = Tensor> + Clone>(model: &M, fast: &Compiled<M>, x: &Tensor, limit: f64) {
    model.parameters().iter().for_each(|p| p.zero_grad());
    let other = model.deep_copy();
    let run = |m: &dyn Fn(&Tensor) -> Tensor, x: &Tensor| {
        manual_seed(7);
        let y = m(x);
        let w = Tensor::linspace(0.5, 1.5, y.numel()).to_dtype(y.dtype()).reshape(y.shape());
        (&y * &w).sum().backward();
        y
    };
    let (xa, xb) = (x.detach().requires_grad_(true), x.detach().requires_grad_(true));
    let a = run(&|x| other.call(x), &xa);
    let b = run(&|x| fast.call(x), &xb);
    close(&b, &a, limit);
    close(&xb.grad().expect("a gradient of the input"), &xa.grad().unwrap(), limit);
    for ((name, p), (_, q)) in model.named_parameters().iter().zip(other.named_parameters()) {
        match (p.grad(), q.grad()) {
            (Some(g), Some(h)) => close(&g, &h, limit),
            (None, None) => {}
            (g, h) => panic!("{name}: gradient {} compiled, {} eager", g.is_some(), h.is_some()),
        }
    }
    for (b, c) in model.buffers().iter().zip(other.buffers()) {
        close(&b.get(), &c.get(), limit);
    }
    model.parameters().iter().for_each(|p| p.zero_grad());
}

#[derive(Module, Clone)]
struct Classifier {
    base: Base,
    network: Sequential,
}
impl Classifier {
    fn new() -> Classifier {
        let network = Sequential::new((
            Linear::new(20, 32),
            BatchNorm1d::new(32),
            ReLU::new(),
            Dropout::new(0.3),
            Linear::new(32, 16),
            BatchNorm1d::new(16),
            GELU::new(),
            Linear::new(16, 5),
        ));
        Classifier { base: Base::new(), network }
    }
}
impl Forward for Classifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

#[test]
fn a_classifier_trains_and_evaluates_as_the_eager_one() {
    let _alone = alone();
    manual_seed(0);
    let model = Classifier::new();
    let x = Tensor::randn([12, 20]);
    let before = model.buffers().iter().map(|b| b.get().clone()).collect::<Vec<_>>();
    let copies: Vec<Vec<f64>> = before.iter().map(|b| b.to_dtype(DType::F64).to_vec()).collect();
    let state = cresset_tensor::get_rng_state().to_vec::<u8>();
    let fast = compile(&model, &x);
    assert_eq!(cresset_tensor::get_rng_state().to_vec::<u8>(), state, "compiling drew random numbers");
    for (b, c) in model.buffers().iter().zip(copies) {
        assert_eq!(b.get().to_dtype(DType::F64).to_vec::<f64>(), c, "compiling moved a buffer");
    }
    for n in [12, 3, 40] {
        same_step(&model, &fast, &Tensor::randn([n, 20]), 1e-6);
    }
    model.eval();
    for n in [1, 12, 33] {
        let x = Tensor::randn([n, 20]);
        same_step(&model, &fast, &x, 1e-6);
        let (a, b) = no_grad(|| (model.call(&x), fast.call(&x)));
        close(&b, &a, 1e-6);
        // What was folded follows the weights.
        no_grad(|| {
            for p in model.parameters() {
                p.mul_(1.01);
            }
            for b in model.buffers().iter().filter(|b| b.get().is_floating_point()) {
                b.get().mul_(1.02);
            }
        });
        let (a, b) = no_grad(|| (model.call(&x), fast.call(&x)));
        close(&b, &a, 1e-6);
    }
    println!("{}", fast.explain());
}

#[derive(Module, Clone)]
struct Optimized {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
fn leaky(x: &Tensor) -> Tensor {
    where_(&x.gt(0.0), x, x * 0.01)
}
impl Forward for Optimized {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = leaky(&self.fc1.call(x));
        let x = leaky(&self.fc2.call(&x));
        self.fc3.call(&x)
    }
}

#[test]
fn selection_is_fused_with_its_neighbours() {
    let _alone = alone();
    let model =
        Optimized { base: Base::new(), fc1: Linear::new(30, 40), fc2: Linear::new(40, 20), fc3: Linear::new(20, 1) };
    let x = Tensor::randn([50, 30]);
    let fast = no_grad(|| compile(&model, &x));
    assert_eq!(fast.explain().forward.len(), 5, "{}", fast.explain());
    same_step(&model, &fast, &x, 1e-6);
    same_step(&model, &fast, &Tensor::randn([7, 30]), 1e-6);
    assert_eq!(fast.kinds(), 3);
}

/// Reads and writes that do not stand in a plain chain.
#[derive(Module, Clone)]
struct Tangled {
    base: Base,
    a: Linear,
    scale: Parameter,
    frozen: Parameter,
}
impl Forward for Tangled {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.a.call(x);
        let s = h.sigmoid();
        let r = &h * &s + &*self.scale; // broadcast over rows
        let m = r.mean_dim([1], true);
        let c = &r - &m;
        let v = (&c * &c).mean_dim([1], true);
        let n = &c * &(&v + 1e-5).rsqrt();
        let again = self.a.weight.t().matmul(&n.t()).t(); // the weight a second time
        let cut = again.detach() * 0.5;
        let t = &again.tanh() + &cut;
        let mut z = t.clone().exp();
        z = no_grad(|| &z * 0.0) + z;
        z.add_(&*self.frozen);
        &z * &z
    }
}

#[test]
fn broadcasts_reductions_detached_and_frozen_parts_keep_their_gradients() {
    let _alone = alone();
    manual_seed(3);
    let frozen = Parameter::frozen(Tensor::randn([6]));
    let model = Tangled { base: Base::new(), a: Linear::new(6, 8), scale: Parameter::new(Tensor::randn([8])), frozen };
    let fast = compile(&model, &Tensor::randn([4, 6]));
    for n in [4, 1, 9] {
        same_step(&model, &fast, &Tensor::randn([n, 6]), 4e-6);
    }
    let model = model.deep_copy();
    model.to(DType::F64);
    let fast = compile(&model, &Tensor::randn([4, 6]).to_dtype(DType::F64));
    same_step(&model, &fast, &Tensor::randn([5, 6]).to_dtype(DType::F64), 1e-13);
}

#[test]
fn a_convolutional_network() {
    let _alone = alone();
    manual_seed(1);
    let model = Sequential::new((
        Conv2d::new(1, 4, 3),
        BatchNorm2d::new(4),
        ReLU::new(),
        MaxPool2d::new(2),
        Flatten::new(),
        Linear::new(4 * 5 * 5, 10),
        LogSoftmax::new(1),
    ));
    let fast = compile(&model, &Tensor::randn([3, 1, 12, 12]));
    same_step(&model, &fast, &Tensor::randn([3, 1, 12, 12]), 1e-6);
    model.eval();
    same_step(&model, &fast, &Tensor::randn([3, 1, 12, 12]), 1e-6);
}

#[test]
fn freezing_after_compiling_is_seen() {
    let _alone = alone();
    let model = Sequential::new((Linear::new(4, 4), Tanh::new(), Linear::new(4, 2)));
    let x = Tensor::randn([3, 4]);
    let fast = compile(&model, &x);
    fast.call(&x).sum().backward();
    assert!(model.parameters().iter().all(|p| p.grad().is_some()));
    model.parameters()[0].requires_grad_(false);
    same_step(&model, &fast, &x, 1e-6);
    model.parameters().iter().for_each(|p| drop(p.requires_grad_(false)));
    assert!(!fast.call(&x).requires_grad());
}

#[derive(Module, Clone)]
struct Odd {
    base: Base,
    inner: Linear,
    #[module(skip)]
    kind: usize,
    hidden: Buffer,
}
impl Forward for Odd {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let y = self.inner.call(x);
        match self.kind {
            0 if y.sum().item::<f32>() > 0.0 => y,
            0 => -y,
            1 => &y + &Tensor::randperm(3).to_dtype(DType::F32),
            2 => {
                self.hidden.set(y.detach());
                y
            }
            3 => x.detach().add_(1.0),
            4 => y.masked_select(&y.gt(0.0)),
            _ => &y + &x.sum() * 0.0,
        }
    }
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let _alone = alone();
    let make =
        |kind| Odd { base: Base::new(), inner: Linear::new(3, 3), kind, hidden: Buffer::new(Tensor::zeros([1])) };
    let x = Tensor::randn([2, 3]);
    for (kind, part) in [
        (0, "read outside an op"),
        (1, "not recorded as an op"),
        (2, "buffer"),
        (3, "in-place operation"),
        (4, "Odd: masked_select: what it gives depends on the numbers"),
    ] {
        let e = attempt(|| compile(&make(kind), &x)).expect_err("refused").to_string();
        assert!(e.contains(part) && e.contains("Odd"), "{kind}: {e}");
    }
    let model = make(9);
    let fast = compile(&model, &x);
    let _hook = model.inner.register_forward_hook(|_, _, _| None);
    let (a, b) = (model.call(&x), fast.call(&x)); // runs uncompiled, with a warning
    close(&b, &a, 0.0);
    let e = attempt(|| compile(&model, &x)).expect_err("refused").to_string();
    assert!(e.contains("hooks on inner (Linear)"), "{e}");
}

#[test]
fn random_numbers_of_the_model_are_drawn_in_every_run() {
    let _alone = alone();
    let noisy = Lambda::new(|x: &Tensor| x + Tensor::randn(x.shape()) * 0.1 + x.rand_like() * Tensor::rand([4]));
    let model = Sequential::new((Linear::new(3, 4), noisy, Dropout1d::new(0.4), Tanh::new(), Dropout::new(0.2)));
    let x = Tensor::randn([6, 3]);
    let fast = compile(&model, &x);
    for n in [6, 2, 6] {
        same_step(&model, &fast, &Tensor::randn([n, 3]), 1e-6);
    }
    assert!(!fast.call(&x).equal(&fast.call(&x)));
    // Numbers that nobody reads are drawn, too: the stream goes on as in eager mode.
    let f = compile_fn(|x: &Tensor| {
        Tensor::randn([5]);
        x + Tensor::rand([3])
    });
    for _ in 0..3 {
        manual_seed(3);
        let got = f.call(&Tensor::zeros([3]));
        manual_seed(3);
        Tensor::randn([5]);
        assert!(got.equal(&Tensor::rand([3])));
    }
    assert_eq!(f.kinds(), 1);
}

#[test]
fn the_plan_tells_what_was_joined() {
    let _alone = alone();
    let model = Sequential::new((Linear::new(3, 4), ReLU::new(), Linear::new(4, 2)));
    let report = no_grad(|| compile(&model, &Tensor::randn([2, 3]))).explain();
    let names: Vec<&str> = report.forward.iter().map(|j| &*j.name).collect();
    assert_eq!(names, ["linear+relu", "linear"]);
    let text = report.to_string();
    assert!(text.contains("3 ops recorded\nforward: 2 jobs\n"), "{text}");
    assert!(text.contains("alone: a product, which applies the relu behind it"), "{text}");
}

#[test]
fn hooks_on_the_model_itself_run() {
    let _alone = alone();
    let model = Sequential::new((Linear::new(3, 4), Tanh::new()));
    let x = Tensor::randn([2, 3]);
    let fast = compile(&model, &x);
    let seen = Arc::new(AtomicUsize::new(0));
    let count = |n: usize| {
        let seen = seen.clone();
        move || {
            seen.fetch_add(n, Ordering::Relaxed);
        }
    };
    let (before, back) = (count(1), count(100));
    let _pre = model.register_forward_pre_hook(move |_, x| {
        before();
        Some(&x[0] * 2.0)
    });
    let _post = model.register_forward_hook(|_, _, y| Some(&y[0] + 1.0));
    let _back = model.register_full_backward_hook(move |_, _, _| back());
    let leaf = x.detach().requires_grad_(true);
    for _ in 0..2 {
        close(&fast.call(&leaf), &model.call(&leaf), 1e-6);
    }
    assert_eq!((fast.kinds(), seen.swap(0, Ordering::Relaxed)), (2, 4));
    fast.call(&leaf).sum().backward();
    assert_eq!(seen.load(Ordering::Relaxed), 101);
}

#[test]
fn a_refusal_names_the_op_and_the_module() {
    let _alone = alone();
    let odd = Odd { base: Base::new(), inner: Linear::new(3, 3), kind: 4, hidden: Buffer::new(Tensor::zeros([1])) };
    let inner = Sequential::new((Tanh::new(), odd));
    let model = Sequential::new((Linear::new(3, 3), inner, Tanh::new()));
    let x = Tensor::randn([2, 3]);
    let e = attempt(|| compile(&model, &x)).expect_err("refused").to_string();
    assert!(
        e.contains("compile: Sequential: in 1.1 (Odd): masked_select: what it gives depends on the numbers"),
        "{e}"
    );
    // What is found in the recording only.
    let rows = Lambda::new(|x: &Tensor| x.as_strided([2, 2], [1, 2], 0));
    let model = Sequential::new((Linear::new(3, 3), Sequential::new((rows,))));
    let e = attempt(|| compile(&model, &x)).expect_err("refused").to_string();
    assert!(e.contains("in 1.0 (Lambda): as_strided: it looks at memory, not at a tensor"), "{e}");
}

#[test]
fn the_newest_kinds_of_calls_are_kept() {
    let _alone = alone();
    let model = Sequential::new((Linear::new(3, 3), Tanh::new()));
    let fast = compile(&model, &Tensor::randn([1, 3]));
    for n in 1..=cresset_compile::LIMIT + 3 {
        let x = Tensor::randn([n, 3]);
        close(&fast.call(&x), &model.call(&x), 1e-6);
        assert_eq!(fast.kinds(), n.min(cresset_compile::LIMIT));
    }
    assert_eq!(fast.explain_all().len(), cresset_compile::LIMIT);
    // The first one is recorded anew; the last one is there.
    let x = Tensor::randn([1, 3]);
    close(&fast.call(&x), &model.call(&x), 1e-6);
    assert!(fast.explain().forward[0].shapes[0].contains("1, 3"), "{}", fast.explain());
}

#[test]
fn a_change_between_forward_and_backward_is_refused() {
    let _alone = alone();
    let model = Sequential::new((Linear::new(4, 4), Sigmoid::new(), Linear::new(4, 2)));
    let x = Tensor::randn([3, 4]);
    let fast = compile(&model, &x);
    let y = fast.call(&x);
    no_grad(|| model.parameters()[2].add_(1.0));
    let e = attempt(|| y.sum().backward()).expect_err("refused").to_string();
    assert!(e.contains("modified by an inplace operation"), "{e}");
    let y = fast.call(&x);
    let e = attempt(|| {
        y.sum().backward_with(None, cresset_tensor::Backward { create_graph: true, ..Default::default() });
    });
    assert!(e.expect_err("refused").to_string().contains("gradients of gradients"));
}

#[test]
fn functions_of_several_tensors() {
    let _alone = alone();
    let f = compile_fn(|(a, b): &(Tensor, Tensor)| ((a * b).tanh(), (a - b).sum()));
    for _ in 0..2 {
        let (a, b) = (Tensor::randn([5, 4]).requires_grad_(true), Tensor::randn([4]).requires_grad_(true));
        let (c, d) = (a.detach().requires_grad_(true), b.detach().requires_grad_(true));
        let (y, s) = f.call((&a, &b));
        let (z, t) = ((&c * &d).tanh(), (&c - &d).sum());
        close(&y, &z, 1e-6);
        // A sum of 20 numbers of both signs, in another order.
        close(&s, &t, 1e-5);
        (y.sum() + &s).backward();
        (z.sum() + &t).backward();
        close(&a.grad().unwrap(), &c.grad().unwrap(), 1e-6);
        close(&b.grad().unwrap(), &d.grad().unwrap(), 1e-6);
    }
    assert_eq!(f.kinds(), 1);
}

#[test]
fn a_module_inside_a_compiled_function_keeps_its_training_flag() {
    let _alone = alone();
    let dropout = Dropout::new(0.5);
    let f = compile_fn({
        let dropout = dropout.clone();
        move |x: &Tensor| dropout.call(x) * 2.0
    });
    let x = Tensor::ones([50]);
    f.call(&x); // runs uncompiled, with a warning
    dropout.eval();
    assert!(f.call(&x).equal(&(&x * 2.0)));
    assert_eq!(f.kinds(), 0);
}

#[test]
fn what_a_caller_does_to_a_result_does_not_reach_later_runs() {
    let w = Tensor::ones([2]);
    type Results = fn(&Tensor, &Tensor) -> Tensor;
    // A constant, one that no op met, what is computed of captured tensors alone, and a view of it.
    let others: [(Results, f32); 5] = [
        (|_, _| Tensor::ones([2]) + 1.0, 2.0),
        (|_, _| Tensor::ones([2]), 1.0),
        (|_, _| Tensor::ones([2]).reshape([1, 2]), 1.0),
        (|_, w| w.exp().log(), 1.0),
        (|_, w| w.exp().log().reshape([1, 2]), 1.0),
    ];
    for (other, value) in others {
        let held = w.clone();
        let fast = compile_fn(move |x: &Tensor| (x * 2.0, other(x, &held)));
        let x = Tensor::ones([2]);
        for _ in 0..3 {
            let (_, b) = fast.call(&x);
            assert_eq!(b.to_vec::<f32>(), [value; 2]);
            b.add_(1.0);
        }
    }
    assert_eq!(w.to_vec::<f32>(), [1.0; 2]);
}
