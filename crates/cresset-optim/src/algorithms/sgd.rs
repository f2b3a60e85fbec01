//! Stochastic gradient descent.

use super::{FUSED_FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// Stochastic gradient descent, with momentum and Nesterov momentum (`torch.optim.SGD`).
///
/// g ← ∇f + λ·θ;  b ← μ·b + (1 − τ)·g (b ← g in the first step);  g ← g + μ·b (Nesterov) or b;  θ ← θ − γ·g
///
/// ```
/// use cresset_optim::{SGD, SgdOptions};
/// use cresset_tensor::Tensor;
/// let w = Tensor::from_slice(&[4.0f32]).requires_grad_(true);
/// let optimizer = SGD::with([&w], SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() });
/// for _ in 0..100 {
///     optimizer.zero_grad();
///     (&w * &w).sum().backward();
///     optimizer.step();
/// }
/// assert!(w.item::<f32>().abs() < 0.1);
/// ```
pub type SGD = OptimizerFor<SgdOptions>;

/// The options of [`SGD`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Momentum μ.
    pub momentum: f64,
    /// Dampening τ of the momentum.
    pub dampening: f64,
    /// Weight decay λ (an L2 penalty).
    pub weight_decay: f64,
    /// Nesterov momentum?
    pub nesterov: bool,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for SgdOptions {
    fn default() -> SgdOptions {
        SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

impl SGD {
    /// Plain gradient descent with learning rate `lr`.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> SGD {
        SGD::with(params, SgdOptions { lr, ..Default::default() })
    }
}

impl SgdOptions {
    #[inline(always)]
    fn gradient<F: Float>(&self, p: F, g: F) -> F {
        let g = g * F::of(sign(self.maximize));
        F::choose(self.weight_decay != 0.0, g + F::of(self.weight_decay) * p, g)
    }
}

#[derive(Clone, Copy)]
struct Plain(SgdOptions);
impl Formula<0> for Plain {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, state: [F; 0]) -> (F, [F; 0]) {
        (p + F::of(-self.0.lr) * self.0.gradient(p, g), state)
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    options: SgdOptions,
    first: bool,
}
impl Formula<1> for Momentum {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [buf]: [F; 1]) -> (F, [F; 1]) {
        let o = self.options;
        let g = o.gradient(p, g);
        let buf = F::choose(self.first, g, buf * F::of(o.momentum) + F::of(1.0 - o.dampening) * g);
        let g = F::choose(o.nesterov, g + F::of(o.momentum) * buf, buf);
        (p + F::of(-o.lr) * g, [buf])
    }
}

impl Rule for SgdOptions {
    const NAME: &'static str = "SGD";
    const LAYOUT: Layout = Layout { step: false, numbers: &[], tensors: &["momentum_buffer"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FUSED_FLAGS;
    type Plan = ();

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("momentum value", self.momentum)?;
        at_least_zero("weight_decay value", self.weight_decay)?;
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            return Err("Nesterov momentum requires a momentum and zero dampening".into());
        }
        Ok(())
    }
    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("lr", &mut self.lr),
            ("momentum", &mut self.momentum),
            ("dampening", &mut self.dampening),
            ("weight_decay", &mut self.weight_decay),
            ("nesterov", &mut self.nesterov),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        if self.momentum != 0.0 { &[0] } else { &[] }
    }
    fn plan(&self, _step: f64) {}
    fn step(&self, _plan: (), p: &mut Cell) {
        if self.momentum != 0.0 {
            let first = p.is_fresh();
            p.apply([0], Momentum { options: *self, first });
        } else {
            p.apply([], Plain(*self));
        }
    }
}
