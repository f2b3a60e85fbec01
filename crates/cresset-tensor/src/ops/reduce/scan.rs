//! Running reductions: `cumsum`, `cumprod`, `cummax`, `cummin`, `logcumsumexp`.

use super::pick::place;
use super::prod::has_zero;
use super::{around, one_dim, sum_dtype, widened, with_number};
use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves, apply, apply1};
use crate::ops::join::cat;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::{Reduce, Running as Kind, Runs};

#[derive(Debug)]
struct Running {
    kind: Kind,
    dim: usize,
    reverse: bool,
}

#[track_caller]
fn running(x: &Tensor, kind: Kind, dim: usize, reverse: bool) -> Tensor {
    apply1(Running { kind, dim, reverse }, [x])
}

/// The running product from the end.
pub(super) fn cumprod_back(x: &Tensor, dim: usize) -> Tensor {
    running(x, Kind::Product, dim, true)
}

impl Op for Running {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sum => "cumsum",
            Kind::Product => "cumprod",
            Kind::LogSumExp => "logcumsumexp",
        }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        if self.kind == Kind::LogSumExp && !x.dtype.is_floating_point() {
            return Err(format!("\"logcumsumexp_out_cpu\" not implemented for '{}'", x.dtype.scalar_name()));
        }
        Ok([Meta { dtype: sum_dtype(x.dtype), shape: x.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let out = outputs[0];
        let sizes = around(&out.shape, self.dim);
        let x = if out.dtype == DType::I64 { inputs[0].to(DType::I64) } else { widened(inputs[0]) }.contiguous();
        let y = with_number!(x.dtype(), T => Array::build::<T>(*x.meta(), |out| {
            x.with_slice::<T, _>(|x| T::running(self.kind, x, sizes, self.reverse, out));
        }));
        [y.to(out.dtype)].into()
    }
    fn saves(&self) -> Saves {
        if self.kind == Kind::Sum { Saves::NOTHING } else { Saves { inputs: 0b1, outputs: 0b1 } }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let back = |g: &Tensor| running(g, Kind::Sum, self.dim, !self.reverse);
        let gx = match self.kind {
            Kind::Sum => back(g),
            Kind::Product => {
                let x = ctx.input(0);
                if !has_zero(&x.array()) {
                    &back(&(g * &ctx.output(0))) / &x
                } else if ctx.create_graph() {
                    products_in_ops(&x, g, self.dim as isize, self.reverse)
                } else {
                    products_without(&x, g, self.dim, self.reverse)
                }
            }
            Kind::LogSumExp if ctx.create_graph() => self.pairs(&ctx.input(0), &ctx.output(0), g),
            Kind::LogSumExp => log_sums_back(&ctx.input_array(0), &ctx.output_array(0), g, self.dim, self.reverse),
        };
        [Some(gx)].into()
    }
}

impl Running {
    /// `Σ_j g_j exp(x_i - y_j)` over the j that x_i counts for, in tensor operations.
    fn pairs(&self, x: &Tensor, y: &Tensor, g: &Tensor) -> Tensor {
        let shape = x.shape();
        let (outer, n, inner) = around(&shape, self.dim);
        let (rows, cols) = ([outer, n, 1, inner], [outer, 1, n, inner]);
        let mut counts = vec![f64::NEG_INFINITY; n * n];
        for i in 0..n {
            for j in 0..n {
                if if self.reverse { j <= i } else { j >= i } {
                    counts[i * n + j] = 0.0;
                }
            }
        }
        let counts = Tensor::from_vec(counts, [n, n, 1]).to_dtype(x.dtype());
        let exponents = &(&x.reshape(rows) - &y.reshape(cols)) + &counts;
        (&exponents.exp() * &g.reshape(cols)).sum_dim(2, false).reshape(shape)
    }
}

/// [`products_without`] in tensor operations.
fn products_in_ops(x: &Tensor, g: &Tensor, dim: isize, reverse: bool) -> Tensor {
    if x.dim() == 0 {
        return g.clone();
    }
    if reverse {
        return products_in_ops(&x.flip(dim), &g.flip(dim), dim, false).flip(dim);
    }
    let n = x.size(dim);
    let part = |k: usize| {
        let before = x.narrow(dim, 0, k).prod_dim(dim, true);
        let mut others = before.clone();
        if k + 1 < n {
            let behind = x.narrow(dim, k as isize + 1, n - k - 1).cumprod(dim);
            others = cat(&[&before, &(&before * &behind)], dim);
        }
        (&g.narrow(dim, k as isize, n - k) * &others).sum_dim(dim, true)
    };
    let parts: Vec<Tensor> = (0..n).map(part).collect();
    cat(&parts, dim)
}

/// The gradient of a running product with zeros in it, by products that leave each element out.
fn products_without(x: &Tensor, g: &Tensor, dim: usize, reverse: bool) -> Tensor {
    let dtype = x.dtype();
    let (outer, n, inner) = around(&x.shape(), dim);
    let (x, g) = (x.array().to(DType::F64).contiguous(), g.array().to(DType::F64).contiguous());
    let out = Array::build::<f64>(*x.meta(), |out| {
        x.with_slice::<f64, _>(|x| {
            g.with_slice::<f64, _>(|g| {
                for o in 0..outer {
                    for k in 0..inner {
                        let at = |i: usize| (o * n + if reverse { n - 1 - i } else { i }) * inner + k;
                        let mut before = 1.0;
                        for i in 0..n {
                            let (mut product, mut sum) = (before, 0.0);
                            for j in i..n {
                                if j > i {
                                    product *= x[at(j)];
                                }
                                sum += g[at(j)] * product;
                            }
                            out[at(i)] = sum;
                            before *= x[at(i)];
                        }
                    }
                }
            });
        });
    });
    Tensor::from_array(out.to(dtype))
}

/// The gradient of `logcumsumexp` in one pass from the end: `exp(x_i) Σ_j g_j exp(-y_j)`, the sum kept relative to its largest exponent.
fn log_sums_back(x: &Array, y: &Array, g: &Tensor, dim: usize, reverse: bool) -> Tensor {
    let dtype = x.dtype();
    let (outer, n, inner) = around(x.shape(), dim);
    let wide = |a: &Array| a.to(DType::F64).contiguous();
    let (x, y, g) = (wide(x), wide(y), wide(&g.array()));
    let out = Array::build::<f64>(*x.meta(), |out| {
        x.with_slice::<f64, _>(|x| {
            y.with_slice::<f64, _>(|y| {
                g.with_slice::<f64, _>(|g| {
                    for o in 0..outer {
                        for k in 0..inner {
                            let (mut top, mut sum) = (f64::NEG_INFINITY, 0.0);
                            for i in 0..n {
                                let at = (o * n + if reverse { i } else { n - 1 - i }) * inner + k;
                                if g[at] != 0.0 {
                                    let e = -y[at];
                                    if e > top {
                                        sum = sum * (top - e).exp() + g[at];
                                        top = e;
                                    } else {
                                        sum += g[at] * (e - top).exp();
                                    }
                                }
                                out[at] = if sum == 0.0 { 0.0 } else { sum * (x[at] + top).exp() };
                            }
                        }
                    }
                });
            });
        });
    });
    Tensor::from_array(out.to(dtype))
}

/// The largest or smallest so far, and where it was last met.
#[derive(Debug)]
struct RunningExtremum {
    dim: usize,
    max: bool,
}
impl Op for RunningExtremum {
    fn name(&self) -> &'static str {
        if self.max { "cummax" } else { "cummin" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0], Meta { dtype: DType::I64, shape: inputs[0].shape }].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]).contiguous();
        let sizes = around(x.shape(), self.dim);
        with_number!(x.dtype(), T => {
            let mut values = None;
            let index = Array::build::<i64>(outputs[1], |index| {
                values = Some(Array::build::<T>(*x.meta(), |values| x.with_slice::<T, _>(|x| {
                    T::running_extremum(self.max, x, sizes, values, index);
                })));
            });
            [values.expect("built").to(outputs[0].dtype), index].into_iter().collect()
        })
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let n = around(&ctx.input_meta(0).shape, self.dim).1;
        [Some(place(g, &Tensor::from_array(ctx.output_array(1)), self.dim, n))].into()
    }
}

#[track_caller]
fn extremum(x: &Tensor, name: &'static str, max: bool, dim: isize) -> (Tensor, Tensor) {
    let mut outs = apply(RunningExtremum { dim: one_dim(name, dim, x.dim()), max }, &[x]);
    let index = outs.pop().expect("two outputs");
    (outs.pop().expect("two outputs"), index)
}

impl Tensor {
    /// The running sum along a dimension (`x.cumsum(dim)`). Integers and bool sum to int64.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0, 3.0]).cumsum(0).to_vec::<f32>(), [1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cumsum(&self, dim: isize) -> Tensor {
        running(self, Kind::Sum, one_dim("cumsum", dim, self.dim()), false)
    }
    /// The running product along a dimension (`x.cumprod(dim)`). Integers and bool give int64.
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cumprod(&self, dim: isize) -> Tensor {
        running(self, Kind::Product, one_dim("cumprod", dim, self.dim()), false)
    }
    /// `ln Σ exp(x)` of the elements so far (`x.logcumsumexp(dim)`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or the dimension is out of range.
    #[track_caller]
    pub fn logcumsumexp(&self, dim: isize) -> Tensor {
        running(self, Kind::LogSumExp, one_dim("logcumsumexp", dim, self.dim()), false)
    }
    /// The largest element so far, and where it was last met (`x.cummax(dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cummax(&self, dim: isize) -> (Tensor, Tensor) {
        extremum(self, "cummax", true, dim)
    }
    /// The smallest element so far, and where it was last met (`x.cummin(dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cummin(&self, dim: isize) -> (Tensor, Tensor) {
        extremum(self, "cummin", false, dim)
    }
}

fn sampled(f: fn(&Tensor, isize) -> Vec<Tensor>) -> Vec<Sample> {
    vec![
        Sample::many(&[numbers(&[5], 1)], move |x| f(&x[0], 0)),
        Sample::many(&[numbers(&[3, 4], 2)], move |x| f(&x[0], -1)),
        Sample::many(&[numbers(&[2, 3, 2], 3)], move |x| f(&x[0], 1)),
        Sample::many(&[numbers(&[], 4)], move |x| f(&x[0], 0)),
    ]
}
fn out_of_range(f: fn(&Tensor, isize) -> Vec<Tensor>) -> Vec<Sample> {
    vec![Sample::many(&[numbers(&[5, 2], 1)], move |x| f(&x[0], 3))]
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "cumsum",
        torch: "x.cumsum(dim)",
        samples: || sampled(|x, d| vec![x.cumsum(d)]),
        refused: || out_of_range(|x, d| vec![x.cumsum(d)]),
    },
    OpInfo {
        name: "cumprod",
        torch: "x.cumprod(dim)",
        samples: || sampled(|x, d| vec![x.cumprod(d)]),
        refused: || out_of_range(|x, d| vec![x.cumprod(d)]),
    },
    OpInfo {
        name: "logcumsumexp",
        torch: "x.logcumsumexp(dim)",
        samples: || sampled(|x, d| vec![x.logcumsumexp(d)]),
        refused: || out_of_range(|x, d| vec![x.logcumsumexp(d)]),
    },
    OpInfo {
        name: "cummax",
        torch: "x.cummax(dim)",
        samples: || {
            sampled(|x, d| {
                let (v, i) = x.cummax(d);
                vec![v, i]
            })
        },
        refused: || out_of_range(|x, d| vec![x.cummax(d).0]),
    },
    OpInfo {
        name: "cummin",
        torch: "x.cummin(dim)",
        samples: || {
            sampled(|x, d| {
                let (v, i) = x.cummin(d);
                vec![v, i]
            })
        },
        refused: || out_of_range(|x, d| vec![x.cummin(d).0]),
    },
];
