//! Normalisation as fused ops: layer norm and RMS norm over rows, group norm over groups of channels, batch norm over channels.
//!
//! The backward passes are fused too; where they are to be differentiated again, one formula in tensor operations stands for all of
//! them ([`Formula`]).

mod batch;
mod group;
mod row;

pub(crate) use batch::{BatchNorm, Running, update_running};
pub(crate) use group::GroupNorm;
pub(crate) use row::RowNorm;

use crate::array::{Array, Meta};
use crate::op::Few;
use crate::ops::reduce::{Over, sum::sum_over};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use crate::{DType, functional as f};
use std::borrow::Cow;

/// Which optional inputs follow x, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine {
    pub weight: bool,
    pub bias: bool,
}
impl Affine {
    pub fn of(weight: Option<&Tensor>, bias: Option<&Tensor>) -> Affine {
        Affine { weight: weight.is_some(), bias: bias.is_some() }
    }
    /// The number of the weight among the inputs.
    pub fn weight_at(&self) -> Option<usize> {
        self.weight.then_some(1)
    }
    /// The number of the bias among the inputs.
    pub fn bias_at(&self) -> Option<usize> {
        self.bias.then_some(1 + self.weight as usize)
    }
    /// The first input after them.
    pub fn end(&self) -> usize {
        1 + self.weight as usize + self.bias as usize
    }
}

/// An optional input in the dtype that is computed in.
fn wide<'a>(inputs: &[&'a Array], at: Option<usize>, dtype: DType) -> Option<Cow<'a, Array>> {
    at.map(|i| inputs[i].dense(dtype))
}

/// Runs `f` with the numbers of an array that may be absent.
fn with<T: cresset_kernels::buffer::Element, R>(x: Option<&Array>, f: impl FnOnce(Option<&[T]>) -> R) -> R {
    match x {
        Some(x) => x.with_slice::<T, _>(|x| f(Some(x))),
        None => f(None),
    }
}

/// Fresh memory for a gradient that is wanted.
fn wanted<T: cresset_kernels::buffer::Element + Default>(yes: bool, n: usize) -> Option<Vec<T>> {
    yes.then(|| vec![T::default(); n])
}

/// The gradients in the order of the inputs.
fn in_order(n: usize, found: impl IntoIterator<Item = (Option<usize>, Option<Tensor>)>) -> Few<Option<Tensor>> {
    let mut out: Few<Option<Tensor>> = (0..n).map(|_| None).collect();
    for (at, g) in found {
        if let Some(at) = at {
            out[at] = g;
        }
    }
    out
}

/// The backward pass of every normalisation in tensor operations, so that it can be differentiated.
pub(crate) struct Formula {
    /// The dimensions that one mean and one variance are taken over, kept.
    pub over: Over,
    /// How weight and bias lie in the shape of x: those dimensions are absent from them.
    pub affine: Over,
    pub centred: bool,
    pub eps: f64,
}

impl Formula {
    /// The gradients of x, weight and bias. `fixed` are mean and 1 / standard deviation that do not depend on x.
    pub fn gradients(
        &self,
        g: &Tensor,
        x: &Tensor,
        weight: Option<&Tensor>,
        fixed: Option<(Tensor, Tensor)>,
    ) -> [Tensor; 3] {
        let count = self.over.count(&x.shape()) as f64;
        let mean = |t: &Tensor| &sum_over(t, self.over) / count;
        let flows = match weight {
            Some(w) => g * &self.affine.spread(w, &x.shape()),
            None => g.clone(),
        };
        let (deviation, rstd) = match &fixed {
            Some((m, r)) => (x - m, r.clone()),
            None => {
                let d = if self.centred { x - &mean(x) } else { x.clone() };
                let r = (&mean(&(&d * &d)) + self.eps).rsqrt();
                (d, r)
            }
        };
        let normal = &deviation * &rstd;
        let gx = if fixed.is_some() {
            &flows * &rstd
        } else {
            let along = &normal * &mean(&(&flows * &normal));
            let rest = if self.centred { &flows - &mean(&flows) } else { flows.clone() };
            &(&rest - &along) * &rstd
        };
        [gx, sum_over(&(g * &normal), self.affine), sum_over(g, self.affine)]
    }
}

/// A weight or bias must have this shape.
fn check_shape(what: &str, have: &Meta, want: &[usize]) -> Result<(), String> {
    if have.shape[..] == *want {
        return Ok(());
    }
    Err(format!(
        "Expected {what} to be of same shape as normalized_shape, but got {what} of shape {:?} and normalized_shape = {want:?}",
        &have.shape[..]
    ))
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "layer_norm",
        torch: "torch.nn.functional.layer_norm(x, shape, weight, bias, eps)",
        samples: || {
            let (w, b) = (numbers(&[4], 8), numbers(&[4], 9));
            vec![
                Sample::new(&[numbers(&[3, 4], 1), w.clone(), b.clone()], |x| {
                    f::layer_norm(&x[0], [4], Some(&x[1]), Some(&x[2]), 1e-5)
                }),
                Sample::new(&[numbers(&[2, 3, 4], 2), w], |x| f::layer_norm(&x[0], [4], Some(&x[1]), None, 0.1)),
                Sample::new(&[numbers(&[2, 3, 4], 3)], |x| f::layer_norm(&x[0], [3, 4], None, None, 1e-5)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| f::layer_norm(&x[0], [4], None, None, 1e-5)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2], 1)], |x| {
                    f::layer_norm(&x[0], [3], Some(&x[1]), None, 1e-5)
                }),
            ]
        },
    },
    OpInfo {
        name: "rms_norm",
        torch: "torch.nn.functional.rms_norm(x, shape, weight, eps)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1), numbers(&[4], 2)], |x| f::rms_norm(&x[0], [4], Some(&x[1]), None)),
                Sample::new(&[numbers(&[2, 3, 4], 3)], |x| f::rms_norm(&x[0], [3, 4], None, Some(0.1))),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[2, 3], 1)], |x| f::rms_norm(&x[0], [4], None, None))],
    },
    OpInfo {
        name: "group_norm",
        torch: "torch.nn.functional.group_norm(x, groups, weight, bias, eps)",
        samples: || {
            let (w, b) = (numbers(&[4], 8), numbers(&[4], 9));
            vec![
                Sample::new(&[numbers(&[2, 4, 3], 1), w.clone(), b.clone()], |x| {
                    f::group_norm(&x[0], 2, Some(&x[1]), Some(&x[2]), 1e-5)
                }),
                Sample::new(&[numbers(&[2, 4], 2), w], |x| f::group_norm(&x[0], 1, Some(&x[1]), None, 0.1)),
                Sample::new(&[numbers(&[2, 4, 3, 2], 3), b], |x| f::group_norm(&x[0], 4, None, Some(&x[1]), 1e-5)),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[2, 3, 2], 1)], |x| f::group_norm(&x[0], 2, None, None, 1e-5))],
    },
    OpInfo {
        name: "instance_norm",
        torch: "torch.nn.functional.instance_norm(x, ...)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1), numbers(&[3], 8), numbers(&[3], 9)], |x| {
                    f::instance_norm(&x[0], None, None, Some(&x[1]), Some(&x[2]), true, 0.1, 1e-5)
                }),
                Sample::new(&[numbers(&[2, 3, 2, 2], 2)], |x| {
                    f::instance_norm(&x[0], None, None, None, None, true, 0.1, 0.1)
                }),
            ]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[2, 3, 1], 1)], |x| {
                f::instance_norm(&x[0], None, None, None, None, true, 0.1, 1e-5)
            })]
        },
    },
    OpInfo {
        name: "batch_norm",
        torch: "torch.nn.functional.batch_norm(x, ...)",
        samples: || {
            let (w, b) = (numbers(&[3], 8), numbers(&[3], 9));
            let inputs = |shape: &[usize]| [numbers(shape, 1), w.clone(), b.clone()];
            vec![
                Sample::new(&inputs(&[5, 3]), |x| {
                    f::batch_norm(&x[0], None, None, Some(&x[1]), Some(&x[2]), true, 0.1, 1e-5)
                }),
                Sample::new(&inputs(&[2, 3, 4]), |x| {
                    f::batch_norm(&x[0], None, None, Some(&x[1]), Some(&x[2]), true, 0.1, 1e-5)
                }),
                Sample::new(&[numbers(&[2, 3, 2, 2], 2)], |x| {
                    f::batch_norm(&x[0], None, None, None, None, true, 0.1, 0.1)
                }),
                Sample::new(&inputs(&[4, 3]), |x| {
                    let (m, v) = (numbers(&[3], 4), Tensor::from_slice(&[0.5f64, 1.0, 2.0]));
                    f::batch_norm(&x[0], Some(&m), Some(&v), Some(&x[1]), Some(&x[2]), false, 0.1, 1e-5)
                }),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[1, 3], 1)], |x| f::batch_norm(&x[0], None, None, None, None, true, 0.1, 1e-5)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| f::batch_norm(&x[0], None, None, None, None, false, 0.1, 1e-5)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2], 1)], |x| {
                    f::batch_norm(&x[0], None, None, Some(&x[1]), None, true, 0.1, 1e-5)
                }),
            ]
        },
    },
];
