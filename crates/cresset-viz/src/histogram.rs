//! Counting what is to be drawn into bins.

use crate::Series;
pub use cresset_nn::stats::Histogram;

/// Counts the finite `values` into `bins` equal bins over [min, max], as `numpy.histogram` does; see [`Histogram::count`] for the rule.
///
/// Values of single precision are binned in single precision.
///
/// # Panics
/// If `bins` is 0.
///
/// ```
/// let h = cresset_viz::histogram(&[0.0, 1.0, 1.0, 2.0, 4.0], 4);
/// assert_eq!(h.counts, [1, 2, 1, 1]);
/// assert_eq!(h.edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
/// ```
#[track_caller]
pub fn histogram<S: Series + ?Sized>(values: &S, bins: usize) -> Histogram {
    Histogram::count(&values.to_f64(), bins, values.is_single())
}
