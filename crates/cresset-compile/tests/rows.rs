//! Layers that rows go through together: the same numbers as layer by layer, and only where that is allowed.

use cresset_compile::{Report, compile, compile_fn};
use cresset_nn::prelude::*;
use cresset_nn::*;
use cresset_tensor::{DType, manual_seed, no_grad, set_num_threads, where_};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The tests of this file share one stream of random numbers and the number of threads.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual_seed(0);
    guard
}

#[track_caller]
fn close(a: &Tensor, b: &Tensor, limit: f64) {
    assert_eq!((a.shape(), a.dtype()), (b.shape(), b.dtype()));
    let (a, b) = (a.detach().to_dtype(DType::F64), b.detach().to_dtype(DType::F64));
    let (difference, size) = ((&a - &b).abs().max().item::<f64>(), b.abs().max().item::<f64>());
    assert!(difference <= limit * size, "{difference:e} apart, of {size:e}");
}

/// How many ops went into the largest job of forward.
fn largest(report: &Report) -> usize {
    report.forward.iter().map(|j| j.ops).max().unwrap_or(0)
}

#[derive(Module, Clone)]
struct Leaky {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
impl Leaky {
    fn new(a: usize, b: usize, c: usize, d: usize) -> Leaky {
        let base = Base::new();
        Leaky { base, fc1: Linear::new(a, b), fc2: Linear::new(b, c), fc3: Linear::new(c, d) }
    }
}
impl Forward for Leaky {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let leaky = |x: &Tensor| where_(&x.gt(0.0), x, 0.01 * x);
        self.fc3.call(&leaky(&self.fc2.call(&leaky(&self.fc1.call(x)))))
    }
}

#[test]
fn layers_in_a_row_become_one_job() {
    let _turn = alone();
    // Rows that divide and rows that are left over, one output and several, one batch dimension and two.
    for (rows, sizes) in [(1000, [100, 200, 100, 1]), (999, [33, 70, 130, 17]), (480, [100, 200, 100, 10])] {
        let [a, b, c, d] = sizes;
        let model = Leaky::new(a, b, c, d);
        for shape in [vec![rows, a], vec![3, rows / 3, a]] {
            let x = Tensor::randn(&shape[..]);
            let fast = no_grad(|| compile(&model, &x));
            no_grad(|| {
                close(&fast.call(&x), &model.call(&x), 2e-6);
                assert!(largest(&fast.explain()) >= 5, "{}", fast.explain());
                // The weights are packed once for each version.
                model.fc1.weight.mul_(1.5);
                close(&fast.call(&x), &model.call(&x), 2e-6);
                model.fc2.bias.as_ref().expect("a bias").add_(0.25);
                close(&fast.call(&x), &model.call(&x), 2e-6);
            });
        }
    }
}

#[test]
fn gradients_and_what_they_need_are_the_same() {
    let _turn = alone();
    let model = Leaky::new(100, 200, 100, 3);
    let fast = compile(&model, &Tensor::randn([600, 100]));
    for _ in 0..2 {
        let x = Tensor::randn([600, 100]);
        let run = |f: &dyn Fn(&Tensor) -> Tensor| {
            model.parameters().iter().for_each(|p| p.zero_grad());
            let x = x.detach().requires_grad_(true);
            let y = f(&x);
            y.square().sum().backward();
            let grads: Vec<Tensor> = model.parameters().iter().map(|p| p.grad().expect("a gradient")).collect();
            (y, x.grad().expect("a gradient"), grads)
        };
        let (a, b) = (run(&|x| fast.call(x)), run(&|x| model.call(x)));
        close(&a.0, &b.0, 2e-6);
        close(&a.1, &b.1, 5e-6);
        a.2.iter().zip(&b.2).for_each(|(a, b)| close(a, b, 5e-6));
        model.parameters().iter().for_each(|p| no_grad(|| p.mul_(1.1)).zero_grad());
    }
    assert!(largest(&fast.explain()) >= 5, "{}", fast.explain());
}

#[test]
fn threads_change_no_bits() {
    let _turn = alone();
    let model = Leaky::new(100, 200, 100, 5);
    let x = Tensor::randn([1000, 100]);
    let fast = no_grad(|| compile(&model, &x));
    let run = |threads: usize| {
        set_num_threads(threads);
        no_grad(|| fast.call(&x)).to_vec::<f32>()
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
    set_num_threads(0);
}

#[test]
fn rows_and_numbers_beside_them_take_part() {
    let _turn = alone();
    let (w, v) = (Tensor::randn([64, 200]), Tensor::randn([200, 80]));
    let (gain, shift) = (Tensor::randn([200]), Tensor::randn([1]));
    for dtype in [DType::F32, DType::F64] {
        let all = [&w, &v, &gain, &shift].map(|t| t.to_dtype(dtype));
        let f = move |x: &Tensor| {
            let [w, v, gain, shift] = &all;
            let y = x.mm(w);
            let y = &(&(&y * gain) + shift).sigmoid() * 2.0;
            y.mm(v).relu()
        };
        let (fast, x) = (compile_fn(f.clone()), Tensor::randn([700, 64]).to_dtype(dtype));
        fast.call(&x);
        close(&fast.call(&x), &f(&x), if dtype == DType::F32 { 2e-6 } else { 1e-14 });
        assert!(largest(&fast.explain()) >= 3, "{}", fast.explain());
    }
}

// What is between the layers is a result, or read again by a later layer: both get it.
#[test]
fn what_is_between_can_be_read_by_others() {
    let _turn = alone();
    let (w, v) = (Tensor::randn([64, 200]), Tensor::randn([200, 200]));
    let f = move |x: &Tensor| {
        let y = x.mm(&w);
        let z = &y.abs() + 1.0;
        let a = z.mm(&v);
        // A skip over two layers.
        let b = &a + &y;
        let c = b.mm(&v).mean_dim([1], false);
        (y, b, c)
    };
    let (fast, x) = (compile_fn(f.clone()), Tensor::randn([700, 64]));
    for x in [&x, &(&x * 2.0)] {
        let (got, want) = (fast.call(x), f(x));
        close(&got.0, &want.0, 2e-6);
        close(&got.1, &want.1, 2e-6);
        close(&got.2, &want.2, 2e-6);
    }
}
