//! Adam, and the step that AdamW shares with it.

use super::sign;
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero, check_betas};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Adam (`torch.optim.Adam`; Kingma and Ba, "Adam: A Method for Stochastic Optimization").
///
/// g ← ∇f + λ·θ;  m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  θ ← θ − γ / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε);
/// with `amsgrad` the largest v so far stands in the place of v.
///
/// ```
/// use cresset_optim::{Adam, AdamOptions};
/// use cresset_tensor::Tensor;
/// let w = Tensor::from_slice(&[1.0f32, -1.0]).requires_grad_(true);
/// let optimizer = Adam::new([&w], 1e-3);
/// (&w * &w).sum().backward();
/// optimizer.step();
/// assert!((w.to_vec::<f32>()[0] - 0.999).abs() < 1e-6);
/// let _other = Adam::with([&w], AdamOptions { lr: 3e-4, betas: (0.9, 0.95), ..Default::default() });
/// ```
pub type Adam = OptimizerFor<AdamOptions>;

/// The options of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the averages of the gradient and of its square.
    pub betas: (f64, f64),
    /// ε, added to the denominator.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// The AMSGrad variant?
    pub amsgrad: bool,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
    /// Decay the weights apart from the gradient, as [`AdamW`](crate::AdamW) does?
    pub decoupled_weight_decay: bool,
}

impl Default for AdamOptions {
    fn default() -> AdamOptions {
        AdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            maximize: false,
            decoupled_weight_decay: false,
        }
    }
}

impl Adam {
    /// Adam with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> Adam {
        Adam::with(params, AdamOptions { lr, ..Default::default() })
    }
}

/// What depends on the number of the step alone.
#[derive(Clone, Copy)]
pub struct Plan {
    step_size: f64,
    correction2_sqrt: f64,
}

#[derive(Clone, Copy)]
struct Step {
    options: AdamOptions,
    plan: Plan,
    /// What remains of the weights after decoupled decay.
    keep: f64,
}

impl Step {
    #[inline(always)]
    fn averages<F: Float>(&self, p: F, g: F, m: F, v: F) -> (F, F, F) {
        let o = &self.options;
        let g = g * F::of(sign(o.maximize));
        let p = p * F::of(self.keep);
        let coupled = o.weight_decay != 0.0 && !o.decoupled_weight_decay;
        let g = F::choose(coupled, g + F::of(o.weight_decay) * p, g);
        (p, m.lerp(g, 1.0 - o.betas.0), v * F::of(o.betas.1) + F::of(1.0 - o.betas.1) * g * g)
    }
    #[inline(always)]
    fn moved<F: Float>(&self, p: F, m: F, v: F) -> F {
        // γ̂·m / (√v / ĉ + ε) with one division instead of two: both sides of the fraction times ĉ. Divisions are what limits a step within the caches.
        let correction = self.plan.correction2_sqrt;
        let denom = v.sqrt() + F::of(self.options.eps * correction);
        p + F::of(-self.plan.step_size * correction) * m / denom
    }
}
impl Formula<2> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let (p, m, v) = self.averages(p, g, m, v);
        (self.moved(p, m, v), [m, v])
    }
}
/// With AMSGrad.
impl Formula<3> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m, v, max]: [F; 3]) -> (F, [F; 3]) {
        let (p, m, v) = self.averages(p, g, m, v);
        let max = max.larger(v);
        (self.moved(p, m, max), [m, v, max])
    }
}

impl Rule for AdamOptions {
    const NAME: &'static str = "Adam";
    const LAYOUT: Layout =
        Layout { step: true, numbers: &[], tensors: &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] =
        &[("foreach", None), ("capturable", Some(false)), ("differentiable", Some(false)), ("fused", None)];
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
            ("amsgrad", &mut self.amsgrad),
            ("maximize", &mut self.maximize),
            ("decoupled_weight_decay", &mut self.decoupled_weight_decay),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        if self.amsgrad { &[0, 1, 2] } else { &[0, 1] }
    }
    fn plan(&self, step: f64) -> Plan {
        let (b1, b2) = self.betas;
        Plan { step_size: self.lr / (1.0 - b1.powf(step)), correction2_sqrt: (1.0 - b2.powf(step)).sqrt() }
    }
    fn step(&self, plan: Plan, p: &mut Cell) {
        let keep = if self.decoupled_weight_decay { 1.0 - self.lr * self.weight_decay } else { 1.0 };
        let step = Step { options: *self, plan, keep };
        if self.amsgrad {
            p.apply([0, 1, 2], step);
        } else {
            p.apply([0, 1], step);
        }
    }
}
