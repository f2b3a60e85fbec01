//! Tiles that read pictures where they lie, for the gradient of a convolution's weight. (For the convolution itself the same, `B` row by row from
//! wherever a window's points are, takes as long as unrolling the windows first: 48 columns there begin within a line, and jump.)

// Only AVX-512 has them.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

use super::tile::{Rows, Tile, finish, zeros};
use super::vector::{Float, Vector};

/// A tile whose `k` is runs of `tile.k` numbers of `A`, side by side; the next run begins `step` further on. `B` has them all, row after row. All
/// products are one chain.
pub struct Runs<T> {
    pub tile: Tile<T>,
    pub runs: usize,
    pub step: usize,
}

/// Tiles of all rows and of 1 to 3 vectors.
pub type Windows<T> = [unsafe fn(&Runs<T>); 3];

/// The sums of a tile of [`Runs`]. (A function of its own that gives them back by value, as in `tile`: else they would not stay in registers. For
/// the same reason addresses are computed from the two counters.)
#[inline(always)]
unsafe fn sums<V: Vector, const MR: usize, const NV: usize>(t: &Runs<V::T>) -> [[V; NV]; MR] {
    let (step, k, tile) = (t.step, t.tile.k, &t.tile);
    // SAFETY: the caller's tile says what may be read.
    unsafe {
        let mut acc = zeros::<V, MR, NV>();
        let rows = Rows::new(tile.a_row);
        for run in 0..t.runs {
            for p in 0..k {
                let (a, b) = (tile.a.wrapping_add(run * step + p), tile.b.wrapping_add((run * k + p) * NV * V::W));
                let mut bv = [V::splat(V::T::ZERO); NV];
                for j in 0..NV {
                    bv[j] = V::load(b.wrapping_add(j * V::W));
                }
                for i in 0..MR {
                    let x = V::splat(*a.wrapping_add(rows.at(i)));
                    for j in 0..NV {
                        acc[i][j] = x.mul_add(bv[j], acc[i][j]);
                    }
                }
            }
        }
        acc
    }
}

/// A tile of [`Runs`]. `B` has all lanes of the last vector.
#[inline(always)]
pub unsafe fn runs<V: Vector, const MR: usize, const NV: usize>(t: &Runs<V::T>) {
    // SAFETY: the caller's tile says what may be read and written.
    unsafe {
        let acc = sums::<V, MR, NV>(t);
        finish::<V, MR, NV, true>(&t.tile, t.tile.cols - (NV - 1) * V::W, acc);
    }
}
