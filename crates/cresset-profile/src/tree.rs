//! Names of modules, and the sums over what is within an event.

use crate::machine::Machine;
use cresset_tensor::trace::{Event, Kind, Trace};
use std::collections::HashSet;

/// How modules are called in tables.
pub(crate) struct Names {
    names: Vec<String>,
}

/// What belongs to no module.
const OUTSIDE: &str = "(no module)";

impl Names {
    pub fn of(trace: &Trace) -> Names {
        // Paths of different models may be alike: then they begin with the model.
        let roots: HashSet<u64> = trace.modules.iter().filter(|m| !m.path.is_empty()).map(|m| m.root).collect();
        let class_of = |id: u64| trace.modules.iter().find(|m| m.id == id).map_or("", |m| &*m.class);
        let name = |m: &cresset_tensor::trace::ModuleName| match (m.path.is_empty(), roots.len() > 1) {
            (true, _) => m.class.clone(),
            (false, false) => format!("{} ({})", m.path, m.class),
            (false, true) => format!("{}.{} ({})", class_of(m.root), m.path, m.class),
        };
        Names { names: trace.modules.iter().map(name).collect() }
    }
    pub fn module(&self, module: u32) -> &str {
        self.names.get(module as usize).map_or(OUTSIDE, |n| n)
    }
    pub fn outside(&self) -> &'static str {
        OUTSIDE
    }
    /// An event's name in pictures and traces.
    pub fn event(&self, trace: &Trace, e: &Event) -> String {
        match e.kind {
            Kind::Module => self.module(trace.scopes[e.scope as usize].module).to_string(),
            _ => e.name.to_string(),
        }
    }
}

/// The modules of a scope, innermost first.
pub(crate) fn modules_of(trace: &Trace, scope: u32) -> impl Iterator<Item = u32> + '_ {
    let mut at = scope;
    std::iter::from_fn(move || {
        let here = trace.scopes.get(at as usize).filter(|_| at != 0)?;
        at = here.parent;
        Some(here.module)
    })
}

/// The least time that work can take, and by what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floor {
    /// Seconds of arithmetic at full speed.
    pub compute: f64,
    /// Seconds of moving bytes at full speed.
    pub memory: f64,
    /// The longer of the two, event by event.
    pub both: f64,
}

impl std::ops::AddAssign for Floor {
    fn add_assign(&mut self, o: Floor) {
        *self = Floor { compute: self.compute + o.compute, memory: self.memory + o.memory, both: self.both + o.both };
    }
}

/// What an event took, alone or with all within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub flops: u64,
    pub bytes: u64,
    pub allocated: i64,
    pub floor: Floor,
}

impl std::ops::AddAssign for Sum {
    fn add_assign(&mut self, o: Sum) {
        self.flops += o.flops;
        self.bytes += o.bytes;
        self.allocated += o.allocated;
        self.floor += o.floor;
    }
}

/// Of each event: what it took alone.
pub(crate) fn own(trace: &Trace, machine: &Machine) -> Vec<Sum> {
    let mut all: Vec<Sum> = trace
        .events
        .iter()
        .map(|e| {
            let dtype = trace.outputs(e).iter().chain(trace.inputs(e)).map(|m| m.dtype).next();
            let compute = e.cost.flops as f64 / machine.flops_for(dtype.unwrap_or(cresset_tensor::DType::F32));
            let memory = e.cost.bytes as f64 / machine.bandwidth_for(e.cost.bytes);
            let floor = Floor { compute, memory, both: compute.max(memory) };
            Sum { flops: e.cost.flops, bytes: e.cost.bytes, allocated: e.allocated, floor }
        })
        .collect();
    for e in &trace.events {
        if let Some(p) = e.parent {
            all[p as usize].allocated -= e.allocated;
        }
    }
    all
}

/// Of each event: what it took with all within it.
pub(crate) fn total(trace: &Trace, own: &[Sum]) -> Vec<Sum> {
    let mut all = own.to_vec();
    // What is within an event stands behind it.
    for (i, e) in trace.events.iter().enumerate().rev() {
        if let Some(p) = e.parent {
            let sum = all[i];
            all[p as usize] += sum;
        }
    }
    all
}

/// Of each event: does it run within backward?
pub(crate) fn in_backward(trace: &Trace) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::with_capacity(trace.events.len());
    for e in &trace.events {
        all.push(e.kind == Kind::Backward || e.parent.is_some_and(|p| all[p as usize]));
    }
    all
}
