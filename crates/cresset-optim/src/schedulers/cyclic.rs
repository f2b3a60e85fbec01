//! Cyclical learning rates, and what they share with the 1cycle policy: moving the momentum.

use super::scheduled::{Moment, PerGroup, Schedule, Scheduled, check_groups};
use crate::optimizer::{Group, Optimizer};
use crate::state::{StateValue, Stored};
use cresset_tensor::error::fail;
use std::sync::Arc;

/// Lets the learning rates go up and down between two bounds (`lr_scheduler.CyclicLR`; Smith, "Cyclical Learning Rates for Training Neural
/// Networks"). Step it after every batch.
pub type CyclicLR = Scheduled<Cyclic>;

/// How the height of [`CyclicLR`]'s cycles changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CyclicMode {
    /// Not at all.
    #[default]
    Triangular,
    /// Half as high each cycle.
    Triangular2,
    /// By `gamma` to the power of the number of steps.
    ExpRange,
}

/// What a [`ScaleFn`] is a function of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ScaleMode {
    /// The number of the cycle.
    #[default]
    Cycle,
    /// The number of steps.
    Iterations,
}

/// A height of cycles of one's own.
pub type ScaleFn = Arc<dyn Fn(f64) -> f64 + Send + Sync>;

/// The options of [`CyclicLR`].
#[derive(Clone)]
pub struct CyclicLROptions {
    /// The lowest learning rate, with which the cycle begins.
    pub base_lr: PerGroup,
    /// The highest learning rate.
    pub max_lr: PerGroup,
    /// The number of steps upwards.
    pub step_size_up: usize,
    /// The number of steps downwards, if it is another.
    pub step_size_down: Option<usize>,
    /// How the height changes.
    pub mode: CyclicMode,
    /// The base of `ExpRange`.
    pub gamma: f64,
    /// A height of one's own; `mode` then has no effect.
    pub scale_fn: Option<ScaleFn>,
    /// What `scale_fn` is a function of.
    pub scale_mode: ScaleMode,
    /// Move the momentum against the learning rate?
    pub cycle_momentum: bool,
    /// The lowest momentum.
    pub base_momentum: PerGroup,
    /// The highest momentum.
    pub max_momentum: PerGroup,
}

impl CyclicLROptions {
    /// PyTorch's defaults.
    pub fn new(base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> CyclicLROptions {
        CyclicLROptions {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
            scale_fn: None,
            scale_mode: ScaleMode::Cycle,
            cycle_momentum: true,
            base_momentum: PerGroup::Same(0.8),
            max_momentum: PerGroup::Same(0.9),
        }
    }
}

/// The formula of [`CyclicLR`].
#[derive(Clone)]
pub struct Cyclic {
    max_lrs: Vec<f64>,
    total_size: f64,
    step_ratio: f64,
    mode: CyclicMode,
    gamma: f64,
    scale_fn: Option<ScaleFn>,
    scale_mode: ScaleMode,
    cycle_momentum: bool,
    use_beta1: bool,
    base_momentums: Vec<f64>,
    max_momentums: Vec<f64>,
}

impl CyclicLR {
    /// Between `base_lr` and `max_lr`, with PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`CyclicLR::with`].
    #[track_caller]
    pub fn new(optimizer: &Optimizer, base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> CyclicLR {
        CyclicLR::with(optimizer, CyclicLROptions::new(base_lr, max_lr))
    }
    /// With all options.
    ///
    /// # Panics
    /// If an option makes no sense, or the momentum shall be cycled and the optimizer has none.
    #[track_caller]
    pub fn with(optimizer: &Optimizer, o: CyclicLROptions) -> CyclicLR {
        let groups = optimizer.num_groups();
        let base_lrs = o.base_lr.for_groups("base_lr", groups);
        let max_lrs = o.max_lr.for_groups("max_lr", groups);
        let (up, down) = (o.step_size_up as f64, o.step_size_down.unwrap_or(o.step_size_up) as f64);
        if up + down == 0.0 {
            fail("CyclicLR", "Expected positive integer step_size_up, but got 0");
        }
        let momentums = o.cycle_momentum.then(|| {
            (o.base_momentum.for_groups("base_momentum", groups), o.max_momentum.for_groups("max_momentum", groups))
        });
        let use_beta1 = begin_momentum("CyclicLR", optimizer, momentums.as_ref());
        optimizer.put_lrs(&base_lrs);
        let (base_momentums, max_momentums) = momentums.unwrap_or_default();
        let custom = o.scale_fn.is_some();
        let scale_mode = match o.mode {
            _ if custom => o.scale_mode,
            CyclicMode::ExpRange => ScaleMode::Iterations,
            _ => ScaleMode::Cycle,
        };
        let mut scheduler = Scheduled::from_schedule(
            optimizer,
            Cyclic {
                max_lrs,
                total_size: up + down,
                step_ratio: up / (up + down),
                mode: o.mode,
                gamma: o.gamma,
                scale_fn: o.scale_fn,
                scale_mode,
                cycle_momentum: o.cycle_momentum,
                use_beta1,
                base_momentums,
                max_momentums,
            },
        );
        scheduler.set_base_lrs(base_lrs);
        scheduler
    }
}

impl Cyclic {
    fn scale(&self, x: f64) -> f64 {
        match (&self.scale_fn, self.mode) {
            (Some(f), _) => f(x),
            (None, CyclicMode::Triangular) => 1.0,
            (None, CyclicMode::Triangular2) => 1.0 / 2f64.powf(x - 1.0),
            (None, CyclicMode::ExpRange) => self.gamma.powf(x),
        }
    }
}

impl Schedule for Cyclic {
    const NAME: &'static str = "CyclicLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        let epoch = at.epoch as f64;
        let cycle = (1.0 + epoch / self.total_size).floor();
        let x = 1.0 + epoch / self.total_size - cycle;
        let factor = if x <= self.step_ratio { x / self.step_ratio } else { (x - 1.0) / (self.step_ratio - 1.0) };
        let scale = self.scale(if self.scale_mode == ScaleMode::Cycle { cycle } else { epoch });
        check_groups(self.max_lrs.len(), at.lrs.len());
        let lrs =
            at.base_lrs.iter().zip(&self.max_lrs).map(|(base, max)| base + (max - base) * factor * scale).collect();
        if self.cycle_momentum {
            for (i, group) in at.optimizer.lock().groups.iter_mut().enumerate() {
                let (base, max) = (self.base_momentums[i], self.max_momentums[i]);
                put_momentum(group, max - (max - base) * factor * scale);
            }
        }
        lrs
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        let mut fields: Vec<(&'static str, &mut dyn Stored)> = vec![
            ("max_lrs", &mut self.max_lrs),
            ("total_size", &mut self.total_size),
            ("step_ratio", &mut self.step_ratio),
            ("mode", &mut self.mode),
            ("gamma", &mut self.gamma),
            ("scale_mode", &mut self.scale_mode),
            ("cycle_momentum", &mut self.cycle_momentum),
        ];
        if !self.base_momentums.is_empty() {
            fields.push(("use_beta1", &mut self.use_beta1));
            fields.push(("base_momentums", &mut self.base_momentums));
            fields.push(("max_momentums", &mut self.max_momentums));
        }
        fields
    }
    fn constants(&self) -> Vec<(&'static str, StateValue)> {
        vec![("_scale_fn_custom", StateValue::None)]
    }
}

impl Stored for CyclicMode {
    fn save(&self) -> StateValue {
        let name = match self {
            CyclicMode::Triangular => "triangular",
            CyclicMode::Triangular2 => "triangular2",
            CyclicMode::ExpRange => "exp_range",
        };
        StateValue::Str(name.to_string())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let StateValue::Str(name) = value else { return false };
        *self = match name.as_str() {
            "triangular" => CyclicMode::Triangular,
            "triangular2" => CyclicMode::Triangular2,
            "exp_range" => CyclicMode::ExpRange,
            _ => return false,
        };
        true
    }
}
impl Stored for ScaleMode {
    fn save(&self) -> StateValue {
        StateValue::Str(if *self == ScaleMode::Cycle { "cycle" } else { "iterations" }.to_string())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let StateValue::Str(name) = value else { return false };
        *self = match name.as_str() {
            "cycle" => ScaleMode::Cycle,
            "iterations" => ScaleMode::Iterations,
            _ => return false,
        };
        true
    }
}

/// Sets the momentum of a group, or the first of its betas.
pub(super) fn put_momentum(group: &mut Group, momentum: f64) {
    if let Some(m) = group.rule.cycled() {
        *m = momentum;
    }
}

/// Starts cycling the momentum (lowest and highest for each group), if that is wanted. True if the optimizer has betas.
#[track_caller]
pub(super) fn begin_momentum(name: &str, optimizer: &Optimizer, momentums: Option<&(Vec<f64>, Vec<f64>)>) -> bool {
    let mut shared = optimizer.lock();
    let use_beta1 = shared.groups[0].rule.fields().iter().any(|(k, _)| *k == "betas");
    let Some((base, max)) = momentums else { return use_beta1 };
    if shared.groups[0].rule.cycled().is_none() {
        drop(shared);
        fail(name, "optimizer must support momentum or beta1 with `cycle_momentum` option enabled");
    }
    for ((group, base), max) in shared.groups.iter_mut().zip(base).zip(max) {
        put_momentum(group, *max);
        group.set_extra("max_momentum", StateValue::Float(*max));
        group.set_extra("base_momentum", StateValue::Float(*base));
    }
    use_beta1
}
