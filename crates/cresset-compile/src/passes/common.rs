//! Common sub-expressions: what is computed twice from the same values is computed once.

use crate::graph::{Graph, Kind};
use std::collections::HashMap;

/// Joins equal nodes. Two ops are equal if they print alike, fields included; an op of a user's own may print less than it is, and a pointwise
/// op prints its name alone (equal steps of those meet when they are fused), so both are left alone.
pub fn run(graph: &mut Graph) {
    let mut seen: HashMap<(String, Vec<usize>, bool), usize> = HashMap::new();
    let mut handed_out = handed_out(graph);
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
                // Who gets both may change one of them in place.
                if !op.is_view() && pairs.iter().any(|(old, new)| handed_out[*old] && handed_out[*new]) {
                    continue;
                }
                for (old, new) in pairs {
                    handed_out[new] |= handed_out[old];
                    graph.replace(old, new);
                }
            }
        }
    }
}

/// Which values lie in the memory of a result.
fn handed_out(graph: &Graph) -> Vec<bool> {
    let mut all = vec![false; graph.values.len()];
    graph.outputs.iter().for_each(|v| all[*v] = true);
    for node in graph.nodes.iter().rev() {
        let view = matches!(&node.kind, Kind::Op(op) if op.is_view());
        if view && node.outputs.iter().any(|v| all[*v]) {
            all[node.inputs[0]] = true;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{numbers, recorded, results};
    use cresset_tensor::op::{Context, Few, Op, apply1};
    use cresset_tensor::{Array, Meta, Tensor, no_grad};

    /// What the nodes from `n` on read.
    fn reads(graph: &Graph, n: usize) -> Vec<&[usize]> {
        graph.nodes[n..].iter().map(|n| &n.inputs[..]).collect()
    }

    #[test]
    fn equal_ops_over_equal_values_are_computed_once() {
        let x = [numbers(&[3, 4])];
        let softmax = |x: &Tensor| x.softmax(1).cumsum(0);
        let mut graph = recorded(&x, |x| [softmax(&x[0]).matmul(&softmax(&x[0]).t())]);
        let before = results(&graph, &x);
        run(&mut graph);
        // The second softmax is computed from what the first was, so its sum is the same, too.
        let sum = graph.nodes[1].outputs[0];
        assert_eq!(reads(&graph, 4), [&[sum][..], &[sum, graph.nodes[4].outputs[0]]]);
        assert_eq!(results(&graph, &x), before);
    }

    /// Prints less than it is.
    struct Times(f32);
    impl std::fmt::Debug for Times {
        fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("Times")
        }
    }
    impl Op for Times {
        fn name(&self) -> &'static str {
            "times"
        }
        fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
            Ok([*inputs[0]].into())
        }
        fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
            let all: Vec<f32> = inputs[0].to_vec::<f32>().iter().map(|x| x * self.0).collect();
            [Array::from_slice(&all, outputs[0].shape)].into()
        }
        fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
            [None].into()
        }
    }

    #[test]
    fn other_inputs_other_fields_another_grad_mode_and_ops_of_a_users_own_are_left_alone() {
        let x = [numbers(&[3, 3])];
        let pairs: [fn(&Tensor) -> [Tensor; 2]; 4] = [
            |x| [x.cumsum(0), x.exp().cumsum(0)],
            |x| [x.cumsum(0), x.cumsum(1)],
            |x| [x.cumsum(0), no_grad(|| x.cumsum(0))],
            |x| [apply1(Times(2.0), [x]), apply1(Times(3.0), [x])],
        ];
        for pair in pairs {
            let mut graph = recorded(&x, |x| {
                let [a, b] = pair(&x[0]);
                [a.matmul(&b)]
            });
            let before = graph.nodes.last().unwrap().inputs.clone();
            run(&mut graph);
            assert_eq!(graph.nodes.last().unwrap().inputs, before);
        }
    }

    #[test]
    fn random_numbers_are_drawn_as_often_as_before() {
        let mut graph = recorded(&[], |_| [Tensor::rand([2, 2]).matmul(&Tensor::rand([2, 2]))]);
        assert!(graph.nodes[..2].iter().all(|n| n.effects));
        run(&mut graph);
        assert_eq!(reads(&graph, 2), [[graph.nodes[0].outputs[0], graph.nodes[1].outputs[0]]]);
    }

    #[test]
    fn two_results_do_not_share_memory() {
        let x = [numbers(&[3, 4])];
        let mut graph = recorded(&x, |x| {
            let [a, b, c] = [0, 0, 0].map(|dim| x[0].cumsum(dim));
            [a.reshape([12]), b, c.softmax(0)]
        });
        run(&mut graph);
        let [a, b] = [0, 1].map(|n| graph.nodes[n].outputs[0]);
        // What is no result itself is still joined.
        assert_eq!((reads(&graph, 3), graph.outputs[1]), (vec![&[a][..], &[a]], b));
    }
}
