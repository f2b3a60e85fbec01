//! Every layout, epilogue, dtype, level and number of threads against a plain product in f64.

use std::sync::{Mutex, MutexGuard};

use half::{bf16, f16};

use super::*;
use crate::level::{Level, best, set_level};
use crate::threads::set_num_threads;

/// Level and threads belong to the process: tests that set them take turns.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|e| e.into_inner())
}

pub(super) fn levels() -> Vec<Level> {
    let all = [Level::Avx512, Level::Avx2, Level::Neon, Level::Scalar];
    let found = all.into_iter().filter(|&l| set_level(l)).collect();
    set_level(best());
    found
}

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20
    }
    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }
    fn unit(&mut self) -> f64 {
        self.below(1 << 20) as f64 / (1 << 19) as f64 - 1.0
    }
}

trait Number: GemmElement {
    /// Rounding of one operation.
    const EPS: f64;
    fn from(x: f64) -> Self;
    fn to(self) -> f64;
    fn bits(self) -> u64;
}

macro_rules! number {
    ($($t:ty, $eps:expr, $from:expr, $to:expr, $bits:expr;)*) => { $(
        impl Number for $t {
            const EPS: f64 = $eps;
            fn from(x: f64) -> Self {
                $from(x)
            }
            fn to(self) -> f64 {
                $to(self)
            }
            fn bits(self) -> u64 {
                $bits(self)
            }
        }
    )* };
}
number! {
    f32, 6e-8, |x| x as f32, |x| x as f64, |x: f32| x.to_bits() as u64;
    f64, 1.2e-16, |x| x, |x| x, |x: f64| x.to_bits();
    f16, 5e-4, f16::from_f64, f16::to_f64, |x: f16| x.to_bits() as u64;
    bf16, 4e-3, bf16::from_f64, bf16::to_f64, |x: bf16| x.to_bits() as u64;
}

/// A matrix of some layout in a slice: contiguous, transposed, with gaps, with gaps everywhere, or repeated.
struct Operand<T> {
    data: Vec<T>,
    row: usize,
    col: usize,
}

impl<T: Number> Operand<T> {
    fn new(dice: &mut Dice, rows: usize, cols: usize, layout: usize) -> Self {
        let (row, col) = match layout {
            0 => (cols, 1),
            1 => (1, rows),
            2 => (cols + 3, 1),
            3 => (1, rows + 5),
            4 => (2 * cols + 1, 2),
            5 => (0, 1),
            _ => (1, 0),
        };
        let len = if rows * cols == 0 { 0 } else { (rows - 1) * row + (cols - 1) * col + 1 };
        Operand { data: (0..len).map(|_| T::from(dice.unit())).collect(), row, col }
    }
    fn mat(&self) -> Mat<'_, T> {
        Mat::new(&self.data, self.row, self.col)
    }
}

/// One product against the plain one; the result's bits.
fn check<T: Number>(m: usize, n: usize, k: usize, layout: (usize, usize), ep: usize, seed: u64) -> Vec<u64> {
    let dice = &mut Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let a = Operand::<T>::new(dice, m, k, layout.0);
    let b = Operand::<T>::new(dice, k, n, layout.1);
    let ldc = n + dice.below(3);
    // NaN everywhere that must not be read; a mark between the rows.
    let beta = [0.0, 1.0, 0.5][ep % 3];
    let c0: Vec<T> = (0..m * ldc)
        .map(|i| {
            T::from(if i % ldc >= n {
                7.0
            } else if beta == 0.0 {
                f64::NAN
            } else {
                dice.unit()
            })
        })
        .collect();
    let bias: Vec<T> = (0..n).map(|_| T::from(dice.unit())).collect();
    let epilogue = Epilogue {
        alpha: T::from([1.0, -0.5][ep / 3 % 2]),
        beta: T::from(beta),
        bias: (ep / 6 % 2 == 1).then_some(&bias[..]),
        activation: if ep / 12 % 2 == 1 { Activation::Relu } else { Activation::None },
    };
    let mut c = c0.clone();
    gemm(m, n, k, a.mat(), b.mat(), &mut c, ldc, &epilogue);
    for i in 0..m {
        for j in 0..ldc {
            let got = c[i * ldc + j].to();
            if j >= n {
                assert_eq!(got, 7.0);
                continue;
            }
            let (mut sum, mut size) = (0.0, 0.0);
            for p in 0..k {
                let t = a.data[i * a.row + p * a.col].to() * b.data[p * b.row + j * b.col].to();
                sum += t;
                size += t.abs();
            }
            let mut want = epilogue.alpha.to() * sum;
            if beta != 0.0 {
                want += beta * c0[i * ldc + j].to();
            }
            if epilogue.bias.is_some() {
                want += bias[j].to();
            }
            if epilogue.activation == Activation::Relu {
                want = want.max(0.0);
            }
            // Halves are summed in f32: their k sums count with its rounding, the result with their own.
            let chain = if size_of::<T>() == 2 { 6e-8 } else { T::EPS };
            let bound = chain * (k as f64 + 4.0) * (size + 2.0) + T::EPS * (want.abs() + 1e-3) * 2.0;
            assert!(
                (got - want).abs() <= bound,
                "{m}x{n}x{k} {layout:?} epilogue {ep} at ({i}, {j}): {got} instead of {want}"
            );
        }
    }
    c.into_iter().map(T::bits).collect()
}

/// The same product on 1, 2 and 3 threads: right, and equal to the bit.
fn check_threads<T: Number>(m: usize, n: usize, k: usize, layout: (usize, usize), ep: usize) {
    set_num_threads(1);
    let seed = (m * 31 + n * 17 + k) as u64;
    let one = check::<T>(m, n, k, layout, ep, seed);
    for threads in [2, 3] {
        set_num_threads(threads);
        assert!(check::<T>(m, n, k, layout, ep, seed) == one, "{m}x{n}x{k} {layout:?} on {threads} threads");
    }
    set_num_threads(0);
}

fn random_products<T: Number>(rounds: usize) {
    let _turn = alone();
    for level in levels() {
        set_level(level);
        let dice = &mut Dice(level as u64 + 77);
        for round in 0..rounds {
            let mut size = || match dice.below(4) {
                0 => 1 + dice.below(6),
                1 => 1 + dice.below(20),
                2 => 1 + dice.below(70),
                _ => dice.below(130),
            };
            let (m, n, k) = (size(), size(), size());
            let layout = (dice.below(7), dice.below(7));
            check::<T>(m, n, k, layout, dice.below(24), round as u64);
        }
    }
    set_level(best());
}

#[test]
fn random_f32() {
    random_products::<f32>(1200);
}

#[test]
fn random_f64() {
    random_products::<f64>(800);
}

#[test]
fn random_halves() {
    random_products::<f16>(200);
    random_products::<bf16>(200);
}

#[test]
fn every_small_size() {
    let _turn = alone();
    for level in levels() {
        set_level(level);
        for m in 1..10 {
            for n in [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 50] {
                for k in [1, 2, 7, 8, 9, 17] {
                    for layout in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        check::<f32>(m, n, k, layout, m + n + k, 5);
                        check::<f64>(m, n, k, layout, m + n + k, 5);
                    }
                }
            }
        }
    }
    set_level(best());
}

#[test]
fn matrices_read_as_one_stream() {
    let _turn = alone();
    for level in levels() {
        set_level(level);
        // Every remainder of k, two rows that are left over.
        for (i, k) in (520..600).enumerate() {
            check::<f32>(1, 130, k, (0, 1), i % 24, 3);
            check::<f32>(130, 1, k, (2, i % 2), i % 24, 3);
            check::<f64>(1, 130, k, (0, 3), i % 24, 3);
        }
    }
    set_level(best());
}

#[test]
fn threads_change_no_bit() {
    let _turn = alone();
    for level in levels() {
        set_level(level);
        // Big enough for threads, for blocks of k and for blocks of rows; every way of computing.
        for (i, &(m, n, k)) in [
            (33, 260, 800),
            (300, 70, 401),
            (1, 700, 900),
            (900, 1, 700),
            (3, 600, 500),
            (97, 100, 790),
            (520, 33, 50),
            (200, 330, 300),
            (260, 330, 300),
            (7, 300, 500),
            (21, 200, 300),
        ]
        .iter()
        .enumerate()
        {
            for layout in [(0, 0), (0, 1), (1, 0), (1, 1), (4, 4)] {
                check_threads::<f32>(m, n, k, layout, i * 5 % 24);
            }
            check_threads::<f64>(m, n, k, (0, i % 2), i * 7 % 24);
            check_threads::<bf16>(m, n, k, (i % 2, 1), i * 11 % 24);
        }
        check_threads::<f16>(530, 520, 30, (0, 1), 7);
    }
    set_level(best());
}

#[test]
fn infinities_and_nan_travel() {
    let _turn = alone();
    let inf = f32::INFINITY;
    for (m, n) in [(1, 5), (5, 1), (7, 20), (40, 40)] {
        for b_t in [false, true] {
            let a = vec![1.0f32; m * 9];
            let mut b = vec![1.0f32; 9 * n];
            // Column 0 holds an infinity and its negative, the last column an infinity.
            let at = |p: usize, j: usize| if b_t { j * 9 + p } else { p * n + j };
            b[at(2, n - 1)] = inf;
            b[at(3, 0)] = -inf;
            b[at(4, 0)] = inf;
            let mut c = vec![0.0f32; m * n];
            let mat = if b_t { Mat::row_major(&b, 9).t() } else { Mat::row_major(&b, n) };
            gemm(m, n, 9, Mat::row_major(&a, 9), mat, &mut c, n, &Epilogue::default().relu());
            for row in c.chunks(n) {
                assert!(row[0].is_nan());
                assert!(row[1..].iter().all(|&x| x == 9.0 || x == inf));
                assert!(n == 1 || row[n - 1] == inf);
            }
        }
    }
}

#[test]
fn nothing_times_nothing_is_the_epilogue() {
    let (none, mut c): (&[f32], _) = (&[], [5.0f32, f32::NAN, -3.0, 4.0]);
    let ep = Epilogue::default().bias(&[1.0, -1.0]).relu();
    gemm(2, 2, 0, Mat::row_major(none, 0), Mat::row_major(none, 2), &mut c, 2, &ep);
    assert_eq!(c, [1.0, 0.0, 1.0, 0.0]);
    gemm(2, 2, 0, Mat::row_major(none, 0), Mat::row_major(none, 2), &mut c, 2, &Epilogue::default().accumulate());
    assert_eq!(c, [1.0, 0.0, 1.0, 0.0]);
    gemm(0, 2, 3, Mat::row_major(none, 3), Mat::row_major(none, 2), &mut c, 2, &ep);
    gemm(2, 0, 3, Mat::row_major(none, 3), Mat::row_major(none, 0), &mut c, 0, &ep);
    assert_eq!(c, [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn integers_wrap() {
    let dice = &mut Dice(9);
    let (m, n, k) = (13, 37, 70);
    let a: Vec<i64> = (0..m * k).map(|_| dice.next() as i64 - (1 << 40)).collect();
    let b: Vec<i64> = (0..k * n).map(|_| dice.next() as i64).collect();
    let (mut c8, mut c64) = (vec![0u8; m * n], vec![0i64; m * n]);
    gemm(m, n, k, Mat::row_major(&a, k), Mat::row_major(&b, n), &mut c64, n, &Epilogue::default());
    let narrow = |v: &[i64]| v.iter().map(|&x| x as u8).collect::<Vec<_>>();
    let (a8, mut bt8) = (narrow(&a), vec![0; n * k]);
    for p in 0..k {
        for j in 0..n {
            bt8[j * k + p] = b[p * n + j] as u8;
        }
    }
    gemm(m, n, k, Mat::row_major(&a8, k), Mat::row_major(&bt8, k).t(), &mut c8, n, &Epilogue::default());
    assert_eq!(narrow(&c64), c8);
    for (i, j) in [(0, 0), (5, 20), (12, 36)] {
        let want = (0..k).fold(0i64, |s, p| s.wrapping_add(a[i * k + p].wrapping_mul(b[p * n + j])));
        assert_eq!(c64[i * n + j], want);
    }
}

#[test]
fn batches_repeat_and_match_single_products() {
    let _turn = alone();
    for (batch, m, n, k) in [(1, 3, 4, 5), (7, 5, 6, 7), (40, 16, 17, 18), (6, 70, 50, 60), (3, 0, 2, 2), (4, 2, 3, 0)]
    {
        let dice = &mut Dice(batch as u64 * 3 + 1);
        let mut numbers = |len: usize| (0..len).map(|_| dice.unit() as f32).collect::<Vec<_>>();
        let (a, b, bias) = (numbers(batch * m * k), numbers(k * n), numbers(n));
        let ep = Epilogue::default().bias(&bias);
        let step = m * n + 2;
        let mut one = vec![1.5f32; batch * step];
        for i in 0..batch {
            gemm(m, n, k, Mat::row_major(&a[i * m * k..], k), Mat::row_major(&b, n), &mut one[i * step..], n, &ep);
        }
        for threads in [1, 2, 3] {
            set_num_threads(threads);
            let mut all = vec![1.5f32; batch * step];
            let (am, bm) = (Mat::row_major(&a, k), Mat::row_major(&b, n));
            gemm_batched(batch, m, n, k, am, m * k, bm, 0, &mut all, n, step, &ep);
            assert_eq!(one, all);
        }
        set_num_threads(0);
    }
}

#[test]
fn short_operands_are_refused() {
    let refused = |f: &dyn Fn()| {
        let e = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
        e.downcast_ref::<String>().unwrap().clone()
    };
    let (x, ep) = ([0.0f32; 5], Epilogue::default());
    let (short, long) = (Mat::row_major(&x, 3), Mat::row_major(&x, 2));
    assert!(refused(&|| gemm(2, 2, 3, short, long, &mut [0.0; 4], 2, &ep)).contains("A of 2x3"));
    assert!(refused(&|| gemm(2, 2, 2, long, Mat::new(&x, usize::MAX, 1), &mut [0.0; 4], 2, &ep)).contains("B of 2x2"));
    assert!(refused(&|| gemm(2, 2, 2, long, long, &mut [0.0; 3], 2, &ep)).contains("C of 2x2"));
    assert!(refused(&|| gemm(2, 2, 2, long, long, &mut [0.0; 4], 1, &ep)).contains("rows 1 apart"));
    assert!(
        refused(&|| gemm(2, 2, 2, long, long, &mut [0.0; 4], 2, &Epilogue::default().bias(&[1.0]))).contains("bias")
    );
    let overlap = || gemm_batched(2, 1, 2, 1, long, 1, long, 1, &mut [0.0; 4], 2, 1, &ep);
    assert!(refused(&overlap).contains("overlap"));
}

// A packed operand gives what the product with it gives, for sizes around tiles and blocks of k, from rows and from columns.
#[test]
fn packed_operands() {
    fn all<T: super::Packable + std::convert::From<f32> + std::fmt::Debug>(bound: f64, f: impl Fn(T) -> f64) {
        for (m, n, k) in
            [(1, 1, 1), (7, 17, 3), (13, 16, 64), (102, 200, 100), (50, 33, 801), (6, 5, 1700), (241, 100, 200)]
        {
            let x: Vec<T> = (0..m * k).map(|i| T::from(((i * 37 % 101) as f32 - 50.0) / 40.0)).collect();
            let w: Vec<T> = (0..k * n).map(|i| T::from(((i * 53 % 97) as f32 - 48.0) / 40.0)).collect();
            let bias: Vec<T> = (0..n).map(|i| T::from(i as f32 / 8.0)).collect();
            for b in [Mat::row_major(&w, n), Mat::row_major(&w, k).t()] {
                let packed = super::Packed::new(k, n, b);
                let ep = Epilogue::default().bias(&bias).relu();
                let (mut got, mut want) = (vec![T::from(0.0); m * n], vec![T::from(0.0); m * n]);
                packed.product(m, Mat::row_major(&x, k), &mut got, n, &ep);
                super::gemm(m, n, k, Mat::row_major(&x, k), b, &mut want, n, &ep);
                for (g, w) in got.iter().zip(&want) {
                    assert!((f(*g) - f(*w)).abs() <= bound * (k as f64), "{m}x{n}x{k}: {g:?} for {w:?}");
                }
            }
        }
    }
    all::<f32>(4e-7, |x| x as f64);
    all::<f64>(1e-15, |x| x);
}

/// Sums of 784 keep nearly all digits at every level: they are made of short chains.
#[test]
fn long_sums_keep_their_digits() {
    let (m, n, k) = (32, 48, 784);
    let noise = |n: usize, seed: u32| -> Vec<f32> {
        (0..n as u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
    };
    let (a, b) = (noise(m * k, 1), noise(k * n, 7));
    let _turn = alone();
    for level in levels() {
        set_level(level);
        let mut c = vec![0.0f32; m * n];
        gemm(m, n, k, Mat::row_major(&a, k), Mat::row_major(&b, n), &mut c, n, &Epilogue::default());
        let (mut errors, mut size) = (0.0, 0.0);
        for i in 0..m {
            for j in 0..n {
                let exact: f64 = (0..k).map(|p| a[i * k + p] as f64 * b[p * n + j] as f64).sum();
                errors += (c[i * n + j] as f64 - exact).powi(2);
                size += exact * exact;
            }
        }
        let relative = (errors / size).sqrt();
        // With chains of 400 it is 4.9e-7, with one of all 784 5.7e-7.
        println!("{level:?}: {relative:.2e}");
        assert!(relative < 4e-7, "{level:?}: {relative:e}");
    }
    set_level(best());
}
