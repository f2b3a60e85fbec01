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

macro_rules! conversions {
    ($($name:ident $dtype:ident $text:literal;)*) => {
        impl Tensor {$(
            #[doc = $text]
            pub fn $name(&self) -> Tensor {
                self.to_dtype(DType::$dtype)
            }
        )*}
    };
}
conversions! {
    float F32 "The elements converted to f32 (`x.float()`): `x.gt(0.0).float().mean()` is the share of elements above zero.";
    double F64 "The elements converted to f64 (`x.double()`).";
    half F16 "The elements converted to f16 (`x.half()`).";
    bfloat16 BF16 "The elements converted to bf16 (`x.bfloat16()`).";
    long I64 "The elements converted to i64 (`x.long()`).";
    int I32 "The elements converted to i32 (`x.int()`).";
    bool Bool "The elements converted to bool, true where they are not zero (`x.bool()`).";
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
