//! Products of integers: they wrap.

use super::private::Product;
use super::{Activation, Epilogue, GemmElement, Mat};
use crate::threads;

/// Columns of `C` that are summed at once.
const BLOCK: usize = 256;
/// About so many multiplications make a piece for a thread.
const PIECE: usize = 1 << 18;

/// A row of `C` that one thread writes.
struct Rows<T>(*mut T);

// SAFETY: threads write to different rows.
unsafe impl<T> Sync for Rows<T> {}

impl<T> Rows<T> {
    /// # Safety
    ///
    /// `start..start + len` must lie within `C`, and belong to the calling thread.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, start: usize, len: usize) -> &mut [T] {
        // SAFETY: as the caller says.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}

macro_rules! integers {
    ($($t:ty),*) => { $(
        impl GemmElement for $t {
            const ZERO: $t = 0;
            const ONE: $t = 1;
        }

        impl Product for $t {
            fn product(m: usize, n: usize, k: usize, a: Mat<$t>, b: Mat<$t>, c: &mut [$t], ldc: usize, ep: &Epilogue<$t>, parallel: bool) {
                let grain = if parallel { PIECE.div_ceil(n * k) } else { m };
                let c = Rows(c.as_mut_ptr());
                threads::run_ranges(m, grain, &|rows| {
                    for i in rows {
                        for j0 in (0..n).step_by(BLOCK) {
                            let len = BLOCK.min(n - j0);
                            let mut sums = [0 as $t; BLOCK];
                            for p in 0..k {
                                let x = a.data[i * a.row_stride + p * a.col_stride];
                                let row = &b.data[p * b.row_stride + j0 * b.col_stride..];
                                if b.col_stride == 1 {
                                    for (s, &y) in sums.iter_mut().zip(&row[..len]) {
                                        *s = s.wrapping_add(x.wrapping_mul(y));
                                    }
                                } else {
                                    for (j, s) in sums[..len].iter_mut().enumerate() {
                                        *s = s.wrapping_add(x.wrapping_mul(row[j * b.col_stride]));
                                    }
                                }
                            }
                            // SAFETY: the door has seen that C holds the product; row `i` is this piece's.
                            let c = unsafe { c.part(i * ldc + j0, len) };
                            finish(c, &sums[..len], ep, j0);
                        }
                    }
                });

                fn finish(c: &mut [$t], sums: &[$t], ep: &Epilogue<$t>, j0: usize) {
                    for (j, (c, &sum)) in c.iter_mut().zip(sums).enumerate() {
                        let bias = ep.bias.map_or(0, |bias| bias[j0 + j]);
                        *c = ep.alpha.wrapping_mul(sum).wrapping_add(ep.beta.wrapping_mul(*c)).wrapping_add(bias);
                        if ep.activation == Activation::Relu {
                            *c = (*c).max(0);
                        }
                    }
                }
            }

            fn no_product(n: usize, row: &mut [$t], ep: &Epilogue<$t>) {
                for (j, c) in row.iter_mut().take(n).enumerate() {
                    *c = ep.beta.wrapping_mul(*c).wrapping_add(ep.bias.map_or(0, |bias| bias[j]));
                    if ep.activation == Activation::Relu {
                        *c = (*c).max(0);
                    }
                }
            }
        }
    )* };
}
integers!(i64, i32, i16, i8, u8);
