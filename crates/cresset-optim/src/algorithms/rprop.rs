//! Resilient backpropagation.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Resilient backpropagation (`torch.optim.Rprop`; Riedmiller and Braun).
///
/// Every element has a step size δ of its own: it grows by η⁺ while the gradient keeps its sign and shrinks by η⁻ where the sign changes (the
/// element then rests for a step). θ ← θ − sign(g)·δ
pub type Rprop = OptimizerFor<RpropOptions>;

/// The options of [`Rprop`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RpropOptions {
    /// The first step size.
    pub lr: f64,
    /// Factors η⁻ < 1 < η⁺ by which step sizes shrink and grow.
    pub etas: (f64, f64),
    /// The smallest and the largest step size.
    pub step_sizes: (f64, f64),
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for RpropOptions {
    fn default() -> RpropOptions {
        RpropOptions { lr: 1e-2, etas: (0.5, 1.2), step_sizes: (1e-6, 50.0), maximize: false }
    }
}

impl Rprop {
    /// Rprop with first step size `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> Rprop {
        Rprop::with(params, RpropOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step(RpropOptions);
impl Formula<2> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [prev, size]: [F; 2]) -> (F, [F; 2]) {
        let o = &self.0;
        let (zero, one) = (F::of(0.0), F::of(1.0));
        let g = g * F::of(sign(o.maximize));
        let agreement = g * prev;
        let turned = agreement < zero;
        let factor = F::choose(agreement > zero, F::of(o.etas.1), F::choose(turned, F::of(o.etas.0), one));
        let (least, most) = (F::of(o.step_sizes.0), F::of(o.step_sizes.1));
        let size = size * factor;
        let size = F::choose(size < least, least, size);
        let size = F::choose(size > most, most, size);
        let g = F::choose(turned, zero, g);
        let direction = F::choose(g > zero, one, F::choose(g < zero, -one, zero));
        (p - direction * size, [g, size])
    }
}

impl Rule for RpropOptions {
    const NAME: &'static str = "Rprop";
    const LAYOUT: Layout = Layout { step: true, numbers: &[], tensors: &["prev", "step_size"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    type Plan = ();

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        let (minus, plus) = self.etas;
        if 0.0 < minus && minus < 1.0 && 1.0 < plus {
            Ok(())
        } else {
            Err(format!("Invalid eta values: {minus}, {plus}"))
        }
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("etas", &mut self.etas),
            ("step_sizes", &mut self.step_sizes),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0, 1]
    }
    fn initial(&self, slot: usize) -> f64 {
        if slot == 1 { self.lr } else { 0.0 }
    }
    fn plan(&self, _step: f64) {}
    fn step(&self, _plan: (), p: &mut Cell) {
        p.apply([0, 1], Step(*self));
    }
}
