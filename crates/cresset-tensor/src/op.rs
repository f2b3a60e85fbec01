//! What an op is, and the one function that runs an op and records it in the graph.

use crate::array::{Array, Meta};
use crate::autograd::node::Node;
use crate::autograd::{mode, node};
use crate::error::{self, Error};
use crate::tensor::Tensor;
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
}

pub use crate::autograd::node::Context;

/// Runs an op and records it if an input requires grad.
///
/// # Panics
/// With the op's sentence, if its shape rule refuses the inputs.
#[track_caller]
#[inline]
pub fn apply<O: Op>(op: O, inputs: &[&Tensor]) -> Few<Tensor> {
    let run = Run::forward(&op, inputs);
    // Boxed only where it is kept.
    let kept: Option<Box<dyn Op>> = if run.recorded { Some(Box::new(op)) } else { None };
    run.finish(kept, inputs)
}

/// Runs an op of one input and one output and records it even if the input requires no grad.
#[track_caller]
pub(crate) fn apply_recorded<O: Op>(op: O, input: &Tensor) -> Tensor {
    Run::forward(&op, &[input]).finish(Some(Box::new(op)), &[input]).swap_remove(0)
}

/// [`apply`] for an op with one output.
#[track_caller]
#[inline]
pub fn apply1<O: Op, const N: usize>(op: O, inputs: [&Tensor; N]) -> Tensor {
    let run = Run::forward(&op, &inputs);
    let kept: Option<Box<dyn Op>> = if run.recorded { Some(Box::new(op)) } else { None };
    run.finish_one(kept, &inputs)
}

/// A run of an op: what went in and what came out. All of it is written once for all ops; only the node that keeps the op itself is made for
/// each type of op (hundreds of copies of this text would take minutes to compile).
pub(crate) struct Run {
    pub inputs: SmallVec<[Array; 3]>,
    pub outputs: Few<Array>,
    view: bool,
    /// Is the op to be kept in the graph?
    recorded: bool,
}

impl Run {
    #[track_caller]
    #[inline(never)]
    fn forward(op: &dyn Op, inputs: &[&Tensor]) -> Run {
        let arrays: SmallVec<[Array; 3]> = inputs.iter().map(|t| t.array()).collect();
        let metas: SmallVec<[&Meta; 3]> = arrays.iter().map(|a| a.meta()).collect();
        let out_metas = match op.infer(&metas) {
            Ok(m) => m,
            Err(sentence) => error::raise(Error::new(op.name(), sentence)),
        };
        check_graph(op, inputs);
        let refs: SmallVec<[&Array; 3]> = arrays.iter().collect();
        let outputs = op.forward(&refs, &out_metas);
        drop((refs, metas));
        debug_assert!(
            outputs.iter().map(|a| *a.meta()).eq(out_metas.iter().copied()),
            "{}: the shape rule says {out_metas:?}, forward gave {outputs:?}",
            op.name()
        );
        Run { inputs: arrays, outputs, view: op.is_view(), recorded: wants_graph(inputs) }
    }

    #[track_caller]
    #[inline(never)]
    fn finish_one(self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Tensor {
        let mut outs = self.finish(kept, inputs);
        debug_assert_eq!(outs.len(), 1);
        outs.pop().expect("an op with one output")
    }

    #[track_caller]
    #[inline(never)]
    fn finish(self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Few<Tensor> {
        let node = kept.map(|op| node::record(op, inputs, &self));
        let view = self.view;
        let mut tensors = Few::new();
        for (i, a) in self.outputs.into_iter().enumerate() {
            let grad_fn = match &node {
                Some(node) if a.dtype().is_floating_point() && node.op.differentiable(i) => {
                    Some((node.clone(), i as u32))
                }
                _ => None,
            };
            tensors.push(Tensor::from_op(a, grad_fn, view));
        }
        tensors
    }
}

/// Must a run with these inputs be recorded?
#[inline]
fn wants_graph(inputs: &[&Tensor]) -> bool {
    mode::is_grad_enabled() && inputs.iter().any(|t| t.requires_grad())
}

/// Refuses what could not be differentiated, before anything is computed.
#[track_caller]
fn check_graph(op: &dyn Op, inputs: &[&Tensor]) {
    if !inputs.iter().any(|t| t.requires_grad()) {
        return;
    }
    mode::saw_grad();
    if !mode::is_grad_enabled() {
        return;
    }
    for t in inputs {
        if t.is_stale_view() {
            error::fail(
                op.name(),
                "an input is a view whose base was modified in place under autograd after the view was made; its history is lost. Make the view again after the in-place operation",
            );
        }
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
        let arrays: SmallVec<[Array; 3]> = inputs.iter().map(|t| t.array()).collect();
        let metas: SmallVec<[&Meta; 3]> = arrays.iter().map(|a| a.meta()).collect();
        let out_metas = match op.infer(&metas) {
            Ok(m) => m,
            Err(sentence) => error::raise(Error::new(name, sentence)),
        };
        check_inplace(name, target, metas[0], &out_metas[0]);
        check_graph(op, inputs);
        let recorded = wants_graph(inputs);
        if recorded {
            target.check_inplace_under_grad(name);
        }
        let refs: SmallVec<[&Array; 3]> = arrays.iter().collect();
        let outputs = op.forward(&refs, &out_metas);
        drop((refs, metas));
        Run { inputs: arrays, outputs, view: false, recorded }
    }

    #[track_caller]
    #[inline(never)]
    fn write(mut self, kept: Option<Box<dyn Op>>, inputs: &[&Tensor]) -> Tensor {
        let target = inputs[0];
        let node = kept.map(|op| node::record_inplace(op, inputs, &self));
        crate::kernels::overwrite(&self.inputs[0], self.outputs.swap_remove(0));
        if let Some(node) = node {
            target.set_history(node);
        }
        target.clone()
    }
}

/// Like [`apply_inplace`], but where no graph is wanted `direct` changes the target's memory itself: it gets the arrays of the inputs, of which none
/// but the first lies in the target's storage.
#[track_caller]
pub(crate) fn apply_directly<O: Op>(op: O, inputs: &[&Tensor], direct: impl FnOnce(&O, &[Array])) -> Tensor {
    let any = inputs.iter().any(|t| t.requires_grad());
    if any && mode::is_grad_enabled() {
        return apply_inplace(op, inputs);
    }
    if any {
        mode::saw_grad();
    }
    let mut arrays: SmallVec<[Array; 3]> = inputs.iter().map(|t| t.array()).collect();
    let metas: SmallVec<[&Meta; 3]> = arrays.iter().map(|a| a.meta()).collect();
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
    arrays[0].storage.bump();
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
