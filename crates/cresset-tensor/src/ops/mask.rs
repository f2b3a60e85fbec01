//! What a mask chooses: masked_fill, masked_select, masked_scatter.

use super::search::truths;
use super::value::Value;
use crate::array::{Array, Meta, with_bits};
use crate::dims::broadcast;
use crate::dtype::DType;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, Saves, apply_directly, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::record::depends;
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element as Stored;

/// Input 0 with the 0-d input 2 wherever the mask (input 1) is, or with `inverted` is not, true.
#[derive(Debug)]
struct MaskedFill {
    inverted: bool,
    name: &'static str,
}

impl MaskedFill {
    /// Works on `x` itself.
    fn write(&self, x: &Array, mask: &Array, value: &Array) {
        fn go<T: Stored>(inverted: bool, x: &Array, mask: &Array, value: &Array) {
            let value = value.read().slice::<T>()[value.offset()];
            let bits = mask.read();
            let bits = bits.slice::<u8>();
            let mut to = x.storage().write();
            let to = to.slice::<T>();
            if x.is_contiguous() && mask.is_contiguous() {
                let n = x.numel();
                let (to, bits) = (&mut to[x.offset()..x.offset() + n], &bits[mask.offset()..mask.offset() + n]);
                for (t, b) in to.iter_mut().zip(bits) {
                    *t = if (*b != 0) != inverted { value } else { *t };
                }
                return;
            }
            kernels::for_each_pair(x, mask, |p, q| {
                if (bits[q] != 0) != inverted {
                    to[p] = value;
                }
            });
        }
        if x.numel() == 0 {
            return;
        }
        let mask = mask.broadcast_to(x.shape());
        let value = value.to(x.dtype());
        with_bits!(x.dtype(), T => go::<T>(self.inverted, x, &mask, &value));
    }
}

impl Op for MaskedFill {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (x, mask, value) = (inputs[0], inputs[1], inputs[2]);
        if mask.dtype != DType::Bool {
            return Err(format!(
                "masked_fill_ only supports boolean masks, but got mask with dtype {}",
                mask.dtype.scalar_name()
            ));
        }
        if value.ndim() != 0 {
            return Err(format!(
                "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {} dimension(s).",
                value.ndim()
            ));
        }
        if !value.dtype.can_cast(x.dtype) {
            return Err(format!(
                "value cannot be converted to type {} without overflow: it is of type {}",
                x.dtype.scalar_name(),
                value.dtype.scalar_name()
            ));
        }
        Ok([Meta { dtype: x.dtype, shape: broadcast(&x.shape, &mask.shape)? }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let out = inputs[0].broadcast_to(&outputs[0].shape).copy();
        self.write(&out, inputs[1], inputs[2]);
        [out].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b010)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None, None].into_iter().collect() };
        let (mask, zero) = (ctx.input(1), Tensor::zeros_of((), g.dtype()));
        let without = |inverted| apply1(MaskedFill { inverted, name: "masked_fill" }, [g, &mask, &zero]);
        let own = ctx.needs(0).then(|| without(self.inverted));
        // The caller sums what has the mask's shape to the 0-d value.
        let value = ctx.needs(2).then(|| without(!self.inverted));
        [own, None, value].into_iter().collect()
    }
}

impl Tensor {
    /// A copy with `value`, a number or a 0-d tensor, wherever `mask` is true; both are broadcast (`x.masked_fill(mask, value)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let mask = Tensor::from_slice(&[true, false]);
    /// assert_eq!(Tensor::ones([2]).masked_fill(&mask, f64::NEG_INFINITY).to_vec::<f32>(), [f32::NEG_INFINITY, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If `mask` is not bool, `value` has dimensions, or the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor, value: impl Into<Value>) -> Tensor {
        apply1(MaskedFill { inverted: false, name: "masked_fill" }, [self, mask, &self.mask_value(value.into())])
    }
    /// [`Tensor::masked_fill`] in place (`x.masked_fill_(mask, value)`).
    #[track_caller]
    pub fn masked_fill_(&self, mask: &Tensor, value: impl Into<Value>) -> Tensor {
        let value = self.mask_value(value.into());
        apply_directly(MaskedFill { inverted: false, name: "masked_fill_" }, &[self, mask, &value], |op, a| {
            op.write(&a[0], &a[1], &a[2]);
        })
    }
    /// A number in the widest dtype of its kind, so that nothing is lost on the way.
    #[track_caller]
    fn mask_value(&self, value: Value) -> Tensor {
        match value {
            Value::Number(x) if x.is_float() => value.tensor(DType::F64),
            other => other.as_is(),
        }
    }
    /// The elements where `mask` is true, as a vector; both are broadcast (`x.masked_select(mask)`).
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.masked_select(&Tensor::from_slice(&[true, false, true])).to_vec::<f32>(), [1.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor) -> Tensor {
        depends("masked_select");
        if mask.dtype() != DType::Bool {
            fail(
                "masked_select",
                format!("masked_select: expected BoolTensor for mask, got {}", mask.dtype().scalar_name()),
            );
        }
        let shape = broadcast(&self.shape(), &mask.shape()).unwrap_or_else(|e| fail("masked_select", e));
        let (x, mask) = (self.broadcast_to(shape), mask.broadcast_to(shape));
        if shape.is_empty() { x.reshape(1).i(mask.reshape(1)) } else { x.i(mask) }
    }
    /// A copy in which the elements of `source`, in order, stand where `mask` is true (`x.masked_scatter(mask, source)`).
    ///
    /// # Panics
    /// If `mask` is not bool, the dtypes differ, or `source` has too few elements.
    #[track_caller]
    pub fn masked_scatter(&self, mask: &Tensor, source: &Tensor) -> Tensor {
        let name = "masked_scatter";
        depends(name);
        if mask.dtype() != DType::Bool {
            fail(
                name,
                format!(
                    "masked_scatter_ only supports boolean masks, but got mask with dtype {}",
                    mask.dtype().scalar_name()
                ),
            );
        }
        if source.dtype() != self.dtype() {
            fail(
                name,
                format!(
                    "masked_scatter: expected self and source to have same dtypes but got {} and {}",
                    self.dtype().scalar_name(),
                    source.dtype().scalar_name()
                ),
            );
        }
        let shape = broadcast(&self.shape(), &mask.shape()).unwrap_or_else(|e| fail(name, e));
        let (x, mask) = (self.broadcast_to(shape), mask.broadcast_to(shape));
        let n = truths(&mask.array()).into_iter().filter(|b| *b).count();
        if source.numel() < n {
            fail(
                name,
                format!(
                    "number of elements of source ({}) is smaller than the number of true elements of the mask ({n})",
                    source.numel()
                ),
            );
        }
        let source = source.reshape(-1).narrow(0, 0, n);
        if shape.is_empty() {
            return x.reshape(1).index_put(mask.reshape(1), &source, false).reshape(());
        }
        x.index_put(&mask, &source, false)
    }
    /// [`Tensor::masked_scatter`] in place (`x.masked_scatter_(mask, source)`).
    #[track_caller]
    pub fn masked_scatter_(&self, mask: &Tensor, source: &Tensor) -> Tensor {
        self.copy_(&self.masked_scatter(mask, source))
    }
}

fn bits(list: &[bool], shape: &[usize]) -> Tensor {
    Tensor::from_vec(list, shape)
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "masked_fill",
        torch: "x.masked_fill(mask, value)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 2], 1)], |x| {
                    x[0].masked_fill(&bits(&[true, false, true, true], &[2, 2]), 0.5)
                }),
                Sample::new(&[numbers(&[2, 1], 1), numbers(&[], 2)], |x| {
                    x[0].masked_fill(&bits(&[true, false], &[2]), &x[1])
                }),
                Sample::new(&[numbers(&[3, 2], 1), numbers(&[], 2)], |x| {
                    x[0].duplicate().masked_fill_(&bits(&[true, false], &[2]), &x[1])
                }),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2], 1)], |x| x[0].masked_fill(&x[0], 1.0)),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].masked_fill(&bits(&[true], &[1]), &x[0])),
                Sample::new(&[numbers(&[2], 1)], |x| x[0].masked_fill(&bits(&[true, true, true], &[3]), 1.0)),
            ]
        },
    },
    OpInfo {
        name: "masked_select",
        torch: "x.masked_select(mask)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 2], 1)], |x| x[0].masked_select(&bits(&[true, false], &[2]))),
                Sample::new(&[numbers(&[], 1)], |x| x[0].masked_select(&bits(&[true], &[]))),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[2], 1)], |x| x[0].masked_select(&x[0]))],
    },
    OpInfo {
        name: "masked_scatter",
        torch: "x.masked_scatter(mask, source)",
        samples: || {
            vec![Sample::new(&[numbers(&[2, 2], 1), numbers(&[5], 2)], |x| {
                x[0].masked_scatter(&bits(&[true, false, true, true], &[2, 2]), &x[1])
            })]
        },
        refused: || {
            vec![Sample::new(&[numbers(&[2], 1), numbers(&[1], 2)], |x| {
                x[0].masked_scatter(&bits(&[true, true], &[2]), &x[1])
            })]
        },
    },
];
