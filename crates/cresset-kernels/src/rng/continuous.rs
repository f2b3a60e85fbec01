//! Distributions by the inverse of their function, one f64 uniform (two words) an element.

use super::generator::GeneratorState;
use super::number::{Float, Number};
use super::uniform::u53;

impl GeneratorState {
    /// `value(u)` for a uniform u of 53 bits for every element.
    fn by_inverse<T: Number>(&mut self, out: &mut [T], mut value: impl FnMut(f64) -> f64) {
        self.engine.pairs(out.len(), |at, words| {
            for (x, pair) in out[at..].iter_mut().zip(words.chunks_exact(2)) {
                *x = T::from_f64(value(u53(pair[0], pair[1])));
            }
        });
    }

    /// Fills with exponential numbers of rate `lambda`: PyTorch's `exponential_(lambda)`, `-log1p(-u) / lambda`.
    pub fn exponential<T: Float>(&mut self, out: &mut [T], lambda: f64) {
        let scale = -1.0 / lambda;
        self.by_inverse(out, |u| scale * (-u).ln_1p());
    }

    /// Fills with Cauchy numbers: PyTorch's `cauchy_(median, sigma)`, `median + sigma * tan(π (u - 1/2))`.
    pub fn cauchy<T: Float>(&mut self, out: &mut [T], median: f64, sigma: f64) {
        self.by_inverse(out, |u| sigma.mul_add((std::f64::consts::PI * (u - 0.5)).tan(), median));
    }

    /// Fills with the number of trials up to the first success: PyTorch's `geometric_(p)`, `ceil(log u / log1p(-p))`.
    pub fn geometric<T: Number>(&mut self, out: &mut [T], p: f64) {
        let log_failure = (-p).ln_1p();
        self.by_inverse(out, |u| (u.ln() / log_failure).ceil());
    }

    /// The slopes of `rrelu` in training: for an element of `x` that is zero or less a uniform number in \[lower, upper)
    /// (two words), for any other one, which draws nothing. `x` comes in row-major order; the layer's result is `x * slope`.
    pub fn rrelu_slopes<T: Float>(&mut self, x: &[T], lower: f64, upper: f64, slopes: &mut [T]) {
        let (lower, upper) = (T::from_f64(lower).to_f64(), T::from_f64(upper).to_f64());
        for (slope, x) in slopes.iter_mut().zip(x) {
            *slope = if x.to_f64() <= 0.0 { T::from_f64(self.u53() * (upper - lower) + lower) } else { T::ONE };
        }
    }
}
