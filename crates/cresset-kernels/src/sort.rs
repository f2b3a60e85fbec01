//! Sorting rows, with positions, in PyTorch's order: NaN is larger than every number.

use crate::reduce::{Number, PIECE, Shared};
use crate::threads::run_ranges;
use std::cmp::Ordering;

/// NaN after everything else, and NaNs equal.
#[inline]
pub fn order<T: Number>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The same or its opposite: descending sorts put NaN first.
#[inline]
fn directed<T: Number>(a: T, b: T, descending: bool) -> Ordering {
    if descending { order(b, a) } else { order(a, b) }
}

/// Runs `f(x, value, index)` over the rows of n, several threads at a time.
fn rows<T: Number>(
    x: &[T],
    n: usize,
    k: usize,
    value: &mut [T],
    index: &mut [i64],
    f: &(dyn Fn(&mut Vec<(T, u32)>, &mut [T], &mut [i64]) + Sync),
) {
    assert!(n <= u32::MAX as usize, "a row of {n} elements is too long to be sorted");
    if n == 0 || k == 0 {
        return;
    }
    let rows = x.len() / n;
    assert!(value.len() == rows * k && index.len() == rows * k);
    let (value, index) = (Shared::new(value), Shared::new(index));
    run_ranges(rows, (PIECE / 8 / n).max(1), &|range| {
        let mut pairs = Vec::with_capacity(n);
        for r in range {
            pairs.clear();
            pairs.extend(x[r * n..][..n].iter().enumerate().map(|(i, &x)| (x, i as u32)));
            // SAFETY: every row has a part of its own.
            let (value, index) = unsafe { (value.part(r * k, k), index.part(r * k, k)) };
            f(&mut pairs, value, index);
        }
    });
}

fn write<T: Number>(pairs: &[(T, u32)], value: &mut [T], index: &mut [i64]) {
    for ((p, v), i) in pairs.iter().zip(value).zip(index) {
        *v = p.0;
        *i = p.1 as i64;
    }
}

/// Sorts each row of n; equal elements stay in order.
pub fn sort<T: Number>(x: &[T], n: usize, descending: bool, value: &mut [T], index: &mut [i64]) {
    rows(x, n, n, value, index, &|pairs, value, index| {
        // The position as second key makes the fast unstable sort a stable one.
        pairs.sort_unstable_by(|a, b| directed(a.0, b.0, descending).then(a.1.cmp(&b.1)));
        write(pairs, value, index);
    });
}

/// The k largest (or smallest) elements of each row of n, sorted, the largest (smallest) first.
pub fn topk<T: Number>(x: &[T], n: usize, k: usize, largest: bool, value: &mut [T], index: &mut [i64]) {
    rows(x, n, k, value, index, &|pairs, value, index| {
        let compare = |a: &(T, u32), b: &(T, u32)| directed(a.0, b.0, largest).then(a.1.cmp(&b.1));
        if k < pairs.len() {
            pairs.select_nth_unstable_by(k - 1, compare);
        }
        pairs[..k].sort_unstable_by(compare);
        write(&pairs[..k], value, index);
    });
}

/// The element of rank `k` (from 0, ascending) of each row of n.
pub fn kth<T: Number>(x: &[T], n: usize, k: usize, value: &mut [T], index: &mut [i64]) {
    rows(x, n, 1, value, index, &|pairs, value, index| {
        let (_, found, _) = pairs.select_nth_unstable_by(k, |a, b| order(a.0, b.0).then(a.1.cmp(&b.1)));
        write(&[*found], value, index);
    });
}

/// The lower median of each row of n: NaN if there is one, or with `skip_nan` the median of the others.
pub fn median<T: Number>(x: &[T], n: usize, skip_nan: bool, value: &mut [T], index: &mut [i64]) {
    rows(x, n, 1, value, index, &|pairs, value, index| {
        let numbers = pairs.iter().filter(|p| !p.0.is_nan()).count();
        if (numbers < pairs.len() && !skip_nan) || numbers == 0 {
            let nan = *pairs.iter().find(|p| p.0.is_nan()).expect("counted");
            return write(&[nan], value, index);
        }
        let rank = (numbers - 1) / 2;
        let (_, found, _) = pairs.select_nth_unstable_by(rank, |a, b| order(a.0, b.0).then(a.1.cmp(&b.1)));
        write(&[*found], value, index);
    });
}

/// The most frequent element of each row of n, the smallest of several, and the last position of it.
pub fn mode<T: Number>(x: &[T], n: usize, value: &mut [T], index: &mut [i64]) {
    rows(x, n, 1, value, index, &|pairs, value, index| {
        pairs.sort_unstable_by(|a, b| order(a.0, b.0).then(a.1.cmp(&b.1)));
        let (mut best, mut most, mut run) = (pairs[0], 0, 0);
        for i in 0..pairs.len() {
            run = if i > 0 && order(pairs[i].0, pairs[i - 1].0) == Ordering::Equal { run + 1 } else { 1 };
            if run > most || (run == most && order(pairs[i].0, best.0) == Ordering::Equal) {
                (best, most) = (pairs[i], run);
            }
        }
        write(&[best], value, index);
    });
}
