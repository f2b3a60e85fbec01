//! When two results count as equal.

use cresset_tensor::{DType, Tensor, with_element};

/// The relative and absolute tolerance of a dtype, and the unit in the last place that 16-bit types are also allowed.
pub fn tolerance(dtype: DType) -> (f64, f64, f64) {
    match dtype {
        DType::F64 => (1e-7, 1e-7, 0.0),
        DType::F32 => (1.3e-6, 1e-5, 0.0),
        DType::F16 => (2e-3, 1e-5, 1.0 / 1024.0),
        DType::BF16 => (1.6e-2, 1e-5, 1.0 / 128.0),
        _ => (0.0, 0.0, 0.0),
    }
}

/// How far a number may be off beyond [`tolerance`].
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// The largest error of PyTorch's own result.
    pub noise: f64,
    /// Another relative and absolute tolerance than that of the dtype.
    pub tolerance: Option<(f64, f64)>,
}

impl Allowance {
    /// The tolerance of the dtype alone.
    pub const NONE: Allowance = Allowance { noise: 0.0, tolerance: None };
    /// With the noise of a case.
    pub fn noise(noise: f64) -> Allowance {
        Allowance { noise, tolerance: None }
    }
    /// With a tolerance of its own.
    pub fn within(rtol: f64, atol: f64) -> Allowance {
        Allowance { noise: 0.0, tolerance: Some((rtol, atol)) }
    }
}

/// The elements as f64 in row-major order (exact but for integers beyond 2^53).
pub fn floats(t: &Tensor) -> Vec<f64> {
    let a = t.array();
    with_element!(a.dtype(), T => a.to_vec::<T>().into_iter().map(|x| Into::<cresset_tensor::Scalar>::into(x).f64()).collect())
}

/// The elements as i64 in row-major order.
pub fn integers(t: &Tensor) -> Vec<i64> {
    let a = t.array();
    with_element!(a.dtype(), T => a.to_vec::<T>().into_iter().map(|x| Into::<cresset_tensor::Scalar>::into(x).i64()).collect())
}

/// Is `got` what was wanted? Otherwise a text that tells the difference.
pub fn compare(got: &Tensor, want: &Tensor, allowance: Allowance) -> Result<(), String> {
    if got.dtype() != want.dtype() {
        return Err(format!("dtype: got {}, want {}", got.dtype().name(), want.dtype().name()));
    }
    if got.shape() != want.shape() {
        return Err(format!("shape: got {:?}, want {:?}", got.shape(), want.shape()));
    }
    if !want.dtype().is_floating_point() {
        let (g, w) = (integers(got), integers(want));
        return match g.iter().zip(&w).position(|(g, w)| g != w) {
            None => Ok(()),
            Some(i) => {
                let wrong = g.iter().zip(&w).filter(|(g, w)| g != w).count();
                Err(format!("element {i} of {}: got {}, want {} ({wrong} differ)", w.len(), g[i], w[i]))
            }
        };
    }
    let (g, w) = (floats(got), floats(want));
    let (mut rtol, mut atol, eps) = tolerance(want.dtype());
    if let Some((r, a)) = allowance.tolerance {
        (rtol, atol) = (r, a);
    }
    let largest = w.iter().filter(|x| x.is_finite()).fold(0.0f64, |m, x| m.max(x.abs()));
    let slack = atol + 4.0 * allowance.noise.max(0.0) + eps * largest;
    let fits = |g: f64, w: f64| same(g, w) || (g - w).abs() <= slack + rtol * w.abs() && w.is_finite();
    let Some(first) = (0..w.len()).find(|&i| !fits(g[i], w[i])) else { return Ok(()) };
    let worst = (0..w.len())
        .filter(|&i| !fits(g[i], w[i]))
        .max_by(|&a, &b| {
            let off = |i: usize| (g[i] - w[i]).abs();
            off(a).total_cmp(&off(b))
        })
        .unwrap_or(first);
    let wrong = (0..w.len()).filter(|&i| !fits(g[i], w[i])).count();
    Err(format!(
        "element {worst} of {}: got {:?}, want {:?} (off by {:.3e}, allowed {:.3e}; {wrong} differ)",
        w.len(),
        g[worst],
        w[worst],
        (g[worst] - w[worst]).abs(),
        slack + rtol * w[worst].abs(),
    ))
}

/// Equal, or both nan.
pub fn same(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan()
}

/// The same check for a plain number.
pub fn compare_number(got: f64, want: f64, dtype: DType, allowance: Allowance) -> Result<(), String> {
    let (mut rtol, mut atol, eps) = tolerance(dtype);
    if let Some((r, a)) = allowance.tolerance {
        (rtol, atol) = (r, a);
    }
    let allowed = atol + rtol * want.abs() + 4.0 * allowance.noise.max(0.0) + eps * want.abs();
    if same(got, want) || want.is_finite() && (got - want).abs() <= allowed {
        return Ok(());
    }
    Err(format!("got {got:?}, want {want:?}"))
}
