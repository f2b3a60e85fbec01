//! Common sub-expressions: what is computed twice from the same values is computed once.

use crate::graph::{Graph, Kind};
use std::collections::HashMap;

/// Joins equal nodes. Two ops are equal if they print alike, fields included; an op of a user's own may print less than it is, and a pointwise
/// op prints its name alone (equal steps of those meet when they are fused), so both are left alone.
pub fn run(graph: &mut Graph) {
    let mut seen: HashMap<(String, Vec<usize>, bool), usize> = HashMap::new();
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Kind::Op(op) = &node.kind else { continue };
        if node.effects
            || node.writes
            || op.pointwise().is_some()
            || !op.type_name().starts_with("cresset_tensor::ops::")
        {
            continue;
        }
        let key = (format!("{} {op:?}", op.name()), node.inputs.clone(), node.grad);
        match seen.get(&key) {
            None => {
                seen.insert(key, n);
            }
            Some(&first) => {
                let pairs: Vec<(usize, usize)> =
                    node.outputs.iter().copied().zip(graph.nodes[first].outputs.iter().copied()).collect();
                pairs.into_iter().for_each(|(old, new)| graph.replace(old, new));
            }
        }
    }
}
