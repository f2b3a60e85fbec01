//! Sums of products by an equation of labels: `einsum`.
//!
//! Operands are contracted from left to right, two at a time, as batches of matrix products.

mod equation;

use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use equation::Label;
use std::borrow::Borrow;

/// A tensor whose dimensions have labels, none twice.
struct Labelled {
    tensor: Tensor,
    labels: Vec<Label>,
}

impl Labelled {
    /// Sums the dimensions whose labels are not in `keep`.
    fn sum_to(self, keep: impl Fn(Label) -> bool) -> Labelled {
        let dims: Vec<isize> = (0..self.labels.len()).filter(|&i| !keep(self.labels[i])).map(|i| i as isize).collect();
        if dims.is_empty() {
            return self;
        }
        let tensor = self.tensor.sum_dim(&dims[..], false);
        Labelled { tensor, labels: self.labels.into_iter().filter(|&l| keep(l)).collect() }
    }
    fn size(&self, label: Label) -> usize {
        let shape = self.tensor.shape();
        self.labels.iter().position(|&l| l == label).map_or(1, |i| shape[i])
    }
    /// Its dimensions in the order of these labels, all of which it has.
    fn order<'a>(&self, labels: impl Iterator<Item = &'a Label>) -> Tensor {
        let dims: Vec<usize> =
            labels.map(|l| self.labels.iter().position(|m| m == l).expect("has the label")).collect();
        if dims.iter().copied().eq(0..dims.len()) { self.tensor.clone() } else { self.tensor.permute(dims) }
    }
}

/// The sum of products over the labels of `equation` that its output does not have (`torch.einsum(equation, *operands)`).
///
/// A label is a letter and stands for a dimension of each operand (`"ij,jk->ik"`). A label twice in one operand takes the diagonal; `...` stands for
/// further dimensions, which broadcast. Without `->` the output has the labels that occur once, in alphabetical order.
///
/// ```
/// use cresset_tensor::{einsum, Tensor};
/// let (a, b) = (Tensor::ones([2, 3]), Tensor::ones([3, 4]));
/// assert_eq!(einsum("ij,jk->ik", &[&a, &b]).to_vec::<f32>(), [3.0; 8]);
/// assert_eq!(einsum("ij->j", &[&a]).to_vec::<f32>(), [2.0; 3]);
/// ```
///
/// # Panics
/// If the equation is malformed, or does not fit the number of operands, their dimensions or sizes.
#[track_caller]
pub fn einsum<T: Borrow<Tensor>>(equation: &str, operands: &[T]) -> Tensor {
    let shapes: Vec<_> = operands.iter().map(|t| t.borrow().shape()).collect();
    let (inputs, output) = equation::parse(equation, &shapes).unwrap_or_else(|e| fail("einsum", e));
    let mut rest =
        operands.iter().zip(inputs).map(|(t, labels)| diagonals(t.borrow().clone(), labels)).collect::<Vec<_>>();
    rest.reverse();
    let mut left = rest.pop().expect("the equation has an operand");
    while let Some(right) = rest.pop() {
        let keep = |l: Label| output.contains(&l) || rest.iter().any(|o| o.labels.contains(&l));
        left = contract(left, right, &keep);
    }
    let left = left.sum_to(|l| output.contains(&l));
    left.order(output.iter())
}

/// Labels that occur twice become the diagonal of their dimensions.
fn diagonals(mut tensor: Tensor, mut labels: Vec<Label>) -> Labelled {
    let mut i = 0;
    while i < labels.len() {
        match (i + 1..labels.len()).find(|&j| labels[j] == labels[i]) {
            Some(j) => {
                // The diagonal becomes the last dimension.
                tensor = tensor.diagonal_dim(0, i as isize, j as isize);
                labels.remove(j);
                let label = labels.remove(i);
                labels.push(label);
            }
            None => i += 1,
        }
    }
    Labelled { tensor, labels }
}

#[track_caller]
fn contract(a: Labelled, b: Labelled, keep: &dyn Fn(Label) -> bool) -> Labelled {
    let a = {
        let other = b.labels.clone();
        a.sum_to(|l| keep(l) || other.contains(&l))
    };
    let b = {
        let other = a.labels.clone();
        b.sum_to(|l| keep(l) || other.contains(&l))
    };
    // Sums of small integers are int64.
    let (da, db) = (a.tensor.dtype(), b.tensor.dtype());
    let wide = |x: Labelled| match da != db && da.is_integer() && db.is_integer() {
        true => Labelled { tensor: x.tensor.to_dtype(da.promote(db)), ..x },
        false => x,
    };
    let (a, b) = (wide(a), wide(b));
    let shared = |l: &&Label| b.labels.contains(l);
    let (mut batch, mut inner, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for l in &a.labels {
        match shared(&l) {
            true if keep(*l) => batch.push(*l),
            true => inner.push(*l),
            false => left.push(*l),
        }
    }
    let right: Vec<Label> = b.labels.iter().filter(|l| !a.labels.contains(l)).copied().collect();
    let size =
        |l: &Label| a.size(*l).max(b.size(*l)).min(if a.size(*l) == 0 || b.size(*l) == 0 { 0 } else { usize::MAX });
    let sizes = |labels: &[Label]| labels.iter().map(size).collect::<Vec<usize>>();
    let count = |labels: &[Label]| sizes(labels).iter().product::<usize>();
    let (k, m, n) = (count(&inner), count(&left), count(&right));
    // A size of 1 broadcasts: leading dimensions do so in the product, contracted ones are repeated here.
    let arrange = |x: &Labelled, first: &[Label], second: &[Label], rows: usize, cols: usize| {
        let t = x.order(batch.iter().chain(first).chain(second));
        let own: Vec<usize> = t.shape()[..batch.len()].to_vec();
        let full = [&own[..], &sizes(first), &sizes(second)].concat();
        t.broadcast_to(full).reshape([&own[..], &[rows, cols]].concat())
    };
    let product = arrange(&a, &left, &inner, m, k).matmul(&arrange(&b, &inner, &right, k, n));
    let labels = [&batch[..], &left, &right].concat();
    Labelled { tensor: product.reshape(sizes(&labels)), labels }
}

fn sample(equation: &'static str, shapes: &[&[usize]]) -> Sample {
    let inputs: Vec<Tensor> = shapes.iter().enumerate().map(|(i, s)| numbers(s, i as u64)).collect();
    Sample::new(&inputs, move |x| einsum(equation, x))
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "einsum",
    torch: "torch.einsum(equation, *operands)",
    samples: || {
        vec![
            sample("ij,jk->ik", &[&[2, 3], &[3, 2]]),
            sample("ij,jk", &[&[2, 3], &[3, 2]]),
            sample("ii->i", &[&[3, 3]]),
            sample("iji->j", &[&[2, 3, 2]]),
            sample("ij->", &[&[2, 3]]),
            sample("ba", &[&[2, 3]]),
            sample("...ij,...jk->...ik", &[&[2, 1, 2, 2], &[3, 2, 1]]),
            sample("bi,oij,bj->bo", &[&[2, 2], &[2, 2, 3], &[2, 3]]),
            sample("i,j->ij", &[&[2], &[3]]),
            sample("i...,i->...", &[&[2, 3], &[2]]),
            sample("ij,ij->i", &[&[2, 3], &[2, 1]]),
        ]
    },
    refused: || {
        vec![
            sample("ij,jk->ik", &[&[2, 3], &[4, 2]]),
            sample("ij->ik", &[&[2, 3]]),
            sample("ij,jk", &[&[2, 3]]),
            sample("ij", &[&[2, 3], &[2, 3]]),
            sample("ijk->i", &[&[2, 3]]),
            sample("i->i", &[&[2, 3]]),
            sample("ii->i", &[&[2, 3]]),
            sample("i1->i", &[&[2, 3]]),
            sample("ij->ii", &[&[2, 3]]),
            sample("i..j->i", &[&[2, 3]]),
            sample("i...j...->i", &[&[2, 3]]),
            sample("ij->i->j", &[&[2, 3]]),
        ]
    },
}];
