//! The backward pass: a walk down the sequence numbers, never recursive.

use super::mode;
use super::node::{Context, Edge, Node, Saved, bury_saved};
use crate::array::Meta;
use crate::error;
use crate::op::Few;
use crate::tensor::Tensor;
use crate::trace;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Options of a backward pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backward {
    /// Keep the graph, so that backward can run through it again. (`create_graph` implies it.)
    pub retain_graph: bool,
    /// Record the backward pass itself, for derivatives of higher order.
    pub create_graph: bool,
    /// For [`grad`]: an input that the outputs do not depend on gives `None` instead of an error.
    pub allow_unused: bool,
    /// For [`grad`]: an input that the outputs do not depend on gives zeros.
    pub materialize_grads: bool,
}

type AnyNode = Arc<Node>;

/// The gradients of a node's outputs, as far as they have come.
type Grads = Few<Option<Tensor>>;

/// Nodes waiting, by sequence number. A few lie in a sorted list: a graph that is a chain has one at a time, for which a tree would make and drop a node
/// of half a kilobyte each time.
#[derive(Default)]
struct Waiting {
    few: Vec<(AnyNode, Grads)>,
    more: BTreeMap<u64, (AnyNode, Grads)>,
}

impl Waiting {
    const FEW: usize = 16;

    /// The gradients of a node, which waits from now on.
    fn of(&mut self, node: &AnyNode) -> &mut Grads {
        let new = || (node.clone(), smallvec::smallvec![None; node.outputs().len()]);
        let place = self.few.iter().rposition(|(n, _)| n.seq <= node.seq);
        match place {
            Some(i) if self.few[i].0.seq == node.seq => &mut self.few[i].1,
            _ if self.few.len() < Waiting::FEW && !self.more.contains_key(&node.seq) => {
                let at = place.map_or(0, |i| i + 1);
                self.few.insert(at, new());
                &mut self.few[at].1
            }
            _ => &mut self.more.entry(node.seq).or_insert_with(new).1,
        }
    }

    /// The newest node.
    fn pop(&mut self) -> Option<(AnyNode, Grads)> {
        let in_few = self.few.last().map(|(n, _)| n.seq);
        let in_more = self.more.last_key_value().map(|(seq, _)| *seq);
        if in_few > in_more { self.few.pop() } else { self.more.pop_last().map(|(_, waiting)| waiting) }
    }

    fn nodes(&self) -> impl Iterator<Item = &AnyNode> {
        self.few.iter().chain(self.more.values()).map(|(node, _)| node)
    }
}

/// A node is taken when no newer one waits, and every consumer of an output is newer than its maker.
struct Engine {
    waiting: Waiting,
    leaves: Vec<(Tensor, Tensor)>,
    leaf_index: HashMap<usize, usize>,
    options: Backward,
}

/// Gradients wanted by [`grad`].
struct Wanted {
    /// (sequence number, output) of inputs in the middle of the graph.
    inner: HashMap<(u64, u32), Tensor>,
    /// Nodes from which a wanted input can be reached.
    useful: HashSet<u64>,
}

impl Engine {
    fn new(options: Backward) -> Engine {
        Engine { waiting: Waiting::default(), leaves: Vec::new(), leaf_index: HashMap::new(), options }
    }

    /// Sends a gradient along an edge.
    fn send(&mut self, edge: &Edge, grad: Tensor) {
        match edge {
            Edge::Leaf(leaf) => match self.leaves.len() {
                // A hash map for one or a few leaves costs more than the search it saves.
                n if n < 16 => match self.leaves.iter_mut().find(|(l, _)| l.is_same(leaf)) {
                    Some((_, sum)) => add_into(sum, grad),
                    None => self.new_leaf(leaf, grad),
                },
                _ => match self.leaf_index.get(&leaf.id()) {
                    Some(&i) => add_into(&mut self.leaves[i].1, grad),
                    None => self.new_leaf(leaf, grad),
                },
            },
            Edge::Node(node, output) => match &mut self.waiting.of(node)[*output as usize] {
                Some(sum) => add_into(sum, grad),
                slot => *slot = Some(grad),
            },
        }
    }

    fn new_leaf(&mut self, leaf: &Tensor, grad: Tensor) {
        if self.leaves.len() == 15 {
            self.leaf_index = self.leaves.iter().enumerate().map(|(i, (l, _))| (l.id(), i)).collect();
        }
        if self.leaves.len() >= 15 {
            self.leaf_index.insert(leaf.id(), self.leaves.len());
        }
        self.leaves.push((leaf.clone(), grad));
    }

    fn run(&mut self, wanted: Option<&mut Wanted>) {
        let mut wanted = wanted;
        while let Some((node, mut grads)) = self.waiting.pop() {
            let seq = node.seq;
            if node.has_hooks() {
                run_hooks(&node, &mut grads);
            }
            if let Some(w) = wanted.as_deref_mut() {
                for (i, g) in grads.iter().enumerate() {
                    if let (Some(slot), Some(g)) = (w.inner.get_mut(&(seq, i as u32)), g) {
                        *slot = g.clone();
                    }
                }
                if !w.useful.contains(&seq) {
                    continue;
                }
            }
            self.step(&node, grads);
        }
    }

    /// Runs the backward of one node and sends its results on.
    fn step(&mut self, node: &AnyNode, grads: Grads) {
        let keep = self.options.retain_graph || self.options.create_graph;
        let saved: Option<Saved> = {
            let mut state = node.lock();
            if keep { state.saved.clone() } else { state.saved.take() }
        };
        let Some(saved) = saved else {
            error::fail(
                "backward",
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd::grad(). Specify retain_graph if you need to backward through the graph a second time",
            )
        };
        if grads.iter().all(Option::is_none) {
            return;
        }
        let (anomaly, tracing) = mode::anomaly_and_tracing();
        // Ended at the end of the function, when what was saved is freed.
        let _event = if tracing { trace::backward(node) } else { None };
        let ctx = Context::new(node, &saved);
        let results = node.op.backward(&ctx, &grads);
        let extra = ctx.extra.take();
        debug_assert_eq!(results.len(), node.inputs().len(), "{}: one gradient for each input", node.op.name());
        if anomaly {
            check_nan(node, &grads, &results);
        }
        for ((edge, meta), g) in node.edges().zip(node.inputs()).zip(results) {
            if let (Some(edge), Some(g)) = (edge, g) {
                self.send(edge, fit(g, meta));
            }
        }
        for (output, g) in extra {
            if let Some(edge) = output.edge() {
                self.send(&edge, g);
            }
        }
        bury_saved(saved);
    }
}

/// Undoes broadcasting and promotion: a gradient gets the shape and dtype of its input. The only place where that is done.
pub(crate) fn fit(g: Tensor, meta: &Meta) -> Tensor {
    if g.has_meta(meta) {
        return g;
    }
    let have = g.meta();
    let g = if have.shape == meta.shape { g } else { g.sum_to_size(&meta.shape[..]) };
    if have.dtype == meta.dtype { g } else { g.to_dtype(meta.dtype) }
}

/// `sum += g`, in place where nobody else can see it.
fn add_into(sum: &mut Tensor, g: Tensor) {
    if !mode::is_grad_enabled() && sum.is_exclusive() && sum.is_contiguous() && sum.meta() == g.meta() {
        crate::kernels::accumulate(&sum.array(), &g.array());
    } else {
        *sum = &*sum + &g;
    }
}

fn run_hooks(node: &AnyNode, grads: &mut Grads) {
    let (hooks, retain) = match &node.lock().hooks {
        None => return,
        Some(h) => (h.tensor.clone(), h.retain.clone()),
    };
    for (output, _, hook) in hooks {
        if let Some(g) = &mut grads[output as usize]
            && let Some(new) = hook(g)
        {
            *g = new;
        }
    }
    for (output, tensor) in retain {
        if let (Some(g), Some(t)) = (&grads[output as usize], tensor.upgrade()) {
            t.accumulate_grad(g.clone());
        }
    }
}

fn check_nan(node: &AnyNode, grads: &[Option<Tensor>], results: &[Option<Tensor>]) {
    let has_nan = |t: &Tensor| crate::kernels::any_nan(&t.array());
    if grads.iter().flatten().any(has_nan) {
        return; // it came in with the gradient: an older node than this one is to blame
    }
    for (i, g) in results.iter().enumerate() {
        if g.as_ref().is_some_and(has_nan) {
            error::fail(
                "backward",
                format!(
                    "Function '{}' returned nan values in its {i}th output. The forward call was at {}:{}",
                    node.name(),
                    node.location.file(),
                    node.location.line()
                ),
            );
        }
    }
}

#[track_caller]
fn seed(engine: &mut Engine, outputs: &[&Tensor], gradients: &[Option<Tensor>]) {
    for (i, out) in outputs.iter().enumerate() {
        let meta = out.meta();
        let g = match gradients.get(i).and_then(Option::as_ref) {
            Some(g) => {
                if g.meta().shape != meta.shape {
                    error::fail(
                        "backward",
                        format!(
                            "Mismatch in shape: grad_output[{i}] has a shape of {} and output[{i}] has a shape of {}.",
                            g.meta().shape,
                            meta.shape
                        ),
                    );
                }
                g.to_dtype(meta.dtype)
            }
            None => {
                if meta.numel() != 1 {
                    error::fail(
                        "backward",
                        format!(
                            "grad can be implicitly created only for scalar outputs, but this output has shape {:?}",
                            &meta.shape[..]
                        ),
                    );
                }
                Tensor::full_of(meta.shape, 1.0, meta.dtype)
            }
        };
        match out.edge() {
            Some(edge) => engine.send(&edge, g),
            None => error::fail(
                "backward",
                format!("element {i} of tensors does not require grad and does not have a grad_fn"),
            ),
        }
    }
}

/// Computes the gradients of `outputs` with respect to all leaves and adds them to the leaves' `.grad` (`torch.autograd.backward`).
/// `gradients` are those of the outputs; `None` stands for 1, and only for an output with one element.
///
/// # Panics
/// If an output does not require grad, a gradient's shape differs, or the graph was freed by an earlier backward.
#[track_caller]
pub fn backward(outputs: &[&Tensor], gradients: &[Option<Tensor>], options: Backward) {
    let _mode = mode::set_grad_enabled(options.create_graph);
    let mut engine = Engine::new(options);
    seed(&mut engine, outputs, gradients);
    engine.run(None);
    let tracing = mode::is_tracing();
    for (leaf, g) in engine.leaves {
        let _event = if tracing { trace::accumulate(&g) } else { None };
        let Some(g) = leaf.take_first_grad(g) else { continue };
        let g = leaf.run_leaf_hooks(g);
        leaf.accumulate_grad(g);
        leaf.run_post_accumulate_hooks();
    }
}

/// The gradients of `outputs` with respect to `inputs`, without touching any `.grad` (`torch.autograd.grad`).
///
/// # Panics
/// As [`backward`]; also if an input does not require grad, or the outputs do not depend on it and `allow_unused` is not set.
///
/// ```
/// use cresset_tensor::autograd::{grad, Backward};
/// use cresset_tensor::Tensor;
/// let x = Tensor::from_slice(&[3.0f64]).requires_grad_(true);
/// let y = (&x * &x) * &x;
/// let keep = Backward { create_graph: true, ..Default::default() };
/// let dy = grad(&[&y], &[&x], &[None], keep)[0].clone().unwrap();
/// let ddy = grad(&[&dy], &[&x], &[None], Backward::default())[0].clone().unwrap();
/// assert_eq!((dy.item::<f64>(), ddy.item::<f64>()), (27.0, 18.0));
/// ```
#[track_caller]
pub fn grad(
    outputs: &[&Tensor],
    inputs: &[&Tensor],
    gradients: &[Option<Tensor>],
    options: Backward,
) -> Vec<Option<Tensor>> {
    let _mode = mode::set_grad_enabled(options.create_graph);
    let mut engine = Engine::new(options);
    let edges: Vec<Edge> = inputs
        .iter()
        .map(|t| match t.edge_regardless_of_mode() {
            Some(edge) => edge,
            None => error::fail("grad", "One of the differentiated Tensors does not require grad"),
        })
        .collect();
    seed(&mut engine, outputs, gradients);
    let targets: HashSet<(u64, u32)> =
        edges.iter().filter_map(|e| if let Edge::Node(n, i) = e { Some((n.seq, *i)) } else { None }).collect();
    let leaves: HashSet<usize> =
        edges.iter().filter_map(|e| if let Edge::Leaf(l) = e { Some(l.id()) } else { None }).collect();
    let mut wanted = Wanted { inner: HashMap::new(), useful: useful_nodes(&engine, &targets, &leaves) };
    // A slot is filled when its node is taken; the marker tensor tells that it was not.
    let missing = Tensor::zeros(());
    for t in &targets {
        wanted.inner.insert(*t, missing.clone());
    }
    engine.run(Some(&mut wanted));
    edges
        .iter()
        .enumerate()
        .map(|(i, edge)| {
            let found = match edge {
                Edge::Leaf(l) => engine.leaves.iter().find(|(t, _)| t.is_same(l)).map(|(t, g)| t.run_leaf_hooks(g.clone())),
                Edge::Node(n, o) => wanted.inner.get(&(n.seq, *o)).filter(|g| !g.is_same(&missing)).cloned(),
            };
            match found {
                Some(g) => Some(g),
                None if options.materialize_grads => Some(inputs[i].zeros_like()),
                None if options.allow_unused => None,
                None => error::fail(
                    "grad",
                    format!(
                        "One of the differentiated Tensors (input {i}) appears to not have been used in the graph. Set allow_unused if this is the desired behavior"
                    ),
                ),
            }
        })
        .collect()
}

/// The nodes on a way from the outputs to something wanted.
fn useful_nodes(engine: &Engine, targets: &HashSet<(u64, u32)>, leaves: &HashSet<usize>) -> HashSet<u64> {
    let mut all: BTreeMap<u64, AnyNode> = BTreeMap::new();
    let mut stack: Vec<AnyNode> = engine.waiting.nodes().cloned().collect();
    while let Some(node) = stack.pop() {
        for edge in node.edges().flatten() {
            if let Edge::Node(n, _) = edge
                && !all.contains_key(&n.seq)
            {
                stack.push(n.clone());
            }
        }
        all.insert(node.seq, node);
    }
    let mut useful = HashSet::new();
    for (seq, node) in &all {
        // Older nodes come first, so what an edge leads to is decided already.
        let leads = node.edges().flatten().any(|edge| match edge {
            Edge::Leaf(l) => leaves.contains(&l.id()),
            Edge::Node(n, o) => targets.contains(&(n.seq, *o)) || useful.contains(&n.seq),
        });
        // A checkpoint's inner graph is not known before it is replayed.
        if leads || node.op.name() == "checkpoint" {
            useful.insert(*seq);
        }
    }
    useful
}
