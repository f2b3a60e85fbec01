//! Sixteen f32 in a register of AVX-512 as a [`Lane`].
//!
//! The text of a function over single numbers becomes vectors of this size by itself, but it cannot ask for what only AVX-512 has: a
//! multiplication by a power of two that rounds denormal results and overflows as it should (`vscalefps`), without which an
//! exponential takes a third more, and a table of sixteen numbers that is read in one step (`vpermps`). The functions that networks spend their time in are
//! written with these; the rare ones go number by number through [`Real`].

use super::real::Real;
use crate::lane::Lane;
use crate::level::Fused;
use crate::map::Body;
use std::arch::x86_64::*;

/// Sixteen numbers. A value exists only where the processor has AVX-512: whoever makes the first one, with [`F32x16::load`], promises that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct F32x16(__m512);

/// How many numbers are in a vector.
pub(crate) const LEN: usize = 16;

/// A bit for each number.
pub(crate) type Mask = u16;

// SAFETY of all calls of instructions below: there is a value of `F32x16`, so the processor has AVX-512 (F, VL, BW, DQ).
#[allow(clippy::undocumented_unsafe_blocks)]
impl F32x16 {
    /// Sixteen numbers from memory.
    ///
    /// # Safety
    /// The processor has AVX-512, and the numbers are there.
    #[inline(always)]
    pub(crate) unsafe fn load(p: *const f32) -> F32x16 {
        unsafe { F32x16(_mm512_loadu_ps(p)) }
    }
    /// The first `n` numbers, at most sixteen; `other` in place of the rest.
    ///
    /// # Safety
    /// As [`load`](Self::load), for n numbers.
    #[inline(always)]
    pub(crate) unsafe fn load_part(p: *const f32, n: usize, other: f32) -> F32x16 {
        unsafe { F32x16(_mm512_mask_loadu_ps(_mm512_set1_ps(other), first(n), p)) }
    }
    /// One number, sixteen times.
    ///
    /// # Safety
    /// The processor has AVX-512.
    #[inline(always)]
    pub(crate) unsafe fn of(x: f32) -> F32x16 {
        unsafe { F32x16(_mm512_set1_ps(x)) }
    }
    /// # Safety
    /// There is room.
    #[inline(always)]
    pub(crate) unsafe fn store(self, p: *mut f32) {
        unsafe { _mm512_storeu_ps(p, self.0) }
    }
    /// # Safety
    /// There is room for n numbers, at most sixteen.
    #[inline(always)]
    pub(crate) unsafe fn store_part(self, p: *mut f32, n: usize) {
        unsafe { _mm512_mask_storeu_ps(p, first(n), self.0) }
    }
    /// `x` of another number, sixteen times.
    #[inline(always)]
    fn same(&self, x: f32) -> F32x16 {
        unsafe { F32x16(_mm512_set1_ps(x)) }
    }
    /// Number by number.
    #[inline(always)]
    fn each(&self, f: impl Fn(Real<f32, Fused>) -> Real<f32, Fused>) -> F32x16 {
        let mut x = [0.0f32; LEN];
        unsafe {
            self.store(x.as_mut_ptr());
            for x in &mut x {
                *x = f(Real::new(*x)).0;
            }
            F32x16::load(x.as_ptr())
        }
    }
    #[inline(always)]
    fn each2(&self, b: &F32x16, f: impl Fn(Real<f32, Fused>, Real<f32, Fused>) -> Real<f32, Fused>) -> F32x16 {
        let (mut x, mut y) = ([0.0f32; LEN], [0.0f32; LEN]);
        unsafe {
            self.store(x.as_mut_ptr());
            b.store(y.as_mut_ptr());
            for (x, y) in x.iter_mut().zip(y) {
                *x = f(Real::new(*x), Real::new(y)).0;
            }
            F32x16::load(x.as_ptr())
        }
    }
    /// `c[0] + c[1] self + c[2] self² + ...`
    #[inline(always)]
    fn poly<const N: usize>(&self, c: &[f32; N]) -> F32x16 {
        let mut p = self.same(c[N - 1]);
        for i in (0..N - 1).rev() {
            p = p.fma(self, &self.same(c[i]));
        }
        p
    }
    /// The larger and the smaller of a number and a constant; NaN stays.
    #[inline(always)]
    fn at_least(&self, low: f32) -> F32x16 {
        unsafe { F32x16(_mm512_max_ps(_mm512_set1_ps(low), self.0)) }
    }
    #[inline(always)]
    fn at_most(&self, high: f32) -> F32x16 {
        unsafe { F32x16(_mm512_min_ps(_mm512_set1_ps(high), self.0)) }
    }
    /// The largest of the sixteen; NaN if one is.
    #[inline(always)]
    pub(crate) fn largest(self) -> f32 {
        unsafe {
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            if nan != 0 { f32::NAN } else { _mm512_reduce_max_ps(self.0) }
        }
    }
    /// The sum of the sixteen: halves, down to one. (`_mm512_reduce_add_ps` leaves the order to the compiler.)
    #[inline(always)]
    pub(crate) fn total(self) -> f32 {
        unsafe {
            let eight = _mm256_add_ps(_mm512_castps512_ps256(self.0), _mm512_extractf32x8_ps::<1>(self.0));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}

/// A mask of the first `n` numbers.
#[inline(always)]
fn first(n: usize) -> Mask {
    ((1u32 << n) - 1) as Mask
}

/// `(e^r - 1 - r) / r²` for |r| <= 0.347, 3e-9 of e^r, as in `exp.rs`.
const Q: [f32; 5] = [4.999_999_4e-1, 1.666_652e-1, 4.166_839_3e-2, 8.368_781e-3, 1.381_446_4e-3];
/// Adding it rounds to an integer.
const MAGIC: f32 = 12_582_912.0;
/// `tanh`'s polynomial near zero, as in `hyper.rs`.
const T: [f32; 5] = [-3.333_327_8e-1, 1.333_133_1e-1, -5.373_000_7e-2, 2.060_617_7e-2, -5.666_977_7e-3];

/// `Φ(x) - 1/2` for x from 0 to 5.5: sixteen polynomials of degree 5 in the distance from the middle of their interval, [`STEP`] wide; in row k the
/// coefficients of the k-th power. Within 2.8e-08.
const PHI: [[f32; LEN]; 6] = [
    [
        0.0,
        0.140_342_71,
        0.263_852_5,
        0.359_511_02,
        0.424_712,
        0.463_822_28,
        0.484_467_92,
        0.494_058_94,
        0.497_979_85,
        0.499_390_45,
        0.499_837,
        0.499_961_44,
        0.499_991_92,
        0.499_998_5,
        0.499_999_76,
        0.499_999_97,
    ],
    [
        0.398_942_26,
        0.373_994_68,
        0.308_128_2,
        0.223_104_43,
        0.141_969_7,
        0.079_395_115,
        0.039_021_38,
        0.016_854_744,
        6.398_12e-3,
        2.134_486e-3,
        6.258_136e-4,
        1.612_528_4e-4,
        3.651_577_6e-5,
        7.267_155e-6,
        1.271_039_9e-6,
        1.953_731_2e-7,
    ],
    [
        2.635_658_5e-7,
        -0.067_200_676,
        -0.110_731_766,
        -0.120_266_31,
        -0.102_040_95,
        -0.071_332_34,
        -0.042_070_6,
        -0.021_200_392,
        -9.197_289e-3,
        -3.451_753_6e-3,
        -1.124_412_4e-3,
        -3.186_727e-4,
        -7.871_456e-5,
        -1.696_799_3e-5,
        -3.195_334_3e-6,
        -5.260_952e-7,
    ],
    [
        -0.066_496_32,
        -0.054_281_775,
        -0.024_824_938,
        6.036_484e-3,
        0.025_232_52,
        0.029_492_036,
        0.023_734_33,
        0.014_968_201_5,
        7.747_800_6e-3,
        3.365_804e-3,
        1.242_749_7e-3,
        3.930_970_3e-4,
        1.070_898_36e-4,
        2.522_119_6e-5,
        5.149_406_7e-6,
        9.133_525e-7,
    ],
    [
        5.725_959e-5,
        0.015_953_725,
        0.022_766_367,
        0.018_341_001,
        7.957_576e-3,
        -1.294_261_7e-3,
        -5.726_768e-3,
        -5.856_609e-3,
        -4.036_53e-3,
        -2.155_406_9e-3,
        -9.370_84e-4,
        -3.398_049_4e-4,
        -1.042_024_45e-4,
        -2.726_006_8e-5,
        -6.120_212_7e-6,
        -1.184_274_8e-6,
    ],
    [
        9.759_278e-3,
        6.952_959e-3,
        4.423_846_5e-4,
        -4.837_048_2e-3,
        -6.036_328e-3,
        -3.929_309e-3,
        -1.077_406_2e-3,
        7.007_188_4e-4,
        1.152_076_2e-3,
        8.826_313e-4,
        4.827_016_4e-4,
        2.074_987e-4,
        7.293_172_5e-5,
        2.139_659_6e-5,
        5.305_045_8e-6,
        1.120_713_3e-6,
    ],
];
/// The width of an interval of [`PHI`].
const STEP: f32 = 23.0 / 64.0;

#[allow(clippy::undocumented_unsafe_blocks)]
impl F32x16 {
    /// `e^self` between -120 and 91, where it is zero and infinite already.
    #[inline(always)]
    fn exp_within(&self) -> F32x16 {
        use super::exp::{LN2_HI, LN2_LO};
        let n = self.fma(&self.same(std::f32::consts::LOG2_E), &self.same(MAGIC)).sub(&self.same(MAGIC));
        let r = n.fma(&self.same(-LN2_LO), &n.fma(&self.same(-LN2_HI), self));
        let m = r.mul(&r).fma(&r.poly(&Q), &r);
        unsafe { F32x16(_mm512_scalef_ps(m.add(&self.same(1.0)).0, n.0)) }
    }
    /// `e^self` of numbers that are not above 91.
    #[inline(always)]
    pub(crate) fn exp_below(&self) -> F32x16 {
        self.at_least(-120.0).exp_within()
    }
}

/// Runs a body over `n` numbers.
///
/// # Safety
/// The processor has AVX-512, and n numbers lie behind each pointer; `out` may be an input, but not overlap one otherwise.
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
pub(super) unsafe fn run<B: Body<N>, const N: usize>(body: &B, ins: [*const f32; N], out: *mut f32, n: usize) {
    let mut i = 0;
    // SAFETY: the caller's promise; `i` and what is left of n stay within the numbers.
    unsafe {
        while i + LEN <= n {
            body.eval(std::array::from_fn(|k| F32x16::load(ins[k].add(i)))).store(out.add(i));
            i += LEN;
        }
        if i < n {
            body.eval(std::array::from_fn(|k| F32x16::load_part(ins[k].add(i), n - i, 1.0)))
                .store_part(out.add(i), n - i);
        }
    }
}

macro_rules! by_number {
    ($($un:ident)*; $($bin:ident)*) => {
        $(
        #[inline(always)]
        fn $un(&self) -> F32x16 {
            self.each(|x| x.$un())
        }
        )*
        $(
        #[inline(always)]
        fn $bin(&self, b: &F32x16) -> F32x16 {
            self.each2(b, |x, b| x.$bin(&b))
        }
        )*
    };
}

macro_rules! compare {
    ($($name:ident = $op:ident)*) => {
        $(
        #[inline(always)]
        fn $name(&self, b: &F32x16) -> Mask {
            unsafe { _mm512_cmp_ps_mask::<$op>(self.0, b.0) }
        }
        )*
    };
}

#[allow(clippy::undocumented_unsafe_blocks)]
impl Lane for F32x16 {
    type Mask = Mask;

    #[inline(always)]
    fn splat(&self, v: f64) -> F32x16 {
        self.same(v as f32)
    }
    #[inline(always)]
    fn add(&self, b: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_add_ps(self.0, b.0)) }
    }
    #[inline(always)]
    fn sub(&self, b: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_sub_ps(self.0, b.0)) }
    }
    #[inline(always)]
    fn mul(&self, b: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_mul_ps(self.0, b.0)) }
    }
    #[inline(always)]
    fn div(&self, b: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_div_ps(self.0, b.0)) }
    }
    #[inline(always)]
    fn neg(&self) -> F32x16 {
        unsafe { F32x16(_mm512_xor_ps(self.0, _mm512_set1_ps(-0.0))) }
    }
    #[inline(always)]
    fn fma(&self, b: &F32x16, c: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    fn min(&self, b: &F32x16) -> F32x16 {
        Self::select(&(self.lt(b) | self.is_nan()), self, b)
    }
    #[inline(always)]
    fn max(&self, b: &F32x16) -> F32x16 {
        Self::select(&(self.gt(b) | self.is_nan()), self, b)
    }
    #[inline(always)]
    fn abs(&self) -> F32x16 {
        unsafe { F32x16(_mm512_abs_ps(self.0)) }
    }
    #[inline(always)]
    fn sign(&self) -> F32x16 {
        let zero = self.same(0.0);
        let up = Self::select(&self.gt(&zero), &self.same(1.0), &zero);
        Self::select(&self.lt(&zero), &self.same(-1.0), &up)
    }
    #[inline(always)]
    fn copysign(&self, b: &F32x16) -> F32x16 {
        unsafe {
            let sign = _mm512_set1_ps(-0.0);
            F32x16(_mm512_or_ps(_mm512_andnot_ps(sign, self.0), _mm512_and_ps(sign, b.0)))
        }
    }
    #[inline(always)]
    fn sqrt(&self) -> F32x16 {
        unsafe { F32x16(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn rsqrt(&self) -> F32x16 {
        self.sqrt().recip()
    }
    #[inline(always)]
    fn recip(&self) -> F32x16 {
        self.same(1.0).div(self)
    }
    #[inline(always)]
    fn exp(&self) -> F32x16 {
        self.at_least(-120.0).at_most(91.0).exp_within()
    }
    #[inline(always)]
    fn tanh(&self) -> F32x16 {
        let a = self.abs();
        let s = self.mul(self);
        let near = self.mul(&s).fma(&s.poly(&T), self);
        let a10 = a.at_most(10.0);
        let part = self.same(2.0).div(&a10.add(&a10).exp_within().add(&self.same(1.0)));
        // 1 - 2 / (e^2a + 1); NaN comes this way.
        let far = self.same(1.0).sub(&part).copysign(self);
        let near = Self::select(&a.lt(&self.same(1e-4)), self, &near);
        Self::select(&a.lt(&self.same(0.62)), &near, &far)
    }
    #[inline(always)]
    fn sigmoid(&self) -> F32x16 {
        // Of -|x|, so that the exponential cannot overflow and the lower tail keeps its denormals.
        let negative = unsafe { F32x16(_mm512_or_ps(self.0, _mm512_set1_ps(-0.0))) };
        let e = negative.exp_below();
        let above = Self::select(&self.lt(&self.same(0.0)), &e, &self.same(1.0));
        above.div(&e.add(&self.same(1.0)))
    }
    #[inline(always)]
    fn gaussian(&self) -> F32x16 {
        let a = self.abs().at_most(5.5);
        // Rounding gives the interval. Its low four bits are all that the table looks at.
        let t = a.fma(&self.same(1.0 / STEP), &self.same(MAGIC));
        let u = t.sub(&self.same(MAGIC)).fma(&self.same(-STEP), &a);
        let at = |k: usize| unsafe {
            F32x16(_mm512_permutexvar_ps(_mm512_castps_si512(t.0), _mm512_loadu_ps(PHI[k].as_ptr())))
        };
        let p = at(5).fma(&u, &at(4)).fma(&u, &at(3)).fma(&u, &at(2)).fma(&u, &at(1)).fma(&u, &at(0));
        let y = p.copysign(self).add(&self.same(0.5));
        // Exactly zero where it matters: a factor may be huge.
        Self::select(&self.lt(&self.same(-5.45)), &self.same(0.0), &y)
    }

    #[inline(always)]
    fn floor(&self) -> F32x16 {
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn ceil(&self) -> F32x16 {
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn round(&self) -> F32x16 {
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn trunc(&self) -> F32x16 {
        unsafe { F32x16(_mm512_roundscale_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    by_number!(
        exp2 expm1 ln log2 log10 log1p sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc erfinv lgamma digamma;
        fmod rem pow atan2
    );
    compare!(lt = _CMP_LT_OQ le = _CMP_LE_OQ gt = _CMP_GT_OQ ge = _CMP_GE_OQ eq = _CMP_EQ_OQ ne = _CMP_NEQ_UQ);

    #[inline(always)]
    fn is_nan(&self) -> Mask {
        unsafe { _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0) }
    }
    #[inline(always)]
    fn and(a: &Mask, b: &Mask) -> Mask {
        a & b
    }
    #[inline(always)]
    fn or(a: &Mask, b: &Mask) -> Mask {
        a | b
    }
    #[inline(always)]
    fn not(a: &Mask) -> Mask {
        !a
    }
    #[inline(always)]
    fn select(mask: &Mask, yes: &F32x16, no: &F32x16) -> F32x16 {
        unsafe { F32x16(_mm512_mask_blend_ps(*mask, no.0, yes.0)) }
    }
}
