//! Schedules that multiply: by steps, linearly, exponentially, by a polynomial.

use super::scheduled::{Moment, Schedule, Scheduled};
use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::error::fail;
use std::collections::BTreeMap;

/// Multiplies the learning rates by `gamma` every `step_size` epochs (`lr_scheduler.StepLR`).
///
/// ```
/// use cresset_optim::{SGD, Scheduler, StepLR};
/// use cresset_tensor::Tensor;
/// let optimizer = SGD::new([Tensor::zeros([1])], 0.5);
/// let mut scheduler = StepLR::new(&optimizer, 2, 0.1);
/// let lrs: Vec<f64> = (0..4).map(|_| { let lr = optimizer.lrs()[0]; scheduler.step(); lr }).collect();
/// assert_eq!(lrs, [0.5, 0.5, 0.05, 0.05]);
/// ```
pub type StepLR = Scheduled<Step>;

/// The formula of [`StepLR`].
#[derive(Clone, Debug)]
pub struct Step {
    step_size: i64,
    gamma: f64,
}

impl StepLR {
    /// Multiplies by `gamma` (PyTorch's default is 0.1) every `step_size` epochs.
    ///
    /// # Panics
    /// If `step_size` is 0.
    #[track_caller]
    pub fn new(optimizer: &Optimizer, step_size: usize, gamma: f64) -> StepLR {
        if step_size == 0 {
            fail("StepLR", "Expected positive integer step_size, but got 0");
        }
        Scheduled::from_schedule(optimizer, Step { step_size: step_size as i64, gamma })
    }
}

impl Schedule for Step {
    const NAME: &'static str = "StepLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.epoch == 0 || at.epoch % self.step_size != 0 { at.unchanged() } else { at.times(self.gamma) }
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let factor = self.gamma.powf((at.epoch / self.step_size) as f64);
        Some(at.from_base(|base| base * factor))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("step_size", &mut self.step_size), ("gamma", &mut self.gamma)]
    }
}

/// Multiplies the learning rates by `gamma` at each milestone (`lr_scheduler.MultiStepLR`).
pub type MultiStepLR = Scheduled<MultiStep>;

/// The formula of [`MultiStepLR`].
#[derive(Clone, Debug)]
pub struct MultiStep {
    milestones: Milestones,
    gamma: f64,
}

/// How often each epoch is a milestone.
#[derive(Clone, Debug)]
struct Milestones(BTreeMap<i64, i64>);

impl Stored for Milestones {
    fn save(&self) -> StateValue {
        StateValue::Dict(self.0.iter().map(|(k, v)| (StateValue::Int(*k), StateValue::Int(*v))).collect())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let StateValue::Dict(d) = value else { return false };
        let mut new = BTreeMap::new();
        for (k, v) in d {
            let (StateValue::Int(k), StateValue::Int(v)) = (k, v) else { return false };
            new.insert(*k, *v);
        }
        self.0 = new;
        true
    }
}

impl MultiStepLR {
    /// Multiplies by `gamma` (PyTorch's default is 0.1) at each of the epochs `milestones`.
    pub fn new(optimizer: &Optimizer, milestones: impl IntoIterator<Item = usize>, gamma: f64) -> MultiStepLR {
        let mut counts = BTreeMap::new();
        for m in milestones {
            *counts.entry(m as i64).or_insert(0) += 1;
        }
        Scheduled::from_schedule(optimizer, MultiStep { milestones: Milestones(counts), gamma })
    }
}

impl Schedule for MultiStep {
    const NAME: &'static str = "MultiStepLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        match self.milestones.0.get(&at.epoch) {
            None => at.unchanged(),
            Some(&n) => at.times(self.gamma.powf(n as f64)),
        }
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let passed: i64 = self.milestones.0.range(..=at.epoch).map(|(_, n)| n).sum();
        Some(at.from_base(|base| base * self.gamma.powf(passed as f64)))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("milestones", &mut self.milestones), ("gamma", &mut self.gamma)]
    }
}

/// Multiplies the learning rates by `factor` until epoch `total_iters` (`lr_scheduler.ConstantLR`).
pub type ConstantLR = Scheduled<Constant>;

/// The formula of [`ConstantLR`].
#[derive(Clone, Debug)]
pub struct Constant {
    factor: f64,
    total_iters: i64,
}

impl ConstantLR {
    /// Multiplies by `factor` until epoch `total_iters` (PyTorch's defaults: 1/3 and 5).
    ///
    /// # Panics
    /// If `factor` is not between 0 and 1.
    #[track_caller]
    pub fn new(optimizer: &Optimizer, factor: f64, total_iters: usize) -> ConstantLR {
        if !(0.0..=1.0).contains(&factor) {
            fail("ConstantLR", "Constant multiplicative factor expected to be between 0 and 1.");
        }
        Scheduled::from_schedule(optimizer, Constant { factor, total_iters: total_iters as i64 })
    }
}

impl Schedule for Constant {
    const NAME: &'static str = "ConstantLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.epoch == 0 {
            at.times(self.factor)
        } else if at.epoch != self.total_iters {
            at.unchanged()
        } else {
            at.times(1.0 / self.factor)
        }
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let ended = if at.epoch >= self.total_iters { 1.0 } else { 0.0 };
        Some(at.from_base(|base| base * (self.factor + ended * (1.0 - self.factor))))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("factor", &mut self.factor), ("total_iters", &mut self.total_iters)]
    }
}

/// Multiplies the learning rates by a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs (`lr_scheduler.LinearLR`):
/// the usual warm-up.
pub type LinearLR = Scheduled<Linear>;

/// The formula of [`LinearLR`].
#[derive(Clone, Debug)]
pub struct Linear {
    start_factor: f64,
    end_factor: f64,
    total_iters: i64,
}

impl LinearLR {
    /// From `start_factor` to `end_factor` in `total_iters` epochs (PyTorch's defaults: 1/3, 1 and 5).
    ///
    /// # Panics
    /// If `start_factor` is not in (0, 1] or `end_factor` not in [0, 1].
    #[track_caller]
    pub fn new(optimizer: &Optimizer, start_factor: f64, end_factor: f64, total_iters: usize) -> LinearLR {
        if !(start_factor > 0.0 && start_factor <= 1.0) {
            fail("LinearLR", "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.");
        }
        if !(0.0..=1.0).contains(&end_factor) {
            fail("LinearLR", "Ending multiplicative factor expected to be between 0 and 1.");
        }
        Scheduled::from_schedule(optimizer, Linear { start_factor, end_factor, total_iters: total_iters as i64 })
    }
}

impl Schedule for Linear {
    const NAME: &'static str = "LinearLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.epoch == 0 {
            return at.times(self.start_factor);
        }
        if at.initial || at.epoch > self.total_iters {
            return at.unchanged();
        }
        let rise = self.end_factor - self.start_factor;
        let before = self.total_iters as f64 * self.start_factor + (at.epoch - 1) as f64 * rise;
        at.times(1.0 + rise / before)
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let rise = self.end_factor - self.start_factor;
        let done = self.total_iters.min(at.epoch) as f64;
        Some(at.from_base(|base| base * (self.start_factor + rise * done / self.total_iters as f64)))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("start_factor", &mut self.start_factor),
            ("end_factor", &mut self.end_factor),
            ("total_iters", &mut self.total_iters),
        ]
    }
}

/// Multiplies the learning rates by `gamma` every epoch (`lr_scheduler.ExponentialLR`).
pub type ExponentialLR = Scheduled<Exponential>;

/// The formula of [`ExponentialLR`].
#[derive(Clone, Debug)]
pub struct Exponential {
    gamma: f64,
}

impl ExponentialLR {
    /// Multiplies by `gamma` every epoch.
    pub fn new(optimizer: &Optimizer, gamma: f64) -> ExponentialLR {
        Scheduled::from_schedule(optimizer, Exponential { gamma })
    }
}

impl Schedule for Exponential {
    const NAME: &'static str = "ExponentialLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.initial { at.unchanged() } else { at.times(self.gamma) }
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        Some(at.from_base(|base| base * self.gamma.powf(at.epoch as f64)))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("gamma", &mut self.gamma)]
    }
}

/// Lets the learning rates fall to zero in `total_iters` epochs as (1 − t / total_iters)^power (`lr_scheduler.PolynomialLR`).
pub type PolynomialLR = Scheduled<Polynomial>;

/// The formula of [`PolynomialLR`].
#[derive(Clone, Debug)]
pub struct Polynomial {
    total_iters: i64,
    power: f64,
}

impl PolynomialLR {
    /// Falls to zero in `total_iters` epochs (PyTorch's defaults: 5 epochs, power 1).
    pub fn new(optimizer: &Optimizer, total_iters: usize, power: f64) -> PolynomialLR {
        Scheduled::from_schedule(optimizer, Polynomial { total_iters: total_iters as i64, power })
    }
}

impl Schedule for Polynomial {
    const NAME: &'static str = "PolynomialLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.initial || at.epoch > self.total_iters {
            return at.unchanged();
        }
        let (epoch, total) = (at.epoch as f64, self.total_iters as f64);
        at.times(((1.0 - epoch / total) / (1.0 - (epoch - 1.0) / total)).powf(self.power))
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let done = self.total_iters.min(at.epoch) as f64 / self.total_iters as f64;
        Some(at.from_base(|base| base * (1.0 - done).powf(self.power)))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("total_iters", &mut self.total_iters), ("power", &mut self.power)]
    }
}
