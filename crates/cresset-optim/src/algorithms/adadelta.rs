//! Adadelta.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Adadelta (`torch.optim.Adadelta`; Zeiler, "ADADELTA: An Adaptive Learning Rate Method").
///
/// g ← ∇f + λ·θ;  v ← ρ·v + (1 − ρ)·g²;  d = √(u + ε) / √(v + ε) · g;  u ← ρ·u + (1 − ρ)·d²;  θ ← θ − γ·d
pub type Adadelta = OptimizerFor<AdadeltaOptions>;

/// The options of [`Adadelta`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdadeltaOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay rate ρ of the averages.
    pub rho: f64,
    /// ε, added under the roots.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for AdadeltaOptions {
    fn default() -> AdadeltaOptions {
        AdadeltaOptions { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

impl Adadelta {
    /// Adadelta with learning rate `lr` (PyTorch's default is 1) and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> Adadelta {
        Adadelta::with(params, AdadeltaOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step(AdadeltaOptions);
impl Formula<2> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [v, u]: [F; 2]) -> (F, [F; 2]) {
        let o = &self.0;
        let (rho, rest, eps) = (F::of(o.rho), F::of(1.0 - o.rho), F::of(o.eps));
        let g = g * F::of(sign(o.maximize));
        let g = F::choose(o.weight_decay != 0.0, g + F::of(o.weight_decay) * p, g);
        let v = v * rho + rest * g * g;
        let delta = (u + eps).sqrt() / (v + eps).sqrt() * g;
        let u = u * rho + rest * delta * delta;
        (p + F::of(-o.lr) * delta, [v, u])
    }
}

impl Rule for AdadeltaOptions {
    const NAME: &'static str = "Adadelta";
    const LAYOUT: Layout = Layout { step: true, numbers: &[], tensors: &["square_avg", "acc_delta"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    type Plan = ();

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        if !(0.0..=1.0).contains(&self.rho) {
            return Err(format!("Invalid rho value: {}", self.rho));
        }
        at_least_zero("epsilon value", self.eps)?;
        at_least_zero("weight_decay value", self.weight_decay)
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("rho", &mut self.rho),
            ("eps", &mut self.eps),
            ("weight_decay", &mut self.weight_decay),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0, 1]
    }
    fn plan(&self, _step: f64) {}
    fn step(&self, _plan: (), p: &mut Cell) {
        p.apply([0, 1], Step(*self));
    }
}
