//! What a run of an op costs: floating-point operations and bytes moved. The one home of that rule; a profile is its reader.
//!
//! An addition, a multiplication and any other function of one number count as one operation each. A product of matrices takes `2 m n k`
//! of them, a convolution `2` for each weight at each place of the output. Other ops take one for each number they read or give, unless the table
//! below says otherwise; ops that only move numbers, and views, take none. Bytes are those of the inputs (what is repeated by expanding counts
//! once) and of the outputs.

use crate::array::{Array, Meta};
use crate::op::Op;

/// Floating-point operations and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
}

/// A product of an m x k and a k x n matrix.
pub(crate) fn product(m: usize, n: usize, k: usize) -> u64 {
    2 * m as u64 * n as u64 * k as u64
}

/// Operations for each element of an op that is no product: 0 for those that move numbers.
fn per_element(name: &str) -> u64 {
    match name {
        "cat" | "stack" | "tril" | "triu" | "embedding" | "flip" | "roll" | "gather" | "clone" | "expand"
        | "constant_pad_nd" | "reshape" | "unfold" | "index" | "fill" | "copy" | "to" | "detach" | "checked_index"
        | "checked_target" | "as_strided" | "slice" | "select" | "diagonal" => 0,
        // Highest number, differences, exponentials, sum, quotient.
        "softmax" | "log_softmax" | "logsumexp" | "logcumsumexp" | "cross_entropy" => 4,
        // Mean, differences, squares, scaling, weight and bias.
        "batch_norm" | "layer_norm" | "group_norm" | "rms_norm" | "instance_norm" => 6,
        "var" | "std" => 3,
        "norm" | "dropout" => 2,
        _ => 1,
    }
}

/// The operations of an op that is no product.
pub(crate) fn usual(name: &str, is_view: bool, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
    if is_view {
        return 0;
    }
    let given: usize = outputs.iter().map(Meta::numel).sum();
    let read = inputs.first().map_or(0, |m| m.numel());
    per_element(name) * given.max(read) as u64
}

/// Ops that only put what was computed before them into the graph.
const HANDS_ON: &[&str] = &["compiled", "checkpoint"];

/// The bytes that hold the elements of an array, of which expanding repeats some.
fn bytes(array: &Array) -> u64 {
    let sizes = array.shape().iter().zip(array.strides().iter());
    let own: usize = sizes.filter(|(_, stride)| **stride != 0).map(|(n, _)| *n).product();
    (own.min(array.numel()) * array.dtype().size()) as u64
}

fn size(meta: &Meta) -> u64 {
    (meta.numel() * meta.dtype.size()) as u64
}

/// The cost of a forward run.
pub fn forward(op: &dyn Op, inputs: &[&Array], outputs: &[&Array]) -> Cost {
    if op.is_view() || HANDS_ON.contains(&op.name()) {
        return Cost::default();
    }
    let read: smallvec::SmallVec<[&Meta; 4]> = inputs.iter().map(|a| a.meta()).collect();
    let given: smallvec::SmallVec<[Meta; 2]> = outputs.iter().map(|a| *a.meta()).collect();
    let flops = op.flops(&read, &given);
    let written: u64 = given.iter().map(size).sum();
    // What only moves numbers reads no more of an input than it gives.
    let most = if flops == 0 { written } else { u64::MAX };
    Cost { flops, bytes: inputs.iter().map(|a| bytes(a).min(most)).sum::<u64>() + written }
}

/// The cost of a backward run: as many operations as forward for each of the first two inputs that wants a gradient; what it saved and the
/// gradients of the outputs are read, those of the inputs are written.
pub fn backward(op: &dyn Op, inputs: &[(Meta, bool)], outputs: &[Meta]) -> Cost {
    if op.is_view() {
        return Cost::default();
    }
    let metas: smallvec::SmallVec<[&Meta; 4]> = inputs.iter().map(|(m, _)| m).collect();
    let wanted = inputs.iter().take(2).filter(|(_, wants)| *wants).count() as u64;
    let saves = op.saves();
    let saved_inputs = inputs.iter().enumerate().filter(|(i, _)| saves.inputs >> i & 1 != 0).map(|(_, (m, _))| size(m));
    let saved_outputs = outputs.iter().enumerate().filter(|(i, _)| saves.outputs >> i & 1 != 0).map(|(_, m)| size(m));
    let gradients = inputs.iter().filter(|(_, wants)| *wants).map(|(m, _)| size(m));
    Cost {
        flops: op.flops(&metas, outputs) * wanted,
        bytes: saved_inputs.chain(saved_outputs).chain(gradients).chain(outputs.iter().map(size)).sum(),
    }
}
