//! The backward graph of a forward graph: reverse mode over recorded ops. Pointwise ops give their derivative as steps, which are then fused with
//! their neighbours; every other op is asked for its gradients as eager mode asks it.

use crate::graph::{Fused, Gradient, Graph, Kind, Node, Source, Value};
use cresset_kernels::map::fused::Step;
use cresset_tensor::expr::{Expr, Tape};
use cresset_tensor::op::Op;
use cresset_tensor::record::Refusal;
use cresset_tensor::{DType, Meta};
use std::collections::HashMap;
use std::sync::Arc;

/// The backward of a forward graph.
pub struct Backward {
    /// Its inputs (`Source::Given`) are the kept values, then the gradients of the results that want one. Its outputs are gradients.
    pub graph: Graph,
    /// The values of the forward graph that are kept for it.
    pub keeps: Vec<usize>,
    /// The results of the forward graph (by place) whose gradients come in.
    pub given: Vec<usize>,
    /// The values of the forward graph (inputs and captured tensors) whose gradients come out.
    pub gives: Vec<usize>,
}

struct Builder<'a> {
    forward: &'a Graph,
    graph: Graph,
    /// Forward values as they stand in the backward graph.
    here: HashMap<usize, usize>,
    producers: Vec<Option<usize>>,
    /// Which values a node reads that will not be fused, or are results.
    stored: Vec<bool>,
    keeps: Vec<usize>,
    grads: HashMap<usize, usize>,
}

/// Writes the backward of `forward`.
pub fn of(forward: &Graph) -> Result<Backward, Refusal> {
    let mut b = Builder {
        forward,
        graph: Graph { state: forward.state.clone(), ..Graph::default() },
        here: HashMap::new(),
        producers: forward.producers(),
        stored: stored(forward),
        keeps: vec![],
        grads: HashMap::new(),
    };
    let given: Vec<usize> = (0..forward.outputs.len())
        .filter(|o| {
            let v = &forward.values[forward.outputs[*o]];
            v.wants_grad && matches!(v.source, Source::Node)
        })
        .collect();
    for (k, &o) in given.iter().enumerate() {
        let v = forward.outputs[o];
        let meta = forward.values[v].meta;
        b.graph.values.push(Value::new(meta, Source::Given(usize::MAX - k)));
        b.accumulate(v, b.graph.values.len() - 1);
    }
    for node in forward.nodes.iter().rev() {
        if node.grad && node.outputs.iter().any(|v| b.grads.contains_key(v)) {
            b.node(node)?;
        }
    }
    let mut gives: Vec<usize> = (0..forward.values.len())
        .filter(|v| {
            let source = &forward.values[*v].source;
            forward.values[*v].wants_grad && matches!(source, Source::Input(_) | Source::State(_))
        })
        .collect();
    gives.retain(|v| b.grads.contains_key(v));
    b.graph.outputs = gives.iter().map(|v| b.grads[v]).collect();
    // Kept values come first among what is given.
    let kept = b.keeps.len();
    for v in &mut b.graph.values {
        if let Source::Given(k) = &mut v.source
            && *k > usize::MAX / 2
        {
            *k = kept + (usize::MAX - *k);
        }
    }
    Ok(Backward { graph: b.graph, keeps: b.keeps, given, gives })
}

impl Builder<'_> {
    /// A forward value in the backward graph: kept, unless it can be read anew.
    fn value(&mut self, v: usize) -> usize {
        if let Some(&h) = self.here.get(&v) {
            return h;
        }
        if let Some(h) = self.computed_again(v) {
            self.here.insert(v, h);
            return h;
        }
        let value = &self.forward.values[v];
        let source = match &value.source {
            Source::Constant(a) => Source::Constant(a.clone()),
            _ => {
                self.keeps.push(v);
                Source::Given(self.keeps.len() - 1)
            }
        };
        self.graph.values.push(Value { strides: value.strides, ..Value::new(value.meta, source) });
        self.here.insert(v, self.graph.values.len() - 1);
        self.graph.values.len() - 1
    }

    /// A cheap pointwise function of what stands in memory anyway is computed again, as part of the pass that reads it, instead of being written by
    /// forward and read back.
    fn computed_again(&mut self, v: usize) -> Option<usize> {
        // What a node of its own reads is in memory in any case.
        if self.stored[v] {
            return None;
        }
        let producer = self.producers[v]?;
        let node = &self.forward.nodes[producer];
        let fused = self.forward.as_fused(node)?;
        let stands = |v: &usize| match self.producers[*v] {
            None => true,
            Some(p) => self.forward.as_fused(&self.forward.nodes[p]).is_none(),
        };
        if !fused.steps.iter().all(cheap) || !node.inputs.iter().all(stands) {
            return None;
        }
        let inputs = node.inputs.iter().map(|v| self.value(*v)).collect();
        let meta = self.forward.values[v].meta;
        Some(self.push(Kind::Fused(fused), inputs, &[meta], &node.modules)[0])
    }

    fn push(&mut self, kind: Kind, inputs: Vec<usize>, metas: &[Meta], modules: &[u64]) -> Vec<usize> {
        let outputs: Vec<usize> = metas.iter().map(|m| self.graph.computed(*m)).collect();
        let node = Node {
            kind,
            inputs,
            outputs: outputs.clone(),
            effects: false,
            writes: false,
            grad: false,
            modules: modules.to_vec(),
        };
        self.graph.nodes.push(node);
        outputs
    }

    /// Adds a gradient to that of a forward value.
    fn accumulate(&mut self, v: usize, g: usize) {
        let Some(&old) = self.grads.get(&v) else {
            self.grads.insert(v, g);
            return;
        };
        let meta = self.graph.values[old].meta;
        let add: Arc<dyn Op> = Arc::new(crate::ops::Add);
        let sum = self.push(Kind::Op(add), vec![old, g], &[meta], &[])[0];
        self.grads.insert(v, sum);
    }

    fn node(&mut self, node: &Node) -> Result<(), Refusal> {
        let Kind::Op(op) = &node.kind else { return Err(node.refusal("a fused node has no recorded backward")) };
        if let Some(why) = op.refuse_grad() {
            return Err(node.refusal(why));
        }
        if let Some(()) = self.pointwise(node, op) {
            return Ok(());
        }
        let mut saves = op.saves();
        let needs: Vec<bool> = node.inputs.iter().map(|v| self.forward.values[*v].wants_grad).collect();
        if op.row_product().is_some() {
            // The rows are read for the gradient of the matrix, the matrix for that of the rows.
            saves.inputs &= u32::from(needs[1]) | u32::from(needs[0]) << 1;
        }
        let given: Vec<bool> = node.outputs.iter().map(|v| self.grads.contains_key(v)).collect();
        let info = |list: &[usize], bits: u32| -> Vec<(Meta, bool)> {
            let one = |(i, v): (usize, &usize)| (self.forward.values[*v].meta, i < 32 && bits >> i & 1 == 1);
            list.iter().enumerate().map(one).collect()
        };
        let gradient = Gradient {
            op: op.clone(),
            inputs: info(&node.inputs, saves.inputs),
            outputs: info(&node.outputs, saves.outputs),
            needs: needs.clone(),
            given: given.clone(),
        };
        let mut reads = Vec::new();
        for (v, (_, saved)) in
            node.inputs.iter().zip(&gradient.inputs).chain(node.outputs.iter().zip(&gradient.outputs))
        {
            if *saved {
                reads.push(self.value(*v));
            }
        }
        reads.extend(node.outputs.iter().filter_map(|v| self.grads.get(v).copied()));
        let wanted: Vec<usize> = node.inputs.iter().zip(&needs).filter(|(_, n)| **n).map(|(v, _)| *v).collect();
        let metas: Vec<Meta> = wanted.iter().map(|v| self.forward.values[*v].meta).collect();
        let outputs = self.push(Kind::Gradient(Box::new(gradient)), reads, &metas, &node.modules);
        for (v, g) in wanted.into_iter().zip(outputs) {
            self.accumulate(v, g);
        }
        Ok(())
    }

    /// The gradient of a pointwise op as steps. `None` if the op is none, or not in one floating-point dtype.
    fn pointwise(&mut self, node: &Node, op: &Arc<dyn Op>) -> Option<()> {
        let pointwise = op.pointwise()?;
        self.forward.as_fused(node)?;
        let out = node.outputs[0];
        let g = *self.grads.get(&out)?;
        let dtype = self.forward.number_dtype([&out].into_iter())?;
        // The terms: the inputs, the output, the gradient. Those that a derivative does not read are not kept.
        let count = node.inputs.len();
        let mut results = Vec::new();
        for i in (0..count).filter(|i| self.forward.values[node.inputs[*i]].wants_grad) {
            let mut tape = Tape::default();
            let end = tape.write(|| {
                let terms = self.forward.terms(&node.inputs);
                let y = cresset_tensor::expr::input(count, false);
                let g = cresset_tensor::expr::input(count + 1, false).number();
                pointwise.gradient(i, &g, &terms, &y)
            });
            let Some(Expr(end)) = end else { continue };
            let mut inputs = Vec::new();
            let mut steps = tape.steps().to_vec();
            let live = live(&steps, end);
            for (s, step) in steps.iter_mut().enumerate() {
                if let (Step::Input(k) | Step::Truth(k), true) = (step, live[s]) {
                    let v = match *k {
                        k if k < count => self.value(node.inputs[k]),
                        k if k == count => self.value(out),
                        _ => g,
                    };
                    inputs.push(v);
                }
            }
            let steps = compact(&steps, &live, end);
            results.push((i, inputs, steps));
        }
        let shape = self.forward.values[out].meta.shape;
        for (i, inputs, steps) in results {
            let v = node.inputs[i];
            let want = self.forward.values[v].meta;
            let end = steps.len() - 1;
            // A gradient handed through needs no pass.
            let whole = if let [Step::Input(0)] = steps[..] {
                inputs[0]
            } else {
                let fused = Fused {
                    steps,
                    ends: vec![end],
                    sums: vec![None],
                    names: vec![op.name()],
                    shape,
                    dtype: Some(dtype),
                };
                self.push(Kind::Fused(fused), inputs, &[Meta { dtype, shape }], &node.modules)[0]
            };
            let fitting = if shape == want.shape {
                whole
            } else {
                let sum: Arc<dyn Op> = Arc::new(crate::ops::SumTo(want.shape));
                self.push(Kind::Op(sum), vec![whole], &[want], &node.modules)[0]
            };
            self.accumulate(v, fitting);
        }
        Some(())
    }
}

/// Which values are in memory after a forward run: what nodes read that are not pointwise, and the results.
fn stored(forward: &Graph) -> Vec<bool> {
    let mut stored = vec![false; forward.values.len()];
    forward.outputs.iter().for_each(|v| stored[*v] = true);
    for node in forward.nodes.iter().filter(|n| forward.as_fused(n).is_none()) {
        node.inputs.iter().for_each(|v| stored[*v] = true);
    }
    stored
}

/// Does the step take no longer than reading a number from memory?
fn cheap(step: &Step) -> bool {
    use cresset_kernels::map::{One, Two};
    match step {
        Step::One(f, _) => matches!(f, One::Neg | One::Abs),
        Step::Two(f, ..) => matches!(f, Two::Add | Two::Sub | Two::Mul | Two::Min | Two::Max),
        _ => true,
    }
}

/// Which steps the last one needs.
fn live(steps: &[Step], end: usize) -> Vec<bool> {
    let mut live = vec![false; steps.len()];
    live[end] = true;
    for s in (0..=end).rev() {
        if live[s] {
            steps[s].reads().for_each(|r| live[r] = true);
        }
    }
    live
}

/// The living steps up to `end`, their inputs numbered as they come.
fn compact(steps: &[Step], live: &[bool], end: usize) -> Vec<Step> {
    let (mut new, mut at, mut inputs) = (Vec::new(), vec![0; steps.len()], 0);
    for (s, step) in steps.iter().enumerate().take(end + 1).filter(|(s, _)| live[*s]) {
        let mut next = || {
            inputs += 1;
            inputs - 1
        };
        let moved = match *step {
            Step::Input(_) => Step::Input(next()),
            Step::Truth(_) => Step::Truth(next()),
            Step::Const(v) => Step::Const(v),
            Step::One(f, a) => Step::One(f, at[a]),
            Step::Two(f, a, b) => Step::Two(f, at[a], at[b]),
            Step::Fma(a, b, c) => Step::Fma(at[a], at[b], at[c]),
            Step::Ask(f, a, b) => Step::Ask(f, at[a], at[b]),
            Step::And(a, b) => Step::And(at[a], at[b]),
            Step::Or(a, b) => Step::Or(at[a], at[b]),
            Step::Not(a) => Step::Not(at[a]),
            Step::Select(m, a, b) => Step::Select(at[m], at[a], at[b]),
        };
        at[s] = new.len();
        new.push(moved);
    }
    new
}

/// The dtype that a program computes in.
pub fn kind_of(dtype: Option<DType>) -> cresset_kernels::map::FloatKind {
    if dtype == Some(DType::F64) { cresset_kernels::map::FloatKind::F64 } else { cresset_kernels::map::FloatKind::F32 }
}
