//! Reductions of a matrix of 1000 x 1000, whole and along each dimension.

use super::forward;
use crate::Workload;
use cresset::prelude::*;

const WHOLE: [(&str, fn(&Tensor) -> Tensor); 4] =
    [("sum", |x| x.sum()), ("mean", |x| x.mean()), ("var", |x| x.var()), ("max", |x| x.max())];
const ALONG: [(&str, fn(&Tensor, isize) -> Tensor); 4] = [
    ("sum", |x, dim| x.sum_dim(dim, false)),
    ("mean", |x, dim| x.mean_dim(dim, false)),
    ("var", |x, dim| x.var_dim(dim, false)),
    ("max", |x, dim| x.max_dim(dim, false).0),
];

pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for (name, f) in WHOLE {
        all.push(Workload::new(format!("reduce_{name}_all"), move || {
            let x = Tensor::randn([1000, 1000]);
            forward(move || f(&x))
        }));
    }
    for (name, f) in ALONG {
        for dim in [0, 1] {
            all.push(Workload::new(format!("reduce_{name}_dim{dim}"), move || {
                let x = Tensor::randn([1000, 1000]);
                forward(move || f(&x, dim))
            }));
        }
    }
    all
}
