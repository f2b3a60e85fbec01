//! Products added to something: `addmm`, `addmv`, `addr`, `baddbmm`, `addbmm`.

use crate::dims::Dims;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::op::apply_one;
use crate::ops::linear::{Names, Rows};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Zeros that do not read the numbers of a tensor, which may be NaN, but lead its gradient of 0 to it.
fn nothing(input: &Tensor) -> Tensor {
    input.masked_fill(&Tensor::scalar_of(true), 0.0)
}

/// `beta * input + alpha * product`, where the input broadcasts to the product's shape and does not count if beta is 0.
#[track_caller]
fn scaled_sum(op: &'static str, input: &Tensor, product: &Tensor, beta: Scalar, alpha: Scalar) -> Tensor {
    let (have, want) = (input.shape(), product.shape());
    for i in 0..have.len() {
        let at = want.len() as isize - have.len() as isize + i as isize;
        if at < 0 || (have[i] != 1 && have[i] != want[at as usize]) {
            let size = if at < 0 { 1 } else { want[at as usize] };
            fail(
                op,
                format!(
                    "The expanded size of the tensor ({size}) must match the existing size ({}) at non-singleton dimension {at}.  Target sizes: {want:?}.  Tensor sizes: {have:?}",
                    have[i]
                ),
            );
        }
    }
    if input.dtype() != product.dtype() {
        let (a, b) = (input.dtype().scalar_name(), product.dtype().scalar_name());
        fail(op, format!("self and mat2 must have the same dtype, but got {a} and {b}"));
    }
    // Integers are scaled by integers.
    let factor = |s: Scalar| if product.is_floating_point() { s } else { Scalar::Int(s.i64()) };
    let (beta, alpha) = (factor(beta), factor(alpha));
    let scale = |x: &Tensor, s: Scalar| if s.f64() == 1.0 { x.clone() } else { x.mul(s) };
    let product = scale(product, alpha);
    match beta.f64() {
        0.0 if input.requires_grad() => &nothing(input) + &product,
        0.0 => product,
        _ => &scale(input, beta) + &product,
    }
}

impl Tensor {
    /// `x + mat1 @ mat2` (`torch.addmm(x, mat1, mat2)`); x broadcasts.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let bias = Tensor::from_slice(&[1.0f32, 2.0]);
    /// let y = bias.addmm(&Tensor::ones([3, 4]), &Tensor::ones([4, 2]));
    /// assert_eq!(y.to_vec::<f32>(), [5.0, 6.0, 5.0, 6.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// As [`Tensor::mm`], or if x does not broadcast to the product or has another dtype.
    #[track_caller]
    pub fn addmm(&self, mat1: &Tensor, mat2: &Tensor) -> Tensor {
        self.addmm_with(mat1, mat2, 1, 1)
    }
    /// `beta x + alpha (mat1 @ mat2)` (`torch.addmm(x, mat1, mat2, beta=beta, alpha=alpha)`). With beta 0 x is not read.
    ///
    /// # Panics
    /// As [`Tensor::addmm`].
    #[track_caller]
    pub fn addmm_with(
        &self,
        mat1: &Tensor,
        mat2: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Tensor {
        let (beta, alpha) = (beta.into(), alpha.into());
        let (a, b) = (mat1.shape(), mat2.shape());
        if a.len() != 2 || b.len() != 2 {
            let (which, n) = if a.len() != 2 { ("mat1", a.len()) } else { ("mat2", b.len()) };
            fail("addmm", format!("{which} must be a matrix, got {n}-D tensor"));
        }
        let names = Names { op: "addmm", grad: "AddmmBackward0" };
        let op = Rows { names, transposed: false, relu: false };
        if self.shape() == [b[1]] && beta.f64() == 1.0 && alpha.f64() == 1.0 {
            return apply_one(op, &[mat1, mat2, self]);
        }
        if mat1.dtype() != mat2.dtype() {
            let (a, b) = (self.dtype().scalar_name(), mat2.dtype().scalar_name());
            fail("addmm", format!("self and mat2 must have the same dtype, but got {a} and {b}"));
        }
        scaled_sum("addmm", self, &apply_one(op, &[mat1, mat2]), beta, alpha)
    }
    /// `x + mat @ vec` (`torch.addmv(x, mat, vec)`).
    ///
    /// # Panics
    /// As [`Tensor::mv`], or if x does not broadcast to the product or has another dtype.
    #[track_caller]
    pub fn addmv(&self, mat: &Tensor, vec: &Tensor) -> Tensor {
        self.addmv_with(mat, vec, 1, 1)
    }
    /// `beta x + alpha (mat @ vec)` (`torch.addmv(x, mat, vec, beta=beta, alpha=alpha)`).
    ///
    /// # Panics
    /// As [`Tensor::addmv`].
    #[track_caller]
    pub fn addmv_with(&self, mat: &Tensor, vec: &Tensor, beta: impl Into<Scalar>, alpha: impl Into<Scalar>) -> Tensor {
        scaled_sum("addmv", self, &mat.mv(vec), beta.into(), alpha.into())
    }
    /// `x + vec1 vec2ᵀ` (`torch.addr(x, vec1, vec2)`).
    ///
    /// # Panics
    /// If an operand is no vector, x does not broadcast to the product, or the dtypes differ.
    #[track_caller]
    pub fn addr(&self, vec1: &Tensor, vec2: &Tensor) -> Tensor {
        self.addr_with(vec1, vec2, 1, 1)
    }
    /// `beta x + alpha vec1 vec2ᵀ` (`torch.addr(x, vec1, vec2, beta=beta, alpha=alpha)`).
    ///
    /// # Panics
    /// As [`Tensor::addr`].
    #[track_caller]
    pub fn addr_with(&self, vec1: &Tensor, vec2: &Tensor, beta: impl Into<Scalar>, alpha: impl Into<Scalar>) -> Tensor {
        for (i, v) in [vec1, vec2].iter().enumerate() {
            if v.dim() != 1 {
                fail("addr", format!("Expected 1-D argument vec{}, but got {}-D", i + 1, v.dim()));
            }
        }
        let (beta, alpha) = (beta.into(), alpha.into());
        let product = vec1.outer(vec2);
        if product.dtype() == DType::Bool && self.dtype() == DType::Bool {
            let on = |x: &Tensor, s: Scalar| x.mul(&Tensor::scalar_of(s.truth()));
            return scaled_sum(
                "addr",
                &on(self, beta).to_dtype(DType::U8),
                &on(&product, alpha).to_dtype(DType::U8),
                1.into(),
                1.into(),
            )
            .to_dtype(DType::Bool);
        }
        scaled_sum("addr", self, &product, beta, alpha)
    }
    /// `x + batch1 @ batch2`, batch by batch (`torch.baddbmm(x, batch1, batch2)`).
    ///
    /// # Panics
    /// As [`Tensor::bmm`], or if x does not broadcast to the product or has another dtype.
    #[track_caller]
    pub fn baddbmm(&self, batch1: &Tensor, batch2: &Tensor) -> Tensor {
        self.baddbmm_with(batch1, batch2, 1, 1)
    }
    /// `beta x + alpha (batch1 @ batch2)` (`torch.baddbmm(x, batch1, batch2, beta=beta, alpha=alpha)`).
    ///
    /// # Panics
    /// As [`Tensor::baddbmm`].
    #[track_caller]
    pub fn baddbmm_with(
        &self,
        batch1: &Tensor,
        batch2: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Tensor {
        scaled_sum("baddbmm", self, &batch1.bmm(batch2), beta.into(), alpha.into())
    }
    /// `x + Σ_b batch1[b] @ batch2[b]` (`torch.addbmm(x, batch1, batch2)`).
    ///
    /// # Panics
    /// As [`Tensor::bmm`], or if x does not broadcast to the product or has another dtype.
    #[track_caller]
    pub fn addbmm(&self, batch1: &Tensor, batch2: &Tensor) -> Tensor {
        self.addbmm_with(batch1, batch2, 1, 1)
    }
    /// `beta x + alpha Σ_b batch1[b] @ batch2[b]` (`torch.addbmm(x, batch1, batch2, beta=beta, alpha=alpha)`).
    ///
    /// # Panics
    /// As [`Tensor::addbmm`].
    #[track_caller]
    pub fn addbmm_with(
        &self,
        batch1: &Tensor,
        batch2: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Tensor {
        batch1.check_batches(batch2, "addbmm");
        let (a, b): (Dims, Dims) = (batch1.shape(), batch2.shape());
        let left = batch1.transpose(0, 1).reshape([a[1], a[0] * a[2]]);
        let product = left.mm(&batch2.reshape([b[0] * b[1], b[2]]));
        scaled_sum("addbmm", self, &product, beta.into(), alpha.into())
    }
}

type Call = fn(&Tensor, &Tensor, &Tensor, f64, f64) -> Tensor;

fn samples(call: Call, shapes: [&'static [usize]; 3], others: &[&[usize]]) -> Vec<Sample> {
    let inputs: Vec<Tensor> = shapes.iter().enumerate().map(|(i, s)| numbers(s, i as u64)).collect();
    let mut all = vec![
        Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 1.0, 1.0)),
        Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 0.5, -1.5)),
        Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 0.0, 2.0)),
    ];
    for shape in others {
        let inputs = [numbers(shape, 5), inputs[1].clone(), inputs[2].clone()];
        all.push(Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 2.0, 1.0)));
        all.push(Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 1.0, 1.0)));
    }
    all
}

fn refused(call: Call, cases: &[[&[usize]; 3]]) -> Vec<Sample> {
    cases
        .iter()
        .map(|shapes| {
            let inputs: Vec<Tensor> = shapes.iter().map(|s| numbers(s, 1)).collect();
            Sample::new(&inputs, move |x| call(&x[0], &x[1], &x[2], 1.0, 1.0))
        })
        .collect()
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "addmm",
        torch: "torch.addmm(x, mat1, mat2, beta=beta, alpha=alpha)",
        samples: || samples(Tensor::addmm_with, [&[2, 4], &[2, 3], &[3, 4]], &[&[4], &[2, 1], &[]]),
        refused: || {
            refused(Tensor::addmm_with, &[[&[3], &[2, 3], &[3, 4]], [&[4], &[2, 3], &[2, 4]], [&[4], &[3], &[3, 4]]])
        },
    },
    OpInfo {
        name: "addmv",
        torch: "torch.addmv(x, mat, vec, beta=beta, alpha=alpha)",
        samples: || samples(Tensor::addmv_with, [&[2], &[2, 3], &[3]], &[&[1], &[]]),
        refused: || refused(Tensor::addmv_with, &[[&[3], &[2, 3], &[3]], [&[2], &[2, 3], &[2]]]),
    },
    OpInfo {
        name: "addr",
        torch: "torch.addr(x, vec1, vec2, beta=beta, alpha=alpha)",
        samples: || samples(Tensor::addr_with, [&[2, 3], &[2], &[3]], &[&[3], &[]]),
        refused: || refused(Tensor::addr_with, &[[&[2], &[2], &[3]], [&[2, 3], &[2, 1], &[3]]]),
    },
    OpInfo {
        name: "baddbmm",
        torch: "torch.baddbmm(x, batch1, batch2, beta=beta, alpha=alpha)",
        samples: || samples(Tensor::baddbmm_with, [&[2, 2, 2], &[2, 2, 3], &[2, 3, 2]], &[&[2, 1, 2], &[1]]),
        refused: || refused(Tensor::baddbmm_with, &[[&[3, 3], &[2, 2, 3], &[2, 3, 2]], [&[1], &[2, 2, 3], &[3, 3, 2]]]),
    },
    OpInfo {
        name: "addbmm",
        torch: "torch.addbmm(x, batch1, batch2, beta=beta, alpha=alpha)",
        samples: || samples(Tensor::addbmm_with, [&[2, 2], &[2, 2, 3], &[2, 3, 2]], &[&[2], &[1]]),
        refused: || refused(Tensor::addbmm_with, &[[&[3, 3], &[2, 2, 3], &[2, 3, 2]], [&[1], &[2, 2, 3], &[3, 3, 2]]]),
    },
];
