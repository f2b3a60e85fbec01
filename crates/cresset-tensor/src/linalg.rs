//! Linear algebra (`torch.linalg`).

pub use crate::ops::contract::multi_dot;
pub use crate::ops::qr::{QrMode, qr};
pub use crate::ops::triangular::{Triangular, solve_triangular};

use crate::dims::broadcast;
use crate::error::fail;
use crate::tensor::Tensor;

/// The dot products along a dimension of two tensors that broadcast (`torch.linalg.vecdot(a, b, dim=dim)`).
///
/// # Panics
/// If the shapes do not broadcast, the dtypes differ, or `dim` is out of range.
#[track_caller]
pub fn vecdot(a: &Tensor, b: &Tensor, dim: isize) -> Tensor {
    if a.dtype() != b.dtype() {
        let (a, b) = (a.dtype().scalar_name(), b.dtype().scalar_name());
        fail("linalg.vecdot", format!("expected scalar type {a} but found {b}"));
    }
    let shape = broadcast(&a.shape(), &b.shape()).unwrap_or_else(|e| fail("linalg.vecdot", e));
    let dtype = a.dtype();
    let (x, y) = (a.broadcast_to(shape).movedim(dim, -1), b.broadcast_to(shape).movedim(dim, -1));
    (&x * &y).sum_dim(-1, false).to_dtype(dtype)
}

/// Which norm of a matrix ([`matrix_norm`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixNorm {
    /// The root of the sum of all squares (`"fro"`).
    Frobenius,
    /// The largest sum of absolute values of a column (`1`).
    Columns,
    /// The smallest sum of absolute values of a column (`-1`).
    LeastColumns,
    /// The largest sum of absolute values of a row (`inf`).
    Rows,
    /// The smallest sum of absolute values of a row (`-inf`).
    LeastRows,
}

/// The norm of the matrices in two dimensions of a tensor: rows and columns (`torch.linalg.matrix_norm(x, ord, dim, keepdim)`; PyTorch's defaults
/// are `"fro"` and the last two).
///
/// ```
/// use cresset_tensor::linalg::{matrix_norm, MatrixNorm};
/// use cresset_tensor::Tensor;
/// let a = Tensor::from_vec([1.0f32, -2.0, 3.0, 4.0], [2, 2]);
/// assert_eq!(matrix_norm(&a, MatrixNorm::Columns, [-2, -1], false).item::<f32>(), 6.0);
/// assert_eq!(matrix_norm(&a, MatrixNorm::Rows, [-2, -1], false).item::<f32>(), 7.0);
/// ```
///
/// # Panics
/// If the tensor has fewer than two dimensions or is not floating-point, or the dimensions are out of range or the same.
#[track_caller]
pub fn matrix_norm(x: &Tensor, order: MatrixNorm, dims: [isize; 2], keepdim: bool) -> Tensor {
    const OP: &str = "linalg.matrix_norm";
    if !x.is_floating_point() {
        let dtype = x.dtype().scalar_name();
        fail(OP, format!("Expected a floating point tensor as input. Got {dtype}"));
    }
    let n = x.dim() as isize;
    if n < 2 {
        fail(OP, format!("The input tensor A must have at least 2 dimensions, but has {n}."));
    }
    for d in dims {
        if !(-n..n).contains(&d) {
            let last = n - 1;
            fail(OP, format!("Dimension out of range (expected to be in range of [{}, {last}], but got {d})", -n));
        }
    }
    let [rows, columns] = dims.map(|d| d.rem_euclid(n));
    if rows == columns {
        fail(OP, format!("dims must be different. Got ({}, {})", dims[0], dims[1]));
    }
    let (along, across) = match order {
        MatrixNorm::Frobenius => return x.vector_norm(2.0, [rows, columns], keepdim),
        MatrixNorm::Columns | MatrixNorm::LeastColumns => (rows, columns),
        MatrixNorm::Rows | MatrixNorm::LeastRows => (columns, rows),
    };
    let sums = x.vector_norm(1.0, [along], keepdim);
    let across = if keepdim || across < along { across } else { across - 1 };
    match order {
        MatrixNorm::Columns | MatrixNorm::Rows => sums.amax_dim([across], keepdim),
        _ => sums.amin_dim([across], keepdim),
    }
}
