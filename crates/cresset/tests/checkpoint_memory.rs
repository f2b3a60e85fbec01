//! Checkpoints save memory: the model of `examples/ch03_9_1.rs` with and without them.

use cresset::prelude::*;
use cresset_kernels::buffer::{reset_peak, stats};

#[path = "../../../examples/ch03_9_1.rs"]
mod ch03_9_1;
use ch03_9_1::CheckpointModel;

/// A training step: the bytes that live between forward and backward and the most that live at once, beyond those before it, and the gradients.
fn step(model: &CheckpointModel, forward: impl Fn() -> Tensor) -> (usize, usize, Vec<Vec<f32>>) {
    model.zero_grad();
    reset_peak();
    let before = stats().live_bytes;
    let loss = forward().square().mean();
    let kept = stats().live_bytes - before;
    loss.backward();
    let peak = stats().peak_bytes - before;
    let gradients = model.parameters().iter().filter_map(|p| p.grad()).map(|g| g.to_vec()).collect();
    (kept, peak, gradients)
}

#[test]
fn checkpoints_save_memory() {
    manual_seed(0);
    let model = CheckpointModel::new();
    // Activations are what is measured here, so only the biases are trained: gradients of weights would be larger than all of them.
    model.named_parameters().iter().filter(|(name, _)| name.contains("weight")).for_each(|(_, p)| {
        p.requires_grad_(false);
    });
    let x = Tensor::randn([128, 1000]);
    let activation = 4 * x.numel();

    let without = step(&model, || model.layer4.call(&model.forward_block2(&model.forward_block1(&x))));
    let with = step(&model, || model.call(&x));
    println!("3 layers, 2 checkpoints: kept {} -> {}, at most {} -> {}", without.0, with.0, without.1, with.1);
    // What the relu of each layer gave is kept without checkpoints, what each block gave with them.
    assert!(without.0 >= 3 * activation && with.0 < 5 * activation / 2);
    assert!(with.1 < without.1);
    assert_eq!(with.2, without.2);

    // A deeper network, of eight blocks that share their parameters.
    let without = step(&model, || (0..8).fold(x.clone(), |x, _| model.forward_block1(&x)));
    let with = step(&model, || (0..8).fold(x.clone(), |x, _| model.checkpoint(CheckpointModel::forward_block1, &x)));
    println!("16 layers, 8 checkpoints: kept {} -> {}, at most {} -> {}", without.0, with.0, without.1, with.1);
    assert!(with.0 < without.0 * 6 / 10 && with.1 < without.1 * 3 / 4);
    assert_eq!(with.2, without.2);
}
