//! The graph that the passes work on: values, and nodes that compute them.

use cresset_kernels::map::fused::Step as Part;
use cresset_tensor::expr::Tape;
use cresset_tensor::op::{Op, RowProduct};
use cresset_tensor::record::{Origin, Recording, Refusal, Step, UNKNOWN};
use cresset_tensor::{Array, DType, Dims, Meta, Tensor};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a value comes from.
#[derive(Clone)]
pub enum Source {
    /// Input `.0` of the call.
    Input(usize),
    /// Captured tensor `.0`: a parameter, a buffer, or what else the function holds. Read anew in every run.
    State(usize),
    /// Numbers that never change.
    Constant(Array),
    /// Computed by a node.
    Node,
    /// In the graph of a backward: kept by forward, or a gradient that comes in.
    Given(usize),
}

/// A value: numbers of one dtype and shape.
#[derive(Clone)]
pub struct Value {
    /// dtype and shape.
    pub meta: Meta,
    /// How its elements lay in memory when it was recorded: a view of it counts on that.
    pub strides: Dims,
    /// Where it comes from.
    pub source: Source,
    /// Does a gradient flow into it?
    pub wants_grad: bool,
}

impl Value {
    /// A row-major value without gradient.
    pub fn new(meta: Meta, source: Source) -> Value {
        Value { meta, strides: meta.shape.contiguous_strides(), source, wants_grad: false }
    }
}

/// What a node computes.
#[derive(Clone)]
pub enum Kind {
    /// An op as it was recorded.
    Op(Arc<dyn Op>),
    /// The gradients of an op. The node reads the values that the op saved, then the gradients of its outputs.
    Gradient(Box<Gradient>),
    /// Pointwise steps in one pass.
    Fused(Fused),
    /// Layers that rows go through together.
    Rows(RowChain),
}

/// Layers that rows go through together. The node's first input are the rows.
#[derive(Clone)]
pub struct RowChain {
    /// The layers.
    pub stages: Vec<RowStage>,
    /// How many rows.
    pub rows: usize,
    /// Numbers in a row that comes in.
    pub width: usize,
    /// f32 or f64.
    pub dtype: DType,
    /// The names of the ops in it.
    pub names: Vec<String>,
}

impl RowChain {
    /// Multiplications, additions and steps of a run.
    pub fn flops(&self) -> usize {
        let mut inner = self.width;
        let mut each = 0;
        for stage in &self.stages {
            match stage {
                RowStage::Product { width, .. } => {
                    each += 2 * inner * width;
                    inner = *width;
                }
                RowStage::Steps { fused, width, .. } => each += fused.steps.len() * width,
            }
        }
        each * self.rows
    }
}

/// One of the layers, with the places of what it reads among the node's inputs.
#[derive(Clone)]
pub enum RowStage {
    /// A product with a matrix.
    Product {
        /// The matrix.
        weight: usize,
        /// A number for each output.
        bias: Option<usize>,
        /// How the matrix is stored, and whether a ReLU follows.
        product: RowProduct,
        /// Outputs.
        width: usize,
        /// Which of the node's outputs the result is, if others read it.
        stored: Option<usize>,
    },
    /// Pointwise steps, whose input 0 are the rows.
    Steps {
        /// The steps.
        fused: Box<Fused>,
        /// Their inputs from 1 on: a row, or a number, for all rows.
        others: Vec<usize>,
        /// Numbers in a row.
        width: usize,
        /// Which of the node's outputs each result is, if others read it.
        stored: Vec<Option<usize>>,
        /// The result that goes on along the chain.
        along: usize,
    },
}

/// The backward of one op.
#[derive(Clone)]
pub struct Gradient {
    /// The op.
    pub op: Arc<dyn Op>,
    /// dtype and shape of each input of the op, and whether backward reads it.
    pub inputs: Vec<(Meta, bool)>,
    /// The same of each output.
    pub outputs: Vec<(Meta, bool)>,
    /// Which gradients are wanted.
    pub needs: Vec<bool>,
    /// Which outputs have a gradient.
    pub given: Vec<bool>,
}

/// A list of pointwise steps over the inputs of a node.
#[derive(Clone)]
pub struct Fused {
    /// The steps.
    pub steps: Vec<Part>,
    /// The steps that are the node's outputs.
    pub ends: Vec<usize>,
    /// Is each output the sum of all elements, times this factor?
    pub sums: Vec<Option<f64>>,
    /// The names of the ops in it.
    pub names: Vec<&'static str>,
    /// The shape that it runs over.
    pub shape: Dims,
    /// f32 or f64.
    pub dtype: Option<DType>,
}

/// A node.
#[derive(Clone)]
pub struct Node {
    /// What it computes.
    pub kind: Kind,
    /// The values it reads.
    pub inputs: Vec<usize>,
    /// The values it gives.
    pub outputs: Vec<usize>,
    /// Must it run exactly once, in order?
    pub effects: bool,
    /// Does it write its result over its first input, a captured tensor?
    pub writes: bool,
    /// Was autograd recording when it ran?
    pub grad: bool,
    /// The modules within the compiled one that were running, outermost first: those that all its ops have in common.
    pub modules: Vec<u64>,
}

impl Node {
    /// A name for people.
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Op(op) if op.row_product().is_some_and(|p| p.relu) => format!("{}+relu", op.name()),
            Kind::Op(op) => op.name().to_string(),
            Kind::Gradient(g) => format!("{}_backward", g.op.name()),
            Kind::Fused(f) => f.names.join("+"),
            Kind::Rows(r) => r.names.join(", "),
        }
    }
}

/// Is it an op of the library of this name? (One of a user's own may have any name.)
pub fn is_own(op: &Arc<dyn Op>, name: &str) -> bool {
    op.name() == name && op.type_name().starts_with("cresset_tensor::ops::")
}

/// Nodes in an order in which they can run, and what they pass on.
#[derive(Clone, Default)]
pub struct Graph {
    /// All values.
    pub values: Vec<Value>,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The results.
    pub outputs: Vec<usize>,
    /// The captured tensors.
    pub state: Vec<Tensor>,
}

impl Graph {
    /// The graph of a recorded run with these inputs and results.
    pub fn of(recording: &Recording, inputs: &[Tensor], outputs: &[Tensor]) -> Result<Graph, Refusal> {
        let mut g = Graph::default();
        // The recorded run's results are handed out, and may be changed in place: a constant that lies in the memory of one is copied.
        let own = |t: &Tensor| {
            let a = t.array();
            let shared = outputs.iter().any(|o| o.array().same_storage(&a));
            Source::Constant(if shared { a.copy() } else { a })
        };
        let place: HashMap<usize, usize> = inputs.iter().enumerate().rev().map(|(i, t)| (t.id(), i)).collect();
        for (origin, array) in recording.values.iter().zip(&recording.arrays) {
            let (source, wants_grad) = match origin {
                Origin::Outside(t) => match place.get(&t.id()) {
                    Some(i) => (Source::Input(*i), t.requires_grad()),
                    None => {
                        g.state.push(t.clone());
                        (Source::State(g.state.len() - 1), t.requires_grad())
                    }
                },
                Origin::Constant(t) => (own(t), false),
                Origin::Step { .. } => (Source::Node, false),
            };
            g.values.push(Value { meta: *array.meta(), strides: *array.strides(), source, wants_grad });
        }
        for step in &recording.steps {
            if step.op.name() == "as_strided" {
                return refused(step, "it looks at memory, not at a tensor".into());
            }
            let metas: Vec<&Meta> = step.inputs.iter().map(|v| &g.values[*v].meta).collect();
            let inferred = step.op.infer(&metas).or_else(|e| refused(step, e))?;
            let fits = step.outputs.iter().zip(&inferred).all(|(o, m)| g.values[*o].meta == *m);
            if !fits {
                return refused(step, "an in-place operation whose result has another dtype than its target".into());
            }
            let any = step.inputs.iter().any(|v| g.values[*v].wants_grad);
            for (i, o) in step.outputs.iter().enumerate() {
                let value = &mut g.values[*o];
                value.wants_grad =
                    any && step.grad && value.meta.dtype.is_floating_point() && step.op.differentiable(i);
            }
            g.nodes.push(Node {
                kind: Kind::Op(step.op.clone()),
                inputs: step.inputs.clone(),
                outputs: step.outputs.clone(),
                effects: step.effects,
                writes: step.writes,
                grad: step.grad,
                modules: step.modules.clone(),
            });
        }
        for t in outputs {
            match recording.value_of(t) {
                Some(v) => g.outputs.push(v),
                None if recording.is_unknown(t) => return Err(String::from(UNKNOWN).into()),
                // A tensor that no op touched is handed through.
                None => {
                    let source = match place.get(&t.id()) {
                        Some(i) => Source::Input(*i),
                        None if recording.is_constant(t) => own(t),
                        None => {
                            g.state.push(t.clone());
                            Source::State(g.state.len() - 1)
                        }
                    };
                    g.values.push(Value { meta: t.meta(), strides: t.stride(), source, wants_grad: t.requires_grad() });
                    g.outputs.push(g.values.len() - 1);
                }
            }
        }
        g.check_writes()?;
        Ok(g)
    }

    /// A tensor from outside that the run changes may be read by nobody else: the order of reading and writing would count.
    fn check_writes(&self) -> Result<(), Refusal> {
        for (n, node) in self.nodes.iter().enumerate().filter(|(_, n)| n.writes) {
            let (target, result) = (node.inputs[0], node.outputs[0]);
            let Source::State(_) = self.values[target].source else {
                return Err(node.refusal("an in-place operation on an input"));
            };
            if self.values[target].wants_grad {
                return Err(node.refusal("an in-place operation on a tensor that requires grad"));
            }
            let read = self.nodes.iter().enumerate().any(|(k, other)| {
                let reads = other.inputs.iter().any(|v| *v == target || *v == result);
                k != n && reads && !(other.writes && other.inputs[0] == result)
            });
            if read || self.outputs.contains(&result) {
                return Err(node.refusal("a tensor that is changed in place is read elsewhere in the run"));
            }
        }
        Ok(())
    }

    /// A new value computed by a node.
    pub fn computed(&mut self, meta: Meta) -> usize {
        self.values.push(Value::new(meta, Source::Node));
        self.values.len() - 1
    }

    /// The node that computes each value.
    pub fn producers(&self) -> Vec<Option<usize>> {
        let mut producers = vec![None; self.values.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            node.outputs.iter().for_each(|v| producers[*v] = Some(n));
        }
        producers
    }

    /// How often each value is read, results included.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.values.len()];
        self.nodes.iter().flat_map(|n| &n.inputs).chain(&self.outputs).for_each(|v| uses[*v] += 1);
        uses
    }

    /// Reads `new` wherever `old` was read.
    pub fn replace(&mut self, old: usize, new: usize) {
        let all = self.nodes.iter_mut().flat_map(|n| &mut n.inputs).chain(&mut self.outputs);
        all.filter(|v| **v == old).for_each(|v| *v = new);
    }

    /// A node of a pointwise op over numbers of one dtype, f32 or f64, as a fused node of its own.
    pub fn as_fused(&self, node: &Node) -> Option<Fused> {
        let op = match &node.kind {
            Kind::Fused(f) => return Some(f.clone()),
            Kind::Op(op) if !node.effects && !node.writes => op,
            _ => return None,
        };
        let pointwise = op.pointwise()?;
        let out = self.values[*node.outputs.first()?].meta;
        if node.outputs.len() != 1 || !self.one_kind(&node.inputs, out.dtype) {
            return None;
        }
        let dtype = self.number_dtype(node.inputs.iter().chain(&node.outputs))?;
        let mut tape = Tape::default();
        let end = tape.write(|| {
            let terms = self.terms(&node.inputs);
            match pointwise.eval(&terms) {
                cresset_tensor::expr::Term::Number(e) if out.dtype != DType::Bool => Some(e.0),
                cresset_tensor::expr::Term::Truth(t) if out.dtype == DType::Bool => Some(t.0),
                _ => None,
            }
        })?;
        Some(Fused {
            steps: tape.steps().to_vec(),
            ends: vec![end],
            sums: vec![None],
            names: vec![op.name()],
            shape: out.shape,
            dtype: Some(dtype),
        })
    }

    /// The values as inputs of an expression.
    pub fn terms(&self, inputs: &[usize]) -> Vec<cresset_tensor::expr::Term> {
        let truth = |v: &usize| self.values[*v].meta.dtype == DType::Bool;
        inputs.iter().enumerate().map(|(k, v)| cresset_tensor::expr::input(k, truth(v))).collect()
    }

    /// The one dtype of all values that are numbers, if it is f32 or f64.
    pub fn number_dtype<'a>(&self, values: impl Iterator<Item = &'a usize>) -> Option<DType> {
        let mut found = None;
        for v in values {
            match self.values[*v].meta.dtype {
                DType::Bool => {}
                d @ (DType::F32 | DType::F64) if found.is_none_or(|f| f == d) => found = Some(d),
                _ => return None,
            }
        }
        found
    }
    fn one_kind(&self, inputs: &[usize], out: DType) -> bool {
        self.number_dtype(inputs.iter()).is_some_and(|d| out == d || out == DType::Bool)
    }
}

fn refused<T>(step: &Step, why: String) -> Result<T, Refusal> {
    Err(Refusal { why: format!("{}: {why}", step.op.name()), modules: step.modules.clone() })
}

impl Node {
    /// Why the node cannot be compiled.
    pub fn refusal(&self, why: impl std::fmt::Display) -> Refusal {
        Refusal { why: format!("{}: {why}", self.name()), modules: self.modules.clone() }
    }
    /// Another node becomes part of this one: what it does happens in the modules that both have in common.
    pub fn joins(&mut self, other: &[u64]) {
        let common = self.modules.iter().zip(other).take_while(|(a, b)| a == b).count();
        self.modules.truncate(common);
    }
}
