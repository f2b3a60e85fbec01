//! What an operation costs beside its arithmetic.

use crate::Workload;
use cresset::prelude::*;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("op_overhead", || {
            let (a, b) = (Tensor::randn([1]), Tensor::randn([1]));
            Box::new(move || &a + &b)
        }),
        Workload::new("op_overhead_grad", || {
            let (a, b) = (Tensor::randn([1]).requires_grad_(true), Tensor::randn([1]).requires_grad_(true));
            Box::new(move || &a + &b)
        }),
        // Forward and backward of a small layer; gives the gradient of the weight.
        Workload::new("linear_small", || {
            let layer = Linear::new(10, 20);
            let input = Tensor::randn([32, 10]);
            Box::new(move || {
                layer.zero_grad();
                layer.call(&input).sum().backward();
                layer.weight.grad().expect("backward gave a gradient")
            })
        }),
    ]
}
