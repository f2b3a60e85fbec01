//! What tables are made of: sums over events, by op, by module, by both.

use crate::machine::Machine;
use crate::tree::{Names, Sum, in_backward, modules_of, own, total};
use cresset_tensor::trace::{Event, Kind, Trace};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// What keeps something from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Arithmetic: it runs near the speed of a product of matrices.
    Compute,
    /// Memory: it moves bytes near the speed at which they can be copied.
    Memory,
    /// Neither: calls, small loops, waiting.
    Overhead,
}

impl Limit {
    /// As tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Compute => "compute",
            Limit::Memory => "memory",
            Limit::Overhead => "overhead",
        }
    }
}

/// Below this share of the floor neither arithmetic nor memory is what limits.
const NEAR: f64 = 0.25;

/// One line of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The op, node, module or part of the program.
    pub name: String,
    /// In a table of ops within modules: the module.
    pub module: Option<String>,
    /// What kind of event it sums up.
    pub kind: Kind,
    /// How often it ran.
    pub calls: u64,
    /// Time in no other event; for a module the time of its own ops, without those of modules below it.
    pub self_time: Duration,
    /// Time with all within.
    pub total_time: Duration,
    /// The part of the total that is backward.
    pub backward_time: Duration,
    /// Bytes of tensors that it left behind (less those that it freed).
    pub allocated: i64,
    /// The most bytes of all tensors that lived at once while it ran.
    pub peak_bytes: u64,
    /// Bytes that it read and wrote.
    pub bytes: u64,
    /// Floating-point operations.
    pub flops: u64,
    /// The time that it would take at the machine's full speed.
    pub floor: Duration,
    /// Arithmetic at full speed as a part of the total time.
    pub compute_share: f64,
    /// Moving its bytes at full speed as a part of the total time.
    pub memory_share: f64,
}

impl Row {
    /// The mean time of a call.
    pub fn mean_time(&self) -> Duration {
        Duration::from_nanos((self.total_time.as_nanos() / u128::from(self.calls.max(1))) as u64)
    }
    /// The floor as a part of the total time: 1 is as fast as the machine can be. More than 1 says that the numbers lay in a nearer cache than they
    /// need have.
    pub fn share(&self) -> f64 {
        ratio(self.floor.as_secs_f64(), self.total_time.as_secs_f64())
    }
    /// What keeps it from being faster.
    pub fn limit(&self) -> Limit {
        match (self.compute_share.max(self.memory_share), self.compute_share >= self.memory_share) {
            (share, _) if !(share >= NEAR) => Limit::Overhead,
            (_, true) => Limit::Compute,
            (_, false) => Limit::Memory,
        }
    }
    /// What limits it, in words.
    pub fn verdict(&self) -> String {
        let percent = |x: f64| format!("{:.0} %", 100.0 * x);
        match self.limit() {
            Limit::Compute => {
                format!(
                    "limited by compute: it runs at {} of the speed of a matrix product",
                    percent(self.compute_share)
                )
            }
            Limit::Memory => {
                format!("limited by memory: it moves numbers at {} of the speed of copying", percent(self.memory_share))
            }
            Limit::Overhead => format!(
                "limited by overhead (calls, small loops, latency): arithmetic at full speed is {} of its time, moving its numbers {}",
                percent(self.compute_share),
                percent(self.memory_share)
            ),
        }
    }
}

fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// The lines of a table, in the order in which they first ran. A list in every other respect; [`Rows::table`] prints it.
#[derive(Clone, Debug)]
pub struct Rows {
    pub(crate) rows: Vec<Row>,
    /// The time in all events.
    pub(crate) whole: Duration,
    pub(crate) of_modules: bool,
}

impl Deref for Rows {
    type Target = Vec<Row>;
    fn deref(&self) -> &Vec<Row> {
        &self.rows
    }
}
impl DerefMut for Rows {
    fn deref_mut(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }
}

/// A row in the making, in nanoseconds and seconds.
#[derive(Default)]
struct Sums {
    calls: u64,
    own: u64,
    total: u64,
    backward: u64,
    peak: u64,
    sum: Sum,
}

impl Sums {
    fn row(self, name: String, module: Option<String>, kind: Kind) -> Row {
        let seconds = self.total as f64 / 1e9;
        Row {
            name,
            module,
            kind,
            calls: self.calls,
            self_time: Duration::from_nanos(self.own),
            total_time: Duration::from_nanos(self.total),
            backward_time: Duration::from_nanos(self.backward),
            allocated: self.sum.allocated,
            peak_bytes: self.peak,
            bytes: self.sum.bytes,
            flops: self.sum.flops,
            floor: Duration::from_secs_f64(self.sum.floor.both.min(1e9)),
            compute_share: ratio(self.sum.floor.compute, seconds),
            memory_share: ratio(self.sum.floor.memory, seconds),
        }
    }
}

/// Sums by key, in the order of the first appearance.
struct Groups<K> {
    at: HashMap<K, usize>,
    all: Vec<(K, Sums)>,
}

impl<K: Clone + Eq + std::hash::Hash> Groups<K> {
    fn new() -> Groups<K> {
        Groups { at: HashMap::new(), all: Vec::new() }
    }
    fn get(&mut self, key: K) -> &mut Sums {
        let i = *self.at.entry(key.clone()).or_insert_with(|| {
            self.all.push((key, Sums::default()));
            self.all.len() - 1
        });
        &mut self.all[i].1
    }
}

fn whole(trace: &Trace) -> Duration {
    Duration::from_nanos(trace.events.iter().map(|e| e.own).sum())
}

impl Rows {
    pub(crate) fn of_ops(trace: &Trace, machine: &Machine) -> Rows {
        let keyed = |e: &Event| (e.kind != Kind::Module).then(|| (e.kind, e.name.to_string()));
        let groups = by_key(trace, machine, keyed);
        let rows = groups.all.into_iter().map(|((kind, name), sums)| sums.row(name, None, kind)).collect();
        Rows { rows, whole: whole(trace), of_modules: false }
    }

    pub(crate) fn of_modules_and_ops(trace: &Trace, machine: &Machine) -> Rows {
        let names = Names::of(trace);
        let keyed = |e: &Event| {
            let module = trace.scopes[e.scope as usize].module;
            (e.kind != Kind::Module).then(|| (e.kind, e.name.to_string(), module))
        };
        let groups = by_key(trace, machine, keyed);
        let row = |((kind, name, module), sums): ((Kind, String, u32), Sums)| {
            sums.row(name, Some(names.module(module).to_string()), kind)
        };
        Rows { rows: groups.all.into_iter().map(row).collect(), whole: whole(trace), of_modules: false }
    }

    pub(crate) fn of_modules(trace: &Trace, machine: &Machine) -> Rows {
        let (names, own, backward) = (Names::of(trace), own(trace, machine), in_backward(trace));
        let mut groups: Groups<u32> = Groups::new();
        for ((e, sum), backward) in trace.events.iter().zip(&own).zip(&backward) {
            let innermost = trace.scopes[e.scope as usize].module;
            let mut above: Vec<u32> = modules_of(trace, e.scope).collect();
            if above.is_empty() {
                above.push(innermost);
            }
            // Outer modules first, so that they stand before what is within them. A module within itself counts once.
            above.reverse();
            for (i, &module) in above.iter().enumerate() {
                if above[..i].contains(&module) {
                    continue;
                }
                let s = groups.get(module);
                s.total += e.own;
                s.backward += if *backward { e.own } else { 0 };
                s.peak = s.peak.max(e.peak);
                s.sum += *sum;
            }
            let s = groups.get(innermost);
            s.own += e.own;
            s.calls += u64::from(e.kind == Kind::Module);
        }
        let row = |(module, sums): (u32, Sums)| sums.row(names.module(module).to_string(), None, Kind::Module);
        Rows { rows: groups.all.into_iter().map(row).collect(), whole: whole(trace), of_modules: true }
    }
}

fn by_key<K: Clone + Eq + std::hash::Hash>(
    trace: &Trace,
    machine: &Machine,
    keyed: impl Fn(&Event) -> Option<K>,
) -> Groups<K> {
    let own = own(trace, machine);
    let total = total(trace, &own);
    let backward = in_backward(trace);
    let keys: Vec<Option<K>> = trace.events.iter().map(keyed).collect();
    let mut groups = Groups::new();
    for (i, e) in trace.events.iter().enumerate() {
        let Some(key) = &keys[i] else { continue };
        // An event within one of the same key is part of that one's total already.
        let mut above = e.parent;
        while let Some(p) = above.filter(|p| keys[*p as usize].as_ref() != Some(key)) {
            above = trace.events[p as usize].parent;
        }
        let s = groups.get(key.clone());
        s.calls += 1;
        s.own += e.own;
        s.peak = s.peak.max(e.peak);
        if above.is_none() {
            s.total += e.total();
            s.backward += if backward[i] { e.total() } else { 0 };
            s.sum += total[i];
        }
    }
    groups
}
