//! Indices in batches.

use super::{Indices, Sampler};
use cresset_tensor::error::fail;

/// Cuts another sampler's indices into batches (`torch.utils.data.BatchSampler`).
///
/// ```
/// use cresset_data::{BatchSampler, Sampler, SequentialSampler};
/// let batches: Vec<Vec<usize>> = BatchSampler::new(SequentialSampler::new(5), 2, false).iter().collect();
/// assert_eq!(batches, [vec![0, 1], vec![2, 3], vec![4]]);
/// ```
#[derive(Clone, Debug)]
pub struct BatchSampler<S> {
    sampler: S,
    batch_size: usize,
    drop_last: bool,
}

impl<S: Sampler> BatchSampler<S> {
    /// Batches of `batch_size`; the last may be shorter, or is left out with `drop_last`.
    ///
    /// # Panics
    /// If `batch_size` is 0.
    #[track_caller]
    pub fn new(sampler: S, batch_size: usize, drop_last: bool) -> BatchSampler<S> {
        check_batch_size("BatchSampler", batch_size);
        BatchSampler { sampler, batch_size, drop_last }
    }
}

#[track_caller]
pub(crate) fn check_batch_size(name: &str, batch_size: usize) {
    if batch_size == 0 {
        fail(name, format!("batch_size should be a positive integer value, but got batch_size={batch_size}"));
    }
}

impl<S: Sampler> Sampler<Vec<usize>> for BatchSampler<S> {
    fn iter(&self) -> Indices<'_, Vec<usize>> {
        Box::new(Batches::new(|| self.sampler.iter(), self.batch_size, self.drop_last))
    }
    fn len(&self) -> usize {
        batches(self.sampler.len(), self.batch_size, self.drop_last)
    }
}

/// How many batches `n` samples make.
pub(crate) fn batches(n: usize, batch_size: usize, drop_last: bool) -> usize {
    if drop_last { n / batch_size } else { n.div_ceil(batch_size) }
}

/// Chunks of an iterator that is made when the first one is asked for. It reads no further than a chunk needs, so that a sampler draws its
/// random numbers when PyTorch's does.
pub(crate) struct Batches<F, I> {
    make: Option<F>,
    indices: Option<I>,
    size: usize,
    drop_last: bool,
}

impl<F: FnOnce() -> I, I: Iterator<Item = usize>> Batches<F, I> {
    pub(crate) fn new(make: F, size: usize, drop_last: bool) -> Batches<F, I> {
        Batches { make: Some(make), indices: None, size, drop_last }
    }
}

impl<F: FnOnce() -> I, I: Iterator<Item = usize>> Iterator for Batches<F, I> {
    type Item = Vec<usize>;
    fn next(&mut self) -> Option<Vec<usize>> {
        if let Some(make) = self.make.take() {
            self.indices = Some(make());
        }
        let indices = self.indices.as_mut()?;
        let mut batch = Vec::with_capacity(self.size.min(4096));
        while batch.len() < self.size {
            match indices.next() {
                Some(i) => batch.push(i),
                None => {
                    self.indices = None;
                    break;
                }
            }
        }
        if batch.is_empty() || (self.drop_last && batch.len() < self.size) { None } else { Some(batch) }
    }
}
