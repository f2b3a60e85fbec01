//! Samplers: in which order samples are taken. The random ones draw what PyTorch's draw, number for number.

mod batch;
mod distributed;
mod random;
mod weighted;

pub use batch::BatchSampler;
pub(crate) use batch::{Batches, batches, check_batch_size};
pub use distributed::DistributedSampler;
pub use random::{RandomSampler, SubsetRandomSampler};
pub use weighted::WeightedRandomSampler;

use cresset_tensor::Generator;

/// The indices of an epoch, one by one.
pub type Indices<'a, T = usize> = Box<dyn Iterator<Item = T> + Send + 'a>;

/// In which order samples are taken (`torch.utils.data.Sampler`). A sampler of `Vec<usize>` gives whole batches of indices.
///
/// ```
/// use cresset_data::{DataLoader, Indices, ListDataset, Sampler};
/// struct Backwards(usize);
/// impl Sampler for Backwards {
///     fn iter(&self) -> Indices<'_> {
///         Box::new((0..self.0).rev())
///     }
///     fn len(&self) -> usize {
///         self.0
///     }
/// }
/// let loader = DataLoader::new(ListDataset(vec![10i64, 20, 30]), 2).sampler(Backwards(3));
/// let batches: Vec<Vec<i64>> = loader.iter().map(|b| b.unwrap().to_vec()).collect();
/// assert_eq!(batches, [vec![30, 20], vec![10]]);
/// ```
pub trait Sampler<T = usize>: Send + Sync {
    /// An epoch's indices. Random numbers should be drawn when the first index is asked for, as PyTorch's samplers do.
    fn iter(&self) -> Indices<'_, T>;
    /// How many indices an epoch has.
    fn len(&self) -> usize;
    /// None at all?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! by_reference {
    ($($t:ty)*) => {$(
        impl<T, S: Sampler<T> + ?Sized> Sampler<T> for $t {
            fn iter(&self) -> Indices<'_, T> {
                (**self).iter()
            }
            fn len(&self) -> usize {
                (**self).len()
            }
        }
    )*};
}
by_reference!(&S Box<S> std::sync::Arc<S>);

/// One after the other (`torch.utils.data.SequentialSampler`).
#[derive(Clone, Debug)]
pub struct SequentialSampler(usize);

impl SequentialSampler {
    /// The indices 0 to `n - 1`, where `n` is the number of samples.
    pub fn new(n: usize) -> SequentialSampler {
        SequentialSampler(n)
    }
}
impl Sampler for SequentialSampler {
    fn iter(&self) -> Indices<'_> {
        Box::new(0..self.0)
    }
    fn len(&self) -> usize {
        self.0
    }
}

/// A permutation of 0 to n - 1 from a generator or the default one (`torch.randperm(n, generator=generator)`).
pub(crate) fn permutation(n: usize, generator: Option<&Generator>) -> Vec<usize> {
    let mut order = vec![0i64; n];
    let generator = generator.cloned().unwrap_or_else(Generator::default_generator);
    generator.lock().randperm(&mut order);
    order.into_iter().map(|i| i as usize).collect()
}
