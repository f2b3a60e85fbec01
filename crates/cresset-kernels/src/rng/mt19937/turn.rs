//! The state's next words, and tempered, in one walk.
//!
//! Word k becomes a function of words k, k + 1 and k + 397, the last two counted round. A walk by vectors from the front reads what it needs before it is
//! overwritten, or after, just as the definition does; only two vectors read across the state's end.

use super::WORDS;
use crate::level::{Kernel, Simd, dispatch};
#[cfg(target_arch = "x86_64")]
use crate::level::{Level, level};

/// How far ahead the third word is, and how far behind if counted the other way.
const AHEAD: usize = 397;
const BEHIND: usize = WORDS - AHEAD;

const UPPER: u32 = 0x8000_0000;
const MAGIC: u32 = 0x9908_b0df;
const TEMPER_7: u32 = 0x9d2c_5680;
const TEMPER_15: u32 = 0xefc6_0000;

/// Turns the state to its next 624 words, and tempers them.
pub(super) fn refill(state: &mut [u32; WORDS], out: &mut [u32; WORDS]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the processor has the instructions of the level in use, and of those below.
    unsafe {
        match level() {
            Level::Avx512 => return x86::refill_avx512(state, out),
            Level::Avx2 => return x86::refill_avx2(state, out),
            _ => {}
        }
    }
    dispatch(Refill { state, out });
}

/// A word of the stream, from a word of the state.
#[inline(always)]
pub(super) fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= (y << 7) & TEMPER_7;
    y ^= (y << 15) & TEMPER_15;
    y ^ (y >> 18)
}

#[inline(always)]
fn twist(this: u32, next: u32) -> u32 {
    let joined = (this & UPPER) | (next & !UPPER);
    (joined >> 1) ^ (0u32.wrapping_sub(next & 1) & MAGIC)
}

/// The text for other processors.
struct Refill<'a> {
    state: &'a mut [u32; WORDS],
    out: &'a mut [u32; WORDS],
}

impl Kernel for Refill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        // Three runs, none of which reads what it writes further on: each is a plain vector loop.
        let (head, tail) = self.state.split_at_mut(AHEAD);
        turn(&mut head[..=BEHIND], &tail[..BEHIND]);
        let (head, tail) = self.state.split_at_mut(BEHIND);
        turn(&mut tail[..=BEHIND], &head[..BEHIND]);
        let (head, tail) = self.state.split_at_mut(2 * BEHIND);
        turn(tail, &head[BEHIND..AHEAD - 1]);
        self.state[WORDS - 1] = self.state[AHEAD - 1] ^ twist(self.state[WORDS - 1], self.state[0]);
        for (out, &word) in self.out.iter_mut().zip(&*self.state) {
            *out = temper(word);
        }
    }
}

#[inline(always)]
fn turn(words: &mut [u32], ahead: &[u32]) {
    let count = ahead.len();
    let words = &mut words[..=count];
    for k in 0..count {
        words[k] = ahead[k] ^ twist(words[k], words[k + 1]);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{AHEAD, BEHIND, MAGIC, TEMPER_7, TEMPER_15, UPPER, WORDS};
    use std::arch::x86_64::*;

    /// A register of words.
    ///
    /// # Safety
    /// Every function needs the processor to have the register's instructions.
    unsafe trait Words: Copy {
        /// How many: a divisor of 624.
        const LEN: usize;
        unsafe fn load(p: *const u32) -> Self;
        unsafe fn store(self, p: *mut u32);
        unsafe fn twist(self, next: Self, ahead: Self) -> Self;
        unsafe fn temper(self) -> Self;
    }

    // SAFETY: instructions of AVX2.
    unsafe impl Words for __m256i {
        const LEN: usize = 8;
        #[inline(always)]
        unsafe fn load(p: *const u32) -> Self {
            // SAFETY: the caller's promise, here and below.
            unsafe { _mm256_loadu_si256(p.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut u32) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_si256(p.cast(), self) }
        }
        #[inline(always)]
        unsafe fn twist(self, next: Self, ahead: Self) -> Self {
            // SAFETY: see above.
            unsafe {
                let upper = _mm256_set1_epi32(UPPER as i32);
                let joined = _mm256_or_si256(_mm256_and_si256(upper, self), _mm256_andnot_si256(upper, next));
                let odd = _mm256_and_si256(next, _mm256_set1_epi32(1));
                let magic =
                    _mm256_and_si256(_mm256_sub_epi32(_mm256_setzero_si256(), odd), _mm256_set1_epi32(MAGIC as i32));
                _mm256_xor_si256(_mm256_xor_si256(ahead, magic), _mm256_srli_epi32::<1>(joined))
            }
        }
        #[inline(always)]
        unsafe fn temper(self) -> Self {
            // SAFETY: see above.
            unsafe {
                let mut y = _mm256_xor_si256(self, _mm256_srli_epi32::<11>(self));
                let part = _mm256_and_si256(_mm256_slli_epi32::<7>(y), _mm256_set1_epi32(TEMPER_7 as i32));
                y = _mm256_xor_si256(y, part);
                let part = _mm256_and_si256(_mm256_slli_epi32::<15>(y), _mm256_set1_epi32(TEMPER_15 as i32));
                y = _mm256_xor_si256(y, part);
                _mm256_xor_si256(y, _mm256_srli_epi32::<18>(y))
            }
        }
    }

    // SAFETY: instructions of AVX-512 F. The tables of `ternarylogic` are indexed by the bits of its operands, the first one's highest.
    unsafe impl Words for __m512i {
        const LEN: usize = 16;
        #[inline(always)]
        unsafe fn load(p: *const u32) -> Self {
            // SAFETY: the caller's promise, here and below.
            unsafe { _mm512_loadu_si512(p.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut u32) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_si512(p.cast(), self) }
        }
        #[inline(always)]
        unsafe fn twist(self, next: Self, ahead: Self) -> Self {
            // SAFETY: see above.
            unsafe {
                // Where the first operand has a one its second, else its third.
                let joined = _mm512_ternarylogic_epi32::<0xca>(_mm512_set1_epi32(UPPER as i32), self, next);
                let odd = _mm512_test_epi32_mask(next, _mm512_set1_epi32(1));
                let words = _mm512_xor_si512(ahead, _mm512_srli_epi32::<1>(joined));
                _mm512_mask_xor_epi32(words, odd, words, _mm512_set1_epi32(MAGIC as i32))
            }
        }
        #[inline(always)]
        unsafe fn temper(self) -> Self {
            // SAFETY: see above.
            unsafe {
                // The first operand, xor what its second and third have both.
                let mut y = _mm512_xor_si512(self, _mm512_srli_epi32::<11>(self));
                let mask = _mm512_set1_epi32(TEMPER_7 as i32);
                y = _mm512_ternarylogic_epi32::<0x78>(y, _mm512_slli_epi32::<7>(y), mask);
                let mask = _mm512_set1_epi32(TEMPER_15 as i32);
                y = _mm512_ternarylogic_epi32::<0x78>(y, _mm512_slli_epi32::<15>(y), mask);
                _mm512_xor_si512(y, _mm512_srli_epi32::<18>(y))
            }
        }
    }

    /// # Safety
    /// The processor has AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn refill_avx2(state: &mut [u32; WORDS], out: &mut [u32; WORDS]) {
        // SAFETY: the caller's promise.
        unsafe { refill::<__m256i>(state, out) }
    }
    /// # Safety
    /// The processor has AVX-512 F.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn refill_avx512(state: &mut [u32; WORDS], out: &mut [u32; WORDS]) {
        // SAFETY: the caller's promise.
        unsafe { refill::<__m512i>(state, out) }
    }

    /// # Safety
    /// The processor has the instructions of V.
    #[inline(always)]
    unsafe fn refill<V: Words>(state: &mut [u32; WORDS], out: &mut [u32; WORDS]) {
        // The vector within which the third words pass the state's end.
        let middle = BEHIND / V::LEN * V::LEN;
        let last = WORDS - V::LEN;
        // SAFETY: V::LEN words from `k` on, and from where the second and third words are, lie within the state, or within `round`.
        unsafe {
            let mut k = 0;
            while k < middle {
                step::<V>(state, out, k, state.as_ptr().add(k + 1), state.as_ptr().add(k + AHEAD));
                k += V::LEN;
            }
            let round: [u32; 16] = std::array::from_fn(|i| state[(middle + AHEAD + i) % WORDS]);
            step::<V>(state, out, middle, state.as_ptr().add(middle + 1), round.as_ptr());
            k += V::LEN;
            while k < last {
                step::<V>(state, out, k, state.as_ptr().add(k + 1), state.as_ptr().add(k - BEHIND));
                k += V::LEN;
            }
            let round: [u32; 16] = std::array::from_fn(|i| state[(last + 1 + i) % WORDS]);
            step::<V>(state, out, last, round.as_ptr(), state.as_ptr().add(last - BEHIND));
        }
    }

    /// # Safety
    /// As `refill`; V::LEN words lie at `k`, `next` and `ahead`.
    #[inline(always)]
    unsafe fn step<V: Words>(
        state: &mut [u32; WORDS],
        out: &mut [u32; WORDS],
        k: usize,
        next: *const u32,
        ahead: *const u32,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let words = V::load(state.as_ptr().add(k)).twist(V::load(next), V::load(ahead));
            words.store(state.as_mut_ptr().add(k));
            words.temper().store(out.as_mut_ptr().add(k));
        }
    }
}
