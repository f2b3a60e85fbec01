//! Overwriting a whole tensor: fill, zero_, copy_.

use super::value::Value;
use crate::array::{Array, Meta};
use crate::dims::broadcast;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply_directly, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// Input 0 with all elements replaced by those of input 1, broadcast and converted.
#[derive(Debug)]
struct Overwrite(&'static str);

/// A gradient that is zero everywhere, without memory for it.
pub(super) fn zero_grad(meta: &Meta) -> Tensor {
    Tensor::zeros_of((), meta.dtype).broadcast_to(meta.shape)
}

impl Op for Overwrite {
    fn name(&self) -> &'static str {
        self.0
    }
    fn grad_name(&self) -> String {
        (if self.0 == "fill" { "FillBackward1" } else { "CopyBackwards" }).into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (x, v) = (inputs[0], inputs[1]);
        if self.0 == "fill" && v.ndim() != 0 {
            return Err(format!(
                "fill_ only supports 0-dimension value tensor but got tensor with {} dimensions.",
                v.ndim()
            ));
        }
        if broadcast(&x.shape, &v.shape).is_ok_and(|s| s == x.shape) {
            return Ok([*x].into());
        }
        Err(format!("The source of shape {:?} does not broadcast to the target's shape {:?}", v.shape, x.shape))
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [inputs[1].to(outputs[0].dtype).broadcast_to(&outputs[0].shape).copy()].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let zero = ctx.needs(0).then(|| zero_grad(ctx.output_meta(0)));
        [zero, grads[0].clone()].into_iter().collect()
    }
}

#[track_caller]
fn overwrite(target: &Tensor, source: &Tensor, name: &'static str) -> Tensor {
    apply_directly(Overwrite(name), &[target, source], |_, a| {
        kernels::write_into(&a[0], &a[1].to(a[0].dtype()).broadcast_to(a[0].shape()));
    })
}

impl Tensor {
    /// The same shape and dtype with every element `value`, a number or a 0-d tensor (`torch.fill(x, value)`).
    #[track_caller]
    pub fn fill(&self, value: impl Into<Value>) -> Tensor {
        apply1(Overwrite("fill"), [self, &value.into().as_is()])
    }
    /// Sets every element to `value`, a number or a 0-d tensor (`x.fill_(value)`).
    #[track_caller]
    pub fn fill_(&self, value: impl Into<Value>) -> Tensor {
        let value = value.into().as_is();
        let a = self.array();
        let (mut shape, strides) = (*a.shape(), *a.strides());
        for d in 0..shape.len() {
            if shape[d] > 1 && strides[d] == 0 {
                shape[d] = 1;
            }
        }
        if shape != *a.shape() && !self.requires_grad() && !value.requires_grad() {
            // Elements that share a place are filled through one of them.
            overwrite(&Tensor::from_array(a.view(shape, strides, a.offset())), &value, "fill");
            return self.clone();
        }
        overwrite(self, &value, "fill")
    }
    /// Sets every element to zero (`x.zero_()`).
    #[track_caller]
    pub fn zero_(&self) -> Tensor {
        self.fill_(0)
    }
    /// Copies the elements of another tensor into this one, broadcast to its shape and converted to its dtype (`x.copy_(source)`). Gradients flow
    /// to `source`.
    #[track_caller]
    pub fn copy_(&self, source: &Tensor) -> Tensor {
        if source.dim() > self.dim() {
            fail(
                "copy_",
                format!(
                    "The source of shape {:?} does not broadcast to the target's shape {:?}",
                    source.shape(),
                    self.shape()
                ),
            );
        }
        overwrite(self, source, "copy_")
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "fill",
    torch: "torch.fill(x, value)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].fill(2.5)),
            Sample::new(&[numbers(&[2, 3], 1), numbers(&[], 2)], |x| x[0].fill(&x[1])),
            Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2)], |x| x[0].duplicate().copy_(&x[1])),
        ]
    },
    refused: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1), numbers(&[1], 2)], |x| x[0].fill(&x[1])),
            Sample::new(&[numbers(&[2, 3], 1), numbers(&[2], 2)], |x| x[0].copy_(&x[1])),
            Sample::new(&[numbers(&[3], 1), numbers(&[2, 3], 2)], |x| x[0].copy_(&x[1])),
        ]
    },
}];
