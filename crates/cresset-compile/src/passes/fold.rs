//! Constants: what depends on constants alone is computed when the model is compiled.

use crate::graph::{Graph, Kind, Source};
use cresset_tensor::Meta;

/// Values of more elements than this are not kept: recomputing them is cheaper than holding them.
const MOST: usize = 1 << 16;

/// Runs the nodes that read constants only.
pub fn run(graph: &mut Graph) {
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Kind::Op(op) = &node.kind else { continue };
        let constants: Option<Vec<_>> = node
            .inputs
            .iter()
            .map(|v| match &graph.values[*v].source {
                Source::Constant(a) => Some(a.clone()),
                _ => None,
            })
            .collect();
        let small = node.outputs.iter().all(|v| graph.values[*v].meta.numel() <= MOST);
        let Some(inputs) = constants.filter(|_| small && !node.effects && !node.writes) else { continue };
        let metas: Vec<Meta> = node.outputs.iter().map(|v| graph.values[*v].meta).collect();
        let results = op.forward(&inputs.iter().collect::<Vec<_>>(), &metas);
        let outputs = node.outputs.clone();
        for (v, array) in outputs.into_iter().zip(results) {
            graph.values[v].source = Source::Constant(array);
        }
        graph.nodes[n].outputs.clear();
    }
    graph.nodes.retain(|n| !n.outputs.is_empty() || n.effects);
}
