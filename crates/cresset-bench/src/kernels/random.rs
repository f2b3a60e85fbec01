//! Random numbers, a million of them, from the streams of PyTorch.

use super::forward;
use crate::Workload;
use cresset::functional as F;
use cresset::prelude::*;

const N: usize = 1_000_000;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("dropout_1m", || {
            let x = Tensor::randn([N]);
            forward(move || F::dropout(&x, 0.5, true))
        }),
        Workload::new("rand_1m", || forward(|| Tensor::rand([N]))),
        Workload::new("randn_1m", || forward(|| Tensor::randn([N]))),
    ]
}
