//! Sequences of numbers and matrices known by rule: arange, linspace, logspace, eye.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::{DType, Element, Scalar};
use crate::error::fail;
use crate::record::constant;
use crate::tensor::Tensor;
use crate::with_element;

/// A vector of `dtype` from numbers given one by one.
fn vector(dtype: DType, n: usize, at: impl Fn(usize) -> Scalar) -> Tensor {
    fn go<T: Element>(n: usize, at: impl Fn(usize) -> Scalar) -> Array {
        Array::build::<T::Stored>(Meta::new(T::DTYPE, n), |out| {
            for (i, o) in out.iter_mut().enumerate() {
                *o = T::from_scalar(at(i)).store();
            }
        })
    }
    constant(Tensor::from_array(with_element!(dtype, T => go::<T>(n, at))))
}

impl Tensor {
    /// The integers from 0 to before `end`, as int64; as float32 if `end` has a fraction (`torch.arange(end)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::arange(3).to_vec::<i64>(), [0, 1, 2]);
    /// assert_eq!(Tensor::arange(3.0).to_vec::<f32>(), [0.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn arange(end: impl Into<Scalar>) -> Tensor {
        Tensor::arange_step(0, end, 1)
    }
    /// The numbers from `start` to before `end`, `step` apart: int64 if all are integers, else float32 (`torch.arange(start, end, step)`).
    #[track_caller]
    pub fn arange_step(start: impl Into<Scalar>, end: impl Into<Scalar>, step: impl Into<Scalar>) -> Tensor {
        let (start, end, step) = (start.into(), end.into(), step.into());
        let float = start.is_float() || end.is_float() || step.is_float();
        Tensor::arange_of(start, end, step, if float { DType::F32 } else { DType::I64 })
    }
    /// The same of a dtype (`torch.arange(start, end, step, dtype=...)`).
    ///
    /// # Panics
    /// If `step` is zero or leads away from `end`, or a bound is not finite.
    #[track_caller]
    pub fn arange_of(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        step: impl Into<Scalar>,
        dtype: DType,
    ) -> Tensor {
        let (start, end, step) = (start.into(), end.into(), step.into());
        let (a, b, s) = (start.f64(), end.f64(), step.f64());
        if s == 0.0 || s.is_nan() {
            fail("arange", "step must be nonzero");
        }
        if !a.is_finite() || !b.is_finite() {
            fail("arange", format!("unsupported range: {start} -> {end}"));
        }
        if (s > 0.0 && b < a) || (s < 0.0 && b > a) {
            fail("arange", "upper bound and lower bound inconsistent with step sign");
        }
        if let (Scalar::Int(a), Scalar::Int(b), Scalar::Int(s)) = (start, end, step) {
            let n = (i128::from(b) - i128::from(a)).unsigned_abs().div_ceil(u128::from(s.unsigned_abs())) as usize;
            return vector(dtype, n, |i| Scalar::Int(a.wrapping_add(s.wrapping_mul(i as i64))));
        }
        let n = ((b - a) / s).ceil();
        if n > isize::MAX as f64 / 8.0 {
            fail("arange", format!("invalid size, possible overflow: {start} to {end} by {step}"));
        }
        if dtype.is_floating_point() {
            return vector(dtype, n as usize, |i| Scalar::Float(a + s * i as f64));
        }
        let (a, s) = (start.i64(), step.i64());
        vector(dtype, n as usize, |i| Scalar::Int(a.wrapping_add(s.wrapping_mul(i as i64))))
    }
    /// `steps` float32 numbers from `start` to `end`, both included, equally far apart (`torch.linspace(start, end, steps)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 5).to_vec::<f32>(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    pub fn linspace(start: impl Into<Scalar>, end: impl Into<Scalar>, steps: usize) -> Tensor {
        Tensor::linspace_of(start, end, steps, DType::F32)
    }
    /// The same of a dtype (`torch.linspace(start, end, steps, dtype=...)`).
    pub fn linspace_of(start: impl Into<Scalar>, end: impl Into<Scalar>, steps: usize, dtype: DType) -> Tensor {
        let at = between(start.into(), end.into(), steps, dtype);
        vector(dtype, steps, |i| Scalar::Float(at(i)))
    }
    /// `steps` float32 numbers from `base^start` to `base^end`, whose exponents are equally far apart
    /// (`torch.logspace(start, end, steps, base)`; PyTorch's default base is 10).
    pub fn logspace(start: impl Into<Scalar>, end: impl Into<Scalar>, steps: usize, base: f64) -> Tensor {
        Tensor::logspace_of(start, end, steps, base, DType::F32)
    }
    /// The same of a dtype (`torch.logspace(start, end, steps, base, dtype=...)`).
    pub fn logspace_of(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        steps: usize,
        base: f64,
        dtype: DType,
    ) -> Tensor {
        let at = between(start.into(), end.into(), steps, dtype);
        vector(dtype, steps, |i| Scalar::Float(base.powf(at(i))))
    }
    /// The `n` x `n` identity matrix in float32 (`torch.eye(n)`).
    pub fn eye(n: usize) -> Tensor {
        Tensor::eye_of(n, n, DType::F32)
    }
    /// An `n` x `m` matrix with ones on its diagonal (`torch.eye(n, m, dtype=...)`).
    pub fn eye_of(n: usize, m: usize, dtype: DType) -> Tensor {
        fn go<T: Element>(n: usize, m: usize) -> Array {
            Array::build::<T::Stored>(Meta::new(T::DTYPE, Dims::from([n, m])), |out| {
                out.fill(T::default().store());
                (0..n.min(m)).for_each(|i| out[i * m + i] = T::from_scalar(Scalar::Int(1)).store());
            })
        }
        constant(Tensor::from_array(with_element!(dtype, T => go::<T>(n, m))))
    }
}

/// Numbers equally far apart: from the start in the first half, from the end in the second, so that both ends are exact. Computed in the precision of
/// the dtype, as PyTorch does; integers in double precision between whole bounds.
fn between(start: Scalar, end: Scalar, steps: usize, dtype: DType) -> impl Fn(usize) -> f64 {
    let round = move |x: f64| match dtype {
        DType::F64 => x,
        d if d.is_floating_point() => f64::from(x as f32),
        _ => x,
    };
    let bound = |x: Scalar| if dtype.is_floating_point() { round(x.f64()) } else { x.i64() as f64 };
    let (a, b) = (bound(start), bound(end));
    let step = if steps > 1 { round(round(b - a) / (steps - 1) as f64) } else { 0.0 };
    move |i| {
        if i < steps / 2 || steps == 1 {
            round(a + round(step * i as f64))
        } else {
            round(b - round(step * (steps - 1 - i) as f64))
        }
    }
}
