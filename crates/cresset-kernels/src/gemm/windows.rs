//! Tiles that read pictures where they lie, for the convolutions: an operand is not one matrix there but runs of rows, or rows wherever a window's
//! points are.

use super::tile::{Rows, Tile, finish};
use super::vector::{Float, Vector};

/// A tile whose `k` is runs of `tile.k` numbers of `A`, side by side; the next run begins `step` further on. `B` has them all, row after row.
pub struct Runs<T> {
    pub tile: Tile<T>,
    pub runs: usize,
    pub step: usize,
}

/// A tile whose `k` is planes of `tile.k` rows of `B`: row `p` of a plane is at `taps[p]`. `A` has them all side by side.
pub struct Taps<T> {
    pub tile: Tile<T>,
    pub taps: *const usize,
    pub planes: usize,
    /// From a plane of `B` to the next.
    pub step: usize,
}

/// Both kinds of tiles, of all rows. Runs with 1 to 3 vectors.
pub struct Windows<T> {
    pub runs: [unsafe fn(&Runs<T>); 3],
    pub taps: unsafe fn(&Taps<T>),
}

#[inline(always)]
unsafe fn step<V: Vector, const MR: usize, const NV: usize>(
    acc: &mut [[V; NV]; MR],
    a: *const V::T,
    rows: Rows,
    b: *const V::T,
) {
    // SAFETY: the caller's promise: these rows of A, and whole vectors of B.
    unsafe {
        let mut bv = [V::splat(V::T::ZERO); NV];
        for j in 0..NV {
            bv[j] = V::load(b.add(j * V::W));
        }
        for i in 0..MR {
            let x = V::splat(*a.wrapping_add(rows.at(i)));
            for j in 0..NV {
                acc[i][j] = x.mul_add(bv[j], acc[i][j]);
            }
        }
    }
}

/// A tile of [`Runs`]. `B` has all lanes of the last vector.
#[inline(always)]
pub unsafe fn runs<V: Vector, const MR: usize, const NV: usize>(t: &Runs<V::T>) {
    // SAFETY: the caller's tile says what may be read and written.
    unsafe {
        let mut acc = [[V::splat(V::T::ZERO); NV]; MR];
        let rows = Rows::new(t.tile.a_row);
        let (mut start, mut b) = (t.tile.a, t.tile.b);
        for _ in 0..t.runs {
            let mut a = start;
            for _ in 0..t.tile.k {
                step::<V, MR, NV>(&mut acc, a, rows, b);
                a = a.wrapping_add(1);
                b = b.wrapping_add(NV * V::W);
            }
            start = start.wrapping_add(t.step);
        }
        finish::<V, MR, NV, true>(&t.tile, t.tile.cols - (NV - 1) * V::W, &acc);
    }
}

/// A tile of [`Taps`]. `B` has all lanes of the last vector.
#[inline(always)]
pub unsafe fn taps<V: Vector, const MR: usize, const NV: usize>(t: &Taps<V::T>) {
    // SAFETY: the caller's tile says what may be read and written.
    unsafe {
        let mut acc = [[V::splat(V::T::ZERO); NV]; MR];
        let rows = Rows::new(t.tile.a_row);
        let (mut a, mut plane) = (t.tile.a, t.tile.b);
        for _ in 0..t.planes {
            for p in 0..t.tile.k {
                step::<V, MR, NV>(&mut acc, a, rows, plane.wrapping_add(*t.taps.add(p)));
                a = a.wrapping_add(1);
            }
            plane = plane.wrapping_add(t.step);
        }
        finish::<V, MR, NV, true>(&t.tile, t.tile.cols - (NV - 1) * V::W, &acc);
    }
}
