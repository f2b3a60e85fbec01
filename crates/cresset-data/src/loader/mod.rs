//! The data loader: batches of a data set, in order or shuffled, made here or by worker threads.

mod iter;
mod workers;

pub use iter::Iter;

use crate::collate::Collate;
use crate::dataset::{Dataset, samples};
use crate::error::Error;
use crate::sampler::{Indices, RandomSampler, Sampler, batches, check_batch_size};
use cresset_tensor::error::fail;
use cresset_tensor::{Generator, attempt};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use workers::Workers;

/// Makes the batch of some indices; catches panics, and says which sample failed.
type Job<B> = Arc<dyn Fn(&[usize]) -> Result<B, Error> + Send + Sync>;

/// Batches of a data set (`torch.utils.data.DataLoader`).
///
/// The type is that of a batch: `DataLoader<(Tensor, Tensor)>` for pairs of tensors. Iterate over `&loader`: each loop is an epoch. A batch
/// is a `Result`, for samples may come from files.
///
/// ```
/// use cresset_data::{DataLoader, TensorDataset};
/// use cresset_tensor::{Tensor, manual_seed};
/// manual_seed(0);
/// let x = Tensor::rand([10, 4]);
/// let y = Tensor::randint(0, 3, [10]);
/// let loader = DataLoader::new(TensorDataset::new((x, y)), 3).shuffle(true);
/// assert_eq!(loader.len(), 4);
/// for batch in &loader {
///     let (x, y) = batch?;
///     assert_eq!(x.shape()[0], y.shape()[0]);
/// }
/// # Ok::<(), cresset_data::Error>(())
/// ```
///
/// With the same seed the batches are PyTorch's: an epoch draws one seed for its workers, then (when the first batch is asked for, or at
/// once if workers prefetch) one for the order. Worker `k` has a default generator of its own, seeded with the epoch's seed plus `k`, and makes
/// batches `k`, `k + num_workers`, ...: batches and random augmentations come in the same order however the threads run.
///
/// A sample that fails or panics gives an `Err` with its index; the loop may go on or end. Dropping the iterator stops the workers.
pub struct DataLoader<B> {
    job: Job<B>,
    samples: Arc<dyn Fn() -> usize + Send + Sync>,
    batch_size: usize,
    shuffle: bool,
    drop_last: bool,
    sampler: Option<Box<dyn Sampler>>,
    batch_sampler: Option<Box<dyn Sampler<Vec<usize>>>>,
    num_workers: usize,
    prefetch: Option<usize>,
    generator: Option<Generator>,
    persistent_workers: bool,
    /// Persistent workers between two epochs.
    kept: Mutex<Option<Workers<B>>>,
}

impl<B: Send + 'static> DataLoader<B> {
    /// Batches of `batch_size` samples in order, each put together as [`Collate`] says. The loader owns the data set: give it an `Arc` to
    /// keep a hand on it.
    ///
    /// # Panics
    /// If `batch_size` is 0.
    #[track_caller]
    pub fn new<D>(dataset: D, batch_size: usize) -> DataLoader<B>
    where
        D: Dataset + 'static,
        D::Item: Collate<Batch = B>,
    {
        let dataset = Arc::new(dataset);
        let source = dataset.clone();
        let job = move |indices: &[usize]| guarded(indices, || dataset.get_batch(indices));
        DataLoader::over(source, batch_size, Arc::new(job))
    }
    /// The same with a function of one's own that makes a batch of a list of samples (`DataLoader(..., collate_fn=collate)`).
    ///
    /// ```
    /// use cresset_data::{DataLoader, ListDataset};
    /// let letters = ListDataset(vec!["a", "bc", "d"]);
    /// let loader = DataLoader::with_collate(letters, 2, |samples| Ok(samples.concat()));
    /// let batches: Result<Vec<String>, _> = loader.iter().collect();
    /// assert_eq!(batches.unwrap(), ["abc", "d"]);
    /// ```
    ///
    /// # Panics
    /// If `batch_size` is 0.
    #[track_caller]
    pub fn with_collate<D, F>(dataset: D, batch_size: usize, collate: F) -> DataLoader<B>
    where
        D: Dataset + 'static,
        F: Fn(Vec<D::Item>) -> Result<B, Error> + Send + Sync + 'static,
    {
        let dataset = Arc::new(dataset);
        let source = dataset.clone();
        let job = move |indices: &[usize]| guarded(indices, || collate(samples(&*dataset, indices)?));
        DataLoader::over(source, batch_size, Arc::new(job))
    }
    #[track_caller]
    fn over<D: Dataset + 'static>(dataset: Arc<D>, batch_size: usize, job: Job<B>) -> DataLoader<B> {
        check_batch_size("DataLoader", batch_size);
        DataLoader {
            job,
            samples: Arc::new(move || dataset.len()),
            batch_size,
            shuffle: false,
            drop_last: false,
            sampler: None,
            batch_sampler: None,
            num_workers: 0,
            prefetch: None,
            generator: None,
            persistent_workers: false,
            kept: Mutex::new(None),
        }
    }

    /// Whether the samples come in a new random order in each epoch (default false).
    ///
    /// # Panics
    /// If there is a sampler, or the data set is empty.
    #[track_caller]
    pub fn shuffle(mut self, shuffle: bool) -> DataLoader<B> {
        self.shuffle = shuffle;
        if shuffle {
            drop(RandomSampler::new((self.samples)()));
        }
        self.check()
    }
    /// Whether a last batch of fewer than `batch_size` samples is left out (default false).
    ///
    /// # Panics
    /// If there is a batch sampler.
    #[track_caller]
    pub fn drop_last(mut self, drop_last: bool) -> DataLoader<B> {
        self.drop_last = drop_last;
        self.check()
    }
    /// The order of the samples.
    ///
    /// # Panics
    /// If the loader shuffles, or has a batch sampler.
    #[track_caller]
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> DataLoader<B> {
        self.sampler = Some(Box::new(sampler));
        self.check()
    }
    /// The batches, index by index, instead of `batch_size`, which must be 1.
    ///
    /// # Panics
    /// If the loader has another batch size than 1, shuffles, drops the last batch or has a sampler.
    #[track_caller]
    pub fn batch_sampler(mut self, batch_sampler: impl Sampler<Vec<usize>> + 'static) -> DataLoader<B> {
        self.batch_sampler = Some(Box::new(batch_sampler));
        self.check()
    }
    /// How many threads make batches ahead; 0 (default): they are made when asked for, on the thread that asks.
    pub fn num_workers(mut self, num_workers: usize) -> DataLoader<B> {
        self.num_workers = num_workers;
        self
    }
    /// How many batches each worker makes ahead (`prefetch_factor`, default 2).
    ///
    /// # Panics
    /// If it is 0; when an epoch begins, if there are no workers.
    #[track_caller]
    pub fn prefetch(mut self, batches: usize) -> DataLoader<B> {
        if batches == 0 {
            fail("DataLoader", "prefetch_factor option should be positive");
        }
        self.prefetch = Some(batches);
        self
    }
    /// Where the seeds of epochs and the order come from, instead of the default generator.
    pub fn generator(mut self, generator: Generator) -> DataLoader<B> {
        self.generator = Some(generator);
        self
    }
    /// Whether the workers wait for the next epoch instead of ending, and their random streams go on (default false). Then only the first epoch
    /// draws a seed for them.
    ///
    /// # Panics
    /// When an epoch begins, if there are no workers.
    pub fn persistent_workers(mut self, persistent_workers: bool) -> DataLoader<B> {
        self.persistent_workers = persistent_workers;
        self
    }

    #[track_caller]
    fn check(self) -> DataLoader<B> {
        if self.batch_sampler.is_some()
            && (self.batch_size != 1 || self.shuffle || self.sampler.is_some() || self.drop_last)
        {
            fail(
                "DataLoader",
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
            );
        }
        if self.sampler.is_some() && self.shuffle {
            fail("DataLoader", "sampler option is mutually exclusive with shuffle");
        }
        self
    }

    /// An epoch.
    ///
    /// # Panics
    /// If options for workers are given, but no workers.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, B> {
        if self.num_workers == 0 && self.prefetch.is_some() {
            fail(
                "DataLoader",
                "prefetch_factor option could only be specified in multiprocessing. let num_workers > 0 to enable multiprocessing.",
            );
        }
        if self.num_workers == 0 && self.persistent_workers {
            fail("DataLoader", "persistent_workers option needs num_workers > 0");
        }
        Iter::new(self)
    }

    /// The number of batches of an epoch (`len(loader)`).
    pub fn len(&self) -> usize {
        match (&self.batch_sampler, &self.sampler) {
            (Some(s), _) => s.len(),
            (None, Some(s)) => batches(s.len(), self.batch_size, self.drop_last),
            (None, None) => batches(self.samples(), self.batch_size, self.drop_last),
        }
    }
    /// No batches?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The number of samples of the data set (`len(loader.dataset)`).
    pub fn samples(&self) -> usize {
        (self.samples)()
    }
    /// The largest size of a batch (`loader.batch_size`).
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The batches of indices of an epoch.
    fn batches(&self) -> Indices<'_, Vec<usize>> {
        use crate::sampler::Batches;
        let (size, drop_last) = (self.batch_size, self.drop_last);
        if let Some(s) = &self.batch_sampler {
            s.iter()
        } else if let Some(s) = &self.sampler {
            Box::new(Batches::new(|| s.iter(), size, drop_last))
        } else if self.shuffle {
            let mut sampler = RandomSampler::new(self.samples());
            if let Some(g) = &self.generator {
                sampler = sampler.generator(g.clone());
            }
            Box::new(Batches::new(move || sampler.epoch(), size, drop_last))
        } else {
            let n = self.samples();
            Box::new(Batches::new(move || 0..n, size, drop_last))
        }
    }
    /// The seed of an epoch's workers. It is drawn even if there are none.
    fn draw_seed(&self) -> u64 {
        self.generator.clone().unwrap_or_else(Generator::default_generator).lock().draw_seed()
    }
    fn take_kept(&self) -> Option<Workers<B>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
    fn keep(&self, workers: Workers<B>) {
        let before = self.kept.lock().unwrap_or_else(PoisonError::into_inner).replace(workers);
        drop(before);
    }
}

/// Makes a batch; a panic becomes an error, and an error that names no sample says which batch it was.
fn guarded<B>(indices: &[usize], make: impl FnOnce() -> Result<B, Error>) -> Result<B, Error> {
    let result = match attempt(make) {
        Ok(result) => result,
        Err(panic) => Err(panic.into()),
    };
    result.map_err(|e| {
        if e.sample().is_some() {
            return e;
        }
        let mut names: Vec<String> = indices.iter().take(8).map(usize::to_string).collect();
        if indices.len() > 8 {
            names.push("...".into());
        }
        Error::new(format!("batch of {} samples ({}): {}", indices.len(), names.join(", "), e.message()))
    })
}

impl<'a, B: Send + 'static> IntoIterator for &'a DataLoader<B> {
    type Item = Result<B, Error>;
    type IntoIter = Iter<'a, B>;
    #[track_caller]
    fn into_iter(self) -> Iter<'a, B> {
        self.iter()
    }
}

impl<B: Send + 'static> fmt::Debug for DataLoader<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("DataLoader")
            .field("samples", &self.samples())
            .field("batch_size", &self.batch_size)
            .field("shuffle", &self.shuffle)
            .field("drop_last", &self.drop_last)
            .field("num_workers", &self.num_workers)
            .finish_non_exhaustive()
    }
}
