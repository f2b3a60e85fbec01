//! Adagrad.

use super::{FUSED_FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Adagrad (`torch.optim.Adagrad`; Duchi, Hazan and Singer, "Adaptive Subgradient Methods").
///
/// g ← ∇f + λ·θ;  s ← s + g²;  θ ← θ − γ / (1 + (t − 1)·η) · g / (√s + ε)
pub type Adagrad = OptimizerFor<AdagradOptions>;

/// The options of [`Adagrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdagradOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay η of the learning rate.
    pub lr_decay: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// What the sum s of squares begins with.
    pub initial_accumulator_value: f64,
    /// ε, added to the denominator.
    pub eps: f64,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for AdagradOptions {
    fn default() -> AdagradOptions {
        AdagradOptions {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            maximize: false,
        }
    }
}

impl Adagrad {
    /// Adagrad with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> Adagrad {
        Adagrad::with(params, AdagradOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step {
    options: AdagradOptions,
    lr: f64,
}
impl Formula<1> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let o = &self.options;
        let g = g * F::of(sign(o.maximize));
        let g = F::choose(o.weight_decay != 0.0, g + F::of(o.weight_decay) * p, g);
        let sum = sum + g * g;
        (p + F::of(-self.lr) * g / (sum.sqrt() + F::of(o.eps)), [sum])
    }
}

impl Rule for AdagradOptions {
    const NAME: &'static str = "Adagrad";
    const LAYOUT: Layout = Layout { step: true, numbers: &[], tensors: &["sum"], eager: true };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FUSED_FLAGS;
    /// The decayed learning rate.
    type Plan = f64;

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("lr_decay value", self.lr_decay)?;
        at_least_zero("weight_decay value", self.weight_decay)?;
        at_least_zero("initial_accumulator_value value", self.initial_accumulator_value)?;
        at_least_zero("epsilon value", self.eps)
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("lr_decay", &mut self.lr_decay),
            ("eps", &mut self.eps),
            ("weight_decay", &mut self.weight_decay),
            ("initial_accumulator_value", &mut self.initial_accumulator_value),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0]
    }
    fn initial(&self, _slot: usize) -> f64 {
        self.initial_accumulator_value
    }
    fn plan(&self, step: f64) -> f64 {
        self.lr / (1.0 + (step - 1.0) * self.lr_decay)
    }
    fn step(&self, lr: f64, p: &mut Cell) {
        p.apply([0], Step { options: *self, lr });
    }
}
