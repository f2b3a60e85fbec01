//! Samples drawn by weight.

use super::random::{check_num_samples, lazy};
use super::{Indices, Sampler};
use cresset_tensor::{Generator, Tensor};

/// Indices drawn with probabilities in proportion to weights (`torch.utils.data.WeightedRandomSampler`): against classes of unequal size.
///
/// ```
/// use cresset_data::{Sampler, WeightedRandomSampler};
/// let sampler = WeightedRandomSampler::new(vec![0.0, 1.0, 3.0], 100);
/// assert!(sampler.iter().all(|i| i == 1 || i == 2));
/// ```
#[derive(Clone, Debug)]
pub struct WeightedRandomSampler {
    weights: Vec<f64>,
    num_samples: usize,
    replacement: bool,
    generator: Option<Generator>,
}

impl WeightedRandomSampler {
    /// Draws `num_samples` indices with replacement; `weights` has one number for each sample and need not sum up to 1. Weights that cannot be
    /// drawn from are refused when an epoch begins, as by `multinomial`.
    ///
    /// # Panics
    /// If `num_samples` is 0.
    #[track_caller]
    pub fn new(weights: Vec<f64>, num_samples: usize) -> WeightedRandomSampler {
        check_num_samples("WeightedRandomSampler", num_samples);
        WeightedRandomSampler { weights, num_samples, replacement: true, generator: None }
    }
    /// Whether an index may come several times (default true).
    pub fn replacement(mut self, replacement: bool) -> WeightedRandomSampler {
        self.replacement = replacement;
        self
    }
    /// Where the numbers come from, instead of the default generator.
    pub fn generator(mut self, generator: Generator) -> WeightedRandomSampler {
        self.generator = Some(generator);
        self
    }
}

impl Sampler for WeightedRandomSampler {
    fn iter(&self) -> Indices<'_> {
        lazy(|| {
            let weights = Tensor::from_slice(&self.weights);
            let drawn = weights.multinomial_from(self.num_samples, self.replacement, self.generator.as_ref());
            drawn.to_vec::<i64>().into_iter().map(|i| i as usize)
        })
    }
    fn len(&self) -> usize {
        self.num_samples
    }
}
