//! RAdam: Adam with a rectified adaptive learning rate.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero, check_betas};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// RAdam (`torch.optim.RAdam`; Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond").
///
/// m and v as in [`Adam`](crate::Adam);  ρ∞ = 2 / (1 − β₂) − 1;  ρ = ρ∞ − 2·t·β₂ᵗ / (1 − β₂ᵗ);
/// θ ← θ − γ·m / (1 − β₁ᵗ)·√(1 − β₂ᵗ) / (√v + ε)·r where ρ > 5, with
/// r = √((ρ − 4)·(ρ − 2)·ρ∞ / ((ρ∞ − 4)·(ρ∞ − 2)·ρ)), otherwise θ ← θ − γ·m / (1 − β₁ᵗ)
pub type RAdam = OptimizerFor<RAdamOptions>;

/// The options of [`RAdam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RAdamOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the averages of the gradient and of its square.
    pub betas: (f64, f64),
    /// ε, added to the denominator.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Decay the weights apart from the gradient, as [`AdamW`](crate::AdamW) does?
    pub decoupled_weight_decay: bool,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for RAdamOptions {
    fn default() -> RAdamOptions {
        RAdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

impl RAdam {
    /// RAdam with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> RAdam {
        RAdam::with(params, RAdamOptions { lr, ..Default::default() })
    }
}

/// What depends on the number of the step alone.
#[derive(Clone, Copy)]
pub struct Plan {
    correction1: f64,
    correction2_sqrt: f64,
    /// The rectification r, where the variance can be rectified.
    rect: Option<f64>,
}

#[derive(Clone, Copy)]
struct Step {
    options: RAdamOptions,
    plan: Plan,
    keep: f64,
}
impl Formula<2> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let o = &self.options;
        let g = g * F::of(sign(o.maximize));
        let p = p * F::of(self.keep);
        let coupled = o.weight_decay != 0.0 && !o.decoupled_weight_decay;
        let g = F::choose(coupled, g + F::of(o.weight_decay) * p, g);
        let m = m.lerp(g, 1.0 - o.betas.0);
        let v = v * F::of(o.betas.1) + F::of(1.0 - o.betas.1) * g * g;
        let size = o.lr / self.plan.correction1;
        let rectified = F::of(size * self.plan.correction2_sqrt * self.plan.rect.unwrap_or(1.0)) * m;
        let rectified = rectified / (v.sqrt() + F::of(o.eps));
        (p - F::choose(self.plan.rect.is_some(), rectified, F::of(size) * m), [m, v])
    }
}

impl Rule for RAdamOptions {
    const NAME: &'static str = "RAdam";
    const LAYOUT: Layout = Layout { step: true, numbers: &[], tensors: &["exp_avg", "exp_avg_sq"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    type Plan = Plan;

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("epsilon value", self.eps)?;
        check_betas(self.betas)?;
        at_least_zero("weight_decay value", self.weight_decay)
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas.0)
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("betas", &mut self.betas),
            ("eps", &mut self.eps),
            ("weight_decay", &mut self.weight_decay),
            ("maximize", &mut self.maximize),
            ("decoupled_weight_decay", &mut self.decoupled_weight_decay),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0, 1]
    }
    fn plan(&self, step: f64) -> Plan {
        let (b1, b2) = self.betas;
        let correction2 = 1.0 - b2.powf(step);
        let most = 2.0 / (1.0 - b2) - 1.0;
        let rho = most - 2.0 * step * b2.powf(step) / correction2;
        let rect = (rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho);
        Plan {
            correction1: 1.0 - b1.powf(step),
            correction2_sqrt: correction2.sqrt(),
            rect: (rho > 5.0).then(|| rect.sqrt()),
        }
    }
    fn step(&self, plan: Plan, p: &mut Cell) {
        let keep = if self.decoupled_weight_decay { 1.0 - self.lr * self.weight_decay } else { 1.0 };
        p.apply([0, 1], Step { options: *self, plan, keep });
    }
}
