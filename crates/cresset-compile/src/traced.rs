//! What a profile is told of the jobs of a plan.

use crate::graph::Gradient;
use cresset_tensor::cost::{self, Cost};
use cresset_tensor::trace::Open;
use cresset_tensor::{Array, Meta, Op};

fn metas<'a>(arrays: impl Iterator<Item = &'a Array>) -> impl Iterator<Item = Meta> {
    arrays.map(|a| *a.meta())
}

/// An op of its own ran.
#[cold]
pub fn op(event: Open, op: &dyn Op, inputs: &[&Array], results: &[Array]) {
    event.ran(op, inputs, &results.iter().collect::<Vec<_>>());
}

/// The gradient of an op ran.
#[cold]
pub fn gradient(event: Open, g: &Gradient) {
    let inputs: Vec<(Meta, bool)> = g.inputs.iter().map(|(m, _)| *m).zip(g.needs.iter().copied()).collect();
    let outputs: Vec<Meta> = g.outputs.iter().map(|(m, _)| *m).collect();
    event.cost(cost::backward(&*g.op, &inputs, &outputs));
    event.moved(outputs.into_iter(), inputs.into_iter().filter(|(_, needs)| *needs).map(|(m, _)| m));
}

/// A fused job ran: one operation for each step of each element.
#[cold]
pub fn fused(event: Open, flops: usize, inputs: &[&Array], results: &[Array]) {
    let bytes = |m: Meta| m.numel() * m.dtype.size();
    let moved = metas(inputs.iter().copied()).chain(metas(results.iter())).map(bytes).sum::<usize>();
    event.cost(Cost { flops: flops as u64, bytes: moved as u64 });
    event.moved(metas(inputs.iter().copied()), metas(results.iter()));
}
