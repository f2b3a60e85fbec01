//! The kernels' text, once for all vectors: tiles of `C` and packing. Each is inlined into a function with the right `#[target_feature]` by [`kernels!`](super::kernels).

use super::vector::{Float, Vector};
use std::mem::MaybeUninit;

/// A tile's work: `C[rows, lanes] = act(alpha · A B + beta · C + bias)`.
pub struct Tile<T> {
    /// At least 1.
    pub k: usize,
    /// How many products are added up one after the other, at least 1: longer sums are made of such chains.
    pub chain: usize,
    /// `A(i, p)` at `a[i * a_row + p * a_k]`.
    pub a: *const T,
    pub a_row: usize,
    pub a_k: usize,
    /// `B(p, j)` at `b[p * b_k + j]`.
    pub b: *const T,
    pub b_k: usize,
    /// Columns of `C` (1 to `NV * W`, of which the last vector has at least one).
    pub cols: usize,
    /// Whether `b` has all lanes of the last vector, whatever `cols` says.
    pub padded: bool,
    pub c: *mut T,
    pub ldc: usize,
    /// Null: none. Else one number per column (per row for a transposed tile).
    pub bias: *const T,
    /// Null: none. Else one number per row.
    pub row_bias: *const T,
    pub alpha: T,
    pub beta: T,
    pub relu: bool,
    /// Where a packing tile leaves its vectors of `B`: `NV * W` numbers for every `p`.
    pub pack: *mut T,
}

pub type TileFn<T> = unsafe fn(&Tile<T>);

/// Up to so many steps a tile's sums are finished before C could come: to ask for it takes longer than to wait (a tenth of 1000 x 10 x 200).
const SOON: usize = 32;
/// Squares along the lanes that packing turns before it comes to the next lanes: whole cache lines are read at once, by few streams, and what is written
/// stays in the first-level cache. (One square: lines a power of two apart were lost again before their second half was read, and 128 x 512 x 256
/// took 5 % more time, 128 x 784 x 512 2 %.)
const SQUARES: usize = 16;
/// How many rows ahead a packing tile asks for `B`.
const AHEAD: usize = 12;

/// Where a tile's rows begin, such that every address is one register plus another, scaled. Left alone, the compiler walks
/// from row to row by additions, a chain as long as the multiplications take.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    one: usize,
    three: usize,
    five: usize,
    seven: usize,
}

impl Rows {
    #[inline(always)]
    pub(super) fn new(row: usize) -> Rows {
        Rows { one: row, three: opaque(3 * row), five: opaque(5 * row), seven: opaque(7 * row) }
    }

    #[inline(always)]
    pub(super) fn at(self, i: usize) -> usize {
        match i {
            0 => 0,
            1 => self.one,
            2 => 2 * self.one,
            3 => self.three,
            4 => 4 * self.one,
            5 => self.five,
            6 => 2 * self.three,
            _ => self.seven,
        }
    }
}

/// `x`, of which the compiler knows nothing.
#[inline(always)]
#[allow(unused_mut)]
fn opaque(mut x: usize) -> usize {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags))
    };
    x
}

/// The sums of a tile before the first product.
#[inline(always)]
pub(super) unsafe fn zeros<V: Vector, const MR: usize, const NV: usize>() -> [[V; NV]; MR] {
    let zero = V::T::ZERO;
    // Of a known zero in so many places the compiler clears memory, by a call, and loads the sums from there.
    let many = MR * NV * size_of::<V>() > 1024;
    // SAFETY: a number on the stack; the processor has the vector, as the caller says.
    unsafe { [[V::splat(if many { (&raw const zero).read_volatile() } else { zero }); NV]; MR] }
}

/// The sums of a tile. `PART`: the last vector of `B` has only `last` lanes.
#[inline(always)]
unsafe fn sums<V: Vector, const MR: usize, const NV: usize, const PACK: bool, const PART: bool>(
    t: &Tile<V::T>,
    last: usize,
) -> [[V; NV]; MR] {
    // SAFETY: the caller's tile says what may be read; a prefetch may have any address.
    unsafe {
        let mut acc = zeros::<V, MR, NV>();
        // In memory, and aligned: left to itself, the compiler keeps these sums in places that cross cache lines.
        let mut room = Sums::<V::T>(MaybeUninit::uninit());
        let total = opaque(room.0.as_mut_ptr().cast::<V::T>() as usize) as *mut V::T;
        let (mut a, mut b, mut pack) = (t.a, t.b, t.pack);
        let (a_k, b_k) = (t.a_k, t.b_k);
        let rows = Rows::new(t.a_row);
        if t.k > t.chain {
            for i in 0..MR * NV {
                V::splat(V::T::ZERO).store(total.add(i * V::W));
            }
        }
        let mut left = t.k;
        loop {
            let now = if left < t.chain { left } else { t.chain };
            let mut steps = now;
            // Not a `for`: as the sums live on in the loop around this one, the way past a loop of no steps would keep them out of registers.
            loop {
                let mut bv = [V::splat(V::T::ZERO); NV];
                for j in 0..NV {
                    let p = b.add(j * V::W);
                    bv[j] = if PART && j + 1 == NV { V::load_part(p, last) } else { V::load(p) };
                    if PACK {
                        bv[j].store(pack.add(j * V::W));
                    }
                }
                if PACK {
                    V::prefetch(b.wrapping_add(AHEAD * b_k));
                    pack = pack.add(NV * V::W);
                }
                for i in 0..MR {
                    let x = V::splat(*a.wrapping_add(rows.at(i)));
                    for j in 0..NV {
                        acc[i][j] = x.mul_add(bv[j], acc[i][j]);
                    }
                }
                a = a.wrapping_add(a_k);
                b = b.wrapping_add(b_k);
                steps -= 1;
                if steps == 0 {
                    break;
                }
            }
            left -= now;
            if left == 0 {
                break;
            }
            for i in 0..MR {
                for j in 0..NV {
                    let at = total.add((i * NV + j) * V::W);
                    acc[i][j].add(V::load(at)).store(at);
                    acc[i][j] = V::splat(V::T::ZERO);
                }
            }
        }
        if t.k > t.chain {
            for i in 0..MR {
                for j in 0..NV {
                    acc[i][j] = acc[i][j].add(V::load(total.add((i * NV + j) * V::W)));
                }
            }
        }
        acc
    }
}

/// A tile of `MR` rows and up to `NV * W` columns.
#[inline(always)]
pub unsafe fn tile<V: Vector, const MR: usize, const NV: usize, const PACK: bool>(t: &Tile<V::T>) {
    // SAFETY: the caller's tile says what may be read and written.
    unsafe {
        let last = t.cols - (NV - 1) * V::W;
        if t.k > SOON {
            for i in 0..MR {
                for j in 0..NV {
                    V::prefetch(t.c.wrapping_add(i * t.ldc + j * V::W));
                }
            }
        }
        if V::MASKED {
            // One text for whole and partial vectors: half of what a tile takes to compile.
            let acc = sums::<V, MR, NV, PACK, true>(t, last);
            finish::<V, MR, NV, true>(t, last, acc);
        } else if V::RARE {
            // Two texts for the sums, one for what becomes of them.
            let acc = if last == V::W || !PACK && t.padded {
                sums::<V, MR, NV, PACK, false>(t, last)
            } else {
                sums::<V, MR, NV, PACK, true>(t, last)
            };
            finish::<V, MR, NV, true>(t, last, acc);
        } else if last == V::W {
            let acc = sums::<V, MR, NV, PACK, false>(t, last);
            finish::<V, MR, NV, false>(t, last, acc);
        } else {
            // What is packed only now is never padded.
            let acc = if !PACK && t.padded {
                sums::<V, MR, NV, PACK, false>(t, last)
            } else {
                sums::<V, MR, NV, PACK, true>(t, last)
            };
            finish::<V, MR, NV, true>(t, last, acc);
        }
    }
}

#[inline(always)]
pub unsafe fn load_lanes<V: Vector>(p: *const V::T, part: bool, n: usize) -> V {
    // SAFETY: as the caller says: `n` lanes are readable, or all if not `part`.
    unsafe { if part { V::load_part(p, n) } else { V::load(p) } }
}

/// What is done with the sums. Each kind of work is a loop of its own over all of them, without a branch inside: so they stay in registers. (In one
/// loop they went through memory, a tenth of a tile of 32 steps.)
#[inline(always)]
pub(super) unsafe fn finish<V: Vector, const MR: usize, const NV: usize, const PART: bool>(
    t: &Tile<V::T>,
    last: usize,
    mut acc: [[V; NV]; MR],
) {
    // SAFETY: the caller's tile says what may be read and written.
    unsafe {
        let part = |j: usize| PART && j + 1 == NV;
        if t.alpha != V::T::ONE {
            let alpha = V::splat(t.alpha);
            for i in 0..MR {
                for j in 0..NV {
                    acc[i][j] = acc[i][j].mul(alpha);
                }
            }
        }
        if t.beta != V::T::ZERO {
            let beta = V::splat(t.beta);
            for i in 0..MR {
                for j in 0..NV {
                    let c = load_lanes::<V>(t.c.add(i * t.ldc + j * V::W), part(j), last);
                    acc[i][j] = c.mul_add(beta, acc[i][j]);
                }
            }
        }
        if !t.bias.is_null() {
            for j in 0..NV {
                let bias = load_lanes::<V>(t.bias.add(j * V::W), part(j), last);
                for i in 0..MR {
                    acc[i][j] = acc[i][j].add(bias);
                }
            }
        }
        if !t.row_bias.is_null() {
            for i in 0..MR {
                let bias = V::splat(*t.row_bias.add(i));
                for j in 0..NV {
                    acc[i][j] = acc[i][j].add(bias);
                }
            }
        }
        if t.relu {
            for i in 0..MR {
                for j in 0..NV {
                    acc[i][j] = acc[i][j].relu();
                }
            }
        }
        for i in 0..MR {
            for j in 0..NV {
                let p = t.c.add(i * t.ldc + j * V::W);
                if part(j) { acc[i][j].store_part(p, last) } else { acc[i][j].store(p) }
            }
        }
    }
}

/// Room for the sums of the largest tile: 8 x 48.
const ROOM: usize = 8 * 48;

/// The sums of a tile of the transposed product, row by row. Rows are filled up with zeros to whole squares.
#[repr(C, align(64))]
pub struct Sums<T>(MaybeUninit<[T; ROOM]>);

/// A tile of the transposed product: rows of the tile are columns of `C`, and its `cols` lanes are rows of `C`.
/// `b` must have all `NV * W` lanes. What is left to do with the sums is [`turn`].
#[inline(always)]
pub unsafe fn sums_across<V: Vector, const MR: usize, const NV: usize>(t: &Tile<V::T>) -> Sums<V::T> {
    let mut room = Sums(MaybeUninit::uninit());
    // SAFETY: the caller's tile says what may be read; MR rounded up to whole squares is at most 8, NV * W at most 48.
    unsafe {
        let acc = sums::<V, MR, NV, false, false>(t, V::W);
        let rows = room.0.as_mut_ptr().cast::<V::T>();
        for i in 0..MR.next_multiple_of(V::SQUARE) {
            for j in 0..NV {
                let v = if i < MR { acc[i][j] } else { V::splat(V::T::ZERO) };
                v.store(rows.add(i * NV * V::W + j * V::W));
            }
        }
    }
    room
}

/// Writes the sums of `mr` rows and `width` lanes, turned, to `C`.
#[inline(always)]
pub unsafe fn turn<V: Vector>(t: &Tile<V::T>, sums: &Sums<V::T>, mr: usize, width: usize) {
    // SAFETY: the caller's tile says what may be written; the rest stays within the two rooms, as in `sums_across`, and what is read there was written.
    unsafe {
        let s = V::SQUARE;
        let rows = sums.0.as_ptr().cast::<V::T>();
        let mut turned = Sums::<V::T>(MaybeUninit::uninit());
        let turned = turned.0.as_mut_ptr().cast::<V::T>();
        let (alpha, beta) = (V::splat(t.alpha), V::splat(t.beta));
        let keep = t.beta != V::T::ZERO;
        let mut i = 0;
        while i < mr {
            let n = if mr - i < s { mr - i } else { s };
            let mut lane = 0;
            while lane < width {
                V::transpose(rows.add(i * width + lane), width, turned.add(lane * s), s);
                lane += s;
            }
            let bias = if t.bias.is_null() { V::splat(V::T::ZERO) } else { V::load_part(t.bias.add(i), n) };
            for lane in 0..t.cols {
                let p = t.c.add(lane * t.ldc + i);
                let mut v = V::load_part(turned.add(lane * s), n).mul(alpha);
                if keep {
                    v = V::load_part(p, n).mul_add(beta, v);
                }
                if !t.bias.is_null() {
                    v = v.add(bias);
                }
                if t.relu {
                    v = v.relu();
                }
                v.store_part(p, n);
            }
            i += s;
        }
    }
}

/// Packing: `dst[p * width + l] = src[l * lane + p * step]` for `l < lanes`, `p < k`, zero up to `width` lanes.
pub struct Pack<T> {
    pub src: *const T,
    pub lane: usize,
    pub step: usize,
    pub lanes: usize,
    /// Lanes that exist in `src` from here on (at least `lanes`): they may be read.
    pub readable: usize,
    pub k: usize,
    pub dst: *mut T,
    pub width: usize,
}

pub type PackFn<T> = unsafe fn(&Pack<T>);

/// Writes up to `W - 1` numbers beyond the end of `dst`.
#[inline(always)]
pub unsafe fn pack<V: Vector>(t: &Pack<V::T>) {
    let s = V::SQUARE;
    // SAFETY: the caller's `t` says what may be read and written.
    unsafe {
        let mut p = 0;
        if t.step == 1 {
            // Whole squares: their lanes end beyond `width` at most in the last square of a row, and what it writes too much is
            // written again by the next row. So the last square comes first.
            let squares = t.width.div_ceil(s);
            let whole = (t.readable / s).min(squares);
            while p + s <= t.k && whole > 0 {
                let steps = if p + SQUARES * s <= t.k { SQUARES * s } else { (t.k - p) / s * s };
                for q in (0..whole).rev() {
                    for p in (p..p + steps).step_by(s) {
                        V::transpose(t.src.add(q * s * t.lane + p), t.lane, t.dst.add(p * t.width + q * s), t.width);
                    }
                }
                for l in whole * s..t.width {
                    for i in p..p + steps {
                        *t.dst.add(i * t.width + l) = if l < t.lanes { *t.src.add(l * t.lane + i) } else { V::T::ZERO };
                    }
                }
                p += steps;
            }
        } else if t.lane == 1 && t.width.next_multiple_of(V::W) <= t.readable {
            // What a row writes too much, the next writes again.
            while p < t.k {
                let (src, dst) = (t.src.add(p * t.step), t.dst.add(p * t.width));
                let mut l = 0;
                while l < t.width {
                    V::load(src.add(l)).store(dst.add(l));
                    l += V::W;
                }
                p += 1;
            }
        } else if t.lane == 1 {
            while p < t.k {
                let (src, dst) = (t.src.add(p * t.step), t.dst.add(p * t.width));
                let mut l = 0;
                while l + V::W <= t.lanes {
                    V::load(src.add(l)).store(dst.add(l));
                    l += V::W;
                }
                if l < t.width {
                    V::load_part(src.add(l), t.lanes - l).store_part(dst.add(l), V::W.min(t.width - l));
                    l += V::W;
                }
                while l < t.width {
                    *dst.add(l) = V::T::ZERO;
                    l += 1;
                }
                p += 1;
            }
        }
        while p < t.k {
            for l in 0..t.width {
                *t.dst.add(p * t.width + l) =
                    if l < t.lanes { *t.src.add(l * t.lane + p * t.step) } else { V::T::ZERO };
            }
            p += 1;
        }
    }
}
