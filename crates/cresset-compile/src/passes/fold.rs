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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use cresset_tensor::Tensor;

    #[test]
    fn what_depends_on_constants_alone_is_computed_now() {
        let x = [numbers(&[3])];
        let mut graph = recorded(&x, |x| {
            let table = (Tensor::from_slice(&[1.0f32, 2.0, 3.0]) * 2.0).cumsum(0);
            [&x[0] + &table, table]
        });
        let before = results(&graph, &x);
        run(&mut graph);
        assert_eq!(names(&graph), ["add"]);
        assert_eq!(results(&graph, &x), before);
        assert_eq!(before[1], [2.0, 6.0, 12.0]);
    }

    #[test]
    fn inputs_and_captured_tensors_may_change() {
        let (x, w) = ([numbers(&[3])], numbers(&[3]));
        let mut graph = recorded(&x, |x| [w.exp() + Tensor::ones([3]), x[0].sin() + Tensor::ones([3])]);
        run(&mut graph);
        assert_eq!(names(&graph), ["exp", "add", "sin", "add"]);
        w.zero_();
        assert_eq!(results(&graph, &x)[0], [2.0; 3]);
    }

    #[test]
    fn draws_changes_of_buffers_and_large_values_are_left_to_each_run() {
        let buffer = Tensor::zeros([2]);
        let mut graph = recorded(&[], |_| {
            buffer.copy_(&Tensor::ones([2]));
            [Tensor::rand([2]).exp(), Tensor::ones([MOST + 1]).exp(), Tensor::ones([MOST]).exp()]
        });
        let all = names(&graph);
        run(&mut graph);
        assert_eq!(names(&graph), all[..4]);
    }
}
