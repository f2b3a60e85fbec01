//! What runs on a thread, with times: ops, backward nodes, module calls, optimizer steps, spans of the program's own.
//!
//! [`trace`] runs a function and gives its result with a [`Trace`]: the raw events, from which a profiler makes tables and pictures. A thread that is
//! not traced pays nothing: ops ask one number for recordings and traces together.

use crate::array::{Array, Meta};
use crate::autograd::mode;
use crate::autograd::node::Node;
use crate::cost::{self, Cost};
use crate::error;
use crate::op::Op;
use crate::tensor::Tensor;
use cresset_kernels::buffer;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The forward of an op.
    Op,
    /// The backward of an op, or a gradient that reaches its leaf.
    Backward,
    /// A call of a module.
    Module,
    /// A step of an optimizer, or another call of it.
    Optimizer,
    /// A part of the program that it named itself.
    Span,
}

/// Something that ran. Events begin in the order in which they stand, and what runs within an event ends before it does.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it is.
    pub kind: Kind,
    /// The op's name, the name of the backward node as PyTorch prints it, the span's name; empty for a module.
    pub name: Cow<'static, str>,
    /// When it began, in nanoseconds since the trace did.
    pub begin: u64,
    /// When it ended.
    pub end: u64,
    /// Nanoseconds that it spent in no other event.
    pub own: u64,
    /// The event within which it ran.
    pub parent: Option<u32>,
    /// Where it belongs in the tree of calls ([`Trace::scopes`]): the modules that were running, and for a backward node those that ran when the
    /// node was made.
    pub scope: u32,
    /// What it cost beside the events within it.
    pub cost: Cost,
    /// Bytes of tensors that live when it begins.
    pub live: u64,
    /// Bytes of tensors that live after it less those before.
    pub allocated: i64,
    /// The most bytes of tensors that lived at once while it ran.
    pub peak: u64,
    shapes: (u32, u8, u8),
}

impl Event {
    /// Nanoseconds from its beginning to its end.
    pub fn total(&self) -> u64 {
        self.end - self.begin
    }
}

/// A place in the tree of calls: a module, called by the one above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The place of the caller, smaller than its own.
    pub parent: u32,
    /// The module, by its place in [`Trace::modules`].
    pub module: u32,
}

/// A module that was called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleName {
    /// The id of its base.
    pub id: u64,
    /// Its names from the module that was called first, with dots; empty for that one itself.
    pub path: String,
    /// The name of its type.
    pub class: String,
    /// The module that was called first, by its id.
    pub root: u64,
}

/// What a thread did.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What ran, in the order of the beginnings.
    pub events: Vec<Event>,
    /// The tree of calls. The first one is the outside of all modules.
    pub scopes: Vec<Scope>,
    /// The modules that were called.
    pub modules: Vec<ModuleName>,
    /// How long the trace took, in nanoseconds.
    pub length: u64,
    /// The name of the thread.
    pub thread: String,
    /// Bytes of tensors that lived at the beginning.
    pub live: u64,
    metas: Vec<Meta>,
}

impl Trace {
    /// dtypes and shapes of what an event read.
    pub fn inputs(&self, event: &Event) -> &[Meta] {
        let (at, inputs, _) = event.shapes;
        &self.metas[at as usize..][..inputs as usize]
    }
    /// dtypes and shapes of what an event gave.
    pub fn outputs(&self, event: &Event) -> &[Meta] {
        let (at, inputs, outputs) = event.shapes;
        &self.metas[at as usize + inputs as usize..][..outputs as usize]
    }
}

/// An event that has not ended.
struct Frame {
    event: u32,
    /// The scope to go back to.
    outer: u32,
    /// Of the events within it: time, and cost with all within them.
    inner: u64,
    cost: Cost,
    peak: u64,
}

struct Tracer {
    session: u32,
    start: Instant,
    trace: Trace,
    open: Vec<Frame>,
    scope: u32,
    children: HashMap<(u32, u32), u32>,
    known: HashMap<u64, u32>,
    /// Nodes that were made, by sequence number, and where.
    nodes: Vec<(u64, u32)>,
}

thread_local! {
    static TRACER: RefCell<Option<Tracer>> = const { RefCell::new(None) };
}

static SESSIONS: AtomicU32 = AtomicU32::new(0);

/// Runs `f` and notes what runs on this thread.
///
/// ```
/// use cresset_tensor::trace::{trace, Kind};
/// use cresset_tensor::Tensor;
/// let w = Tensor::ones([3]).requires_grad_(true);
/// let ((), trace) = trace(|| (&w * 2.0).sum().backward());
/// let names: Vec<&str> = trace.events.iter().filter(|e| e.kind == Kind::Backward).map(|e| &*e.name).collect();
/// assert_eq!(names, ["SumBackward0", "MulBackward0", "AccumulateGrad"]);
/// ```
///
/// # Panics
/// If `f` does, or a trace is under way on this thread.
#[track_caller]
pub fn trace<R>(f: impl FnOnce() -> R) -> (R, Trace) {
    let tracing = Tracing::start();
    let result = f();
    (result, tracing.stop())
}

/// A trace under way, for what is no function: begun by [`Tracing::start`], ended by [`Tracing::stop`] on the same thread.
#[must_use = "the trace lasts as long as this value"]
pub struct Tracing {
    session: u32,
    // It belongs to one thread.
    _here: std::marker::PhantomData<*const ()>,
}

impl Tracing {
    /// Begins to note what runs on this thread.
    ///
    /// # Panics
    /// If a trace is under way on this thread.
    #[track_caller]
    pub fn start() -> Tracing {
        if TRACER.with(|t| t.borrow().is_some()) {
            error::fail("profile", "a profile is under way on this thread already");
        }
        let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let trace = Trace {
            scopes: vec![Scope { parent: 0, module: u32::MAX }],
            thread: std::thread::current().name().unwrap_or("thread").to_string(),
            live: buffer::lap().0 as u64,
            ..Trace::default()
        };
        let tracer = Tracer {
            session,
            start: Instant::now(),
            trace,
            open: Vec::new(),
            scope: 0,
            children: HashMap::new(),
            known: HashMap::new(),
            nodes: Vec::new(),
        };
        TRACER.with(|t| *t.borrow_mut() = Some(tracer));
        mode::set_tracing(true);
        Tracing { session, _here: std::marker::PhantomData }
    }
    /// Ends it. Events that have not ended (the call stands within a module, say) end here.
    pub fn stop(self) -> Trace {
        TRACER.with(|t| t.borrow_mut().take()).map(Tracer::ended).unwrap_or_default()
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        mode::set_tracing(false);
        let _ = TRACER.try_with(|t| t.borrow_mut().take_if(|t| t.session == self.session));
    }
}

/// An event under way; it ends when this is dropped.
#[must_use = "the event ends when this is dropped"]
pub struct Open {
    session: u32,
    event: u32,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.with(|t| t.close(self.event));
    }
}

impl Open {
    fn with(&self, f: impl FnOnce(&mut Tracer)) {
        let _ = TRACER.try_with(|t| {
            if let Some(t) = t.borrow_mut().as_mut().filter(|t| t.session == self.session) {
                f(t);
            }
        });
    }
    /// An op read and gave these.
    pub fn ran(&self, op: &dyn Op, inputs: &[&Array], outputs: &[&Array]) {
        self.cost(cost::forward(op, inputs, outputs));
        self.moved(inputs.iter().map(|a| *a.meta()), outputs.iter().map(|a| *a.meta()));
    }
    /// It cost this, with all that ran within it.
    pub fn cost(&self, cost: Cost) {
        self.with(|t| t.trace.events[self.event as usize].cost = cost);
    }
    /// It read and gave tensors of these dtypes and shapes.
    pub fn moved(&self, inputs: impl Iterator<Item = Meta>, outputs: impl Iterator<Item = Meta>) {
        self.with(|t| {
            let metas = &mut t.trace.metas;
            let at = metas.len();
            metas.extend(inputs.take(255));
            let read = metas.len() - at;
            metas.extend(outputs.take(255));
            t.trace.events[self.event as usize].shapes = (at as u32, read as u8, (metas.len() - at - read) as u8);
        });
    }
    /// It made a node of the graph: the node's backward belongs where the event does.
    pub(crate) fn made(&self, node: u64) {
        self.with(|t| {
            let scope = t.scope;
            t.nodes.push((node, scope));
        });
    }
    /// Is it the first call of a module whose tree is not known yet?
    #[doc(hidden)]
    pub fn is_new(&self, outermost: bool) -> bool {
        let mut new = false;
        self.with(|t| {
            let module = t.trace.scopes[t.trace.events[self.event as usize].scope as usize].module;
            let name = &t.trace.modules[module as usize];
            new = name.class.is_empty() || outermost && name.root == 0;
        });
        new
    }
    /// Names a module. What stands in a larger tree is named by it.
    #[doc(hidden)]
    pub fn name(&self, id: u64, path: &str, class: &str, root: u64) {
        self.with(|t| {
            let module = t.module(id) as usize;
            let name = &mut t.trace.modules[module];
            if name.class.is_empty() || name.path.is_empty() {
                *name = ModuleName { id, path: path.into(), class: class.into(), root };
            }
        });
    }
}

/// The forward of an op begins.
pub fn op(op: &dyn Op) -> Option<Open> {
    begin(Kind::Op, op.name().into(), None)
}

/// A call of the module `id` begins.
#[cold]
pub(crate) fn module(id: u64) -> Option<Open> {
    let open = begin(Kind::Module, "".into(), None)?;
    open.with(|t| {
        let module = t.module(id);
        t.scope = t.child(t.scope, module);
        t.trace.events[open.event as usize].scope = t.scope;
    });
    Some(open)
}

/// The backward of a node begins.
#[cold]
pub(crate) fn backward(node: &Arc<Node>) -> Option<Open> {
    let scope = TRACER.with(|t| {
        let t = t.borrow();
        let nodes = &t.as_ref()?.nodes;
        nodes.binary_search_by_key(&node.seq(), |(seq, _)| *seq).ok().map(|i| nodes[i].1)
    });
    let open = begin(Kind::Backward, node.name().into(), scope)?;
    let inputs: Vec<(Meta, bool)> =
        node.inputs().iter().zip(node.edges()).map(|(m, edge)| (*m, edge.is_some())).collect();
    open.cost(cost::backward(&*node.op, &inputs, node.outputs()));
    open.moved(node.outputs().iter().copied(), inputs.iter().filter(|(_, wants)| *wants).map(|(m, _)| *m));
    Some(open)
}

/// A gradient reaches its leaf.
#[cold]
pub(crate) fn accumulate(grad: &Tensor) -> Option<Open> {
    let open = begin(Kind::Backward, "AccumulateGrad".into(), None)?;
    open.moved(std::iter::once(grad.meta()), std::iter::empty());
    Some(open)
}

/// Is this thread traced?
#[inline]
pub fn is_tracing() -> bool {
    mode::is_tracing()
}

/// A call of an optimizer begins: `Optimizer.step#Adam.step`. `None` where nothing is traced.
#[inline]
pub fn optimizer(what: &str, name: &str) -> Option<Open> {
    if !mode::is_tracing() {
        return None;
    }
    begin(Kind::Optimizer, format!("Optimizer.{what}#{name}.{what}").into(), None)
}

/// Begins a part of the program that bears a name until the value is dropped (`with torch.profiler.record_function(name):`). `None`, and at no cost,
/// where nothing is traced.
///
/// ```
/// use cresset_tensor::{trace, Tensor};
/// let (_, trace) = trace::trace(|| {
///     let _span = trace::span("my part");
///     Tensor::ones([2]).sum()
/// });
/// assert_eq!((&*trace.events[0].name, trace.events[1].parent), ("my part", Some(0)));
/// ```
#[inline]
pub fn span(name: &'static str) -> Option<Open> {
    if !mode::is_tracing() {
        return None;
    }
    begin(Kind::Span, name.into(), None)
}

/// Begins an event of computing that is no op of its own, like a fused group of ops, of the last of these modules, each of which stands within the one before it
/// and the first within the one that is running. `name` is asked only where something is traced.
#[inline]
pub fn computing(modules: &[u64], name: impl FnOnce() -> String) -> Option<Open> {
    if !mode::is_tracing() {
        return None;
    }
    let scope = TRACER.with(|t| {
        let mut t = t.borrow_mut();
        let t = t.as_mut()?;
        Some(modules.iter().fold(t.scope, |scope, id| {
            let module = t.module(*id);
            t.child(scope, module)
        }))
    });
    begin(Kind::Op, name().into(), scope)
}

#[cold]
fn begin(kind: Kind, name: Cow<'static, str>, scope: Option<u32>) -> Option<Open> {
    TRACER.with(|t| {
        let mut t = t.borrow_mut();
        let t = t.as_mut()?;
        let event = t.begin(kind, name, scope);
        Some(Open { session: t.session, event })
    })
}

impl Tracer {
    fn begin(&mut self, kind: Kind, name: Cow<'static, str>, scope: Option<u32>) -> u32 {
        let (live, peak) = buffer::lap();
        if let Some(frame) = self.open.last_mut() {
            frame.peak = frame.peak.max(peak as u64);
        }
        let event = self.trace.events.len() as u32;
        let outer = self.scope;
        self.scope = scope.unwrap_or(outer);
        let parent = self.open.last().map(|f| f.event);
        self.open.push(Frame { event, outer, inner: 0, cost: Cost::default(), peak: live as u64 });
        self.trace.events.push(Event {
            kind,
            name,
            begin: 0,
            end: 0,
            own: 0,
            parent,
            scope: self.scope,
            cost: Cost::default(),
            live: live as u64,
            allocated: 0,
            peak: 0,
            shapes: (0, 0, 0),
        });
        // Last, so that the noting belongs to the event around.
        self.trace.events[event as usize].begin = self.now();
        event
    }

    /// Ends an event, and what began within it and did not end.
    fn close(&mut self, event: u32) {
        if !self.open.iter().any(|f| f.event == event) {
            return;
        }
        let now = self.now();
        let (live, peak) = buffer::lap();
        while let Some(frame) = self.open.pop() {
            let peak = frame.peak.max(peak as u64);
            let e = &mut self.trace.events[frame.event as usize];
            e.end = now;
            e.own = (now - e.begin).saturating_sub(frame.inner);
            // What an op is said to cost contains the ops that it ran itself.
            let all = Cost { flops: e.cost.flops.max(frame.cost.flops), bytes: e.cost.bytes.max(frame.cost.bytes) };
            e.cost = Cost { flops: all.flops - frame.cost.flops, bytes: all.bytes - frame.cost.bytes };
            e.allocated = live as i64 - e.live as i64;
            e.peak = peak;
            let total = e.total();
            self.scope = frame.outer;
            if let Some(outer) = self.open.last_mut() {
                outer.inner += total;
                outer.cost.flops += all.flops;
                outer.cost.bytes += all.bytes;
                outer.peak = outer.peak.max(peak);
            }
            if frame.event == event {
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn ended(mut self) -> Trace {
        if let Some(outermost) = self.open.first().map(|f| f.event) {
            self.close(outermost);
        }
        self.trace.length = self.now();
        self.trace
    }

    fn module(&mut self, id: u64) -> u32 {
        let modules = &mut self.trace.modules;
        *self.known.entry(id).or_insert_with(|| {
            modules.push(ModuleName { id, ..ModuleName::default() });
            modules.len() as u32 - 1
        })
    }

    fn child(&mut self, parent: u32, module: u32) -> u32 {
        let scopes = &mut self.trace.scopes;
        *self.children.entry((parent, module)).or_insert_with(|| {
            scopes.push(Scope { parent, module });
            scopes.len() as u32 - 1
        })
    }
}
