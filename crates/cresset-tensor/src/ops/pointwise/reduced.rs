//! A function of two numbers whose results are added up in the same op, as PyTorch's losses are.

use super::{BinaryDef, BinaryOp, Operand, Operands, SHORT, Slope, apply_binary, repeated, short_buffer};
use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast};
use crate::dtype::DType;
use crate::op::{Context, Few, Op, Saves};
use crate::ops::loss::Reduction;
use crate::ops::reduce::{Over, fold, widened, with_real};
use crate::tensor::Tensor;
use cresset_kernels::map::Part;
use cresset_kernels::reduce::{self, Reduce as _};

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
        let g = if self.mean { g / shape.numel() as f64 } else { g.clone() };
        g.expand(&shape[..])
    }

    /// Forward on few numbers of two dense arrays, which are a [`short_buffer`].
    fn short_forward(&self, inputs: &[&Array], meta: &Meta) -> Option<Array> {
        let operands = [Operands::Array(inputs[0]), Operands::Array(inputs[1])];
        if inputs.iter().any(|a| a.meta() != meta) {
            return None;
        }
        let losses = short_buffer(&self.op.f, Part::Value, meta, &operands, None)?;
        let how = if self.mean { reduce::Reduction::Mean } else { reduce::Reduction::Sum };
        let n = meta.numel();
        Some(with_real!(meta.dtype, T => Array::build::<T>(Meta { dtype: meta.dtype, shape: Dims::EMPTY }, |out| {
            T::reduce(how, &losses.as_slice::<T>()[..n], &[(n, true)], out);
        })))
    }

    /// Backward on the same.
    fn short_backward(&self, ctx: &Context, g: &Tensor) -> Option<Few<Option<Tensor>>> {
        let meta = ctx.input_meta(0);
        let general = self.op.rules.slopes == [Slope::General; 2] && self.op.saves() == Saves::inputs(0b11);
        let one_kind = meta == ctx.input_meta(1) && matches!(meta.dtype, DType::F32 | DType::F64);
        if !general || !one_kind || meta.numel() > SHORT || ctx.create_graph() {
            return None;
        }
        let many = if self.mean { meta.numel() as f64 } else { 1.0 };
        let each = g.seen(|g| match g.get(g.offset()).f64() {
            g if meta.dtype == DType::F32 => f64::from(g as f32 / many as f32),
            g => g / many,
        });
        let (a, b) = (ctx.input_numbers(0), ctx.input_numbers(1));
        let each = repeated(each, meta, meta.numel());
        let operands = [Operands::Nothing, Operands::Array(a), Operands::Array(b), Operands::Nothing];
        let mut all = Few::new();
        for i in 0..2 {
            let wanted = ctx.needs(i);
            let run = || short_buffer(&self.op.f, Part::Gradient(i), meta, &operands, Some((0, &each)));
            let found = if wanted { Some(run()?) } else { None };
            all.push(found.map(|buffer| Tensor::from_array(Array::from_buffer(buffer, *meta))));
        }
        Some(all)
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
        if let Some(short) = self.short_forward(inputs, &Meta { dtype, shape }) {
            return [short].into();
        }
        let losses = self.op.forward(inputs, &[Meta { dtype, shape }]).swap_remove(0);
        let how = if self.mean { reduce::Reduction::Mean } else { reduce::Reduction::Sum };
        [fold(how, &widened(&losses), &Over::all(shape.len()), Dims::EMPTY).to(dtype)].into()
    }
    fn saves(&self) -> Saves {
        self.op.saves()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        if let Some(short) = grads[0].as_ref().and_then(|g| self.short_backward(ctx, g)) {
            return short;
        }
        self.op.backward(ctx, &[grads[0].as_ref().map(|g| self.spread(ctx, g))])
    }
}
