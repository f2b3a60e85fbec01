//! Dead code: nodes whose outputs nobody reads.

use crate::graph::Graph;

/// Takes out the nodes that have no effect on a result.
pub fn run(graph: &mut Graph) {
    let mut wanted = vec![false; graph.values.len()];
    graph.outputs.iter().for_each(|v| wanted[*v] = true);
    let mut keep = vec![false; graph.nodes.len()];
    for (n, node) in graph.nodes.iter().enumerate().rev() {
        keep[n] = node.effects || node.writes || node.outputs.iter().any(|v| wanted[*v]);
        if keep[n] {
            node.inputs.iter().for_each(|v| wanted[*v] = true);
        }
    }
    let mut keep = keep.into_iter();
    graph.nodes.retain(|_| keep.next().expect("one answer for each node"));
}
