//! Operations on each element, over a million of them.

use super::{forward, forward_backward};
use crate::Workload;
use cresset::nn::Approximate;
use cresset::prelude::*;

const N: usize = 1_000_000;

const UNARY: [(&str, fn(&Tensor) -> Tensor); 7] = [
    ("relu", |x| x.relu()),
    ("gelu", |x| x.gelu(Approximate::None)),
    ("tanh", |x| x.tanh()),
    ("sigmoid", |x| x.sigmoid()),
    ("exp", |x| x.exp()),
    ("silu", |x| x.silu()),
    ("leaky_relu", |x| x.leaky_relu(0.01)),
];
const BINARY: [(&str, fn(&Tensor, &Tensor) -> Tensor); 3] =
    [("add", |a, b| a + b), ("mul", |a, b| a * b), ("div", |a, b| a / b)];

/// The second operand: numbers from 0.5 to 1.5, so that quotients stay small.
fn second() -> Tensor {
    Tensor::rand([N]) + 0.5
}

pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for (name, f) in UNARY {
        all.push(Workload::new(format!("map_{name}_1m"), move || {
            let x = Tensor::randn([N]);
            forward(move || f(&x))
        }));
        all.push(Workload::new(format!("map_{name}_1m_bwd"), move || {
            forward_backward([Tensor::randn([N])], move |[x]| f(x))
        }));
    }
    for (name, f) in BINARY {
        all.push(Workload::new(format!("map_{name}_1m"), move || {
            let (a, b) = (Tensor::randn([N]), second());
            forward(move || f(&a, &b))
        }));
        all.push(Workload::new(format!("map_{name}_1m_bwd"), move || {
            forward_backward([Tensor::randn([N]), second()], move |[a, b]| f(a, b))
        }));
    }
    all.push(Workload::new("map_add_bcast", || {
        let (a, b) = (Tensor::randn([1000, 1000]), Tensor::randn([1000]));
        forward(move || &a + &b)
    }));
    all.push(Workload::new("map_add_column", || {
        let (a, b) = (Tensor::randn([1000, 1000]), Tensor::randn([1000, 1]));
        forward(move || &a + &b)
    }));
    all.push(Workload::new("map_strided", || {
        let x = Tensor::randn([1000, 1000]).t();
        forward(move || x.relu())
    }));
    all
}
