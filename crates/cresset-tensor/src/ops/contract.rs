//! Contractions made of matrix products: `inner`, `outer`, `tensordot`, `kron`, chains.

use crate::dims::IntList;
use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use std::borrow::Borrow;

impl Tensor {
    /// The products of all pairs of elements of two vectors, `(n) x (m) -> (n, m)` (`torch.outer(x, other)`).
    ///
    /// # Panics
    /// If an operand is no vector.
    #[track_caller]
    pub fn outer(&self, other: &Tensor) -> Tensor {
        for (what, x) in [("self", self), ("vec2", other)] {
            if x.dim() != 1 {
                fail("outer", format!("Expected 1-D argument {what}, but got {}-D", x.dim()));
            }
        }
        &self.unsqueeze(1) * other
    }
    /// [`Tensor::outer`] (`torch.ger(x, other)`).
    ///
    /// # Panics
    /// If an operand is no vector.
    #[track_caller]
    pub fn ger(&self, other: &Tensor) -> Tensor {
        self.outer(other)
    }
    /// The dot products along the last dimension of both, for all pairs of the rest; with a 0-d operand the plain product
    /// (`torch.inner(x, other)`).
    ///
    /// # Panics
    /// If the last sizes or the dtypes differ.
    #[track_caller]
    pub fn inner(&self, other: &Tensor) -> Tensor {
        let (a, b) = (self.shape(), other.shape());
        if a.is_empty() || b.is_empty() {
            return self * other;
        }
        if a.last() != b.last() {
            fail(
                "inner",
                format!("the last dimension must match on both input tensors but got shapes {a:?} and {b:?}"),
            );
        }
        tensordot_dims(self, other, -1, -1)
    }
}

/// Sums the products over the last `dims` dimensions of `a` and the first `dims` of `b` (`torch.tensordot(a, b, dims)`).
///
/// ```
/// use cresset_tensor::{tensordot, Tensor};
/// assert_eq!(tensordot(&Tensor::ones([2, 3, 4]), &Tensor::ones([3, 4, 5]), 2).shape(), [2, 5]);
/// ```
///
/// # Panics
/// If a tensor has fewer dimensions, the sizes or the dtypes differ.
#[track_caller]
pub fn tensordot(a: &Tensor, b: &Tensor, dims: usize) -> Tensor {
    if dims > a.dim() || dims > b.dim() {
        fail("tensordot", format!("expects dims < ndim_a or ndim_b, but got dims={dims}"));
    }
    let left: Vec<isize> = (0..dims as isize).map(|i| i - dims as isize).collect();
    let right: Vec<isize> = (0..dims as isize).collect();
    tensordot_dims(a, b, left, right)
}

/// Sums the products over the dimensions `dims_a` of `a` and `dims_b` of `b`, in pairs (`torch.tensordot(a, b, (dims_a, dims_b))`). A size of 1
/// broadcasts.
///
/// # Panics
/// If a dimension is out of range or named twice, the sizes of a pair or the dtypes differ.
#[track_caller]
pub fn tensordot_dims(a: &Tensor, b: &Tensor, dims_a: impl IntList, dims_b: impl IntList) -> Tensor {
    let (left, right) = (dims_a.ints(), dims_b.ints());
    if left.len() != right.len() {
        fail("tensordot", "both dimension lists should have same length");
    }
    let (mut a, mut b) = (a.clone(), b.clone());
    let (mut sa, mut sb) = (a.shape(), b.shape());
    let wrap = |d: isize, n: usize| crate::dims::wrap_dim(d, n).unwrap_or_else(|e| fail("tensordot", e));
    let (mut la, mut lb) = (Vec::new(), Vec::new());
    for (&x, &y) in left.iter().zip(&right) {
        let (dx, dy) = (wrap(x, sa.len()), wrap(y, sb.len()));
        if la.contains(&dx) || lb.contains(&dy) {
            fail(
                "tensordot",
                format!("dim {} appears multiple times in the list of dims", if la.contains(&dx) { dx } else { dy }),
            );
        }
        if sa[dx] == 1 || sb[dy] == 1 {
            // One element stands for all: the other side is summed.
            let sum = |t: &Tensor, d: usize| t.sum_dim(d as isize, true).to_dtype(t.dtype());
            if sa[dx] != 1 {
                a = sum(&a, dx);
                sa[dx] = 1;
            } else if sb[dy] != 1 {
                b = sum(&b, dy);
                sb[dy] = 1;
            }
        } else if sa[dx] != sb[dy] {
            fail(
                "tensordot",
                format!(
                    "contracted dimensions need to match, but first has size {} in dim {x} and second has size {} in dim {y}",
                    sa[dx], sb[dy]
                ),
            );
        }
        la.push(dx);
        lb.push(dy);
    }
    let free = |n: usize, used: &[usize]| (0..n).filter(|d| !used.contains(d)).collect::<Vec<usize>>();
    let (fa, fb) = (free(sa.len(), &la), free(sb.len(), &lb));
    let k: usize = la.iter().map(|&d| sa[d]).product();
    let (m, n): (usize, usize) = (fa.iter().map(|&d| sa[d]).product(), fb.iter().map(|&d| sb[d]).product());
    let rows = a.permute([&fa[..], &la].concat()).reshape([m, k]);
    let cols = b.permute([&lb[..], &fb].concat()).reshape([k, n]);
    let shape: Vec<usize> = fa.iter().map(|&d| sa[d]).chain(fb.iter().map(|&d| sb[d])).collect();
    rows.mm(&cols).reshape(shape)
}

/// The Kronecker product: every element of `a` replaced by its product with `b` (`torch.kron(a, b)`).
#[track_caller]
pub fn kron(a: &Tensor, b: &Tensor) -> Tensor {
    let (sa, sb) = (a.shape(), b.shape());
    let n = sa.len().max(sb.len());
    let size = |s: &[usize], d: usize| if d + s.len() >= n { s[d + s.len() - n] } else { 1 };
    let left: Vec<usize> = (0..n).flat_map(|d| [size(&sa, d), 1]).collect();
    let right: Vec<usize> = (0..n).flat_map(|d| [1, size(&sb, d)]).collect();
    let shape: Vec<usize> = (0..n).map(|d| size(&sa, d) * size(&sb, d)).collect();
    (&a.reshape(left) * &b.reshape(right)).reshape(shape)
}

/// The product of a chain of matrices, in the cheapest order; the first may be a row and the last a column as vectors
/// (`torch.linalg.multi_dot(tensors)`).
///
/// ```
/// use cresset_tensor::{linalg::multi_dot, Tensor};
/// let (a, b, c) = (Tensor::ones([10, 100]), Tensor::ones([100, 5]), Tensor::ones([5, 50]));
/// assert_eq!(multi_dot(&[a, b, c]).shape(), [10, 50]);
/// ```
///
/// # Panics
/// If there are fewer than two tensors, one in the middle is no matrix, sizes or dtypes do not fit.
#[track_caller]
pub fn multi_dot<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    let n = tensors.len();
    if n < 2 {
        fail("multi_dot", format!("expected at least 2 tensors but got {n}"));
    }
    let mut chain: Vec<Tensor> = tensors.iter().map(|t| t.borrow().clone()).collect();
    let (row, column) = (chain[0].dim() == 1, chain[n - 1].dim() == 1);
    if row {
        chain[0] = chain[0].unsqueeze(0);
    }
    if column {
        chain[n - 1] = chain[n - 1].unsqueeze(1);
    }
    for (i, t) in chain.iter().enumerate() {
        if t.dim() != 2 {
            let may = if i == 0 || i == n - 1 { "1D or 2D" } else { "2D" };
            fail("multi_dot", format!("tensor {i} must be {may} but got {}D", t.dim()));
        }
        if i > 0 && chain[i - 1].shape()[1] != t.shape()[0] {
            let (a, b) = (tensors[i - 1].borrow().shape(), tensors[i].borrow().shape());
            fail("multi_dot", format!("tensors {} and {i} with shapes {a:?} and {b:?} cannot be multiplied", i - 1));
        }
    }
    let sizes: Vec<usize> = chain.iter().map(|t| t.shape()[0]).chain([chain[n - 1].shape()[1]]).collect();
    // The cheapest way to multiply i..=j, by length.
    let mut cost = vec![vec![0u128; n]; n];
    let mut cut = vec![vec![0usize; n]; n];
    for len in 1..n {
        for i in 0..n - len {
            let j = i + len;
            let price = |k: usize| {
                cost[i][k] + cost[k + 1][j] + (sizes[i] as u128) * (sizes[k + 1] as u128) * (sizes[j + 1] as u128)
            };
            let k = (i..j).min_by_key(|&k| price(k)).expect("not empty");
            (cost[i][j], cut[i][j]) = (price(k), k);
        }
    }
    #[track_caller]
    fn product(chain: &[Tensor], cut: &[Vec<usize>], i: usize, j: usize) -> Tensor {
        if i == j {
            return chain[i].clone();
        }
        let k = cut[i][j];
        product(chain, cut, i, k).mm(&product(chain, cut, k + 1, j))
    }
    let y = product(&chain, &cut, 0, n - 1);
    match (row, column) {
        (true, true) => y.reshape(()),
        (true, false) => y.squeeze_dim(0),
        (false, true) => y.squeeze_dim(1),
        _ => y,
    }
}

fn pair(a: &[usize], b: &[usize], call: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static) -> Sample {
    Sample::new(&[numbers(a, 1), numbers(b, 2)], move |x| call(&x[0], &x[1]))
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "outer",
        torch: "torch.outer(x, other)",
        samples: || vec![pair(&[2], &[3], Tensor::outer), pair(&[2], &[0], Tensor::ger)],
        refused: || vec![pair(&[2, 1], &[3], Tensor::outer), pair(&[2], &[], Tensor::outer)],
    },
    OpInfo {
        name: "inner",
        torch: "torch.inner(x, other)",
        samples: || {
            vec![
                pair(&[3], &[3], Tensor::inner),
                pair(&[2, 3], &[2, 2, 3], Tensor::inner),
                pair(&[], &[2, 3], Tensor::inner),
            ]
        },
        refused: || vec![pair(&[2, 3], &[3, 2], Tensor::inner)],
    },
    OpInfo {
        name: "tensordot",
        torch: "torch.tensordot(a, b, dims)",
        samples: || {
            vec![
                pair(&[2, 3], &[3, 2], |a, b| tensordot(a, b, 1)),
                pair(&[2], &[3], |a, b| tensordot(a, b, 0)),
                pair(&[2, 3, 2], &[2, 2, 3], |a, b| tensordot_dims(a, b, [0, 1], [-2, -1])),
            ]
        },
        refused: || {
            vec![
                pair(&[2, 3], &[2, 3], |a, b| tensordot(a, b, 1)),
                pair(&[2, 3], &[2, 3], |a, b| tensordot(a, b, 3)),
                pair(&[2, 3], &[2, 3], |a, b| tensordot_dims(a, b, [0, 0], [0, 0])),
                pair(&[2, 3], &[2, 3], |a, b| tensordot_dims(a, b, 2, 0)),
                pair(&[2, 3], &[2, 3], |a, b| tensordot_dims(a, b, [0, 1], [0])),
            ]
        },
    },
    OpInfo {
        name: "kron",
        torch: "torch.kron(a, b)",
        samples: || vec![pair(&[2, 2], &[1, 3], kron), pair(&[2], &[2, 2], kron), pair(&[], &[2], kron)],
        refused: Vec::new,
    },
    OpInfo {
        name: "linalg.multi_dot",
        torch: "torch.linalg.multi_dot(tensors)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[3, 2], 2), numbers(&[2, 4], 3)], multi_dot),
                Sample::new(&[numbers(&[2], 1), numbers(&[2, 3], 2), numbers(&[3], 3)], multi_dot),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], multi_dot),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 3], 1)], multi_dot),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 1), numbers(&[3, 1], 1)], multi_dot),
            ]
        },
    },
];
