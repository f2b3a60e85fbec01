//! Gradient checkpointing: memory for time. The numbers inside a block are not kept for backward but computed again.

use super::mode;
use super::node::Context;
use crate::array::{Array, Meta};
use crate::op::{Few, Op, Saves};
use crate::random::Moment;
use crate::tensor::Tensor;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Block = dyn Fn(&Tensor) -> Tensor + Send + Sync;

struct Checkpoint {
    block: Arc<Block>,
    rng: Moment,
    meta: Meta,
    /// What the first run gave, until forward hands it out.
    result: Mutex<Option<Array>>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Checkpoint")
    }
}

impl Op for Checkpoint {
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn infer(&self, _inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([self.meta].into())
    }
    fn forward(&self, _inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        [result.expect("forward runs once")].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let x = ctx.input(0);
        // The replayed nodes are the newest of all, so the engine takes them next, and every gradient in the block (of x, of parameters, of
        // tensors that the closure caught) flows through the same engine as the rest.
        let y = self.rng.replay(|| mode::enable_grad(|| (self.block)(&x)));
        if let Some(g) = &grads[0] {
            ctx.continue_from(y, g.clone());
        }
        [None].into()
    }
}

/// Runs `block(x)` without keeping what its backward will need; backward runs it again, with the random numbers it had
/// (`torch.utils.checkpoint.checkpoint`).
///
/// The parameters used in `block` get their gradients also when `x` itself needs none. The closure is kept until the graph is freed: give it clones
/// of the modules it calls (clones share their parameters).
///
/// ```
/// use cresset_tensor::{autograd::checkpoint, Tensor};
/// let w = Tensor::from_slice(&[2.0f32, 3.0]).requires_grad_(true);
/// let inside = w.clone();
/// let y = checkpoint(move |x| (x * &inside).relu(), &Tensor::ones([2]));
/// y.sum().backward();
/// assert_eq!(w.grad().unwrap().to_vec::<f32>(), [1.0, 1.0]);
/// ```
#[track_caller]
pub fn checkpoint(block: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static, x: &Tensor) -> Tensor {
    // In a recording the block's ops stand beside all others; what is kept for backward is the compiler's decision.
    if !mode::is_grad_enabled() || mode::is_recording() {
        return block(x);
    }
    let rng = Moment::now();
    let (result, needs) = mode::watching_for_grad(|| mode::no_grad(|| block(x)));
    if !needs {
        return result;
    }
    let array = result.array();
    let op = Checkpoint { block: Arc::new(block), rng, meta: *array.meta(), result: Mutex::new(Some(array)) };
    // The node is recorded also when x needs no grad: something inside the block does.
    crate::op::apply_recorded(op, x)
}
