//! The normal distribution cut off at both sides.

use super::fill::{wide, write};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Tensor, no_grad};

/// Normal numbers, drawn again while they are outside `[a, b]` (`nn.init.trunc_normal_(tensor, mean, std, a, b)`; PyTorch's defaults are 0, 1, -2 and 2).
///
/// Where little of the distribution lies between the bounds, uniform numbers are accepted with the probability of the density instead.
///
/// # Panics
/// If the dtype is no floating-point one, or `std` is negative.
#[track_caller]
pub fn trunc_normal_(tensor: &Tensor, mean: f64, std: f64, a: f64, b: f64) -> Tensor {
    let (shape, dtype) = (tensor.shape(), tensor.dtype());
    if !dtype.is_floating_point() {
        fail("trunc_normal_", format!("expected a floating-point tensor, but got {}", dtype.name()));
    }
    let fresh = || Tensor::zeros_of(shape, dtype);
    let normals = || no_grad(|| wide(&fresh().normal_(mean, std)));
    let uniforms = |a, b| no_grad(|| wide(&fresh().uniform_(a, b)));
    let between = cumulated((b - mean) / std) - cumulated((a - mean) / std);
    if between > 0.3 {
        let (low, high) = (rounded(a, dtype), rounded(b, dtype));
        let outside = |x: &f64| *x < low || *x > high;
        let mut numbers = normals();
        while numbers.iter().any(outside) {
            for (x, new) in numbers.iter_mut().zip(normals()) {
                if outside(x) {
                    *x = new;
                }
            }
        }
        return write(tensor, &numbers);
    }
    let density = Density::new(mean, std, mean.clamp(a, b), dtype);
    let mut numbers = uniforms(a, b);
    let refused = |chance: f64, x: f64| rounded(chance.ln(), dtype) > density.log(x);
    let mut pending: Vec<bool> = uniforms(0.0, 1.0).into_iter().zip(&numbers).map(|(u, x)| refused(u, *x)).collect();
    while pending.contains(&true) {
        let new = uniforms(a, b);
        let chances = uniforms(0.0, 1.0);
        for i in 0..numbers.len() {
            if pending[i] {
                numbers[i] = new[i];
                pending[i] = refused(chances[i], new[i]);
            }
        }
    }
    write(tensor, &numbers)
}

/// The logarithm of the density relative to its peak, each step rounded as tensors of the dtype round it.
struct Density {
    mean: f64,
    std: f64,
    peak: f64,
    dtype: DType,
}
impl Density {
    fn new(mean: f64, std: f64, mode: f64, dtype: DType) -> Density {
        let peak = -0.5 * ((mode - mean) / std).powi(2);
        let std = if dtype == DType::F64 { std } else { std as f32 as f64 };
        Density { mean: rounded(mean, dtype), std, peak: rounded(peak, dtype), dtype }
    }
    fn log(&self, x: f64) -> f64 {
        let r = |x| rounded(x, self.dtype);
        let z = r(r(x - self.mean) / self.std);
        r(r(r(z * z) * -0.5) - self.peak)
    }
}

/// The number nearest to `x` in a floating-point dtype; 16-bit types are rounded from f32.
fn rounded(x: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => x,
        DType::F16 => cresset_tensor::f16::from_f32(x as f32).to_f64(),
        DType::BF16 => cresset_tensor::bf16::from_f32(x as f32).to_f64(),
        _ => x as f32 as f64,
    }
}

/// The cumulated normal distribution.
fn cumulated(x: f64) -> f64 {
    (1.0 + erf(x / 2.0f64.sqrt())) / 2.0
}

/// The error function: its series near zero, the continued fraction of its complement farther out.
fn erf(x: f64) -> f64 {
    let z = x.abs();
    let value = if z < 2.5 {
        let (mut term, mut sum, mut n) = (z, z, 0.0);
        while term.abs() > sum * 1e-17 {
            n += 1.0;
            term *= -z * z / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else if z < 6.0 {
        let fraction = (1..=60).rev().fold(z, |f, k| z + k as f64 / 2.0 / f);
        1.0 - (-z * z).exp() / fraction / std::f64::consts::PI.sqrt()
    } else {
        1.0
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::erf;

    #[test]
    fn erf_on_both_branches() {
        for (x, want) in
            [(0.0, 0.0), (0.5, 0.5204998778130465), (2.4, 0.999311486103355), (2.6, 0.9997639655834707), (7.0, 1.0)]
        {
            assert!((erf(x) - want).abs() < 1e-13, "{x}: {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
    }
}
