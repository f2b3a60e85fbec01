//! Epilogues: a ReLU behind a linear layer is applied by the matrix product itself, while its numbers are in registers.

use crate::graph::{Graph, Kind, is_own};

/// Joins each ReLU with the product before it, where nobody else reads that product. The product does the work, so its module keeps the job.
pub fn run(graph: &mut Graph) {
    let producers = graph.producers();
    let uses = graph.uses();
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Kind::Op(op) = &node.kind else { continue };
        if !is_own(op, "relu") || node.effects || node.writes || node.inputs.len() != 1 {
            continue;
        }
        let (x, y) = (node.inputs[0], node.outputs[0]);
        let Some(p) = producers[x].filter(|_| uses[x] == 1) else { continue };
        let Kind::Op(product) = &graph.nodes[p].kind else { continue };
        let Some(joined) = product.with_relu().filter(|_| !graph.nodes[p].outputs.is_empty()) else { continue };
        graph.nodes[p].kind = Kind::Op(joined);
        graph.nodes[p].outputs = vec![y];
        graph.nodes[n].outputs.clear();
    }
    graph.nodes.retain(|n| !n.outputs.is_empty() || n.effects || n.writes);
}
