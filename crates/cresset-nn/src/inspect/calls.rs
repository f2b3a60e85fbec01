//! Which modules a run of a model calls, in which order, and what is to be noted of each call.

use super::quiet::Quiet;
use super::tree_nodes::{Node, is_within, nodes};
use crate::forward::{Args, Call, Forward};
use crate::{Bundle, Module, ModuleExt, Values};
use cresset_tensor::{HookHandle, no_grad};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One call of a module.
pub(super) struct Record<T> {
    /// Its place in the list of nodes; of several places the one below the module that called it.
    pub node: usize,
    /// The call within which it happened.
    pub caller: Option<usize>,
    /// What was noted when it ended; nothing if its forward never came back.
    pub noted: Option<T>,
    /// How many calls had ended before this one did.
    pub ended: usize,
}

struct Log<T> {
    records: Vec<(u64, Record<T>)>,
    open: Vec<usize>,
    ended: usize,
}

/// Runs the model without recording gradients, in evaluation mode if `eval`, and notes of every call what `note` says of its input and output.
/// The model, its buffers and the random numbers are then as they were before.
#[track_caller]
pub(super) fn record<'a, I, M, A, T>(
    model: &'a M,
    input: A,
    eval: bool,
    note: impl Fn(&dyn Module, &Values, &Values) -> T + Send + Sync + 'static,
) -> (Vec<Node<'a>>, Vec<Record<T>>)
where
    I: Bundle,
    M: Forward<I> + ?Sized,
    M::Output: Bundle,
    A: Args<I>,
    T: Send + 'static,
{
    let root = model.as_module();
    let nodes = nodes(root);
    let log = Arc::new(Mutex::new(Log { records: Vec::new(), open: Vec::new(), ended: 0 }));
    let quiet = Quiet::new(root);
    if eval {
        root.eval();
    }
    let hooks = hooks(&nodes, &log, Arc::new(note));
    no_grad(|| model.call(input));
    drop((hooks, quiet));
    let records = std::mem::take(&mut lock(&log).records);
    let records = place(&nodes, records);
    (nodes, records)
}

/// Handles that remove their hooks when they go.
struct Hooks(Vec<HookHandle>);
impl Drop for Hooks {
    fn drop(&mut self) {
        self.0.drain(..).for_each(HookHandle::remove);
    }
}

fn lock<T>(log: &Mutex<Log<T>>) -> MutexGuard<'_, Log<T>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hooks<T: Send + 'static>(
    nodes: &[Node],
    log: &Arc<Mutex<Log<T>>>,
    note: Arc<impl Fn(&dyn Module, &Values, &Values) -> T + Send + Sync + 'static>,
) -> Hooks {
    // Calls that other threads make of the same modules meanwhile are none of this run's.
    let here = thread::current().id();
    let mut hooks = Hooks(Vec::new());
    let mut seen = HashSet::new();
    for node in nodes.iter().filter(|n| seen.insert(n.id())) {
        let id = node.id();
        let (on_enter, on_leave, note) = (log.clone(), log.clone(), note.clone());
        hooks.0.push(node.module.register_forward_pre_hook(move |_, _| {
            if thread::current().id() == here {
                let mut log = lock(&on_enter);
                let (at, caller) = (log.records.len(), log.open.last().copied());
                log.records.push((id, Record { node: 0, caller, noted: None, ended: usize::MAX }));
                log.open.push(at);
            }
        }));
        hooks.0.push(node.module.register_forward_hook(move |module, input, output| {
            if thread::current().id() == here {
                let noted = note(module, input, output);
                let mut log = lock(&on_leave);
                let (at, ended) = (log.open.pop(), log.ended);
                log.ended += 1;
                if let Some((_, record)) = at.and_then(|at| log.records.get_mut(at)) {
                    (record.noted, record.ended) = (Some(noted), ended);
                }
            }
        }));
    }
    hooks
}

/// Gives each call its place in the tree.
fn place<T>(nodes: &[Node], records: Vec<(u64, Record<T>)>) -> Vec<Record<T>> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        places.entry(node.id()).or_default().push(i);
    }
    let mut placed: Vec<Record<T>> = Vec::with_capacity(records.len());
    for (id, record) in records {
        let mine = &places[&id];
        let below = record.caller.and_then(|c| mine.iter().find(|n| is_within(nodes, **n, placed[c].node)));
        placed.push(Record { node: *below.unwrap_or(&mine[0]), ..record });
    }
    placed
}
