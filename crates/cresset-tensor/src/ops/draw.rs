//! Random numbers as an op without inputs: a recording repeats it, and each run draws from the stream anew.

use super::dropout;
use crate::array::{Array, Meta};
use crate::op::{Context, Few, Op, apply1};
use crate::random::Fill;
use crate::record;
use crate::tensor::Tensor;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    /// Numbers of a distribution.
    Fill(Fill),
    /// The factors of dropout with a probability.
    Noise(f64),
}

impl Draw {
    fn array(self, like: &Array, meta: &Meta) -> Array {
        match self {
            Draw::Fill(fill) => fill.array(like, meta.dtype, None),
            Draw::Noise(p) => dropout::drawn_noise(like, p),
        }
    }
}

#[derive(Debug)]
struct Drawn(Draw, Meta);

/// Draws from the default stream for the elements of `like`, as an op where a recording is under way. (One in another order of memory it cannot repeat.)
pub(crate) fn draw(what: Draw, like: &Array, meta: Meta) -> Tensor {
    if record::is_recording() && like.is_contiguous() {
        return apply1(Drawn(what, meta), []);
    }
    Tensor::from_array(what.array(like, &meta))
}

impl Op for Drawn {
    fn name(&self) -> &'static str {
        match self.0 {
            Draw::Fill(fill) => fill.name(),
            Draw::Noise(_) => "dropout_noise",
        }
    }
    fn infer(&self, _inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([self.1].into())
    }
    fn forward(&self, _inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [self.0.array(&Array::shell(self.1), &self.1)].into()
    }
    fn effects(&self) -> bool {
        true
    }
    fn differentiable(&self, _output: usize) -> bool {
        false
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        Few::new()
    }
}
