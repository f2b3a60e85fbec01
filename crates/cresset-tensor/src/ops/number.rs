//! The arithmetic that scattering needs, for the types in which sums are scattered.

use crate::array::Array;
use crate::dtype::{DType, Element};
use half::{bf16, f16};

/// Runs `f` on an array, or for small integers on a copy of it in i64 that is written back: they need no text of their own.
pub(crate) fn with_sums(x: &Array, f: impl FnOnce(&Array)) {
    if x.dtype().is_floating_point() || matches!(x.dtype(), DType::Bool | DType::I64) {
        return f(x);
    }
    let wide = x.to(DType::I64);
    f(&wide);
    crate::kernels::write_into(x, &wide.to(x.dtype()));
}

/// Runs an expression with the element type of a dtype that [`with_sums`] leaves.
macro_rules! with_summed {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $t = bool;
                $body
            }
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            dtype => $crate::with_float!(dtype, $t => $body),
        }
    };
}
pub(crate) use with_summed;

/// An element that can be combined with another of its kind. Integers wrap around; bool adds as "or" and multiplies as "and".
pub(crate) trait Number: Element {
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    /// The larger one; NaN wins.
    fn larger(self, other: Self) -> Self;
    /// The smaller one; NaN wins.
    fn smaller(self, other: Self) -> Self;
    /// The lowest and the highest value.
    const LOWEST: Self;
    const HIGHEST: Self;
    const ONE: Self;
}

macro_rules! float {
    ($($t:ty, $low:expr, $high:expr, $one:expr;)*) => { $(
        impl Number for $t {
            const LOWEST: $t = $low;
            const HIGHEST: $t = $high;
            const ONE: $t = $one;
            #[inline(always)]
            fn plus(self, o: $t) -> $t {
                self + o
            }
            #[inline(always)]
            fn times(self, o: $t) -> $t {
                self * o
            }
            #[inline(always)]
            fn over(self, o: $t) -> $t {
                self / o
            }
            #[inline(always)]
            fn larger(self, o: $t) -> $t {
                if o > self || o.is_nan() { o } else { self }
            }
            #[inline(always)]
            fn smaller(self, o: $t) -> $t {
                if o < self || o.is_nan() { o } else { self }
            }
        }
    )* };
}
float! {
    f32, f32::NEG_INFINITY, f32::INFINITY, 1.0;
    f64, f64::NEG_INFINITY, f64::INFINITY, 1.0;
    f16, f16::NEG_INFINITY, f16::INFINITY, f16::ONE;
    bf16, bf16::NEG_INFINITY, bf16::INFINITY, bf16::ONE;
}

macro_rules! int {
    ($($t:ty)*) => { $(
        impl Number for $t {
            const LOWEST: $t = <$t>::MIN;
            const HIGHEST: $t = <$t>::MAX;
            const ONE: $t = 1;
            #[inline(always)]
            fn plus(self, o: $t) -> $t {
                self.wrapping_add(o)
            }
            #[inline(always)]
            fn times(self, o: $t) -> $t {
                self.wrapping_mul(o)
            }
            #[inline(always)]
            fn over(self, o: $t) -> $t {
                // Rounded down, as PyTorch does it for a mean of integers.
                let q = self.wrapping_div(o);
                if q.wrapping_mul(o) != self && (self < 0 as $t) != (o < 0 as $t) { q - 1 } else { q }
            }
            #[inline(always)]
            fn larger(self, o: $t) -> $t {
                self.max(o)
            }
            #[inline(always)]
            fn smaller(self, o: $t) -> $t {
                self.min(o)
            }
        }
    )* };
}
int!(i64);

impl Number for bool {
    const LOWEST: bool = false;
    const HIGHEST: bool = true;
    const ONE: bool = true;
    fn plus(self, o: bool) -> bool {
        self | o
    }
    fn times(self, o: bool) -> bool {
        self & o
    }
    fn over(self, _: bool) -> bool {
        self
    }
    fn larger(self, o: bool) -> bool {
        self | o
    }
    fn smaller(self, o: bool) -> bool {
        self & o
    }
}
