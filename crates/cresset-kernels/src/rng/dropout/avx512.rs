//! Dropout of f32 with AVX-512: numbers and mask in one walk, two words a lane.

use crate::rng::bernoulli::Chance;
use std::arch::x86_64::*;

/// Half as many elements as there are words: `out = x * scale` and 1 in `mask` where the chance holds, else `x * 0` and 0.
///
/// # Safety
/// The processor has AVX-512 F, VL and BW; `words.len() / 2` elements lie at `x`, `out` and in `mask`.
#[target_feature(enable = "avx512f,avx512vl,avx512bw")]
pub(super) unsafe fn dropout(words: &[u32], chance: Chance, scale: f32, x: *const f32, out: *mut f32, mask: &mut [u8]) {
    let n = words.len() / 2;
    let bound = _mm512_set1_epi64(chance.bound() as i64);
    let bits = _mm512_set1_epi64((1 << 53) - 1);
    let scale = _mm512_set1_ps(scale);
    // Of a pair the first word is the high one, which in memory is the low one.
    let holds = |pairs: __m512i| _mm512_cmplt_epu64_mask(_mm512_and_si512(_mm512_rol_epi64::<32>(pairs), bits), bound);
    let step = |low, high, x| {
        let kept = _mm512_kunpackb(__mmask16::from(holds(high)), __mmask16::from(holds(low)));
        (_mm512_mul_ps(x, _mm512_maskz_mov_ps(kept, scale)), _mm_maskz_set1_epi8(kept, 1))
    };
    let pairs: *const i64 = words.as_ptr().cast();
    let mut at = 0;
    // SAFETY: elements below n are read and written, and their words.
    unsafe {
        loop {
            if at + 16 > n {
                if n < 16 || at == n {
                    break;
                }
                // The last sixteen, some of them again: stores of some lanes take longer.
                at = n - 16;
            }
            let (low, high) = (_mm512_loadu_epi64(pairs.add(at)), _mm512_loadu_epi64(pairs.add(at + 8)));
            let (y, kept) = step(low, high, _mm512_loadu_ps(x.add(at)));
            _mm512_storeu_ps(out.add(at), y);
            _mm_storeu_epi8(mask.as_mut_ptr().add(at).cast(), kept);
            at += 16;
        }
        if at < n {
            let lanes: __mmask16 = (1 << (n - at)) - 1;
            let low = _mm512_maskz_loadu_epi64(lanes as __mmask8, pairs.add(at));
            let high = _mm512_maskz_loadu_epi64((lanes >> 8) as __mmask8, pairs.wrapping_add(at + 8));
            let (y, kept) = step(low, high, _mm512_maskz_loadu_ps(lanes, x.add(at)));
            _mm512_mask_storeu_ps(out.add(at), lanes, y);
            _mm_mask_storeu_epi8(mask.as_mut_ptr().add(at).cast(), lanes, kept);
        }
    }
}
