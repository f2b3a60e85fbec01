//! `sum`, `mean`, `nansum`, `nanmean`, `count_nonzero`, `sum_to_size`.

use super::{Over, count, fold, sum_dtype, truths, widened, with_real};
use crate::array::{Array, Meta};
use crate::dims::{Dims, IntList};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::{Count, Reduction};

#[derive(Debug)]
struct Sum {
    over: Over,
    name: &'static str,
    /// Called without dimensions: PyTorch tells these nodes apart.
    plain: bool,
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        if self.plain { "SumBackward0".into() } else { "SumBackward1".into() }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: sum_dtype(inputs[0].dtype), shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [sum_array(inputs[0], &self.over, outputs[0])].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| self.over.spread(g, &ctx.input_meta(0).shape))].into()
    }
}

/// Sums the elements of an array.
pub(crate) fn sum_array(x: &Array, over: &Over, out: Meta) -> Array {
    match x.dtype() {
        DType::Bool => count(Count::Nonzero, x, over, out.shape),
        d if !d.is_floating_point() => fold(Reduction::Sum, &x.to(DType::I64), over, out.shape),
        d => fold(Reduction::Sum, &widened(x), over, out.shape).to(d),
    }
}

/// The sum over some dimensions.
#[track_caller]
pub(crate) fn sum_over(x: &Tensor, over: Over) -> Tensor {
    apply1(Sum { over, name: "sum", plain: false }, [x])
}

#[derive(Debug)]
struct Mean {
    over: Over,
    plain: bool,
}

impl Op for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }
    fn grad_name(&self) -> String {
        if self.plain { "MeanBackward0".into() } else { "MeanBackward1".into() }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        float_only("mean", inputs[0].dtype)?;
        Ok([Meta { dtype: inputs[0].dtype, shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [fold(Reduction::Mean, &widened(inputs[0]), &self.over, outputs[0].shape).to(outputs[0].dtype)].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let shape = &ctx.input_meta(0).shape;
        [grads[0].as_ref().map(|g| self.over.spread(&(g / self.over.count(shape) as f64), shape))].into()
    }
}

fn float_only(op: &str, dtype: DType) -> Result<(), String> {
    if dtype.is_floating_point() {
        return Ok(());
    }
    Err(format!(
        "{op}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {}",
        dtype.scalar_name()
    ))
}

/// `nansum`, and with `mean` `nanmean`.
#[derive(Debug)]
struct NanSum {
    over: Over,
    mean: bool,
}

impl Op for NanSum {
    fn name(&self) -> &'static str {
        if self.mean { "nanmean" } else { "nansum" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        if self.mean {
            float_only("nanmean", inputs[0].dtype)?;
        }
        Ok([Meta { dtype: sum_dtype(inputs[0].dtype), shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = inputs[0];
        if !x.dtype().is_floating_point() {
            return [sum_array(x, &self.over, outputs[0])].into();
        }
        let x = widened(x);
        let wide = Meta { dtype: x.dtype(), shape: outputs[0].shape };
        let sum = fold(Reduction::NanSum, &x, &self.over, wide.shape);
        if !self.mean {
            return [sum.to(outputs[0].dtype)].into();
        }
        let counts = count_numbers(&x, &self.over);
        [with_real!(wide.dtype, T => Array::build::<T>(wide, |out| {
            sum.with_slice::<T, _>(|sum| counts.with_slice::<i64, _>(|counts| {
                for i in 0..out.len() {
                    out[i] = sum[i] / counts[i] as T;
                }
            }));
        }))
        .to(outputs[0].dtype)]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let x = ctx.input_array(0);
        let g = if self.mean {
            let counts = Tensor::from_array(count_numbers(&widened(&x), &self.over).to(x.dtype()));
            g / &counts
        } else {
            g.clone()
        };
        [Some(&self.over.spread(&g, x.shape()) * &Tensor::from_array(numbers_mask(&x)))].into()
    }
}

/// How many elements of a widened array are not NaN.
fn count_numbers(x: &Array, over: &Over) -> Array {
    count(Count::Numbers, x, over, over.shape(x.shape()))
}

/// 1 where an element is a number, 0 where it is NaN.
fn numbers_mask(x: &Array) -> Array {
    let dtype = x.dtype();
    let x = widened(x).contiguous();
    with_real!(x.dtype(), T => Array::build::<T>(*x.meta(), |out| {
        x.with_slice::<T, _>(|x| {
            for i in 0..out.len() {
                out[i] = if x[i].is_nan() { 0.0 } else { 1.0 };
            }
        });
    }))
    .to(dtype)
}

#[derive(Debug)]
struct CountNonzero(Over);
impl Op for CountNonzero {
    fn name(&self) -> &'static str {
        "count_nonzero"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: DType::I64, shape: self.0.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [count(Count::Nonzero, &truths(inputs[0]), &self.0, outputs[0].shape)].into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
}

impl Tensor {
    /// The sum of all elements, `Σ x` (`x.sum()`). Integers and bool sum to int64; floating-point sums are pairwise.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [2, 2]);
    /// assert_eq!(x.sum().item::<f32>(), 10.0);
    /// assert_eq!(x.sum_dim(0, false).to_vec::<f32>(), [4.0, 6.0]);
    /// assert_eq!(x.sum_dim([0, 1], true).shape(), [1, 1]);
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Tensor {
        apply1(Sum { over: Over::all(self.dim()), name: "sum", plain: true }, [self])
    }
    /// The sum along one or several dimensions (`x.sum(dim, keepdim)`); `[]` means all.
    ///
    /// # Panics
    /// If a dimension is out of range or named twice.
    #[track_caller]
    pub fn sum_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        sum_over(self, Over::dims("sum", dims, self.dim(), keepdim))
    }
    /// The sum of all elements, converted to `dtype` before (`x.sum(dtype=...)`).
    #[track_caller]
    pub fn sum_dtype(&self, dtype: DType) -> Tensor {
        let x = self.to_dtype(dtype).sum();
        // Small integers sum to int64 by default; here the caller's dtype stands.
        x.to_dtype(dtype)
    }
    /// The sum over all dimensions in which `size` is 1 or missing: what undoes broadcasting (`x.sum_to_size(size)`). The tensor
    /// itself if it has this size (and dimensions).
    ///
    /// # Panics
    /// If `size` does not broadcast to the tensor's shape.
    #[track_caller]
    pub fn sum_to_size(&self, size: impl Into<Dims>) -> Tensor {
        let (have, size) = (self.shape(), size.into());
        let lead = have.len().wrapping_sub(size.len());
        let fits = size.len() <= have.len() && size.iter().enumerate().all(|(i, &n)| n == have[lead + i] || n == 1);
        if !fits {
            fail("sum_to_size", format!("size {{{:?}}} is not expandable to size {{{:?}}}.", &size[..], &have[..]));
        }
        let drop = (1u32 << lead) - 1;
        let mut mask = drop;
        for (i, &n) in size.iter().enumerate() {
            if n == 1 && have[lead + i] != 1 {
                mask |= 1 << (lead + i);
            }
        }
        if mask == 0 {
            // A sum of one element is a new tensor, as in PyTorch.
            return if size.is_empty() { self.duplicate() } else { self.clone() };
        }
        apply1(Sum { over: Over { mask, drop }, name: "sum_to_size", plain: false }, [self])
    }
    /// The mean of all elements, `Σ x / n` (`x.mean()`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn mean(&self) -> Tensor {
        apply1(Mean { over: Over::all(self.dim()), plain: true }, [self])
    }
    /// The mean along one or several dimensions (`x.mean(dim, keepdim)`); `[]` means all.
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or a dimension is out of range or named twice.
    #[track_caller]
    pub fn mean_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Mean { over: Over::dims("mean", dims, self.dim(), keepdim), plain: false }, [self])
    }
    /// The mean of all elements, converted to `dtype` before (`x.mean(dtype=...)`).
    #[track_caller]
    pub fn mean_dtype(&self, dtype: DType) -> Tensor {
        self.to_dtype(dtype).mean()
    }
    /// The sum of all elements that are not NaN (`x.nansum()`).
    #[track_caller]
    pub fn nansum(&self) -> Tensor {
        apply1(NanSum { over: Over::all(self.dim()), mean: false }, [self])
    }
    /// [`Tensor::nansum`] along dimensions (`x.nansum(dim, keepdim)`).
    #[track_caller]
    pub fn nansum_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(NanSum { over: Over::dims("nansum", dims, self.dim(), keepdim), mean: false }, [self])
    }
    /// The mean of all elements that are not NaN (`x.nanmean()`).
    #[track_caller]
    pub fn nanmean(&self) -> Tensor {
        apply1(NanSum { over: Over::all(self.dim()), mean: true }, [self])
    }
    /// [`Tensor::nanmean`] along dimensions (`x.nanmean(dim, keepdim)`).
    #[track_caller]
    pub fn nanmean_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(NanSum { over: Over::dims("nanmean", dims, self.dim(), keepdim), mean: true }, [self])
    }
    /// How many elements are not zero, as int64 (`torch.count_nonzero(x)`).
    #[track_caller]
    pub fn count_nonzero(&self) -> Tensor {
        apply1(CountNonzero(Over::all(self.dim())), [self])
    }
    /// [`Tensor::count_nonzero`] along dimensions (`torch.count_nonzero(x, dim)`).
    #[track_caller]
    pub fn count_nonzero_dim(&self, dims: impl IntList) -> Tensor {
        apply1(CountNonzero(Over::dims("count_nonzero", dims, self.dim(), false)), [self])
    }
}

/// The shapes and dims that every reduction is sampled with.
pub(crate) fn samples(all: fn(&Tensor) -> Tensor, dims: fn(&Tensor, &[isize], bool) -> Tensor) -> Vec<Sample> {
    vec![
        Sample::new(&[numbers(&[3, 4], 1)], move |x| all(&x[0])),
        Sample::new(&[numbers(&[], 2)], move |x| all(&x[0])),
        Sample::new(&[numbers(&[3, 4], 3)], move |x| dims(&x[0], &[1], false)),
        Sample::new(&[numbers(&[3, 4], 4)], move |x| dims(&x[0], &[0], true)),
        Sample::new(&[numbers(&[2, 3, 2, 2], 5)], move |x| dims(&x[0], &[-1, 1], false)),
        Sample::new(&[numbers(&[2, 3, 2], 6)], move |x| dims(&x[0], &[0, 2], true)),
        Sample::new(&[numbers(&[2, 3], 7)], move |x| dims(&x[0], &[], false)),
    ]
}

/// Dimensions that every reduction refuses.
pub(crate) fn refused(dims: fn(&Tensor, &[isize], bool) -> Tensor) -> Vec<Sample> {
    vec![
        Sample::new(&[numbers(&[2, 3], 1)], move |x| dims(&x[0], &[0, 0], false)),
        Sample::new(&[numbers(&[2, 3], 1)], move |x| dims(&x[0], &[2], false)),
        Sample::new(&[numbers(&[2, 3], 1)], move |x| dims(&x[0], &[-3], false)),
    ]
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "sum",
        torch: "x.sum(dim, keepdim)",
        samples: || samples(Tensor::sum, |x, d, k| x.sum_dim(d, k)),
        refused: || refused(|x, d, k| x.sum_dim(d, k)),
    },
    OpInfo {
        name: "sum_to_size",
        torch: "x.sum_to_size(size)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3, 4], 1)], |x| x[0].sum_to_size([3, 1])),
                Sample::new(&[numbers(&[2, 3], 2)], |x| x[0].sum_to_size([2, 3])),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[10, 5, 10], 1)], |x| x[0].sum_to_size([10, 10]))],
    },
    OpInfo {
        name: "mean",
        torch: "x.mean(dim, keepdim)",
        samples: || samples(Tensor::mean, |x, d, k| x.mean_dim(d, k)),
        refused: || refused(|x, d, k| x.mean_dim(d, k)),
    },
    OpInfo {
        name: "nansum",
        torch: "x.nansum(dim, keepdim)",
        samples: || samples(Tensor::nansum, |x, d, k| x.nansum_dim(d, k)),
        refused: || refused(|x, d, k| x.nansum_dim(d, k)),
    },
    OpInfo {
        name: "nanmean",
        torch: "x.nanmean(dim, keepdim)",
        samples: || samples(Tensor::nanmean, |x, d, k| x.nanmean_dim(d, k)),
        refused: || refused(|x, d, k| x.nanmean_dim(d, k)),
    },
    OpInfo {
        name: "count_nonzero",
        torch: "torch.count_nonzero(x, dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].count_nonzero()).without_grad(),
                Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].count_nonzero_dim(1)).without_grad(),
            ]
        },
        refused: || refused(|x, d, _| x.count_nonzero_dim(d)),
    },
];
