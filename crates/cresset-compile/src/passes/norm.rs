//! Batch norm in evaluation is a scale and a shift of each channel: after a linear layer both go into its weight and bias. They are computed
//! anew whenever one of the tensors they come from has changed.

use crate::graph::{Graph, Kind, Node, Source, is_own};
use cresset_tensor::op::{Context, Few, Op};
use cresset_tensor::{Array, Meta, Tensor, no_grad};
use std::sync::Arc;

/// The weight or the bias of a linear layer with the batch norm behind it.
#[derive(Debug)]
struct Folded {
    eps: f64,
    /// Inputs: weight, [bias], [norm's weight, norm's bias], mean, var.
    bias: bool,
    affine: bool,
    /// Gives the bias instead of the weight.
    gives_bias: bool,
}

impl Op for Folded {
    fn name(&self) -> &'static str {
        if self.gives_bias { "folded_bias" } else { "folded_weight" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let w = inputs[0];
        Ok([if self.gives_bias { Meta::new(w.dtype, [w.shape[0]]) } else { *w }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let mut next = inputs.iter().map(|a| Tensor::from_array((*a).clone()));
        let mut take = |there: bool| if there { next.next() } else { None };
        let (w, b) = (take(true).expect("a weight"), take(self.bias));
        let (gamma, beta) = (take(self.affine), take(self.affine));
        let (mean, var) = (take(true).expect("a mean"), take(true).expect("a variance"));
        let result = no_grad(|| {
            let mut scale = (&var + self.eps).rsqrt();
            if let Some(gamma) = gamma {
                scale = &scale * &gamma;
            }
            if !self.gives_bias {
                return &w * &scale.unsqueeze(1);
            }
            let shifted = match b {
                Some(b) => &(&b - &mean) * &scale,
                None => &(-&mean) * &scale,
            };
            match beta {
                Some(beta) => &shifted + &beta,
                None => shifted,
            }
        });
        [result.array()].into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        Few::new()
    }
    fn refuse_grad(&self) -> Option<String> {
        Some("it stands in graphs without gradients only".into())
    }
}

/// Folds batch norms into the linear layers before them.
pub fn run(graph: &mut Graph) {
    let producers = graph.producers();
    let uses = graph.uses();
    for n in 0..graph.nodes.len() {
        let node = graph.nodes[n].clone();
        let Kind::Op(op) = &node.kind else { continue };
        let Some(eps) = op.folds() else { continue };
        let x = node.inputs[0];
        let Some(p) = producers[x] else { continue };
        let linear = graph.nodes[p].clone();
        let Kind::Op(linear_op) = &linear.kind else { continue };
        // Rows of features; the norm's channels are the layer's outputs only where the input has two dimensions.
        let plain = is_own(linear_op, "linear") && graph.values[x].meta.ndim() == 2 && uses[x] == 1;
        let statistics_used = node.outputs.len() > 1 && uses[node.outputs[1]] > 0;
        let fixed = |v: &usize| matches!(graph.values[*v].source, Source::State(_) | Source::Constant(_));
        if !plain || statistics_used || !linear.inputs[1..].iter().chain(&node.inputs[1..]).all(fixed) {
            continue;
        }
        let (bias, affine) = match (linear.inputs.len(), node.inputs.len()) {
            (l @ (2 | 3), 3) => (l == 3, false),
            (l @ (2 | 3), 5) => (l == 3, true),
            _ => continue,
        };
        let w = graph.values[linear.inputs[1]].meta;
        if w.ndim() != 2 || w.shape[0] != graph.values[x].meta.shape[1] {
            continue;
        }
        let reads: Vec<usize> = linear.inputs[1..].iter().chain(&node.inputs[1..]).copied().collect();
        let weight = graph.computed(w);
        let shift = graph.computed(Meta::new(w.dtype, [w.shape[0]]));
        let made = |gives_bias: bool, value: usize| Node {
            kind: Kind::Op(Arc::new(Folded { eps, bias, affine, gives_bias })),
            inputs: reads.clone(),
            outputs: vec![value],
            effects: false,
            writes: false,
            grad: false,
            modules: node.modules.clone(),
        };
        // The norm's place is taken by the layer with the new numbers; the old layer has no reader any more.
        let (a, b) = (made(false, weight), made(true, shift));
        let y = node.outputs[0];
        graph.nodes[n] = Node { inputs: vec![linear.inputs[0], weight, shift], outputs: vec![y], ..linear };
        graph.nodes[p] = a;
        graph.nodes.insert(p, b);
        return run(graph);
    }
}
