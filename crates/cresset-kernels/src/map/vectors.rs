//! Registers of numbers for [chains](super::chain): those of AVX2 and AVX-512, and what the compiler makes of an array.

use crate::level::Simd;

/// A number type with its vectors.
pub(super) trait Vectors: crate::math::Wide {
    /// 32 bytes, on AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Self>;
    /// 64 bytes, on AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Self>;
    /// What the compiler makes of an array.
    type Portable<S: Simd>: Vector<Self>;
}

/// The numbers of a register, with the functions of [`Lane`](crate::lane::Lane) of the same names, to the bit.
///
/// # Safety
/// Every function needs the processor to have the vector's instructions; a chain's tile is a multiple of `12 * LEN`, and of `24 * LEN` for AVX-512.
pub(super) unsafe trait Vector<W>: Copy {
    const LEN: usize;
    /// Yes or no for each number.
    type Mask;
    unsafe fn load(p: *const W) -> Self;
    unsafe fn splat(x: W) -> Self;
    unsafe fn store(self, p: *mut W);
    unsafe fn neg(self) -> Self;
    unsafe fn abs(self) -> Self;
    unsafe fn sqrt(self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    unsafe fn max(self, b: Self) -> Self;
    unsafe fn min(self, b: Self) -> Self;
    /// `self` if it is larger than b, else b.
    unsafe fn larger_or(self, b: Self) -> Self;
    /// `self` if it is smaller than b, else b.
    unsafe fn smaller_or(self, b: Self) -> Self;
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    unsafe fn lt(self, b: Self) -> Self::Mask;
    unsafe fn le(self, b: Self) -> Self::Mask;
    unsafe fn eq(self, b: Self) -> Self::Mask;
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    macro_rules! vector {
        ($name:ident, $t:ty, $raw:ty, $mask:ty, $len:literal, $load:ident $store:ident $set:ident $xor:ident $andnot:ident $sqrt:ident
         $add:ident $sub:ident $mul:ident $div:ident $max:ident $min:ident $fma:ident $cmp:ident $blend:expr) => {
            #[derive(Clone, Copy)]
            pub struct $name($raw);
            // SAFETY: every function is the instruction of its name, or a few.
            unsafe impl super::Vector<$t> for $name {
                const LEN: usize = $len;
                type Mask = $mask;
                #[inline(always)]
                unsafe fn load(p: *const $t) -> Self {
                    // SAFETY: the caller's promise, here and below.
                    unsafe { $name($load(p)) }
                }
                #[inline(always)]
                unsafe fn splat(x: $t) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($set(x)) }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut $t) {
                    // SAFETY: see above.
                    unsafe { $store(p, self.0) }
                }
                #[inline(always)]
                unsafe fn larger_or(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($max(self.0, b.0)) }
                }
                #[inline(always)]
                unsafe fn smaller_or(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($min(self.0, b.0)) }
                }
                #[inline(always)]
                unsafe fn neg(self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($xor(self.0, $set(-0.0))) }
                }
                #[inline(always)]
                unsafe fn abs(self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($andnot($set(-0.0), self.0)) }
                }
                #[inline(always)]
                unsafe fn sqrt(self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($sqrt(self.0)) }
                }
                #[inline(always)]
                unsafe fn add(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($add(self.0, b.0)) }
                }
                #[inline(always)]
                unsafe fn sub(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($sub(self.0, b.0)) }
                }
                #[inline(always)]
                unsafe fn mul(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($mul(self.0, b.0)) }
                }
                #[inline(always)]
                unsafe fn div(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($div(self.0, b.0)) }
                }
                // The instruction gives its second operand if the first is not larger (smaller), or one of them is NaN.
                #[inline(always)]
                unsafe fn max(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($blend($cmp::<_CMP_UNORD_Q>(self.0, self.0), self.0, $max(self.0, b.0))) }
                }
                #[inline(always)]
                unsafe fn min(self, b: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($blend($cmp::<_CMP_UNORD_Q>(self.0, self.0), self.0, $min(self.0, b.0))) }
                }
                #[inline(always)]
                unsafe fn fma(self, b: Self, c: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($fma(self.0, b.0, c.0)) }
                }
                #[inline(always)]
                unsafe fn lt(self, b: Self) -> $mask {
                    // SAFETY: see above.
                    unsafe { $cmp::<_CMP_LT_OQ>(self.0, b.0) }
                }
                #[inline(always)]
                unsafe fn le(self, b: Self) -> $mask {
                    // SAFETY: see above.
                    unsafe { $cmp::<_CMP_LE_OQ>(self.0, b.0) }
                }
                #[inline(always)]
                unsafe fn eq(self, b: Self) -> $mask {
                    // SAFETY: see above.
                    unsafe { $cmp::<_CMP_EQ_OQ>(self.0, b.0) }
                }
                #[inline(always)]
                unsafe fn select(mask: $mask, yes: Self, no: Self) -> Self {
                    // SAFETY: see above.
                    unsafe { $name($blend(mask, yes.0, no.0)) }
                }
            }
        };
    }
    vector!(F32x8, f32, __m256, __m256, 8, _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_xor_ps _mm256_andnot_ps _mm256_sqrt_ps
        _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_max_ps _mm256_min_ps _mm256_fmadd_ps _mm256_cmp_ps
        |mask, yes, no| _mm256_blendv_ps(no, yes, mask));
    vector!(F64x4, f64, __m256d, __m256d, 4, _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_xor_pd _mm256_andnot_pd _mm256_sqrt_pd
        _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_max_pd _mm256_min_pd _mm256_fmadd_pd _mm256_cmp_pd
        |mask, yes, no| _mm256_blendv_pd(no, yes, mask));
    vector!(F32x16, f32, __m512, __mmask16, 16, _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_xor_ps _mm512_andnot_ps _mm512_sqrt_ps
        _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_max_ps _mm512_min_ps _mm512_fmadd_ps _mm512_cmp_ps_mask
        |mask, yes, no| _mm512_mask_blend_ps(mask, no, yes));
    vector!(F64x8, f64, __m512d, __mmask8, 8, _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_xor_pd _mm512_andnot_pd _mm512_sqrt_pd
        _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_max_pd _mm512_min_pd _mm512_fmadd_pd _mm512_cmp_pd_mask
        |mask, yes, no| _mm512_mask_blend_pd(mask, no, yes));
}

/// 16 bytes of numbers, computed by the text of [`Lane`](crate::lane::Lane) for a level.
#[derive(Clone, Copy)]
pub(super) struct Portable<W, const N: usize, S>([W; N], std::marker::PhantomData<S>);

macro_rules! portable {
    ($t:ty, $bits:ty, $len:literal, $avx2:ident, $avx512:ident) => {
        impl<S: Simd> Portable<$t, $len, S> {
            #[inline(always)]
            fn zip(self, b: Self, f: impl Fn($t, $t) -> $t) -> Self {
                Portable(std::array::from_fn(|i| f(self.0[i], b.0[i])), self.1)
            }
            #[inline(always)]
            fn mask(self, b: Self, f: impl Fn($t, $t) -> bool) -> [$bits; $len] {
                std::array::from_fn(|i| if f(self.0[i], b.0[i]) { <$bits>::MAX } else { 0 })
            }
        }
        // SAFETY: plain Rust.
        unsafe impl<S: Simd> Vector<$t> for Portable<$t, $len, S> {
            const LEN: usize = $len;
            type Mask = [$bits; $len];
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: the caller's promise.
                Portable(unsafe { p.cast::<[$t; $len]>().read_unaligned() }, std::marker::PhantomData)
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                Portable([x; $len], std::marker::PhantomData)
            }
            #[inline(always)]
            unsafe fn larger_or(self, b: Self) -> Self {
                self.zip(b, |a, b| if a > b { a } else { b })
            }
            #[inline(always)]
            unsafe fn smaller_or(self, b: Self) -> Self {
                self.zip(b, |a, b| if a < b { a } else { b })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: the caller's promise.
                unsafe { p.cast::<[$t; $len]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn neg(self) -> Self {
                self.zip(self, |a, _| -a)
            }
            #[inline(always)]
            unsafe fn abs(self) -> Self {
                self.zip(self, |a, _| a.abs())
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                self.zip(self, |a, _| a.sqrt())
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                self.zip(b, |a, b| a + b)
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                self.zip(b, |a, b| a - b)
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                self.zip(b, |a, b| a * b)
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                self.zip(b, |a, b| a / b)
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                self.zip(b, |a, b| if (a > b) | a.is_nan() { a } else { b })
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                self.zip(b, |a, b| if (a < b) | a.is_nan() { a } else { b })
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                let f =
                    |i: usize| if S::FUSED { self.0[i].mul_add(b.0[i], c.0[i]) } else { self.0[i] * b.0[i] + c.0[i] };
                Portable(std::array::from_fn(f), self.1)
            }
            #[inline(always)]
            unsafe fn lt(self, b: Self) -> Self::Mask {
                self.mask(b, |a, b| a < b)
            }
            #[inline(always)]
            unsafe fn le(self, b: Self) -> Self::Mask {
                self.mask(b, |a, b| a <= b)
            }
            #[inline(always)]
            unsafe fn eq(self, b: Self) -> Self::Mask {
                self.mask(b, |a, b| a == b)
            }
            #[inline(always)]
            unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                Portable(std::array::from_fn(|i| if mask[i] != 0 { yes.0[i] } else { no.0[i] }), yes.1)
            }
        }
        impl Vectors for $t {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = x86::$avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = x86::$avx512;
            type Portable<S: Simd> = Portable<$t, $len, S>;
        }
    };
}
portable!(f32, u32, 4, F32x8, F32x16);
portable!(f64, u64, 2, F64x4, F64x8);
