//! `a * b + c` in f32 with one rounding, on every level.

use crate::level::Simd;

/// The fused product and sum: one instruction where the level has it, else the same bits by f64 arithmetic, which unlike the
/// library call `fmaf` is a vector loop.
#[inline(always)]
pub(super) fn fused<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::FUSED { a.mul_add(b, c) } else { by_rounding_to_odd(a, b, c) }
}

/// The product is exact in f64. The sum is rounded to odd: 53 bits are more than 24 + 2, so that rounding it once more, to
/// f32, is as if it had been rounded once (Boldo and Melquiond 2008).
#[inline(always)]
pub(super) fn by_rounding_to_odd(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    let part = sum - product;
    let error = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    let away = (error > 0.0) == (sum > 0.0);
    let odd = if away { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    // An error that is not a number (infinite arguments) changes nothing.
    let inexact = (error > 0.0) | (error < 0.0);
    f64::from_bits(if inexact & (bits & 1 == 0) { odd } else { bits }) as f32
}

#[cfg(test)]
mod tests {
    use super::by_rounding_to_odd;
    use crate::rng::GeneratorState;

    #[test]
    fn arithmetic_in_f64_gives_the_bits_of_the_fused_instruction() {
        let mut generator = GeneratorState::new(1);
        for i in 0..300_000 {
            let mut number = || {
                let sign = if generator.r32() & 1 == 0 { 1.0 } else { -1.0 };
                // Exponents near each other, so that sums cancel, and sometimes far apart.
                sign * (generator.u24() + 0.5)
                    * 2f32.powi((generator.r32() % if i % 2 == 0 { 6 } else { 60 }) as i32 - 30)
            };
            let (a, b) = (number(), number());
            let c = if i % 3 == 0 { -a * b } else { number() };
            let (got, want) = (by_rounding_to_odd(a, b, c), a.mul_add(b, c));
            assert_eq!(got.to_bits(), want.to_bits(), "{a} * {b} + {c}");
        }
        let tiny = f32::MIN_POSITIVE;
        for (a, b, c) in
            [(tiny, 0.3, tiny), (tiny, 0.5, 1e-45), (0.0, -1.0, 0.0), (1e38, 10.0, -1e38), (1e38, 1e38, 1.0)]
        {
            assert_eq!(by_rounding_to_odd(a, b, c).to_bits(), a.mul_add(b, c).to_bits(), "{a} * {b} + {c}");
        }
        assert_eq!(by_rounding_to_odd(1.0, 2.0, f32::INFINITY), f32::INFINITY);
        assert_eq!(by_rounding_to_odd(1.0, 2.0, f32::NEG_INFINITY), f32::NEG_INFINITY);
    }
}
