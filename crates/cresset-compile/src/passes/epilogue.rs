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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use cresset_tensor::Tensor;
    use cresset_tensor::functional::linear;

    /// The nodes that the pass leaves; the numbers stay as they were.
    #[track_caller]
    fn left<const N: usize>(f: impl FnOnce(&Tensor) -> [Tensor; N]) -> Vec<String> {
        let x = [numbers(&[5, 3])];
        let mut graph = recorded(&x, |x| f(&x[0]));
        let before = results(&graph, &x);
        run(&mut graph);
        assert_eq!(results(&graph, &x), before);
        names(&graph)
    }

    #[test]
    fn relu_becomes_part_of_the_product_before_it() {
        let (w, b) = (numbers(&[4, 3]), numbers(&[4]));
        assert_eq!(left(|x| [linear(x, &w, Some(&b)).relu()]), ["linear+relu"]);
        assert_eq!(left(|x| [linear(&linear(x, &w, None).relu(), &w.t(), None).relu()]).len(), 3);
        assert_eq!(left(|x| [x.matmul(&w.t()).relu().exp()]), ["t", "mm+relu", "exp"]);
    }

    #[test]
    fn a_product_that_others_read_stays_as_it_is() {
        let w = numbers(&[4, 3]);
        let result = left(|x| {
            let y = linear(x, &w, None);
            [y.relu(), y]
        });
        let read = left(|x| {
            let y = linear(x, &w, None);
            [y.relu(), y.exp()]
        });
        assert_eq!(
            (result, read),
            (vec!["linear".into(), "relu".into()], ["linear", "relu", "exp"].map(Into::into).into())
        );
    }

    #[test]
    fn nothing_but_a_relu_right_behind_a_product_is_joined() {
        let w = numbers(&[4, 3]);
        assert_eq!(left(|x| [linear(x, &w, None).exp().relu()]), ["linear", "exp", "relu"]);
        assert_eq!(left(|x| [linear(x, &w, None).sigmoid()]), ["linear", "sigmoid"]);
        assert_eq!(left(|x| [x.relu(), x.softmax(0).relu()]), ["relu", "softmax", "relu"]);
    }
}
