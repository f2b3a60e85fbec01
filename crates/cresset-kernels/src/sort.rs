//! Sorting rows, with positions, in PyTorch's order: NaN is larger than every number.
//!
//! An element and its position become one integer whose order is that of the elements, and of positions among equal ones. Sorting plain
//! integers is several times faster than comparing pairs through a closure, the unstable sort of them is a stable one of the
//! elements, and one sort is compiled for each width instead of one for each type and question.

use crate::reduce::{Number, PIECE, Shared, kernels};
use crate::threads::run_ranges;

kernels! {
    /// Sorting and order statistics of rows.
    pub trait Sort: Key, for [f32, f64, i64] {
        /// Sorts each row of n; equal elements stay in order.
        fn sort(x: &[Self], n: usize, descending: bool, value: &mut [Self], index: &mut [i64]);
        /// The k largest (or smallest) elements of each row of n, sorted, the largest (smallest) first.
        fn topk(x: &[Self], n: usize, k: usize, largest: bool, value: &mut [Self], index: &mut [i64]);
        /// The element of rank `k` (from 0, ascending) of each row of n.
        fn kth(x: &[Self], n: usize, k: usize, value: &mut [Self], index: &mut [i64]);
        /// The lower median of each row of n: NaN if there is one, or with `skip_nan` the median of the others.
        fn median(x: &[Self], n: usize, skip_nan: bool, value: &mut [Self], index: &mut [i64]);
        /// The most frequent element of each row of n, the smallest of several, and the last position of it.
        fn mode(x: &[Self], n: usize, value: &mut [Self], index: &mut [i64]);
    }
}

/// An integer with an element's order in its upper bits and the position in its lower 32.
pub trait Packed: Copy + Ord + Send + Sync {
    /// Packs the order of an element of at most 64 bits, and its position.
    fn pack(order: u64, at: u32) -> Self;
    /// The position.
    fn at(self) -> usize;
    /// The order alone.
    fn order(self) -> u64;
}
impl Packed for u64 {
    #[inline(always)]
    fn pack(order: u64, at: u32) -> u64 {
        order << 32 | at as u64
    }
    #[inline(always)]
    fn at(self) -> usize {
        self as u32 as usize
    }
    #[inline(always)]
    fn order(self) -> u64 {
        self >> 32
    }
}
impl Packed for u128 {
    #[inline(always)]
    fn pack(order: u64, at: u32) -> u128 {
        (order as u128) << 32 | at as u128
    }
    #[inline(always)]
    fn at(self) -> usize {
        self as u32 as usize
    }
    #[inline(always)]
    fn order(self) -> u64 {
        (self >> 32) as u64
    }
}

/// What can be sorted.
pub trait Key: Number {
    /// What an element and its position are packed into.
    type Packed: Packed;
    /// The largest order.
    const LAST: u64;
    /// Is the largest order NaN's (and not that of a number)?
    const NAN: bool;
    /// An integer of the element's place among all; equal for equal elements (the two zeros, all NaNs).
    fn order(self) -> u64;
    /// With the position; in the opposite order if `descending`, but equal elements still by position.
    #[inline(always)]
    fn pack(self, at: u32, descending: bool) -> Self::Packed {
        let order = self.order();
        Self::Packed::pack(if descending { Self::LAST - order } else { order }, at)
    }
}
impl Key for f32 {
    type Packed = u64;
    const LAST: u64 = u32::MAX as u64;
    const NAN: bool = true;
    #[inline(always)]
    fn order(self) -> u64 {
        // Adding 0 makes -0 a 0. The bits of a positive number rise with it; those of a negative one fall.
        let bits = (self + 0.0).to_bits();
        let order = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        (if self.is_nan() { u32::MAX } else { order }) as u64
    }
}
impl Key for f64 {
    type Packed = u128;
    const LAST: u64 = u64::MAX;
    const NAN: bool = true;
    #[inline(always)]
    fn order(self) -> u64 {
        let bits = (self + 0.0).to_bits();
        let order = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        if self.is_nan() { u64::MAX } else { order }
    }
}
impl Key for i64 {
    type Packed = u128;
    const LAST: u64 = u64::MAX;
    const NAN: bool = false;
    #[inline(always)]
    fn order(self) -> u64 {
        self as u64 ^ 1 << 63
    }
}

/// Runs `f` over the packed rows of n, several threads at a time; the positions it leaves in the first k are the results.
fn rows<T: Key>(
    x: &[T],
    (n, k): (usize, usize),
    descending: bool,
    value: &mut [T],
    index: &mut [i64],
    f: &(dyn Fn(&mut [T::Packed]) + Sync),
) {
    assert!(n <= u32::MAX as usize, "a row of {n} elements is too long to be sorted");
    if n == 0 || k == 0 {
        return;
    }
    let rows = x.len() / n;
    assert!(value.len() == rows * k && index.len() == rows * k);
    let (value, index) = (Shared::new(value), Shared::new(index));
    run_ranges(rows, (PIECE / 8 / n).max(1), &|range| {
        let mut packed = Vec::with_capacity(n);
        for r in range {
            let x = &x[r * n..][..n];
            packed.clear();
            packed.extend(x.iter().enumerate().map(|(i, &x)| x.pack(i as u32, descending)));
            f(&mut packed);
            // SAFETY: every row has a part of its own.
            let (value, index) = unsafe { (value.part(r * k, k), index.part(r * k, k)) };
            for i in 0..k {
                let at = packed[i].at();
                (value[i], index[i]) = (x[at], at as i64);
            }
        }
    });
}

fn sort<T: Key>(x: &[T], n: usize, descending: bool, value: &mut [T], index: &mut [i64]) {
    rows(x, (n, n), descending, value, index, &|row| row.sort_unstable());
}

fn topk<T: Key>(x: &[T], n: usize, k: usize, largest: bool, value: &mut [T], index: &mut [i64]) {
    if k <= 64 && k * 8 <= n {
        return few(x, n, k, largest, value, index);
    }
    rows(x, (n, k), largest, value, index, &|row| {
        if k < row.len() {
            row.select_nth_unstable(k - 1);
        }
        row[..k].sort_unstable();
    });
}

/// [`topk`] where k is small: the best so far are kept in order, and most elements fail against the last of them.
fn few<T: Key>(x: &[T], n: usize, k: usize, largest: bool, value: &mut [T], index: &mut [i64]) {
    if k == 0 {
        return;
    }
    let rows = x.len() / n;
    assert!(value.len() == rows * k && index.len() == rows * k);
    let (value, index) = (Shared::new(value), Shared::new(index));
    // NaN comes last in ascending order and first in descending.
    let before =
        |a: T, b: T| if largest { a > b || (a.is_nan() && !b.is_nan()) } else { a < b || (b.is_nan() && !a.is_nan()) };
    run_ranges(rows, (PIECE / n).max(1), &|range| {
        for r in range {
            let x = &x[r * n..][..n];
            // SAFETY: every row has a part of its own.
            let (value, index) = unsafe { (value.part(r * k, k), index.part(r * k, k)) };
            for (i, &v) in x.iter().enumerate() {
                let held = i.min(k);
                if held == k && !before(v, value[k - 1]) {
                    continue;
                }
                let mut at = held.min(k - 1);
                while at > 0 && before(v, value[at - 1]) {
                    (value[at], index[at]) = (value[at - 1], index[at - 1]);
                    at -= 1;
                }
                (value[at], index[at]) = (v, i as i64);
            }
        }
    });
}

fn kth<T: Key>(x: &[T], n: usize, k: usize, value: &mut [T], index: &mut [i64]) {
    rows(x, (n, 1), false, value, index, &|row| {
        row[0] = *row.select_nth_unstable(k).1;
    });
}

fn median<T: Key>(x: &[T], n: usize, skip_nan: bool, value: &mut [T], index: &mut [i64]) {
    rows(x, (n, 1), false, value, index, &|row| {
        // The first NaN is the answer where there is one, or nothing else.
        let nan = |p: &&T::Packed| T::NAN && p.order() == T::LAST;
        let numbers = row.len() - row.iter().filter(nan).count();
        if (numbers < row.len() && !skip_nan) || numbers == 0 {
            row[0] = *row.iter().find(nan).expect("counted");
            return;
        }
        row[0] = *row.select_nth_unstable((numbers - 1) / 2).1;
    });
}

fn mode<T: Key>(x: &[T], n: usize, value: &mut [T], index: &mut [i64]) {
    rows(x, (n, 1), false, value, index, &|row| {
        row.sort_unstable();
        let (mut best, mut most, mut run) = (row[0], 0, 0);
        for i in 0..row.len() {
            run = if i > 0 && row[i].order() == row[i - 1].order() { run + 1 } else { 1 };
            if run > most || (run == most && row[i].order() == best.order()) {
                (best, most) = (row[i], run);
            }
        }
        row[0] = best;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_equal_and_nan_is_the_largest() {
        let x = [0.0f32, f32::NAN, -1.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN, 0.0];
        let (mut v, mut i) = ([0.0; 8], [0; 8]);
        sort(&x, 8, false, &mut v, &mut i);
        assert_eq!(i, [5, 2, 0, 3, 7, 4, 1, 6]);
        assert!(v[3].is_sign_negative());
        sort(&x, 8, true, &mut v, &mut i);
        assert_eq!(i, [1, 6, 4, 0, 3, 7, 2, 5]);
        let wide = x.map(f64::from);
        let (mut v, mut j) = ([0.0; 8], [0; 8]);
        sort(&wide, 8, true, &mut v, &mut j);
        assert_eq!(i, j);
        let (mut v, mut i) = ([0; 4], [0; 4]);
        sort(&[i64::MAX, i64::MIN, -1, 0], 4, true, &mut v, &mut i);
        assert_eq!(v, [i64::MAX, 0, -1, i64::MIN]);
        // The largest integer is no NaN.
        let (mut v, mut i) = ([0], [0]);
        median(&[i64::MAX, 1, 2], 3, false, &mut v, &mut i);
        assert_eq!((v[0], i[0]), (2, 2));
    }

    #[test]
    fn few_of_many_are_those_of_the_sort() {
        let n = 200;
        let x: Vec<f32> = (0..2 * n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 26) as f32).collect();
        for largest in [true, false] {
            let (mut v, mut i) = (vec![0.0; 2 * n], vec![0; 2 * n]);
            sort(&x, n, largest, &mut v, &mut i);
            for k in [1, 7, 25, 60] {
                let (mut tv, mut ti) = (vec![0.0; 2 * k], vec![0; 2 * k]);
                topk(&x, n, k, largest, &mut tv, &mut ti);
                for row in 0..2 {
                    assert_eq!(tv[row * k..][..k], v[row * n..][..k]);
                    assert_eq!(ti[row * k..][..k], i[row * n..][..k]);
                }
            }
        }
    }
}
