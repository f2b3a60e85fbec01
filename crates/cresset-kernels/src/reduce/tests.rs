use super::*;
use crate::threads::set_num_threads;
use std::marker::PhantomData;

fn noise(n: usize) -> Vec<f32> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0 - 0.3).collect()
}

#[test]
fn sums_agree_with_f64_in_every_shape() {
    for (outer, n, inner) in [
        (1, 7, 1),
        (5, 31, 1),
        (3, 32, 1),
        (2, 5000, 1),
        (1, 100_000, 1),
        (1, 3, 2),
        (2, 9, 130),
        (1, 1000, 300),
        (1, 70_000, 3),
        (4, 257, 129),
    ] {
        let x = noise(outer * n * inner);
        let mut out = vec![0.0; outer * inner];
        fold(Sum::<f32>(PhantomData), &x, (outer, n, inner), &mut out);
        for o in 0..outer {
            for k in 0..inner {
                let exact: f64 = (0..n).map(|i| x[(o * n + i) * inner + k] as f64).sum();
                let bound = 1e-6 * (0..n).map(|i| x[(o * n + i) * inner + k].abs() as f64).sum::<f64>();
                assert!((out[o * inner + k] as f64 - exact).abs() <= bound, "{outer} {n} {inner}");
            }
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_threads() {
    let x = noise(300_000);
    let run = |threads| {
        set_num_threads(threads);
        let mut all = Vec::new();
        for (outer, n, inner) in [(1, 300_000, 1), (300, 1000, 1), (1, 1000, 300), (1, 100_000, 3)] {
            let mut out = vec![0.0; outer * inner];
            fold(Sum::<f32>(PhantomData), &x, (outer, n, inner), &mut out);
            all.extend(out.iter().map(|v| v.to_bits()));
            let mut squares = out.clone();
            f32::moments(&x, (outer, n, inner), &mut out, &mut squares);
            all.extend(squares.iter().map(|v| v.to_bits()));
        }
        set_num_threads(0);
        all
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn extrema_take_the_first_and_nan() {
    let mut x = noise(100);
    x[40] = 3.0;
    x[70] = 3.0;
    let (mut v, mut i) = ([0.0], [0]);
    f32::extremum(true, &x, (1, 100, 1), &mut v, &mut i);
    assert_eq!((v[0], i[0]), (3.0, 40));
    x[60] = f32::NAN;
    f32::extremum(false, &x, (1, 100, 1), &mut v, &mut i);
    assert!(v[0].is_nan() && i[0] == 60);
    let mut out = [0.0];
    f32::reduce(Reduction::Max, &x, &[(100, true)], &mut out);
    assert!(out[0].is_nan());
}

#[test]
fn extrema_of_columns_and_rows_are_those_of_a_walk() {
    fn check<T: Reduce + PartialOrd + Copy>(numbers: impl Fn(usize) -> T) {
        for (outer, n, inner) in [(1, 1, 9), (2, 2, 17), (1, 7, 130), (3, 100, 5), (1, 33, 300), (5, 77, 1), (4, 15, 1)]
        {
            let x: Vec<T> = (0..outer * n * inner).map(&numbers).collect();
            let size = outer * inner;
            for largest in [true, false] {
                let (mut value, mut index) = (vec![x[0]; size], vec![0; size]);
                T::extremum(largest, &x, (outer, n, inner), &mut value, &mut index);
                for o in 0..size {
                    let at = |r: usize| x[(o / inner * n + r) * inner + o % inner];
                    let is_nan = |v: T| v.partial_cmp(&v).is_none();
                    let best = (1..n).fold(0, |best, r| {
                        let (v, b) = (at(r), at(best));
                        let beats = if largest { v > b } else { v < b } || is_nan(v) && !is_nan(b);
                        if beats { r } else { best }
                    });
                    assert_eq!(index[o], best as i64, "{outer}x{n}x{inner}, largest: {largest}, place {o}");
                    assert!(value[o] == at(best) || is_nan(value[o]) && is_nan(at(best)));
                }
            }
        }
    }
    // Many equal ones, and NaN in places.
    check(|i| if i % 211 == 50 { f32::NAN } else { (i * 7919 % 13) as f32 - 6.0 });
    check(|i| if i % 97 == 96 { f64::NAN } else { (i * 104_729 % 11) as f64 });
    check(|i| (i * 7919 % 13) as i64 - 6);
}
