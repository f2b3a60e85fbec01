//! Whole slices at positions along one dimension, and single elements of the flattened tensor.

use super::elements::checked_index;
use super::{Index, resolve};
use crate::dims::Dims;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::ops::value::Value;
use crate::ops::view::dim_of;
use crate::record::depends;
use crate::tensor::Tensor;

impl Tensor {
    /// The slices at the positions `index` of a dimension (`x.index_select(dim, index)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_vec([0i64, 1, 2, 3, 4, 5], [3, 2]);
    /// assert_eq!(x.index_select(0, &Tensor::from_slice(&[2i64, 0])).to_vec::<i64>(), [4, 5, 0, 1]);
    /// ```
    ///
    /// # Panics
    /// If `index` is no vector (or number) of int32 or int64, or a position is out of bounds.
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Tensor) -> Tensor {
        let (d, index) = self.along("index_select", dim, index);
        if self.dim() == 0 {
            return self.reshape(1).get(Dims::from([0]), &[index], "index_select").reshape(());
        }
        self.get(Dims::from([d]), &[index], "index_select")
    }
    /// The dimension and the checked index vector of an op along a dimension.
    #[track_caller]
    fn along(&self, op: &'static str, dim: isize, index: &Tensor) -> (usize, Tensor) {
        let shape = self.shape();
        let d = dim_of(op, dim, shape.len());
        if index.dim() > 1 {
            fail(op, format!("{op}(): Index is supposed to be a vector, but got {} dimensions", index.dim()));
        }
        if !matches!(index.dtype(), DType::I64 | DType::I32) {
            fail(op, format!("{op}(): Expected dtype int32 or int64 for index, got {}", index.dtype().name()));
        }
        let n = shape.get(d).copied().unwrap_or(1);
        let index = checked_index(op, index, d, n, false);
        if shape.is_empty() && index.numel() != 1 {
            fail(op, format!("{op}(): Index to scalar can have only 1 value, got {} value(s)", index.numel()));
        }
        (d, index.reshape(-1))
    }
    /// Index, dimension and source of index_add and index_copy, checked; a 0-d tensor is seen as a vector.
    #[track_caller]
    fn along_with(&self, op: &'static str, dim: isize, index: &Tensor, source: &Tensor) -> (usize, Tensor, Tensor) {
        let (d, index) = self.along(op, dim, index);
        if source.dtype() != self.dtype() {
            fail(
                op,
                format!(
                    "{op}(): self ({}) and source ({}) expected to have the same dtype",
                    self.dtype().scalar_name(),
                    source.dtype().scalar_name()
                ),
            );
        }
        let mut want = self.shape();
        if want.is_empty() {
            return (d, index, source.reshape(1));
        }
        want[d] = index.numel();
        let source = if source.dim() == 0 && want.numel() == 1 { source.reshape(want) } else { source.clone() };
        if source.shape() != want {
            fail(
                op,
                format!(
                    "{op}(): Source/destination tensor must have same slice shapes and as many slices as indices. Expected source of shape {want:?}, got {:?} at dimension {d}",
                    source.shape()
                ),
            );
        }
        (d, index, source)
    }
    #[track_caller]
    fn put_along(&self, d: usize, index: Tensor, source: &Tensor, accumulate: bool, name: &'static str) -> Tensor {
        if self.dim() == 0 {
            let y = self.reshape(1).put_copy(Dims::from([0]), &[index], source, accumulate, name);
            return y.reshape(());
        }
        self.put_copy(Dims::from([d]), &[index], source, accumulate, name)
    }
    #[track_caller]
    fn put_along_(&self, d: usize, index: Tensor, source: &Tensor, accumulate: bool, name: &'static str) -> Tensor {
        if self.dim() == 0 {
            return self.copy_(&self.put_along(d, index, source, accumulate, name));
        }
        let basic = super::Basic::whole(self.dim());
        self.put_in(basic, Dims::from([d]), &[index], source, accumulate, name)
    }
    #[track_caller]
    fn scaled(source: &Tensor, alpha: Scalar) -> Tensor {
        if alpha == Scalar::Int(1) || alpha == Scalar::Float(1.0) {
            return source.clone();
        }
        (source * &Tensor::full_of((), alpha, source.dtype())).to_dtype(source.dtype())
    }
    /// A copy with the slices of `source` times `alpha` added at the positions `index` of a dimension, one after the other
    /// (`x.index_add(dim, index, source, alpha=alpha)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let index = Tensor::from_slice(&[1i64, 1]);
    /// let y = Tensor::zeros([3]).index_add(0, &index, &Tensor::ones([2]), 1.0);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn index_add(&self, dim: isize, index: &Tensor, source: &Tensor, alpha: impl Into<Scalar>) -> Tensor {
        let (d, index, source) = self.along_with("index_add", dim, index, source);
        self.put_along(d, index, &Tensor::scaled(&source, alpha.into()), true, "index_add")
    }
    /// [`Tensor::index_add`] in place (`x.index_add_(dim, index, source, alpha=alpha)`).
    #[track_caller]
    pub fn index_add_(&self, dim: isize, index: &Tensor, source: &Tensor, alpha: impl Into<Scalar>) -> Tensor {
        let (d, index, source) = self.along_with("index_add_", dim, index, source);
        self.put_along_(d, index, &Tensor::scaled(&source, alpha.into()), true, "index_add_")
    }
    /// A copy with the slices of `source` at the positions `index` of a dimension (`x.index_copy(dim, index, source)`).
    #[track_caller]
    pub fn index_copy(&self, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let (d, index, source) = self.along_with("index_copy", dim, index, source);
        self.put_along(d, index, &source, false, "index_copy")
    }
    /// [`Tensor::index_copy`] in place (`x.index_copy_(dim, index, source)`).
    #[track_caller]
    pub fn index_copy_(&self, dim: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let (d, index, source) = self.along_with("index_copy_", dim, index, source);
        self.put_along_(d, index, &source, false, "index_copy_")
    }
    #[track_caller]
    fn fill_value(&self, op: &'static str, value: Value) -> Tensor {
        let value = value.tensor(self.dtype());
        if value.dim() != 0 {
            fail(
                op,
                format!(
                    "{op} only supports a 0-dimensional value tensor, but got tensor with {} dimension(s).",
                    value.dim()
                ),
            );
        }
        value
    }
    /// The dimension and the positions of `index_fill`, which may count from the end.
    #[track_caller]
    fn along_wrapped(&self, op: &'static str, dim: isize, index: &Tensor) -> (usize, Tensor) {
        depends(op);
        let d = dim_of(op, dim, self.dim());
        if index.dtype() != DType::I64 && index.dtype() != DType::I32 {
            fail(op, format!("{op}(): Expected dtype int64 for index."));
        }
        if index.dim() > 1 {
            fail(op, format!("{op}(): Index has to be a vector/scalar"));
        }
        let n = self.shape().get(d).copied().unwrap_or(1);
        // A position that stands there twice is filled once, so that its gradient counts once.
        let mut at = checked_index(op, index, d, n, true).to_dtype(DType::I64).to_vec::<i64>();
        at.sort_unstable();
        at.dedup();
        (d, Tensor::from_slice(&at))
    }
    /// A copy with `value`, a number or a 0-d tensor, in the slices at the positions `index` of a dimension
    /// (`x.index_fill(dim, index, value)`).
    #[track_caller]
    pub fn index_fill(&self, dim: isize, index: &Tensor, value: impl Into<Value>) -> Tensor {
        let (d, index) = self.along_wrapped("index_fill", dim, index);
        let value = self.fill_value("index_fill", value.into());
        self.put_along(d, index, &value, false, "index_fill")
    }
    /// [`Tensor::index_fill`] in place (`x.index_fill_(dim, index, value)`).
    #[track_caller]
    pub fn index_fill_(&self, dim: isize, index: &Tensor, value: impl Into<Value>) -> Tensor {
        let (d, index) = self.along_wrapped("index_fill_", dim, index);
        let value = self.fill_value("index_fill_", value.into());
        self.put_along_(d, index, &value, false, "index_fill_")
    }
    /// The elements at positions of the flattened tensor, in the shape of `index` (`x.take(index)`).
    ///
    /// # Panics
    /// If `index` is not int64, or a position is out of bounds.
    #[track_caller]
    pub fn take(&self, index: &Tensor) -> Tensor {
        if index.dtype() != DType::I64 {
            fail("take", format!("take(): Expected a long tensor for index, but got {}", index.dtype().scalar_name()));
        }
        let index = self.flat_index("take", index);
        self.reshape(-1).get(Dims::from([0]), &[index], "take")
    }
    #[track_caller]
    fn flat_index(&self, op: &'static str, index: &Tensor) -> Tensor {
        let n = self.numel();
        if n == 0 && index.numel() > 0 {
            fail(op, format!("{op}(): tried to {op} elements from an empty tensor"));
        }
        checked_index(op, index, 0, n, true)
    }
    /// A copy with the elements of `source` at positions of the flattened tensor (`x.put(index, source, accumulate)`).
    #[track_caller]
    pub fn put(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Tensor {
        if index.numel() != source.numel() {
            fail(
                "put_",
                format!(
                    "put_(): Expected source and index to have the same number of elements, but got source.numel() = {}, index.numel() = {}",
                    source.numel(),
                    index.numel()
                ),
            );
        }
        let (shape, index) = (self.shape(), self.flat_index("put_", index).reshape(-1));
        let flat = self.reshape(-1);
        flat.put_copy(Dims::from([0]), &[index], &source.reshape(-1), accumulate, "put").reshape(shape)
    }
    /// Sets the main diagonal, of three and more dimensions that of equal indices, in place; with `wrap` again below it in tall matrices
    /// (`x.fill_diagonal_(value, wrap)`).
    #[track_caller]
    pub fn fill_diagonal_(&self, value: impl Into<Scalar>, wrap: bool) -> Tensor {
        let shape = self.shape();
        if shape.len() < 2 {
            fail("fill_diagonal_", "dimensions must larger than 1");
        }
        if shape.len() > 2 && shape.iter().any(|&n| n != shape[0]) {
            fail("fill_diagonal_", "all dimensions of input must be of equal length");
        }
        let n = shape.iter().copied().min().unwrap_or(0);
        let value = value.into();
        let mut positions: Vec<Vec<i64>> = vec![(0..n as i64).collect(); shape.len()];
        if wrap && shape.len() == 2 && shape[1] > 0 {
            let rows = (0..shape[0] as i64).filter(|r| r % (shape[1] as i64 + 1) < shape[1] as i64);
            positions[0] = rows.collect();
            positions[1] = positions[0].iter().map(|r| r % (shape[1] as i64 + 1)).collect();
        }
        let list: Vec<Index> = positions.iter().map(|p| Index::Tensor(Tensor::from_slice(p))).collect();
        let r = resolve("fill_diagonal_", &shape, &list);
        let value = Value::Number(value).tensor(self.dtype());
        self.put_in(r.basic, r.dims, &r.tensors, &value, false, "fill_diagonal_")
    }
}

fn at(list: &[i64]) -> Tensor {
    Tensor::from_slice(list)
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "index_select",
        torch: "x.index_select(dim, index)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].index_select(0, &at(&[2, 0, 2]))),
                Sample::new(&[numbers(&[2, 3, 2], 1)], |x| x[0].index_select(-2, &at(&[1]))),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].index_select(1, &at(&[]))),
                Sample::new(&[numbers(&[], 1)], |x| x[0].index_select(0, &at(&[0]))),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].index_select(0, &at(&[3]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].index_select(0, &at(&[-1]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].index_select(0, &at(&[0]).reshape([1, 1]))),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].index_select(0, &Tensor::zeros([1]))),
            ]
        },
    },
    OpInfo {
        name: "index_add",
        torch: "x.index_add(dim, index, source, alpha=alpha)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[3, 2], 2)], |x| {
                    x[0].index_add(0, &at(&[2, 0, 2]), &x[1], 1)
                }),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 2], 2)], |x| {
                    x[0].duplicate().index_add_(1, &at(&[2, 2]), &x[1], 0.5)
                }),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 2], 2)], |x| x[0].index_add(0, &at(&[0]), &x[1], 1)),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[1, 2], 2)], |x| x[0].index_add(0, &at(&[3]), &x[1], 1)),
            ]
        },
    },
    OpInfo {
        name: "index_copy",
        torch: "x.index_copy(dim, index, source)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 2], 2)], |x| x[0].index_copy(0, &at(&[2, 0]), &x[1])),
                Sample::new(&[numbers(&[], 1), numbers(&[], 2)], |x| x[0].index_copy(0, &at(&[0]), &x[1])),
            ]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[3, 2], 1), numbers(&[2, 3], 2)], |x| x[0].index_copy(0, &at(&[2, 0]), &x[1]))]
        },
    },
    OpInfo {
        name: "index_fill",
        torch: "x.index_fill(dim, index, value)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].index_fill(0, &at(&[2, 0]), 1.5)),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[], 2)], |x| x[0].index_fill(1, &at(&[-1]), &x[1])),
            ]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[3, 2], 1), numbers(&[1], 2)], |x| x[0].index_fill(1, &at(&[1]), &x[1]))]
        },
    },
    OpInfo {
        name: "take",
        torch: "x.take(index)",
        samples: || vec![Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].take(&at(&[5, 0, -1, 5]).reshape([2, 2])))],
        refused: || vec![Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].take(&at(&[6])))],
    },
    OpInfo {
        name: "put",
        torch: "x.put(index, source, accumulate)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2], 2)], |x| x[0].put(&at(&[5, 0]), &x[1], false)),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[2], 2)], |x| x[0].put(&at(&[1, 1]), &x[1], true)),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[3], 1), numbers(&[2], 2)], |x| x[0].put(&at(&[1]), &x[1], false))],
    },
];
