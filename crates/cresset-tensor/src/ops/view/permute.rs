//! Dimensions in another order: permute, transpose, t, movedim.

use super::{Layout, Spec, View, dim_of};
use crate::dims::{Dims, IntList};
use crate::error::fail;
use crate::op::apply1;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Dimension i of the result is dimension `order[i]` of the input.
#[derive(Clone, Debug)]
struct Permute {
    order: Dims,
    name: &'static str,
}

impl Spec for Permute {
    fn name(&self) -> &'static str {
        self.name
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        Ok(self.order.iter().map(|&d| from[d]).collect())
    }
    fn layout(&self, from: Layout) -> Layout {
        Layout {
            shape: self.order.iter().map(|&d| from.shape[d]).collect(),
            strides: self.order.iter().map(|&d| from.strides[d]).collect(),
            offset: from.offset,
        }
    }
    fn backward(&self, g: &Tensor, _input: &Dims) -> Tensor {
        let mut order = self.order;
        for (i, &d) in self.order.iter().enumerate() {
            order[d] = i;
        }
        apply1(View(Permute { order, name: self.name }), [g])
    }
}

impl Tensor {
    /// A view with the dimensions in the given order (`x.permute(dims)`): dimension i of the result is dimension `dims[i]` of `self`.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 5]).permute([2, 0, 1]).shape(), [5, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// If `dims` does not name each dimension once.
    #[track_caller]
    pub fn permute(&self, dims: impl IntList) -> Tensor {
        let (dims, n) = (dims.ints(), self.dim());
        if dims.len() != n {
            fail(
                "permute",
                format!(
                    "permute(): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {}",
                    dims.len()
                ),
            );
        }
        if n == 0 {
            return self.permuted(Dims::EMPTY, "permute");
        }
        let order = dims.iter().map(|&d| dim_of("permute", d, n)).collect::<Dims>();
        if (0..n).any(|d| !order.contains(&d)) {
            fail("permute", "permute(): duplicate dims are not allowed.");
        }
        self.permuted(order, "permute")
    }
    #[track_caller]
    fn permuted(&self, order: Dims, name: &'static str) -> Tensor {
        apply1(View(Permute { order, name }), [self])
    }
    /// A view with two dimensions exchanged (`x.transpose(dim0, dim1)`).
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Tensor {
        let n = self.dim();
        let (a, b) = (dim_of("transpose", dim0, n), dim_of("transpose", dim1, n));
        let mut order: Dims = (0..n).collect();
        if n > 0 {
            order.swap(a, b);
        }
        self.permuted(order, "transpose")
    }
    /// [`Tensor::transpose`] under NumPy's name (`x.swapaxes(axis0, axis1)`).
    #[track_caller]
    pub fn swapaxes(&self, axis0: isize, axis1: isize) -> Tensor {
        self.transpose(axis0, axis1)
    }
    /// [`Tensor::transpose`] (`x.swapdims(dim0, dim1)`).
    #[track_caller]
    pub fn swapdims(&self, dim0: isize, dim1: isize) -> Tensor {
        self.transpose(dim0, dim1)
    }
    /// The transpose of a matrix; a vector or number is returned as it is (`x.t()`).
    ///
    /// # Panics
    /// If there are more than two dimensions.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        let n = self.dim();
        if n > 2 {
            fail("t", format!("t() expects a tensor with <= 2 dimensions, but self is {n}D"));
        }
        self.permuted((0..n).rev().collect(), "t")
    }
    /// A view with all dimensions in reverse order (`x.T`).
    #[allow(non_snake_case)]
    #[track_caller]
    pub fn T(&self) -> Tensor {
        self.permuted((0..self.dim()).rev().collect(), "permute")
    }
    /// A view of a batch of matrices, each transposed (`x.mT`).
    ///
    /// # Panics
    /// If there are fewer than two dimensions.
    #[allow(non_snake_case)]
    #[track_caller]
    pub fn mT(&self) -> Tensor {
        if self.dim() < 2 {
            fail(
                "mT",
                format!("tensor.mT is only supported on matrices or batches of matrices. Got {}-D tensor.", self.dim()),
            );
        }
        self.transpose(-2, -1)
    }
    /// A view with the dimensions `source` moved to the places `destination`, the others in their order (`x.movedim(source, destination)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 5]).movedim(0, -1).shape(), [3, 5, 2]);
    /// ```
    #[track_caller]
    pub fn movedim(&self, source: impl IntList, destination: impl IntList) -> Tensor {
        let (source, destination, n) = (source.ints(), destination.ints(), self.dim());
        if source.len() != destination.len() {
            fail(
                "movedim",
                format!(
                    "Invalid source or destination dims: source ({source:?} dims) should contain the same number of dims as destination ({destination:?} dims)"
                ),
            );
        }
        let wrap = |what: &str, dims: &[isize]| -> Dims {
            let wrapped: Dims = dims.iter().map(|&d| dim_of("movedim", d, n)).collect();
            if (1..wrapped.len()).any(|i| wrapped[..i].contains(&wrapped[i])) {
                fail("movedim", format!("repeated dim in `{what}` ({dims:?})"));
            }
            wrapped
        };
        let (from, to) = (wrap("source", &source), wrap("destination", &destination));
        if n == 0 {
            return self.permuted(Dims::EMPTY, "permute");
        }
        let mut rest = (0..n).filter(|d| !from.contains(d));
        let order = (0..n)
            .map(|i| match to.iter().position(|&t| t == i) {
                Some(k) => from[k],
                None => rest.next().expect("as many places as dimensions"),
            })
            .collect();
        self.permuted(order, "permute")
    }
    /// [`Tensor::movedim`] under NumPy's name (`x.moveaxis(source, destination)`).
    #[track_caller]
    pub fn moveaxis(&self, source: impl IntList, destination: impl IntList) -> Tensor {
        self.movedim(source, destination)
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "permute",
        torch: "x.permute(dims)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].permute([2, 0, 1])),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].permute([-1, 1, -3])),
                Sample::new(&[numbers(&[], 1)], |x| x[0].permute(())),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].permute([0, 0])),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].permute([0])),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].permute([0, 2])),
            ]
        },
    },
    OpInfo {
        name: "transpose",
        torch: "x.transpose(dim0, dim1)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].transpose(0, -1)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].swapaxes(1, 1)),
                Sample::new(&[numbers(&[], 1)], |x| x[0].transpose(0, -1)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].T()),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].mT()),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].transpose(0, 2)),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].mT()),
            ]
        },
    },
    OpInfo {
        name: "t",
        torch: "x.t()",
        samples: || {
            vec![Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].t()), Sample::new(&[numbers(&[3], 1)], |x| x[0].t())]
        },
        refused: || vec![Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].t())],
    },
    OpInfo {
        name: "movedim",
        torch: "x.movedim(source, destination)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].movedim(0, 2)),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].movedim([0, 1], [-1, 0])),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].movedim([0, 1], [0])),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].movedim([0, -3], [0, 1])),
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].movedim(3, 0)),
            ]
        },
    },
];
