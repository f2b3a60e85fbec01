//! Adamax: Adam with the infinity norm.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero, check_betas};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Adamax (`torch.optim.Adamax`; section 7 of the Adam paper).
///
/// g ← ∇f + λ·θ;  m ← β₁·m + (1 − β₁)·g;  u ← max(β₂·u, |g| + ε);  θ ← θ − γ / (1 − β₁ᵗ) · m / u
pub type Adamax = OptimizerFor<AdamaxOptions>;

/// The options of [`Adamax`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamaxOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Decay rates β₁ and β₂ of the average of the gradient and of its norm.
    pub betas: (f64, f64),
    /// ε, added to the magnitude of the gradient.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for AdamaxOptions {
    fn default() -> AdamaxOptions {
        AdamaxOptions { lr: 2e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, maximize: false }
    }
}

impl Adamax {
    /// Adamax with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> Adamax {
        Adamax::with(params, AdamaxOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step {
    options: AdamaxOptions,
    lr: f64,
}
impl Formula<2> for Step {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m, u]: [F; 2]) -> (F, [F; 2]) {
        let o = &self.options;
        let g = g * F::of(sign(o.maximize));
        let g = F::choose(o.weight_decay != 0.0, g + F::of(o.weight_decay) * p, g);
        let m = m.lerp(g, 1.0 - o.betas.0);
        let u = (u * F::of(o.betas.1)).larger(g.abs() + F::of(o.eps));
        (p + F::of(-self.lr) * m / u, [m, u])
    }
}

impl Rule for AdamaxOptions {
    const NAME: &'static str = "Adamax";
    const LAYOUT: Layout = Layout { step: true, numbers: &[], tensors: &["exp_avg", "exp_inf"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    /// The corrected learning rate.
    type Plan = f64;

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
        ]
    }
    fn slots(&self) -> &'static [usize] {
        &[0, 1]
    }
    fn plan(&self, step: f64) -> f64 {
        self.lr / (1.0 - self.betas.0.powf(step))
    }
    fn step(&self, lr: f64, p: &mut Cell) {
        p.apply([0, 1], Step { options: *self, lr });
    }
}
