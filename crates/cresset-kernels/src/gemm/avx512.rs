//! Vectors of AVX-512: tiles of 8 x 48 f32, 24 sums in 32 registers. Transposes are those of AVX2, and so is everything for f64.

use std::arch::x86_64::*;

use super::avx2::transpose8;
use super::kernels::kernels;
use super::vector::Vector;
use super::windows::{Runs, Windows};

/// Sixteen f32.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);

macro_rules! avx512 {
    ($name:ident, $t:ty, $w:literal, $square:literal, $mask:ty, $transpose:ident, $set1:ident, $load:ident, $store:ident,
     $load_mask:ident, $store_mask:ident, $fma:ident, $mul:ident, $add:ident, $max:ident, $zero:ident, $reduce:ident, $sums:ident) => {
        // SAFETY: every function is the instruction of its name; partial loads and stores touch the first `n` lanes only.
        unsafe impl Vector for $name {
            type T = $t;
            const W: usize = $w;
            const SQUARE: usize = $square;
            const MASKED: bool = true;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: as the trait says, here and below.
                unsafe { $name($set1(x)) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: see above.
                unsafe { $name($load(p)) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: see above.
                unsafe { $store(p, self.0) }
            }
            #[inline(always)]
            unsafe fn load_part(p: *const $t, n: usize) -> Self {
                // SAFETY: masked lanes are not touched.
                unsafe { $name($load_mask(((1u32 << n) - 1) as $mask, p)) }
            }
            #[inline(always)]
            unsafe fn store_part(self, p: *mut $t, n: usize) {
                // SAFETY: masked lanes are not touched.
                unsafe { $store_mask(p, ((1u32 << n) - 1) as $mask, self.0) }
            }
            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: see above.
                unsafe { $name($fma(self.0, b.0, c.0)) }
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: see above.
                unsafe { $name($mul(self.0, b.0)) }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: see above.
                unsafe { $name($add(self.0, b.0)) }
            }
            #[inline(always)]
            unsafe fn relu(self) -> Self {
                // The second operand is the result if one is NaN.
                // SAFETY: see above.
                unsafe { $name($max($zero(), self.0)) }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                // SAFETY: see above.
                unsafe { $reduce(self.0) }
            }
            #[inline(always)]
            unsafe fn sums<const N: usize>(v: [Self; N]) -> [$t; N] {
                // SAFETY: see above.
                unsafe { $sums(v.map(|v| v.0)) }
            }
            #[inline(always)]
            unsafe fn transpose(src: *const $t, lds: usize, dst: *mut $t, ldd: usize) {
                // SAFETY: the square is readable and writable.
                unsafe { $transpose(src, lds, dst, ldd) }
            }
            #[inline(always)]
            unsafe fn prefetch(p: *const $t) {
                // SAFETY: a prefetch never faults.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
            }
        }
    };
}

avx512!(
    F32x16,
    f32,
    16,
    8,
    u16,
    transpose8,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_mul_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_setzero_ps,
    sum16,
    sums16
);

/// Sixteen numbers as four sums of four.
#[inline(always)]
unsafe fn quarter(v: __m512) -> __m128 {
    // SAFETY: the processor has AVX-512, as the caller says.
    unsafe {
        let half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
        _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half))
    }
}

/// The sum of a vector. (`_mm512_reduce_add_ps` leaves the order to the compiler, which takes another in another place.)
#[inline(always)]
unsafe fn sum16(v: __m512) -> f32 {
    // SAFETY: as above.
    unsafe {
        let pairs = _mm_hadd_ps(quarter(v), quarter(v));
        _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs))
    }
}

/// The sums of vectors, each in the order of [`sum16`]. Four and sixteen share the steps.
#[inline(always)]
unsafe fn sums16<const N: usize>(v: [__m512; N]) -> [f32; N] {
    // SAFETY: as above; as many numbers are stored as there are.
    unsafe {
        let mut sums = [0.0; N];
        match N {
            4 => {
                let pairs = |i: usize| _mm_hadd_ps(quarter(v[i]), quarter(v[i + 1]));
                _mm_storeu_ps(sums.as_mut_ptr(), _mm_hadd_ps(pairs(0), pairs(2)));
            }
            16 => {
                // Four vectors' sums of four, a vector in each quarter.
                let quarters = |i: usize| {
                    let halves = |a: __m512, b: __m512| {
                        _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b))
                    };
                    let (a, b) = (halves(v[i], v[i + 4]), halves(v[i + 8], v[i + 12]));
                    _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b))
                };
                let pairs = |a: __m512, b: __m512| {
                    _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b))
                };
                let all = pairs(pairs(quarters(0), quarters(1)), pairs(quarters(2), quarters(3)));
                _mm512_storeu_ps(sums.as_mut_ptr(), all);
            }
            _ => return v.map(|v| sum16(v)),
        }
        sums
    }
}

kernels!(
    f32_kernels,
    F32x16,
    f32,
    "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma",
    8,
    3,
    [1, 2, 3, 4, 5, 6, 7, 8],
    [5, 6, 7, 8],
    [1, 2, 3],
    [(1, 4, 2), (2, 4, 1), (3, 4, 1), (4, 3, 1)],
    (16, 2)
);

/// Tiles that read pictures where they lie. Other levels unroll the windows.
pub fn windows() -> &'static Windows<f32> {
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    unsafe fn runs<const NV: usize>(t: &Runs<f32>) {
        // SAFETY: the caller's tile, and the level was chosen because the processor has it.
        unsafe { super::windows::runs::<F32x16, 8, NV>(t) }
    }
    &[runs::<1>, runs::<2>, runs::<3>]
}
