//! Triangular systems: `solve_triangular`.

use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::threads;

/// Which triangle, which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangular {
    /// The upper triangle of A counts, otherwise the lower.
    pub upper: bool,
    /// Solve `A X = B`, otherwise `X A = B`. Default true.
    pub left: bool,
    /// Take the diagonal for ones. Default false.
    pub unitriangular: bool,
}
impl Triangular {
    /// `A X = B` with the upper triangle of A.
    pub const UPPER: Triangular = Triangular { upper: true, left: true, unitriangular: false };
    /// `A X = B` with the lower triangle of A.
    pub const LOWER: Triangular = Triangular { upper: false, left: true, unitriangular: false };
}

/// `A X = B` for batches of triangles; inputs A, B with equal leading dimensions.
#[derive(Clone, Copy, Debug)]
struct Solve {
    upper: bool,
    unit: bool,
}

impl Op for Solve {
    fn name(&self) -> &'static str {
        "linalg.solve_triangular"
    }
    fn grad_name(&self) -> String {
        "LinalgSolveTriangularBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[1]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        // In f64 also for f32: the substitution's errors grow with the condition of A.
        let (a, b) = (inputs[0].to(DType::F64).contiguous(), inputs[1].to(DType::F64).contiguous());
        let n = a.shape()[a.ndim() - 1];
        let k = outputs[0].shape[outputs[0].ndim() - 1];
        let x = Array::build::<f64>(Meta { dtype: DType::F64, ..outputs[0] }, |x| {
            a.with_slice::<f64, _>(|a| {
                b.with_slice::<f64, _>(|b| {
                    x.copy_from_slice(b);
                    if n * k > 0 {
                        threads::run_chunks(x, n * k, &|i, x| self.one(&a[i * n * n..][..n * n], n, k, x));
                    }
                });
            });
        });
        [x.to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b1 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        // dB = A⁻ᵀ dX, dA = -dB Xᵀ within the triangle.
        let db = apply1(Solve { upper: !self.upper, unit: self.unit }, [&ctx.input(0).mT(), g]);
        let da = ctx.needs(0).then(|| {
            let full = db.matmul(&ctx.output(0).mT());
            let n = ctx.input_meta(0).shape[ctx.input_meta(0).ndim() - 1];
            &full
                * &mask(n, full.dtype(), |i, j| {
                    let inside = if self.upper { i <= j } else { i >= j };
                    if inside && !(self.unit && i == j) { -1.0 } else { 0.0 }
                })
        });
        [da, Some(db)].into_iter().collect()
    }
}

/// An n x n matrix of constants.
pub(super) fn mask(n: usize, dtype: DType, f: impl Fn(usize, usize) -> f64) -> Tensor {
    let values: Vec<f64> = (0..n * n).map(|at| f(at / n, at % n)).collect();
    Tensor::from_vec(values, [n, n]).to_dtype(dtype)
}

impl Solve {
    /// Substitution, row by row; x holds B before.
    fn one(&self, a: &[f64], n: usize, k: usize, x: &mut [f64]) {
        let mut row = |i: usize, known: std::ops::Range<usize>| {
            for j in known {
                let f = a[i * n + j];
                if f == 0.0 {
                    continue;
                }
                let (from, to) = if j < i {
                    let (low, high) = x.split_at_mut(i * k);
                    (&low[j * k..][..k], &mut high[..k])
                } else {
                    let (low, high) = x.split_at_mut(j * k);
                    (&high[..k], &mut low[i * k..][..k])
                };
                to.iter_mut().zip(from).for_each(|(t, s)| *t -= f * *s);
            }
            if !self.unit {
                x[i * k..][..k].iter_mut().for_each(|x| *x /= a[i * n + i]);
            }
        };
        match self.upper {
            true => (0..n).rev().for_each(|i| row(i, i + 1..n)),
            false => (0..n).for_each(|i| row(i, 0..i)),
        }
    }
}

/// The solution X of `A X = B` (or `X A = B`) for a triangular A (`torch.linalg.solve_triangular(A, B, upper=..., left=...)`).
///
/// Leading dimensions broadcast. The other triangle of A is not read.
///
/// ```
/// use cresset_tensor::linalg::{solve_triangular, Triangular};
/// use cresset_tensor::Tensor;
/// let a = Tensor::from_vec([2.0f64, 1.0, 0.0, 4.0], [2, 2]);
/// let b = Tensor::from_vec([4.0f64, 8.0], [2, 1]);
/// assert_eq!(solve_triangular(&a, &b, Triangular::UPPER).to_vec::<f64>(), [1.0, 2.0]);
/// ```
///
/// # Panics
/// If A is not square, the sizes do not fit, or the dtypes differ or are no floating-point ones.
#[track_caller]
pub fn solve_triangular(a: &Tensor, b: &Tensor, how: Triangular) -> Tensor {
    const OP: &str = "linalg.solve_triangular";
    let (sa, sb) = (a.shape(), b.shape());
    if sa.len() < 2 || sb.len() < 2 {
        fail(OP, "The input tensor must have at least 2 dimensions.");
    }
    let (na, nb) = (sa.len(), sb.len());
    if sa[na - 1] != sa[na - 2] {
        fail(
            OP,
            format!("A must be batches of square matrices, but they are {} by {} matrices", sa[na - 2], sa[na - 1]),
        );
    }
    let size = if how.left { sb[nb - 2] } else { sb[nb - 1] };
    if size != sa[na - 1] {
        let (side, form) = if how.left { ("AX = B", "left") } else { ("XA = B", "right") };
        fail(
            OP,
            format!(
                "Incompatible shapes of A and B for the equation {side} ({form}): {}x{} and {}x{}",
                sa[na - 2],
                sa[na - 1],
                sb[nb - 2],
                sb[nb - 1]
            ),
        );
    }
    if a.dtype() != b.dtype() || !matches!(a.dtype(), DType::F32 | DType::F64) {
        fail(
            OP,
            format!(
                "Expected A and B to have the same floating-point dtype, float or double, but found {} and {}",
                a.dtype().scalar_name(),
                b.dtype().scalar_name()
            ),
        );
    }
    let lead = broadcast(&sa[..na - 2], &sb[..nb - 2]).unwrap_or_else(|e| fail(OP, e));
    let full = |t: &Tensor, s: &Dims| {
        let mut shape = lead;
        shape.push(s[s.len() - 2]);
        shape.push(s[s.len() - 1]);
        if shape == *s { t.clone() } else { t.broadcast_to(shape) }
    };
    let (a, b) = (full(a, &sa), full(b, &sb));
    if how.left {
        return apply1(Solve { upper: how.upper, unit: how.unitriangular }, [&a, &b]);
    }
    apply1(Solve { upper: !how.upper, unit: how.unitriangular }, [&a.mT(), &b.mT()]).mT()
}

fn sample(a: &[usize], b: &[usize], how: Triangular) -> Sample {
    Sample::new(&[numbers(a, 1), numbers(b, 2)], move |x| solve_triangular(&x[0], &x[1], how))
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "linalg.solve_triangular",
    torch: "torch.linalg.solve_triangular(A, B, upper=..., left=..., unitriangular=...)",
    samples: || {
        vec![
            sample(&[3, 3], &[3, 2], Triangular::UPPER),
            sample(&[2, 2, 2], &[2, 1], Triangular::LOWER),
            sample(&[2, 2], &[3, 2], Triangular { left: false, ..Triangular::UPPER }),
            sample(&[3, 3], &[3, 1], Triangular { unitriangular: true, ..Triangular::LOWER }),
        ]
    },
    refused: || {
        vec![
            sample(&[3, 2], &[3, 2], Triangular::UPPER),
            sample(&[3, 3], &[2, 2], Triangular::UPPER),
            sample(&[3], &[2, 2], Triangular::UPPER),
        ]
    },
}];
