//! Products of matrices: `nn` is `A B`, `nt` is `X Wᵀ` with the weight as a Linear layer stores it, `tn` is `Yᵀ X`, the gradient of
//! that weight.

use super::forward;
use crate::Workload;
use cresset::functional as F;
use cresset::prelude::*;

/// Rows, contracted length, columns.
const SHAPES: [[usize; 3]; 6] =
    [[32, 784, 512], [128, 784, 512], [1000, 100, 200], [512, 512, 512], [1024, 1024, 1024], [2048, 2048, 2048]];
const LINEAR: [[usize; 3]; 3] = [[32, 784, 512], [1000, 100, 200], [1000, 100, 1]];

fn name([m, k, n]: [usize; 3]) -> String {
    if m == k && k == n { m.to_string() } else { format!("{m}x{k}x{n}") }
}

pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for shape @ [m, k, n] in SHAPES {
        all.push(Workload::new(format!("gemm_nn_{}", name(shape)), move || {
            let (a, b) = (Tensor::randn([m, k]), Tensor::randn([k, n]));
            forward(move || a.matmul(&b))
        }));
        all.push(Workload::new(format!("gemm_nt_{}", name(shape)), move || {
            let (x, w) = (Tensor::randn([m, k]), Tensor::randn([n, k]));
            forward(move || x.matmul(&w.t()))
        }));
        all.push(Workload::new(format!("gemm_tn_{}", name(shape)), move || {
            let (y, x) = (Tensor::randn([m, n]), Tensor::randn([m, k]));
            forward(move || y.t().matmul(&x))
        }));
    }
    for shape @ [m, k, n] in LINEAR {
        all.push(Workload::new(format!("linear_{}", name(shape)), move || {
            let (x, weight, bias) = (Tensor::randn([m, k]), Tensor::randn([n, k]), Tensor::randn([n]));
            forward(move || F::linear(&x, &weight, Some(&bias)))
        }));
    }
    all
}
