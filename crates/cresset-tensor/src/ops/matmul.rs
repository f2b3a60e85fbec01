//! Matrix products by their PyTorch names: `mm`, `bmm`, `matmul`, `mv`, `dot`, `vdot`.

use crate::error::fail;
use crate::op::apply1;
use crate::ops::batched::Batched;
use crate::ops::linear::{Names, Rows};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

const MM: Rows = Rows { names: Names { op: "mm", grad: "MmBackward0" }, transposed: false, relu: false };
const MV: Rows = Rows { names: Names { op: "mv", grad: "MvBackward0" }, transposed: true, relu: false };
const DOT: Rows = Rows { names: Names { op: "dot", grad: "DotBackward0" }, transposed: true, relu: false };
/// Rows of a tensor with more dimensions: PyTorch folds them and views the result.
const FOLDED: Rows =
    Rows { names: Names { op: "matmul", grad: "UnsafeViewBackward0" }, transposed: false, relu: false };
const VECTOR: Rows = Rows { names: Names { op: "matmul", grad: "SqueezeBackward4" }, transposed: false, relu: false };

impl Tensor {
    /// The product of two matrices, `(n, m) x (m, p) -> (n, p)` (`torch.mm(x, other)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let a = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [2, 2]);
    /// let b = Tensor::from_vec([1.0f32, 0.0, 1.0, 1.0], [2, 2]);
    /// assert_eq!(a.mm(&b).to_vec::<f32>(), [3.0, 2.0, 7.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If an operand is no matrix, the inner sizes differ, the dtypes differ or are bool.
    #[track_caller]
    pub fn mm(&self, other: &Tensor) -> Tensor {
        match (self.dim(), other.dim()) {
            (2, 2) => apply1(MM, [self, other]),
            (2, n) => fail("mm", format!("mat2 must be a matrix, got {n}-D tensor")),
            (n, _) => fail("mm", format!("self must be a matrix, got {n}-D tensor")),
        }
    }
    /// Products of as many matrices as there are in two batches, `(b, n, m) x (b, m, p) -> (b, n, p)` (`torch.bmm(x, other)`).
    ///
    /// # Panics
    /// If an operand is not 3-d, the batch or inner sizes differ, the dtypes differ or are bool.
    #[track_caller]
    pub fn bmm(&self, other: &Tensor) -> Tensor {
        self.check_batches(other, "bmm");
        apply1(Batched { name: "bmm", transpose_a: false, transpose_b: false }, [self, other])
    }
    /// Refuses what is no pair of batches of matrices.
    #[track_caller]
    pub(crate) fn check_batches(&self, other: &Tensor, op: &'static str) {
        let (a, b) = (self.shape(), other.shape());
        if a.len() != 3 || b.len() != 3 {
            fail(op, format!("batch{} must be a 3D tensor", if a.len() != 3 { 1 } else { 2 }));
        }
        if a[0] != b[0] || a[2] != b[1] {
            fail(
                op,
                format!(
                    "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].",
                    a[0], a[2], b[0], b[1]
                ),
            );
        }
    }
    /// The product of a matrix and a vector, `(n, m) x (m) -> (n)` (`torch.mv(x, vec)`).
    ///
    /// # Panics
    /// If the operands are no matrix and vector, the sizes differ, the dtypes differ or are bool.
    #[track_caller]
    pub fn mv(&self, vec: &Tensor) -> Tensor {
        if self.dim() != 2 || vec.dim() != 1 {
            fail("mv", format!("vector + matrix @ vector expected, got {}, {}, {}", vec.dim(), self.dim(), vec.dim()));
        }
        apply1(MV, [self, vec])
    }
    /// The sum of the products of two vectors' elements (`torch.dot(x, other)`).
    ///
    /// # Panics
    /// If an operand is no vector, the sizes or dtypes differ, or the dtype is bool.
    #[track_caller]
    pub fn dot(&self, other: &Tensor) -> Tensor {
        self.dot_named(other, DOT)
    }
    /// [`Tensor::dot`]: without complex dtypes both are the same (`torch.vdot(x, other)`).
    ///
    /// # Panics
    /// As [`Tensor::dot`].
    #[track_caller]
    pub fn vdot(&self, other: &Tensor) -> Tensor {
        self.dot_named(other, Rows { names: Names { op: "vdot", grad: "VdotBackward0" }, ..DOT })
    }
    #[track_caller]
    fn dot_named(&self, other: &Tensor, op: Rows) -> Tensor {
        let (a, b) = (self.meta(), other.meta());
        if a.ndim() != 1 || b.ndim() != 1 {
            fail(op.names.op, format!("1D tensors expected, but got {}D and {}D tensors", a.ndim(), b.ndim()));
        }
        if a.dtype != b.dtype {
            fail(
                op.names.op,
                format!(
                    "expected both vectors to have same dtype, but found {} and {}",
                    a.dtype.scalar_name(),
                    b.dtype.scalar_name()
                ),
            );
        }
        if a.shape != b.shape {
            let (n, m) = (a.numel(), b.numel());
            fail(
                op.names.op,
                format!(
                    "inconsistent tensor size, expected tensor [{n}] and src [{m}] to have the same number of elements, but got {n} and {m} elements respectively"
                ),
            );
        }
        apply1(op, [self, other])
    }
    /// The matrix product (`x @ other`, `torch.matmul(x, other)`).
    ///
    /// Two vectors give their dot product; a vector on the left counts as a row, on the right as a column, and that dimension is not in
    /// the result; with more than two dimensions these are batches of matrices, and the leading dimensions broadcast.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let batch = Tensor::ones([5, 1, 2, 3]);
    /// let w = Tensor::ones([4, 3, 6]);
    /// assert_eq!(batch.matmul(&w).shape(), [5, 4, 2, 6]);
    /// assert_eq!(batch.matmul(&Tensor::ones([3])).shape(), [5, 1, 2]);
    /// ```
    ///
    /// # Panics
    /// If an operand is 0-d, the inner sizes differ, the leading dimensions do not broadcast, the dtypes differ or are bool.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Tensor {
        match (self.dim(), other.dim()) {
            (0, _) | (_, 0) => fail(
                "matmul",
                format!(
                    "both arguments to matmul need to be at least 1D, but they are {}D and {}D",
                    self.dim(),
                    other.dim()
                ),
            ),
            (1, 1) => self.dot(other),
            (_, 1) => apply1(MV, [self, other]),
            (1, 2) => apply1(VECTOR, [self, other]),
            (2, 2) => apply1(MM, [self, other]),
            (_, 2) => apply1(FOLDED, [self, other]),
            (1, _) => self.unsqueeze(0).matmul(other).squeeze_dim(-2),
            _ => apply1(Batched { name: "matmul", transpose_a: false, transpose_b: false }, [self, other]),
        }
    }
}

/// Every product of two of these shapes.
fn pairs(shapes: &[(&[usize], &[usize])], call: fn(&Tensor, &Tensor) -> Tensor) -> Vec<Sample> {
    shapes
        .iter()
        .enumerate()
        .map(|(i, (a, b))| {
            let inputs = [numbers(a, 2 * i as u64), numbers(b, 2 * i as u64 + 1)];
            Sample::new(&inputs, move |x| call(&x[0], &x[1]))
        })
        .collect()
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "mm",
        torch: "torch.mm(x, other)",
        samples: || {
            pairs(&[(&[2, 3], &[3, 4]), (&[1, 5], &[5, 1]), (&[3, 0], &[0, 2]), (&[0, 2], &[2, 3])], Tensor::mm)
        },
        refused: || pairs(&[(&[2, 3], &[4, 3]), (&[3], &[3, 2]), (&[2, 3], &[3])], Tensor::mm),
    },
    OpInfo {
        name: "bmm",
        torch: "torch.bmm(x, other)",
        samples: || pairs(&[(&[2, 2, 3], &[2, 3, 4]), (&[0, 2, 3], &[0, 3, 4]), (&[3, 1, 2], &[3, 2, 1])], Tensor::bmm),
        refused: || pairs(&[(&[2, 2, 3], &[3, 3, 4]), (&[2, 2, 3], &[2, 2, 4]), (&[2, 3], &[2, 3, 4])], Tensor::bmm),
    },
    OpInfo {
        name: "mv",
        torch: "torch.mv(x, vec)",
        samples: || pairs(&[(&[2, 3], &[3]), (&[2, 0], &[0]), (&[1, 1], &[1])], Tensor::mv),
        refused: || pairs(&[(&[2, 3], &[2]), (&[3], &[3])], Tensor::mv),
    },
    OpInfo {
        name: "dot",
        torch: "torch.dot(x, other)",
        samples: || pairs(&[(&[4], &[4]), (&[1], &[1]), (&[0], &[0])], Tensor::dot),
        refused: || pairs(&[(&[4], &[3]), (&[2, 2], &[4])], Tensor::dot),
    },
    OpInfo {
        name: "vdot",
        torch: "torch.vdot(x, other)",
        samples: || pairs(&[(&[4], &[4])], Tensor::vdot),
        refused: || pairs(&[(&[4], &[3]), (&[2, 2], &[4])], Tensor::vdot),
    },
    OpInfo {
        name: "matmul",
        torch: "torch.matmul(x, other)",
        samples: || {
            let shapes: &[(&[usize], &[usize])] = &[
                (&[3], &[3]),
                (&[2, 3], &[3]),
                (&[2, 2, 3], &[3]),
                (&[3], &[3, 2]),
                (&[2, 3], &[3, 2]),
                (&[2, 2, 3], &[3, 2]),
                (&[2, 3], &[2, 3, 2]),
                (&[3], &[2, 3, 2]),
                (&[2, 1, 2, 3], &[3, 3, 2]),
                (&[1, 2, 3], &[2, 3, 1]),
            ];
            pairs(shapes, Tensor::matmul)
        },
        refused: || {
            let shapes: &[(&[usize], &[usize])] = &[
                (&[], &[3]),
                (&[3], &[4]),
                (&[2, 3], &[4]),
                (&[2, 3], &[4, 5]),
                (&[2, 2, 3], &[4, 5]),
                (&[2, 2, 3], &[2, 2, 3]),
                (&[2, 2, 3], &[3, 3, 2]),
            ];
            pairs(shapes, Tensor::matmul)
        },
    },
];
