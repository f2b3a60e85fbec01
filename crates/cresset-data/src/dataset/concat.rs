//! Several data sets one after the other.

use super::{Dataset, out_of_range};
use crate::error::Error;
use cresset_tensor::error::fail;

/// Data sets one after the other (`torch.utils.data.ConcatDataset`). Sets of different types go in as `Box<dyn Dataset<Item = ...>>`.
///
/// ```
/// use cresset_data::{ConcatDataset, Dataset, ListDataset};
/// let both = ConcatDataset::new(vec![ListDataset(vec![1, 2]), ListDataset(vec![3])]);
/// assert_eq!((both.len(), both.get(2)), (3, Ok(3)));
/// ```
#[derive(Clone, Debug)]
pub struct ConcatDataset<D> {
    datasets: Vec<D>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl<D: Dataset> ConcatDataset<D> {
    /// The data sets, joined.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn new(datasets: Vec<D>) -> ConcatDataset<D> {
        if datasets.is_empty() {
            fail("ConcatDataset", "datasets should not be an empty iterable");
        }
        let mut end = 0;
        let ends = datasets
            .iter()
            .map(|d| {
                end += d.len();
                end
            })
            .collect();
        ConcatDataset { datasets, ends }
    }
    /// The data sets underneath.
    pub fn datasets(&self) -> &[D] {
        &self.datasets
    }
}

impl<D: Dataset> Dataset for ConcatDataset<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
    fn get(&self, index: usize) -> Result<D::Item, Error> {
        if index >= self.len() {
            return Err(out_of_range(index, self.len()));
        }
        let k = self.ends.partition_point(|&end| end <= index);
        let start = if k == 0 { 0 } else { self.ends[k - 1] };
        self.datasets[k].get(index - start)
    }
}
