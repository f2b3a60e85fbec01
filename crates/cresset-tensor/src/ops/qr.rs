//! The QR decomposition by Householder reflections.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::linalg::{Triangular, solve_triangular};
use crate::op::{Context, Few, Op, Saves, apply};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::ops::triangular::mask;
use crate::tensor::Tensor;
use cresset_kernels::threads;

/// How much of the factors [`qr`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QrMode {
    /// Q is (m, k) and R (k, n) with k = min(m, n).
    #[default]
    Reduced,
    /// Q is (m, m) and R (m, n).
    Complete,
    /// Only R, (k, n); Q is empty.
    R,
}

#[derive(Debug)]
struct Qr(QrMode);

/// Leading dimensions, and the sizes of the matrices.
fn split(shape: &Dims) -> (Dims, usize, usize) {
    let n = shape.len();
    (Dims::new(&shape[..n - 2]), shape[n - 2], shape[n - 1])
}

fn matrices(lead: &Dims, rows: usize, cols: usize) -> Dims {
    let mut shape = *lead;
    shape.push(rows);
    shape.push(cols);
    shape
}

impl Op for Qr {
    fn name(&self) -> &'static str {
        "linalg.qr"
    }
    fn grad_name(&self) -> String {
        "LinalgQrBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let a = inputs[0];
        if a.ndim() < 2 {
            return Err(format!(
                "The input tensor A must have at least 2 dimensions. Got a tensor with {} dimensions",
                a.ndim()
            ));
        }
        if !matches!(a.dtype, DType::F32 | DType::F64) {
            return Err(format!("Expected a floating point tensor, float or double. Got {}", a.dtype.scalar_name()));
        }
        let (lead, m, n) = split(&a.shape);
        let k = if self.0 == QrMode::Complete { m } else { m.min(n) };
        let q = if self.0 == QrMode::R { Dims::from([0]) } else { matrices(&lead, m, k) };
        let r = matrices(&lead, k, n);
        Ok([q, r].map(|shape| Meta { dtype: a.dtype, shape }).into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        // In f64 also for f32: one rounding at the end.
        let a = inputs[0].to(DType::F64).contiguous();
        let (lead, m, n) = split(a.shape());
        let k = if self.0 == QrMode::Complete { m } else { m.min(n) };
        let (qs, rs) = (m * k, k * n);
        let wide = |shape: Dims| Meta::new(DType::F64, shape);
        let mut both = vec![0.0f64; lead.numel() * (qs + rs)];
        if qs + rs > 0 {
            a.with_slice::<f64, _>(|a| {
                threads::run_chunks(&mut both, qs + rs, &|i, out| {
                    let (q, r) = out.split_at_mut(qs);
                    factor(&a[i * m * n..][..m * n], m, n, k, q, r);
                });
            });
        }
        let pick = |from: usize, len: usize, shape: Dims| {
            Array::build::<f64>(wide(shape), |out| {
                for (o, b) in out.chunks_mut(len.max(1)).zip(both.chunks((qs + rs).max(1))) {
                    o.copy_from_slice(&b[from..from + len]);
                }
            })
        };
        let q = if self.0 == QrMode::R { Array::zeros(outputs[0]) } else { pick(0, qs, outputs[0].shape) };
        [q.to(outputs[0].dtype), pick(qs, rs, outputs[1].shape).to(outputs[1].dtype)].into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b11)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let (_, m, n) = split(&ctx.input_meta(0).shape);
        match self.0 {
            QrMode::R => fail(
                "linalg.qr",
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use mode='reduced' if you are going to differentiate through linalg.qr",
            ),
            QrMode::Complete if m > n => {
                fail("linalg.qr", "The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
            }
            _ => {}
        }
        if grads.iter().all(Option::is_none) {
            return [None].into();
        }
        let (q, r) = (ctx.output(0), ctx.output(1));
        let dtype = r.dtype();
        let (left, right) = (r.narrow(-1, 0, m.min(n)), (m < n).then(|| r.narrow(-1, m as isize, n - m)));
        let gr = grads[1].as_ref();
        let left_gr = gr.map(|g| g.narrow(-1, 0, m.min(n)));
        let right_gr = gr.and_then(|g| right.as_ref().map(|_| g.narrow(-1, m as isize, n - m)));
        // Wide: A = Q [R1 R2], and R2 = Qᵀ A2 makes Q's gradient A2 gR2ᵀ = Q R2 gR2ᵀ larger.
        let mut gq = grads[0].clone();
        if let (Some(r2), Some(g2)) = (&right, &right_gr) {
            let more = q.matmul(&r2.matmul(&g2.mT()));
            gq = Some(gq.map_or_else(|| more.clone(), |g| &g + &more));
        }
        // gA1 = (gQ + Q S) R1⁻ᵀ, where S is the upper triangle of gR1 R1ᵀ - Qᵀ gQ mirrored.
        let mut inner = left_gr.map(|g| g.matmul(&left.mT()));
        if let Some(g) = &gq {
            let other = q.mT().matmul(g);
            inner = Some(inner.map_or_else(|| -&other, |i| &i - &other));
        }
        let inner = inner.expect("a gradient");
        let upper = &inner * &mask(m.min(n), dtype, |i, j| (i <= j) as u8 as f64);
        let strict = &inner * &mask(m.min(n), dtype, |i, j| (i < j) as u8 as f64);
        let mut sum = q.matmul(&(&upper + &strict.mT()));
        if let Some(g) = &gq {
            sum = &sum + g;
        }
        let how = Triangular { upper: false, left: false, unitriangular: false };
        let mut ga = solve_triangular(&left.mT(), &sum, how);
        if let Some(g2) = &right_gr {
            ga = crate::cat(&[ga, q.matmul(g2)], -1);
        } else if let Some(r2) = &right {
            ga = crate::cat(&[ga, q.matmul(&r2.zeros_like())], -1);
        }
        [Some(ga)].into()
    }
}

/// One matrix: R in place of A by reflections `I - tau v vᵀ`, then Q from them. Signs as LAPACK has them.
fn factor(a: &[f64], m: usize, n: usize, k: usize, q: &mut [f64], r: &mut [f64]) {
    let mut w = a.to_vec();
    let steps = m.min(n);
    let mut taus = vec![0.0; steps];
    for s in 0..steps {
        let alpha = w[s * n + s];
        let below = (s + 1..m).map(|i| w[i * n + s]);
        let scale = below.clone().fold(0.0f64, |t, x| t.max(x.abs()));
        if scale == 0.0 {
            continue;
        }
        let scale = scale.max(alpha.abs());
        let norm = scale * below.chain([alpha]).map(|x| (x / scale) * (x / scale)).sum::<f64>().sqrt();
        let beta = if alpha >= 0.0 { -norm } else { norm };
        taus[s] = (beta - alpha) / beta;
        (s + 1..m).for_each(|i| w[i * n + s] /= alpha - beta);
        w[s * n + s] = beta;
        let mut dots = vec![0.0; n];
        dots[s + 1..].copy_from_slice(&w[s * n + s + 1..(s + 1) * n]);
        for i in s + 1..m {
            let v = w[i * n + s];
            (s + 1..n).for_each(|j| dots[j] += v * w[i * n + j]);
        }
        for i in s..m {
            let f = taus[s] * if i == s { 1.0 } else { w[i * n + s] };
            (s + 1..n).for_each(|j| w[i * n + j] -= f * dots[j]);
        }
    }
    for (i, row) in r.chunks_mut(n.max(1)).enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            *x = if j >= i { w[i * n + j] } else { 0.0 };
        }
    }
    // Q = H_0 H_1 ... applied to the first k columns of the identity, from the last reflection to the first.
    for (i, row) in q.chunks_mut(k.max(1)).enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            *x = (i == j) as u8 as f64;
        }
    }
    for s in (0..steps).rev() {
        if taus[s] == 0.0 {
            continue;
        }
        let mut dots = q[s * k..(s + 1) * k].to_vec();
        for i in s + 1..m {
            let v = w[i * n + s];
            (s..k).for_each(|j| dots[j] += v * q[i * k + j]);
        }
        for i in s..m {
            let f = taus[s] * if i == s { 1.0 } else { w[i * n + s] };
            (s..k).for_each(|j| q[i * k + j] -= f * dots[j]);
        }
    }
}

/// `A = Q R` with orthonormal columns of Q and an upper triangular R, for batches of matrices (`torch.linalg.qr(A, mode)`).
///
/// The signs are LAPACK's: the diagonal of R may be negative. Differentiable where the factors are: not for [`QrMode::R`], and for
/// [`QrMode::Complete`] only if there are no more rows than columns.
///
/// ```
/// use cresset_tensor::linalg::{qr, QrMode};
/// use cresset_tensor::Tensor;
/// let a = Tensor::from_vec([3.0f64, 1.0, 4.0, 2.0], [2, 2]);
/// let (q, r) = qr(&a, QrMode::Reduced);
/// let back = q.mm(&r).to_vec::<f64>();
/// assert!(back.iter().zip([3.0, 1.0, 4.0, 2.0]).all(|(x, y)| (x - y).abs() < 1e-12));
/// ```
///
/// # Panics
/// If A has fewer than two dimensions or is not float32 or float64.
#[track_caller]
pub fn qr(a: &Tensor, mode: QrMode) -> (Tensor, Tensor) {
    let mut both = apply(Qr(mode), &[a]);
    let r = both.pop().expect("two results");
    (both.swap_remove(0), r)
}

fn sample(shape: &[usize], mode: QrMode) -> Sample {
    Sample::many(&[numbers(shape, 3)], move |x| {
        let (q, r) = qr(&x[0], mode);
        vec![q, r]
    })
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "linalg.qr",
    torch: "torch.linalg.qr(A, mode)",
    samples: || {
        vec![
            sample(&[3, 2], QrMode::Reduced),
            sample(&[2, 2, 2], QrMode::Reduced),
            sample(&[2, 3], QrMode::Reduced),
            sample(&[2, 2], QrMode::Complete),
            sample(&[3, 2], QrMode::Complete).without_grad(),
            sample(&[3, 2], QrMode::R).without_grad(),
            sample(&[0, 2], QrMode::Reduced).without_grad(),
        ]
    },
    refused: || vec![sample(&[3], QrMode::Reduced)],
}];
