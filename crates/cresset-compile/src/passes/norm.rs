//! Batch norm in evaluation is a scale and a shift of each channel: after a linear layer both go into its weight and bias. They are computed
//! anew whenever one of the tensors they come from has changed.

use crate::graph::{Graph, Kind, Node, Source, is_own};
use cresset_tensor::op::{Context, Few, Op};
use cresset_tensor::record::Detach;
use cresset_tensor::{Array, Meta, Tensor, no_grad};
use std::any::type_name;
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
        // `functional::batch_norm` detaches its statistics.
        let detached =
            |n: &usize| matches!(&graph.nodes[*n].kind, Kind::Op(op) if op.type_name() == type_name::<Detach>());
        let attached = |v: &usize| producers[*v].filter(detached).map_or(*v, |n| graph.nodes[n].inputs[0]);
        let reads: Vec<usize> = linear.inputs[1..].iter().chain(&node.inputs[1..]).map(attached).collect();
        let fixed = |v: &usize| matches!(graph.values[*v].source, Source::State(_) | Source::Constant(_));
        // A weight of half precision would be rounded once more, and a wider one than the graph says must not come out.
        let one_dtype = graph.number_dtype(reads.iter()).is_some();
        if !plain || statistics_used || !one_dtype || !reads.iter().all(fixed) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use crate::passes::{dead, forward};
    use cresset_tensor::DType;
    use cresset_tensor::functional::{batch_norm, linear};

    fn norm(x: &Tensor, [mean, var]: [&Tensor; 2], affine: Option<[&Tensor; 2]>) -> Tensor {
        let [weight, bias] = [0, 1].map(|i| affine.map(|a| a[i]));
        batch_norm(x, Some(mean), Some(var), weight, bias, false, 0.1, 1e-5)
    }

    /// The nodes that the pass leaves of a function of rows of three.
    fn left<const N: usize>(f: impl FnOnce(&Tensor) -> [Tensor; N]) -> Vec<String> {
        let mut graph = recorded(&[numbers(&[5, 3])], |x| no_grad(|| f(&x[0])));
        run(&mut graph);
        dead::run(&mut graph);
        names(&graph)
    }

    #[test]
    fn a_norm_goes_into_the_layer_before_it_and_follows_its_statistics() {
        let x = [numbers(&[5, 3])];
        let (w, b) = (numbers(&[4, 3]), numbers(&[4]));
        let (mean, var) = (numbers(&[4]), numbers(&[4]).abs());
        for bias in [None, Some(&b)] {
            for affine in [None, Some([&mean, &b])] {
                let plain = recorded(&x, |x| no_grad(|| [norm(&linear(&x[0], &w, bias), [&mean, &var], affine)]));
                let mut graph = plain.clone();
                run(&mut graph);
                dead::run(&mut graph);
                assert_eq!(names(&graph), ["folded_bias", "folded_weight", "linear"]);
                for _ in 0..2 {
                    let pairs = results(&graph, &x).remove(0).into_iter().zip(results(&plain, &x).remove(0));
                    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{a} for {b}"));
                    no_grad(|| var.add_(0.5));
                }
            }
        }
    }

    #[test]
    fn batch_statistics_and_gradients_need_the_norm_itself() {
        let (x, w) = ([numbers(&[5, 3])], numbers(&[4, 3]).requires_grad_(true));
        let (mean, var) = (Tensor::zeros([4]), Tensor::ones([4]));
        let train =
            |x: &Tensor| [batch_norm(&linear(x, &w, None), None, None, Some(&var), Some(&mean), true, 0.1, 1e-5)];
        assert_eq!(left(train), ["linear", "batch_norm"]);
        let mut graph = recorded(&x, |x| [norm(&linear(&x[0], &w, None), [&mean, &var], None)]);
        forward(&mut graph, false);
        assert!(names(&graph).contains(&"batch_norm".into()));
        forward(&mut graph, true);
        assert!(!names(&graph).contains(&"batch_norm".into()));
    }

    #[test]
    fn a_layer_that_others_read_or_that_does_not_fit_is_left_alone() {
        let (w, square, row) = (numbers(&[4, 3]), numbers(&[3, 3]), Tensor::ones([3]));
        let (mean, var) = (Tensor::zeros([4]), Tensor::ones([4]));
        let wide = [&mean.to_dtype(DType::F64), &var.to_dtype(DType::F64)];
        let statistics = [&mean, &var];
        let all = [
            left(|x| {
                let y = linear(x, &w, None);
                [norm(&y, statistics, None), y]
            }),
            // Channels are dimension 1, which is not the layer's.
            left(|x| [norm(&linear(&x.expand([4, 5, 3]).transpose(0, 1), &w, None), statistics, None)]),
            // A weight that each run computes anew.
            left(|x| [norm(&linear(x, &(&w * &x.sum()), None), statistics, None)]),
            left(|x| [norm(&linear(x, &w, None), wide, None)]),
            left(|x| [norm(&linear(x, &w, None).relu(), statistics, None)]),
            // A matrix that is stored the other way round.
            left(|x| [norm(&x.matmul(&square), [&row; 2], None)]),
        ];
        for names in all {
            assert!(names.contains(&"batch_norm".into()), "{names:?}");
        }
    }
}
