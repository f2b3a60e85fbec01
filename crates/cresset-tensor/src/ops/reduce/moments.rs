//! `var`, `std`, `var_mean`, `std_mean`.

use super::{Over, layout, refused, samples, sum::sum_over, widened, with_real};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::Real;

/// `Σ (x - mean)² / (n - correction)`, or its root.
#[derive(Debug)]
struct Var {
    over: Over,
    correction: f64,
    root: bool,
}

impl Op for Var {
    fn name(&self) -> &'static str {
        if self.root { "std" } else { "var" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let dtype = inputs[0].dtype;
        if !dtype.is_floating_point() {
            return Err("std and var only support floating point and complex dtypes".into());
        }
        Ok([Meta { dtype, shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let (x, sizes) = layout(&widened(inputs[0]), &self.over);
        let wide = Meta { dtype: x.dtype(), shape: outputs[0].shape };
        let by = (sizes.1 as f64 - self.correction).max(0.0);
        [with_real!(wide.dtype, T => Array::build::<T>(wide, |out| {
            let mut mean = vec![0.0; out.len()];
            x.with_slice::<T, _>(|x| T::moments(x, sizes, &mut mean, out));
            for v in out {
                *v /= by as T;
                if self.root {
                    *v = v.sqrt();
                }
            }
        }))
        .to(outputs[0].dtype)]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: self.root as u32 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let x = ctx.input(0);
        let shape = x.shape();
        let n = self.over.count(&shape) as f64;
        let by = (n - self.correction).max(0.0);
        let deviation = &x - &(&sum_over(&x, self.over.keep()) / n);
        // A deviation of 0 makes every deviation 0, so what stands in for 1 / 0 does not matter.
        let factor = if self.root { &(g / &super::nonzero(&ctx.output(0))) / by } else { g * (2.0 / by) };
        [Some(&self.over.spread(&factor, &shape) * &deviation)].into()
    }
}

#[track_caller]
fn var(x: &Tensor, over: Over, correction: f64, root: bool) -> Tensor {
    apply1(Var { over, correction, root }, [x])
}

impl Tensor {
    /// The unbiased variance of all elements, `Σ (x - mean)² / (n - 1)` (`x.var()`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.var_with((), 0, false).item::<f32>(), 1.25);
    /// ```
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn var(&self) -> Tensor {
        var(self, Over::all(self.dim()), 1.0, false)
    }
    /// The unbiased variance along one or several dimensions (`x.var(dim, keepdim=keepdim)`); `[]` means all.
    #[track_caller]
    pub fn var_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        self.var_with(dims, 1, keepdim)
    }
    /// `Σ (x - mean)² / (n - correction)` (`x.var(dim, correction=correction, keepdim=keepdim)`): 1 is `unbiased=True`, 0 is
    /// `unbiased=False`.
    #[track_caller]
    pub fn var_with(&self, dims: impl IntList, correction: impl Into<Correction>, keepdim: bool) -> Tensor {
        var(self, Over::dims("var", dims, self.dim(), keepdim), correction.into().0, false)
    }
    /// The root of the unbiased variance of all elements (`x.std()`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn std(&self) -> Tensor {
        var(self, Over::all(self.dim()), 1.0, true)
    }
    /// The root of the unbiased variance along one or several dimensions (`x.std(dim, keepdim=keepdim)`); `[]` means all.
    #[track_caller]
    pub fn std_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        self.std_with(dims, 1, keepdim)
    }
    /// The root of [`Tensor::var_with`] (`x.std(dim, correction=correction, keepdim=keepdim)`).
    #[track_caller]
    pub fn std_with(&self, dims: impl IntList, correction: impl Into<Correction>, keepdim: bool) -> Tensor {
        var(self, Over::dims("std", dims, self.dim(), keepdim), correction.into().0, true)
    }
    /// Variance and mean (`torch.var_mean(x, dim, correction=correction, keepdim=keepdim)`).
    #[track_caller]
    pub fn var_mean(&self, dims: impl IntList, correction: impl Into<Correction>, keepdim: bool) -> (Tensor, Tensor) {
        let dims = dims.ints();
        (self.var_with(dims.clone(), correction, keepdim), self.mean_dim(dims, keepdim))
    }
    /// Standard deviation and mean (`torch.std_mean(x, dim, correction=correction, keepdim=keepdim)`).
    #[track_caller]
    pub fn std_mean(&self, dims: impl IntList, correction: impl Into<Correction>, keepdim: bool) -> (Tensor, Tensor) {
        let dims = dims.ints();
        (self.std_with(dims.clone(), correction, keepdim), self.mean_dim(dims, keepdim))
    }
}

/// What is taken from the number of elements before a variance is divided by it: an integer or a float.
#[derive(Clone, Copy, Debug)]
pub struct Correction(f64);
impl From<f64> for Correction {
    fn from(c: f64) -> Correction {
        Correction(c)
    }
}
impl From<i32> for Correction {
    fn from(c: i32) -> Correction {
        Correction(f64::from(c))
    }
}

fn integer() -> Sample {
    Sample::new(&[Tensor::from_slice(&[1i64, 2])], |x| x[0].var())
}
fn corrected(f: fn(&Tensor, f64) -> Vec<Tensor>) -> Vec<Sample> {
    vec![
        Sample::many(&[numbers(&[3, 4], 1)], move |x| f(&x[0], 0.0)),
        Sample::many(&[numbers(&[3, 4], 2)], move |x| f(&x[0], 1.3)),
    ]
}
/// The common samples but those of one element, whose variance is 0 / 0.
fn sampled(all: fn(&Tensor) -> Tensor, dims: fn(&Tensor, &[isize], bool) -> Tensor) -> Vec<Sample> {
    samples(all, dims).into_iter().filter(|s| s.inputs[0].dim() > 0).collect()
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "var",
        torch: "x.var(dim, correction=correction, keepdim=keepdim)",
        samples: || {
            let mut all = sampled(Tensor::var, |x, d, k| x.var_dim(d, k));
            all.extend(corrected(|x, c| vec![x.var_with(1, c, false)]));
            all
        },
        refused: || refused(|x, d, k| x.var_dim(d, k)).into_iter().chain([integer()]).collect(),
    },
    OpInfo {
        name: "std",
        torch: "x.std(dim, correction=correction, keepdim=keepdim)",
        samples: || {
            let mut all = sampled(Tensor::std, |x, d, k| x.std_dim(d, k));
            all.extend(corrected(|x, c| vec![x.std_with(0, c, true)]));
            all
        },
        refused: || refused(|x, d, k| x.std_dim(d, k)),
    },
    OpInfo {
        name: "var_mean",
        torch: "torch.var_mean(x, dim, correction=correction, keepdim=keepdim)",
        samples: || {
            corrected(|x, c| {
                let (v, m) = x.var_mean(1, c, false);
                vec![v, m]
            })
        },
        refused: Vec::new,
    },
    OpInfo {
        name: "std_mean",
        torch: "torch.std_mean(x, dim, correction=correction, keepdim=keepdim)",
        samples: || {
            corrected(|x, c| {
                let (v, m) = x.std_mean((), c, false);
                vec![v, m]
            })
        },
        refused: Vec::new,
    },
];
