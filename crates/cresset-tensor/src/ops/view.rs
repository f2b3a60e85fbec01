//! Ops that look at the same memory otherwise: one wrapper for all of them, and the gradient that any of them has.

mod inplace;
mod permute;
mod reshape;
mod slice;
mod split;
mod strided;

use slice::Slice;

use crate::array::{Array, Meta};
use crate::dims::{Dims, wrap_dim};
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::OpInfo;
use crate::tensor::Tensor;
use std::fmt::Debug;

/// Where the elements of a tensor lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub shape: Dims,
    pub strides: Dims,
    pub offset: usize,
}

impl Layout {
    pub fn of(a: &Array) -> Layout {
        Layout { shape: *a.shape(), strides: *a.strides(), offset: a.offset() }
    }
    /// The array seen through this layout.
    pub fn on(&self, a: &Array) -> Array {
        a.view(self.shape, self.strides, self.offset)
    }
}

/// How one layout becomes another: all that a view op is.
pub(crate) trait Spec: Debug + Clone + Send + Sync + 'static {
    fn name(&self) -> &'static str;
    fn grad_name(&self) -> String {
        crate::autograd::node::camel_case(self.name()) + "Backward0"
    }
    /// The shape rule.
    fn shape(&self, from: &Dims) -> Result<Dims, String>;
    /// The same with strides and offset; the shape rule has passed.
    fn layout(&self, from: Layout) -> Layout;
    /// May two elements of the view be one element of the input?
    fn overlaps(&self) -> bool {
        false
    }
    /// The gradient of an input of shape `input`.
    fn backward(&self, g: &Tensor, input: &Dims) -> Tensor {
        apply1(Embed { spec: self.clone(), shape: *input }, [g])
    }
}

/// The op of a spec.
#[derive(Debug)]
pub(crate) struct View<S: Spec>(pub S);

impl<S: Spec> Op for View<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn grad_name(&self) -> String {
        self.0.grad_name()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.0.shape(&inputs[0].shape)? }].into())
    }
    #[inline]
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [self.0.layout(Layout::of(inputs[0])).on(inputs[0])].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| self.0.backward(g, &ctx.input_meta(0).shape))].into()
    }
    fn is_view(&self) -> bool {
        true
    }
}

/// Zeros of a shape with the input added into the part that the spec looks at: the gradient of a view.
#[derive(Debug)]
pub(crate) struct Embed<S: Spec> {
    pub spec: S,
    pub shape: Dims,
}

impl<S: Spec> Op for Embed<S> {
    fn name(&self) -> &'static str {
        self.spec.name()
    }
    fn grad_name(&self) -> String {
        self.spec.grad_name().replace("Backward0", "BackwardBackward0")
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let part = self.spec.shape(&self.shape)?;
        if inputs[0].shape != part {
            return Err(format!("expected a part of shape {part:?}, got {:?}", inputs[0].shape));
        }
        Ok([Meta { dtype: inputs[0].dtype, shape: self.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let out = Array::zeros(outputs[0]);
        let part = self.spec.layout(Layout::of(&out)).on(&out);
        if self.spec.overlaps() {
            kernels::accumulate(&part, inputs[0]);
        } else {
            kernels::write_into(&part, inputs[0]);
        }
        [out].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(View(self.spec.clone()), [g]))].into()
    }
}

/// A dimension counted from the front.
#[track_caller]
#[inline]
pub(crate) fn dim_of(op: &'static str, dim: isize, ndim: usize) -> usize {
    match wrap_dim(dim, ndim) {
        Ok(d) => d,
        Err(sentence) => fail(op, sentence),
    }
}

/// Several dimensions counted from the front, none twice.
#[track_caller]
pub(crate) fn dims_of(op: &'static str, dims: &[isize], ndim: usize) -> Dims {
    let mut seen = [false; crate::dims::MAX_DIMS + 1];
    dims.iter()
        .map(|&d| {
            let d = dim_of(op, d, ndim);
            if std::mem::replace(&mut seen[d], true) {
                fail(op, format!("dim {d} appears multiple times in the list of dims"));
            }
            d
        })
        .collect()
}

/// The rows of the table, by file.
pub(super) const TABLES: [&[OpInfo]; 5] = [permute::TABLE, reshape::TABLE, slice::TABLE, split::TABLE, strided::TABLE];
