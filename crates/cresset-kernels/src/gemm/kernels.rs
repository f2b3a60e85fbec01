//! The table of kernels of one level, and the door that chooses it.

use super::thin::{DotsFn, RowsFn, SweepFn};
use super::tile::{PackFn, TileFn};
use super::vector::{Array, Float};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::level::{Level, level};

/// Most rows and vectors that a tile of any level has.
pub const MR_MOST: usize = 8;
pub const NV_MOST: usize = 3;

/// One kind of tile for every number of rows and of vectors: `[rows - 1][vectors - 1]`.
pub type Tiles<T> = [[Option<TileFn<T>>; NV_MOST]; MR_MOST];

/// The kernels of one level for one type.
pub struct Kernels<T> {
    /// Lanes of a vector.
    pub w: usize,
    /// Rows of the largest tile.
    pub mr: usize,
    /// Vectors in a row of the largest tile.
    pub nv: usize,
    pub tile: Tiles<T>,
    /// Tiles that copy `B` as they read it. Of two tiles that are as even as can be the first has more than half of the rows of the largest.
    pub packing: Tiles<T>,
    /// Tiles of the transposed product.
    pub across: Tiles<T>,
    /// Dot products with 1 to 4 vectors.
    pub dots: [DotsFn<T>; 4],
    /// Dot products with one vector, of short rows.
    pub short: DotsFn<T>,
    /// Dot products with one vector, of a matrix that no near cache holds.
    pub streamed: DotsFn<T>,
    /// Products with `k` of 1 to 4.
    pub rows: [RowsFn<T>; 4],
    pub sweep: SweepFn<T>,
    pub pack: PackFn<T>,
}

/// A function `$name` that returns the kernels of vector `$v`, compiled with `$features`.
macro_rules! kernels {
    ($name:ident, $v:ty, $t:ty, $($features:literal)?, $mr:literal, $nv:literal, [$($r:literal),*], [$($half:literal),*], $nvs:tt,
     [$(($mx:literal, $nw:literal, $u:literal)),*], ($together:literal, $chains:literal)) => {
        /// The kernels on this vector.
        pub fn $name() -> &'static $crate::gemm::kernels::Kernels<$t> {
            use $crate::gemm::{kernels, thin, tile as text};
            $(#[target_feature(enable = $features)])?
            unsafe fn tile<const MR: usize, const NV: usize>(t: &text::Tile<$t>) {
                // SAFETY: the caller's tile, and the level was chosen because the processor has it; so it is below.
                unsafe { text::tile::<$v, MR, NV, false>(t) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn packing<const MR: usize, const NV: usize>(t: &text::Tile<$t>) {
                // SAFETY: see above.
                unsafe { text::tile::<$v, MR, NV, true>(t) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn across<const MR: usize, const NV: usize>(t: &text::Tile<$t>) {
                // SAFETY: see above.
                unsafe {
                    use $crate::gemm::vector::Vector;
                    let (sums, width) = (text::sums_across::<$v, MR, NV>(t), NV * <$v>::W);
                    // One text for all widths, except where networks of a few neurons would notice: a tenth of their time.
                    if <$v>::MASKED || <$v>::RARE { turn::<MR>(t, &sums, width) } else { text::turn::<$v>(t, &sums, MR, width) }
                }
            }
            $(#[target_feature(enable = $features)])?
            #[inline(never)]
            unsafe fn turn<const MR: usize>(t: &text::Tile<$t>, sums: &text::Sums<$t>, width: usize) {
                // SAFETY: see above.
                unsafe { text::turn::<$v>(t, sums, MR, width) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn dots<const MX: usize, const NW: usize, const U: usize>(d: &thin::Dots<$t>) {
                // SAFETY: see above.
                unsafe { thin::dots::<$v, MX, NW, U>(d) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn short<const NW: usize, const U: usize>(d: &thin::Dots<$t>) {
                // SAFETY: see above.
                unsafe { thin::short::<$v, NW, U>(d) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn streamed(d: &thin::Dots<$t>) {
                // SAFETY: see above.
                unsafe { thin::streamed::<$v>(d) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn rows<const K: usize>(t: &text::Tile<$t>, count: usize) {
                // SAFETY: see above.
                unsafe { thin::rows::<$v, K>(t, count) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn sweep(s: &thin::Sweep<$t>) {
                // SAFETY: see above.
                unsafe { thin::sweep::<$v>(s) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn pack(p: &text::Pack<$t>) {
                // SAFETY: see above.
                unsafe { text::pack::<$v>(p) }
            }
            static KERNELS: kernels::Kernels<$t> = kernels::Kernels {
                w: size_of::<$v>() / size_of::<$t>(),
                mr: $mr,
                nv: $nv,
                tile: kernels::tiles!(tile, [$($r),*], $nvs),
                packing: kernels::tiles!(packing, [$($half),*], $nvs),
                across: kernels::tiles!(across, [$($r),*], $nvs),
                dots: [$(dots::<$mx, $nw, $u>),*],
                short: short::<$together, $chains>,
                streamed,
                rows: [rows::<1>, rows::<2>, rows::<3>, rows::<4>],
                sweep,
                pack,
            };
            &KERNELS
        }
    };
}
pub(super) use kernels;

/// A table of the tiles that `$f` makes.
macro_rules! tiles {
    ($f:ident, [$($r:literal),*], $nvs:tt) => {{
        let mut table: $crate::gemm::kernels::Tiles<_> =
            [[None; $crate::gemm::kernels::NV_MOST]; $crate::gemm::kernels::MR_MOST];
        $( $crate::gemm::kernels::tiles!(@row table, $f, $r, $nvs); )*
        table
    }};
    (@row $table:ident, $f:ident, $r:literal, [$($v:literal),*]) => {
        $( $table[$r - 1][$v - 1] = Some($f::<$r, $v>); )*
    };
}
pub(super) use tiles;

// Where there is AVX2 this is for old processors, with small tiles that are quick to compile.
#[cfg(target_arch = "x86_64")]
mod portable {
    use super::Array;
    super::kernels!(f32_kernels, Array<f32, 4>, f32, , 2, 2, [1, 2], [2], [1, 2], [(1, 2, 1), (2, 2, 1), (3, 1, 1), (4, 1, 1)], (2, 1));
    super::kernels!(f64_kernels, Array<f64, 2>, f64, , 2, 2, [1, 2], [2], [1, 2], [(1, 2, 1), (2, 2, 1), (3, 1, 1), (4, 1, 1)], (2, 1));
}
#[cfg(not(target_arch = "x86_64"))]
mod portable {
    use super::Array;
    super::kernels!(f32_kernels, Array<f32, 4>, f32, , 4, 2, [1, 2, 3, 4], [3, 4], [1, 2],
        [(1, 4, 2), (2, 4, 1), (3, 4, 1), (4, 3, 1)], (4, 2));
    super::kernels!(f64_kernels, Array<f64, 2>, f64, , 4, 2, [1, 2, 3, 4], [3, 4], [1, 2],
        [(1, 4, 2), (2, 4, 1), (3, 4, 1), (4, 3, 1)], (4, 2));
}

/// A float type with kernels.
pub trait Kerneled: Float {
    /// The kernels of the level in use.
    fn kernels() -> &'static Kernels<Self>;
}

impl Kerneled for f32 {
    #[inline]
    fn kernels() -> &'static Kernels<f32> {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::f32_kernels(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::f32_kernels(),
            Level::Scalar | Level::Neon => portable::f32_kernels(),
            #[allow(unreachable_patterns)]
            _ => portable::f32_kernels(),
        }
    }
}

impl Kerneled for f64 {
    #[inline]
    fn kernels() -> &'static Kernels<f64> {
        match level() {
            // A table of AVX-512 for f64 too would be a tenth of what this crate takes to compile.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx2 => avx2::f64_kernels(),
            Level::Scalar | Level::Neon => portable::f64_kernels(),
            #[allow(unreachable_patterns)]
            _ => portable::f64_kernels(),
        }
    }
}
