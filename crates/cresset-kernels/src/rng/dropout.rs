//! Dropout: which elements stay, and by what they are multiplied.

use super::bernoulli::Chance;
use super::generator::GeneratorState;
use super::mt19937::WORDS;
use super::number::Float;
use crate::level::{Kernel, Simd, dispatch};
#[cfg(target_arch = "x86_64")]
use crate::level::{Level, level};
use std::any::TypeId;

#[cfg(target_arch = "x86_64")]
mod avx512;

/// What a kept element is multiplied by: `1 / (1 - p)` rounded in the type (f16 and bf16: from the f32 quotient).
///
/// For `0 < p < 1`. A dropped element is multiplied by zero, so that an infinite one becomes NaN as in PyTorch.
pub fn dropout_scale<T: Float>(p: f64) -> T {
    if TypeId::of::<T>() == TypeId::of::<f64>() {
        T::from_f64(1.0 / (1.0 - p))
    } else {
        T::from_f32(1.0 / (1.0 - p) as f32)
    }
}

impl GeneratorState {
    /// Draws `noise = bernoulli(1 - p) / (1 - p)`, which dropout's input (and its gradient) is multiplied by. Two words an
    /// element. For `0 < p < 1`: the ends draw nothing in PyTorch.
    pub fn dropout_noise<T: Float>(&mut self, noise: &mut [T], p: f64) {
        let kept = Kept { chance: Chance::new(1.0 - p), scale: dropout_scale(p) };
        self.engine.pairs(noise.len(), |at, words| {
            dispatch(Noise { words, noise: &mut noise[at..at + words.len() / 2], kept });
        });
    }

    /// Dropout in training: `out = x * noise`, and in `mask` a 1 for each element that stays, else 0. `p` of 0 (`out = x`) and 1
    /// (`out = x * 0`) draw nothing, any other two words an element.
    ///
    /// The gradient is `grad * (if mask { dropout_scale(p) } else { 0 })`.
    pub fn dropout<T: Float>(&mut self, x: &[T], p: f64, out: &mut [T], mask: &mut [u8]) {
        if p == 0.0 {
            out.copy_from_slice(x);
            mask.fill(1);
            return;
        }
        if p == 1.0 {
            for (out, x) in out.iter_mut().zip(x) {
                *out = x.times(T::ZERO);
            }
            mask.fill(0);
            return;
        }
        let kept = Kept::<T> { chance: Chance::new(1.0 - p), scale: dropout_scale(p) };
        #[cfg(target_arch = "x86_64")]
        if TypeId::of::<T>() == TypeId::of::<f32>() && level() == Level::Avx512 {
            assert!(x.len() == out.len() && x.len() == mask.len(), "as many elements everywhere");
            return self.engine.pairs(x.len(), |at, words| {
                let here = at..at + words.len() / 2;
                let (x, out) = (x[here.clone()].as_ptr().cast(), out[here.clone()].as_mut_ptr().cast());
                // SAFETY: the processor has the level's instructions; T is f32; half as many elements as words are at each of the three.
                unsafe { avx512::dropout(words, kept.chance, kept.scale.to_f32(), x, out, &mut mask[here]) }
            });
        }
        if size_of::<T>() < 4 {
            self.dropout_widened(kept, x, out, mask)
        } else {
            self.dropout_plain(kept, x, out, mask)
        }
    }

    fn dropout_plain<T: Float>(&mut self, kept: Kept<T>, x: &[T], out: &mut [T], mask: &mut [u8]) {
        let mut noise = [T::ZERO; WORDS / 2];
        self.engine.pairs(x.len(), |at, words| {
            let here = at..at + words.len() / 2;
            let noise = &mut noise[..here.len()];
            dispatch(Noise { words, noise, kept });
            dispatch(Apply { x: &x[here.clone()], noise, out: &mut out[here.clone()], mask: &mut mask[here] });
        });
    }

    fn dropout_widened<T: Float>(&mut self, kept: Kept<T>, x: &[T], out: &mut [T], mask: &mut [u8]) {
        let kept = Kept { chance: kept.chance, scale: kept.scale.to_f32() };
        let mut wide = [[0f32; WORDS / 2]; 3];
        self.engine.pairs(x.len(), |at, words| {
            let here = at..at + words.len() / 2;
            let [wide, noise, product] = wide.each_mut().map(|buffer| &mut buffer[..here.len()]);
            T::widen(&x[here.clone()], wide);
            dispatch(Noise { words, noise, kept });
            dispatch(Apply { x: wide, noise, out: product, mask: &mut mask[here.clone()] });
            T::narrow(product, &mut out[here]);
        });
    }
}

/// How likely an element stays, and what it is then multiplied by.
#[derive(Clone, Copy)]
struct Kept<T> {
    chance: Chance,
    scale: T,
}

/// The gradient of [`GeneratorState::dropout`]: `out = grad * noise`, with the noise of `mask`.
pub fn dropout_backward<T: Float>(grad: &[T], mask: &[u8], p: f64, out: &mut [T]) {
    dispatch(Backward { grad, mask, scale: dropout_scale(p), out });
}

struct Backward<'a, T> {
    grad: &'a [T],
    mask: &'a [u8],
    scale: T,
    out: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for ((out, grad), &mask) in self.out.iter_mut().zip(self.grad).zip(self.mask) {
            *out = grad.times(if mask != 0 { self.scale } else { T::ZERO });
        }
    }
}

struct Noise<'a, T> {
    words: &'a [u32],
    noise: &'a mut [T],
    kept: Kept<T>,
}

impl<T: Float> Kernel for Noise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (x, pair) in self.noise.iter_mut().zip(self.words.chunks_exact(2)) {
            *x = if self.kept.chance.holds(pair[0], pair[1]) { self.kept.scale } else { T::ZERO };
        }
    }
}

struct Apply<'a, T> {
    x: &'a [T],
    noise: &'a [T],
    out: &'a mut [T],
    mask: &'a mut [u8],
}

impl<T: Float> Kernel for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for ((out, x), &noise) in self.out.iter_mut().zip(self.x).zip(self.noise) {
            *out = x.times(noise);
        }
        for (mask, &noise) in self.mask.iter_mut().zip(self.noise) {
            *mask = u8::from(noise != T::ZERO);
        }
    }
}

/// What `alpha_dropout` (Klambauer et al. 2017) does with an element, each number rounded as PyTorch rounds it:
/// `x * scale + shift_kept` if it stays, `x * 0 + shift_dropped` if not, product and sum rounded each. The mask is
/// [`GeneratorState::bernoulli`] of `1 - p`; `feature_alpha_dropout` draws it for whole channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlphaDropout<T> {
    /// The factor of an element that stays, and of its gradient.
    pub scale: T,
    /// Added to an element that stays.
    pub shift_kept: T,
    /// Added to an element that is dropped.
    pub shift_dropped: T,
}

impl<T: Float> AlphaDropout<T> {
    /// The numbers for the probability `p` of dropping, `0 < p < 1`.
    pub fn new(p: f64) -> Self {
        const ALPHA: f64 = 1.758_099_340_847_376_6;
        let a = 1.0 / ((ALPHA * ALPHA * p + 1.0) * (1.0 - p)).sqrt();
        let added = T::from_f64(ALPHA * a * p);
        // A factor stays in f32 for f16 and bf16, an added number is rounded to the type first.
        let shift = |noise: f64| {
            if TypeId::of::<T>() == TypeId::of::<f64>() {
                T::from_f64(noise * (ALPHA * a) + added.to_f64())
            } else {
                let product = T::from_f32(noise as f32 * (ALPHA * a) as f32);
                T::from_f32(product.to_f32() + added.to_f32())
            }
        };
        AlphaDropout { scale: T::from_f64(a), shift_kept: shift(0.0), shift_dropped: shift(-1.0) }
    }
}
