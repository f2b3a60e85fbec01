//! A function of two numbers whose results are added up in the same op, as PyTorch's losses are.

use super::{BinaryDef, BinaryOp, Operand, SHORT, apply_binary};
use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast};
use crate::dtype::{DType, Scalar};
use crate::op::{Context, Few, Op, Saves};
use crate::ops::loss::Reduction;
use crate::ops::reduce::{Over, fold, widened};
use crate::tensor::Tensor;
use cresset_kernels::reduce;

/// The mean (or else the sum) of a [`BinaryOp`]'s results, whose derivatives read inputs only.
#[derive(Debug)]
struct ReducedOp {
    op: BinaryOp,
    mean: bool,
}

/// The op of `f` over two tensors, reduced.
#[track_caller]
pub(crate) fn apply_reduced<B: BinaryDef>(f: B, a: &Tensor, b: &Tensor, reduction: Reduction) -> Tensor {
    let mean = match reduction {
        Reduction::None => return apply_binary(f, a, Operand::Tensor(b)),
        // A compiler joins the two ops with others on either side.
        Reduction::Mean if crate::record::is_recording() => return apply_binary(f, a, Operand::Tensor(b)).mean(),
        Reduction::Sum if crate::record::is_recording() => return apply_binary(f, a, Operand::Tensor(b)).sum(),
        Reduction::Mean => true,
        Reduction::Sum => false,
    };
    crate::op::apply1(ReducedOp { op: BinaryOp::of(f), mean }, [a, b])
}

impl ReducedOp {
    /// The gradient of each result: `g`, divided by their number for a mean.
    fn spread(&self, ctx: &Context, g: &Tensor) -> Tensor {
        let shape = broadcast(&ctx.input_meta(0).shape, &ctx.input_meta(1).shape).expect("the shape rule has passed");
        let n = if self.mean { shape.numel() as f64 } else { 1.0 };
        let meta = Meta { dtype: g.dtype(), shape };
        if ctx.create_graph() || !matches!(meta.dtype, DType::F32 | DType::F64) || shape.numel() > SHORT {
            let g = if self.mean { g / n } else { g.clone() };
            return g.expand(&shape[..]);
        }
        let g = g.array();
        let each = match g.get(g.offset()).f64() {
            g if meta.dtype == DType::F32 => f64::from(g as f32 / n as f32),
            g => g / n,
        };
        Tensor::from_array(Array::full(meta, Scalar::Float(each)))
    }
}

impl Op for ReducedOp {
    fn name(&self) -> &'static str {
        self.op.name()
    }
    fn grad_name(&self) -> String {
        Op::grad_name(&self.op)
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let dtype = self.op.infer(inputs)?[0].dtype;
        Ok([Meta { dtype, shape: Dims::EMPTY }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let dtype = outputs[0].dtype;
        let shape = broadcast(inputs[0].shape(), inputs[1].shape()).expect("the shape rule has passed");
        let losses = self.op.forward(inputs, &[Meta { dtype, shape }]).swap_remove(0);
        let how = if self.mean { reduce::Reduction::Mean } else { reduce::Reduction::Sum };
        [fold(how, &widened(&losses), &Over::all(shape.len()), Dims::EMPTY).to(dtype)].into()
    }
    fn saves(&self) -> Saves {
        self.op.saves()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        self.op.backward(ctx, &[grads[0].as_ref().map(|g| self.spread(ctx, g))])
    }
}
