//! A recorded op: where its gradients go, and what it saved for its backward.

use super::mode;
use crate::array::{Array, Meta};
use crate::error;
use crate::op::{Op, Run};
use crate::tensor::{Tensor, WeakTensor};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the gradient of an input goes on.
#[derive(Clone)]
pub enum Edge {
    /// To a leaf's `.grad`.
    Leaf(Tensor),
    /// To output `.1` of the op that made the input.
    Node(Arc<Node>, u32),
}

/// For each input of a node the edge, if it wants a gradient.
pub(crate) type Edges = SmallVec<[Option<Edge>; 3]>;

/// One recorded run of an op.
// The op stands behind a pointer, so that no text need be compiled for each type of op (a box of an op without fields costs nothing). The layouts of up to four inputs and
// outputs lie in the node: to copy them with it takes less than another allocation.
pub struct Node {
    /// Position in the order of recording; backward goes down it.
    pub(crate) seq: u64,
    edges: Edges,
    /// Of the inputs, then of the outputs.
    metas: SmallVec<[Meta; 4]>,
    pub(crate) location: &'static Location<'static>,
    /// Were there ever hooks? A look at it spares a lock.
    hooked: AtomicBool,
    pub(crate) state: Mutex<State>,
    /// The op itself.
    pub op: Box<dyn Op>,
}

pub(crate) struct State {
    /// None once backward has freed it.
    pub saved: Option<Saved>,
    pub hooks: Option<Box<NodeHooks>>,
}

/// Hooks of the outputs of a node, by output number.
#[derive(Default)]
pub(crate) struct NodeHooks {
    pub tensor: Vec<(u32, u64, TensorHook)>,
    pub retain: Vec<(u32, WeakTensor)>,
}
/// A tensor hook: sees the gradient and may replace it.
pub(crate) type TensorHook = Arc<dyn Fn(&Tensor) -> Option<Tensor> + Send + Sync>;

/// The inputs and outputs that backward reads.
pub(crate) type Saved = SmallVec<[Kept; 2]>;

/// One of them.
#[derive(Clone)]
pub(crate) struct Kept {
    place: Place,
    version: u32,
    array: Array,
    /// Of an input, for a backward that is recorded.
    tensor: Option<Tensor>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Input(u16),
    Output(u16),
}

impl Kept {
    fn input(i: usize, tensor: Tensor, array: &Array) -> Kept {
        let version = array.storage().version();
        Kept { place: Place::Input(i as u16), version, array: array.clone(), tensor: Some(tensor) }
    }
    fn output(i: usize, array: &Array) -> Kept {
        let version = array.storage().version();
        Kept { place: Place::Output(i as u16), version, array: array.clone(), tensor: None }
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Records a run of `op`. The graph is written nowhere else.
#[track_caller]
pub(crate) fn record(op: Box<dyn Op>, inputs: &[&Tensor], run: &mut Run) -> Arc<Node> {
    let saved = saved(&*op, inputs, run, &run.outputs, 0);
    node(op, saved, run)
}

/// The same for an in-place op: its output's version will be one higher once it is written.
#[track_caller]
pub(crate) fn record_inplace(op: Box<dyn Op>, inputs: &[&Tensor], run: &mut Run) -> Arc<Node> {
    // The result moves into the target's memory, so what is saved of it is the target itself.
    let saved = saved(&*op, inputs, run, &run.inputs[..1], 1);
    node(op, saved, run)
}

/// What backward reads; `outputs` will be `ahead` versions further.
fn saved(op: &dyn Op, inputs: &[&Tensor], run: &Run, outputs: &[Array], ahead: u32) -> Saved {
    let saves = op.saves();
    let mut saved = Saved::new();
    if saves.inputs != 0 {
        for (i, (tensor, array)) in inputs.iter().zip(&run.inputs).enumerate() {
            if saves.inputs >> i & 1 != 0 {
                saved.push(Kept::input(i, Tensor::clone(tensor), array));
            }
        }
    }
    if saves.outputs != 0 {
        for (i, array) in outputs.iter().enumerate() {
            if saves.outputs >> i & 1 != 0 {
                saved.push(Kept { version: array.storage().version() + ahead, ..Kept::output(i, array) });
            }
        }
    }
    saved
}

#[track_caller]
fn node(op: Box<dyn Op>, saved: Saved, run: &mut Run) -> Arc<Node> {
    // A checkpoint is recorded even if its input needs no gradient.
    run.edges.resize_with(run.inputs.len(), || None);
    let mut metas = SmallVec::new();
    for array in run.inputs.iter().chain(&run.outputs) {
        metas.push(*array.meta());
    }
    new(NEXT.fetch_add(1, Ordering::Relaxed), std::mem::take(&mut run.edges), metas, saved, op)
}

#[track_caller]
fn new(seq: u64, edges: Edges, metas: SmallVec<[Meta; 4]>, saved: Saved, op: Box<dyn Op>) -> Arc<Node> {
    let state = Mutex::new(State { saved: Some(saved), hooks: None });
    Arc::new(Node { seq, edges, metas, location: Location::caller(), hooked: AtomicBool::new(false), state, op })
}

/// A node that stands in no graph, for a backward that is run by itself.
pub(crate) fn alone(
    op: Box<dyn Op>,
    inputs: &[(Meta, Option<Array>)],
    outputs: &[(Meta, Option<Array>)],
    needs: &[bool],
) -> Arc<Node> {
    let mut saved = Saved::new();
    for (i, (_, array)) in inputs.iter().enumerate() {
        saved.extend(array.iter().map(|a| Kept::input(i, Tensor::from_array(a.clone()), a)));
    }
    for (i, (_, array)) in outputs.iter().enumerate() {
        saved.extend(array.iter().map(|a| Kept::output(i, a)));
    }
    // Only whether there is an edge is looked at (`Context::needs`).
    let nowhere = Tensor::from_array(Array::shell(Meta::new(crate::DType::F32, [0])));
    let wants = |i: usize| needs.get(i).copied().unwrap_or(false).then(|| Edge::Leaf(nowhere.clone()));
    let metas = inputs.iter().chain(outputs).map(|(meta, _)| *meta).collect();
    new(0, (0..inputs.len()).map(wants).collect(), metas, saved, op)
}

impl Node {
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The hooks, to which some will be added.
    pub(crate) fn hooks_of<'a>(&self, state: &'a mut State) -> &'a mut NodeHooks {
        self.hooked.store(true, Ordering::Release);
        state.hooks.get_or_insert_with(Box::default)
    }
    #[inline]
    pub(crate) fn has_hooks(&self) -> bool {
        self.hooked.load(Ordering::Acquire)
    }
    /// PyTorch's name of it: `AddBackward0`.
    pub fn name(&self) -> String {
        self.op.grad_name()
    }
    /// Where its gradients go on, by input.
    pub fn edges(&self) -> impl Iterator<Item = Option<&Edge>> {
        self.edges.iter().map(Option::as_ref)
    }
    /// dtype and shape of its inputs.
    #[inline]
    pub(crate) fn inputs(&self) -> &[Meta] {
        &self.metas[..self.edges.len()]
    }
    /// dtype and shape of its outputs.
    #[inline]
    pub(crate) fn outputs(&self) -> &[Meta] {
        &self.metas[self.edges.len()..]
    }
    /// Its position in the order of recording.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

/// What backward may look at: the saved inputs and outputs, the shapes, and which gradients are wanted.
pub struct Context<'a> {
    node: &'a Arc<Node>,
    saved: &'a Saved,
    pub(crate) extra: RefCell<Vec<(Tensor, Tensor)>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(node: &'a Arc<Node>, saved: &'a Saved) -> Context<'a> {
        Context { node, saved, extra: RefCell::new(Vec::new()) }
    }
    /// The saved input `i`, connected to the graph it came from.
    ///
    /// # Panics
    /// If it was changed in place since forward, or was not saved.
    #[track_caller]
    pub fn input(&self, i: usize) -> Tensor {
        let kept = self.kept(Place::Input(i as u16));
        match &kept.tensor {
            Some(tensor) if tensor.array().same_storage(&kept.array) => tensor.clone(),
            // The tensor has been given other numbers (`set_data`); backward is about those that forward saw.
            _ => Tensor::from_array(kept.array.clone()),
        }
    }
    /// The numbers of the saved input `i`, without graph.
    #[track_caller]
    pub fn input_array(&self, i: usize) -> Array {
        self.input_numbers(i).clone()
    }
    #[track_caller]
    #[inline]
    pub(crate) fn input_numbers(&self, i: usize) -> &Array {
        &self.kept(Place::Input(i as u16)).array
    }
    /// The saved output `i`, connected to this op.
    #[track_caller]
    pub fn output(&self, i: usize) -> Tensor {
        let array = self.output_array(i);
        Tensor::from_op(array, mode::is_grad_enabled().then(|| (self.node.clone(), i as u32)), false)
    }
    /// The numbers of the saved output `i`, without graph.
    #[track_caller]
    pub fn output_array(&self, i: usize) -> Array {
        self.output_numbers(i).clone()
    }
    #[track_caller]
    #[inline]
    pub(crate) fn output_numbers(&self, i: usize) -> &Array {
        &self.kept(Place::Output(i as u16)).array
    }
    /// dtype and shape of input `i`.
    pub fn input_meta(&self, i: usize) -> &Meta {
        &self.node.inputs()[i]
    }
    /// dtype and shape of output `i`.
    pub fn output_meta(&self, i: usize) -> &Meta {
        &self.node.outputs()[i]
    }
    /// The number of inputs.
    pub fn num_inputs(&self) -> usize {
        self.node.edges.len()
    }
    /// Is the gradient of input `i` wanted?
    #[inline]
    pub fn needs(&self, i: usize) -> bool {
        self.node.edges[i].is_some()
    }
    /// Will the gradients be differentiated again? Fused formulas that cannot be must then be written in tensor operations.
    #[inline]
    pub fn create_graph(&self) -> bool {
        mode::is_grad_enabled()
    }
    /// Lets backward go on from `output` with gradient `grad`, as if it stood in the graph here. `output` must have been made during this
    /// backward (checkpointing does so).
    pub fn continue_from(&self, output: Tensor, grad: Tensor) {
        self.extra.borrow_mut().push((output, grad));
    }

    /// What was saved of an input or output, unless it was changed since.
    #[track_caller]
    fn kept(&self, place: Place) -> &Kept {
        let Some(kept) = self.saved.iter().find(|k| k.place == place) else {
            let (what, i) = match place {
                Place::Input(i) => ("input", i),
                Place::Output(i) => ("output", i),
            };
            panic!("{} did not save {what} {i}", self.node.op.name())
        };
        let (array, version, now) = (&kept.array, kept.version, kept.array.storage().version());
        if now != version {
            error::fail(
                self.node.op.name(),
                format!(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.{}Tensor {:?}], saved for {}, is at version {now}; expected version {version} instead. The forward call was at {}:{}",
                    array.dtype().scalar_name(),
                    &array.shape()[..],
                    self.node.name(),
                    self.node.location.file(),
                    self.node.location.line(),
                ),
            );
        }
        kept
    }
}

// Graphs may be 150,000 nodes deep, so dropping one must not recurse: a node that dies hands its edges and saved tensors to the loop of the
// outermost drop on this thread.
type Remains = (Edges, Option<Saved>);
thread_local! {
    static DYING: RefCell<Vec<Remains>> = const { RefCell::new(Vec::new()) };
    static LOOPING: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Node {
    fn drop(&mut self) {
        let saved = self.state.get_mut().unwrap_or_else(PoisonError::into_inner).saved.take();
        bury((std::mem::take(&mut self.edges), saved));
    }
}

pub(crate) fn bury_saved(saved: Saved) {
    bury((Edges::new(), Some(saved)));
}

fn bury(remains: Remains) {
    if LOOPING.try_with(Cell::get).unwrap_or(false) {
        let mut remains = Some(remains);
        let _ = DYING.try_with(|d| d.borrow_mut().push(remains.take().expect("once")));
        return;
    }
    if LOOPING.try_with(|l| l.set(true)).is_err() {
        return; // the thread is ending; what is left of its graphs is shallow or dropped by other threads
    }
    drop(remains);
    while let Some(next) = DYING.with(|d| d.borrow_mut().pop()) {
        drop(next);
    }
    LOOPING.with(|l| l.set(false));
}

/// The name of an op's node that most have: `LeakyReluBackward0`.
pub(crate) fn usual_name(op: &str) -> String {
    // What PyTorch makes another op of, and one that it spells its own way.
    let known = match op {
        "square" => "Pow",
        "relu6" => "Hardtanh",
        "log1p" => "Log1P",
        _ => return camel_case(op) + "Backward0",
    };
    format!("{known}Backward0")
}

/// `leaky_relu` becomes `LeakyRelu`.
pub(crate) fn camel_case(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect()
}
