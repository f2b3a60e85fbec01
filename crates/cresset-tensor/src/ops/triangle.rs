//! One triangle of a matrix: tril, triu, and the indices of its elements.

use crate::array::{Array, Meta, with_bits};
use crate::op::{Context, Few, Op, apply_directly, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element as Stored;

/// Zeros above (or below) a diagonal.
#[derive(Clone, Debug)]
struct Triangle {
    upper: bool,
    diagonal: isize,
    name: &'static str,
}

impl Triangle {
    /// Which columns of a row are set to zero.
    fn zeros(&self, row: usize, columns: usize) -> std::ops::Range<usize> {
        let edge = row as isize + self.diagonal;
        let clamp = |c: isize| c.clamp(0, columns as isize) as usize;
        if self.upper { 0..clamp(edge) } else { clamp(edge + 1)..columns }
    }
    /// Works on `x` itself.
    fn write(&self, x: &Array) {
        fn go<T: Stored + Default>(op: &Triangle, x: &Array) {
            let mut to = x.storage().write();
            let to = to.slice::<T>();
            let (shape, strides) = (x.shape(), x.strides());
            let n = shape.len();
            let mut starts = vec![];
            let outer = x.view(shape[..n - 2].into(), strides[..n - 2].into(), x.offset());
            crate::kernels::for_each_position(&outer, |p| starts.push(p));
            for start in starts {
                for row in 0..shape[n - 2] {
                    for c in op.zeros(row, shape[n - 1]) {
                        to[start + row * strides[n - 2] + c * strides[n - 1]] = T::default();
                    }
                }
            }
        }
        if x.numel() > 0 {
            with_bits!(x.dtype(), T => go::<T>(self, x));
        }
    }
}

impl Op for Triangle {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        if inputs[0].ndim() < 2 {
            return Err(format!("{}: input tensor must have at least 2 dimensions", self.name));
        }
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let out = inputs[0].copy();
        self.write(&out);
        [out].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(self.clone(), [g]))].into()
    }
}

impl Tensor {
    /// The lower triangle of each matrix, zeros above the diagonal `diagonal` (`x.tril(diagonal)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::ones([2, 2]).tril(0).to_vec::<f32>(), [1.0, 0.0, 1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Tensor {
        apply1(Triangle { upper: false, diagonal, name: "tril" }, [self])
    }
    /// The upper triangle of each matrix, zeros below the diagonal `diagonal` (`x.triu(diagonal)`).
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Tensor {
        apply1(Triangle { upper: true, diagonal, name: "triu" }, [self])
    }
    /// [`Tensor::tril`] in place (`x.tril_(diagonal)`).
    #[track_caller]
    pub fn tril_(&self, diagonal: isize) -> Tensor {
        apply_directly(Triangle { upper: false, diagonal, name: "tril_" }, &[self], |op, a| op.write(&a[0]))
    }
    /// [`Tensor::triu`] in place (`x.triu_(diagonal)`).
    #[track_caller]
    pub fn triu_(&self, diagonal: isize) -> Tensor {
        apply_directly(Triangle { upper: true, diagonal, name: "triu_" }, &[self], |op, a| op.write(&a[0]))
    }
    /// Rows and columns of the elements of the lower triangle of a `rows` x `columns` matrix, as the two rows of an int64 matrix
    /// (`torch.tril_indices(row, col, offset)`).
    pub fn tril_indices(rows: usize, columns: usize, offset: isize) -> Tensor {
        indices(rows, columns, |r, c| c <= r + offset)
    }
    /// The same for the upper triangle (`torch.triu_indices(row, col, offset)`).
    pub fn triu_indices(rows: usize, columns: usize, offset: isize) -> Tensor {
        indices(rows, columns, |r, c| c >= r + offset)
    }
}

fn indices(rows: usize, columns: usize, inside: impl Fn(isize, isize) -> bool) -> Tensor {
    let (mut r, mut c) = (Vec::new(), Vec::new());
    for i in 0..rows {
        for j in (0..columns).filter(|&j| inside(i as isize, j as isize)) {
            r.push(i as i64);
            c.push(j as i64);
        }
    }
    let n = r.len();
    r.extend(c);
    Tensor::from_vec(r, [2, n])
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "tril",
        torch: "x.tril(diagonal)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].tril(0)),
                Sample::new(&[numbers(&[2, 3, 2], 1)], |x| x[0].tril(-1)),
                Sample::new(&[numbers(&[3, 3], 1)], |x| x[0].duplicate().tril_(1)),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].tril(0))],
    },
    OpInfo {
        name: "triu",
        torch: "x.triu(diagonal)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].triu(1)),
                Sample::new(&[numbers(&[2, 3, 2], 1)], |x| x[0].triu(-5)),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].triu(0))],
    },
];
