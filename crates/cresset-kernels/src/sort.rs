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
    if k <= 64 && k * 8 <= n {
        return few(x, n, k, largest, value, index);
    }
    rows(x, n, k, value, index, &|pairs, value, index| {
        let compare = |a: &(T, u32), b: &(T, u32)| directed(a.0, b.0, largest).then(a.1.cmp(&b.1));
        if k < pairs.len() {
            pairs.select_nth_unstable_by(k - 1, compare);
        }
        pairs[..k].sort_unstable_by(compare);
        write(&pairs[..k], value, index);
    });
}

/// [`topk`] where k is small: the best so far are kept in order, and most elements fail against the last of them.
fn few<T: Number>(x: &[T], n: usize, k: usize, largest: bool, value: &mut [T], index: &mut [i64]) {
    if k == 0 {
        return;
    }
    let rows = x.len() / n;
    assert!(value.len() == rows * k && index.len() == rows * k);
    let (value, index) = (Shared::new(value), Shared::new(index));
    let before = |a: T, b: T| directed(a, b, largest) == Ordering::Less;
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

#[cfg(test)]
mod tests {
    use super::*;

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
