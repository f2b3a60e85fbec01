//! `quantile` and `nanquantile`: interpolation between sorted elements.

use super::pick::pick;
use super::{around, one_dim};
use crate::dtype::DType;
use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::record::depends;
use crate::tensor::Tensor;

/// What a quantile between two elements is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// On the line between them.
    #[default]
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearer one; the one of even rank if both are as near.
    Nearest,
    /// Their mean.
    Midpoint,
}

#[track_caller]
fn quantile(
    x: &Tensor,
    name: &'static str,
    q: &Tensor,
    dim: Option<isize>,
    keepdim: bool,
    interpolation: Interpolation,
    skip_nan: bool,
) -> Tensor {
    depends(name);
    let dtype = x.dtype();
    if x.numel() == 0 {
        fail(name, format!("{name}() input tensor must be non-empty"));
    }
    if !matches!(dtype, DType::F32 | DType::F64) {
        fail(name, format!("{name}() input tensor must be either float or double dtype"));
    }
    if q.dim() > 1 {
        fail(name, format!("{name}() q must be a scalar or 1D tensor"));
    }
    if q.dtype() != dtype {
        fail(name, format!("{name}() q tensor must be same dtype as the input tensor"));
    }
    let qs = q.to_dtype(DType::F64).to_vec::<f64>();
    if qs.iter().any(|q| !(0.0..=1.0).contains(q)) {
        fail(name, format!("{name}() q values must be in the range [0, 1]"));
    }
    let ndim = x.dim();
    let at = one_dim(name, dim.unwrap_or(0), ndim);
    // Rows last, sorted; NaN lies at the end.
    let rows = match dim {
        None => x.reshape([1, -1]),
        Some(_) => {
            let last = if ndim == 0 { x.reshape([1]) } else { x.movedim(at as isize, -1isize) };
            let n = around(&x.shape(), at).1;
            last.reshape([-1, n as isize])
        }
    };
    let (sorted, _) = rows.sort(1, false);
    let n = sorted.size(1);
    let flat = sorted.detach().to_dtype(DType::F64).to_vec::<f64>();
    let (mut low, mut high) = (Vec::new(), Vec::new());
    // Where between the two, as `slope q + base`, so that q has its gradient.
    let (mut slope, mut base) = (Vec::new(), Vec::new());
    for row in flat.chunks_exact(n) {
        let numbers = row.iter().filter(|v| !v.is_nan()).count();
        for &q in &qs {
            let exact = if skip_nan { q * numbers.saturating_sub(1) as f64 } else { q * (n - 1) as f64 };
            let is_nan = !skip_nan && numbers < n;
            let rank = if is_nan { (n - 1) as f64 } else { exact };
            let rank = match interpolation {
                Interpolation::Lower => rank.floor(),
                Interpolation::Higher => rank.ceil(),
                Interpolation::Nearest => rank.round_ties_even(),
                _ => rank,
            };
            low.push(rank.floor() as i64);
            high.push(rank.ceil() as i64);
            let span = if skip_nan { numbers.saturating_sub(1) } else { n - 1 } as f64;
            let (s, b) = match interpolation {
                Interpolation::Midpoint => (0.0, 0.5),
                Interpolation::Linear if !is_nan => (span, -rank.floor()),
                _ => (0.0, 0.0),
            };
            slope.push(s);
            base.push(b);
        }
    }
    let shape = [sorted.size(0), qs.len()];
    let index = |v: Vec<i64>| Tensor::from_vec(v, shape);
    let (low, high) = (pick(&sorted, &index(low), 1), pick(&sorted, &index(high), 1));
    let constant = |v: Vec<f64>| Tensor::from_vec(v, shape);
    // In f64: the difference between two large ranks would lose digits in f32.
    let share = (&(&constant(slope) * &q.to_dtype(DType::F64)) + &constant(base)).to_dtype(dtype);
    let found = &low + &(&(&high - &low) * &share);
    // (rows, q) becomes (q, rows), and the rows get their shape back.
    let mut kept: Vec<isize> = x.shape().iter().map(|&n| n as isize).collect();
    match (dim, keepdim) {
        (None, true) => kept.fill(1),
        (None, false) => kept.clear(),
        (Some(_), _) if ndim == 0 => {}
        (Some(_), true) => kept[at] = 1,
        (Some(_), false) => {
            kept.remove(at);
        }
    }
    if q.dim() == 1 {
        kept.insert(0, qs.len() as isize);
    }
    found.transpose(0, 1).reshape(kept)
}

impl Tensor {
    /// The q-th quantiles of all elements, or with `dim` along a dimension (`x.quantile(q, dim, keepdim, interpolation=...)`). `q` is 0-d, or
    /// 1-d with the quantiles as first dimension of the result. A NaN makes the result NaN.
    ///
    /// # Panics
    /// If the tensor is empty or neither f32 nor f64, `q` has another dtype or is not between 0 and 1, or the dimension is out of range.
    #[track_caller]
    pub fn quantile(
        &self,
        q: &Tensor,
        dim: impl Into<Option<isize>>,
        keepdim: bool,
        interpolation: Interpolation,
    ) -> Tensor {
        quantile(self, "quantile", q, dim.into(), keepdim, interpolation, false)
    }
    /// [`Tensor::quantile`] of the elements that are not NaN (`x.nanquantile(...)`).
    #[track_caller]
    pub fn nanquantile(
        &self,
        q: &Tensor,
        dim: impl Into<Option<isize>>,
        keepdim: bool,
        interpolation: Interpolation,
    ) -> Tensor {
        quantile(self, "nanquantile", q, dim.into(), keepdim, interpolation, true)
    }
}

fn sampled(f: fn(&Tensor, &Tensor, Option<isize>, bool, Interpolation) -> Tensor) -> Vec<Sample> {
    let q = || Tensor::from_slice(&[0.3f64, 0.75]);
    vec![
        Sample::new(&[numbers(&[5], 1)], move |x| f(&x[0], &q(), None, false, Interpolation::Linear)),
        Sample::new(&[numbers(&[3, 4], 2)], move |x| f(&x[0], &q(), Some(1), true, Interpolation::Midpoint)),
        Sample::new(&[numbers(&[3, 4], 3)], move |x| {
            f(&x[0], &q().select(0, 0), Some(0), false, Interpolation::Nearest)
        }),
    ]
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "quantile",
        torch: "x.quantile(q, dim, keepdim, interpolation=...)",
        samples: || sampled(|x, q, d, k, i| x.quantile(q, d, k, i)),
        refused: || {
            vec![Sample::new(&[numbers(&[3], 1)], |x| {
                x[0].quantile(&Tensor::full_of((), 1.5, DType::F64), None, false, Interpolation::Linear)
            })]
        },
    },
    OpInfo {
        name: "nanquantile",
        torch: "x.nanquantile(q, dim, keepdim, interpolation=...)",
        samples: || sampled(|x, q, d, k, i| x.nanquantile(q, d, k, i)),
        refused: Vec::new,
    },
];
