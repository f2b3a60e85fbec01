//! The kernels' text for thin products: dot products, a row times a matrix, a very short `k`.

use super::driver::CHAIN;
use super::tile::{Tile, load_lanes};
use super::vector::{Float, Vector};
use std::mem::MaybeUninit;

/// Dot products of every row of `w` with `MX` vectors: `c[x * c_x + r * c_row]`, contiguous over `k` on both sides.
pub struct Dots<T> {
    pub k: usize,
    pub x: *const T,
    pub ldx: usize,
    pub w: *const T,
    pub ldw: usize,
    pub rows: usize,
    pub c: *mut T,
    pub c_x: usize,
    pub c_row: usize,
    /// Null: none. Else one number for each row, `bias_row` (0 or 1) apart.
    pub bias: *const T,
    pub bias_row: usize,
    pub alpha: T,
    pub beta: T,
    pub relu: bool,
}

pub type DotsFn<T> = unsafe fn(&Dots<T>);

/// All rows, `NW` at a time. `U` sums per product, so that short rows of them do not wait for each other.
#[inline(always)]
pub unsafe fn dots<V: Vector, const MX: usize, const NW: usize, const U: usize>(d: &Dots<V::T>) {
    // SAFETY: from the first row on.
    unsafe { dots_from::<V, MX, NW, U>(d, 0) }
}

#[inline(always)]
unsafe fn dots_from<V: Vector, const MX: usize, const NW: usize, const U: usize>(d: &Dots<V::T>, mut r: usize) {
    while r + NW <= d.rows {
        // SAFETY: rows r to r + NW exist.
        unsafe { finish::<V, MX, NW>(d, r, together::<V, MX, NW, U>(d, r)) };
        r += NW;
    }
    while r < d.rows {
        // SAFETY: row r exists.
        unsafe { finish::<V, MX, 1>(d, r, together::<V, MX, 1, U>(d, r)) };
        r += 1;
    }
}

/// [`dots`] of short rows with a single vector: sixteen share the steps at their end, which take more time than the rows. 100 products of 20 take three quarters of
/// the time, 4000 of 64 four fifths.
#[inline(always)]
pub unsafe fn short<V: Vector, const NW: usize, const U: usize>(d: &Dots<V::T>) {
    let mut r = 0;
    // Eight at a time, as all sums are to be in registers.
    while NW == 16 && r + 16 <= d.rows {
        // SAFETY: rows r to r + 16 exist.
        unsafe {
            let ([low], [high]) = (together::<V, 1, 8, U>(d, r), together::<V, 1, 8, U>(d, r + 8));
            let sums = std::array::from_fn(|j| if j < 8 { low[j] } else { high[j - 8] });
            finish::<V, 1, 16>(d, r, [sums]);
        }
        r += 16;
    }
    // SAFETY: the other rows.
    unsafe { dots_from::<V, 1, 4, U>(d, r) }
}

/// All rows with a single vector, row after row: one stream of memory is what the processor fetches ahead best. Against four rows at once, 40 MB from memory take half
/// the time, 3 MB from the third-level cache 5 % less; half a MB that the second-level cache holds takes 8 % more.
#[inline(always)]
pub unsafe fn streamed<V: Vector>(d: &Dots<V::T>) {
    const NW: usize = 4;
    let mut r = 0;
    // SAFETY: the rows exist.
    unsafe {
        while r + NW <= d.rows {
            let mut sums = [V::splat(V::T::ZERO); NW];
            for j in 0..NW {
                sums[j] = single::<V>(d.x, d.w.add((r + j) * d.ldw), d.k);
            }
            finish::<V, 1, NW>(d, r, [sums]);
            r += NW;
        }
        while r < d.rows {
            finish::<V, 1, 1>(d, r, [[single::<V>(d.x, d.w.add(r * d.ldw), d.k)]]);
            r += 1;
        }
    }
}

/// The sums of one row with one vector, lane by lane, as four chains.
#[inline(always)]
unsafe fn single<V: Vector>(x: *const V::T, w: *const V::T, k: usize) -> V {
    // SAFETY: the caller's rows have k elements.
    unsafe {
        let mut acc = [V::splat(V::T::ZERO); 4];
        let mut p = 0;
        while p + 4 * V::W <= k {
            for u in 0..4 {
                acc[u] = V::load(x.add(p + u * V::W)).mul_add(V::load(w.add(p + u * V::W)), acc[u]);
            }
            p += 4 * V::W;
        }
        for u in 0..3 {
            if p + V::W <= k {
                acc[u] = V::load(x.add(p)).mul_add(V::load(w.add(p)), acc[u]);
                p += V::W;
            }
        }
        if p < k {
            acc[3] = V::load_part(x.add(p), k - p).mul_add(V::load_part(w.add(p), k - p), acc[3]);
        }
        acc[0].add(acc[1]).add(acc[2].add(acc[3]))
    }
}

/// The sums of some rows with all vectors, lane by lane.
#[inline(always)]
unsafe fn together<V: Vector, const MX: usize, const NW: usize, const U: usize>(
    d: &Dots<V::T>,
    r: usize,
) -> [[V; NW]; MX] {
    // SAFETY: the caller's `d` says what may be read.
    unsafe {
        let mut acc = [[[V::splat(V::T::ZERO); NW]; MX]; U];
        let w = d.w.add(r * d.ldw);
        let mut p = 0;
        while p + U * V::W <= d.k {
            for u in 0..U {
                let mut wv = [V::splat(V::T::ZERO); NW];
                for j in 0..NW {
                    wv[j] = V::load(w.add(j * d.ldw + p + u * V::W));
                }
                for i in 0..MX {
                    let x = V::load(d.x.add(i * d.ldx + p + u * V::W));
                    for j in 0..NW {
                        acc[u][i][j] = x.mul_add(wv[j], acc[u][i][j]);
                    }
                }
            }
            p += U * V::W;
        }
        while p < d.k {
            let n = V::W.min(d.k - p);
            for i in 0..MX {
                let x = V::load_part(d.x.add(i * d.ldx + p), n);
                for j in 0..NW {
                    acc[0][i][j] = x.mul_add(V::load_part(w.add(j * d.ldw + p), n), acc[0][i][j]);
                }
            }
            p += n;
        }
        for i in 0..MX {
            for j in 0..NW {
                for u in 1..U {
                    acc[0][i][j] = acc[0][i][j].add(acc[u][i][j]);
                }
            }
        }
        acc[0]
    }
}

/// From the sums of rows `r` on to their place in `C`.
#[inline(always)]
unsafe fn finish<V: Vector, const MX: usize, const NW: usize>(d: &Dots<V::T>, r: usize, vectors: [[V; NW]; MX]) {
    // SAFETY: the caller's `d` says what may be written.
    unsafe {
        // Into numbers first, by a loop that is all unrolled: asked for their place in the loop below, the sums would lie in memory from the beginning, which takes
        // more than twice as long for three and four vectors.
        let mut sums = [[V::T::ZERO; NW]; MX];
        for i in 0..MX {
            sums[i] = V::sums(vectors[i]);
        }
        // Each question once for all.
        let plain = d.alpha == V::T::ONE && d.beta == V::T::ZERO;
        if NW == V::W && plain && d.c_row == 1 {
            for i in 0..MX {
                let mut v = V::load(sums[i].as_ptr());
                if !d.bias.is_null() {
                    v = v.add(if d.bias_row == 1 { V::load(d.bias.add(r)) } else { V::splat(*d.bias) });
                }
                if d.relu {
                    v = v.relu();
                }
                v.store(d.c.add(i * d.c_x + r));
            }
            return;
        }
        let c = |i: usize, j: usize| d.c.add(i * d.c_x + (r + j) * d.c_row);
        if !plain {
            for i in 0..MX {
                for j in 0..NW {
                    sums[i][j] = finish_one(sums[i][j], c(i, j), d.alpha, d.beta, None, false);
                }
            }
        }
        if !d.bias.is_null() {
            for j in 0..NW {
                let bias = *d.bias.add((r + j) * d.bias_row);
                for i in 0..MX {
                    sums[i][j] = sums[i][j] + bias;
                }
            }
        }
        if d.relu {
            for i in 0..MX {
                sums[i] = sums[i].map(V::T::relu);
            }
        }
        for i in 0..MX {
            for j in 0..NW {
                *c(i, j) = sums[i][j];
            }
        }
    }
}

/// The epilogue of one element.
#[inline(always)]
unsafe fn finish_one<T: Float>(sum: T, c: *const T, alpha: T, beta: T, bias: Option<T>, relu: bool) -> T {
    let mut v = sum.mul_add(alpha, T::ZERO);
    if beta != T::ZERO {
        // SAFETY: `c` is readable.
        v = unsafe { *c }.mul_add(beta, v);
    }
    if let Some(bias) = bias {
        v = v + bias;
    }
    if relu { v.relu() } else { v }
}

/// A row times a matrix: `c[j * c_step] = act(alpha · Σ_p x[p * x_step] m[p * ldm + j] + ...)` for `j < cols`.
pub struct Sweep<T> {
    pub k: usize,
    pub x: *const T,
    pub x_step: usize,
    pub m: *const T,
    pub ldm: usize,
    pub cols: usize,
    pub c: *mut T,
    pub c_step: usize,
    pub bias: *const T,
    pub bias_step: usize,
    pub alpha: T,
    pub beta: T,
    pub relu: bool,
}

pub type SweepFn<T> = unsafe fn(&Sweep<T>);

/// Up to so many vectors of columns are done one after the other, with sums in registers.
const NARROW: usize = 4;

/// Goes through the matrix row by row, eight at a time, because strips of columns would touch a page per row.
#[inline(always)]
pub unsafe fn sweep<V: Vector>(s: &Sweep<V::T>) {
    const ROOM: usize = 1024;
    const ROWS: usize = 8;
    if s.cols <= NARROW * V::W {
        let mut j = 0;
        while j < s.cols {
            let n = if s.cols - j < V::W { s.cols - j } else { V::W };
            // SAFETY: columns j to j + n exist.
            unsafe { narrow::<V>(s, j, n) };
            j += n;
        }
        return;
    }
    // Written as far as it is needed: to clear all of it takes longer than a short product.
    let mut room = [const { MaybeUninit::<V::T>::uninit() }; ROOM];
    let mut j0 = 0;
    while j0 < s.cols {
        let n = ROOM.min(s.cols - j0);
        room[..n].fill(MaybeUninit::new(V::T::ZERO));
        let y = room.as_mut_ptr().cast::<V::T>();
        let mut p = 0;
        while p < s.k {
            // SAFETY: columns j0 to j0 + n and rows p on exist.
            unsafe {
                if p + ROWS <= s.k {
                    add_rows::<V, ROWS>(s, p, j0, n, y);
                    p += ROWS;
                } else {
                    add_rows::<V, 1>(s, p, j0, n, y);
                    p += 1;
                }
            }
        }
        for j in 0..n {
            // SAFETY: column j0 + j exists; the first n of the room are written.
            unsafe {
                let c = s.c.add((j0 + j) * s.c_step);
                let bias = if s.bias.is_null() { None } else { Some(*s.bias.add((j0 + j) * s.bias_step)) };
                *c = finish_one(*y.add(j), c, s.alpha, s.beta, bias, s.relu);
            }
        }
        j0 += n;
    }
}

/// `n` columns, at most a vector of them: eight chains of rows, because one product waits for the other.
#[inline(always)]
unsafe fn narrow<V: Vector>(s: &Sweep<V::T>, j: usize, n: usize) {
    const CHAINS: usize = 8;
    // SAFETY: the caller's columns exist, and all rows.
    unsafe {
        let part = n < V::W;
        let product = |p: usize, sum: V| {
            let row = load_lanes::<V>(s.m.add(p * s.ldm + j), part, n);
            V::splat(*s.x.add(p * s.x_step)).mul_add(row, sum)
        };
        let mut total = V::splat(V::T::ZERO);
        let mut p = 0;
        while p < s.k {
            let end = s.k.min(p + CHAINS * CHAIN);
            let mut acc = [V::splat(V::T::ZERO); CHAINS];
            while p + CHAINS <= end {
                for i in 0..CHAINS {
                    acc[i] = product(p + i, acc[i]);
                }
                p += CHAINS;
            }
            while p < end {
                acc[0] = product(p, acc[0]);
                p += 1;
            }
            for i in 0..CHAINS {
                total = total.add(acc[i]);
            }
        }
        let plain = s.alpha == V::T::ONE && s.beta == V::T::ZERO && s.bias.is_null() && !s.relu;
        if plain && s.c_step == 1 {
            let c = s.c.add(j);
            return if part { total.store_part(c, n) } else { total.store(c) };
        }
        // A vector has 64 bytes at most.
        let mut sums = [V::T::ZERO; 16];
        total.store(sums.as_mut_ptr());
        for (i, sum) in sums.iter().enumerate().take(n) {
            let c = s.c.add((j + i) * s.c_step);
            let bias = if s.bias.is_null() { None } else { Some(*s.bias.add((j + i) * s.bias_step)) };
            *c = finish_one(*sum, c, s.alpha, s.beta, bias, s.relu);
        }
    }
}

#[inline(always)]
unsafe fn add_rows<V: Vector, const R: usize>(s: &Sweep<V::T>, p: usize, j0: usize, n: usize, y: *mut V::T) {
    // SAFETY: the caller's ranges lie within the matrix and `y`.
    unsafe {
        let m = s.m.add(p * s.ldm + j0);
        let mut x = [V::splat(V::T::ZERO); R];
        for i in 0..R {
            x[i] = V::splat(*s.x.add((p + i) * s.x_step));
        }
        let mut j = 0;
        while j + V::W <= n {
            let mut v = V::load(y.add(j));
            for i in 0..R {
                v = x[i].mul_add(V::load(m.add(i * s.ldm + j)), v);
            }
            v.store(y.add(j));
            j += V::W;
        }
        if j < n {
            let mut v = V::load_part(y.add(j), n - j);
            for i in 0..R {
                v = x[i].mul_add(V::load_part(m.add(i * s.ldm + j), n - j), v);
            }
            v.store_part(y.add(j), n - j);
        }
    }
}

/// The product with a very short `k`, row by row: `C` is written as fast as memory takes it.
#[inline(always)]
pub unsafe fn rows<V: Vector, const K: usize>(r: &Tile<V::T>, count: usize) {
    let plain = r.beta == V::T::ZERO && r.bias.is_null() && !r.relu;
    for i in 0..count {
        // SAFETY: the caller's tile says what may be read and written.
        unsafe {
            let c = r.c.add(i * r.ldc);
            let mut x = [V::splat(V::T::ZERO); K];
            for p in 0..K {
                x[p] = V::splat(*r.a.add(i * r.a_row + p * r.a_k));
            }
            if plain { plain_row(r, &x, c) } else { row(r, &x, c) }
        }
    }
}

/// `Σ_p x[p] b[p]` at columns `j..j + n`, times alpha; `part`: `n` is less than a vector.
#[inline(always)]
unsafe fn product_at<V: Vector, const K: usize>(r: &Tile<V::T>, x: &[V; K], j: usize, part: bool, n: usize) -> V {
    // SAFETY: the caller's columns exist.
    unsafe {
        let mut v = V::splat(V::T::ZERO);
        for p in 0..K {
            v = x[p].mul_add(load_lanes::<V>(r.b.add(p * r.b_k + j), part, n), v);
        }
        v.mul(V::splat(r.alpha))
    }
}

/// A row of the product alone. (Without a question in its loop; narrow rows take half the time.)
#[inline(always)]
unsafe fn plain_row<V: Vector, const K: usize>(r: &Tile<V::T>, x: &[V; K], c: *mut V::T) {
    let mut j = 0;
    // SAFETY: as `rows`.
    unsafe {
        while j + 4 * V::W <= r.cols {
            for q in 0..4 {
                let at = j + q * V::W;
                product_at(r, x, at, false, V::W).store(c.add(at));
            }
            j += 4 * V::W;
        }
        while j + V::W <= r.cols {
            product_at(r, x, j, false, V::W).store(c.add(j));
            j += V::W;
        }
        if j < r.cols {
            product_at(r, x, j, true, r.cols - j).store_part(c.add(j), r.cols - j);
        }
    }
}

/// A row of the product with what else is done with it.
#[inline(always)]
unsafe fn row<V: Vector, const K: usize>(r: &Tile<V::T>, x: &[V; K], c: *mut V::T) {
    let mut j = 0;
    while j < r.cols {
        let n = if r.cols - j < V::W { r.cols - j } else { V::W };
        let part = n < V::W;
        // SAFETY: as `rows`.
        unsafe {
            let mut v = product_at(r, x, j, part, n);
            if r.beta != V::T::ZERO {
                v = load_lanes::<V>(c.add(j), part, n).mul_add(V::splat(r.beta), v);
            }
            if !r.bias.is_null() {
                v = v.add(load_lanes::<V>(r.bias.add(j), part, n));
            }
            if r.relu {
                v = v.relu();
            }
            if part { v.store_part(c.add(j), n) } else { v.store(c.add(j)) }
        }
        j += V::W;
    }
}

pub type RowsFn<T> = unsafe fn(&Tile<T>, usize);
