//! Several threads take all parameters in one pass: the same bits as one thread that takes them one by one, and nobody waits for ever.

use cresset_optim::kernels::{Float, Formula};
use cresset_optim::*;
use cresset_tensor::{DType, Generator, Tensor, set_num_threads};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of threads belongs to the process: the tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

type Make<'a> = &'a dyn Fn(&[Tensor]) -> Optimizer;

fn numbers(seed: u64, shape: &[usize]) -> Tensor {
    Tensor::randn_with(shape, DType::F32, Some(&Generator::with_seed(seed)))
}

/// Parameters of many sizes and dtypes, a view in another order, views that share memory, one without gradient, one that is its own gradient.
fn parameters() -> Vec<Tensor> {
    let mut all: Vec<Tensor> = [&[900, 600][..], &[1], &[0], &[64, 65], &[4097], &[2, 3, 5], &[9000]]
        .iter()
        .enumerate()
        .map(|(k, shape)| numbers(k as u64, shape))
        .collect();
    all.push(numbers(20, &[130, 40]).to_dtype(DType::F64));
    all.push(numbers(21, &[1000]).to_dtype(DType::F16));
    all.push(numbers(22, &[777]).to_dtype(DType::BF16));
    all.push(numbers(23, &[60, 50]).t());
    let flat = numbers(24, &[6000]);
    all.push(flat.narrow(0, 0, 2500));
    all.push(flat.narrow(0, 2500, 3500));
    all.push(numbers(25, &[100]));
    let own = numbers(26, &[500]);
    own.set_grad(Some(own.detach()));
    all.push(own);
    all.into_iter().map(|p| p.detach().requires_grad_(true)).collect()
}

fn give_gradients(params: &[Tensor], step: u64) {
    for (k, p) in params.iter().enumerate() {
        match k {
            13 => {}
            14 => p.set_grad(Some(p.detach())),
            // A gradient in another order of memory.
            3 => p.set_grad(Some(numbers(100 * step + 3, &[65, 64]).t())),
            _ => p.set_grad(Some(numbers(100 * step + k as u64, &p.shape()[..]).to_dtype(p.dtype()))),
        }
    }
}

/// The bits of all parameters and of the state after some steps on a number of threads. The first step takes them one by one in any case.
fn trained(make: Make, threads: usize) -> Vec<Vec<f64>> {
    set_num_threads(threads);
    let params = parameters();
    let optimizer = make(&params);
    let versions: Vec<u32> = params.iter().map(Tensor::version).collect();
    for step in 0..3 {
        give_gradients(&params, step);
        optimizer.step();
    }
    let mut all: Vec<Vec<f64>> = params.iter().map(|p| p.to_dtype(DType::F64).reshape([-1]).to_vec()).collect();
    // Every step counts as a change, except for what had no gradient. What shares memory is changed by its neighbour too.
    for (k, (p, before)) in params.iter().zip(versions).enumerate() {
        let steps = if k == 13 {
            0
        } else if k == 11 || k == 12 {
            6
        } else {
            3
        };
        assert_eq!(p.version() - before, steps, "parameter {k}");
    }
    for (_, state) in optimizer.state_dict().state {
        for (_, value) in state {
            if let StateValue::Tensor(t) = value {
                all.push(t.to_dtype(DType::F64).reshape([-1]).to_vec());
            }
        }
    }
    set_num_threads(0);
    all
}

fn groups(p: &[Tensor]) -> Optimizer {
    let options = SgdOptions { lr: 0.01, momentum: 0.9, ..Default::default() };
    let others = SgdOptions { lr: 0.1, momentum: 0.0, ..options };
    SGD::with_groups([ParamGroup::new(&p[..5], options), ParamGroup::new(&p[5..], others)]).into()
}

#[test]
fn every_algorithm_gives_the_same_bits_on_any_number_of_threads() {
    let _turn = alone();
    let all: Vec<(&str, Make)> = vec![
        ("SGD", &|p| SGD::new(p, 0.01).into()),
        ("SGD with groups", &groups),
        ("Adam", &|p| Adam::new(p, 0.01).into()),
        ("AMSGrad", &|p| Adam::with(p, AdamOptions { amsgrad: true, ..Default::default() }).into()),
        ("AdamW", &|p| AdamW::new(p, 0.01).into()),
        ("Adadelta", &|p| Adadelta::new(p, 0.1).into()),
        ("Adagrad", &|p| Adagrad::new(p, 0.1).into()),
        ("Adamax", &|p| Adamax::new(p, 0.01).into()),
        ("ASGD", &|p| ASGD::new(p, 0.01).into()),
        ("NAdam", &|p| NAdam::new(p, 0.01).into()),
        ("RAdam", &|p| RAdam::new(p, 0.01).into()),
        ("RMSprop", &|p| {
            RMSprop::with(p, RMSpropOptions { momentum: 0.5, centered: true, ..Default::default() }).into()
        }),
        ("Rprop", &|p| Rprop::new(p, 0.01).into()),
        ("a rule that runs two formulas", &|p| OptimizerFor::with(p, Twice { lr: 0.25 }).into()),
    ];
    for (name, make) in all {
        let one = trained(make, 1);
        for &threads in if name == "Adam" { &[2, 3][..] } else { &[2] } {
            assert!(trained(make, threads) == one, "{name}, {threads} threads");
        }
    }
}

/// Goes half the way, and from there half the way again with the numbers that it finds.
#[derive(Clone, Copy)]
struct Twice {
    lr: f64,
}
impl Formula<1> for Twice {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let sum = sum + g * p;
        (p - F::of(self.lr) * sum, [sum])
    }
}
impl Rule for Twice {
    const NAME: &'static str = "Twice";
    const LAYOUT: Layout = Layout { step: false, numbers: &[], tensors: &["sum"], eager: false };
    type Plan = ();
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("lr", &mut self.lr)]
    }
    fn slots(&self) -> &'static [usize] {
        &[0]
    }
    fn plan(&self, _step: f64) {}
    fn step(&self, _plan: (), p: &mut Cell) {
        p.apply([0], *self);
        p.apply([0], Twice { lr: self.lr / 2.0 });
    }
}

// Others read and step the same tensors meanwhile, in another order.
#[test]
fn nobody_waits_for_ever() {
    let _turn = alone();
    set_num_threads(2);
    let params: Vec<Tensor> = (0..6).map(|k| numbers(k, &[90_000]).requires_grad_(true)).collect();
    let backwards: Vec<Tensor> = params.iter().rev().cloned().collect();
    params.iter().for_each(|p| p.set_grad(Some(p.zeros_like())));
    let before: Vec<Vec<f32>> = params.iter().map(Tensor::to_vec).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                cresset_tensor::no_grad(|| backwards.windows(2).for_each(|w| drop(&w[0] + &w[1])));
            }
        });
        let other = scope.spawn(|| {
            let sgd = SGD::new(&backwards, 0.1);
            (0..40).for_each(|_| sgd.step());
        });
        let adam = Adam::new(&params, 0.1);
        (0..40).for_each(|_| adam.step());
        other.join().expect("steps");
        done.store(true, Ordering::Relaxed);
    });
    let after: Vec<Vec<f32>> = params.iter().map(Tensor::to_vec).collect();
    assert!(before == after, "gradients of zero move nothing");
    set_num_threads(0);
}

// What is refused is refused before any parameter has changed.
#[test]
fn a_refused_step_changes_nothing() {
    let _turn = alone();
    set_num_threads(2);
    let params: Vec<Tensor> = (0..3).map(|k| numbers(k, &[90_000]).requires_grad_(true)).collect();
    let adam = Adam::new(&params, 0.1);
    params.iter().for_each(|p| p.set_grad(Some(numbers(9, &[90_000]))));
    adam.step();
    params[2].set_data(&numbers(5, &[10]));
    params[2].set_grad(Some(numbers(6, &[10])));
    let before: Vec<Vec<f32>> = params.iter().map(Tensor::to_vec).collect();
    let e = cresset_tensor::attempt(|| adam.step()).expect_err("another shape").to_string();
    assert!(e.contains("the state exp_avg has the shape [90000], but its parameter has [10]"), "{e}");
    assert!(params.iter().map(Tensor::to_vec::<f32>).eq(before));
    assert_eq!(adam.state_dict().state[0].1[0].1.number(), Some(1.0));
    set_num_threads(0);
}
