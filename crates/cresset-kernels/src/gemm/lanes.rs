//! Products of some rows that stay turned: number `p` of all rows side by side, as tiles read their right operand, so that the result of one product
//! is the operand of the next one. Nothing is packed between them, and no lane is idle at the end of a row of, say, 100 numbers.

use super::driver::{Job, call};
use super::packed::Packable;
use super::tile::Pack;
use super::{GemmElement, Mat};

/// How many rows go together: what the tiles of the level in use take at once.
pub fn lanes<T: Packable>() -> usize {
    T::kernels().nv * T::kernels().w
}

/// `out[p * lanes + r] = x[r * k + p]` for `rows` rows, at most [`lanes`]; the other lanes are zero.
///
/// # Panics
/// If a slice is too short.
#[track_caller]
pub fn turn<T: Packable>(x: &[T], rows: usize, k: usize, out: &mut [T]) {
    let (kernels, width) = (T::kernels(), lanes::<T>());
    // The last square may be written beyond the lanes.
    assert!(x.len() >= rows * k && rows <= width && out.len() >= width * k, "{rows} rows of {k} in {}", out.len());
    let (src, dst) = (x.as_ptr(), out.as_mut_ptr());
    // SAFETY: as asserted; the lanes are a whole number of vectors, so that nothing is written beyond the end.
    unsafe { (kernels.pack)(&Pack { src, lane: k, step: 1, lanes: rows, readable: rows, k, dst, width }) }
}

/// `out[r * n + p] = x[p * lanes + r]`: the way back from [`turn`].
///
/// # Panics
/// If a slice is too short.
#[track_caller]
pub fn turn_back<T: Packable>(x: &[T], rows: usize, n: usize, out: &mut [T]) {
    let (kernels, width) = (T::kernels(), lanes::<T>());
    assert!(rows <= width && x.len() >= width * n && out.len() >= rows * n, "{rows} rows of {n} in {}", out.len());
    let (src, dst) = (x.as_ptr(), out.as_mut_ptr());
    // SAFETY: as asserted; all lanes of the result are there, so that only whole squares and single numbers are written.
    unsafe { (kernels.pack)(&Pack { src, lane: width, step: 1, lanes: n, readable: n, k: rows, dst, width: n }) }
}

/// `out = act(w x + bias)`, where `x` is `k` and `out` is `n` times [`lanes`] numbers, and `w` is `n` x `k`.
///
/// # Panics
/// If a slice is too short, or a size is 0.
#[track_caller]
pub fn lanes_product<T: Packable>(
    n: usize,
    k: usize,
    w: Mat<T>,
    bias: Option<&[T]>,
    relu: bool,
    x: &[T],
    out: &mut [T],
) {
    let (kernels, width) = (T::kernels(), lanes::<T>());
    assert!(n > 0 && k > 0 && w.holds(n, k), "the weight of {n}x{k} does not lie within its {} elements", w.data.len());
    assert!(
        x.len() >= k * width && out.len() >= n * width && bias.is_none_or(|b| b.len() >= n),
        "a product of {n}x{k}"
    );
    let job = Job {
        kernels,
        m: n,
        n: width,
        k,
        a: w.data.as_ptr(),
        a_row: w.row_stride,
        a_col: w.col_stride,
        b: x.as_ptr(),
        b_row: width,
        b_col: 1,
        packed: std::ptr::null(),
        c: out.as_mut_ptr(),
        ldc: width,
        bias: std::ptr::null(),
        alpha: <T as GemmElement>::ONE,
        beta: <T as GemmElement>::ZERO,
        relu,
        parallel: false,
    };
    let (blocks, most) = job.k_blocks();
    let tiles = n.div_ceil(kernels.mr);
    for block in 0..blocks {
        let k0 = block * most;
        let kc = most.min(k.saturating_sub(k0));
        if kc == 0 {
            continue;
        }
        let mut tile = job.tile(k0, kc);
        (tile.cols, tile.padded) = (width, true);
        let bias = bias.filter(|_| k0 + kc == k);
        for t in 0..tiles {
            let (i0, i1) = (n * t / tiles, n * (t + 1) / tiles);
            // SAFETY: rows i0 to i1 of the weight and of the result, and this block of k, as asserted.
            unsafe {
                tile.a = job.a.add(i0 * job.a_row + k0 * job.a_col);
                tile.b = job.b.add(k0 * width);
                tile.c = job.c.add(i0 * width);
                tile.row_bias = bias.map_or(std::ptr::null(), |b| b[i0..].as_ptr());
                call(&kernels.tile, i1 - i0, kernels.nv, &tile);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alone, levels};
    use super::*;
    use crate::level::{best, set_level};

    #[test]
    fn two_products_of_turned_rows() {
        let _turn = alone();
        for level in levels() {
            set_level(level);
            let width = lanes::<f32>();
            for (rows, k, n) in [(1, 3, 1), (width, 100, 17), (width - 1, 900, 9), (5, 1, 8)] {
                let number = |i: usize| (i * 7 % 13) as f32 - 6.0;
                let x: Vec<f32> = (0..rows * k).map(number).collect();
                let w: Vec<f32> = (0..n * k).map(|i| number(i + 3)).collect();
                let bias: Vec<f32> = (0..n).map(|i| i as f32).collect();
                for (relu, biased, turned) in [(false, true, false), (true, false, true), (true, true, false)] {
                    let (mut a, mut b) = (vec![1.0; k * width], vec![2.0; n * width]);
                    turn(&x, rows, k, &mut a);
                    // The same weight, stored either way.
                    let other: Vec<f32> = (0..n * k).map(|i| w[i % n * k + i / n]).collect();
                    let mat = if turned { Mat::row_major(&other, n).t() } else { Mat::row_major(&w, k) };
                    lanes_product(n, k, mat, biased.then_some(&bias), relu, &a, &mut b);
                    let mut y = vec![0.0; rows * n];
                    turn_back(&b, rows, n, &mut y);
                    for (i, y) in y.iter().enumerate() {
                        let (r, j) = (i / n, i % n);
                        let sum: f32 = (0..k).map(|p| x[r * k + p] * w[j * k + p]).sum();
                        let sum = sum + if biased { bias[j] } else { 0.0 };
                        assert_eq!(*y, if relu { sum.max(0.0) } else { sum }, "{level:?} {rows} {k} {n}");
                    }
                }
            }
        }
        set_level(best());
    }
}
