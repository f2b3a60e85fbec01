//! The few vector operations that the kernels are written in, and their portable form.

/// A float type of the kernels.
pub trait Float: crate::buffer::Element + PartialEq + std::ops::Add<Output = Self> {
    const ZERO: Self;
    const ONE: Self;
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn relu(self) -> Self;
}

/// True where `a * b + c` is one instruction for the portable form.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

macro_rules! float {
    ($t:ty) => {
        impl Float for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            #[inline(always)]
            fn mul_add(self, b: $t, c: $t) -> $t {
                if FUSED { <$t>::mul_add(self, b, c) } else { self * b + c }
            }
            #[inline(always)]
            fn relu(self) -> $t {
                // NaN compares false and stays.
                if self < 0.0 { 0.0 } else { self }
            }
        }
    };
}
float!(f32);
float!(f64);

/// `W` lanes of `T`.
///
/// # Safety
///
/// Every function needs the processor to have the type's instructions. Loads and stores need memory for the lanes they touch.
pub unsafe trait Vector: Copy {
    type T: Float;
    /// Lanes.
    const W: usize;
    /// Do partial loads and stores take no longer than whole ones?
    const MASKED: bool = false;
    /// Is it so seldom used that a few cycles for a tile are less than what it takes to compile?
    const RARE: bool = false;
    /// Side of the square that `transpose` handles; divides `W`.
    const SQUARE: usize;
    unsafe fn splat(x: Self::T) -> Self;
    unsafe fn load(p: *const Self::T) -> Self;
    unsafe fn store(self, p: *mut Self::T);
    /// The first `n` lanes, `n <= W`; the others are zero.
    unsafe fn load_part(p: *const Self::T, n: usize) -> Self;
    /// Writes the first `n` lanes, `n <= W`.
    unsafe fn store_part(self, p: *mut Self::T, n: usize);
    /// `self * b + c`.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    /// `max(x, 0)`, NaN kept.
    unsafe fn relu(self) -> Self;
    /// The sum of the lanes, in a fixed order.
    unsafe fn sum(self) -> Self::T;
    /// The sums of several, each in a fixed order.
    #[inline(always)]
    unsafe fn sums<const N: usize>(v: [Self; N]) -> [Self::T; N] {
        // SAFETY: as the trait says.
        v.map(|v| unsafe { v.sum() })
    }
    /// `dst[j * ldd + i] = src[i * lds + j]` for `i, j < SQUARE`, in ascending order of `j`.
    unsafe fn transpose(src: *const Self::T, lds: usize, dst: *mut Self::T, ldd: usize);
    /// Asks for the line of `p`, which may be any address.
    unsafe fn prefetch(p: *const Self::T);
}

/// The portable form: an array that the compiler turns into the target's vectors.
#[derive(Clone, Copy)]
pub struct Array<T, const W: usize>([T; W]);

macro_rules! array {
    ($t:ty, $w:literal) => {
        // SAFETY: plain Rust.
        unsafe impl Vector for Array<$t, $w> {
            type T = $t;
            const W: usize = $w;
            const SQUARE: usize = $w;
            const RARE: bool = cfg!(target_arch = "x86_64");
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                Array([x; $w])
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: as the trait says.
                unsafe { Array(p.cast::<[$t; $w]>().read_unaligned()) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: as the trait says.
                unsafe { p.cast::<[$t; $w]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_part(p: *const $t, n: usize) -> Self {
                let mut r = [0.0; $w];
                for i in 0..$w {
                    if i < n {
                        // SAFETY: lane `i` is one of the first `n`.
                        r[i] = unsafe { *p.add(i) };
                    }
                }
                Array(r)
            }
            #[inline(always)]
            unsafe fn store_part(self, p: *mut $t, n: usize) {
                for i in 0..$w {
                    if i < n {
                        // SAFETY: lane `i` is one of the first `n`.
                        unsafe { *p.add(i) = self.0[i] };
                    }
                }
            }
            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                let mut r = c.0;
                for i in 0..$w {
                    r[i] = Float::mul_add(self.0[i], b.0[i], r[i]);
                }
                Array(r)
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                let mut r = b.0;
                for i in 0..$w {
                    r[i] *= self.0[i];
                }
                Array(r)
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                let mut r = b.0;
                for i in 0..$w {
                    r[i] += self.0[i];
                }
                Array(r)
            }
            #[inline(always)]
            unsafe fn relu(self) -> Self {
                let mut r = self.0;
                for x in &mut r {
                    *x = x.relu();
                }
                Array(r)
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                let mut r = self.0;
                let mut n = $w;
                while n > 1 {
                    n /= 2;
                    for i in 0..n {
                        r[i] += r[i + n];
                    }
                }
                r[0]
            }
            #[inline(always)]
            unsafe fn transpose(src: *const $t, lds: usize, dst: *mut $t, ldd: usize) {
                for j in 0..$w {
                    for i in 0..$w {
                        // SAFETY: as the trait says.
                        unsafe { *dst.add(j * ldd + i) = *src.add(i * lds + j) };
                    }
                }
            }
            #[inline(always)]
            unsafe fn prefetch(_: *const $t) {}
        }
    };
}
array!(f32, 4);
array!(f64, 2);
