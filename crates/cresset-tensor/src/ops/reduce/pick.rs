//! Elements chosen along a dimension by an index, and their way back: how the gradients of everything sorted or selected travel.

use super::around;
use crate::array::{Array, Meta, with_bits};
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::tensor::Tensor;
use crate::{Element, with_float};

/// Takes (`gather`), or puts into zeros of `n` along the dimension and adds where several meet (`scatter_add`).
#[derive(Debug)]
struct Along {
    dim: usize,
    put: Option<usize>,
}

/// The elements at `index` along `dim`; both have the same sizes in all other dimensions.
#[track_caller]
pub(crate) fn pick(x: &Tensor, index: &Tensor, dim: usize) -> Tensor {
    apply1(Along { dim, put: None }, [x, index])
}

/// Zeros of size `n` along `dim`, with the elements of `g` added at `index`.
#[track_caller]
pub(crate) fn place(g: &Tensor, index: &Tensor, dim: usize, n: usize) -> Tensor {
    apply1(Along { dim, put: Some(n) }, [g, index])
}

impl Op for Along {
    fn name(&self) -> &'static str {
        if self.put.is_some() { "scatter_add" } else { "gather" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let mut shape = inputs[1].shape;
        if let (Some(n), false) = (self.put, shape.is_empty()) {
            shape[self.dim] = n;
        }
        Ok([Meta { dtype: inputs[0].dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Element + Sum>(op: &Along, x: &Array, index: &Array, out: Meta) -> Array {
            let (outer, m, inner) = around(index.shape(), op.dim);
            let from = around(x.shape(), op.dim).1;
            let to = op.put.unwrap_or(m);
            Array::build::<T::Stored>(out, |out| {
                x.with_slice::<T::Stored, _>(|x| {
                    index.with_slice::<i64, _>(|index| {
                        if op.put.is_some() {
                            out.fill(T::default().store());
                        }
                        for o in 0..outer {
                            for i in 0..m {
                                for k in 0..inner {
                                    let at = index[(o * m + i) * inner + k] as usize;
                                    if op.put.is_some() {
                                        let slot = &mut out[(o * to + at) * inner + k];
                                        let x = T::load(x[(o * m + i) * inner + k]);
                                        *slot = T::load(*slot).sum(x).store();
                                    } else {
                                        out[(o * m + i) * inner + k] = x[(o * from + at) * inner + k];
                                    }
                                }
                            }
                        }
                    });
                });
            })
        }
        let (x, index) = (inputs[0].contiguous(), inputs[1].contiguous());
        [if x.dtype().is_floating_point() {
            with_float!(x.dtype(), T => go::<T>(self, &x, &index, outputs[0]))
        } else {
            with_bits!(x.dtype(), T => go::<T>(self, &x, &index, outputs[0]))
        }]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let g = grads[0].as_ref().map(|g| {
            let index = ctx.input(1);
            match self.put {
                Some(_) => pick(g, &index, self.dim),
                None => place(g, &index, self.dim, around(&ctx.input_meta(0).shape, self.dim).1),
            }
        });
        [g, None].into_iter().collect()
    }
}

/// Addition of any element; bool has "or".
trait Sum {
    fn sum(self, other: Self) -> Self;
}
macro_rules! sum {
    ($($t:ty: $f:expr;)*) => { $(
        impl Sum for $t {
            #[inline]
            fn sum(self, other: $t) -> $t {
                $f(self, other)
            }
        }
    )* };
}
sum! {
    bool: |a, b| a | b;
    u8: u8::wrapping_add;
    i8: i8::wrapping_add;
    i16: i16::wrapping_add;
    i32: i32::wrapping_add;
    i64: i64::wrapping_add;
    f32: |a, b| a + b;
    f64: |a, b| a + b;
    half::f16: |a, b| a + b;
    half::bf16: |a, b| a + b;
}
