//! `softmax`, `log_softmax`, `softmin`, `logsumexp`.

use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::reduce::{Over, around, layout, one_dim, sum::sum_over, widened, with_real};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::softmax::Softmax as _;

#[derive(Debug)]
struct Softmax {
    dim: usize,
    log: bool,
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let dtype = inputs[0].dtype;
        if !dtype.is_floating_point() {
            return Err(format!(
                "\"{}_lastdim_kernel_impl\" not implemented for '{}'",
                self.name(),
                dtype.scalar_name()
            ));
        }
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]).contiguous();
        let sizes = around(x.shape(), self.dim);
        [with_real!(x.dtype(), T => Array::build::<T>(*x.meta(), |out| {
            x.with_slice::<T, _>(|x| T::softmax(self.log, x, sizes, out));
        }))
        .to(outputs[0].dtype)]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        if ctx.create_graph() {
            let y = ctx.output(0);
            let over = Over::one(self.name(), self.dim as isize, g.dim(), true);
            // The softmax of a log softmax is its exponential, and they have the same derivative where y can go.
            return [Some(if self.log {
                g - &(&y.softmax(self.dim as isize) * &sum_over(g, over))
            } else {
                &y * &(g - &sum_over(&(g * &y), over))
            })]
            .into();
        }
        let (y, g) = (widened(&ctx.output_array(0)).contiguous(), widened(&g.array()).contiguous());
        let sizes = around(y.shape(), self.dim);
        let gx = with_real!(y.dtype(), T => Array::build::<T>(*y.meta(), |out| {
            y.with_slice::<T, _>(|y| g.with_slice::<T, _>(|g| T::softmax_backward(self.log, g, y, sizes, out)));
        }));
        [Some(Tensor::from_array(gx.to(ctx.input_meta(0).dtype)))].into()
    }
}

#[derive(Debug)]
struct LogSumExp(Over);

impl Op for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let dtype = inputs[0].dtype;
        if !dtype.is_floating_point() {
            return Err(format!("Expected floating point type for result tensor, but got: {}", dtype.scalar_name()));
        }
        Ok([Meta { dtype, shape: self.0.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let (x, (outer, n, inner)) = layout(&widened(inputs[0]), &self.0);
        let wide = Meta { dtype: x.dtype(), shape: outputs[0].shape };
        [with_real!(wide.dtype, T => Array::build::<T>(wide, |out| {
            x.with_slice::<T, _>(|x| {
                if inner == 1 {
                    return T::log_sum_exp(x, n, out);
                }
                let mut turned = vec![0.0; x.len()];
                for o in 0..outer {
                    for i in 0..n {
                        for k in 0..inner {
                            turned[(o * inner + k) * n + i] = x[(o * n + i) * inner + k];
                        }
                    }
                }
                T::log_sum_exp(&turned, n, out);
            });
        }))
        .to(outputs[0].dtype)]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b1 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let (x, y) = (ctx.input(0), ctx.output(0));
        let shape = x.shape();
        let y = self.0.spread(&y, &shape);
        [Some(&self.0.spread(g, &shape) * &(&x - &y).exp())].into()
    }
}

impl Tensor {
    /// `exp(x_i) / Σ_j exp(x_j)` along a dimension: positive numbers that sum to 1 (`x.softmax(dim)`, `torch.nn.functional.softmax`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let p = Tensor::from_slice(&[0.0f32, 0.0]).softmax(-1);
    /// assert_eq!(p.to_vec::<f32>(), [0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or the dimension is out of range.
    #[track_caller]
    pub fn softmax(&self, dim: isize) -> Tensor {
        apply1(Softmax { dim: one_dim("softmax", dim, self.dim()), log: false }, [self])
    }
    /// [`Tensor::softmax`] of the tensor converted to `dtype` (`x.softmax(dim, dtype)`).
    #[track_caller]
    pub fn softmax_dtype(&self, dim: isize, dtype: DType) -> Tensor {
        self.to_dtype(dtype).softmax(dim)
    }
    /// The logarithm of [`Tensor::softmax`], computed without its rounding (`x.log_softmax(dim)`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or the dimension is out of range.
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Tensor {
        apply1(Softmax { dim: one_dim("log_softmax", dim, self.dim()), log: true }, [self])
    }
    /// [`Tensor::log_softmax`] of the tensor converted to `dtype` (`x.log_softmax(dim, dtype)`).
    #[track_caller]
    pub fn log_softmax_dtype(&self, dim: isize, dtype: DType) -> Tensor {
        self.to_dtype(dtype).log_softmax(dim)
    }
    /// `ln Σ exp(x)` along one or several dimensions, without overflow (`x.logsumexp(dim, keepdim)`). Integers are taken as f32.
    ///
    /// # Panics
    /// If a dimension is out of range or named twice.
    #[track_caller]
    pub fn logsumexp(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        let x = if self.dtype().is_floating_point() { self.clone() } else { self.to_dtype(DType::F32) };
        apply1(LogSumExp(Over::dims("logsumexp", dims, self.dim(), keepdim)), [&x])
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "softmax",
        torch: "x.softmax(dim)",
        samples: || samples(Tensor::softmax),
        refused: || refused(Tensor::softmax),
    },
    OpInfo {
        name: "log_softmax",
        torch: "x.log_softmax(dim)",
        samples: || samples(Tensor::log_softmax),
        refused: || refused(Tensor::log_softmax),
    },
    OpInfo {
        name: "logsumexp",
        torch: "x.logsumexp(dim, keepdim)",
        samples: || super::reduce::samples(|x| x.logsumexp((), false), |x, d, k| x.logsumexp(d, k)),
        refused: || super::reduce::refused(|x, d, k| x.logsumexp(d, k)),
    },
];

fn samples(f: fn(&Tensor, isize) -> Tensor) -> Vec<Sample> {
    vec![
        Sample::new(&[numbers(&[3, 5], 1)], move |x| f(&x[0], -1)),
        Sample::new(&[numbers(&[3, 5], 2)], move |x| f(&x[0], 0)),
        Sample::new(&[numbers(&[2, 3, 4], 3)], move |x| f(&x[0], 1)),
        Sample::new(&[numbers(&[], 4)], move |x| f(&x[0], 0)),
        Sample::new(&[numbers(&[0, 3], 5)], move |x| f(&x[0], 1)),
    ]
}
fn refused(f: fn(&Tensor, isize) -> Tensor) -> Vec<Sample> {
    vec![
        Sample::new(&[numbers(&[2, 3], 1)], move |x| f(&x[0], 2)),
        Sample::new(&[Tensor::from_slice(&[1i64, 2])], move |x| f(&x[0], 0)),
    ]
}
