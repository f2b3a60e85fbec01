//! Broadcasting and its undoing: `x.expand(sizes)`, a view with stride 0, and `x.sum_to_size(size)`.

use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList};
use crate::error::fail;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

#[derive(Debug)]
struct Expand(Dims);

impl Op for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (have, want) = (&inputs[0].shape, &self.0);
        let lead = want.len().checked_sub(have.len()).ok_or_else(|| {
            format!(
                "the number of sizes provided ({}) must be greater or equal to the number of dimensions in the tensor ({})",
                want.len(),
                have.len()
            )
        })?;
        for (i, &n) in have.iter().enumerate() {
            if n != 1 && n != want[lead + i] {
                return Err(format!(
                    "The expanded size of the tensor ({}) must match the existing size ({n}) at non-singleton dimension {}. Target sizes: {:?}. Tensor sizes: {:?}",
                    want[lead + i],
                    lead + i,
                    &want[..],
                    &have[..]
                ));
            }
        }
        Ok([Meta { dtype: inputs[0].dtype, shape: *want }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [inputs[0].broadcast_to(&self.0)].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        // Summing back to the input's shape is what the caller does with every gradient.
        [grads[0].clone()].into()
    }
    fn is_view(&self) -> bool {
        true
    }
}

impl Array {
    /// A view of a shape that this one's broadcasts to (checked by the caller), stride 0 where it repeats.
    pub fn broadcast_to(&self, shape: &Dims) -> Array {
        let lead = shape.len() - self.ndim();
        let mut strides = Dims::filled(shape.len(), 0);
        for i in 0..self.ndim() {
            strides[lead + i] = if self.shape()[i] == 1 && shape[lead + i] != 1 { 0 } else { self.strides()[i] };
        }
        self.view(*shape, strides, self.offset())
    }
}

impl Tensor {
    /// A view in which dimensions of size 1 are repeated; -1 keeps a size (`x.expand(sizes)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let (x, batch) = (Tensor::zeros([1, 4]), 3_usize);
    /// assert_eq!(x.expand((batch, -1)).shape(), [3, 4]);
    /// ```
    #[track_caller]
    pub fn expand(&self, sizes: impl IntList) -> Tensor {
        let sizes = sizes.ints();
        let shape = self.shape();
        let lead = sizes.len() as isize - shape.len() as isize;
        let mut target = Dims::EMPTY;
        for (i, &s) in sizes.iter().enumerate() {
            target.push(match s {
                -1 if i as isize >= lead && lead >= 0 => shape[(i as isize - lead) as usize],
                s if s >= 0 => s as usize,
                s => fail(
                    "expand",
                    format!(
                        "The expanded size of the tensor ({s}) isn't allowed in a leading, non-existing dimension {i}"
                    ),
                ),
            });
        }
        self.broadcast_to(target)
    }
    /// A view of a shape it broadcasts to (`x.broadcast_to(shape)`).
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Dims>) -> Tensor {
        apply1(Expand(shape.into()), [self])
    }
    /// A view of the other tensor's shape (`x.expand_as(other)`).
    #[track_caller]
    pub fn expand_as(&self, other: &Tensor) -> Tensor {
        self.broadcast_to(other.shape())
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "expand",
    torch: "x.expand(sizes)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[3, 1], 1)], |x| x[0].expand([-1, 4])),
            Sample::new(&[numbers(&[1], 2)], |x| x[0].expand([2, 3])),
            Sample::new(&[numbers(&[], 3)], |x| x[0].expand([2])),
        ]
    },
    refused: || {
        vec![
            Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].expand([3, 4])),
            Sample::new(&[numbers(&[3, 2], 1)], |x| x[0].expand([2])),
            Sample::new(&[numbers(&[3], 1)], |x| x[0].expand([-1, 3])),
        ]
    },
}];
