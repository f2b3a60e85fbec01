//! What compiling did, for people: the plan in words, and the memory it needs.

use crate::graph::{Graph, Kind, Source};
use crate::plan::Plan;
use cresset_draw::{Graph as Drawing, Node};
use cresset_kernels::map::fused::Step;
use std::fmt;

/// What was done with one recording. Its `Display` is the plan in words.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The ops as they were recorded.
    pub recorded: Vec<String>,
    /// The jobs of a forward run, in order.
    pub forward: Vec<JobReport>,
    /// The jobs of a backward run; empty without gradients.
    pub backward: Vec<JobReport>,
    /// Bytes of results that live at once in a run of the recorded ops, if each is freed after its last reader.
    pub memory_before: usize,
    /// The same for the compiled forward, the values that it keeps for backward included.
    pub memory_after: usize,
    /// Jobs that run only when a captured tensor has changed.
    pub once: usize,
}

/// One job of a plan.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// The op, or all ops of a fused job.
    pub name: String,
    /// How many ops it stands for.
    pub ops: usize,
    /// How many steps a fused job makes in one pass over memory; 0 for an op of its own.
    pub steps: usize,
    /// Why it stands alone, if it does.
    pub alone: Option<&'static str>,
    /// Its results' shapes.
    pub shapes: Vec<String>,
    /// The jobs whose results it reads, by their place in the list.
    pub reads: Vec<usize>,
}

impl Report {
    pub(crate) fn before(graph: &Graph) -> Report {
        let recorded = graph.nodes.iter().map(crate::graph::Node::name).collect();
        Report { recorded, memory_before: peak(graph), ..Report::default() }
    }
    pub(crate) fn after(&mut self, graph: &Graph, plan: &Plan, backward: bool) {
        let producers = graph.producers();
        let jobs = graph.nodes.iter().map(|n| JobReport {
            reads: {
                let mut reads: Vec<usize> = n.inputs.iter().filter_map(|v| producers[*v]).collect();
                reads.sort_unstable();
                reads.dedup();
                reads
            },
            name: n.name(),
            ops: match &n.kind {
                Kind::Fused(f) => f.names.len(),
                Kind::Rows(r) => r.names.len(),
                Kind::Op(op) if op.row_product().is_some_and(|p| p.relu) => 2,
                _ => 1,
            },
            steps: steps(&n.kind),
            alone: match &n.kind {
                Kind::Fused(_) | Kind::Rows(_) => None,
                Kind::Gradient(_) => Some("the gradient of an op that is not pointwise"),
                Kind::Op(op) if op.row_product().is_some_and(|p| p.relu) => {
                    Some("a product, which applies the relu behind it")
                }
                Kind::Op(_) if n.effects => Some("draws random numbers or changes a buffer"),
                Kind::Op(op) if op.is_view() => Some("a view"),
                Kind::Op(op) if op.pointwise().is_some() => Some("no neighbour of its shape and dtype to fuse with"),
                Kind::Op(_) => Some("not pointwise"),
            },
            shapes: n.outputs.iter().map(|v| format!("{:?}", graph.values[*v].meta)).collect(),
        });
        if backward {
            self.backward = jobs.collect();
        } else {
            self.forward = jobs.collect();
            self.memory_after = peak(graph);
            self.once = plan.prologue_len();
        }
    }
}

/// How many steps a fused node makes for each element; 0 for an op of its own.
pub(crate) fn steps(kind: &Kind) -> usize {
    match kind {
        Kind::Fused(f) => {
            f.steps.iter().filter(|s| !matches!(s, Step::Input(_) | Step::Truth(_) | Step::Const(_))).count()
        }
        _ => 0,
    }
}

/// The most bytes of computed values that live at once. Views have none of their own.
fn peak(graph: &Graph) -> usize {
    let bytes = |v: usize| graph.values[v].meta.numel() * graph.values[v].meta.dtype.size();
    let mut last = vec![0; graph.values.len()];
    for (n, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().chain(&node.outputs).for_each(|v| last[*v] = n);
    }
    graph.outputs.iter().for_each(|v| last[*v] = usize::MAX);
    let (mut live, mut peak) = (0, 0);
    for (n, node) in graph.nodes.iter().enumerate() {
        let view = |k: &Kind| matches!(k, Kind::Op(op) if op.is_view());
        if !view(&node.kind) {
            live += node.outputs.iter().map(|v| bytes(*v)).sum::<usize>();
        }
        peak = peak.max(live);
        let mut ends: Vec<usize> = node.inputs.iter().chain(&node.outputs).copied().filter(|v| last[*v] == n).collect();
        ends.sort_unstable();
        ends.dedup();
        for v in ends {
            let made_by_view = graph.nodes.iter().any(|k| k.outputs.contains(&v) && view(&k.kind));
            if matches!(graph.values[v].source, Source::Node) && !made_by_view {
                live -= bytes(v);
            }
        }
    }
    peak
}

impl Report {
    /// The plan as a graph in the language of Graphviz, forward and backward side by side; fused jobs are filled.
    ///
    /// ```
    /// use cresset_compile::compile_fn;
    /// use cresset_tensor::Tensor;
    /// let f = compile_fn(|x: &Tensor| x.relu() * 2.0);
    /// f.call(&Tensor::ones([3]));
    /// assert!(f.explain().to_dot().contains("relu+mul"));
    /// assert!(f.explain().to_svg().starts_with("<svg"));
    /// ```
    pub fn to_dot(&self) -> String {
        self.graph().to_dot()
    }
    /// The same as a picture.
    pub fn to_svg(&self) -> String {
        self.graph().to_svg()
    }
    fn graph(&self) -> Drawing {
        let mut graph = Drawing::new("plan");
        for (title, jobs) in [("forward", &self.forward), ("backward", &self.backward)] {
            if jobs.is_empty() {
                continue;
            }
            let group = graph.group(title);
            let first = graph.len();
            for j in jobs {
                let label = std::iter::once(in_lines(&j.name)).chain(j.shapes.iter().cloned());
                let node = Node::new(label.collect::<Vec<_>>().join("\n")).group(group);
                graph.node(match j.alone {
                    None => node.fill("#add8e6").tooltip(format!(
                        "{}, {} in one pass",
                        count(j.ops, "op"),
                        count(j.steps, "step")
                    )),
                    Some(why) => node.tooltip(format!("alone: {why}")),
                });
            }
            for (i, j) in jobs.iter().enumerate() {
                j.reads.iter().for_each(|r| graph.edge(first + r, first + i));
            }
        }
        graph
    }
}

/// A fused job's names, some to a line.
fn in_lines(name: &str) -> String {
    let mut text = String::new();
    let mut used = 0;
    for (i, part) in name.split('+').enumerate() {
        if i > 0 {
            text.push('+');
            if used > 32 {
                text.push('\n');
                used = 0;
            }
        }
        text += part;
        used += part.len() + 1;
    }
    text
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{} ops recorded", self.recorded.len())?;
        jobs(f, "forward", &self.forward)?;
        if !self.backward.is_empty() {
            jobs(f, "backward", &self.backward)?;
        }
        if self.once > 0 {
            writeln!(f, "{} of the forward jobs run only when a parameter or buffer has changed", self.once)?;
        }
        let kept = if self.backward.is_empty() { "" } else { ", with what backward reads" };
        let (before, after) = (size(self.memory_before), size(self.memory_after));
        write!(f, "memory of results: {before} before, {after} after{kept}")
    }
}

fn jobs(f: &mut fmt::Formatter, title: &str, jobs: &[JobReport]) -> fmt::Result {
    writeln!(f, "{title}: {}", count(jobs.len(), "job"))?;
    for (i, j) in jobs.iter().enumerate() {
        write!(f, "{i:4}  {} -> {}", j.name, j.shapes.join(", "))?;
        match j.alone {
            None => writeln!(f, "   fused: {}, {} in one pass", count(j.ops, "op"), count(j.steps, "step"))?,
            Some(why) => writeln!(f, "   alone: {why}")?,
        }
    }
    Ok(())
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
