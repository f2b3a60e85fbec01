//! Uniform numbers.

use super::fused::fused;
use super::generator::GeneratorState;
use super::mt19937::WORDS;
use super::number::{Float, sealed::Fill};
use crate::level::{Kernel, Simd, dispatch};
use half::{bf16, f16};

impl GeneratorState {
    /// Fills with uniform numbers in \[from, to): PyTorch's `uniform_(from, to)`; `rand` is `(0, 1)`.
    ///
    /// One word an element (two for f64): `u * (to - from) + from` with one rounding, in f32 and then rounded for f16 and
    /// bf16. Where rounding reaches `to`, the element is `from`.
    pub fn uniform<T: Float>(&mut self, out: &mut [T], from: f64, to: f64) {
        T::uniform(self, out, from, to);
    }
}

impl Fill for f32 {
    fn uniform(generator: &mut GeneratorState, out: &mut [Self], from: f64, to: f64) {
        let (from, to) = (from as f32, to as f32);
        generator.engine.words(out.len(), |at, words| {
            dispatch(Uniform32 { words, out: &mut out[at..at + words.len()], from, to });
        });
    }

    fn normal_block(generator: &mut GeneratorState, out: &mut [Self], mean: f64, std: f64) {
        super::normal::block_f32(generator, out, mean as f32, std as f32);
    }
}

impl Fill for f64 {
    fn uniform(generator: &mut GeneratorState, out: &mut [Self], from: f64, to: f64) {
        generator.engine.pairs(out.len(), |at, words| {
            dispatch(Uniform64 { words, out: &mut out[at..at + words.len() / 2], from, to });
        });
    }

    fn normal_block(generator: &mut GeneratorState, out: &mut [Self], mean: f64, std: f64) {
        super::normal::block_f64(generator, out, mean, std);
    }
}

macro_rules! through_f32 {
    ($($t:ty)*) => {$(
        impl Fill for $t {
            fn uniform(generator: &mut GeneratorState, out: &mut [Self], from: f64, to: f64) {
                uniform_narrow(generator, out, from as f32, to as f32);
            }
            fn normal_block(generator: &mut GeneratorState, out: &mut [Self], mean: f64, std: f64) {
                super::normal::block_narrow(generator, out, mean as f32, std as f32);
            }
        }
    )*};
}

through_f32!(f16 bf16);

fn uniform_narrow<T: Float>(generator: &mut GeneratorState, out: &mut [T], from: f32, to: f32) {
    let (low, high) = (T::from_f32(from), T::from_f32(to));
    let mut wide = [0f32; WORDS];
    generator.engine.words(out.len(), |at, words| {
        let wide = &mut wide[..words.len()];
        dispatch(Uniform32 { words, out: wide, from, to });
        let out = &mut out[at..at + words.len()];
        T::narrow(wide, out);
        for x in out {
            if *x == high {
                *x = low;
            }
        }
    });
}

/// A word as a uniform f32: its low 24 bits.
#[inline(always)]
pub(super) fn u24(word: u32) -> f32 {
    // Through i32: the conversion of signed integers is one instruction.
    (word & 0xff_ffff) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// Two words as a uniform f64: the low 21 bits of the first, then all of the second.
#[inline(always)]
pub(super) fn u53(first: u32, second: u32) -> f64 {
    // Each half stands in the mantissa of a power of two, which is then taken away: exact, and a vector loop on every level.
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let high = f64::from_bits(TWO_52.to_bits() | u64::from(first & 0x1f_ffff)) - TWO_52;
    let low = f64::from_bits(TWO_52.to_bits() | u64::from(second)) - TWO_52;
    (high * 4_294_967_296.0 + low) * (1.0 / 9_007_199_254_740_992.0)
}

struct Uniform32<'a> {
    words: &'a [u32],
    out: &'a mut [f32],
    from: f32,
    to: f32,
}

impl Kernel for Uniform32<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Uniform32 { words, out, from, to } = self;
        if from == 0.0 && to == 1.0 {
            for (out, &word) in out.iter_mut().zip(words) {
                *out = u24(word);
            }
            return;
        }
        let range = to - from;
        for (out, &word) in out.iter_mut().zip(words) {
            let x = fused::<S>(u24(word), range, from);
            *out = if x == to { from } else { x };
        }
    }
}

struct Uniform64<'a> {
    words: &'a [u32],
    out: &'a mut [f64],
    from: f64,
    to: f64,
}

impl Kernel for Uniform64<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Uniform64 { words, out, from, to } = self;
        if from == 0.0 && to == 1.0 {
            for (out, pair) in out.iter_mut().zip(words.chunks_exact(2)) {
                *out = u53(pair[0], pair[1]);
            }
            return;
        }
        let range = to - from;
        for (out, pair) in out.iter_mut().zip(words.chunks_exact(2)) {
            // Without the instruction this is a slow library call, but with the same bits.
            let x = u53(pair[0], pair[1]).mul_add(range, from);
            *out = if x == to { from } else { x };
        }
    }
}
