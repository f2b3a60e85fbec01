//! Copies between layouts.

use super::{Element, In, Out, input, output};
#[cfg(target_arch = "x86_64")]
use crate::level::{Level, level};
use crate::strided::Plan;
use crate::threads;

/// Elements in a thread's piece.
const GRAIN: usize = 16 * 1024;
/// A transposed copy goes by squares of this many elements, so that the lines of cache it writes are still there for the next
/// column.
const TILE: usize = 32;

/// Two tensors, untyped but for the size of an element.
struct Pair<W> {
    from: *const W,
    to: *mut W,
}
// SAFETY: pieces of a copy write disjoint elements (`output` has refused overlaps) and only read the source.
unsafe impl<W> Sync for Pair<W> {}

/// `out = x`, whatever the strides of either.
pub fn copy<T: Element>(shape: &[usize], x: In<T>, out: Out<T>) {
    let (from, to) = (input(shape, x), output(shape, out));
    let plan = Plan::new(shape, &[to.strides, from.strides]);
    // By size, not by type: bits are copied, and the code exists four times instead of ten.
    // SAFETY: `input` and `output` have checked the bounds for this shape.
    unsafe {
        match size_of::<T>() {
            1 => run(&plan, &Pair::<u8> { from: from.ptr, to: to.ptr }),
            2 => run(&plan, &Pair::<u16> { from: from.ptr.cast(), to: to.ptr.cast() }),
            4 => run(&plan, &Pair::<u32> { from: from.ptr.cast(), to: to.ptr.cast() }),
            _ => run(&plan, &Pair::<u64> { from: from.ptr.cast(), to: to.ptr.cast() }),
        }
    }
}

/// # Safety
/// The plan's offsets (output first) must be inside both tensors, and the output's elements apart.
unsafe fn run<W: Copy>(plan: &Plan, pair: &Pair<W>) {
    if plan.is_empty() {
        return;
    }
    let other = (1..plan.dims()).find(|&d| plan.stride(d, 1) == 1);
    if let (Some(d), true) = (other, plan.dims() > 1 && plan.stride(0, 0) == 1 && plan.stride(0, 1) > 1) {
        // SAFETY: the caller's promise.
        return unsafe { transpose(plan, d, pair) };
    }
    threads::run_ranges(plan.len(), GRAIN, &|r| {
        plan.walk(r, |at, len, step| {
            // SAFETY: `walk` stays inside the shape, hence inside the tensors.
            unsafe { row(pair.from.add(at[1]), step[1], pair.to.add(at[0]), step[0], len) };
        })
    });
}

/// # Safety
/// `len` elements at the given steps must be readable and writable.
#[inline(always)]
unsafe fn row<W: Copy>(from: *const W, from_step: usize, to: *mut W, to_step: usize, len: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match (to_step, from_step) {
            // A call of memcpy costs more than a few elements.
            (1, 1) if len > 8 => std::ptr::copy_nonoverlapping(from, to, len),
            (1, 0) => {
                let v = from.read();
                (0..len).for_each(|i| to.add(i).write(v));
            }
            (1, _) => (0..len).for_each(|i| to.add(i).write(from.add(i * from_step).read())),
            _ => (0..len).for_each(|i| to.add(i * to_step).write(from.add(i * from_step).read())),
        }
    }
}

/// The output is contiguous along dimension 0, the source along dimension `d`: by squares over these two.
///
/// # Safety
/// As `run`.
unsafe fn transpose<W: Copy>(plan: &Plan, d: usize, pair: &Pair<W>) {
    let (cols, rows) = (plan.shape()[0], plan.shape()[d]);
    let (from_step, to_step) = (plan.stride(0, 1), plan.stride(d, 0));
    let bands = rows.div_ceil(TILE);
    let outer: usize = plan.len() / (cols * rows);
    // A piece is some bands of 32 rows of the output.
    let grain = (GRAIN / (cols * TILE)).max(1);
    threads::run_ranges(outer * bands, grain, &|r| {
        for i in r {
            let (mut rest, band) = (i / bands, i % bands);
            let (mut at_from, mut at_to) = (0, 0);
            for k in 1..plan.dims() {
                if k != d {
                    at_from += rest % plan.shape()[k] * plan.stride(k, 1);
                    at_to += rest % plan.shape()[k] * plan.stride(k, 0);
                    rest /= plan.shape()[k];
                }
            }
            let r0 = band * TILE;
            let r1 = rows.min(r0 + TILE);
            // SAFETY: r0 .. r1 and all columns are indices of the two dimensions, the rest of the offset comes from the others.
            unsafe {
                let from = pair.from.add(at_from + r0);
                let to = pair.to.add(at_to + r0 * to_step);
                band_of(from, from_step, to, to_step, r1 - r0, cols);
            }
        }
    });
}

/// `to[r, c] = from[c, r]` for a few rows and all columns.
///
/// # Safety
/// All these elements must be readable and writable.
unsafe fn band_of<W: Copy>(from: *const W, from_step: usize, to: *mut W, to_step: usize, rows: usize, cols: usize) {
    let mut c0 = 0;
    // SAFETY: the caller's promise; squares are taken only where they fit.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if size_of::<W>() == 4 && level() >= Level::Avx2 {
            while c0 + 8 <= cols {
                let mut r = 0;
                while r + 8 <= rows {
                    let (from, to) = (from.add(c0 * from_step + r), to.add(r * to_step + c0));
                    square_avx2(from.cast(), from_step, to.cast(), to_step);
                    r += 8;
                }
                plain(from.add(c0 * from_step + r), from_step, to.add(r * to_step + c0), to_step, rows - r, 8);
                c0 += 8;
            }
        }
        while c0 < cols {
            let n = TILE.min(cols - c0);
            plain(from.add(c0 * from_step), from_step, to.add(c0), to_step, rows, n);
            c0 += n;
        }
    }
}

/// One by one.
///
/// # Safety
/// As `band_of`.
#[inline(always)]
unsafe fn plain<W: Copy>(from: *const W, from_step: usize, to: *mut W, to_step: usize, rows: usize, cols: usize) {
    for r in 0..rows {
        for c in 0..cols {
            // SAFETY: the caller's promise.
            unsafe { to.add(r * to_step + c).write(from.add(c * from_step + r).read()) };
        }
    }
}

/// Eight by eight elements of 4 bytes, turned in registers.
///
/// # Safety
/// All 64 elements must be readable and writable, and the processor must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn square_avx2(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
    use std::arch::x86_64::*;
    // SAFETY: the caller's promise.
    unsafe {
        let row = |i: usize| _mm256_loadu_ps(from.add(i * from_step));
        // Pairs of rows interleaved, then pairs of pairs, then halves exchanged.
        let (a0, a1) = (_mm256_unpacklo_ps(row(0), row(1)), _mm256_unpackhi_ps(row(0), row(1)));
        let (a2, a3) = (_mm256_unpacklo_ps(row(2), row(3)), _mm256_unpackhi_ps(row(2), row(3)));
        let (a4, a5) = (_mm256_unpacklo_ps(row(4), row(5)), _mm256_unpackhi_ps(row(4), row(5)));
        let (a6, a7) = (_mm256_unpacklo_ps(row(6), row(7)), _mm256_unpackhi_ps(row(6), row(7)));
        let low = |a, b| _mm256_shuffle_ps::<0x44>(a, b);
        let high = |a, b| _mm256_shuffle_ps::<0xee>(a, b);
        let (b0, b1, b2, b3) = (low(a0, a2), high(a0, a2), low(a1, a3), high(a1, a3));
        let (b4, b5, b6, b7) = (low(a4, a6), high(a4, a6), low(a5, a7), high(a5, a7));
        let halves = [(b0, b4), (b1, b5), (b2, b6), (b3, b7)];
        for (i, (a, b)) in halves.into_iter().enumerate() {
            _mm256_storeu_ps(to.add(i * to_step), _mm256_permute2f128_ps::<0x20>(a, b));
            _mm256_storeu_ps(to.add((i + 4) * to_step), _mm256_permute2f128_ps::<0x31>(a, b));
        }
    }
}

/// Row by row what lies in several parts, each of them `rows` rows of its own length: row i of the output is row i of the first part, of the second
/// and so on. (A strided copy for each part cost eight small ones 2.4 times as much.)
///
/// # Panics
/// If a part has no whole number of rows, or the output is not as long as the parts together.
pub fn side_by_side(rows: usize, parts: &[&[u8]], out: &mut [u8]) {
    assert!(parts.iter().map(|p| p.len()).sum::<usize>() == out.len(), "the output is as long as its parts together");
    if out.is_empty() {
        return;
    }
    assert!(parts.iter().all(|p| p.len().is_multiple_of(rows)), "each part has {rows} rows");
    let row = out.len() / rows;
    let together = (4 * GRAIN / row).max(1);
    threads::run_chunks(out, together * row, &|i, piece| {
        for (r, mut out) in piece.chunks_exact_mut(row).enumerate() {
            for part in parts {
                let len = part.len() / rows;
                let (to, rest) = out.split_at_mut(len);
                to.copy_from_slice(&part[(i * together + r) * len..][..len]);
                out = rest;
            }
        }
    });
}

/// Every element becomes `value`.
pub fn fill<T: Element>(shape: &[usize], value: T, out: Out<T>) {
    let zeros = [0; crate::strided::MAX_DIMS];
    assert!(shape.len() <= zeros.len(), "at most {} dimensions", zeros.len());
    copy(shape, (&[value], &zeros[..shape.len()]), out);
}
