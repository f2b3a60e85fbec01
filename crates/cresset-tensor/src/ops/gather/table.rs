//! The rows of the table.

use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

fn at(list: &[i64], shape: &[usize]) -> Tensor {
    Tensor::from_vec(list, shape)
}

fn reduced(reduce: &'static str, include_self: bool) -> Sample {
    // A source larger than the index has a gradient where elements are picked or multiplied, as in PyTorch.
    let columns = if matches!(reduce, "sum" | "mean") { 2 } else { 3 };
    Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, columns], 2)], move |x| {
        x[0].scatter_reduce(0, &at(&[0, 0, 0, 1], &[2, 2]), &x[1], reduce, include_self)
    })
}

pub(crate) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "gather",
        torch: "x.gather(dim, index)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].gather(0, &at(&[2, 0, 2, 1], &[2, 2]))),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].gather(-1, &at(&[2, 2, 0, 1], &[1, 4]))),
                Sample::new(&[numbers(&[], 1)], |x| x[0].gather(0, &at(&[0], &[]))),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].gather(0, &at(&[], &[0]))),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].take_along_dim(&at(&[2, -1], &[1, 2]), 1)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].gather(1, &at(&[0, 1], &[2]))),
                Sample::new(&[numbers(&[1, 2], 1)], |x| x[0].gather(1, &at(&[0, 1], &[2, 1]))),
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].gather(1, &at(&[2], &[1, 1]))),
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].gather(1, &x[0])),
            ]
        },
    },
    OpInfo {
        name: "scatter",
        torch: "x.scatter(dim, index, src)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 2], 2)], |x| {
                    x[0].scatter(0, &at(&[2, 0, 1, 1], &[2, 2]), &x[1])
                }),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 1], 2)], |x| {
                    x[0].scatter(1, &at(&[1, 0], &[2, 1]), &x[1])
                }),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].duplicate().scatter_(1, &at(&[1, 0], &[2, 1]), 0.5)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 2], 2)], |x| {
                    x[0].scatter(0, &at(&[3], &[1, 1]), &x[1])
                }),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[1, 1], 2)], |x| {
                    x[0].scatter(0, &at(&[1, 1], &[2, 1]), &x[1])
                }),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2], 2)], |x| x[0].scatter(0, &at(&[1], &[1]), &x[1])),
            ]
        },
    },
    OpInfo {
        name: "scatter_add",
        torch: "x.scatter_add(dim, index, src)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 2], 2)], |x| {
                    x[0].scatter_add(0, &at(&[2, 0, 2, 1], &[2, 2]), &x[1])
                }),
                Sample::new(&[numbers(&[3], 1), numbers(&[3], 2)], |x| {
                    x[0].duplicate().scatter_add_(0, &at(&[1, 1, 1], &[3]), &x[1])
                }),
            ]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[3, 2], 1), numbers(&[2], 2)], |x| {
                x[0].scatter_add(0, &at(&[0, 0], &[2]), &x[1])
            })]
        },
    },
    OpInfo {
        name: "scatter_reduce",
        torch: "x.scatter_reduce(dim, index, src, reduce, include_self=include_self)",
        samples: || {
            let ways = ["sum", "prod", "mean", "amax", "amin"];
            let zero = Sample::new(&[numbers(&[3], 1)], |x| {
                // A zero among the factors, whose own gradient is the product of the others.
                let source = x[0].masked_fill(&Tensor::from_slice(&[false, true, false]), 0.0);
                x[0].scatter_reduce(0, &at(&[0, 0, 1], &[3]), &source, "prod", true)
            });
            ways.into_iter().flat_map(|way| [reduced(way, true), reduced(way, false)]).chain([zero]).collect()
        },
        refused: || vec![reduced("median", true)],
    },
];
