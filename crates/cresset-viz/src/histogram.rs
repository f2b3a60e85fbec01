//! Counting values into bins, by numpy's rule.

use crate::Series;
use cresset_tensor::error::fail;

/// Counts of values in equal bins, as `numpy.histogram` gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// How many values fell into each bin.
    pub counts: Vec<u64>,
    /// The borders of the bins, one more than there are bins.
    pub edges: Vec<f64>,
}

impl Histogram {
    /// Counts divided by (number of values × bin width): the bars' area sums to 1 (`density=True`).
    pub fn density(&self) -> Vec<f64> {
        let total: u64 = self.counts.iter().sum();
        let heights = self.counts.iter().zip(self.edges.windows(2));
        heights.map(|(&c, e)| if total == 0 { 0.0 } else { c as f64 / (e[1] - e[0]) / total as f64 }).collect()
    }
}

/// Counts the finite `values` into `bins` equal bins over [min, max].
///
/// Every bin holds its left edge and not its right one, but for the last, which holds both. Values that are all equal get the
/// range [v − 0.5, v + 0.5]; no values at all get [0, 1]. Values of single precision are binned in single precision. Equals `numpy.histogram(values[np.isfinite(values)], bins)`.
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
    if bins == 0 {
        fail("histogram", "`bins` must be positive, got 0");
    }
    // Rounding each f64 result of f32 operands to f32 gives what f32 arithmetic gives.
    let single = values.is_single();
    let round = |v: f64| if single { f64::from(v as f32) } else { v };
    let values: Vec<f64> = values.to_f64().into_iter().filter(|v| v.is_finite()).collect();
    let (mut lo, mut hi) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    if values.is_empty() {
        (lo, hi) = (0.0, 1.0);
    } else if lo == hi {
        (lo, hi) = (round(lo - 0.5), round(hi + 0.5));
    }
    // As numpy.linspace: i * step + lo, with the last edge set to hi.
    let span = round(hi - lo);
    let step = round(span / bins as f64);
    let mut edges: Vec<f64> = (0..=bins).map(|i| round(round(i as f64 * step) + lo)).collect();
    edges[bins] = hi;
    let mut counts = vec![0; bins];
    for v in values {
        let place = round(round(round(v - lo) / span) * bins as f64);
        let mut bin = (place as usize).min(bins - 1);
        // The division rounds; the edges have the last word.
        if v < edges[bin] {
            bin = bin.saturating_sub(1);
        }
        if bin + 1 < bins && v >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += 1;
    }
    Histogram { counts, edges }
}
