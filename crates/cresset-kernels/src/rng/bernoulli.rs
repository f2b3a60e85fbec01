//! Zeros and ones.

use super::generator::GeneratorState;
use super::number::{Float, Number};
use super::uniform::{u24, u53};
use crate::level::{Kernel, Simd, dispatch};
use std::any::TypeId;

impl GeneratorState {
    /// Fills with ones of probability `p`, else zeros: PyTorch's `bernoulli_(p)` with a number. Two words an element,
    /// also for `p` 0 and 1.
    pub fn bernoulli<T: Number>(&mut self, out: &mut [T], p: f64) {
        let chance = Chance::new(p);
        self.engine.pairs(out.len(), |at, words| {
            dispatch(Bernoulli { words, out: &mut out[at..at + words.len() / 2], chance });
        });
    }

    /// Fills with ones of a probability of their own each: PyTorch's `bernoulli_(tensor)` and `torch.bernoulli`. One word an
    /// element, two if the probabilities are f64. `p` is in the order of `out`, and as long.
    pub fn bernoulli_each<T: Number, P: Float>(&mut self, out: &mut [T], p: &[P]) {
        if TypeId::of::<P>() == TypeId::of::<f64>() {
            self.engine.pairs(out.len(), |at, words| {
                for ((x, p), pair) in out[at..].iter_mut().zip(&p[at..]).zip(words.chunks_exact(2)) {
                    *x = if u53(pair[0], pair[1]) < p.to_f64() { T::ONE } else { T::ZERO };
                }
            });
        } else {
            self.engine.words(out.len(), |at, words| {
                for ((x, p), &word) in out[at..].iter_mut().zip(&p[at..]).zip(words) {
                    *x = if u24(word) < p.to_f32() { T::ONE } else { T::ZERO };
                }
            });
        }
    }
}

/// A probability as the number that 53 random bits must stay below, cut into words.
#[derive(Clone, Copy)]
pub(super) struct Chance {
    high: u32,
    low: u32,
}

impl Chance {
    pub(super) fn new(p: f64) -> Self {
        // u < p, where u is an integer over 2^53, says that the integer is below the next whole number above p * 2^53.
        let bound = (p * 9_007_199_254_740_992.0).ceil() as u64;
        Chance { high: (bound >> 32) as u32, low: bound as u32 }
    }

    /// What the 53 bits must stay below.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn bound(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    /// Whether the uniform number of these two words is below the probability. In 32-bit words only, which fill the lanes.
    #[inline(always)]
    pub(super) fn holds(self, first: u32, second: u32) -> bool {
        let first = (first & 0x1f_ffff) as i32;
        // 22 bits at most: comparing as signed numbers is one instruction.
        (first < self.high as i32) | ((first == self.high as i32) & (second < self.low))
    }
}

struct Bernoulli<'a, T> {
    words: &'a [u32],
    out: &'a mut [T],
    chance: Chance,
}

impl<T: Number> Kernel for Bernoulli<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (x, pair) in self.out.iter_mut().zip(self.words.chunks_exact(2)) {
            *x = if self.chance.holds(pair[0], pair[1]) { T::ONE } else { T::ZERO };
        }
    }
}
