//! `unique`, `unique_consecutive`, `diff`.

use crate::array::Array;
use crate::dims::Dims;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::ops::join::cat;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::record::depends;
use crate::tensor::Tensor;
use std::cmp::Ordering;

use super::one_dim;

/// What [`Tensor::unique`] finds.
#[derive(Clone, Debug)]
pub struct Unique {
    /// The different elements, or slices along the dimension.
    pub values: Tensor,
    /// For each element (slice) of the input, the place of its equal in `values`.
    pub inverse: Tensor,
    /// How often each of `values` occurs.
    pub counts: Tensor,
}

fn compare(a: Scalar, b: Scalar) -> Ordering {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
        (a, b) => a.i64().cmp(&b.i64()),
    }
}

#[track_caller]
fn unique(x: &Tensor, name: &'static str, dim: Option<isize>, sorted: bool) -> Unique {
    depends(name);
    let shape = x.shape();
    // Slices along the dimension as rows; single elements without one.
    let (rows, count, inverse_shape): (Tensor, usize, Dims) = match dim {
        None => (x.detach().reshape([x.numel(), 1]), x.numel(), shape),
        Some(d) => {
            let d = one_dim(name, d, shape.len());
            let n = if shape.is_empty() { 1 } else { shape[d] };
            if n == 0 && shape.numel() == 0 && shape.iter().filter(|&&s| s == 0).count() > 1 {
                fail(name, "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
            }
            let first = if shape.is_empty() { x.detach() } else { x.detach().movedim(d as isize, 0isize) };
            let width = if n == 0 { 1 } else { x.numel() / n };
            (first.reshape([n, width]), n, Dims::from([n]))
        }
    };
    let width = rows.size(1);
    let items = crate::kernels::scalars(&rows.array());
    let row = |i: usize| &items[i * width..(i + 1) * width];
    let order = |a: usize, b: usize| {
        row(a).iter().zip(row(b)).map(|(a, b)| compare(*a, *b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    // NaN differs from itself, as in PyTorch.
    let equal = |a: usize, b: usize| row(a).iter().zip(row(b)).all(|(a, b)| a == b);
    let mut places: Vec<usize> = (0..count).collect();
    if sorted {
        places.sort_by(|&a, &b| order(a, b));
    }
    let (mut firsts, mut counts, mut inverse) = (Vec::new(), Vec::<i64>::new(), vec![0i64; count]);
    for (i, &p) in places.iter().enumerate() {
        if i > 0 && equal(places[i - 1], p) {
            *counts.last_mut().expect("one before") += 1;
        } else {
            firsts.push(p as i64);
            counts.push(1);
        }
        inverse[p] = firsts.len() as i64 - 1;
    }
    let index = Tensor::from_slice(&firsts);
    let values = match dim {
        None => rows.reshape([-1]).index_select(0, &index),
        Some(_) if shape.is_empty() => x.detach().reshape([1]).index_select(0, &index),
        Some(d) => x.detach().index_select(d, &index),
    };
    let inverse = Tensor::from_array(Array::from_slice(&inverse, inverse_shape));
    Unique { values, inverse, counts: Tensor::from_slice(&counts) }
}

impl Tensor {
    /// The different elements in ascending order, with inverse and counts; with `dim` the different slices along it, in lexicographic order
    /// (`torch.unique(x, return_inverse=True, return_counts=True, dim=dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn unique(&self, dim: impl Into<Option<isize>>) -> Unique {
        unique(self, "unique", dim.into(), true)
    }
    /// The elements (slices) with repetitions of the one before left out (`torch.unique_consecutive(x, return_inverse=True,
    /// return_counts=True, dim=dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn unique_consecutive(&self, dim: impl Into<Option<isize>>) -> Unique {
        unique(self, "unique_consecutive", dim.into(), false)
    }
    /// The n-th differences between neighbours along a dimension; of bool, where neighbours differ (`torch.diff(x, n, dim)`).
    ///
    /// # Panics
    /// If the tensor is 0-d, or the dimension is out of range.
    #[track_caller]
    pub fn diff(&self, n: usize, dim: isize) -> Tensor {
        self.diff_with(n, dim, None, None)
    }
    /// [`Tensor::diff`] with elements put before and after (`torch.diff(x, n, dim, prepend, append)`).
    #[track_caller]
    pub fn diff_with(&self, n: usize, dim: isize, prepend: Option<&Tensor>, append: Option<&Tensor>) -> Tensor {
        if self.dim() == 0 {
            fail("diff", "diff expects input to be at least one-dimensional");
        }
        if n == 0 {
            return self.duplicate();
        }
        let parts: Vec<&Tensor> = prepend.into_iter().chain([self]).chain(append).collect();
        let mut x = if parts.len() == 1 { self.clone() } else { cat(&parts, dim) };
        for _ in 0..n {
            let m = x.size(dim);
            if m == 0 {
                break;
            }
            let (after, before) = (x.narrow(dim, 1, m - 1), x.narrow(dim, 0, m - 1));
            x = if x.dtype() == DType::Bool { after.logical_xor(&before) } else { &after - &before };
        }
        x
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "unique",
        torch: "torch.unique(x, dim=dim)",
        samples: || {
            vec![
                Sample::many(&[numbers(&[3, 4], 1)], |x| {
                    let u = x[0].unique(None);
                    vec![u.values, u.inverse, u.counts, x[0].unique(1).values]
                })
                .without_grad(),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].unique(1).values)],
    },
    OpInfo {
        name: "unique_consecutive",
        torch: "torch.unique_consecutive(x, dim=dim)",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].unique_consecutive(None).values).without_grad()],
        refused: Vec::new,
    },
    OpInfo {
        name: "diff",
        torch: "torch.diff(x, n, dim, prepend, append)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 5], 1)], |x| x[0].diff(2, -1)),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[1, 2], 2)], |x| {
                    x[0].diff_with(1, 0, Some(&x[1]), Some(&x[1]))
                }),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[], 1)], |x| x[0].diff(1, 0))],
    },
];
