//! The graph that backward walks, drawn.

use cresset_draw::{Graph, Node, Shape};
use cresset_tensor::Tensor;
use cresset_tensor::autograd::node::{Edge, Node as GradNode};
use std::collections::HashMap;
use std::sync::Arc;

/// The graph behind a tensor, as [`autograd_graph`] finds it.
#[derive(Clone, Debug)]
pub struct AutogradGraph {
    graph: Graph,
    functions: Vec<String>,
}

impl AutogradGraph {
    /// In the language of Graphviz.
    pub fn to_dot(&self) -> String {
        self.graph.to_dot()
    }
    /// As a picture.
    pub fn to_svg(&self) -> String {
        self.graph.to_svg()
    }
    /// The names of the nodes as PyTorch prints `grad_fn`, from the newest to the oldest.
    pub fn functions(&self) -> &[String] {
        &self.functions
    }
}

/// The graph of autograd that leads to `loss`, to be drawn (`torchviz.make_dot(loss, params=dict(model.named_parameters()))`).
///
/// Nodes are named as PyTorch names `grad_fn`; each leaf stands with its shape, under its name if it is one of `named`, before the `AccumulateGrad` that
/// fills its gradient. Arrows point the way of forward. What one op does here is one node: `Linear` is `AddmmBackward0` alone, where PyTorch has a
/// `TBackward0` for the weight before it.
///
/// ```
/// use cresset_nn::{Call, Linear, ModuleExt};
/// use cresset_profile::autograd_graph;
/// use cresset_tensor::Tensor;
/// let model = Linear::new(3, 2);
/// let loss = model.call(&Tensor::ones([4, 3])).relu().mean();
/// let graph = autograd_graph(&loss, model.named_parameters());
/// assert_eq!(graph.functions(), ["MeanBackward0", "ReluBackward0", "AddmmBackward0"]);
/// assert!(graph.to_dot().contains("weight\\n(2, 3)"));
/// assert!(graph.to_svg().starts_with("<svg"));
/// ```
pub fn autograd_graph<N: Into<String>, T: Into<Tensor>>(
    loss: &Tensor,
    named: impl IntoIterator<Item = (N, T)>,
) -> AutogradGraph {
    let names: HashMap<usize, String> = named.into_iter().map(|(name, t)| (t.into().id(), name.into())).collect();
    let mut graph = Graph::new("autograd");
    let mut functions: Vec<(u64, String)> = Vec::new();
    let shape = |t: &Tensor| {
        let sizes: Vec<String> = t.shape().iter().map(usize::to_string).collect();
        format!("({})", sizes.join(", "))
    };
    let output = graph.node(Node::new(format!("output\n{}", shape(loss))).shape(Shape::Round).fill("#caff70"));
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut leaves: HashMap<usize, usize> = HashMap::new();
    // A list instead of recursion: graphs may be deep.
    let mut waiting: Vec<(Arc<GradNode>, usize)> = Vec::new();
    let leaf = |graph: &mut Graph, leaves: &mut HashMap<usize, usize>, t: &Tensor| {
        *leaves.entry(t.id()).or_insert_with(|| {
            let text = match names.get(&t.id()) {
                Some(name) => format!("{name}\n{}", shape(t)),
                None => shape(t),
            };
            let tooltip = format!("a leaf, {}", t.dtype().name());
            let tensor = graph.node(Node::new(text).shape(Shape::Round).fill("#add8e6").tooltip(tooltip));
            let sink = graph.node(Node::new("AccumulateGrad").fill("#e0e0e0"));
            graph.edge(tensor, sink);
            sink
        })
    };
    match loss.grad_fn() {
        Some((node, _)) => waiting.push((node, output)),
        None if loss.requires_grad() => {
            let sink = leaf(&mut graph, &mut leaves, loss);
            graph.edge(sink, output);
        }
        None => {}
    }
    while let Some((node, reader)) = waiting.pop() {
        if let Some(&here) = known.get(&node.seq()) {
            graph.edge(here, reader);
            continue;
        }
        let here = graph.node(Node::new(node.name()).fill("#e0e0e0").tooltip(node.op.name()));
        known.insert(node.seq(), here);
        functions.push((node.seq(), node.name()));
        graph.edge(here, reader);
        for edge in node.edges().flatten() {
            match edge {
                Edge::Node(next, _) => waiting.push((next.clone(), here)),
                Edge::Leaf(t) => {
                    let sink = leaf(&mut graph, &mut leaves, t);
                    graph.edge(sink, here);
                }
            }
        }
    }
    functions.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    AutogradGraph { graph, functions: functions.into_iter().map(|(_, name)| name).collect() }
}
