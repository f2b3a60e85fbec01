//! Positions and counts: nonzero, one_hot, searchsorted, bincount and their kin. None has a gradient.

use crate::Element;
use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::matrix::with_number;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::record::depends;
use crate::tensor::Tensor;

/// Which elements are not zero, in row-major order.
pub(super) fn truths(a: &Array) -> Vec<bool> {
    a.to(DType::Bool).to_vec()
}

/// Elements as f64, in row-major order.
fn wide(t: &Tensor) -> Vec<f64> {
    t.array().to(DType::F64).to_vec()
}

impl Tensor {
    /// The indices of the elements that are not zero, one row each, in row-major order (`x.nonzero()`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_vec([0.0f32, 2.0, 3.0, 0.0], [2, 2]);
    /// assert_eq!(x.nonzero().to_vec::<i64>(), [0, 1, 1, 0]);
    /// ```
    pub fn nonzero(&self) -> Tensor {
        depends("nonzero");
        let (a, n) = (self.array(), self.dim());
        let shape = *a.shape();
        let mut out: Vec<i64> = Vec::new();
        let mut rows = 0;
        let mut at = vec![0i64; n];
        for is in truths(&a) {
            if is {
                rows += 1;
                out.extend(&at);
            }
            for d in (0..n).rev() {
                at[d] += 1;
                if (at[d] as usize) < shape[d] {
                    break;
                }
                at[d] = 0;
            }
        }
        Tensor::from_vec(out, [rows, n])
    }
    /// [`Tensor::nonzero`] as one index tensor for each dimension, ready for [`Tensor::i`] (`x.nonzero(as_tuple=True)`).
    pub fn nonzero_tuple(&self) -> Vec<Tensor> {
        self.atleast_1d().nonzero().unbind(1)
    }
    /// [`Tensor::nonzero`] under NumPy's name (`x.argwhere()`).
    pub fn argwhere(&self) -> Tensor {
        self.nonzero()
    }
    /// Class numbers as rows of zeros with a one (`F.one_hot(x, num_classes)`). Without `num_classes`, the highest class plus one.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let y = Tensor::from_slice(&[2i64, 0]).one_hot(3);
    /// assert_eq!(y.to_vec::<i64>(), [0, 0, 1, 1, 0, 0]);
    /// ```
    ///
    /// # Panics
    /// If the dtype is not int64, or a class is negative or too high.
    #[track_caller]
    pub fn one_hot(&self, num_classes: impl Into<Option<usize>>) -> Tensor {
        depends("one_hot");
        if self.dtype() != DType::I64 {
            fail(
                "one_hot",
                format!("one_hot is only applicable to index tensor of type LongTensor, got {}", self.dtype()),
            );
        }
        let classes = self.to_vec::<i64>();
        let most = classes.iter().copied().max();
        let n = match (num_classes.into(), most) {
            (Some(0), Some(_)) => fail("one_hot", "Class values must be smaller than num_classes."),
            (Some(n), _) => n,
            (None, Some(most)) => most.max(-1).wrapping_add(1) as usize,
            (None, None) => fail("one_hot", "Can not infer total number of classes from empty tensor."),
        };
        if classes.iter().any(|&c| c < 0) {
            fail("one_hot", "Class values must be non-negative.");
        }
        if most.is_some_and(|m| m as usize >= n) {
            fail("one_hot", "Class values must be smaller than num_classes.");
        }
        let mut out = vec![0i64; classes.len() * n];
        for (row, &c) in classes.iter().enumerate() {
            out[row * n + c as usize] = 1;
        }
        let mut shape = self.shape();
        shape.push(n);
        Tensor::from_vec(out, shape)
    }
    /// Where each of `values` would be inserted into the sorted last dimension of `self`, so that it stays sorted: before equal elements, or behind
    /// them with `right` (`torch.searchsorted(self, values, right=right)`). `self` is a vector, or has the leading dimensions of `values`.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let sorted = Tensor::from_slice(&[1.0f32, 3.0, 5.0]);
    /// let at = sorted.searchsorted(&Tensor::from_slice(&[3.0f32, 6.0]), false);
    /// assert_eq!(at.to_vec::<i64>(), [1, 3]);
    /// ```
    #[track_caller]
    pub fn searchsorted(&self, values: &Tensor, right: bool) -> Tensor {
        search("searchsorted", self, values, right)
    }
    /// In which of the buckets between sorted `boundaries` each element lies: bucket i is `boundaries[i-1] < x <= boundaries[i]`, with `right`
    /// `boundaries[i-1] <= x < boundaries[i]` (`torch.bucketize(x, boundaries, right=right)`).
    #[track_caller]
    pub fn bucketize(&self, boundaries: &Tensor, right: bool) -> Tensor {
        if boundaries.dim() != 1 {
            fail("bucketize", format!("boundaries tensor must be 1 dimension, but got dim({})", boundaries.dim()));
        }
        search("bucketize", boundaries, self, right)
    }
    /// How often each non-negative integer occurs; at least `minlength` counts (`x.bincount(minlength=minlength)`).
    #[track_caller]
    pub fn bincount(&self, minlength: usize) -> Tensor {
        depends("bincount");
        let at = self.bins();
        let n = at.iter().map(|&i| i + 1).max().unwrap_or(0).max(minlength);
        let mut counts = vec![0i64; n];
        at.iter().for_each(|&i| counts[i] += 1);
        Tensor::from_slice(&counts)
    }
    /// The sum of the weights of each non-negative integer, in float64 (float32 for float32 weights)
    /// (`x.bincount(weights, minlength)`).
    #[track_caller]
    pub fn bincount_weighted(&self, weights: &Tensor, minlength: usize) -> Tensor {
        depends("bincount");
        let at = self.bins();
        if weights.shape() != self.shape() {
            fail("bincount", "weights should be 1-d and have the same length as input");
        }
        let n = at.iter().map(|&i| i + 1).max().unwrap_or(0).max(minlength);
        if weights.dtype() == DType::F32 {
            let mut sums = vec![0f32; n];
            at.iter().zip(weights.to_vec::<f32>()).for_each(|(&i, w)| sums[i] += w);
            return Tensor::from_slice(&sums);
        }
        let mut sums = vec![0f64; n];
        at.iter().zip(wide(weights)).for_each(|(&i, w)| sums[i] += w);
        Tensor::from_slice(&sums)
    }
    #[track_caller]
    fn bins(&self) -> Vec<usize> {
        if self.dtype().is_floating_point() || self.dtype() == DType::Bool {
            fail("bincount", format!("bincount only supports integer tensors, got {}", self.dtype().name()));
        }
        if self.dim() != 1 && self.numel() > 0 {
            fail("bincount", "bincount only supports 1-d non-negative integral inputs.");
        }
        let v = self.array().to(DType::I64).to_vec::<i64>();
        if v.iter().any(|&i| i < 0) {
            fail("bincount", "bincount only supports 1-d non-negative integral inputs.");
        }
        v.into_iter().map(|i| i as usize).collect()
    }
    /// How many elements lie in each of `bins` equal intervals between `min` and `max`, both included; others are not counted. `min == max` means the
    /// smallest and the largest element (`x.histc(bins, min, max)`).
    #[track_caller]
    pub fn histc(&self, bins: usize, min: f64, max: f64) -> Tensor {
        if !self.is_floating_point() {
            fail("histc", format!("\"histogram_cpu\" not implemented for '{}'", self.dtype().scalar_name()));
        }
        if bins == 0 {
            fail("histc", "bins must be > 0");
        }
        let data = wide(self);
        let (mut low, mut high) = (min, max);
        if low == high && !data.is_empty() {
            low = data.iter().copied().fold(f64::INFINITY, f64::min);
            high = data.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        if !low.is_finite() || !high.is_finite() {
            fail("histc", format!("range of [{low}, {high}] is not finite"));
        }
        if low > high {
            fail("histc", "max must be larger than min");
        }
        let mut counts = vec![0f64; bins];
        for x in data.into_iter().filter(|x| (low..=high).contains(x)) {
            counts[(((x - low) * bins as f64 / (high - low)) as usize).min(bins - 1)] += 1.0;
        }
        Tensor::from_slice(&counts).to_dtype(self.dtype())
    }
    /// Positions of the flattened shape as one index tensor for each dimension (`torch.unravel_index(x, shape)`).
    #[track_caller]
    pub fn unravel_index(&self, shape: impl Into<Dims>) -> Vec<Tensor> {
        let shape = shape.into();
        let index = super::index::checked_index("unravel_index", self, 0, shape.numel(), true);
        let flat = index.to_vec::<i64>();
        let strides = shape.contiguous_strides();
        (0..shape.len())
            .map(|d| {
                let v: Vec<i64> = flat.iter().map(|&i| i / strides[d] as i64 % shape[d] as i64).collect();
                Tensor::from_vec(v, index.shape())
            })
            .collect()
    }
}

#[track_caller]
fn search(op: &'static str, sorted: &Tensor, values: &Tensor, right: bool) -> Tensor {
    apply1(Search { op, right }, [sorted, values])
}

#[derive(Debug)]
struct Search {
    op: &'static str,
    right: bool,
}

impl Op for Search {
    fn name(&self) -> &'static str {
        self.op
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (s, v) = (inputs[0], inputs[1]);
        if s.ndim() == 0 {
            return Err("boundaries tensor should have positive dimension, but got 0 dimension".into());
        }
        let rows = s.ndim() == v.ndim() && s.shape[..s.ndim() - 1] == v.shape[..s.ndim() - 1];
        if s.ndim() != 1 && !rows {
            return Err(format!(
                "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor {:?} and input value tensor {:?}",
                s.shape, v.shape
            ));
        }
        if s.dtype != v.dtype && (s.ndim() > 0 && v.ndim() > 0) {
            return Err(format!(
                "boundary tensor and input value tensor should have same dtype, but got boundary tensor dtype {} and input value tensor dtype {}",
                s.dtype.scalar_name(),
                v.dtype.scalar_name()
            ));
        }
        Ok([Meta::new(DType::I64, v.shape)].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Element + PartialOrd>(sorted: &Array, values: &Array, right: bool, meta: Meta) -> Array {
            let (sorted_row, rows) = (sorted.shape()[sorted.ndim() - 1], sorted.ndim() > 1);
            let sorted = sorted.to_vec::<T>();
            let width = values.shape().last().copied().unwrap_or(1).max(1);
            let values = values.to_vec::<T>();
            // NaN counts as larger than any number.
            let nan = |x: &T| x.partial_cmp(x).is_none();
            let goes_on = |s: &T, v: &T| {
                if right { s <= v || nan(v) } else { s < v || (nan(v) && !nan(s)) }
            };
            Array::build::<i64>(meta, |out| {
                for (i, (o, v)) in out.iter_mut().zip(&values).enumerate() {
                    let start = if rows { i / width * sorted_row } else { 0 };
                    *o = sorted[start..start + sorted_row].partition_point(|s| goes_on(s, v)) as i64;
                }
            })
        }
        // Widened without loss.
        let dtype = inputs[0].dtype().promote(inputs[1].dtype()).computing();
        let (s, v) = (inputs[0].to(dtype), inputs[1].to(dtype));
        [with_number!(dtype, T => go::<T>(&s, &v, self.right, outputs[0]))].into()
    }
    fn backward(&self, ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        vec![None; ctx.num_inputs()].into()
    }
    fn differentiable(&self, _output: usize) -> bool {
        false
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "nonzero",
        torch: "x.nonzero()",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].nonzero()).without_grad(),
                Sample::new(&[numbers(&[], 1)], |x| x[0].nonzero()).without_grad(),
            ]
        },
        refused: Vec::new,
    },
    OpInfo {
        name: "searchsorted",
        torch: "torch.searchsorted(sorted, x, right=right)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| {
                    Tensor::from_slice(&[-1.0, 0.0, 1.0]).searchsorted(&x[0], false)
                })
                .without_grad(),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].bucketize(&x[0], false)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].searchsorted(&x[0].i(0), false)),
            ]
        },
    },
    OpInfo {
        name: "one_hot",
        torch: "F.one_hot(x, num_classes)",
        samples: || {
            vec![
                Sample::new(&[], |_| Tensor::from_slice(&[2i64, 0]).one_hot(4)).without_grad(),
                Sample::new(&[], |_| Tensor::from_slice(&[2i64, 0]).one_hot(None)).without_grad(),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[], |_| Tensor::from_slice(&[2i64]).one_hot(2)),
                Sample::new(&[], |_| Tensor::from_slice(&[-1i64]).one_hot(2)),
                Sample::new(&[], |_| Tensor::from_slice(&[1.0f32]).one_hot(2)),
            ]
        },
    },
    OpInfo {
        name: "bincount",
        torch: "x.bincount(weights, minlength)",
        samples: || vec![Sample::new(&[], |_| Tensor::from_slice(&[2i64, 0, 2]).bincount(0)).without_grad()],
        refused: || {
            vec![
                Sample::new(&[], |_| Tensor::from_slice(&[-2i64]).bincount(0)),
                Sample::new(&[], |_| Tensor::from_slice(&[1.0f32]).bincount(0)),
            ]
        },
    },
];
