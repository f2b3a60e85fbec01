//! Samples changed on their way out.

use super::Dataset;
use crate::error::Error;

/// A data set whose samples go through a function when they are asked for: where transforms and augmentation stand. Made by
/// [`Dataset::map`].
///
/// ```
/// use cresset_data::{Dataset, ListDataset};
/// let doubled = ListDataset(vec![1, 2, 3]).map(|x| 2 * x);
/// assert_eq!(doubled.get(2), Ok(6));
/// ```
#[derive(Clone)]
pub struct MapDataset<D, F> {
    dataset: D,
    f: F,
}

impl<D, F> MapDataset<D, F> {
    /// The samples of `dataset`, each given to `f`.
    pub fn new<T>(dataset: D, f: F) -> MapDataset<D, F>
    where
        D: Dataset,
        F: Fn(D::Item) -> T + Send + Sync,
    {
        MapDataset { dataset, f }
    }
    /// The data set underneath.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
}

impl<D: Dataset, T, F: Fn(D::Item) -> T + Send + Sync> Dataset for MapDataset<D, F> {
    type Item = T;
    fn len(&self) -> usize {
        self.dataset.len()
    }
    fn get(&self, index: usize) -> Result<T, Error> {
        Ok((self.f)(self.dataset.get(index)?))
    }
}
