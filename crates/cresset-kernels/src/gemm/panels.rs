//! Products whose right operand lies in panels already, for callers that make the panels themselves.

use super::driver::Job;
use super::kernels::{Kerneled, Kernels};
use super::tile::Pack;
use super::windows::Windows;
#[cfg(target_arch = "x86_64")]
use crate::level::{Level, level};

/// Most of `k` in one product: while rows pass over a panel it stays in the second-level cache.
const K_MOST: usize = 640;

/// The kernels of f32 at the level in use. A panel is [`width`](Panels::width) columns of the right operand, row after row; the last one has
/// as many columns as remain, rounded up to whole [`lanes`](Panels::lanes).
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    kernels: &'static Kernels<f32>,
    windows: Option<&'static Windows<f32>>,
}

/// One product `C[m, n] = A[m, k] B (+ C)`.
pub(crate) struct Product {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// `A(i, p)` at `a[i * a_row + p]`.
    pub a: *const f32,
    pub a_row: usize,
    /// The panels, one behind the other.
    pub b: *const f32,
    pub c: *mut f32,
    pub ldc: usize,
    /// Whether what C holds is added.
    pub accumulate: bool,
}

impl Panels {
    /// For the level in use.
    pub fn new() -> Panels {
        #[cfg(target_arch = "x86_64")]
        let windows = (level() == Level::Avx512).then(super::avx512::windows);
        #[cfg(not(target_arch = "x86_64"))]
        let windows = None;
        Panels { kernels: f32::kernels(), windows }
    }
    /// Columns of a vector.
    pub fn lanes(self) -> usize {
        self.kernels.w
    }
    /// Columns of a panel.
    pub fn width(self) -> usize {
        self.kernels.nv * self.kernels.w
    }
    /// Rows of the largest tile.
    pub fn rows(self) -> usize {
        self.kernels.mr
    }
    /// Tiles of [`rows`](Panels::rows) rows that read windows where they lie, if this level has some.
    pub fn windows(self) -> Option<&'static Windows<f32>> {
        self.windows
    }
    /// How many blocks `k` is cut into, and the longest. A product has one of them.
    pub fn k_blocks(self, k: usize) -> (usize, usize) {
        let blocks = k.div_ceil(K_MOST).max(1);
        (blocks, k.div_ceil(blocks))
    }

    /// The product, on this thread.
    ///
    /// # Safety
    /// The operands lie within their memory; nobody else uses C.
    pub unsafe fn multiply(self, p: &Product) {
        let job = Job {
            kernels: self.kernels,
            m: p.m,
            n: p.n,
            k: p.k,
            a: p.a,
            a_row: p.a_row,
            a_col: 1,
            b: std::ptr::null(),
            b_row: 0,
            b_col: 0,
            packed: p.b,
            c: p.c,
            ldc: p.ldc,
            bias: std::ptr::null(),
            alpha: 1.0,
            beta: if p.accumulate { 1.0 } else { 0.0 },
            relu: false,
            parallel: false,
        };
        // SAFETY: the caller's promise.
        unsafe { job.block_of_k(0..p.m, 0..p.n) }
    }

    /// `dst[p * width + l] = src[l * ld + p]` for `l < lanes`, `p < k`; zero up to `width` lanes.
    ///
    /// # Safety
    /// The numbers lie within their memory, and that of `dst` goes on for a vector more, which may be overwritten.
    pub unsafe fn transpose(self, src: *const f32, ld: usize, lanes: usize, k: usize, dst: *mut f32, width: usize) {
        // SAFETY: the caller's promise.
        unsafe { (self.kernels.pack)(&Pack { src, lane: ld, step: 1, lanes, readable: lanes, k, dst, width }) }
    }
}
