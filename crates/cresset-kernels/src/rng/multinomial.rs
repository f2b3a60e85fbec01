//! Draws of indices by weight.

use super::generator::GeneratorState;
use super::number::Float;
use super::topk::topk_descending;
use std::any::TypeId;

impl GeneratorState {
    /// Draws `samples` indices for each row of `weights`: PyTorch's `multinomial`. `weights` has rows of `columns`
    /// numbers, row-major; `out` has rows of `samples`.
    ///
    /// With replacement and more than one sample: two words a sample, by the row's running sum. Otherwise two words a weight,
    /// whatever `replacement` says: the largest of weight over exponential.
    pub fn multinomial<T: Float>(
        &mut self,
        weights: &[T],
        columns: usize,
        samples: usize,
        replacement: bool,
        out: &mut [i64],
    ) {
        if columns == 0 || samples == 0 {
            return;
        }
        if replacement && samples > 1 {
            for (row, out) in weights.chunks_exact(columns).zip(out.chunks_exact_mut(samples)) {
                self.with_replacement(row, out);
            }
        } else {
            let mut exponentials = vec![T::ZERO; weights.len()];
            self.exponential(&mut exponentials, 1.0);
            multinomial_from_exponentials(weights, &exponentials, columns, samples, out);
        }
    }

    fn with_replacement<T: Float>(&mut self, row: &[T], out: &mut [i64]) {
        let mut sums: Vec<f64> = if TypeId::of::<T>() == TypeId::of::<f64>() {
            let mut total = 0f64;
            let sums: Vec<f64> = row
                .iter()
                .map(|w| {
                    total += w.to_f64();
                    total
                })
                .collect();
            sums.into_iter().map(|sum| sum / total).collect()
        } else {
            let mut total = 0f32;
            let sums: Vec<f32> = row
                .iter()
                .map(|w| {
                    total += w.to_f32();
                    total
                })
                .collect();
            sums.into_iter().map(|sum| f64::from(sum / total)).collect()
        };
        if let Some(last) = sums.last_mut() {
            *last = 1.0;
        }
        for index in out {
            let u = self.u53();
            *index = sums.partition_point(|&sum| sum < u) as i64;
        }
    }
}

/// The part of [`GeneratorState::multinomial`] without replacement that follows the drawing, for who draws the exponentials in
/// another order than row-major: per row the `samples` largest of `weights / exponentials`, in descending order.
pub fn multinomial_from_exponentials<T: Float>(
    weights: &[T],
    exponentials: &[T],
    columns: usize,
    samples: usize,
    out: &mut [i64],
) {
    let wide = TypeId::of::<T>() == TypeId::of::<f64>();
    let mut scores = vec![0f64; columns];
    let rows = weights.chunks_exact(columns).zip(exponentials.chunks_exact(columns));
    for ((weights, exponentials), out) in rows.zip(out.chunks_exact_mut(samples)) {
        for ((score, w), q) in scores.iter_mut().zip(weights).zip(exponentials) {
            *score = if wide { w.to_f64() / q.to_f64() } else { T::from_f32(w.to_f32() / q.to_f32()).to_f64() };
        }
        if samples == 1 {
            out[0] = largest(&scores) as i64;
        } else {
            for (index, top) in out.iter_mut().zip(topk_descending(&scores, samples)) {
                *index = top as i64;
            }
        }
    }
}

/// Index of the first of the largest; a NaN is larger than any number.
fn largest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (i, score) in scores.iter().enumerate() {
        if scores[best].is_nan() {
            break;
        }
        if score.is_nan() || *score > scores[best] {
            best = i;
        }
    }
    best
}
