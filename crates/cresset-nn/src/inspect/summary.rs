//! The table of a model's layers.

use super::calls::{Record, record};
use super::mult_adds::mult_adds;
use super::tree_nodes::Node;
use crate::forward::{Args, Forward};
use crate::{Bundle, ModuleExt, Values};
use cresset_tensor::{DType, Dims};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// One line of a [`Summary`]: one call of a module, or a container that is not called itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The path of the module: `network.0`; empty for the model itself.
    pub path: String,
    /// The name of its field.
    pub name: String,
    /// The name of its type.
    pub class: String,
    /// How deep it stands in the tree: 0 for the model itself.
    pub depth: usize,
    /// Its number among the lines of its depth, from 1.
    pub index: usize,
    /// The shapes of the tensors that it was given; none for a container.
    pub inputs: Vec<Dims>,
    /// The shapes of the tensors that it gave.
    pub outputs: Vec<Dims>,
    /// Elements of its parameters that no other line counts.
    pub params: usize,
    /// Those of them that are trained.
    pub trainable_params: usize,
    /// Multiply-adds of this call; those of a module with children stand at the children.
    pub mult_adds: u64,
    /// Bytes that its outputs take.
    pub output_bytes: usize,
    /// Has it no children?
    pub is_leaf: bool,
    /// Has it parameters that another line has counted, because the same module was called before or shares them with another?
    pub is_shared: bool,
}

/// What [`summary`] found: a line for each call, and totals. `Display` is the table that torchinfo prints, with the multiply-adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The lines, in the order of the calls.
    pub rows: Vec<SummaryRow>,
    /// Elements of all parameters, shared ones once.
    pub total_params: usize,
    /// Those of them that are trained.
    pub trainable_params: usize,
    /// Multiply-adds of the whole run, shared layers as often as they ran.
    pub total_mult_adds: u64,
    /// Bytes of the input's tensors.
    pub input_bytes: usize,
    /// Bytes of what the layers with parameters gave, and as much again for the gradients.
    pub forward_backward_bytes: usize,
    /// Bytes of the parameters.
    pub param_bytes: usize,
    pub(super) depth: usize,
    pub(super) names: bool,
}

impl Summary {
    /// The table down to this depth (3 unless set); deeper lines are counted in those above them.
    pub fn depth(mut self, depth: usize) -> Summary {
        self.depth = depth;
        self
    }
    /// Whether the table has the names of the fields beside the types.
    pub fn names(mut self, on: bool) -> Summary {
        self.names = on;
        self
    }
    /// The first line of a path.
    pub fn get(&self, path: &str) -> Option<&SummaryRow> {
        self.rows.iter().find(|r| r.path == path)
    }
    /// Parameters that are not trained.
    pub fn non_trainable_params(&self) -> usize {
        self.total_params - self.trainable_params
    }
    /// Bytes of input, passes and parameters together.
    pub fn total_bytes(&self) -> usize {
        self.input_bytes + self.forward_backward_bytes + self.param_bytes
    }
}

struct Noted {
    inputs: Vec<Dims>,
    outputs: Vec<Dims>,
    output_bytes: usize,
    mult_adds: u64,
}

/// Runs the model once on `input` and tells of each layer the shape of its output, its parameters and its multiply-adds (`torchinfo.summary`).
///
/// The model runs in evaluation mode, without gradients; its mode, its buffers and the random numbers are then as they were. Its own hooks run.
/// Shared parameters are counted once, at the first layer that has them; parameters of modules that did not run stand at the innermost module above
/// them that has a line. Multiply-adds count each weight and each bias once for every place of the output where it is used, as torchinfo does; but a
/// `Linear` or `LayerNorm` counts every row of a sequence, a transposed convolution the places of its input, and an embedding nothing.
///
/// Several inputs are a tuple of references, as for [`call`](crate::Call::call).
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, ReLU, Sequential, summary};
/// let model = Sequential::new((Linear::new(784, 128), ReLU::new(), Linear::new(128, 10)));
/// let summary = summary(&model, &Tensor::zeros([32, 784]));
/// println!("{summary}");
/// assert_eq!((summary.total_params, summary.total_mult_adds), (101_770, 32 * 101_770));
/// assert_eq!(summary.get("2").unwrap().outputs[0], [32, 10]);
/// ```
#[track_caller]
pub fn summary<I, M, A>(model: &M, input: A) -> Summary
where
    I: Bundle,
    M: Forward<I> + ?Sized,
    M::Output: Bundle,
    A: Args<I>,
{
    let root = model.base().id();
    let input_bytes = Arc::new(Mutex::new(0));
    let given = input_bytes.clone();
    let (nodes, records) = record(model, input, true, move |module, input, output| {
        if module.base().id() == root {
            *given.lock().unwrap_or_else(PoisonError::into_inner) = bytes(input);
        }
        Noted {
            inputs: shapes(input),
            outputs: shapes(output),
            output_bytes: bytes(output),
            mult_adds: if module.children().is_empty() { mult_adds(module, input, output) } else { 0 },
        }
    });
    let mut rows = lines(&nodes, records);
    count_parameters(&nodes, &mut rows);
    let mut rows: Vec<SummaryRow> = rows.into_iter().map(|(_, row)| row).collect();
    let mut numbers: Vec<usize> = Vec::new();
    for row in &mut rows {
        numbers.resize(numbers.len().max(row.depth + 1), 0);
        numbers[row.depth] += 1;
        row.index = numbers[row.depth];
    }
    let parameters = model.parameters();
    let has_parameters = |r: &&SummaryRow| r.is_leaf && (r.params > 0 || r.is_shared);
    let input_bytes = *input_bytes.lock().unwrap_or_else(PoisonError::into_inner);
    Summary {
        total_params: parameters.iter().map(|p| p.numel()).sum(),
        trainable_params: parameters.iter().filter(|p| p.requires_grad()).map(|p| p.numel()).sum(),
        total_mult_adds: rows.iter().map(|r| r.mult_adds).sum(),
        input_bytes,
        forward_backward_bytes: rows.iter().filter(has_parameters).map(|r| 2 * r.output_bytes).sum(),
        param_bytes: parameters.iter().map(|p| p.numel() * p.dtype().size()).sum(),
        rows,
        depth: 3,
        names: false,
    }
}

fn shapes(values: &Values) -> Vec<Dims> {
    values.tensors().iter().map(|t| t.shape()).collect()
}

fn bytes(values: &Values) -> usize {
    values.tensors().iter().map(|t| t.numel() * DType::size(t.dtype())).sum()
}

/// A line for each call with its node, and for containers that are not called themselves one before their first child.
fn lines(nodes: &[Node], records: Vec<Record<Noted>>) -> Vec<(usize, SummaryRow)> {
    let mut rows = Vec::new();
    // The nodes that the line before stands in, from the root down to its own.
    let mut chain: Vec<usize> = Vec::new();
    let record_nodes: Vec<usize> = records.iter().map(|r| r.node).collect();
    for record in records {
        let mut above = Vec::new();
        let mut next = nodes[record.node].parent;
        let caller = record.caller.map(|c| record_nodes[c]);
        while let Some(node) = next.filter(|n| Some(*n) != caller) {
            above.push(node);
            next = nodes[node].parent;
        }
        for &node in above.iter().rev() {
            if chain.get(nodes[node].depth) != Some(&node) {
                chain.truncate(nodes[node].depth);
                chain.resize(nodes[node].depth, node);
                chain.push(node);
                rows.push((node, row(&nodes[node], None)));
            }
        }
        let depth = nodes[record.node].depth;
        chain.truncate(depth);
        chain.resize(depth, record.node);
        chain.push(record.node);
        rows.push((record.node, row(&nodes[record.node], record.noted)));
    }
    rows
}

fn row(node: &Node, noted: Option<Noted>) -> SummaryRow {
    let Noted { inputs, outputs, output_bytes, mult_adds } =
        noted.unwrap_or(Noted { inputs: vec![], outputs: vec![], output_bytes: 0, mult_adds: 0 });
    SummaryRow {
        path: node.path.clone(),
        name: node.name.clone(),
        class: node.module.class_name().into(),
        depth: node.depth,
        index: 0,
        inputs,
        outputs,
        params: 0,
        trainable_params: 0,
        mult_adds,
        output_bytes,
        is_leaf: node.is_leaf(),
        is_shared: false,
    }
}

/// Gives each parameter to one line: the layers first, then what is left to the modules above them, the innermost first.
fn count_parameters(nodes: &[Node], rows: &mut [(usize, SummaryRow)]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|i| (!rows[*i].1.is_leaf, usize::MAX - rows[*i].1.depth * usize::from(!rows[*i].1.is_leaf)));
    let (mut counted, mut shown) = (HashSet::new(), HashSet::new());
    for i in order {
        let (node, row) = &mut rows[i];
        let module = nodes[*node].module;
        let again = !shown.insert(nodes[*node].id());
        for p in module.parameters() {
            if counted.insert(p.id()) {
                row.params += p.numel();
                row.trainable_params += if p.requires_grad() { p.numel() } else { 0 };
            } else {
                row.is_shared |= row.is_leaf || again;
            }
        }
    }
}
