//! Averaged stochastic gradient descent.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Averaged stochastic gradient descent (`torch.optim.ASGD`; Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging").
///
/// g ← ∇f + w·θ;  θ ← θ·(1 − λ·η) − η·g;  a ← a + μ·(θ − a) (a ← θ while μ = 1);
/// then η ← γ / (1 + λ·γ·t)^α and μ ← 1 / max(1, t − t₀). The average a is in the state dict, under `ax`.
pub type ASGD = OptimizerFor<AsgdOptions>;

/// The options of [`ASGD`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AsgdOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay λ of the weights and of the step size.
    pub lambd: f64,
    /// Power α of the step size's decay.
    pub alpha: f64,
    /// The step t₀ at which averaging begins.
    pub t0: f64,
    /// Weight decay w.
    pub weight_decay: f64,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for AsgdOptions {
    fn default() -> AsgdOptions {
        AsgdOptions { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weight_decay: 0.0, maximize: false }
    }
}

impl ASGD {
    /// ASGD with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> ASGD {
        ASGD::with(params, AsgdOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step {
    options: AsgdOptions,
    eta: f64,
    mu: f64,
}
impl Formula<1> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [ax]: [F; 1]) -> (F, [F; 1]) {
        let o = &self.options;
        let g = g * F::of(sign(o.maximize));
        let g = F::choose(o.weight_decay != 0.0, g + F::of(o.weight_decay) * p, g);
        let p = p * F::of(1.0 - o.lambd * self.eta) + F::of(-self.eta) * g;
        (p, [F::choose(self.mu == 1.0, p, ax + (p - ax) * F::of(self.mu))])
    }
}

/// The numbers of the state.
const ETA: usize = 0;
const MU: usize = 1;

impl Rule for AsgdOptions {
    const NAME: &'static str = "ASGD";
    const LAYOUT: Layout = Layout { step: true, numbers: &["eta", "mu"], tensors: &["ax"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    /// η and μ of the step after this one.
    type Plan = (f32, f32);

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("lambd value", self.lambd)?;
        at_least_zero("alpha value", self.alpha)?;
        at_least_zero("weight_decay value", self.weight_decay)
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("lambd", &mut self.lambd),
            ("alpha", &mut self.alpha),
            ("t0", &mut self.t0),
            ("weight_decay", &mut self.weight_decay),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0]
    }
    fn initial_number(&self, number: usize) -> f64 {
        if number == ETA { self.lr } else { 1.0 }
    }
    fn plan(&self, step: f64) -> (f32, f32) {
        let eta = self.lr / (1.0 + self.lambd * self.lr * step).powf(self.alpha);
        (eta as f32, (1.0 / (step - self.t0).max(1.0)) as f32)
    }
    fn step(&self, (eta, mu): (f32, f32), p: &mut Cell) {
        let step = Step { options: *self, eta: f64::from(*p.number(ETA)), mu: f64::from(*p.number(MU)) };
        p.apply([0], step);
        *p.number(ETA) = eta;
        *p.number(MU) = mu;
    }
}
