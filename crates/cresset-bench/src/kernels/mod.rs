//! Group 2: single operations.

mod gemm;
mod maps;
mod moving;
mod optimizers;
mod random;
mod reductions;
mod rows;

use crate::{Step, Workload};
use cresset::Backward;
use cresset::prelude::*;

/// The workloads of this group.
pub fn workloads() -> Vec<Workload> {
    [
        gemm::workloads(),
        maps::workloads(),
        reductions::workloads(),
        rows::workloads(),
        random::workloads(),
        optimizers::workloads(),
        moving::workloads(),
    ]
    .concat()
}

/// A step that calls an operation.
pub(crate) fn forward(mut f: impl FnMut() -> Tensor + 'static) -> Step {
    Box::new(move || no_grad(&mut f))
}

/// A step that calls an operation on `inputs`, and its backward with a gradient of random numbers; gives the gradient of the first input.
pub(crate) fn forward_backward<const N: usize>(
    inputs: [Tensor; N],
    f: impl Fn(&[Tensor; N]) -> Tensor + 'static,
) -> Step {
    let gradient = no_grad(|| f(&inputs)).randn_like();
    for input in &inputs {
        input.requires_grad_(true);
    }
    Box::new(move || {
        inputs.iter().for_each(Tensor::zero_grad);
        f(&inputs).backward_with(Some(&gradient), Backward::default());
        inputs[0].grad().expect("backward gave a gradient")
    })
}
