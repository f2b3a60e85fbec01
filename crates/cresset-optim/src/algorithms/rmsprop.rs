//! RMSprop.

use super::{FLAGS, sign};
use crate::cell::Cell;
use crate::rule::{Layout, Rule, at_least_zero};
use crate::state::Stored;
use crate::typed::OptimizerFor;
use cresset_kernels::optim::{Float, Formula};
use cresset_tensor::Tensor;

/// RMSprop (`torch.optim.RMSprop`; Hinton's lecture notes, the centered version after Graves).
///
/// g ← ∇f + λ·θ;  v ← α·v + (1 − α)·g²;  centered: a ← a + (1 − α)·(g − a), s = √(v − a²) + ε, otherwise s = √v + ε;
/// with momentum b ← μ·b + g / s, θ ← θ − γ·b, otherwise θ ← θ − γ·g / s
pub type RMSprop = OptimizerFor<RMSpropOptions>;

/// The options of [`RMSprop`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RMSpropOptions {
    /// Learning rate γ.
    pub lr: f64,
    /// Smoothing constant α.
    pub alpha: f64,
    /// ε, added to the denominator.
    pub eps: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Momentum μ.
    pub momentum: f64,
    /// Divide by an estimate of the variance instead of the second moment?
    pub centered: bool,
    /// Maximize the objective instead of minimizing it?
    pub maximize: bool,
}

impl Default for RMSpropOptions {
    fn default() -> RMSpropOptions {
        RMSpropOptions {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
        }
    }
}

impl RMSprop {
    /// RMSprop with learning rate `lr` and PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, lr: f64) -> RMSprop {
        RMSprop::with(params, RMSpropOptions { lr, ..Default::default() })
    }
}

#[derive(Clone, Copy)]
struct Step<const MOMENTUM: bool, const CENTERED: bool>(RMSpropOptions);

impl<const MOMENTUM: bool, const CENTERED: bool> Step<MOMENTUM, CENTERED> {
    #[inline(always)]
    fn all<F: Float>(&self, p: F, g: F, v: F, buf: F, mean: F) -> (F, F, F, F) {
        let o = &self.0;
        let g = g * F::of(sign(o.maximize));
        let g = F::choose(o.weight_decay != 0.0, g + F::of(o.weight_decay) * p, g);
        let v = v * F::of(o.alpha) + F::of(1.0 - o.alpha) * g * g;
        let mean = if CENTERED { mean.lerp(g, 1.0 - o.alpha) } else { mean };
        let avg = (if CENTERED { v - mean * mean } else { v }).sqrt() + F::of(o.eps);
        if MOMENTUM {
            let buf = buf * F::of(o.momentum) + g / avg;
            (p + F::of(-o.lr) * buf, v, buf, mean)
        } else {
            (p + F::of(-o.lr) * g / avg, v, buf, mean)
        }
    }
}
impl Formula<1> for Step<false, false> {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [v]: [F; 1]) -> (F, [F; 1]) {
        let (p, v, ..) = self.all(p, g, v, v, v);
        (p, [v])
    }
}
impl Formula<2> for Step<true, false> {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [v, buf]: [F; 2]) -> (F, [F; 2]) {
        let (p, v, buf, _) = self.all(p, g, v, buf, v);
        (p, [v, buf])
    }
}
impl Formula<2> for Step<false, true> {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [v, mean]: [F; 2]) -> (F, [F; 2]) {
        let (p, v, _, mean) = self.all(p, g, v, v, mean);
        (p, [v, mean])
    }
}
impl Formula<3> for Step<true, true> {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [v, buf, mean]: [F; 3]) -> (F, [F; 3]) {
        let (p, v, buf, mean) = self.all(p, g, v, buf, mean);
        (p, [v, buf, mean])
    }
}

impl Rule for RMSpropOptions {
    const NAME: &'static str = "RMSprop";
    const LAYOUT: Layout =
        Layout { step: true, numbers: &[], tensors: &["square_avg", "momentum_buffer", "grad_avg"], eager: false };
    const FLAGS: &'static [(&'static str, Option<bool>)] = FLAGS;
    type Plan = ();

    fn check(&self) -> Result<(), String> {
        at_least_zero("learning rate", self.lr)?;
        at_least_zero("epsilon value", self.eps)?;
        at_least_zero("momentum value", self.momentum)?;
        at_least_zero("weight_decay value", self.weight_decay)?;
        at_least_zero("alpha value", self.alpha)
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
            ("alpha", &mut self.alpha),
            ("eps", &mut self.eps),
            ("centered", &mut self.centered),
            ("weight_decay", &mut self.weight_decay),
            ("maximize", &mut self.maximize),
        ]
    }
    fn slots(&self) -> &'static [usize] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &[0],
            (true, false) => &[0, 1],
            (false, true) => &[0, 2],
            (true, true) => &[0, 1, 2],
        }
    }
    fn plan(&self, _step: f64) {}
    fn step(&self, _plan: (), p: &mut Cell) {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => p.apply([0], Step::<false, false>(*self)),
            (true, false) => p.apply([0, 1], Step::<true, false>(*self)),
            (false, true) => p.apply([0, 2], Step::<false, true>(*self)),
            (true, true) => p.apply([0, 1, 2], Step::<true, true>(*self)),
        }
    }
}
