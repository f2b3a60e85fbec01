//! Rows for training and rows for the test.

use crate::sampler::permutation;
use cresset_tensor::Generator;
use cresset_tensor::error::fail;

#[track_caller]
fn test_size(n: usize, test: f64) -> usize {
    if !(0.0..=1.0).contains(&test) {
        fail("train_test_split", format!("the fraction for the test should be between 0 and 1, but got {test}"));
    }
    ((n as f64 * test).ceil() as usize).min(n)
}

/// The indices of 0 to n - 1 for training and for the test, in random order. `test` is the fraction for the test, rounded up. The seed is of a
/// generator of its own: the default one is not touched.
///
/// ```
/// let (train, test) = cresset_data::train_test_split(10, 0.25, 0);
/// assert_eq!((train.len(), test.len()), (7, 3));
/// ```
///
/// # Panics
/// If the fraction is not between 0 and 1.
#[track_caller]
pub fn train_test_split(n: usize, test: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let size = test_size(n, test);
    let mut train = permutation(n, Some(&Generator::with_seed(seed)));
    let test = train.split_off(n - size);
    (train, test)
}

/// The same with every class in the same proportion: of a class with `m` rows about `m * test` go to the test, the fractions that are left
/// going to the classes that miss most.
///
/// ```
/// let labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let (_, test) = cresset_data::stratified_split(&labels, 0.5, 0);
/// assert_eq!(test.iter().filter(|&&i| labels[i] == 1).count(), 3);
/// ```
///
/// # Panics
/// If the fraction is not between 0 and 1.
#[track_caller]
pub fn stratified_split(labels: &[i64], test: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let n = labels.len();
    let size = test_size(n, test);
    let mut classes: Vec<i64> = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let class_of = |i: usize| classes.binary_search(&labels[i]).unwrap_or(0);
    let mut counts = vec![0usize; classes.len()];
    (0..n).for_each(|i| counts[class_of(i)] += 1);
    // The largest remainders get one more, until the test has its size; of equal ones the first class.
    let share = |c: usize| counts[c] as f64 * size as f64 / n as f64;
    let mut wanted: Vec<usize> = (0..classes.len()).map(|c| share(c).floor() as usize).collect();
    let mut by_rest: Vec<usize> = (0..classes.len()).collect();
    by_rest.sort_by(|&a, &b| share(b).fract().total_cmp(&share(a).fract()));
    let missing = size - wanted.iter().sum::<usize>();
    by_rest.iter().take(missing).for_each(|&c| wanted[c] += 1);

    let (mut train, mut chosen) = (Vec::with_capacity(n - size), Vec::with_capacity(size));
    for i in permutation(n, Some(&Generator::with_seed(seed))) {
        let c = class_of(i);
        if wanted[c] > 0 {
            wanted[c] -= 1;
            chosen.push(i);
        } else {
            train.push(i);
        }
    }
    (train, chosen)
}
