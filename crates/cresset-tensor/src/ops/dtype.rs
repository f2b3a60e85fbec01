//! Conversion between dtypes: `x.to(dtype)`.

use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

#[derive(Debug)]
struct ToDtype(DType);

impl Op for ToDtype {
    fn name(&self) -> &'static str {
        "to"
    }
    fn grad_name(&self) -> String {
        "ToCopyBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: self.0, shape: inputs[0].shape }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [inputs[0].to(self.0)].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        // The caller brings every gradient back to its input's dtype.
        [grads[0].clone()].into()
    }
}

impl Tensor {
    /// The elements converted to `dtype`; the tensor itself if it has it already (`x.to(dtype)`). Floating-point numbers are cut towards zero
    /// when they become integers.
    pub fn to_dtype(&self, dtype: DType) -> Tensor {
        if self.dtype() == dtype { self.clone() } else { apply1(ToDtype(dtype), [self]) }
    }
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "to",
    torch: "x.to(dtype)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].to_dtype(DType::F64)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].to_dtype(DType::F32)).without_grad(),
        ]
    },
    refused: Vec::new,
}];
