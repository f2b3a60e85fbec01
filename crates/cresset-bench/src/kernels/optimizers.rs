//! A step of an optimizer over ten million parameters in twenty tensors.

use crate::{Step, Workload};
use cresset::optim::SgdOptions;
use cresset::prelude::*;

fn parameters() -> Vec<Tensor> {
    let parameters: Vec<Tensor> = (0..20).map(|_| Tensor::randn([500, 1000]).requires_grad_(true)).collect();
    for p in &parameters {
        p.set_grad(Some(no_grad(|| p.randn_like())));
    }
    parameters
}

fn step(parameters: Vec<Tensor>, optimizer: Optimizer) -> Step {
    Box::new(move || {
        optimizer.step();
        parameters[0].detach()
    })
}

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("adam_10m", || {
            let parameters = parameters();
            let optimizer = Adam::new(&parameters, 1e-3);
            step(parameters, optimizer.optimizer().clone())
        }),
        Workload::new("sgd_momentum_10m", || {
            let parameters = parameters();
            let optimizer = SGD::with(&parameters, SgdOptions { lr: 1e-3, momentum: 0.9, ..Default::default() });
            step(parameters, optimizer.optimizer().clone())
        }),
    ]
}
