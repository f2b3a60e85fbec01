//! Counting values into bins, by numpy's rule.

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
    /// Counts the finite `values` into `bins` equal bins over [min, max]; with `single` in single precision, for values that are `f32`.
    ///
    /// Every bin holds its left edge and not its right one, but for the last, which holds both. Values that are all equal get the range
    /// [v − 0.5, v + 0.5]; no values at all get [0, 1]. Equals `numpy.histogram(values[np.isfinite(values)], bins)`, which computes in the dtype
    /// of the values, so that a value on the border of two bins falls where numpy puts it.
    ///
    /// # Panics
    /// If `bins` is 0.
    #[track_caller]
    pub fn count(values: &[f64], bins: usize, single: bool) -> Histogram {
        if bins == 0 {
            fail("histogram", "`bins` must be positive, got 0");
        }
        // Rounding each f64 result of f32 operands to f32 gives what f32 arithmetic gives.
        let round = |v: f64| if single { f64::from(v as f32) } else { v };
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let (mut lo, mut hi) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if lo > hi {
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
        for v in finite() {
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

    /// Counts divided by (number of values × bin width): the bars' area sums to 1 (`density=True`).
    pub fn density(&self) -> Vec<f64> {
        let total: u64 = self.counts.iter().sum();
        let heights = self.counts.iter().zip(self.edges.windows(2));
        heights.map(|(&c, e)| if total == 0 { 0.0 } else { c as f64 / (e[1] - e[0]) / total as f64 }).collect()
    }
}
