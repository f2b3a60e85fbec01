//! Recording a run: the ops it makes, in order, and the tensors they pass on.
//!
//! [`record`] runs a function and gives its result with a [`Recording`], from which a compiler, an exporter or a profiler can work. What the
//! recording would not repeat faithfully (a number that was read to decide the way, a tensor that was made by no op, memory changed behind
//! the ops' back) makes it fail with one sentence.

use crate::array::Array;
use crate::autograd::mode;
use crate::error::{self, ModuleScope};
use crate::op::Op;
use crate::random::Generator;
use crate::storage::Storage;
use crate::tensor::Tensor;
use cresset_kernels::rng::GeneratorState;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where a value of a recording comes from.
#[derive(Clone)]
pub enum Origin {
    /// It is an output of a step.
    Step {
        /// The step.
        step: usize,
        /// Which of its outputs.
        output: usize,
    },
    /// It existed before the run: an input, a parameter, a buffer, or whatever else the function holds.
    Outside(Tensor),
    /// The run made it from plain numbers (`zeros`, `full`, `from_slice`, `arange` ...).
    Constant(Tensor),
}

/// Why a run was not recorded.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The sentence.
    pub why: String,
    /// The modules that were running when it happened, outermost first, by [`ModuleScope`]'s numbers.
    pub modules: Vec<u64>,
}

impl Refusal {
    fn here(why: String) -> Refusal {
        Refusal { why, modules: ModuleScope::running() }
    }
}

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal { why, modules: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// One run of an op.
pub struct Step {
    /// The op.
    pub op: Arc<dyn Op>,
    /// The values it read.
    pub inputs: Vec<usize>,
    /// The values it gave.
    pub outputs: Vec<usize>,
    /// Was autograd recording?
    pub grad: bool,
    /// For an in-place op: it wrote its result into the memory of its first input. That is said only of tensors from outside; changes of
    /// tensors that the run made itself are recorded as new values.
    pub writes: bool,
    /// Must it be run exactly as often and in the order it was, because it draws random numbers or changes something beside its outputs?
    pub effects: bool,
    /// The modules that were running, outermost first, by [`ModuleScope`]'s numbers.
    pub modules: Vec<u64>,
}

/// What a run did.
pub struct Recording {
    /// Where each value comes from.
    pub values: Vec<Origin>,
    /// The numbers of each value in this run.
    pub arrays: Vec<Array>,
    /// The ops, in order.
    pub steps: Vec<Step>,
    known: HashMap<usize, Known>,
}

impl Recording {
    /// The value that a tensor stands for: a result of the recorded run, or something it read. `None` for a tensor that it never met.
    pub fn value_of(&self, tensor: &Tensor) -> Option<usize> {
        match self.known.get(&tensor.id()) {
            Some(Known::Value(v)) => Some(*v),
            _ => None,
        }
    }
    /// Did the run make this tensor, which no op met, from plain numbers?
    pub fn is_constant(&self, tensor: &Tensor) -> bool {
        matches!(self.known.get(&tensor.id()), Some(Known::Constant))
    }
    /// Did the run make this tensor, which no op met, in a way that cannot be repeated?
    pub fn is_unknown(&self, tensor: &Tensor) -> bool {
        matches!(self.known.get(&tensor.id()), Some(Known::Made))
    }
}

#[derive(Clone, Copy)]
enum Known {
    Value(usize),
    /// Made during the run from plain numbers, not used yet.
    Constant,
    /// Made during the run by something that is no op.
    Made,
}

/// What is said of a tensor that a run made in a way that cannot be repeated ([`Recording::is_unknown`]).
pub const UNKNOWN: &str = "a tensor was made by a function that is not recorded as an op (random numbers, or numbers read from other tensors)";

struct Recorder {
    recording: Recording,
    /// The version of each value's memory when it was recorded or last changed by a recorded op.
    versions: HashMap<*const Storage, (Array, u32)>,
    /// Values that an in-place op has replaced.
    superseded: Vec<usize>,
    problem: Option<Refusal>,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Runs `f` and records its ops on this thread.
///
/// The error says what could not be recorded. `f` was run to its end all the same, and what it changed is changed.
///
/// ```
/// use cresset_tensor::{record::record, Tensor};
/// let x = Tensor::from_slice(&[1.0f32, -2.0]);
/// let (y, recording) = record(|| (&x * 2.0).relu()).unwrap();
/// assert_eq!(y.to_vec::<f32>(), [2.0, 0.0]);
/// let names: Vec<_> = recording.steps.iter().map(|s| s.op.name()).collect();
/// assert_eq!(names, ["mul", "relu"]);
/// assert!(record(|| x.sum().item::<f32>() > 0.0).is_err());
/// ```
///
/// # Panics
/// If `f` does, or a recording is under way on this thread.
#[track_caller]
pub fn record<R>(f: impl FnOnce() -> R) -> Result<(R, Recording), Refusal> {
    struct Stop;
    impl Drop for Stop {
        fn drop(&mut self) {
            RECORDER.with(|r| r.borrow_mut().take());
        }
    }
    if mode::is_recording() {
        error::fail("record", "a recording is under way on this thread already");
    }
    let recording = Recording { values: vec![], arrays: vec![], steps: vec![], known: HashMap::new() };
    RECORDER.with(|r| {
        *r.borrow_mut() = Some(Recorder { recording, versions: HashMap::new(), superseded: vec![], problem: None })
    });
    let stop = Stop;
    let result = {
        let _mode = mode::recording_guard();
        f()
    };
    let mut recorder = RECORDER.with(|r| r.borrow_mut().take()).expect("it was put there above");
    drop(stop);
    if recorder.problem.is_none()
        && let Some((changed, _)) = recorder.versions.values().find(|(a, version)| a.storage().version() != *version)
    {
        let value = recorder.recording.arrays.iter().position(|a| a.same_storage(changed));
        let shape = value.map(|v| format!(" of shape {:?}", &recorder.recording.arrays[v].shape()[..]));
        let shape = shape.unwrap_or_default();
        recorder.problem =
            Some(Refusal::from(format!("the memory of a tensor{shape} was changed by something that is no op")));
    }
    match recorder.problem {
        Some(problem) => Err(problem),
        None => Ok((result, recorder.recording)),
    }
}

/// Is a recording under way on this thread?
#[inline]
pub fn is_recording() -> bool {
    mode::is_recording()
}

/// Says that what is happening cannot be recorded; the first sentence counts. Does nothing outside a recording.
pub fn refuse(why: impl FnOnce() -> String) {
    if mode::is_recording() {
        with(|r| {
            if r.problem.is_none() {
                r.problem = Some(Refusal::here(why()));
            }
        });
    }
}

/// What a function of the library does depends on the numbers that it is about to read: the number of its results, or which op it runs.
#[inline]
pub(crate) fn depends(name: &'static str) {
    refuse(|| format!("{name}: what it gives depends on the numbers that it reads, which are others in the next run"));
}

/// The numbers of a tensor were read by something that is no op.
#[cold]
#[track_caller]
pub(crate) fn read() {
    let at = std::panic::Location::caller();
    refuse(|| format!("the numbers of a tensor were read outside an op ({}:{})", at.file(), at.line()));
}

fn with<T: Default>(f: impl FnOnce(&mut Recorder) -> T) -> T {
    RECORDER.with(|r| r.borrow_mut().as_mut().map(f)).unwrap_or_default()
}

/// A tensor was made by something that is no op (or will be named an op's output right after this).
#[cold]
pub(crate) fn made(tensor: &Tensor) {
    let id = tensor.id();
    with(|r| {
        r.recording.known.insert(id, Known::Made);
    });
}

/// A tensor was made from plain numbers.
#[inline]
pub(crate) fn constant(tensor: Tensor) -> Tensor {
    if mode::is_recording() {
        let id = tensor.id();
        with(|r| {
            r.recording.known.insert(id, Known::Constant);
        });
    }
    tensor
}

/// The state of the default stream of random numbers, to see whether an op draws.
fn stream() -> Box<GeneratorState> {
    Box::new(Generator::default_generator().lock().clone())
}

impl Recorder {
    fn value(&mut self, tensor: &Tensor) -> usize {
        let origin = match self.recording.known.get(&tensor.id()) {
            Some(Known::Value(v)) => return *v,
            Some(Known::Constant) => Origin::Constant(tensor.clone()),
            Some(Known::Made) => {
                self.problem.get_or_insert_with(|| Refusal::here(UNKNOWN.into()));
                Origin::Constant(tensor.clone())
            }
            None => Origin::Outside(tensor.clone()),
        };
        self.push(tensor, origin)
    }
    fn push(&mut self, tensor: &Tensor, origin: Origin) -> usize {
        let array = tensor.array_unseen();
        let version = array.storage().version();
        self.versions.entry(array.storage()).or_insert_with(|| (array.clone(), version));
        let v = self.recording.values.len();
        self.recording.values.push(origin);
        self.recording.arrays.push(array);
        self.recording.known.insert(tensor.id(), Known::Value(v));
        v
    }
    fn step(&mut self, op: Arc<dyn Op>, inputs: Vec<usize>, effects: bool, writes: bool) -> usize {
        self.recording.steps.push(Step {
            op,
            inputs,
            outputs: vec![],
            grad: mode::is_grad_enabled(),
            writes,
            effects,
            modules: ModuleScope::running(),
        });
        self.recording.steps.len() - 1
    }
    fn output(&mut self, step: usize, tensor: &Tensor) {
        let output = self.recording.steps[step].outputs.len();
        let v = self.push(tensor, Origin::Step { step, output });
        self.recording.steps[step].outputs.push(v);
    }
}

/// What is noted of an op's run: the values it read, and whether it drew random numbers.
pub(crate) struct Noted {
    inputs: Vec<usize>,
    stream: Option<Box<GeneratorState>>,
    drew: bool,
}

/// Notes the inputs of an op before it runs.
pub(crate) fn note(inputs: &[&Tensor], inplace: bool) -> Noted {
    let inputs: Vec<usize> = with(|r| inputs.iter().map(|t| r.value(t)).collect());
    if inplace {
        keep_constant(inputs.first());
    }
    Noted { inputs, stream: Some(stream()), drew: false }
}

impl Noted {
    /// The op has run.
    pub(crate) fn done(&mut self) {
        self.drew = self.stream.take().is_some_and(|before| *Generator::default_generator().lock() != *before);
    }
    /// It gave these tensors.
    pub(crate) fn ran(self, op: &Arc<dyn Op>, outputs: &[Tensor]) {
        ran(op, self.inputs, outputs, self.drew);
    }
    /// It changed its first input.
    pub(crate) fn ran_inplace(self, op: &Arc<dyn Op>, target: &Tensor) {
        ran_inplace(op, self.inputs, target, self.drew);
    }
}

/// An op was run.
fn ran(op: &Arc<dyn Op>, inputs: Vec<usize>, outputs: &[Tensor], drew: bool) {
    with(|r| {
        let step = r.step(op.clone(), inputs, drew || op.effects(), false);
        outputs.iter().for_each(|t| r.output(step, t));
    });
}

/// Before an op changes a constant in place: what was recorded of the constant are its numbers now.
fn keep_constant(value: Option<&usize>) {
    let Some(&v) = value else { return };
    let array = with(|r| match &r.recording.values[v] {
        Origin::Constant(_) => Some(r.recording.arrays[v].clone()),
        _ => None,
    });
    if let Some(array) = array {
        let _pause = mode::pause_recording();
        let copy = Tensor::from_array(array.copy());
        with(|r| r.recording.values[v] = Origin::Constant(copy));
    }
}

/// An op was run in place on its first input.
fn ran_inplace(op: &Arc<dyn Op>, inputs: Vec<usize>, target: &Tensor, drew: bool) {
    with(|r| {
        let Some(&first) = inputs.first() else { return };
        let outside = matches!(r.recording.values[first], Origin::Outside(_));
        let array = target.array_unseen();
        let mut all = r.recording.arrays.iter().enumerate();
        let others = all.any(|(v, a)| v != first && a.same_storage(&array) && !r.superseded.contains(&v));
        if others {
            r.problem.get_or_insert_with(|| {
                Refusal::here(format!(
                    "{}: an in-place operation on memory that another tensor shares (a view, or a detached tensor)",
                    op.name()
                ))
            });
        }
        let step = r.step(op.clone(), inputs, drew || outside || op.effects(), outside);
        r.output(step, target);
        r.superseded.push(first);
        let version = array.storage().version();
        r.versions.insert(array.storage(), (array.clone(), version));
    });
}

/// Writes what an in-place op computed over its target's numbers, as a recorded [`Step`] that [writes](Step::writes) did.
pub fn write(target: &Array, result: Array) {
    crate::kernels::overwrite(target, result);
}

/// A tensor without the history of another was made over the same numbers.
pub(crate) fn detached(from: &Tensor, to: &Tensor) {
    let op: Arc<dyn Op> = Arc::new(Detach);
    let inputs = with(|r| vec![r.value(from)]);
    ran(&op, inputs, std::slice::from_ref(to), false);
}

/// `x.detach()`, as it stands in a recording.
#[derive(Debug)]
pub struct Detach;
impl Op for Detach {
    fn name(&self) -> &'static str {
        "detach"
    }
    fn infer(&self, inputs: &[&crate::Meta]) -> Result<crate::op::Few<crate::Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[crate::Meta]) -> crate::op::Few<Array> {
        [inputs[0].clone()].into()
    }
    fn backward(&self, _ctx: &crate::op::Context, _grads: &[Option<Tensor>]) -> crate::op::Few<Option<Tensor>> {
        [None].into()
    }
    fn is_view(&self) -> bool {
        true
    }
    fn differentiable(&self, _output: usize) -> bool {
        false
    }
}
