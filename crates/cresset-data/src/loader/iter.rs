//! One epoch of a loader.

use super::DataLoader;
use super::workers::{Epoch, Workers};
use crate::error::Error;
use crate::sampler::Indices;

/// The batches of one epoch. Made by [`DataLoader::iter`].
pub struct Iter<'a, B: Send + 'static> {
    loader: &'a DataLoader<B>,
    indices: Indices<'a, Vec<usize>>,
    /// The batches are made by workers.
    ahead: Option<(Workers<B>, Epoch)>,
    /// Why the workers could not begin.
    failure: Option<Error>,
}

impl<'a, B: Send + 'static> Iter<'a, B> {
    pub(super) fn new(loader: &'a DataLoader<B>) -> Iter<'a, B> {
        let mut iter = Iter { loader, indices: loader.batches(), ahead: None, failure: None };
        let workers = match loader.take_kept() {
            Some(workers) => workers,
            None => {
                let seed = loader.draw_seed();
                if loader.num_workers == 0 {
                    return iter;
                }
                match Workers::start(loader.num_workers, seed, &loader.job) {
                    Ok(workers) => workers,
                    Err(e) => {
                        iter.failure = Some(e);
                        return iter;
                    }
                }
            }
        };
        let (workers, epoch) = iter.ahead.insert((workers, Epoch::default()));
        for _ in 0..loader.num_workers * loader.prefetch.unwrap_or(2) {
            epoch.ask(workers, &mut iter.indices);
        }
        iter
    }

    /// The epoch is over or given up: persistent workers wait in the loader, others end.
    fn finish(&mut self) {
        if let Some((workers, epoch)) = self.ahead.take()
            && self.loader.persistent_workers
            && epoch.clear(&workers)
        {
            self.loader.keep(workers);
        }
    }
}

impl<B: Send + 'static> Iterator for Iter<'_, B> {
    type Item = Result<B, Error>;
    fn next(&mut self) -> Option<Result<B, Error>> {
        if self.loader.num_workers == 0 {
            let indices = self.indices.next()?;
            return Some((self.loader.job)(&indices));
        }
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        let (workers, epoch) = self.ahead.as_mut()?;
        let batch = epoch.receive(workers);
        match &batch {
            Some(_) => epoch.ask(workers, &mut self.indices),
            None => self.finish(),
        }
        batch
    }
}

impl<B: Send + 'static> Drop for Iter<'_, B> {
    fn drop(&mut self) {
        self.finish();
    }
}
