//! A recorded op: where its gradients go, and what it saved for its backward.

use super::mode;
use crate::array::{Array, Meta};
use crate::error;
use crate::op::{Few, Op, Run, Saves};
use crate::tensor::{Tensor, WeakTensor};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the gradient of an input goes on.
#[derive(Clone)]
pub enum Edge {
    /// To a leaf's `.grad`.
    Leaf(Tensor),
    /// To output `.1` of the op that made the input.
    Node(Arc<Node<dyn Op>>, u32),
}

pub(crate) struct Slot {
    pub edge: Option<Edge>,
    pub meta: Meta,
}

/// One recorded run of an op.
pub struct Node<O: Op + ?Sized> {
    /// Position in the order of recording; backward goes down it.
    pub(crate) seq: u64,
    pub(crate) inputs: SmallVec<[Slot; 3]>,
    pub(crate) outputs: Few<Meta>,
    pub(crate) location: &'static Location<'static>,
    pub(crate) state: Mutex<State>,
    /// The op itself.
    pub op: O,
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

#[derive(Clone, Default)]
pub(crate) struct Saved {
    inputs: SmallVec<[Option<SavedInput>; 3]>,
    outputs: Few<Option<SavedOutput>>,
}
#[derive(Clone)]
struct SavedInput {
    tensor: Tensor,
    array: Array,
    version: u32,
}
#[derive(Clone)]
struct SavedOutput {
    array: Array,
    version: u32,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Records a run of `op`. The graph is written nowhere else.
#[track_caller]
pub(crate) fn record<O: Op>(op: O, inputs: &[&Tensor], run: &Run) -> Arc<Node<dyn Op>> {
    let parts = Parts::of(op.saves(), inputs, &run.inputs, &run.outputs, 0);
    Arc::new(parts.with(op))
}

/// The same for an in-place op: its output's version will be one higher once it is written.
#[track_caller]
pub(crate) fn record_inplace<O: Op>(op: O, inputs: &[&Tensor], run: &Run) -> Arc<Node<dyn Op>> {
    // The result moves into the target's memory, so what is saved of it is the target itself.
    let mut parts = Parts::of(op.saves(), inputs, &run.inputs, &run.inputs[..1], 1);
    parts.outputs = [*run.outputs[0].meta()].into();
    Arc::new(parts.with(op))
}

/// A node without its op.
struct Parts {
    inputs: SmallVec<[Slot; 3]>,
    outputs: Few<Meta>,
    saved: Saved,
    location: &'static Location<'static>,
}

impl Parts {
    #[track_caller]
    #[inline(never)]
    fn of(saves: Saves, inputs: &[&Tensor], arrays: &[Array], outs: &[Array], ahead: u32) -> Parts {
        let mut saved = Saved::default();
        if saves.inputs != 0 {
            for (i, (t, a)) in inputs.iter().zip(arrays).enumerate() {
                saved.inputs.push((saves.inputs >> i & 1 != 0).then(|| SavedInput {
                    tensor: (*t).clone(),
                    array: a.clone(),
                    version: a.storage.version(),
                }));
            }
        }
        if saves.outputs != 0 {
            for (i, a) in outs.iter().enumerate() {
                let version = a.storage.version() + ahead;
                saved.outputs.push((saves.outputs >> i & 1 != 0).then(|| SavedOutput { array: a.clone(), version }));
            }
        }
        let mut slots = SmallVec::new();
        for (t, a) in inputs.iter().zip(arrays) {
            slots.push(Slot { edge: t.edge(), meta: *a.meta() });
        }
        let mut outputs = Few::new();
        for a in outs {
            outputs.push(*a.meta());
        }
        Parts { inputs: slots, outputs, saved, location: Location::caller() }
    }

    #[inline]
    fn with<O: Op>(self, op: O) -> Node<O> {
        Node {
            seq: NEXT.fetch_add(1, Ordering::Relaxed),
            inputs: self.inputs,
            outputs: self.outputs,
            location: self.location,
            state: Mutex::new(State { saved: Some(self.saved), hooks: None }),
            op,
        }
    }
}

impl<O: Op + ?Sized> Node<O> {
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// PyTorch's name of it: `AddBackward0`.
    pub fn name(&self) -> String {
        self.op.grad_name()
    }
    /// Where its gradients go on, by input.
    pub fn edges(&self) -> impl Iterator<Item = Option<&Edge>> {
        self.inputs.iter().map(|s| s.edge.as_ref())
    }
    /// Its position in the order of recording.
    pub fn seq(&self) -> u64 {
        self.seq
    }
}

/// What backward may look at: the saved inputs and outputs, the shapes, and which gradients are wanted.
pub struct Context<'a> {
    node: &'a Arc<Node<dyn Op>>,
    saved: &'a Saved,
    pub(crate) extra: RefCell<Vec<(Tensor, Tensor)>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(node: &'a Arc<Node<dyn Op>>, saved: &'a Saved) -> Context<'a> {
        Context { node, saved, extra: RefCell::new(Vec::new()) }
    }
    /// The saved input `i`, connected to the graph it came from.
    ///
    /// # Panics
    /// If it was changed in place since forward, or was not saved.
    #[track_caller]
    pub fn input(&self, i: usize) -> Tensor {
        let s = self.saved.inputs.get(i).and_then(Option::as_ref);
        let s = s.unwrap_or_else(|| panic!("{} did not save input {i}", self.node.op.name()));
        self.check(&s.array, s.version);
        if s.tensor.array().same_storage(&s.array) {
            s.tensor.clone()
        } else {
            // The tensor has been given other numbers (`set_data`); backward is about those that forward saw.
            Tensor::from_array(s.array.clone())
        }
    }
    /// The numbers of the saved input `i`, without graph.
    #[track_caller]
    pub fn input_array(&self, i: usize) -> Array {
        let s = self.saved.inputs.get(i).and_then(Option::as_ref);
        let s = s.unwrap_or_else(|| panic!("{} did not save input {i}", self.node.op.name()));
        self.check(&s.array, s.version);
        s.array.clone()
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
        let s = self.saved.outputs.get(i).and_then(Option::as_ref);
        let s = s.unwrap_or_else(|| panic!("{} did not save output {i}", self.node.op.name()));
        self.check(&s.array, s.version);
        s.array.clone()
    }
    /// dtype and shape of input `i`.
    pub fn input_meta(&self, i: usize) -> &Meta {
        &self.node.inputs[i].meta
    }
    /// dtype and shape of output `i`.
    pub fn output_meta(&self, i: usize) -> &Meta {
        &self.node.outputs[i]
    }
    /// The number of inputs.
    pub fn num_inputs(&self) -> usize {
        self.node.inputs.len()
    }
    /// Is the gradient of input `i` wanted?
    #[inline]
    pub fn needs(&self, i: usize) -> bool {
        self.node.inputs[i].edge.is_some()
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

    #[track_caller]
    fn check(&self, array: &Array, version: u32) {
        let now = array.storage.version();
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
    }
}

// Graphs may be 150,000 nodes deep, so dropping one must not recurse: a node that dies hands its edges and saved tensors to the loop of the
// outermost drop on this thread.
type Remains = (SmallVec<[Slot; 3]>, Option<Saved>);
thread_local! {
    static DYING: RefCell<Vec<Remains>> = const { RefCell::new(Vec::new()) };
    static LOOPING: Cell<bool> = const { Cell::new(false) };
}

impl<O: Op + ?Sized> Drop for Node<O> {
    fn drop(&mut self) {
        let saved = self.state.get_mut().unwrap_or_else(PoisonError::into_inner).saved.take();
        let inputs = std::mem::take(&mut self.inputs);
        bury((inputs, saved));
    }
}

pub(crate) fn bury_saved(saved: Saved) {
    bury((SmallVec::new(), Some(saved)));
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

/// `leaky_relu` becomes `LeakyRelu`.
pub(crate) fn camel_case(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect()
}
