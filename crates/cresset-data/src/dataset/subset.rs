//! Some samples of a data set.

use super::{Dataset, out_of_range};
use crate::collate::Collate;
use crate::error::Error;

/// The samples at given indices (`torch.utils.data.Subset`). Several subsets share one data set through an `Arc`.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// The samples of `dataset` at `indices`, in that order. An index that the data set does not have is an error when it is asked for.
    pub fn new(dataset: D, indices: Vec<usize>) -> Subset<D> {
        Subset { dataset, indices }
    }
}

impl<D> Subset<D> {
    /// The whole data set.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
    /// Which samples of it.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
    fn whole_index(&self, index: usize) -> Result<usize, Error> {
        self.indices.get(index).copied().ok_or_else(|| out_of_range(index, self.indices.len()))
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn get(&self, index: usize) -> Result<D::Item, Error> {
        self.dataset.get(self.whole_index(index)?)
    }
    fn get_batch(&self, indices: &[usize]) -> Result<<D::Item as Collate>::Batch, Error>
    where
        D::Item: Collate,
    {
        let whole: Vec<usize> =
            indices.iter().map(|&i| self.whole_index(i).map_err(|e| e.at_sample(i))).collect::<Result<_, _>>()?;
        self.dataset.get_batch(&whole).map_err(|e| {
            // Whoever asked counts by the subset's indices.
            match e.sample().and_then(|s| whole.iter().position(|&w| w == s)) {
                Some(at) => e.at_sample(indices[at]),
                None => e,
            }
        })
    }
}
