//! Vectors of AVX2 and FMA: tiles of 6 x 16 (f32) and 6 x 8 (f64), twelve sums in sixteen registers.

use std::arch::x86_64::*;

use super::kernels::kernels;
use super::vector::Vector;

/// Eight f32.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);
/// Four f64.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

/// A window of ones, to be read from `8 - n` on for a mask of `n` lanes.
static ONES32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static ONES64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

// SAFETY: every function is the instruction of its name; partial loads and stores touch the first `n` lanes only.
unsafe impl Vector for F32x8 {
    type T = f32;
    const W: usize = 8;
    const SQUARE: usize = 8;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: as the trait says, here and below.
        unsafe { F32x8(_mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: see above.
        unsafe { F32x8(_mm256_loadu_ps(p)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(p, self.0) }
    }
    #[inline(always)]
    unsafe fn load_part(p: *const f32, n: usize) -> Self {
        // SAFETY: `n <= 8`, so the mask is read within its table.
        unsafe { F32x8(_mm256_maskload_ps(p, _mm256_loadu_si256(ONES32.as_ptr().add(8 - n).cast()))) }
    }
    #[inline(always)]
    unsafe fn store_part(self, p: *mut f32, n: usize) {
        // Masked stores are slow on AMD before Zen 4 (a dozen cycles).
        // SAFETY: the parts add up to `n` lanes.
        unsafe {
            if n >= 8 {
                return _mm256_storeu_ps(p, self.0);
            }
            let (mut v, mut p) = (_mm256_castps256_ps128(self.0), p);
            if n & 4 != 0 {
                _mm_storeu_ps(p, v);
                v = _mm256_extractf128_ps::<1>(self.0);
                p = p.add(4);
            }
            if n & 2 != 0 {
                _mm_storel_pd(p.cast(), _mm_castps_pd(v));
                v = _mm_movehl_ps(v, v);
                p = p.add(2);
            }
            if n & 1 != 0 {
                _mm_store_ss(p, v);
            }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { F32x8(_mm256_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { F32x8(_mm256_mul_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { F32x8(_mm256_add_ps(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // The second operand is the result if one is NaN.
        // SAFETY: see above.
        unsafe { F32x8(_mm256_max_ps(_mm256_setzero_ps(), self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: see above.
        unsafe {
            let v = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
        }
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
        // SAFETY: eight rows of eight are readable and writable.
        unsafe { transpose8(src, lds, dst, ldd) }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const f32) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
}

/// Four numbers from `p`, and four from `further` on.
#[inline(always)]
unsafe fn two(p: *const f32, further: usize) -> __m256 {
    // SAFETY: as the caller says.
    unsafe { _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p.add(further))) }
}

/// 8 x 8 numbers, rows to columns.
///
/// # Safety
///
/// The processor must have AVX; eight rows of eight numbers must be readable and writable.
#[inline(always)]
pub unsafe fn transpose8(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
    // SAFETY: as the caller says.
    unsafe {
        // Rows i and i + 4 side by side, so that the rest stays within halves.
        for h in [0, 4] {
            let (s, l4) = (src.add(h), 4 * lds);
            let (r0, r1) = (two(s, l4), two(s.add(lds), l4));
            let (r2, r3) = (two(s.add(2 * lds), l4), two(s.add(3 * lds), l4));
            let (a, b) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
            let (c, d) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
            _mm256_storeu_ps(dst.add(h * ldd), _mm256_shuffle_ps::<0x44>(a, c));
            _mm256_storeu_ps(dst.add((h + 1) * ldd), _mm256_shuffle_ps::<0xee>(a, c));
            _mm256_storeu_ps(dst.add((h + 2) * ldd), _mm256_shuffle_ps::<0x44>(b, d));
            _mm256_storeu_ps(dst.add((h + 3) * ldd), _mm256_shuffle_ps::<0xee>(b, d));
        }
    }
}

// SAFETY: as for F32x8.
unsafe impl Vector for F64x4 {
    type T = f64;
    const W: usize = 4;
    const SQUARE: usize = 4;
    const RARE: bool = true;
    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        // SAFETY: as the trait says, here and below.
        unsafe { F64x4(_mm256_set1_pd(x)) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> Self {
        // SAFETY: see above.
        unsafe { F64x4(_mm256_loadu_pd(p)) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f64) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_pd(p, self.0) }
    }
    #[inline(always)]
    unsafe fn load_part(p: *const f64, n: usize) -> Self {
        // SAFETY: `n <= 4`, so the mask is read within its table.
        unsafe { F64x4(_mm256_maskload_pd(p, _mm256_loadu_si256(ONES64.as_ptr().add(4 - n).cast()))) }
    }
    #[inline(always)]
    unsafe fn store_part(self, p: *mut f64, n: usize) {
        // SAFETY: the parts add up to `n` lanes.
        unsafe {
            if n >= 4 {
                return _mm256_storeu_pd(p, self.0);
            }
            let (mut v, mut p) = (_mm256_castpd256_pd128(self.0), p);
            if n & 2 != 0 {
                _mm_storeu_pd(p, v);
                v = _mm256_extractf128_pd::<1>(self.0);
                p = p.add(2);
            }
            if n & 1 != 0 {
                _mm_store_sd(p, v);
            }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        unsafe { F64x4(_mm256_fmadd_pd(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { F64x4(_mm256_mul_pd(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: see above.
        unsafe { F64x4(_mm256_add_pd(self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: see above.
        unsafe { F64x4(_mm256_max_pd(_mm256_setzero_pd(), self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        // SAFETY: see above.
        unsafe {
            let v = _mm_add_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)))
        }
    }
    #[inline(always)]
    unsafe fn transpose(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
        // SAFETY: four rows of four are readable and writable.
        unsafe { transpose4(src, lds, dst, ldd) }
    }
    #[inline(always)]
    unsafe fn prefetch(p: *const f64) {
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
}

/// 4 x 4 numbers, rows to columns.
///
/// # Safety
///
/// The processor must have AVX; four rows of four numbers must be readable and writable.
#[inline(always)]
pub unsafe fn transpose4(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
    // SAFETY: as the caller says.
    unsafe {
        let (r0, r1) = (_mm256_loadu_pd(src), _mm256_loadu_pd(src.add(lds)));
        let (r2, r3) = (_mm256_loadu_pd(src.add(2 * lds)), _mm256_loadu_pd(src.add(3 * lds)));
        let (a, b) = (_mm256_unpacklo_pd(r0, r1), _mm256_unpackhi_pd(r0, r1));
        let (c, d) = (_mm256_unpacklo_pd(r2, r3), _mm256_unpackhi_pd(r2, r3));
        _mm256_storeu_pd(dst, _mm256_permute2f128_pd::<0x20>(a, c));
        _mm256_storeu_pd(dst.add(ldd), _mm256_permute2f128_pd::<0x20>(b, d));
        _mm256_storeu_pd(dst.add(2 * ldd), _mm256_permute2f128_pd::<0x31>(a, c));
        _mm256_storeu_pd(dst.add(3 * ldd), _mm256_permute2f128_pd::<0x31>(b, d));
    }
}

kernels!(
    f32_kernels,
    F32x8,
    f32,
    "avx2,fma",
    6,
    2,
    [1, 2, 3, 4, 5, 6],
    [4, 5, 6],
    [1, 2],
    [(1, 4, 2), (2, 4, 1), (3, 3, 1), (4, 3, 1)],
    (4, 2)
);
kernels!(
    f64_kernels,
    F64x4,
    f64,
    "avx2,fma",
    6,
    2,
    [1, 2, 3, 4, 5, 6],
    [4, 5, 6],
    [1, 2],
    [(1, 4, 2), (2, 4, 1), (3, 3, 1), (4, 3, 1)],
    (4, 2)
);
