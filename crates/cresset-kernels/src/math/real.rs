//! One ordinary number as a [`Lane`].

use crate::lane::Lane;
use crate::level::{Plain, Simd};
use crate::map::Body;
use std::marker::PhantomData;

use super::{real32, real64};

/// One f32 or f64, computed with for the level `S`. A loop over it, inlined into [`dispatch`](crate::level::dispatch), becomes
/// vector instructions.
#[derive(Clone, Copy, Debug)]
pub struct Real<T, S>(pub T, PhantomData<S>);

impl<T, S> Real<T, S> {
    /// Wraps a number.
    #[inline(always)]
    pub fn new(v: T) -> Self {
        Real(v, PhantomData)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The types that pointwise functions are computed in: f32 and f64.
pub trait Wide: sealed::Sealed + crate::map::Steps + Copy + Send + Sync + Default + PartialOrd + 'static {
    /// This number as a lane of level `S`.
    type Lane<S: Simd>: Lane + Copy;
    /// Wraps.
    fn lane<S: Simd>(self) -> Self::Lane<S>;
    /// The nearest value to a number.
    fn of_f64(v: f64) -> Self;
    /// Unwraps.
    fn of_lane<S: Simd>(lane: Self::Lane<S>) -> Self;
    /// These numbers, if they are f32.
    #[doc(hidden)]
    fn as_f32(_: &[Self]) -> Option<&[f32]> {
        None
    }
    #[doc(hidden)]
    fn as_f32_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
    /// Runs a body over `n` numbers in vectors of AVX-512, if there are such vectors of this type.
    ///
    /// # Safety
    /// The processor has AVX-512, and n numbers lie behind each pointer; `out` may be an input.
    #[doc(hidden)]
    unsafe fn wide_loop<B: Body<N>, const N: usize>(_: &B, _: [*const Self; N], _: *mut Self, _: usize) -> bool {
        false
    }
}

// The two impls differ only in the type and in the module that holds its functions. Without fused multiply-add the functions are calls, number by
// number: in every loop that has them they would be as much text again, for processors of before 2013.
macro_rules! lane {
    ($t:ty, $f:ident, $($wide:ident)?, unary: $($un:ident)*, binary: $($bin:ident)*) => {
        impl Wide for $t {
            type Lane<S: Simd> = Real<$t, S>;
            #[inline(always)]
            fn of_f64(v: f64) -> $t {
                v as $t
            }
            #[inline(always)]
            fn lane<S: Simd>(self) -> Real<$t, S> {
                Real::new(self)
            }
            #[inline(always)]
            fn of_lane<S: Simd>(lane: Real<$t, S>) -> $t {
                lane.0
            }
            $(
            #[inline]
            fn as_f32(x: &[$t]) -> Option<&[f32]> {
                Some(x)
            }
            #[inline]
            fn as_f32_mut(x: &mut [$t]) -> Option<&mut [f32]> {
                Some(x)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(always)]
            unsafe fn wide_loop<B: Body<N>, const N: usize>(b: &B, ins: [*const $t; N], out: *mut $t, n: usize) -> bool {
                // SAFETY: the caller's promise.
                unsafe { super::$wide::run(b, ins, out, n) };
                true
            }
            )?
        }

        impl<S: Simd> Lane for Real<$t, S> {
            type Mask = bool;
            #[inline(always)]
            fn splat(&self, v: f64) -> Self {
                Real::new(v as $t)
            }
            #[inline(always)]
            fn add(&self, b: &Self) -> Self {
                Real::new(self.0 + b.0)
            }
            #[inline(always)]
            fn sub(&self, b: &Self) -> Self {
                Real::new(self.0 - b.0)
            }
            #[inline(always)]
            fn mul(&self, b: &Self) -> Self {
                Real::new(self.0 * b.0)
            }
            #[inline(always)]
            fn div(&self, b: &Self) -> Self {
                Real::new(self.0 / b.0)
            }
            #[inline(always)]
            fn neg(&self) -> Self {
                Real::new(-self.0)
            }
            #[inline(always)]
            fn fma(&self, b: &Self, c: &Self) -> Self {
                Real::new(if S::FUSED { self.0.mul_add(b.0, c.0) } else { self.0 * b.0 + c.0 })
            }
            #[inline(always)]
            fn min(&self, b: &Self) -> Self {
                Real::new(if (self.0 < b.0) | (self.0 != self.0) { self.0 } else { b.0 })
            }
            #[inline(always)]
            fn max(&self, b: &Self) -> Self {
                Real::new(if (self.0 > b.0) | (self.0 != self.0) { self.0 } else { b.0 })
            }
            #[inline(always)]
            fn abs(&self) -> Self {
                Real::new(self.0.abs())
            }
            #[inline(always)]
            fn sign(&self) -> Self {
                let up = if self.0 > 0.0 { 1.0 } else { 0.0 };
                Real::new(if self.0 < 0.0 { -1.0 } else { up })
            }
            #[inline(always)]
            fn copysign(&self, b: &Self) -> Self {
                Real::new(self.0.copysign(b.0))
            }
            #[inline(always)]
            fn sqrt(&self) -> Self {
                Real::new(self.0.sqrt())
            }
            #[inline(always)]
            fn rsqrt(&self) -> Self {
                Real::new(1.0 / self.0.sqrt())
            }
            #[inline(always)]
            fn recip(&self) -> Self {
                Real::new(1.0 / self.0)
            }
            #[inline(always)]
            fn floor(&self) -> Self {
                Real::new(self.0.floor())
            }
            #[inline(always)]
            fn ceil(&self) -> Self {
                Real::new(self.0.ceil())
            }
            #[inline(always)]
            fn round(&self) -> Self {
                Real::new(self.0.round_ties_even())
            }
            #[inline(always)]
            fn trunc(&self) -> Self {
                Real::new(self.0.trunc())
            }
            #[inline(always)]
            fn fmod(&self, b: &Self) -> Self {
                Real::new(self.0 % b.0)
            }
            #[inline(always)]
            fn rem(&self, b: &Self) -> Self {
                let r = self.0 % b.0;
                Real::new(if (r != 0.0) & ((r < 0.0) != (b.0 < 0.0)) { r + b.0 } else { r })
            }
            $(
            #[inline(always)]
            fn $un(&self) -> Self {
                #[inline(never)]
                fn alone(x: $t) -> $t {
                    $f::$un::<Plain>(x)
                }
                Real::new(if S::FUSED { $f::$un::<S>(self.0) } else { alone(self.0) })
            }
            )*
            $(
            #[inline(always)]
            fn $bin(&self, b: &Self) -> Self {
                #[inline(never)]
                fn alone(a: $t, b: $t) -> $t {
                    $f::$bin::<Plain>(a, b)
                }
                Real::new(if S::FUSED { $f::$bin::<S>(self.0, b.0) } else { alone(self.0, b.0) })
            }
            )*
            #[inline(always)]
            fn lt(&self, b: &Self) -> bool {
                self.0 < b.0
            }
            #[inline(always)]
            fn le(&self, b: &Self) -> bool {
                self.0 <= b.0
            }
            #[inline(always)]
            fn gt(&self, b: &Self) -> bool {
                self.0 > b.0
            }
            #[inline(always)]
            fn ge(&self, b: &Self) -> bool {
                self.0 >= b.0
            }
            #[inline(always)]
            fn eq(&self, b: &Self) -> bool {
                self.0 == b.0
            }
            #[inline(always)]
            fn ne(&self, b: &Self) -> bool {
                self.0 != b.0
            }
            #[inline(always)]
            fn is_nan(&self) -> bool {
                self.0.is_nan()
            }
            #[inline(always)]
            fn and(a: &bool, b: &bool) -> bool {
                a & b
            }
            #[inline(always)]
            fn or(a: &bool, b: &bool) -> bool {
                a | b
            }
            #[inline(always)]
            fn not(a: &bool) -> bool {
                !a
            }
            #[inline(always)]
            fn select(mask: &bool, yes: &Self, no: &Self) -> Self {
                if *mask { *yes } else { *no }
            }
        }
    };
}

lane!(f32, real32, vector512,
    unary: exp exp2 expm1 ln log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
        sigmoid erf erfc gaussian erfinv lgamma digamma,
    binary: pow atan2);
lane!(f64, real64, ,
    unary: exp exp2 expm1 ln log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
        sigmoid erf erfc gaussian erfinv lgamma digamma,
    binary: pow atan2);
