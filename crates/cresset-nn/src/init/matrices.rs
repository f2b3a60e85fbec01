//! Initial values with a structure: identities, orthogonal and sparse matrices.

use super::fill::{normal_, wide, write, zeros_};
use cresset_tensor::error::fail;
use cresset_tensor::{Tensor, no_grad};

/// The identity matrix (`nn.init.eye_(tensor)`).
///
/// # Panics
/// If the tensor has not two dimensions.
#[track_caller]
pub fn eye_(tensor: &Tensor) -> Tensor {
    let shape = tensor.shape();
    if shape.len() != 2 {
        fail("eye_", "Only tensors with 2 dimensions are supported");
    }
    let mut numbers = vec![0.0f32; tensor.numel()];
    for i in 0..shape[0].min(shape[1]) {
        numbers[i * shape[1] + i] = 1.0;
    }
    write(tensor, &numbers)
}

/// The weight of a convolution that passes its input channels on, in each group (`nn.init.dirac_(tensor, groups)`; PyTorch's default is 1 group).
///
/// # Panics
/// If the tensor has not three to five dimensions, or `groups` does not divide the first.
#[track_caller]
pub fn dirac_(tensor: &Tensor, groups: usize) -> Tensor {
    let shape = tensor.shape();
    if !(3..=5).contains(&shape.len()) {
        fail("dirac_", "Only tensors with 3, 4, or 5 dimensions are supported");
    }
    if groups == 0 || !shape[0].is_multiple_of(groups) {
        fail("dirac_", "dim 0 must be divisible by groups");
    }
    let per_group = shape[0] / groups;
    let strides = shape.contiguous_strides();
    let middle: usize = (2..shape.len()).map(|d| shape[d] / 2 * strides[d]).sum();
    let mut numbers = vec![0.0f32; tensor.numel()];
    for group in 0..groups {
        for channel in 0..per_group.min(shape[1]) {
            numbers[(group * per_group + channel) * strides[0] + channel * strides[1] + middle] = 1.0;
        }
    }
    write(tensor, &numbers)
}

/// A matrix with orthonormal rows or columns, times `gain`; further dimensions count as columns (`nn.init.orthogonal_(tensor, gain)`; PyTorch's default
/// gain is 1).
///
/// The Q of a QR decomposition of normal numbers, with the signs that make R's diagonal positive.
///
/// # Panics
/// If the tensor has fewer than two dimensions.
#[track_caller]
pub fn orthogonal_(tensor: &Tensor, gain: f64) -> Tensor {
    let shape = tensor.shape();
    if shape.len() < 2 {
        fail("orthogonal_", "Only tensors with 2 or more dimensions are supported");
    }
    if tensor.numel() == 0 {
        return tensor.clone();
    }
    let (rows, columns) = (shape[0], tensor.numel() / shape[0]);
    let numbers = wide(&no_grad(|| Tensor::zeros_of([rows, columns], tensor.dtype()).normal_(0.0, 1.0)));
    // The vectors to make orthonormal are the shorter side's: rows of a wide matrix, columns of a tall one.
    let wide_matrix = rows < columns;
    let (count, length) = if wide_matrix { (rows, columns) } else { (columns, rows) };
    let mut vectors: Vec<Vec<f64>> = (0..count)
        .map(|v| {
            (0..length).map(|i| if wide_matrix { numbers[v * columns + i] } else { numbers[i * columns + v] }).collect()
        })
        .collect();
    orthonormalize(&mut vectors);
    let mut result = vec![0.0; numbers.len()];
    for (v, vector) in vectors.iter().enumerate() {
        for (i, x) in vector.iter().enumerate() {
            let at = if wide_matrix { v * columns + i } else { i * columns + v };
            result[at] = x * gain;
        }
    }
    write(tensor, &result)
}

/// Gram and Schmidt's, each vector twice, which makes the result orthogonal to working precision.
fn orthonormalize(vectors: &mut [Vec<f64>]) {
    for v in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(v);
        let vector = &mut rest[0];
        for _ in 0..2 {
            for other in done.iter() {
                let along: f64 = other.iter().zip(&*vector).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(other).for_each(|(x, o)| *x -= along * o);
            }
        }
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 0.0 {
            vector.iter_mut().for_each(|x| *x /= norm);
        }
    }
}

/// Normal numbers of which the share `sparsity` of each column is zero (`nn.init.sparse_(tensor, sparsity, std)`; PyTorch's default std is 0.01).
///
/// # Panics
/// If the tensor has not two dimensions, or `sparsity` is not between 0 and 1.
#[track_caller]
pub fn sparse_(tensor: &Tensor, sparsity: f64, std: f64) -> Tensor {
    let shape = tensor.shape();
    if shape.len() != 2 {
        fail("sparse_", "Only tensors with 2 dimensions are supported");
    }
    if !(0.0..=1.0).contains(&sparsity) {
        fail("sparse_", format!("sparsity should be between 0 and 1, but got {sparsity}"));
    }
    let (rows, columns) = (shape[0], shape[1]);
    let zeros = (sparsity * rows as f64).ceil() as usize;
    if tensor.numel() == 0 {
        return zeros_(tensor);
    }
    let mut numbers = wide(&normal_(tensor, 0.0, std));
    for column in 0..columns {
        for row in &Tensor::randperm(rows).to_vec::<i64>()[..zeros] {
            numbers[*row as usize * columns + column] = 0.0;
        }
    }
    write(tensor, &numbers)
}
