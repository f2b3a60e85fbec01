//! Data sets: samples by index.

mod concat;
mod map;
mod random_split;
mod subset;
mod tensors;

pub use concat::ConcatDataset;
pub use map::MapDataset;
pub use random_split::{SplitLengths, random_split};
pub use subset::Subset;
pub use tensors::{TensorDataset, Tensors};

use crate::collate::Collate;
use crate::error::Error;
use cresset_tensor::attempt;
use std::sync::Arc;

/// Samples by index (`torch.utils.data.Dataset`).
///
/// `get` may fail: a file can be missing. A panic in it is caught by the loader and becomes an error as well. It is called from several
/// threads if the loader has workers.
///
/// ```
/// use cresset_data::{Dataset, Error};
/// struct Squares(usize);
/// impl Dataset for Squares {
///     type Item = (i64, i64);
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn get(&self, index: usize) -> Result<(i64, i64), Error> {
///         Ok((index as i64, (index * index) as i64))
///     }
/// }
/// let (x, y) = Squares(10).get_batch(&[3, 4]).unwrap();
/// assert_eq!((x.to_vec::<i64>(), y.to_vec::<i64>()), (vec![3, 4], vec![9, 16]));
/// ```
pub trait Dataset: Send + Sync {
    /// What a sample is: mostly a tuple of tensors and numbers.
    type Item;

    /// How many samples there are (`len(dataset)`).
    fn len(&self) -> usize;
    /// The sample at `index` (`dataset[index]`).
    ///
    /// # Errors
    /// If there is none, or it cannot be made.
    fn get(&self, index: usize) -> Result<Self::Item, Error>;

    /// No samples?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The samples at `indices` as one batch. The default gets one after the other and collates them; a data set that has a faster way
    /// overrides it (PyTorch: `__getitems__` followed by `default_collate`).
    ///
    /// # Errors
    /// The first error of a sample, with its index, or samples that do not fit together.
    fn get_batch(&self, indices: &[usize]) -> Result<<Self::Item as Collate>::Batch, Error>
    where
        Self::Item: Collate,
    {
        let samples = samples(self, indices)?;
        Ok(attempt(|| Collate::collate(samples))?)
    }

    /// The same samples, each changed by `f` when it is asked for.
    fn map<T, F>(self, f: F) -> MapDataset<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Item) -> T + Send + Sync,
    {
        MapDataset::new(self, f)
    }
    /// The samples at `indices`, in that order.
    fn subset(self, indices: Vec<usize>) -> Subset<Self>
    where
        Self: Sized,
    {
        Subset::new(self, indices)
    }
}

/// One sample; an error or a panic carries its index.
pub(crate) fn sample<D: Dataset + ?Sized>(dataset: &D, index: usize) -> Result<D::Item, Error> {
    match attempt(|| dataset.get(index)) {
        Ok(result) => result,
        Err(panic) => Err(panic.into()),
    }
    .map_err(|e| e.at_sample(index))
}

/// One sample after the other.
pub(crate) fn samples<D: Dataset + ?Sized>(dataset: &D, indices: &[usize]) -> Result<Vec<D::Item>, Error> {
    indices.iter().map(|&i| sample(dataset, i)).collect()
}

/// The error for an index that a data set of `len` samples does not have.
pub(crate) fn out_of_range(index: usize, len: usize) -> Error {
    Error::new(format!("index {index} is out of range for a data set with {len} samples"))
}

macro_rules! by_reference {
    ($($t:ty)*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $t {
            type Item = D::Item;
            fn len(&self) -> usize {
                (**self).len()
            }
            fn get(&self, index: usize) -> Result<D::Item, Error> {
                (**self).get(index)
            }
            fn get_batch(&self, indices: &[usize]) -> Result<<D::Item as Collate>::Batch, Error>
            where
                D::Item: Collate,
            {
                (**self).get_batch(indices)
            }
        }
    )*};
}
by_reference!(&D Box<D> Arc<D>);

/// A list as a data set of clones of its elements. (In PyTorch any list is one; here `Vec` itself is none, for its own `get` would be hidden.)
///
/// ```
/// use cresset_data::{Dataset, ListDataset};
/// assert_eq!(ListDataset(vec!['a', 'b']).get(1), Ok('b'));
/// ```
#[derive(Clone, Debug)]
pub struct ListDataset<T>(pub Vec<T>);

impl<T: Clone + Send + Sync> Dataset for ListDataset<T> {
    type Item = T;
    fn len(&self) -> usize {
        self.0.len()
    }
    fn get(&self, index: usize) -> Result<T, Error> {
        self.0.get(index).cloned().ok_or_else(|| out_of_range(index, self.0.len()))
    }
}
