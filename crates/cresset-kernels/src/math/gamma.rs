//! The logarithm of the gamma function and its derivative, in f64. Rare, so plain and branching.

/// `lgamma(x) / ((x - 1) (x - 2))` over `x - 2` for x between 1 and 3, 5e-16.
const NEAR: [f64; 25] = [
    0.422784335098467,
    -0.10031730167434993,
    0.03296500062116433,
    -0.012384192193784914,
    0.004998641164576354,
    -0.0021081308212841077,
    0.0009153769207039442,
    -0.00040570757694439883,
    0.00018255268926173698,
    -8.309370913344817e-05,
    3.816838461483748e-05,
    -1.7668560721704915e-05,
    8.224936566630225e-06,
    -3.82562272240814e-06,
    1.798868757893331e-06,
    -8.984970852662293e-07,
    4.23899244370868e-07,
    -1.2788498393459797e-07,
    6.217253453422363e-08,
    -1.0169178988625912e-07,
    4.782070557021961e-08,
    2.2355852077263776e-08,
    -1.044598933632594e-08,
    -1.1433831967366914e-08,
    5.460144750235302e-09,
];

/// ln|Γ(x)|: a polynomial between 1 and 3, the recurrence around it, Stirling's series from 10 on, reflection below zero.
pub(crate) fn lgamma(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() || (x <= 0.0 && x == x.floor()) {
        return f64::INFINITY;
    }
    if x < 0.0 {
        // |x| Γ(|x|) Γ(x) |sin πx| = π, with the sine of the fraction so that large x keep their digits.
        let s = (std::f64::consts::PI * (x - x.round_ties_even())).sin().abs();
        return (std::f64::consts::PI / (s * -x)).ln() - lgamma(-x);
    }
    if x < 1e-20 {
        return -x.ln();
    }
    if x >= 10.0 {
        // Bernoulli numbers over 2n (2n - 1).
        let z = 1.0 / (x * x);
        let tail =
            [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
        let series = tail.iter().rev().fold(0.0, |p, c| p * z + c) / x;
        // Where x ln x overflows to infinity, so does the function.
        return (x - 0.5) * (x.ln() - 1.0) + (0.5 * (2.0 * std::f64::consts::PI).ln() - 0.5) + series;
    }
    if x < 1.0 {
        return near(x + 1.0, x, x - 1.0) - x.ln();
    }
    let mut y = x;
    let mut product = 1.0;
    while y > 3.0 {
        y -= 1.0;
        product *= y;
    }
    near(y, y - 1.0, y - 2.0) + product.ln()
}

/// `lgamma(x)` from the polynomial; the two factors come in exactly.
fn near(x: f64, x1: f64, x2: f64) -> f64 {
    NEAR.iter().rev().fold(0.0, |p, c| p * (x - 2.0) + c) * x1 * x2
}

/// The derivative of lgamma: recurrence up to 10, then the asymptotic series; reflection below zero. At zero -∞ or +∞ by
/// the sign of the zero, NaN at the other poles.
pub(crate) fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x.is_infinite() && x > 0.0 {
        return x;
    }
    if x < 0.0 {
        let f = x - x.round_ties_even();
        if f == 0.0 || x.is_infinite() {
            return f64::NAN;
        }
        return digamma(1.0 - x) - std::f64::consts::PI / (std::f64::consts::PI * f).tan();
    }
    let mut y = x;
    let mut shift = 0.0;
    while y < 10.0 {
        shift += 1.0 / y;
        y += 1.0;
    }
    let z = 1.0 / (y * y);
    let b = [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32_760.0, 1.0 / 12.0];
    let series = b.iter().rev().fold(0.0, |p, c| p * z + c) * z;
    y.ln() - 0.5 / y - series - shift
}
