//! The graph: gradients, accumulation, hooks, in-place rules, deep chains.

use cresset_tensor::autograd::{Backward, grad};
use cresset_tensor::functional::{Reduction, binary_cross_entropy, huber_loss, mse_loss, smooth_l1_loss};
use cresset_tensor::{Tensor, attempt, cat, inference_mode, no_grad};
use std::sync::{Arc, Mutex};

fn leaf(data: &[f64]) -> Tensor {
    Tensor::from_slice(data).requires_grad_(true)
}

#[test]
fn gradients_add_up_over_uses_and_over_backwards() {
    let x = leaf(&[1.0, 2.0]);
    let y = &(&x * &x) + &(&x * 3.0);
    y.sum().backward();
    assert_eq!(x.grad().unwrap().to_vec::<f64>(), [5.0, 7.0]);
    (&x * 10.0).sum().backward();
    assert_eq!(x.grad().unwrap().to_vec::<f64>(), [15.0, 17.0]);
    x.zero_grad();
    assert!(x.grad().is_none());
}

#[test]
fn broadcasting_is_undone() {
    let (a, b) = (leaf(&[1.0, 2.0, 3.0]), Tensor::from_vec(vec![2.0, 4.0], [2, 1]).requires_grad_(true));
    (&a * &b).sum().backward();
    assert_eq!(a.grad().unwrap().to_vec::<f64>(), [6.0, 6.0, 6.0]);
    assert_eq!(b.grad().unwrap().to_vec::<f64>(), [6.0, 6.0]);
    assert_eq!(b.grad().unwrap().shape(), [2, 1]);
}

#[test]
fn higher_orders_and_grad_leave_leaves_alone() {
    let x = leaf(&[2.0]);
    let y = &(&x * &x) * &x;
    let keep = Backward { create_graph: true, ..Default::default() };
    let d1 = grad(&[&y], &[&x], &[None], keep)[0].clone().unwrap();
    let d2 = grad(&[&d1], &[&x], &[None], keep)[0].clone().unwrap();
    let d3 = grad(&[&d2], &[&x], &[None], keep)[0].clone().unwrap();
    assert_eq!((d1.item::<f64>(), d2.item::<f64>(), d3.item::<f64>()), (12.0, 12.0, 6.0));
    assert!(x.grad().is_none());
    let z = leaf(&[1.0]);
    assert!(attempt(|| grad(&[&y], &[&z], &[None], keep)).unwrap_err().message().contains("not have been used"));
    let unused = grad(&[&y], &[&z], &[None], Backward { allow_unused: true, ..keep });
    assert!(unused[0].is_none());
}

#[test]
fn grad_with_respect_to_a_middle_tensor() {
    let x = leaf(&[2.0]);
    let m = &x * 3.0;
    let y = &m * &m;
    let g = grad(&[&y], &[&m], &[None], Backward::default());
    assert_eq!(g[0].as_ref().unwrap().item::<f64>(), 12.0);
}

#[test]
fn a_freed_graph_is_refused_with_a_sentence() {
    let x = leaf(&[1.0]);
    let y = (&x * &x).sum();
    y.backward_with(None, Backward { retain_graph: true, ..Default::default() });
    y.backward();
    let e = attempt(|| y.backward()).unwrap_err();
    assert!(e.message().starts_with("Trying to backward through the graph a second time"), "{e}");
    assert_eq!(x.grad().unwrap().item::<f64>(), 4.0);
}

#[test]
fn mistakes_are_refused() {
    let x = leaf(&[1.0, 2.0]);
    assert!(attempt(|| (&x * 2.0).backward()).unwrap_err().message().contains("scalar outputs"));
    assert!(attempt(|| Tensor::ones(()).backward()).unwrap_err().message().contains("does not require grad"));
    let e = attempt(|| &x + &leaf(&[1.0, 2.0, 3.0])).unwrap_err();
    assert_eq!(e.op(), "add");
    assert!(e.location().unwrap().file().ends_with("autograd.rs"), "{e}");
    assert!(attempt(|| Tensor::full([2], 1i64).requires_grad_(true)).is_err());
}

#[test]
fn no_grad_and_inference_mode() {
    let x = leaf(&[1.0]);
    assert!(!no_grad(|| &x * 2.0).requires_grad());
    let y = inference_mode(|| &x * 2.0);
    assert!(attempt(|| y.requires_grad_(true)).is_err());
    let _ = attempt(|| no_grad(|| panic!("in a mode")));
    assert!((&x * 2.0).requires_grad(), "the mode is restored when a closure panics");
}

#[test]
fn hooks_see_and_replace_gradients() {
    let x = leaf(&[1.0, 2.0]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let m = &x * 2.0;
    m.retain_grad();
    let handle = m.register_hook(move |g| {
        log.lock().unwrap().push(g.to_vec::<f64>());
        Some(g * 10.0)
    });
    m.sum().backward();
    assert_eq!(*seen.lock().unwrap(), [[1.0, 1.0]]);
    assert_eq!(x.grad().unwrap().to_vec::<f64>(), [20.0, 20.0]);
    assert_eq!(m.grad().unwrap().to_vec::<f64>(), [10.0, 10.0]);
    handle.remove();
    let y = leaf(&[1.0]);
    let _ = y.register_hook(|g| Some(g * 5.0));
    let count = Arc::new(Mutex::new(0));
    let c = count.clone();
    let _ = y.register_post_accumulate_grad_hook(move |_| *c.lock().unwrap() += 1);
    (&(&y * 2.0) + &y).sum().backward();
    assert_eq!((y.grad().unwrap().item::<f64>(), *count.lock().unwrap()), (15.0, 1));
}

#[test]
fn a_chain_of_150_000_nodes_builds_runs_and_drops() {
    let x = leaf(&[1.0]);
    let mut y = &x * 1.0;
    for _ in 0..150_000 {
        y = &y * &x;
    }
    y.sum().backward();
    assert_eq!(x.grad().unwrap().item::<f64>(), 150_001.0);
    drop(y);
    // And one that is dropped without a backward, with everything still saved.
    let mut y = &x * 1.0;
    for _ in 0..150_000 {
        y = &y * &x;
    }
    drop(y);
}

#[test]
fn many_threads_share_a_parameter() {
    let x = leaf(&[3.0]);
    let handles: Vec<_> = (0..4)
        .map(|_| {
            let x = x.clone();
            std::thread::spawn(move || (0..100).map(|_| (&x * &x).sum().item::<f64>()).sum::<f64>())
        })
        .collect();
    for h in handles {
        assert_eq!(h.join().unwrap(), 900.0);
    }
}

#[test]
fn the_type_of_arithmetic_with_numbers_is_inferred() {
    let x = leaf(&[1.0, -2.0]);
    assert_eq!((&x * 2.0).relu().to_vec::<f64>(), [2.0, 0.0]);
    assert_eq!((&x * 2 + 1).abs().to_vec::<f64>(), [3.0, 3.0]);
    assert_eq!((1.0 - &x).relu().to_vec::<f64>(), [0.0, 3.0]);
    assert_eq!((2 * &x * 0.5f32 - 1i64).neg().to_vec::<f64>(), [0.0, 3.0]);
    let half = 0.5;
    assert_eq!((&x / half).relu().to_vec::<f64>(), [2.0, 0.0]);
}

/// More nodes than the engine's list holds, of two ages, in whatever order their gradients come.
#[test]
fn many_nodes_wait_at_once() {
    let x = leaf(&[1.0, 2.0]);
    let parts: Vec<Tensor> = (0..60).map(|i| &x * i as f64).collect();
    let squares: Vec<Tensor> = parts.iter().rev().map(|p| p * p).collect();
    let all: Vec<&Tensor> = squares.iter().step_by(2).chain(&parts).chain(squares.iter().skip(1).step_by(2)).collect();
    cat(&all, 0).sum().backward();
    let want = |x: f64| (0..60).map(|i| i as f64 + 2.0 * (i * i) as f64 * x).sum::<f64>();
    assert_eq!(x.grad().unwrap().to_vec::<f64>(), [want(1.0), want(2.0)]);
}

/// One op for a loss with its reduction gives what two would: value, gradients and their derivatives.
#[test]
fn a_reduced_loss_is_the_loss_reduced() {
    type Loss = fn(&Tensor, &Tensor, Reduction) -> Tensor;
    let losses: [(&str, Loss); 4] = [
        ("MseLossBackward0", mse_loss),
        ("HuberLossBackward0", |a, b, r| huber_loss(a, b, r, 0.3)),
        ("SmoothL1LossBackward0", |a, b, r| smooth_l1_loss(a, b, r, 0.3)),
        ("BinaryCrossEntropyBackward0", |a, b, r| binary_cross_entropy(a, b, None, r)),
    ];
    let keep = Backward { create_graph: true, ..Default::default() };
    // The second is longer than what is computed at once.
    for (shape, other) in [([3, 4], [3, 4]), ([70, 70], [70, 70]), ([3, 4], [1, 4]), ([0, 4], [0, 4])] {
        for (name, loss) in losses {
            if name.starts_with("Binary") && shape != other {
                continue;
            }
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let numbers = |shape: [usize; 2], step: usize| {
                    let n = shape[0] * shape[1];
                    let data: Vec<f64> = (0..n).map(|i| 0.1 + 0.8 * (i * step % 97) as f64 / 97.0).collect();
                    Tensor::from_vec(data, shape).requires_grad_(true)
                };
                let run = |whole: bool| {
                    let (a, b) = (numbers(shape, 7), numbers(other, 11));
                    let y = match (whole, reduction) {
                        (true, r) => loss(&a, &b, r),
                        (_, Reduction::Sum) => loss(&a, &b, Reduction::None).sum(),
                        _ => loss(&a, &b, Reduction::None).mean(),
                    };
                    if whole {
                        assert_eq!(y.grad_fn().unwrap().0.name(), name);
                    }
                    let first = grad(&[&y], &[&a, &b], &[Some(Tensor::full((), 3.0f64).to_dtype(a.dtype()))], keep);
                    let first: Vec<Tensor> = first.into_iter().flatten().collect();
                    ((&first[0] * &first[0]).sum() + (&first[1] * &first[1]).sum()).backward();
                    y.backward();
                    let all =
                        [&y, &first[0], &first[1], &a.grad().unwrap(), &b.grad().unwrap()].map(Tensor::to_vec::<f64>);
                    all.concat()
                };
                let (one, two) = (run(true), run(false));
                assert_eq!(one.len(), two.len());
                for (x, y) in one.iter().zip(&two) {
                    let same = x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-14 * x.abs().max(y.abs());
                    assert!(same, "{name} {reduction:?} of {shape:?} and {other:?}: {x} and {y}");
                }
            }
        }
    }
}
