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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use cresset_tensor::Tensor;

    #[test]
    fn what_nobody_reads_goes_with_all_that_it_alone_read() {
        let x = [numbers(&[3, 4])];
        let mut graph = recorded(&x, |x| {
            let shared = x[0].exp();
            let _unread = shared.sin().sum();
            [shared.cos()]
        });
        let before = results(&graph, &x);
        run(&mut graph);
        assert_eq!(names(&graph), ["exp", "cos"]);
        assert_eq!(results(&graph, &x), before);
    }

    #[test]
    fn results_and_ops_with_one_wanted_output_stay() {
        let x = [numbers(&[3, 4])];
        let mut graph = recorded(&x, |x| [x[0].exp(), x[0].max_dim(1, false).1]);
        run(&mut graph);
        assert_eq!(names(&graph), ["exp", "max"]);
        assert_eq!(graph.nodes[1].outputs.len(), 2);
    }

    #[test]
    fn draws_and_changes_of_buffers_stay_with_what_they_need() {
        let (x, buffer) = ([numbers(&[4])], Tensor::zeros([4]));
        let mut graph = recorded(&x, |x| {
            let _unread = Tensor::rand([4]).exp();
            buffer.copy_(&x[0].sin());
            [x[0].cos()]
        });
        let draw = names(&graph)[0].clone();
        run(&mut graph);
        assert_eq!(names(&graph), [draw.as_str(), "sin", "copy_", "cos"]);
    }
}
