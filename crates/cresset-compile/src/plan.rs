//! A graph made ready to run: programs built, every value freed after its last reader, what depends on captured tensors alone computed once for each
//! version of them.

use crate::backward::kind_of;
use crate::chain::Chain;
use crate::graph::{Gradient, Graph, Kind, Source};
use crate::traced;
use cresset_kernels::map::fused::{End, Program};
use cresset_tensor::op::{Op, backward_of};
use cresset_tensor::{Array, Dims, Meta, Tensor, trace};
use std::sync::{Arc, Mutex, PoisonError};

/// What a job does.
enum Work {
    Op(Arc<dyn Op>),
    /// A view, and the strides that it counts on.
    View(Arc<dyn Op>, Dims),
    Write(Arc<dyn Op>),
    Gradient(Box<Gradient>),
    Fused {
        program: Program,
        shape: Dims,
        factors: Vec<Option<f64>>,
    },
    /// Layers that rows go through together, and the operations of a run.
    Rows(Chain, usize),
}

struct Job {
    work: Work,
    /// For a profile: the ops, and the steps of a fused job for each element.
    name: String,
    modules: Vec<u64>,
    steps: usize,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    /// Values that nobody reads after this job.
    frees: Vec<usize>,
}

/// A graph made ready to run.
pub struct Plan {
    metas: Vec<Meta>,
    constants: Vec<(usize, Array)>,
    inputs: Vec<(usize, usize)>,
    given: Vec<(usize, usize)>,
    states: Vec<(usize, Tensor)>,
    /// Jobs over captured tensors alone, and the values they give.
    prologue: Vec<Job>,
    prologue_values: Vec<usize>,
    jobs: Vec<Job>,
    /// The results, and which of them lie in memory that the plan keeps for later runs: these are copied, as their receiver may change them in place.
    outputs: Vec<(usize, bool)>,
    cache: Mutex<Option<Prologue>>,
}

/// The values of the prologue for one version of the captured tensors.
struct Prologue {
    /// The captured arrays are held: their memory must not become another's while its address stands for it.
    versions: Vec<(Array, u32)>,
    values: Vec<Array>,
}

impl Plan {
    /// The plan of a graph whose passes have run. The first `results` outputs are handed out; the others are kept for a backward.
    pub fn of(graph: &Graph, results: usize) -> Plan {
        let mut last = vec![usize::MAX; graph.values.len()];
        for (n, node) in graph.nodes.iter().enumerate() {
            node.inputs.iter().chain(&node.outputs).for_each(|v| last[*v] = n);
        }
        graph.outputs.iter().for_each(|v| last[*v] = usize::MAX);
        let mut plan = Plan {
            metas: graph.values.iter().map(|v| v.meta).collect(),
            constants: vec![],
            inputs: vec![],
            given: vec![],
            states: vec![],
            prologue: vec![],
            prologue_values: vec![],
            jobs: vec![],
            outputs: vec![],
            cache: Mutex::new(None),
        };
        let uses = graph.uses();
        let mut fixed = vec![false; graph.values.len()];
        for (v, value) in graph.values.iter().enumerate() {
            let written = graph.nodes.iter().any(|n| n.writes && n.inputs[0] == v);
            if uses[v] == 0 && !written {
                continue;
            }
            match &value.source {
                Source::Input(k) => plan.inputs.push((v, *k)),
                Source::Given(k) => plan.given.push((v, *k)),
                Source::Constant(a) => {
                    plan.constants.push((v, a.clone()));
                    fixed[v] = true;
                }
                Source::State(k) => {
                    plan.states.push((v, graph.state[*k].clone()));
                    fixed[v] = !written;
                }
                Source::Node => {}
            }
        }
        for (n, node) in graph.nodes.iter().enumerate() {
            // A view of a captured tensor costs nothing and must not outlive a change of its numbers.
            let view = matches!(&node.kind, Kind::Op(op) if op.is_view());
            let early = !node.effects && !node.writes && !view && node.inputs.iter().all(|v| fixed[*v]);
            let work = match &node.kind {
                Kind::Op(op) if node.writes => Work::Write(op.clone()),
                Kind::Op(op) if op.is_view() => Work::View(op.clone(), graph.values[node.inputs[0]].strides),
                Kind::Op(op) => Work::Op(op.clone()),
                Kind::Gradient(g) => Work::Gradient(g.clone()),
                Kind::Rows(r) => Work::Rows(Chain::of(r), r.flops()),
                Kind::Fused(f) => {
                    let ends = f.ends.iter().zip(&f.sums);
                    let ends = ends.map(|(e, s)| (*e, if s.is_some() { End::Sum } else { End::Store })).collect();
                    let program = Program::new(kind_of(f.dtype), f.steps.clone(), ends);
                    Work::Fused { program, shape: f.shape, factors: f.sums.clone() }
                }
            };
            let mut frees: Vec<usize> =
                node.inputs.iter().chain(&node.outputs).copied().filter(|v| last[*v] == n).collect();
            frees.sort_unstable();
            frees.dedup();
            let (name, steps) = (node.name(), crate::explain::steps(&node.kind));
            let modules = node.modules.clone();
            let mut job =
                Job { work, name, modules, steps, inputs: node.inputs.clone(), outputs: node.outputs.clone(), frees };
            if early {
                job.frees.clear();
                node.outputs.iter().for_each(|v| fixed[*v] = true);
                plan.prologue_values.extend(&node.outputs);
                plan.prologue.push(job);
            } else {
                plan.jobs.push(job);
            }
        }
        let mut kept = vec![false; graph.values.len()];
        let constants = plan.constants.iter().map(|(v, _)| v);
        constants.chain(&plan.prologue_values).for_each(|v| kept[*v] = true);
        for job in plan.jobs.iter().filter(|j| matches!(j.work, Work::View(..))) {
            kept[job.outputs[0]] = kept[job.inputs[0]];
        }
        plan.outputs = graph.outputs.iter().enumerate().map(|(i, v)| (*v, kept[*v] && i < results)).collect();
        // Prologue values that only the prologue reads need not be kept, but they are few and small beside the weights.
        plan
    }

    /// How many jobs run only when a captured tensor has changed.
    pub fn prologue_len(&self) -> usize {
        self.prologue.len()
    }

    /// The captured tensors that the plan reads: their places among the graph's values.
    pub fn captured(&self) -> impl Iterator<Item = usize> {
        self.states.iter().map(|(v, _)| *v)
    }
    /// Their arrays now.
    pub fn states(&self) -> impl Iterator<Item = Array> {
        self.states.iter().map(|(_, t)| t.array())
    }

    /// Runs the plan; gives the values of the graph's outputs.
    pub fn run(&self, inputs: &[Array], given: Vec<Array>) -> Vec<Array> {
        self.run_on(inputs, given, self.states())
    }

    /// Runs the plan on other numbers than those which the captured tensors have now.
    pub fn run_on(&self, inputs: &[Array], given: Vec<Array>, states: impl Iterator<Item = Array>) -> Vec<Array> {
        let mut slots: Vec<Option<Array>> = vec![None; self.metas.len()];
        self.constants.iter().for_each(|(v, a)| slots[*v] = Some(a.clone()));
        self.inputs.iter().for_each(|(v, k)| slots[*v] = Some(inputs[*k].clone()));
        let mut given: Vec<Option<Array>> = given.into_iter().map(Some).collect();
        for (v, k) in &self.given {
            slots[*v] = given[*k].take();
        }
        self.states.iter().zip(states).for_each(|((v, _), a)| slots[*v] = Some(a));
        if !self.prologue.is_empty() {
            self.prologue(&mut slots);
        }
        for job in &self.jobs {
            self.job(job, &mut slots);
        }
        let result = |(v, kept): &(usize, bool)| {
            let a = slots[*v].as_ref().expect("a graph computes its outputs");
            if *kept { a.copy() } else { a.clone() }
        };
        self.outputs.iter().map(result).collect()
    }

    fn prologue(&self, slots: &mut [Option<Array>]) {
        let version = |(v, _): &(usize, Tensor)| {
            let a = slots[*v].as_ref().expect("captured tensors are there");
            (a.clone(), a.storage().version())
        };
        let versions: Vec<(Array, u32)> = self.states.iter().map(version).collect();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |c: &Prologue| {
            let each = c.versions.iter().zip(&versions);
            c.versions.len() == versions.len() && each.into_iter().all(|((a, v), (b, w))| a.same_storage(b) && v == w)
        };
        if !cache.as_ref().is_some_and(same) {
            for job in &self.prologue {
                self.job(job, slots);
            }
            let values = self.prologue_values.iter().map(|v| slots[*v].clone().expect("just computed")).collect();
            *cache = Some(Prologue { versions, values });
            return;
        }
        let cache = cache.as_ref().expect("looked at above");
        for (v, a) in self.prologue_values.iter().zip(&cache.values) {
            slots[*v] = Some(a.clone());
        }
    }

    fn job(&self, job: &Job, slots: &mut [Option<Array>]) {
        let read = |v: &usize| slots[*v].as_ref().expect("a value is computed before it is read");
        let event = trace::computing(&job.modules, || job.name.clone());
        let results: Vec<Array> = match &job.work {
            Work::Op(op) | Work::Write(op) => {
                let inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
                let metas: Vec<Meta> = job.outputs.iter().map(|v| self.metas[*v]).collect();
                op.forward(&inputs, &metas).into_iter().collect()
            }
            Work::View(op, strides) => {
                let x = laid_out(read(&job.inputs[0]), strides);
                let mut inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
                inputs[0] = &x;
                let metas: Vec<Meta> = job.outputs.iter().map(|v| self.metas[*v]).collect();
                op.forward(&inputs, &metas).into_iter().collect()
            }
            Work::Gradient(g) => {
                let inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
                gradients(g, &inputs)
            }
            Work::Rows(chain, _) => {
                let inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
                let metas: Vec<Meta> = job.outputs.iter().map(|v| self.metas[*v]).collect();
                chain.run(&inputs, &metas)
            }
            Work::Fused { program, shape, factors } => {
                let inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
                let metas: Vec<Meta> = job.outputs.iter().map(|v| self.metas[*v]).collect();
                fused(program, shape, factors, &inputs, &metas)
            }
        };
        if let Some(event) = event {
            let inputs: Vec<&Array> = job.inputs.iter().map(read).collect();
            match &job.work {
                Work::Op(op) | Work::Write(op) | Work::View(op, _) => traced::op(event, &**op, &inputs, &results),
                Work::Gradient(g) => traced::gradient(event, g),
                Work::Rows(_, flops) => traced::fused(event, *flops, &inputs, &results),
                Work::Fused { shape, .. } => traced::fused(event, job.steps * shape.numel(), &inputs, &results),
            }
        }
        if let Work::Write(_) = job.work {
            let target = read(&job.inputs[0]).clone();
            cresset_tensor::record::write(&target, results.into_iter().next().expect("an in-place op has a result"));
            slots[job.outputs[0]] = Some(target);
        } else {
            for (v, a) in job.outputs.iter().zip(results) {
                slots[*v] = Some(a);
            }
        }
        job.frees.iter().for_each(|v| slots[*v] = None);
    }
}

/// The array with its elements in memory as the strides say.
fn laid_out(a: &Array, strides: &Dims) -> Array {
    let same = a.shape().iter().zip(a.strides().iter().zip(strides.iter())).all(|(n, (a, b))| *n < 2 || a == b);
    if same {
        return a.clone();
    }
    let fresh = Array::from_buffer(Array::buffer_for(a.meta()), *a.meta()).view(*a.shape(), *strides, 0);
    cresset_tensor::record::write(&fresh, a.clone());
    fresh
}

fn gradients(g: &Gradient, inputs: &[&Array]) -> Vec<Array> {
    let mut next = inputs.iter().map(|a| (*a).clone());
    let mut take = |list: &[(Meta, bool)]| -> Vec<(Meta, Option<Array>)> {
        list.iter().map(|(meta, saved)| (*meta, if *saved { next.next() } else { None })).collect()
    };
    let (saved_inputs, saved_outputs) = (take(&g.inputs), take(&g.outputs));
    let grads: Vec<Option<Array>> = g.given.iter().map(|given| if *given { next.next() } else { None }).collect();
    let results = backward_of(&g.op, &saved_inputs, &saved_outputs, &g.needs, &grads);
    // An op that has no gradient for an input that wants one says so by giving none: that is zero.
    let all = results.into_iter().zip(&g.inputs).zip(&g.needs);
    all.filter(|(_, needs)| **needs).map(|((a, (meta, _)), _)| a.unwrap_or_else(|| Array::zeros(*meta))).collect()
}

fn fused(program: &Program, shape: &Dims, factors: &[Option<f64>], inputs: &[&Array], metas: &[Meta]) -> Vec<Array> {
    let spread: Vec<Array> = inputs.iter().map(|a| a.broadcast_to(shape)).collect();
    let readings: Vec<_> = spread.iter().map(Array::read).collect();
    let operands: Vec<(&[u8], &[usize])> = spread
        .iter()
        .zip(&readings)
        .map(|(a, r)| {
            let bytes = r.slice::<u8>();
            (&bytes[(a.offset() * a.dtype().size()).min(bytes.len())..], &a.strides()[..])
        })
        .collect();
    let mut buffers: Vec<_> = metas.iter().map(Array::buffer_for).collect();
    {
        let mut slices: Vec<&mut [u8]> = buffers
            .iter_mut()
            .zip(metas)
            .map(|(b, m)| &mut b.as_mut_slice::<u8>()[..m.numel() * m.dtype.size()])
            .collect();
        program.run(shape, &operands, &mut slices);
    }
    for ((buffer, meta), factor) in buffers.iter_mut().zip(metas).zip(factors) {
        if let Some(f) = factor.filter(|f| *f != 1.0) {
            match meta.dtype {
                cresset_tensor::DType::F64 => buffer.as_mut_slice::<f64>()[0] *= f,
                _ => {
                    let sum = &mut buffer.as_mut_slice::<f32>()[0];
                    *sum = (f64::from(*sum) * f) as f32;
                }
            }
        }
    }
    drop(readings);
    buffers.into_iter().zip(metas).map(|(b, m)| Array::from_buffer(b, *m)).collect()
}
