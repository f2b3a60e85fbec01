//! Tensors as a data set: the i-th sample is the i-th row of each.

use super::{Dataset, out_of_range};
use crate::collate::Collate;
use crate::error::Error;
use cresset_tensor::array::{Array, Meta};
use cresset_tensor::error::fail;
use cresset_tensor::{Tensor, attempt};

/// One tensor or several: what a [`TensorDataset`] is made of. `Tensor`, tuples, arrays and vectors of tensors.
pub trait Tensors: Collate<Batch = Self> + Clone + Send + Sync + 'static {
    /// Gives every tensor to `f`, and what it returns in the same arrangement.
    fn each(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Self;
}

impl Tensors for Tensor {
    fn each(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Tensor {
        f(self)
    }
}
impl Tensors for Vec<Tensor> {
    fn each(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Vec<Tensor> {
        self.iter().map(f).collect()
    }
}
impl<const N: usize> Tensors for [Tensor; N] {
    fn each(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> [Tensor; N] {
        self.each_ref().map(f)
    }
}
macro_rules! tuples {
    ($([$($i:tt)*])*) => {$(
        impl Tensors for ($(tuples!(@ $i Tensor),)*) {
            fn each(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Self {
                ($(f(&self.$i),)*)
            }
        }
    )*};
    (@ $i:tt $t:ty) => { $t };
}
tuples! {
    [0]
    [0 1]
    [0 1 2]
    [0 1 2 3]
    [0 1 2 3 4]
    [0 1 2 3 4 5]
}

/// Tensors whose first dimension counts the samples (`torch.utils.data.TensorDataset(*tensors)`). A sample is a view of one row of each; a
/// batch is gathered from the rows at once, without making its samples.
///
/// ```
/// use cresset_data::{Dataset, TensorDataset};
/// use cresset_tensor::Tensor;
/// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]);
/// let y = Tensor::from_slice(&[0i64, 1, 2]);
/// let (x, y) = TensorDataset::new((x, y)).get_batch(&[2, 0]).unwrap();
/// assert_eq!(x.to_vec::<f32>(), [5.0, 6.0, 1.0, 2.0]);
/// assert_eq!(y.to_vec::<i64>(), [2, 0]);
/// ```
#[derive(Clone, Debug)]
pub struct TensorDataset<T = (Tensor, Tensor)> {
    tensors: T,
    len: usize,
}

impl<T: Tensors> TensorDataset<T> {
    /// A data set of the rows of `tensors`.
    ///
    /// # Panics
    /// If their first dimensions differ, or one has none.
    #[track_caller]
    pub fn new(tensors: T) -> TensorDataset<T> {
        let mut len = None;
        let mut sizes = Vec::new();
        let _ = tensors.each(&mut |t| {
            sizes.push(t.shape().first().copied());
            t.clone()
        });
        for size in sizes {
            let Some(size) = size else {
                fail("TensorDataset", "Dimension specified as 0 but tensor has no dimensions")
            };
            if *len.get_or_insert(size) != size {
                fail(
                    "TensorDataset",
                    format!("Size mismatch between tensors: {} and {size} along dimension 0", len.unwrap_or(0)),
                );
            }
        }
        TensorDataset { tensors, len: len.unwrap_or(0) }
    }
    /// The tensors (`dataset.tensors`).
    pub fn tensors(&self) -> &T {
        &self.tensors
    }
    fn check(&self, index: usize) -> Result<(), Error> {
        if index < self.len { Ok(()) } else { Err(out_of_range(index, self.len)) }
    }
}

impl<T: Tensors> Dataset for TensorDataset<T> {
    type Item = T;
    fn len(&self) -> usize {
        self.len
    }
    fn get(&self, index: usize) -> Result<T, Error> {
        self.check(index)?;
        Ok(self.tensors.each(&mut |t| t.select(0, index as isize)))
    }
    fn get_batch(&self, indices: &[usize]) -> Result<T, Error> {
        for &i in indices {
            self.check(i).map_err(|e| e.at_sample(i))?;
        }
        Ok(attempt(|| self.tensors.each(&mut |t| rows(t, indices)))?)
    }
}

/// The rows of a tensor at `indices`, which are in range.
fn rows(t: &Tensor, indices: &[usize]) -> Tensor {
    let from = t.array();
    if t.requires_grad() || !from.is_contiguous() {
        let index: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
        return t.index_select(0, &Tensor::from_slice(&index));
    }
    let mut shape = *from.shape();
    shape[0] = indices.len();
    let meta = Meta::new(from.dtype(), shape);
    let size = from.shape()[1..].iter().product::<usize>() * from.dtype().size();
    let mut out = Array::buffer_for(&meta);
    if size > 0 {
        let start = from.offset() * from.dtype().size();
        let reading = from.read();
        let bytes = &reading.slice::<u8>()[start..];
        for (row, &i) in out.as_mut_slice::<u8>().chunks_exact_mut(size).zip(indices) {
            row.copy_from_slice(&bytes[i * size..][..size]);
        }
    }
    Tensor::from_array(Array::from_buffer(out, meta))
}
