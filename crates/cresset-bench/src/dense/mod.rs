//! Group 1: dense networks.

mod attention;
mod bound;
mod checkpoint;
pub(crate) mod classifier;
mod mnist;
pub(crate) mod optimized;
mod resnet;
mod stateful;
mod tiny;

pub use classifier::MultiClassifier;

use crate::{Step, Workload};
use cresset::prelude::*;

/// The workloads of this group.
pub fn workloads() -> Vec<Workload> {
    [
        tiny::workloads(),
        stateful::workloads(),
        classifier::workloads(),
        bound::workloads(),
        resnet::workloads(),
        optimized::workloads(),
        checkpoint::workloads(),
        attention::workloads(),
        mnist::workloads(),
    ]
    .concat()
}

/// A step of training with Adam on one batch; gives the loss.
pub fn train<M, C>(model: M, criterion: C, input: Tensor, target: Tensor) -> Step
where
    M: Forward<Output = Tensor> + 'static,
    C: Forward<(Tensor, Tensor), Output = Tensor> + 'static,
{
    let optimizer = Adam::new(model.parameters(), 1e-3).optimizer().clone();
    train_with(model, criterion, optimizer, input, target)
}

/// A step of training on one batch; gives the loss.
pub fn train_with<M, C>(model: M, criterion: C, optimizer: Optimizer, input: Tensor, target: Tensor) -> Step
where
    M: Forward<Output = Tensor> + 'static,
    C: Forward<(Tensor, Tensor), Output = Tensor> + 'static,
{
    Box::new(move || {
        optimizer.zero_grad();
        let loss = criterion.call((&model.call(&input), &target));
        loss.backward();
        optimizer.step();
        loss
    })
}

/// A forward pass in evaluation mode without gradients; gives the output.
pub fn infer<M: Forward<Output = Tensor> + 'static>(model: M, input: Tensor) -> Step {
    model.eval();
    Box::new(move || no_grad(|| model.call(&input)))
}
