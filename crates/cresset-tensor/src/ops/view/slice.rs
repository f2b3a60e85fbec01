//! Parts of a tensor as views: narrow, slice, select, diagonal.

use super::{Embed, Layout, Spec, View, dim_of};
use crate::dims::Dims;
use crate::error::fail;
use crate::op::apply1;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Every `step`-th of the elements from `start` along a dimension, `len` of them.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub dim: usize,
    pub start: usize,
    pub len: usize,
    pub step: usize,
}

impl Spec for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        let mut shape = *from;
        shape[self.dim] = self.len;
        Ok(shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let mut to = from;
        to.shape[self.dim] = self.len;
        to.strides[self.dim] *= self.step;
        to.offset += self.start * from.strides[self.dim];
        to
    }
}

/// One index of a dimension, which goes away.
#[derive(Clone, Debug)]
struct Select {
    dim: usize,
    index: usize,
}

impl Spec for Select {
    fn name(&self) -> &'static str {
        "select"
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        let mut shape = *from;
        shape.remove(self.dim);
        Ok(shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let mut to = from;
        to.shape.remove(self.dim);
        to.offset += self.index * to.strides.remove(self.dim);
        to
    }
}

/// The elements whose indices in two dimensions differ by `offset`, as a new last dimension.
#[derive(Clone, Debug)]
pub(crate) struct Diagonal {
    pub offset: isize,
    pub dim1: usize,
    pub dim2: usize,
}

impl Diagonal {
    /// Where it starts in the two dimensions.
    fn start(&self) -> (usize, usize) {
        (self.offset.min(0).unsigned_abs(), self.offset.max(0) as usize)
    }
}

impl Spec for Diagonal {
    fn name(&self) -> &'static str {
        "diagonal"
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        let (a, b) = self.start();
        let len = from[self.dim1].saturating_sub(a).min(from[self.dim2].saturating_sub(b));
        let mut shape: Dims =
            from.iter().enumerate().filter(|(d, _)| *d != self.dim1 && *d != self.dim2).map(|(_, &n)| n).collect();
        shape.push(len);
        Ok(shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let (a, b) = self.start();
        let shape = self.shape(&from.shape).expect("never refuses");
        let (s1, s2) = (from.strides[self.dim1], from.strides[self.dim2]);
        let mut strides: Dims = from
            .strides
            .iter()
            .enumerate()
            .filter(|(d, _)| *d != self.dim1 && *d != self.dim2)
            .map(|(_, &s)| s)
            .collect();
        strides.push(s1 + s2);
        let offset = if shape.numel() == 0 { from.offset } else { from.offset + a * s1 + b * s2 };
        Layout { shape, strides, offset }
    }
}

impl Tensor {
    /// `length` indices from `start` on along a dimension, as a view (`x.narrow(dim, start, length)`). `start` may count from the end.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[0i64, 1, 2, 3, 4]);
    /// assert_eq!(x.narrow(0, 1, 3).to_vec::<i64>(), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: isize, length: usize) -> Tensor {
        let shape = self.shape();
        if shape.is_empty() {
            fail("narrow", "narrow() cannot be applied to a 0-dim tensor.");
        }
        let d = dim_of("narrow", dim, shape.len());
        let n = shape[d] as isize;
        if start < -n || start > n {
            fail("narrow", format!("start out of range (expected to be in range of [{}, {n}], but got {start})", -n));
        }
        let start = if start < 0 { start + n } else { start } as usize;
        if start + length > shape[d] {
            fail("narrow", format!("start ({start}) + length ({length}) exceeds dimension size ({n})."));
        }
        apply1(View(Slice { dim: d, start, len: length, step: 1 }), [self])
    }
    /// One index of a dimension, which goes away: `x[i]` is `x.select(0, i)` (`x.select(dim, index)`). A view.
    #[track_caller]
    pub fn select(&self, dim: isize, index: isize) -> Tensor {
        let shape = self.shape();
        if shape.is_empty() {
            fail("select", "select() cannot be applied to a 0-dim tensor.");
        }
        let d = dim_of("select", dim, shape.len());
        let n = shape[d] as isize;
        if index < -n || index >= n {
            fail("select", format!("index {index} out of range for tensor of size {:?} at dimension {d}", &shape[..]));
        }
        let index = if index < 0 { index + n } else { index } as usize;
        apply1(View(Select { dim: d, index }), [self])
    }
    /// The main diagonal of a matrix (`x.diagonal()`). A view.
    #[track_caller]
    pub fn diagonal(&self) -> Tensor {
        self.diagonal_dim(0, 0, 1)
    }
    /// The elements whose indices in `dim1` and `dim2` differ by `offset`, as a new last dimension
    /// (`x.diagonal(offset, dim1, dim2)`). A view.
    #[track_caller]
    pub fn diagonal_dim(&self, offset: isize, dim1: isize, dim2: isize) -> Tensor {
        let n = self.dim();
        let (a, b) = (dim_of("diagonal", dim1, n), dim_of("diagonal", dim2, n));
        if a == b {
            fail("diagonal", format!("diagonal dimensions cannot be identical {dim1}, {dim2}"));
        }
        apply1(View(Diagonal { offset, dim1: a, dim2: b }), [self])
    }
    /// Matrices with the last dimension on their main diagonal, zeros elsewhere (`torch.diag_embed(x)`).
    #[track_caller]
    pub fn diag_embed(&self) -> Tensor {
        self.diag_embed_dim(0, -2, -1)
    }
    /// The last dimension on the diagonal `offset` between the new dimensions `dim1` and `dim2`, zeros elsewhere
    /// (`torch.diag_embed(x, offset, dim1, dim2)`).
    #[track_caller]
    pub fn diag_embed_dim(&self, offset: isize, dim1: isize, dim2: isize) -> Tensor {
        let shape = self.shape();
        let n = shape.len() + 1;
        if shape.is_empty() {
            fail("diag_embed", "expected a tensor with at least one dimension");
        }
        let (a, b) = (dim_of("diag_embed", dim1, n), dim_of("diag_embed", dim2, n));
        if a == b {
            fail("diag_embed", format!("diagonal dimensions cannot be identical {dim1}, {dim2}"));
        }
        let size = shape[n - 2] + offset.unsigned_abs();
        let mut to = Dims::new(&shape[..n - 2]);
        to.insert(a.min(b), size);
        to.insert(a.max(b), size);
        // Row index = dim1, so that `diagonal_dim(offset, dim1, dim2)` of the result is the input again.
        apply1(Embed { spec: Diagonal { offset, dim1: a, dim2: b }, shape: to }, [self])
    }
    /// A vector becomes a matrix with it on diagonal `offset`; of a matrix, that diagonal as a new tensor (`torch.diag(x, diagonal)`).
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Tensor {
        match self.dim() {
            1 => self.diag_embed_dim(offset, 0, 1),
            2 => self.diagonal_dim(offset, 0, 1).duplicate(),
            n => fail("diag", format!("diag(): Supports 1D or 2D tensors. Got {n}D")),
        }
    }
    /// All elements on diagonal `offset` of a matrix of zeros (`torch.diagflat(x, offset)`).
    #[track_caller]
    pub fn diagflat(&self, offset: isize) -> Tensor {
        self.reshape(-1).diag_embed_dim(offset, 0, 1)
    }
    /// The sum of the main diagonal of a matrix (`x.trace()`).
    #[track_caller]
    pub fn trace(&self) -> Tensor {
        if self.dim() != 2 {
            fail("trace", format!("trace: expected a matrix, but got tensor with dim {}", self.dim()));
        }
        self.diagonal().sum()
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "narrow",
        torch: "x.narrow(dim, start, length)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].narrow(0, 1, 2)),
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].narrow(-1, -2, 2)),
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].narrow(0, 4, 0)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].narrow(0, 3, 2)),
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].narrow(0, 5, 0)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].narrow(0, 0, 0)),
            ]
        },
    },
    OpInfo {
        name: "select",
        torch: "x.select(dim, index)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].select(0, 1)),
                Sample::new(&[numbers(&[4, 3, 2], 1)], |x| x[0].select(-2, -1)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].select(0, 4)),
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].select(2, 0)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].select(0, 0)),
            ]
        },
    },
    OpInfo {
        name: "diagonal",
        torch: "x.diagonal(offset, dim1, dim2)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].diagonal()),
                Sample::new(&[numbers(&[4, 3, 2], 1)], |x| x[0].diagonal_dim(-1, 0, 2)),
                Sample::new(&[numbers(&[4, 3, 2], 1)], |x| x[0].diagonal_dim(1, 2, 1)),
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].diagonal_dim(7, 0, 1)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[4, 3], 1)], |x| x[0].diagonal_dim(0, 1, -1)),
                Sample::new(&[numbers(&[4], 1)], |x| x[0].diagonal()),
            ]
        },
    },
    OpInfo {
        name: "diag_embed",
        torch: "torch.diag_embed(x, offset, dim1, dim2)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].diag_embed()),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].diag_embed_dim(-2, 2, 0)),
                Sample::new(&[numbers(&[3], 1)], |x| x[0].diag(1)),
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].diag(-1)),
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].diagflat(0)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].diag_embed_dim(0, 1, 1)),
                Sample::new(&[numbers(&[1, 1, 1], 1)], |x| x[0].diag(0)),
            ]
        },
    },
    OpInfo {
        name: "trace",
        torch: "x.trace()",
        samples: || vec![Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].trace())],
        refused: || vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].trace())],
    },
];
