//! Adam with decoupled weight decay.

use super::adam::{AdamOptions, Plan};
use crate::cell::Cell;
use crate::rule::{Layout, Rule};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_tensor::Tensor;

/// Adam with decoupled weight decay (`torch.optim.AdamW`; Loshchilov and Hutter, "Decoupled Weight Decay Regularization"):
/// θ ← θ·(1 − γ·λ), then a step of [`Adam`](crate::Adam) without weight decay.
pub type AdamW = OptimizerFor<AdamWOptions>;

/// The options of [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWOptions {
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
}

impl Default for AdamWOptions {
    fn default() -> AdamWOptions {
        AdamWOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-2, amsgrad: false, maximize: false }
    }
}

impl AdamW {
    /// AdamW with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> AdamW {
        AdamW::with(params, AdamWOptions { lr, ..Default::default() })
    }
}

impl AdamWOptions {
    fn adam(&self) -> AdamOptions {
        AdamOptions {
            lr: self.lr,
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            amsgrad: self.amsgrad,
            maximize: self.maximize,
            decoupled_weight_decay: true,
        }
    }
}

impl Rule for AdamWOptions {
    const NAME: &'static str = "AdamW";
    const LAYOUT: Layout = AdamOptions::LAYOUT;
    const FLAGS: &'static [(&'static str, Option<bool>)] = &[
        ("foreach", None),
        ("capturable", Some(false)),
        ("differentiable", Some(false)),
        ("fused", None),
        ("decoupled_weight_decay", Some(true)),
    ];
    type Plan = Plan;

    fn check(&self) -> Result<(), String> {
        self.adam().check()
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
        ]
    }
    fn slots(&self) -> &'static [usize] {
        self.adam().slots()
    }
    fn plan(&self, step: f64) -> Plan {
        self.adam().plan(step)
    }
    fn step(&self, plan: Plan, p: &mut Cell) {
        self.adam().step(plan, p);
    }
}
