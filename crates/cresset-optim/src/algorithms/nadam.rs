//! NAdam: Adam with Nesterov momentum.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero, check_betas};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// NAdam (`torch.optim.NAdam`; Dozat, "Incorporating Nesterov Momentum into Adam").
///
/// μₜ = β₁·(1 − ½·0.96^(t·ψ));  m and v as in [`Adam`](crate::Adam);  d = √(v / (1 − β₂ᵗ)) + ε;
/// θ ← θ − γ·(1 − μₜ) / (1 − ∏μ) · g / d − γ·μₜ₊₁ / (1 − ∏μ·μₜ₊₁) · m / d
pub type NAdam = OptimizerFor<NAdamOptions>;

/// The options of [`NAdam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NAdamOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the averages of the gradient and of its square.
    pub betas: (f64, f64),
    /// ε, added to the denominator.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Decay ψ of the momentum.
    pub momentum_decay: f64,
    /// Decay the weights apart from the gradient, as [`AdamW`](crate::AdamW) does?
    pub decoupled_weight_decay: bool,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for NAdamOptions {
    fn default() -> NAdamOptions {
        NAdamOptions {
            lr: 2e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

impl NAdam {
    /// NAdam with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> NAdam {
        NAdam::with(params, NAdamOptions { lr, ..Default::default() })
    }
}

/// What depends on the number of the step alone.
#[derive(Clone, Copy)]
pub struct Plan {
    mu: f64,
    mu_next: f64,
    correction2: f64,
}

#[derive(Clone, Copy)]
struct Step {
    options: NAdamOptions,
    correction2: f64,
    keep: f64,
    of_gradient: f64,
    of_average: f64,
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
        // Both sides of the fraction times √ĉ, as in Adam.
        let correction = self.correction2.sqrt();
        let denom = v.sqrt() + F::of(o.eps * correction);
        let step = F::of(self.of_gradient * correction) * g + F::of(self.of_average * correction) * m;
        (p + step / denom, [m, v])
    }
}

impl Rule for NAdamOptions {
    const NAME: &'static str = "NAdam";
    const LAYOUT: Layout =
        Layout { step: true, numbers: &["mu_product"], tensors: &["exp_avg", "exp_avg_sq"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    type Plan = Plan;

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("epsilon value", self.eps)?;
        check_betas(self.betas)?;
        at_least_zero("weight_decay value", self.weight_decay)?;
        at_least_zero("momentum_decay value", self.momentum_decay)
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
            ("momentum_decay", &mut self.momentum_decay),
            ("decoupled_weight_decay", &mut self.decoupled_weight_decay),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0, 1]
    }
    fn initial_number(&self, _number: usize) -> f64 {
        1.0
    }
    fn plan(&self, step: f64) -> Plan {
        let mu = |t: f64| self.betas.0 * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay));
        Plan { mu: mu(step), mu_next: mu(step + 1.0), correction2: 1.0 - self.betas.1.powf(step) }
    }
    fn step(&self, plan: Plan, p: &mut Cell) {
        let product = p.number(0);
        *product *= plan.mu as f32;
        let product = f64::from(*product);
        let keep = if self.decoupled_weight_decay { 1.0 - self.lr * self.weight_decay } else { 1.0 };
        p.apply(
            [0, 1],
            Step {
                options: *self,
                correction2: plan.correction2,
                keep,
                of_gradient: -self.lr * (1.0 - plan.mu) / (1.0 - product),
                of_average: (-self.lr * plan.mu_next) / (1.0 - product * plan.mu_next),
            },
        );
    }
}
