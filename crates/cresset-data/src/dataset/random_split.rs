//! A data set divided at random.

use super::{Dataset, Subset};
use cresset_tensor::Generator;
use cresset_tensor::error::fail;
use std::sync::Arc;

/// How large the parts of [`random_split`] are: numbers of samples (`[50_000, 10_000]`) or fractions that sum up to 1 (`[0.8, 0.2]`).
pub trait SplitLengths {
    /// The numbers of samples for a data set of `n`.
    ///
    /// # Panics
    /// If they do not sum up to `n`, or the fractions not to 1.
    fn lengths(&self, n: usize) -> Vec<usize>;
}

const WRONG_SUM: &str = "Sum of input lengths does not equal the length of the input dataset!";

impl SplitLengths for [usize] {
    #[track_caller]
    fn lengths(&self, n: usize) -> Vec<usize> {
        if self.iter().try_fold(0usize, |sum, &l| sum.checked_add(l)) != Some(n) {
            fail("random_split", format!("{WRONG_SUM} The lengths are {self:?}, the dataset has {n} samples"));
        }
        self.to_vec()
    }
}
impl SplitLengths for [f64] {
    #[track_caller]
    fn lengths(&self, n: usize) -> Vec<usize> {
        if let Some(i) = self.iter().position(|f| !(0.0..=1.0).contains(f)) {
            fail("random_split", format!("Fraction at index {i} is not between 0 and 1"));
        }
        let sum = compensated_sum(self);
        if !((sum - 1.0).abs() <= 1e-9 && sum <= 1.0) {
            fail("random_split", format!("{WRONG_SUM} The fractions {self:?} sum up to {sum}, not to 1"));
        }
        let mut lengths: Vec<usize> = self.iter().map(|f| (n as f64 * f).floor() as usize).collect();
        let rest = n - lengths.iter().sum::<usize>();
        let parts = lengths.len();
        for i in 0..rest {
            lengths[i % parts] += 1;
        }
        lengths
    }
}
macro_rules! lists {
    ($($t:ty)*) => {$(
        impl<const N: usize> SplitLengths for [$t; N] {
            #[track_caller]
            fn lengths(&self, n: usize) -> Vec<usize> {
                self.as_slice().lengths(n)
            }
        }
        impl SplitLengths for Vec<$t> {
            #[track_caller]
            fn lengths(&self, n: usize) -> Vec<usize> {
                self.as_slice().lengths(n)
            }
        }
    )*};
}
lists!(usize f64);
impl<L: SplitLengths + ?Sized> SplitLengths for &L {
    #[track_caller]
    fn lengths(&self, n: usize) -> Vec<usize> {
        (**self).lengths(n)
    }
}

/// The sum with its rounding errors added at the end (Neumaier 1974), so that 0.1 + 0.7 + 0.2 is 1.
fn compensated_sum(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for &x in numbers {
        let next = sum + x;
        lost += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    sum + lost
}

/// Divides a data set at random into parts of the given lengths or fractions (`torch.utils.data.random_split`).
///
/// Of fractions, each part first gets `floor(n * fraction)` samples; what is left goes one by one to the parts from the first on. One
/// permutation is drawn from `generator`, or from the default generator, and its consecutive pieces are the parts.
///
/// ```
/// use cresset_data::{Dataset, ListDataset, random_split};
/// use cresset_tensor::Generator;
/// let parts = random_split(ListDataset(vec!['a'; 23]), [0.5, 0.3, 0.2], Some(&Generator::with_seed(1)));
/// assert_eq!([parts[0].len(), parts[1].len(), parts[2].len()], [12, 7, 4]);
/// ```
///
/// # Panics
/// If the lengths do not sum up to the number of samples, or the fractions to 1.
#[track_caller]
pub fn random_split<D: Dataset>(
    dataset: D,
    lengths: impl SplitLengths,
    generator: Option<&Generator>,
) -> Vec<Subset<Arc<D>>> {
    let lengths = lengths.lengths(dataset.len());
    let dataset = Arc::new(dataset);
    let order = crate::sampler::permutation(dataset.len(), generator);
    let mut rest = order.as_slice();
    lengths
        .into_iter()
        .map(|n| {
            let (part, after) = rest.split_at(n);
            rest = after;
            Subset::new(dataset.clone(), part.to_vec())
        })
        .collect()
}
