//! Random orders.

use super::{Indices, Sampler, permutation};
use cresset_tensor::Generator;
use cresset_tensor::error::fail;

/// All samples in random order, or random ones with replacement (`torch.utils.data.RandomSampler`).
///
/// Without a generator of its own an epoch draws one seed from the default generator. With one, every completed epoch without
/// replacement takes one permutation more than it shows, as in PyTorch.
///
/// ```
/// use cresset_data::{RandomSampler, Sampler};
/// use cresset_tensor::Generator;
/// let sampler = RandomSampler::new(5).generator(Generator::with_seed(0));
/// let mut order: Vec<usize> = sampler.iter().collect();
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
#[derive(Clone, Debug)]
pub struct RandomSampler {
    n: usize,
    replacement: bool,
    num_samples: Option<usize>,
    generator: Option<Generator>,
}

impl RandomSampler {
    /// A random order of `n` samples.
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn new(n: usize) -> RandomSampler {
        check_num_samples("RandomSampler", n);
        RandomSampler { n, replacement: false, num_samples: None, generator: None }
    }
    /// Whether a sample may come again before all others came (default false).
    pub fn replacement(mut self, replacement: bool) -> RandomSampler {
        self.replacement = replacement;
        self
    }
    /// How many to draw in an epoch (default: as many as there are). Without replacement, more than there are begin another permutation.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn num_samples(mut self, num_samples: usize) -> RandomSampler {
        check_num_samples("RandomSampler", num_samples);
        self.num_samples = Some(num_samples);
        self
    }
    /// Where the numbers come from, instead of a new generator with a seed from the default one for each epoch.
    pub fn generator(mut self, generator: Generator) -> RandomSampler {
        self.generator = Some(generator);
        self
    }
    pub(crate) fn epoch(&self) -> RandomEpoch {
        let num = self.len();
        let chunk = if self.replacement { 32 } else { self.n };
        RandomEpoch {
            n: self.n,
            replacement: self.replacement,
            generator: self.generator.clone(),
            full: num / chunk,
            rest: Some(num % chunk),
            drawn: Vec::new(),
            at: 0,
        }
    }
}

#[track_caller]
pub(super) fn check_num_samples(name: &str, num_samples: usize) {
    if num_samples == 0 {
        fail(name, format!("num_samples should be a positive integer value, but got num_samples={num_samples}"));
    }
}

impl Sampler for RandomSampler {
    fn iter(&self) -> Indices<'_> {
        Box::new(self.epoch())
    }
    fn len(&self) -> usize {
        self.num_samples.unwrap_or(self.n)
    }
}

/// An epoch of a [`RandomSampler`]: chunks (a permutation, or 32 numbers with replacement) and the beginning of one more, each drawn when its
/// first index is asked for. The last chunk is drawn even if nothing of it is shown.
pub(crate) struct RandomEpoch {
    n: usize,
    replacement: bool,
    generator: Option<Generator>,
    full: usize,
    rest: Option<usize>,
    drawn: Vec<i64>,
    at: usize,
}

impl Iterator for RandomEpoch {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        while self.at == self.drawn.len() {
            let last = self.full == 0;
            let show = match (last, self.replacement) {
                (true, _) => self.rest.take()?,
                (false, true) => 32,
                (false, false) => self.n,
            };
            self.full = self.full.saturating_sub(1);
            let generator = self.generator.get_or_insert_with(|| {
                let seed = Generator::default_generator().lock().draw_seed();
                Generator::with_seed(seed)
            });
            let mut state = generator.lock();
            self.drawn.clear();
            self.at = 0;
            if self.replacement {
                self.drawn.resize(show, 0);
                state.random_range(&mut self.drawn, 0, Some(self.n as i64));
            } else {
                self.drawn.resize(self.n, 0);
                state.randperm(&mut self.drawn);
                self.drawn.truncate(show);
            }
        }
        self.at += 1;
        Some(self.drawn[self.at - 1] as usize)
    }
}

/// Given indices in random order (`torch.utils.data.SubsetRandomSampler`).
#[derive(Clone, Debug)]
pub struct SubsetRandomSampler {
    indices: Vec<usize>,
    generator: Option<Generator>,
}

impl SubsetRandomSampler {
    /// The indices to shuffle.
    pub fn new(indices: Vec<usize>) -> SubsetRandomSampler {
        SubsetRandomSampler { indices, generator: None }
    }
    /// Where the permutation comes from, instead of the default generator.
    pub fn generator(mut self, generator: Generator) -> SubsetRandomSampler {
        self.generator = Some(generator);
        self
    }
}

impl Sampler for SubsetRandomSampler {
    fn iter(&self) -> Indices<'_> {
        lazy(move || permutation(self.indices.len(), self.generator.as_ref()).into_iter().map(|i| self.indices[i]))
    }
    fn len(&self) -> usize {
        self.indices.len()
    }
}

/// An iterator that is made when its first element is asked for.
pub(super) fn lazy<'a, I: Iterator<Item = usize> + Send + 'a>(make: impl FnOnce() -> I + Send + 'a) -> Indices<'a> {
    let mut make = Some(make);
    let mut made = None;
    Box::new(std::iter::from_fn(move || {
        if let Some(make) = make.take() {
            made = Some(make());
        }
        made.as_mut()?.next()
    }))
}
