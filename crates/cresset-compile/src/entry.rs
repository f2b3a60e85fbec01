//! One recording made ready: the plans for a kind of call.

use crate::backward::{self, Backward};
use crate::explain::Report;
use crate::graph::{Graph, Source};
use crate::lean::{Again, Lean, Versioned, versioned};
use crate::passes;
use crate::plan::Plan;
use cresset_tensor::error::fail;
use cresset_tensor::op::{Context, Few, Op, apply};
use cresset_tensor::record::{Recording, Refusal};
use cresset_tensor::{Array, Dims, Meta, Tensor, is_grad_enabled};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The plans of one recording.
pub struct Entry {
    forward: Plan,
    backward: Option<Gradients>,
    /// Which results are an input or a captured tensor handed through.
    through: Vec<Option<Through>>,
    /// dtype and shape of each result.
    metas: Vec<Meta>,
    /// The captured tensors as they were recorded.
    states: Vec<(Tensor, Meta, Dims, bool)>,
    /// What was done, for people.
    pub report: Report,
}

enum Through {
    Input(usize),
    State(Tensor),
}

/// The backward of an entry.
struct Gradients {
    plan: Plan,
    /// How many results the forward plan has before the kept values.
    results: usize,
    /// For each kept value: is it memory that others can change?
    given: Vec<usize>,
    wants: Vec<Wanted>,
    /// The forward of runs that are left without a backward.
    lean: Option<Lean>,
}

enum Wanted {
    Input(usize),
    State(Tensor),
}

impl Entry {
    /// Makes a recording of a run with these inputs and results ready.
    pub fn of(recording: &Recording, inputs: &[Tensor], outputs: &[Tensor], grad: bool) -> Result<Entry, Refusal> {
        let mut graph = Graph::of(recording, inputs, outputs)?;
        let metas = graph.outputs.iter().map(|v| graph.values[*v].meta).collect();
        let through = graph.outputs.iter().map(|v| match &graph.values[*v].source {
            Source::Input(i) => Some(Through::Input(*i)),
            Source::State(k) => Some(Through::State(graph.state[*k].clone())),
            _ => None,
        });
        let through = through.collect();
        let mut report = Report::before(&graph);
        let wants = grad && graph.outputs.iter().any(|v| graph.values[*v].wants_grad);
        passes::forward(&mut graph, !wants);
        let mut gradients = None;
        if wants {
            let b = backward::of(&graph)?;
            gradients = Some(b);
        }
        let results = graph.outputs.len();
        if let Some(b) = &gradients {
            graph.outputs.extend(&b.keeps);
        }
        passes::epilogue::run(&mut graph);
        passes::fuse::run(&mut graph);
        passes::rows::run(&mut graph);
        let forward = Plan::of(&graph, results);
        report.after(&graph, &forward, false);
        let backward = gradients.map(|b| {
            let Backward { graph: mut back, given, gives, .. } = b;
            passes::dead::run(&mut back);
            passes::fuse::run(&mut back);
            let plan = Plan::of(&back, back.outputs.len());
            report.after(&back, &plan, true);
            let wants = gives.iter().map(|v| match &graph.values[*v].source {
                Source::Input(i) => Wanted::Input(*i),
                Source::State(k) => Wanted::State(graph.state[*k].clone()),
                _ => unreachable!("gradients are given for inputs and captured tensors"),
            });
            Gradients { plan, results, given, wants: wants.collect(), lean: Lean::of(&graph, &forward, results) }
        });
        let states = graph.state.iter().map(|t| (t.clone(), t.meta(), t.stride(), t.requires_grad())).collect();
        Ok(Entry { forward, backward, through, metas, states, report })
    }

    /// Are the captured tensors still of the recorded kind (dtype, shape, with or without gradient)?
    pub fn fits(&self) -> bool {
        self.states.iter().all(|(t, m, strides, g)| t.meta() == *m && t.stride() == *strides && t.requires_grad() == *g)
    }

    /// Runs the entry on inputs of the recorded kind.
    pub fn run(self: &Arc<Self>, inputs: &[Tensor]) -> Vec<Tensor> {
        let arrays: Vec<Array> = inputs.iter().map(Tensor::array).collect();
        let Some(b) = &self.backward else {
            let values = self.forward.run(&arrays, vec![]);
            return self.hand_through(inputs, values.into_iter().map(Tensor::from_array).collect());
        };
        let lean = b.lean.as_ref().and_then(|l| l.run(&arrays, self.forward.states().collect()));
        let (values, kept) = match lean {
            Some((values, again)) => (values, Kept::Again(again)),
            None => {
                let mut values = self.forward.run(&arrays, vec![]);
                let kept = values.split_off(b.results).iter().map(versioned).collect();
                (values, Kept::Values(kept))
            }
        };
        let wanted: Vec<&Tensor> = b
            .wants
            .iter()
            .map(|w| match w {
                Wanted::Input(i) => &inputs[*i],
                Wanted::State(t) => t,
            })
            .collect();
        let op =
            Compiled { entry: self.clone(), results: Mutex::new(Some(values)), kept, used: AtomicBool::new(false) };
        let tensors = apply(op, &wanted);
        self.hand_through(inputs, tensors.into_iter().collect())
    }

    fn hand_through(&self, inputs: &[Tensor], mut tensors: Vec<Tensor>) -> Vec<Tensor> {
        for (t, through) in tensors.iter_mut().zip(&self.through) {
            match through {
                None => {}
                Some(Through::Input(i)) => *t = inputs[*i].clone(),
                Some(Through::State(s)) => *t = s.clone(),
            }
        }
        tensors
    }
}

/// A run of a compiled model in the graph of autograd.
struct Compiled {
    entry: Arc<Entry>,
    results: Mutex<Option<Vec<Array>>>,
    kept: Kept,
    /// Has a backward come?
    used: AtomicBool,
}

/// What backward reads.
enum Kept {
    Values(Vec<Versioned>),
    /// Nothing yet.
    Again(Again),
}

impl Drop for Compiled {
    fn drop(&mut self) {
        if let Some(lean) = self.entry.backward.as_ref().and_then(|b| b.lean.as_ref()) {
            lean.ended(*self.used.get_mut());
        }
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Compiled")
    }
}

impl Op for Compiled {
    fn name(&self) -> &'static str {
        "compiled"
    }
    fn infer(&self, _inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok(self.entry.metas.iter().copied().collect())
    }
    fn forward(&self, _inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner).take();
        results.expect("forward runs once").into_iter().collect()
    }
    fn differentiable(&self, output: usize) -> bool {
        self.entry.backward.as_ref().is_some_and(|b| b.given.contains(&output))
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        if is_grad_enabled() {
            fail(
                "compiled",
                "a compiled model gives no gradients of gradients (create_graph): call the model itself for that",
            );
        }
        let b = self.entry.backward.as_ref().expect("only runs with gradients are recorded");
        self.used.store(true, Ordering::Relaxed);
        let (Kept::Values(unchanged) | Kept::Again(Again { unchanged, .. })) = &self.kept;
        for (a, version) in unchanged {
            let now = a.storage().version();
            if now != *version {
                fail(
                    "compiled",
                    format!(
                        "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.{}Tensor {:?}] is at version {now}; expected version {version} instead",
                        a.dtype().scalar_name(),
                        &a.shape()[..]
                    ),
                );
            }
        }
        let mut given: Vec<Array> = match &self.kept {
            Kept::Values(values) => values.iter().map(|(a, _)| a.clone()).collect(),
            Kept::Again(again) => again.run(&self.entry.forward).split_off(b.results),
        };
        for o in &b.given {
            given.push(match &grads[*o] {
                Some(g) => g.array(),
                None => Array::zeros(self.entry.metas[*o]),
            });
        }
        b.plan.run(&[], given).into_iter().map(|a| Some(Tensor::from_array(a))).collect()
    }
}
