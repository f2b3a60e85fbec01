//! Random numbers drawn with parameters that are tensors: differentiable in form, with gradients of zero, as in PyTorch.

use crate::array::{Array, Meta};
use crate::op::{Context, Few, Op, apply_one};
use crate::tensor::Tensor;

#[derive(Debug)]
struct Drawn {
    name: &'static str,
    numbers: Array,
}

impl Op for Drawn {
    fn name(&self) -> &'static str {
        self.name
    }
    fn infer(&self, _inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*self.numbers.meta()].into())
    }
    fn forward(&self, _inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [self.numbers.clone()].into()
    }
    fn backward(&self, ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        (0..ctx.num_inputs()).map(|i| ctx.needs(i).then(|| super::fill::zero_grad(ctx.input_meta(i)))).collect()
    }
}

/// Random numbers `numbers` that op `name` drew with the parameters `from`.
pub(crate) fn drawn(name: &'static str, numbers: Tensor, from: &[&Tensor]) -> Tensor {
    if !crate::is_grad_enabled() || !from.iter().any(|t| t.requires_grad()) {
        return numbers;
    }
    apply_one(Drawn { name, numbers: numbers.array() }, from)
}
