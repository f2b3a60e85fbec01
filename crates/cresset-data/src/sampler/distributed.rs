//! The share of one of several processes.

use super::{Indices, Sampler, permutation};
use cresset_tensor::Generator;
use cresset_tensor::error::fail;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every `replicas`-th index of a common random order: the share of process `rank` (`torch.utils.data.distributed.DistributedSampler`).
///
/// All shares have the same length: indices are repeated from the start to fill the last ones, or left out with `drop_last`. Call
/// [`set_epoch`](DistributedSampler::set_epoch) before each epoch, or all epochs have the same order.
#[derive(Debug)]
pub struct DistributedSampler {
    n: usize,
    replicas: usize,
    rank: usize,
    shuffle: bool,
    seed: u64,
    drop_last: bool,
    epoch: AtomicU64,
}

impl DistributedSampler {
    /// The share of process `rank` of `replicas` in `n` samples.
    ///
    /// # Panics
    /// If `rank` is not below `replicas`.
    #[track_caller]
    pub fn new(n: usize, replicas: usize, rank: usize) -> DistributedSampler {
        if rank >= replicas {
            fail(
                "DistributedSampler",
                format!("Invalid rank {rank}, rank should be in the interval [0, {}]", replicas as i64 - 1),
            );
        }
        DistributedSampler { n, replicas, rank, shuffle: true, seed: 0, drop_last: false, epoch: AtomicU64::new(0) }
    }
    /// Whether the order is random (default true).
    pub fn shuffle(mut self, shuffle: bool) -> DistributedSampler {
        self.shuffle = shuffle;
        self
    }
    /// The seed of the order, the same in all processes (default 0); the epoch is added to it.
    pub fn seed(mut self, seed: u64) -> DistributedSampler {
        self.seed = seed;
        self
    }
    /// Leaves out the last indices instead of repeating the first ones (default false).
    pub fn drop_last(mut self, drop_last: bool) -> DistributedSampler {
        self.drop_last = drop_last;
        self
    }
    /// Says which epoch comes (`sampler.set_epoch(epoch)`).
    pub fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }
}

impl Sampler for DistributedSampler {
    fn iter(&self) -> Indices<'_> {
        let seed = self.seed.wrapping_add(self.epoch.load(Ordering::Relaxed));
        let order =
            if self.shuffle { permutation(self.n, Some(&Generator::with_seed(seed))) } else { (0..self.n).collect() };
        // Cycling repeats from the start; taking fewer than there are leaves the last ones out.
        let total = self.len() * self.replicas;
        Box::new((self.rank..total).step_by(self.replicas).map(move |i| order[i % order.len()]))
    }
    fn len(&self) -> usize {
        if self.drop_last { self.n / self.replicas } else { self.n.div_ceil(self.replicas) }
    }
}
