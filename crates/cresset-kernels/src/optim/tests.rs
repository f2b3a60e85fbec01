use super::*;
use half::{bf16, f16};

#[derive(Clone, Copy)]
struct Momentum;
impl Formula<1> for Momentum {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m]: [F; 1]) -> (F, [F; 1]) {
        let m = F::of(0.5) * m + g;
        (p - m * F::of(0.25), [m])
    }
}

#[test]
fn every_length_and_thread_count_gives_the_same() {
    for n in [0, 1, 15, 16, 17, 100, 3 * GRAIN + 5] {
        let g: Vec<f32> = (0..n).map(|i| (i % 13) as f32 - 6.0).collect();
        let (mut p, mut m) = (g.clone(), vec![2.0f32; n]);
        apply(Momentum, &mut p, &g, [&mut m]);
        for i in 0..n {
            assert_eq!((m[i], p[i]), (1.0 + g[i], g[i] - (1.0 + g[i]) * 0.25), "{i} of {n}");
        }
    }
}

#[test]
fn short_numbers_are_computed_in_f32() {
    let n = 2 * BLOCK + 3;
    let g: Vec<f32> = (0..n).map(|i| (i % 13) as f32).collect();
    let half: Vec<f16> = g.iter().map(|&x| f16::from_f32(x)).collect();
    let (mut p, mut m) = (half.clone(), vec![f16::from_f32(2.0); n]);
    apply(Momentum, &mut p, &half, [&mut m]);
    let brain: Vec<bf16> = g.iter().map(|&x| bf16::from_f32(x)).collect();
    let (mut q, mut l) = (brain.clone(), vec![bf16::from_f32(2.0); n]);
    apply(Momentum, &mut q, &brain, [&mut l]);
    for i in 0..n {
        let (want_m, want_p) = (1.0 + g[i], g[i] - (1.0 + g[i]) * 0.25);
        assert_eq!((m[i].to_f32(), p[i].to_f32()), (want_m, want_p));
        assert_eq!((l[i].to_f32(), q[i].to_f32()), (want_m, bf16::from_f32(want_p).to_f32()));
    }
}

#[test]
fn together_is_the_same_as_one_by_one() {
    // Lengths around the blocks of lanes, the alignment and the pieces, so that pieces begin and end within parameters and hold several.
    let lengths = [0, 1, 63, 64, 65, 0, 4000, 4096, 4097, 7, 200_001, 1, 1, 130];
    let numbers = |n: usize, k: usize| -> Vec<f32> { (0..n).map(|i| ((i * 7 + k) % 23) as f32 - 11.0).collect() };
    let half = |x: &[f32]| -> Vec<f16> { x.iter().map(|x| f16::from_f32(*x)).collect() };
    let mut all: Vec<[Vec<f32>; 3]> =
        lengths.iter().enumerate().map(|(k, n)| [numbers(*n, k), numbers(*n, k + 1), numbers(*n, k + 2)]).collect();
    let mut short: Vec<[Vec<f16>; 3]> = all.iter().map(|a| a.each_ref().map(|x| half(x))).collect();
    let (mut want, mut want_short) = (all.clone(), short.clone());
    for [p, g, m] in &mut want {
        apply(Momentum, p, g, [m]);
    }
    for [p, g, m] in &mut want_short {
        apply(Momentum, p, g, [m]);
    }
    let mut together = Together::new();
    for ([p, g, m], [q, h, l]) in all.iter_mut().zip(&mut short) {
        together.push(&Momentum, p, g, [m]);
        together.push(&Momentum, q, h, [l]);
    }
    together.run();
    assert!(all == want && short == want_short);
    Together::new().run();
}

#[test]
fn norms() {
    let x: Vec<f32> = (0..100_000).map(|i| if i % 2 == 0 { 1.0 } else { -2.0 }).collect();
    assert_eq!(power_sum(&x, 2.0), 250_000.0);
    assert_eq!(power_sum(&x, 1.0), 150_000.0);
    assert_eq!(power_sum(&x, 0.0), 100_000.0);
    assert_eq!(power_sum(&x, 3.0), 450_000.0);
    assert_eq!((max_abs(&x, false), max_abs(&x, true)), (2.0, 1.0));
    assert!(max_abs(&[1.0f64, f64::NAN, 3.0], false).is_nan());
    let h: Vec<f16> = x[..1000].iter().map(|&x| f16::from_f32(x)).collect();
    assert_eq!(power_sum(&h, 2.0), 2500.0);
    assert_eq!(max_abs::<f32>(&[], false), 0.0);
}
