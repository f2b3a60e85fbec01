//! What an op is, and the one function that runs an op and records it in the graph.

use crate::array::{Array, Meta};
use crate::autograd::node::{Edges, Node};
use crate::autograd::{mode, node};
use crate::error::{self, Error};
use crate::record;
use crate::tensor::{Entered, Tensor};
use crate::watch::{self, Watch};
use smallvec::SmallVec;
use std::fmt::Debug;
use std::sync::Arc;

/// One or a few of something, without a heap allocation for one.
pub type Few<T> = SmallVec<[T; 1]>;

/// Which of an op's inputs and outputs its backward reads; the rest is not kept alive. Bit i stands for input or output i.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saves {
    /// Inputs.
    pub inputs: u32,
    /// Outputs.
    pub outputs: u32,
}

impl Saves {
    /// Backward needs no numbers of forward.
    pub const NOTHING: Saves = Saves { inputs: 0, outputs: 0 };
    /// The inputs of these bits.
    pub const fn inputs(bits: u32) -> Saves {
        Saves { inputs: bits, outputs: 0 }
    }
    /// The outputs of these bits.
    pub const fn outputs(bits: u32) -> Saves {
        Saves { inputs: 0, outputs: bits }
    }
}

/// An operation: a value that knows its shape rule, its forward and its backward.
///
/// Built-in ops have no privileges: implement it for a type of your own and run it with [`apply`].
///
/// ```
/// use cresset_tensor::op::{apply1, Context, Few, Op, Saves};
/// use cresset_tensor::{Array, Meta, Tensor};
///
/// #[derive(Debug)]
/// struct Square;
/// impl Op for Square {
///     fn name(&self) -> &'static str {
///         "square"
///     }
///     fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
///         Ok([*inputs[0]].into())
///     }
///     fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
///         let x = inputs[0].to_vec::<f32>();
///         let y: Vec<f32> = x.iter().map(|x| x * x).collect();
///         [Array::from_slice(&y, outputs[0].shape)].into()
///     }
///     fn saves(&self) -> Saves {
///         Saves::inputs(0b1)
///     }
///     fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
///         [grads[0].as_ref().map(|g| g * &(&ctx.input(0) * 2.0))].into()
///     }
/// }
///
/// let x = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).requires_grad_(true);
/// apply1(Square, [&x]).sum().backward();
/// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0, 6.0]);
/// ```
pub trait Op: Debug + Send + Sync + 'static {
    /// Its name, as in `torch.name`: for messages, and for the name of its node (`add` gives `AddBackward0`).
    fn name(&self) -> &'static str;

    /// The name PyTorch prints as `grad_fn`.
    fn grad_name(&self) -> String {
        node::usual_name(self.name())
    }

    /// The shape and dtype rule: the only place that refuses. The sentence is shown after the op's name.
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String>;

    /// Numbers in, numbers out. `outputs` is what `infer` said.
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array>;

    /// What backward reads.
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    /// The gradients of the inputs, from those of the outputs, in tensor operations (so that it can be differentiated again). `None` only for an
    /// input that cannot have one. A gradient may have the shape and dtype before broadcasting and promotion: that is undone by the caller.
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>>;

    /// Do the outputs share the memory of input 0?
    fn is_view(&self) -> bool {
        false
    }

    /// Whether output `i` can carry a gradient, beyond being of a floating-point dtype. An op without any derivative by definition
    /// (a comparison, a sign) says no here; one whose derivative is not written says so in [`Op::refuse_grad`].
    fn differentiable(&self, _output: usize) -> bool {
        true
    }

    /// A sentence if the op cannot give a gradient: it is then refused at the call when an input requires grad.
    fn refuse_grad(&self) -> Option<String> {
        None
    }

    /// Does forward do more than give its outputs: draw random numbers, move running statistics? A compiler then runs it exactly as often, and
    /// in the order, as it was recorded.
    fn effects(&self) -> bool {
        false
    }

    /// How many floating-point operations forward takes, for a profile; [`crate::cost`] says what counts. Without an own answer it is the rule for
    /// ops that are no products: one for each number read or given, none for views.
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        crate::cost::usual(self.name(), self.is_view(), inputs, outputs)
    }

    /// The type's name, to tell ops that print all they are (those of this crate) from a user's own.
    #[doc(hidden)]
    fn type_name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// For a normalisation by fixed statistics: its eps. Inputs are x, [weight, bias], mean and variance; a compiler may make it part of the linear layer
    /// before it.
    #[doc(hidden)]
    fn folds(&self) -> Option<f64> {
        None
    }

    /// The same op with ReLU at its end, if it can have one.
    #[doc(hidden)]
    fn with_relu(&self) -> Option<Arc<dyn Op>> {
        None
    }

    /// If it is `x W + bias`, or `x Wᵀ + bias`, of one matrix W for all rows of x: is W transposed, and does a ReLU follow?
    #[doc(hidden)]
    fn row_product(&self) -> Option<RowProduct> {
        None
    }

    /// The op as a pointwise function that a compiler may run together with others; `None` if it is none.
    fn pointwise(&self) -> Option<&dyn crate::expr::Pointwise> {
        None
    }
}

pub use crate::autograd::node::Context;

/// Runs an op and records it if an input requires grad.
///
/// # Panics
/// With the op's sentence, if its shape rule refuses the inputs.
#[track_caller]
#[inline]
pub fn apply<O: Op>(op: O, inputs: &[&Tensor]) -> Few<Tensor> {
    run(&mut Passed(Some(op)), inputs)
}

/// An op on its way into a run.
struct Passed<O>(Option<O>);

/// The same, whatever the op's type: what happens in a run is compiled once.
trait Passes {
    fn op(&self) -> &dyn Op;
    /// The op, to be kept. It is boxed only there.
    fn keep(&mut self) -> Box<dyn Op>;
}
impl<O: Op> Passes for Passed<O> {
    #[inline]
    fn op(&self) -> &dyn Op {
        self.0.as_ref().expect("an op is kept after its run")
    }
    fn keep(&mut self) -> Box<dyn Op> {
        Box::new(self.0.take().expect("an op is kept once"))
    }
}

#[track_caller]
#[inline(never)]
fn run(op: &mut dyn Passes, inputs: &[&Tensor]) -> Few<Tensor> {
    let mut run = Run::forward(op.op(), inputs);
    let kept = if run.recorded { Some(op.keep()) } else { None };
    run.finish(kept, inputs)
}

/// A [`Run`] has some kilobytes: it stays where it is made.
#[track_caller]
#[inline(never)]
fn run_one(op: &mut dyn Passes, inputs: &[&Tensor]) -> Tensor {
    let mut run = Run::forward(op.op(), inputs);
    let kept = if run.recorded { Some(op.keep()) } else { None };
    if run.watch.is_some() {
        return run.finish(kept, inputs).swap_remove(0);
    }
    let node = run.node(kept, inputs);
    let array = run.outputs.swap_remove(0);
    run.tensor(array, 0, node)
}

/// An op that others hold, too.
#[derive(Debug)]
struct Shared(Arc<dyn Op>);
impl Op for Shared {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn grad_name(&self) -> String {
        self.0.grad_name()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        self.0.infer(inputs)
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        self.0.forward(inputs, outputs)
    }
    fn saves(&self) -> Saves {
        self.0.saves()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        self.0.backward(ctx, grads)
    }
    fn is_view(&self) -> bool {
        self.0.is_view()
    }
    fn differentiable(&self, output: usize) -> bool {
        self.0.differentiable(output)
    }
    fn refuse_grad(&self) -> Option<String> {
        self.0.refuse_grad()
    }
    fn effects(&self) -> bool {
        self.0.effects()
    }
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        self.0.flops(inputs, outputs)
    }
    fn pointwise(&self) -> Option<&dyn crate::expr::Pointwise> {
        self.0.pointwise()
    }
    fn type_name(&self) -> &'static str {
        self.0.type_name()
    }
    fn folds(&self) -> Option<f64> {
        self.0.folds()
    }
    fn with_relu(&self) -> Option<Arc<dyn Op>> {
        self.0.with_relu()
    }
    fn row_product(&self) -> Option<RowProduct> {
        self.0.row_product()
    }
}

/// What [`Op::row_product`] says.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowProduct {
    /// Is W stored with a row for each output, as a layer stores it?
    pub transposed: bool,
    /// Does a ReLU follow?
    pub relu: bool,
}

/// The gradients of a run of an op outside any graph, as a compiler computes them. `inputs` and `outputs` are the numbers that
/// [`Op::saves`] asks for (others may be missing) with the dtypes and shapes of all, `needs` says of which inputs the gradient is wanted.
pub fn backward_of(
    op: &Arc<dyn Op>,
    inputs: &[(Meta, Option<Array>)],
    outputs: &[(Meta, Option<Array>)],
    needs: &[bool],
    grads: &[Option<Array>],
) -> Few<Option<Array>> {
    let _mode = mode::set_grad_enabled(false);
    let node = node::alone(Box::new(Shared(op.clone())), inputs, outputs, needs);
    let saved = node.lock().saved.clone().expect("a new node has all it saved");
    let context = Context::new(&node, &saved);
    let grads: Few<Option<Tensor>> = grads.iter().map(|g| g.clone().map(Tensor::from_array)).collect();
    let results = op.backward(&context, &grads);
    let metas = inputs.iter().map(|(meta, _)| meta);
    results.into_iter().zip(metas).map(|(g, meta)| g.map(|g| crate::autograd::backward::fit(g, meta).array())).collect()
}

/// Runs an op of one input and one output and records it even if the input requires no grad.
#[track_caller]
pub(crate) fn apply_recorded<O: Op>(op: O, input: &Tensor) -> Tensor {
    debug_assert!(!mode::is_recording());
    Run::forward(&op, &[input]).finish(Some(Box::new(op)), &[input]).swap_remove(0)
}

/// [`apply`] for an op with one output.
#[track_caller]
#[inline]
pub fn apply1<O: Op, const N: usize>(op: O, inputs: [&Tensor; N]) -> Tensor {
    apply_one(op, &inputs)
}

/// [`apply`] for an op of whose outputs the first is for the caller, and the others, if there are any, are for backward: no tensors are made of those.
#[track_caller]
#[inline]
pub(crate) fn apply_one<O: Op>(op: O, inputs: &[&Tensor]) -> Tensor {
    run_one(&mut Passed(Some(op)), inputs)
}

/// A run of an op: what went in and what came out. All of it is written once for all ops; only the node that keeps the op itself is made for
/// each type of op (hundreds of copies of this text would take minutes to compile).
pub(crate) struct Run {
    pub inputs: SmallVec<[Array; 5]>,
    pub outputs: Few<Array>,
    /// Of the inputs, where a graph is wanted.
    pub edges: Edges,
    view: bool,
    /// Is the op to be kept, in the graph or in a recording?
    recorded: bool,
    /// What a recording or a profile notes of the run.
    watch: Option<Box<Watch>>,
}

impl Run {
    #[track_caller]
    #[inline(always)]
    fn forward(op: &dyn Op, inputs: &[&Tensor]) -> Run {
        let mut watch = watch::begin(op, inputs, false);
        let (mut arrays, mut edges) = (SmallVec::new(), Edges::new());
        let entered = enter(inputs, &mut arrays, &mut edges);
        // Filled by hand: `collect` is a call each.
        let (mut metas, mut refs) = (SmallVec::<[&Meta; 5]>::new(), SmallVec::<[&Array; 5]>::new());
        for a in &arrays {
            metas.push(a.meta());
            refs.push(a);
        }
        let out_metas = match op.infer(&metas) {
            Ok(m) => m,
            Err(sentence) => error::raise(Error::new(op.name(), sentence)),
        };
        let wants_graph = check_graph(op, entered);
        let outputs = op.forward(&refs, &out_metas);
        drop((refs, metas));
        debug_assert!(
            outputs.iter().map(|a| *a.meta()).eq(out_metas.iter().copied()),
            "{}: the shape rule says {out_metas:?}, forward gave {outputs:?}",
            op.name()
        );
        let mut recorded = wants_graph;
        if let Some(watch) = &mut watch {
            recorded |= watch.ran(op, &arrays, &outputs);
        }
        Run { inputs: arrays, outputs, edges, view: op.is_view(), recorded, watch }
    }

    #[track_caller]
    #[inline(never)]
    fn finish(&mut self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Few<Tensor> {
        // Dropped, and thereby ended, after the tensors are made.
        let event = self.watch.as_mut().and_then(|w| w.event.take());
        let (kept, noted) = self.share(kept, inputs);
        let node = self.node(kept, inputs);
        if let (Some(event), Some(node)) = (&event, &node) {
            event.made(node.seq());
        }
        let outputs = std::mem::take(&mut self.outputs);
        let tensors: Few<Tensor> =
            outputs.into_iter().enumerate().map(|(i, a)| self.tensor(a, i, node.clone())).collect();
        if let Some((op, noted)) = noted {
            noted.ran(&op, &tensors);
        }
        tensors
    }

    /// Keeps the op in the graph.
    #[track_caller]
    #[inline]
    fn node(&mut self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Option<Arc<Node>> {
        #[allow(clippy::manual_map, reason = "a closure has no caller, whose place the node keeps")]
        match kept {
            Some(op) => Some(node::record(op, inputs, self)),
            None => None,
        }
    }

    /// Output `i` as a tensor.
    #[inline]
    fn tensor(&self, a: Array, i: usize, node: Option<Arc<Node>>) -> Tensor {
        let has_grad = |node: &Arc<Node>| a.dtype().is_floating_point() && node.op.differentiable(i);
        let grad_fn = node.filter(has_grad).map(|node| (node, i as u32));
        Tensor::from_op(a, grad_fn, self.view)
    }

    /// In a recording the op is held by it, too, and by a node only where a gradient is wanted.
    fn share(&mut self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> (Option<Box<dyn Op>>, Option<Held>) {
        match (kept, self.watch.take().and_then(|w| w.noted)) {
            (Some(op), Some(noted)) => {
                let op: Arc<dyn Op> = Arc::from(op);
                let node = wants_graph(inputs).then(|| Box::new(Shared(op.clone())) as Box<dyn Op>);
                (node, Some((op, noted)))
            }
            (kept, _) => (kept, None),
        }
    }
}

/// An op in a recording, and what was noted of its run.
type Held = (Arc<dyn Op>, record::Noted);

/// Must a run with these inputs be recorded?
#[inline]
fn wants_graph(inputs: &[&Tensor]) -> bool {
    mode::is_grad_enabled() && inputs.iter().any(|t| t.requires_grad())
}

/// Takes the numbers of all inputs, and where a graph may be wanted their edges; says what is true of any of them.
#[inline]
fn enter(inputs: &[&Tensor], arrays: &mut SmallVec<[Array; 5]>, edges: &mut Edges) -> Entered {
    let graph = mode::is_grad_enabled();
    let mut any = Entered::default();
    for t in inputs {
        let one = t.enter(arrays, graph, edges);
        any.wants |= one.wants;
        any.stale |= one.stale;
    }
    if !edges.is_empty() {
        edges.resize_with(inputs.len(), || None);
    }
    any
}

/// Must a run with these inputs be recorded? Refuses what could not be differentiated, before anything is computed.
#[track_caller]
#[inline]
fn check_graph(op: &dyn Op, inputs: Entered) -> bool {
    if inputs.wants {
        mode::saw_grad();
    }
    let wants_graph = inputs.wants && mode::is_grad_enabled();
    if wants_graph {
        check_inputs(op, inputs.stale);
    }
    wants_graph
}

#[track_caller]
fn check_inputs(op: &dyn Op, stale: bool) {
    if stale {
        error::fail(
            op.name(),
            "an input is a view whose base was modified in place under autograd after the view was made; its history is lost. Make the view again after the in-place operation",
        );
    }
    if let Some(sentence) = op.refuse_grad() {
        error::fail(op.name(), sentence);
    }
}

/// Runs an op and puts its result into `target` (its input 0) in place, with PyTorch's rules for in-place operations.
///
/// # Panics
/// If the shape rule refuses, the result does not fit `target`'s shape or dtype, `target` is a leaf that requires grad, or a view under autograd.
#[track_caller]
pub fn apply_inplace<O: Op>(op: O, inputs: &[&Tensor]) -> Tensor {
    let run = Run::inplace(&op, inputs);
    let kept: Option<Box<dyn Op>> = if run.recorded { Some(Box::new(op)) } else { None };
    run.write(kept, inputs)
}

impl Run {
    #[track_caller]
    #[inline(never)]
    fn inplace(op: &dyn Op, inputs: &[&Tensor]) -> Run {
        let target = inputs[0];
        let name = op.name();
        let mut watch = watch::begin(op, inputs, true);
        let (mut arrays, mut edges) = (SmallVec::new(), Edges::new());
        let entered = enter(inputs, &mut arrays, &mut edges);
        let metas: SmallVec<[&Meta; 5]> = arrays.iter().map(|a| a.meta()).collect();
        let out_metas = match op.infer(&metas) {
            Ok(m) => m,
            Err(sentence) => error::raise(Error::new(name, sentence)),
        };
        check_inplace(name, target, metas[0], &out_metas[0]);
        let recorded = check_graph(op, entered);
        if recorded {
            target.check_inplace_under_grad(name);
        }
        let refs: SmallVec<[&Array; 5]> = arrays.iter().collect();
        let outputs = op.forward(&refs, &out_metas);
        drop((refs, metas));
        let mut recorded = recorded;
        if let Some(watch) = &mut watch {
            recorded |= watch.ran(op, &arrays, &outputs);
        }
        Run { inputs: arrays, outputs, edges, view: false, recorded, watch }
    }

    #[track_caller]
    #[inline(never)]
    fn write(mut self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Tensor {
        let target = inputs[0];
        let event = self.watch.as_mut().and_then(|w| w.event.take());
        let (kept, noted) = self.share(kept, inputs);
        #[allow(clippy::manual_map, reason = "a closure has no caller, whose place the node keeps")]
        let node = match kept {
            Some(op) => Some(node::record_inplace(op, inputs, &mut self)),
            None => None,
        };
        crate::kernels::overwrite(&self.inputs[0], self.outputs.swap_remove(0));
        if let Some(node) = node {
            if let Some(event) = &event {
                event.made(node.seq());
            }
            target.set_history(node);
        }
        if let Some((op, noted)) = noted {
            noted.ran_inplace(&op, target);
        }
        target.clone()
    }
}

/// Like [`apply_inplace`], but where no graph is wanted `direct` changes the target's memory itself: it gets the arrays of the inputs, of which none
/// but the first lies in the target's storage.
#[track_caller]
pub(crate) fn apply_directly<O: Op>(op: O, inputs: &[&Tensor], direct: impl FnOnce(&O, &[Array])) -> Tensor {
    let (mut arrays, mut edges) = (SmallVec::new(), Edges::new());
    let any = enter(inputs, &mut arrays, &mut edges).wants;
    if any && mode::is_grad_enabled() || mode::is_recording() {
        return apply_inplace(op, inputs);
    }
    if any {
        mode::saw_grad();
    }
    let mut watch = watch::begin(&op, inputs, true);
    let metas: SmallVec<[&Meta; 5]> = arrays.iter().map(|a| a.meta()).collect();
    let out_metas = match op.infer(&metas) {
        Ok(m) => m,
        Err(sentence) => error::raise(Error::new(op.name(), sentence)),
    };
    check_inplace(op.name(), inputs[0], metas[0], &out_metas[0]);
    drop(metas);
    for i in 1..arrays.len() {
        if arrays[i].same_storage(&arrays[0]) {
            arrays[i] = arrays[i].copy();
        }
    }
    direct(&op, &arrays);
    arrays[0].storage().bump();
    if let Some(watch) = &mut watch {
        watch.ran(&op, &arrays, &arrays[..1]);
    }
    inputs[0].clone()
}

#[track_caller]
fn check_inplace(name: &'static str, target: &Tensor, own: &Meta, result: &Meta) {
    if result.shape != own.shape {
        error::fail(
            name,
            format!(
                "output with shape {:?} doesn't match the broadcast shape {:?}: the result of an in-place operation must fit its target",
                own.shape, result.shape
            ),
        );
    }
    if !result.dtype.can_cast(own.dtype) {
        error::fail(
            name,
            format!(
                "result type {} can't be cast to the desired output type {}",
                result.dtype.scalar_name(),
                own.dtype.scalar_name()
            ),
        );
    }
    target.check_overlap(name);
}

/// For [`Node`] in signatures elsewhere.
pub(crate) type AnyNode = Node;
