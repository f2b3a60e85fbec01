//! `max`, `min`, `amax`, `amin`, `aminmax`, `argmax`, `argmin`.

use super::pick::place;
use super::{Over, around, fold, one_dim, refused, samples, share, widened, with_number};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves, apply, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::{Reduce, Reduction};

/// The largest or smallest element over some dimensions; equal ones share the gradient evenly.
#[derive(Debug)]
struct Extremum {
    name: &'static str,
    over: Over,
    max: bool,
}

impl Op for Extremum {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        match self.name {
            "max" | "min" => crate::autograd::node::camel_case(self.name) + "Backward1",
            n => crate::autograd::node::camel_case(n) + "Backward0",
        }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        if x.numel() == 0 {
            let all = Over::all(x.ndim()).mask;
            if self.over.mask == all && self.over.drop == all && !self.name.starts_with('a') {
                return Err(format!(
                    "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
                    self.name
                ));
            }
            if let Some(d) = (0..x.ndim()).find(|&d| self.over.has(d) && x.shape[d] == 0) {
                return Err(if self.over.mask == all && x.ndim() > 1 {
                    format!(
                        "{}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
                        self.name
                    )
                } else {
                    format!("{}(): Expected reduction dim {d} to have non-zero size.", self.name)
                });
            }
        }
        Ok([Meta { dtype: x.dtype, shape: self.over.shape(&x.shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let how = if self.max { Reduction::Max } else { Reduction::Min };
        [fold(how, &widened(inputs[0]), &self.over, outputs[0].shape).to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1, outputs: 0b1 }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        let (x, y) = (ctx.input_array(0), ctx.output_array(0));
        let shares = Tensor::from_array(share(&x, &y, &self.over, !self.name.starts_with('a'), |x| x));
        [Some(&self.over.spread(g, x.shape()) * &shares)].into()
    }
}

/// The largest or smallest element along one dimension, and where it is.
#[derive(Debug)]
struct WithIndex {
    name: &'static str,
    over: Over,
    dim: usize,
    max: bool,
    /// Only the index is asked for.
    arg: bool,
}

impl Op for WithIndex {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        if x.ndim() > 0 && x.shape[self.dim] == 0 {
            return Err(format!("{}(): Expected reduction dim {} to have non-zero size.", self.name, self.dim));
        }
        let shape = self.over.shape(&x.shape);
        let index = Meta { dtype: DType::I64, shape };
        Ok(if self.arg { [index].into() } else { [Meta { dtype: x.dtype, shape }, index].into_iter().collect() })
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]).contiguous();
        let sizes = around(x.shape(), self.dim);
        let meta = Meta { dtype: x.dtype(), shape: outputs[0].shape };
        with_number!(x.dtype(), T => {
            let mut values = None;
            let index = Array::build::<i64>(outputs[outputs.len() - 1], |index| {
                values = Some(Array::build::<T>(meta, |values| x.with_slice::<T, _>(|x| {
                    T::extremum(self.max, x, sizes, values, index);
                })));
            });
            if self.arg {
                return [index].into();
            }
            [values.expect("built").to(outputs[0].dtype), index].into_iter().collect()
        })
    }
    fn saves(&self) -> Saves {
        Saves::outputs(if self.arg { 0 } else { 0b10 })
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None].into() };
        [Some(place_along(g, &ctx.output(1), self.over, self.dim, ctx.input_meta(0)))].into()
    }
}

/// The gradient of elements that were selected along one dimension: at their places, zero elsewhere.
pub(super) fn place_along(g: &Tensor, index: &Tensor, over: Over, dim: usize, x: &Meta) -> Tensor {
    let kept = over.keep().shape(&x.shape);
    place(&g.reshape(kept), &index.detach().reshape(kept), dim, around(&x.shape, dim).1)
}

#[track_caller]
fn with_index(x: &Tensor, name: &'static str, max: bool, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
    let at = one_dim(name, dim, x.dim());
    let op = WithIndex { name, over: Over::one(name, dim, x.dim(), keepdim), dim: at, max, arg: false };
    let mut outs = apply(op, &[x]);
    let index = outs.pop().expect("two outputs");
    (outs.pop().expect("two outputs"), index)
}

#[track_caller]
fn arg(x: &Tensor, name: &'static str, max: bool, dim: isize, keepdim: bool) -> Tensor {
    let at = one_dim(name, dim, x.dim());
    let op = WithIndex { name, over: Over::one(name, dim, x.dim(), keepdim), dim: at, max, arg: true };
    apply1(op, [&x.detach()])
}

/// Over all elements: those of the flattened tensor.
#[track_caller]
fn arg_all(x: &Tensor, name: &'static str, max: bool) -> Tensor {
    if x.numel() == 0 {
        crate::error::fail(
            name,
            format!(
                "{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
            ),
        );
    }
    arg(&x.detach().reshape([-1]), name, max, 0, false)
}

impl Tensor {
    /// The largest element; NaN if there is one (`x.max()`). Equal elements share the gradient evenly.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_vec([1.0f32, 5.0, 7.0, 2.0], [2, 2]);
    /// assert_eq!(x.max().item::<f32>(), 7.0);
    /// let (values, indices) = x.max_dim(1, false);
    /// assert_eq!(values.to_vec::<f32>(), [5.0, 7.0]);
    /// assert_eq!(indices.to_vec::<i64>(), [1, 0]);
    /// ```
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn max(&self) -> Tensor {
        apply1(Extremum { name: "max", over: Over::all(self.dim()), max: true }, [self])
    }
    /// The smallest element; NaN if there is one (`x.min()`). Equal elements share the gradient evenly.
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn min(&self) -> Tensor {
        apply1(Extremum { name: "min", over: Over::all(self.dim()), max: false }, [self])
    }
    /// The largest elements along a dimension, and where the first of each is (`x.max(dim, keepdim)`). The gradient goes to that one.
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn max_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        with_index(self, "max", true, dim, keepdim)
    }
    /// The smallest elements along a dimension, and where the first of each is (`x.min(dim, keepdim)`).
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn min_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        with_index(self, "min", false, dim, keepdim)
    }
    /// The largest element (`x.amax()`). As [`Tensor::max`].
    #[track_caller]
    pub fn amax(&self) -> Tensor {
        self.amax_dim((), false)
    }
    /// The smallest element (`x.amin()`). As [`Tensor::min`].
    #[track_caller]
    pub fn amin(&self) -> Tensor {
        self.amin_dim((), false)
    }
    /// The largest elements along one or several dimensions (`x.amax(dim, keepdim)`). Equal elements share the gradient evenly.
    ///
    /// # Panics
    /// If a dimension is out of range, named twice or of size 0.
    #[track_caller]
    pub fn amax_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Extremum { name: "amax", over: Over::dims("amax", dims, self.dim(), keepdim), max: true }, [self])
    }
    /// The smallest elements along one or several dimensions (`x.amin(dim, keepdim)`). Equal elements share the gradient evenly.
    ///
    /// # Panics
    /// If a dimension is out of range, named twice or of size 0.
    #[track_caller]
    pub fn amin_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Extremum { name: "amin", over: Over::dims("amin", dims, self.dim(), keepdim), max: false }, [self])
    }
    /// The smallest and the largest element (`x.aminmax()`).
    #[track_caller]
    pub fn aminmax(&self) -> (Tensor, Tensor) {
        (self.amin(), self.amax())
    }
    /// The smallest and the largest elements along a dimension (`x.aminmax(dim=dim, keepdim=keepdim)`).
    #[track_caller]
    pub fn aminmax_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        (self.amin_dim(dim, keepdim), self.amax_dim(dim, keepdim))
    }
    /// Where the largest element is in the flattened tensor; the first of several (`x.argmax()`).
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn argmax(&self) -> Tensor {
        arg_all(self, "argmax", true)
    }
    /// Where the smallest element is in the flattened tensor; the first of several (`x.argmin()`).
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn argmin(&self) -> Tensor {
        arg_all(self, "argmin", false)
    }
    /// Where the largest elements are along a dimension (`x.argmax(dim, keepdim)`).
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn argmax_dim(&self, dim: isize, keepdim: bool) -> Tensor {
        arg(self, "argmax", true, dim, keepdim)
    }
    /// Where the smallest elements are along a dimension (`x.argmin(dim, keepdim)`).
    ///
    /// # Panics
    /// If the dimension is out of range or of size 0.
    #[track_caller]
    pub fn argmin_dim(&self, dim: isize, keepdim: bool) -> Tensor {
        arg(self, "argmin", false, dim, keepdim)
    }
}

fn indexed(f: fn(&Tensor, isize, bool) -> Vec<Tensor>) -> Vec<Sample> {
    vec![
        Sample::many(&[numbers(&[3, 4], 1)], move |x| f(&x[0], 1, false)),
        Sample::many(&[numbers(&[3, 4, 2], 2)], move |x| f(&x[0], -2, true)),
        // A ramp, so that there are no ties.
        Sample::many(
            &[Tensor::from_vec((0..40).map(|i| f64::from(i * 7 % 40)).collect::<Vec<_>>(), [20, 2])],
            move |x| f(&x[0], 0, false),
        ),
        Sample::many(&[numbers(&[], 4)], move |x| f(&x[0], 0, false)),
    ]
}
fn plain(mut samples: Vec<Sample>) -> Vec<Sample> {
    samples.drain(..).map(Sample::without_grad).collect()
}
fn pair((a, b): (Tensor, Tensor)) -> Vec<Tensor> {
    vec![a, b]
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "max",
        torch: "x.max(dim, keepdim)",
        samples: || {
            let mut all = indexed(|x, d, k| pair(x.max_dim(d, k)));
            all.push(Sample::new(&[numbers(&[3, 4], 5)], |x| x[0].max()));
            all
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2, 0], 1)], |x| x[0].max_dim(1, false).0),
                Sample::new(&[numbers(&[0], 1)], |x| x[0].max()),
            ]
        },
    },
    OpInfo {
        name: "min",
        torch: "x.min(dim, keepdim)",
        samples: || {
            let mut all = indexed(|x, d, k| pair(x.min_dim(d, k)));
            all.push(Sample::new(&[numbers(&[3, 4], 5)], |x| x[0].min()));
            all
        },
        refused: || vec![Sample::new(&[numbers(&[2, 0], 1)], |x| x[0].min_dim(1, false).0)],
    },
    OpInfo {
        name: "amax",
        torch: "x.amax(dim, keepdim)",
        samples: || samples(Tensor::amax, |x, d, k| x.amax_dim(d, k)),
        refused: || {
            let mut all = refused(|x, d, k| x.amax_dim(d, k));
            all.push(Sample::new(&[numbers(&[5, 0, 5], 1)], |x| x[0].amax_dim(1, false)));
            all
        },
    },
    OpInfo {
        name: "amin",
        torch: "x.amin(dim, keepdim)",
        samples: || samples(Tensor::amin, |x, d, k| x.amin_dim(d, k)),
        refused: || {
            let mut all = refused(|x, d, k| x.amin_dim(d, k));
            all.push(Sample::new(&[numbers(&[5, 0, 5], 1)], |x| x[0].amin()));
            all
        },
    },
    OpInfo {
        name: "aminmax",
        torch: "x.aminmax(dim=dim, keepdim=keepdim)",
        samples: || indexed(|x, d, k| pair(x.aminmax_dim(d, k))),
        refused: Vec::new,
    },
    OpInfo {
        name: "argmax",
        torch: "x.argmax(dim, keepdim)",
        samples: || plain(indexed(|x, d, k| vec![x.argmax_dim(d, k), x.argmax()])),
        refused: || vec![Sample::new(&[numbers(&[0], 1)], |x| x[0].argmax())],
    },
    OpInfo {
        name: "argmin",
        torch: "x.argmin(dim, keepdim)",
        samples: || plain(indexed(|x, d, k| vec![x.argmin_dim(d, k), x.argmin()])),
        refused: || vec![Sample::new(&[numbers(&[2, 0], 1)], |x| x[0].argmin_dim(1, true))],
    },
];
