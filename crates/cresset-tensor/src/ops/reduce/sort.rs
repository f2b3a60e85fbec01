//! Sorting and ranks: `sort`, `argsort`, `msort`, `topk`, `kthvalue`, `median`, `nanmedian`, `mode`.

use super::extrema::place_along;
use super::pick::place;
use super::{Over, around, one_dim, widened, with_number};
use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::sort as k;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sort { descending: bool },
    TopK { k: usize, largest: bool },
    Kth { k: usize },
    Median { skip_nan: bool },
    Mode,
}

/// Elements of each row along a dimension, chosen or put in order, and where they were.
#[derive(Debug)]
struct Ranked {
    name: &'static str,
    kind: Kind,
    dim: usize,
    keepdim: bool,
}

impl Ranked {
    fn over(&self, ndim: usize) -> Over {
        let bit = if ndim == 0 { 0 } else { 1 << self.dim };
        Over { mask: bit, drop: if self.keepdim { 0 } else { bit } }
    }
    fn one(&self) -> bool {
        !matches!(self.kind, Kind::Sort { .. } | Kind::TopK { .. })
    }
}

impl Op for Ranked {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        let along = matches!(self.kind, Kind::Median { .. });
        crate::autograd::node::camel_case(self.name) + if along { "Backward1" } else { "Backward0" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let n = around(&x.shape, self.dim).1;
        let mut shape = x.shape;
        match self.kind {
            Kind::Sort { .. } => {}
            Kind::TopK { k, .. } => {
                if k > n {
                    return Err("selected index k out of range".into());
                }
                if !shape.is_empty() {
                    shape[self.dim] = k;
                }
            }
            Kind::Kth { k } if k == 0 || k > n => {
                return Err(format!("kthvalue(): selected number k out of range for dimension {}", self.dim));
            }
            _ => {
                if n == 0 {
                    return Err(format!("{}(): Expected reduction dim {} to have non-zero size.", self.name, self.dim));
                }
                shape = self.over(x.ndim()).shape(&x.shape);
            }
        }
        Ok([Meta { dtype: x.dtype, shape }, Meta { dtype: DType::I64, shape }].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]);
        let (n, last) = (around(x.shape(), self.dim).1, x.ndim().saturating_sub(1));
        // Rows lie side by side for the sort; the results are turned back.
        let turned = if self.dim == last { x.contiguous() } else { swap(&x, self.dim, last).contiguous() };
        let mut shape = *turned.shape();
        if !shape.is_empty() {
            shape[last] = match self.kind {
                Kind::Sort { .. } => n,
                Kind::TopK { k, .. } => k,
                _ => 1,
            };
        }
        fn go<T: k::Sort>(kind: Kind, x: &Array, n: usize, shape: Dims) -> (Array, Array) {
            let mut values = None;
            let index = Array::build::<i64>(Meta { dtype: DType::I64, shape }, |index| {
                values = Some(Array::build::<T>(Meta { dtype: x.dtype(), shape }, |values| {
                    x.with_slice::<T, _>(|x| match kind {
                        Kind::Sort { descending } => T::sort(x, n, descending, values, index),
                        Kind::TopK { k, largest } => T::topk(x, n, k, largest, values, index),
                        Kind::Kth { k } => T::kth(x, n, k - 1, values, index),
                        Kind::Median { skip_nan } => T::median(x, n, skip_nan, values, index),
                        Kind::Mode => T::mode(x, n, values, index),
                    });
                }));
            });
            (values.expect("built"), index)
        }
        let (values, index) = with_number!(x.dtype(), T => go::<T>(self.kind, &turned, n, shape));
        let back = |a: Array| {
            let a = if self.dim == last { a } else { swap(&a, self.dim, last).contiguous() };
            let strides = outputs[0].shape.contiguous_strides();
            a.view(outputs[0].shape, strides, 0)
        };
        [back(values.to(outputs[0].dtype)), back(index)].into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let index = Tensor::from_array(ctx.output_array(1));
        let x = ctx.input_meta(0);
        [Some(if self.one() {
            place_along(g, &index, self.over(x.ndim()), self.dim, x)
        } else {
            place(g, &index, self.dim, around(&x.shape, self.dim).1)
        })]
        .into()
    }
}

fn swap(x: &Array, a: usize, b: usize) -> Array {
    let (mut shape, mut strides) = (*x.shape(), *x.strides());
    shape.swap(a, b);
    strides.swap(a, b);
    x.view(shape, strides, x.offset())
}

#[track_caller]
fn ranked(x: &Tensor, name: &'static str, kind: Kind, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
    let mut outs = apply(Ranked { name, kind, dim: one_dim(name, dim, x.dim()), keepdim }, &[x]);
    let index = outs.pop().expect("two outputs");
    (outs.pop().expect("two outputs"), index)
}

/// The median of all elements; of nothing it is NaN.
#[track_caller]
fn median_all(x: &Tensor, name: &'static str, skip_nan: bool) -> Tensor {
    if x.numel() == 0 {
        if !x.is_floating_point() {
            fail(name, format!("{name}(): Expected reduction dim to be specified for input.numel() == 0."));
        }
        return Tensor::full_of((), f64::NAN, x.dtype());
    }
    ranked(&x.reshape([-1]), name, Kind::Median { skip_nan }, 0, false).0
}

impl Tensor {
    /// The elements in order along a dimension, and where they were (`x.sort(dim, descending)`). Always stable; NaN counts as larger than
    /// every number.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let (values, indices) = Tensor::from_slice(&[3.0f32, 1.0, 2.0]).sort(0, false);
    /// assert_eq!(values.to_vec::<f32>(), [1.0, 2.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>(), [1, 2, 0]);
    /// ```
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn sort(&self, dim: isize, descending: bool) -> (Tensor, Tensor) {
        ranked(self, "sort", Kind::Sort { descending }, dim, true)
    }
    /// Where the elements are that [`Tensor::sort`] gives (`x.argsort(dim, descending)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn argsort(&self, dim: isize, descending: bool) -> Tensor {
        ranked(&self.detach(), "argsort", Kind::Sort { descending }, dim, true).1
    }
    /// The elements in order along the first dimension (`x.msort()`).
    #[track_caller]
    pub fn msort(&self) -> Tensor {
        self.sort(0, false).0
    }
    /// The `k` largest elements along a dimension, the largest first, and where they are; with `largest` false the smallest
    /// (`x.topk(k, dim, largest)`).
    ///
    /// # Panics
    /// If there are fewer than `k`, or the dimension is out of range.
    #[track_caller]
    pub fn topk(&self, k: usize, dim: isize, largest: bool) -> (Tensor, Tensor) {
        ranked(self, "topk", Kind::TopK { k, largest }, dim, true)
    }
    /// The `k`-th smallest element along a dimension (counted from 1), and where it is (`x.kthvalue(k, dim, keepdim)`).
    ///
    /// # Panics
    /// If `k` is 0 or more than there are, or the dimension is out of range.
    #[track_caller]
    pub fn kthvalue(&self, k: usize, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        ranked(self, "kthvalue", Kind::Kth { k }, dim, keepdim)
    }
    /// The median of all elements, the lower one of two; NaN if there is a NaN or no element (`x.median()`).
    #[track_caller]
    pub fn median(&self) -> Tensor {
        median_all(self, "median", false)
    }
    /// The medians along a dimension, the lower one of two, and where they are (`x.median(dim, keepdim)`).
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn median_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        ranked(self, "median", Kind::Median { skip_nan: false }, dim, keepdim)
    }
    /// The median of all elements that are not NaN (`x.nanmedian()`).
    #[track_caller]
    pub fn nanmedian(&self) -> Tensor {
        median_all(self, "nanmedian", true)
    }
    /// [`Tensor::median_dim`] of the elements that are not NaN (`x.nanmedian(dim, keepdim)`).
    #[track_caller]
    pub fn nanmedian_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        ranked(self, "nanmedian", Kind::Median { skip_nan: true }, dim, keepdim)
    }
    /// The most frequent elements along a dimension, the smallest of several, and the last place of each (`x.mode(dim, keepdim)`).
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn mode(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        ranked(self, "mode", Kind::Mode, dim, keepdim)
    }
}

fn sampled(f: fn(&Tensor, isize) -> (Tensor, Tensor)) -> Vec<Sample> {
    let both = move |x: &Tensor, d| {
        let (v, i) = f(x, d);
        vec![v, i]
    };
    vec![
        Sample::many(&[numbers(&[5], 1)], move |x| both(&x[0], 0)),
        Sample::many(&[numbers(&[3, 4], 2)], move |x| both(&x[0], -1)),
        Sample::many(&[numbers(&[2, 4, 3], 3)], move |x| both(&x[0], 1)),
        Sample::many(&[numbers(&[], 4)], move |x| both(&x[0], 0)),
    ]
}
fn out_of_range(f: fn(&Tensor, isize) -> (Tensor, Tensor)) -> Vec<Sample> {
    vec![Sample::new(&[numbers(&[3], 1)], move |x| f(&x[0], 1).0)]
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "sort",
        torch: "x.sort(dim, descending)",
        samples: || {
            let mut all = sampled(|x, d| x.sort(d, false));
            all.extend(sampled(|x, d| x.sort(d, true)));
            all
        },
        refused: || out_of_range(|x, d| x.sort(d, false)),
    },
    OpInfo {
        name: "argsort",
        torch: "x.argsort(dim, descending)",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].argsort(0, true)).without_grad()],
        refused: Vec::new,
    },
    OpInfo {
        name: "msort",
        torch: "x.msort()",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].msort())],
        refused: Vec::new,
    },
    OpInfo {
        name: "topk",
        torch: "x.topk(k, dim, largest)",
        samples: || {
            let mut all = sampled(|x, d| x.topk(1, d, true));
            all.push(Sample::new(&[numbers(&[5, 3], 1)], |x| x[0].topk(3, 0, false).0));
            all
        },
        refused: || vec![Sample::new(&[numbers(&[3], 1)], |x| x[0].topk(4, 0, true).0)],
    },
    OpInfo {
        name: "kthvalue",
        torch: "x.kthvalue(k, dim, keepdim)",
        samples: || {
            let mut all = sampled(|x, d| x.kthvalue(1, d, false));
            all.push(Sample::new(&[numbers(&[5, 3], 1)], |x| x[0].kthvalue(4, 0, true).0));
            all
        },
        refused: || vec![Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].kthvalue(3, 1, false).0)],
    },
    OpInfo {
        name: "median",
        torch: "x.median(dim, keepdim)",
        samples: || {
            let mut all = sampled(|x, d| x.median_dim(d, false));
            all.push(Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].median()));
            all
        },
        refused: || out_of_range(|x, d| x.median_dim(d, false)),
    },
    OpInfo {
        name: "nanmedian",
        torch: "x.nanmedian(dim, keepdim)",
        samples: || {
            let mut all = sampled(|x, d| x.nanmedian_dim(d, true));
            all.push(Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].nanmedian()));
            all
        },
        refused: || out_of_range(|x, d| x.nanmedian_dim(d, false)),
    },
    OpInfo {
        name: "mode",
        torch: "x.mode(dim, keepdim)",
        samples: || sampled(|x, d| x.mode(d, false)),
        refused: || out_of_range(|x, d| x.mode(d, false)),
    },
];
