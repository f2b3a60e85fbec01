//! The 1cycle policy.

use super::cyclic::{begin_momentum, put_momentum};
use super::scheduled::{Moment, PerGroup, Schedule, Scheduled};
use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::error::fail;
use std::f64::consts::PI;

/// Lets the learning rates rise to a maximum and fall far below where they began, in `total_steps` steps, and the momentum the other way
/// (`lr_scheduler.OneCycleLR`; Smith and Topin, "Super-Convergence"). Step it after every batch.
///
/// ```
/// use cresset_optim::{Adam, OneCycleLR, Scheduler};
/// use cresset_tensor::Tensor;
/// let optimizer = Adam::new([Tensor::zeros([1])], 1e-3);
/// let mut scheduler = OneCycleLR::new(&optimizer, 0.01, 100);
/// for _ in 0..29 {
///     scheduler.step();
/// }
/// assert!((scheduler.get_last_lr()[0] - 0.01).abs() < 1e-12);
/// ```
pub type OneCycleLR = Scheduled<OneCycle>;

/// How [`OneCycleLR`] goes from one value to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Anneal {
    /// Along a cosine.
    #[default]
    Cos,
    /// Along a line.
    Linear,
}

impl Stored for Anneal {
    fn save(&self) -> StateValue {
        StateValue::Str(if *self == Anneal::Cos { "cos" } else { "linear" }.to_string())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        *self = match value {
            StateValue::Str(s) if s == "cos" => Anneal::Cos,
            StateValue::Str(s) if s == "linear" => Anneal::Linear,
            _ => return false,
        };
        true
    }
}

/// The options of [`OneCycleLR`].
#[derive(Clone, Debug)]
pub struct OneCycleLROptions {
    /// The highest learning rate.
    pub max_lr: PerGroup,
    /// The number of steps of the cycle.
    pub total_steps: usize,
    /// The fraction of the cycle in which the learning rate rises.
    pub pct_start: f64,
    /// Along which curve.
    pub anneal_strategy: Anneal,
    /// Move the momentum against the learning rate?
    pub cycle_momentum: bool,
    /// The lowest momentum.
    pub base_momentum: PerGroup,
    /// The highest momentum.
    pub max_momentum: PerGroup,
    /// The first learning rate is `max_lr / div_factor`.
    pub div_factor: f64,
    /// The last one is the first one divided by this.
    pub final_div_factor: f64,
    /// Fall to the first learning rate before falling to the last?
    pub three_phase: bool,
}

impl OneCycleLROptions {
    /// PyTorch's defaults.
    pub fn new(max_lr: impl Into<PerGroup>, total_steps: usize) -> OneCycleLROptions {
        OneCycleLROptions {
            max_lr: max_lr.into(),
            total_steps,
            pct_start: 0.3,
            anneal_strategy: Anneal::Cos,
            cycle_momentum: true,
            base_momentum: PerGroup::Same(0.85),
            max_momentum: PerGroup::Same(0.95),
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }
}

/// The formula of [`OneCycleLR`].
#[derive(Clone, Debug)]
pub struct OneCycle {
    total_steps: i64,
    phases: Vec<Phase>,
    anneal: Anneal,
    cycle_momentum: bool,
    use_beta1: bool,
}

/// One part of the cycle: to which step it goes, and between which options of the group.
#[derive(Clone, Debug, Default)]
struct Phase {
    end_step: f64,
    start_lr: String,
    end_lr: String,
    start_momentum: String,
    end_momentum: String,
}

impl Phase {
    fn new(end_step: f64, lrs: [&str; 2], momentums: [&str; 2]) -> Phase {
        let [start_lr, end_lr] = lrs.map(str::to_string);
        let [start_momentum, end_momentum] = momentums.map(str::to_string);
        Phase { end_step, start_lr, end_lr, start_momentum, end_momentum }
    }
    fn names(&mut self) -> [(&'static str, &mut String); 4] {
        [
            ("start_lr", &mut self.start_lr),
            ("end_lr", &mut self.end_lr),
            ("start_momentum", &mut self.start_momentum),
            ("end_momentum", &mut self.end_momentum),
        ]
    }
}

impl Stored for Phase {
    fn save(&self) -> StateValue {
        let mut entries = vec![("end_step", self.end_step.save())];
        let mut copy = self.clone();
        entries.extend(copy.names().map(|(k, v)| (k, StateValue::Str(v.clone()))));
        StateValue::dict(entries)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let mut new = self.clone();
        if !value.get("end_step").is_some_and(|v| new.end_step.load(v)) {
            return false;
        }
        for (key, name) in new.names() {
            let Some(StateValue::Str(s)) = value.get(key) else { return false };
            *name = s.clone();
        }
        *self = new;
        true
    }
}

impl OneCycleLR {
    /// A cycle of `total_steps` steps that rises to `max_lr`, with PyTorch's other defaults.
    ///
    /// # Panics
    /// As [`OneCycleLR::with`].
    #[track_caller]
    pub fn new(optimizer: &Optimizer, max_lr: impl Into<PerGroup>, total_steps: usize) -> OneCycleLR {
        OneCycleLR::with(optimizer, OneCycleLROptions::new(max_lr, total_steps))
    }
    /// A cycle with all options.
    ///
    /// # Panics
    /// If an option makes no sense, or the momentum shall be cycled and the optimizer has none.
    #[track_caller]
    pub fn with(optimizer: &Optimizer, o: OneCycleLROptions) -> OneCycleLR {
        if o.total_steps == 0 {
            fail("OneCycleLR", "Expected positive integer total_steps, but got 0");
        }
        if !(0.0..=1.0).contains(&o.pct_start) {
            fail("OneCycleLR", format!("Expected float between 0 and 1 pct_start, but got {}", o.pct_start));
        }
        let groups = optimizer.num_groups();
        let total = o.total_steps as f64;
        let (up, down) = (["max_momentum", "base_momentum"], ["base_momentum", "max_momentum"]);
        let rise = Phase::new(o.pct_start * total - 1.0, ["initial_lr", "max_lr"], up);
        let phases = if o.three_phase {
            vec![
                rise,
                Phase::new(2.0 * o.pct_start * total - 2.0, ["max_lr", "initial_lr"], down),
                Phase::new(total - 1.0, ["initial_lr", "min_lr"], ["max_momentum"; 2]),
            ]
        } else {
            vec![rise, Phase::new(total - 1.0, ["max_lr", "min_lr"], down)]
        };
        let max_lrs = o.max_lr.for_groups("max_lr", groups);
        let momentums = o.cycle_momentum.then(|| {
            (o.base_momentum.for_groups("base_momentum", groups), o.max_momentum.for_groups("max_momentum", groups))
        });
        let use_beta1 = begin_momentum("OneCycleLR", optimizer, momentums.as_ref());
        for (group, max_lr) in optimizer.lock().groups.iter_mut().zip(&max_lrs) {
            let initial = max_lr / o.div_factor;
            group.set_extra("initial_lr", StateValue::Float(initial));
            group.set_extra("max_lr", StateValue::Float(*max_lr));
            group.set_extra("min_lr", StateValue::Float(initial / o.final_div_factor));
        }
        Scheduled::from_schedule(
            optimizer,
            OneCycle {
                total_steps: o.total_steps as i64,
                phases,
                anneal: o.anneal_strategy,
                cycle_momentum: o.cycle_momentum,
                use_beta1,
            },
        )
    }
}

impl OneCycle {
    fn between(&self, start: f64, end: f64, pct: f64) -> f64 {
        match self.anneal {
            Anneal::Cos => end + (start - end) / 2.0 * ((PI * pct).cos() + 1.0),
            Anneal::Linear => (end - start) * pct + start,
        }
    }
}

impl Schedule for OneCycle {
    const NAME: &'static str = "OneCycleLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.epoch > self.total_steps {
            fail(
                "OneCycleLR",
                format!(
                    "Tried to step {} times. The specified number of total steps is {}",
                    at.epoch, self.total_steps
                ),
            );
        }
        let step = at.epoch as f64;
        let last = self.phases.len() - 1;
        let at_phase = self.phases.iter().position(|p| step <= p.end_step).unwrap_or(last);
        let start_step = if at_phase == 0 { 0.0 } else { self.phases[at_phase - 1].end_step };
        let phase = &self.phases[at_phase];
        let pct = (step - start_step) / (phase.end_step - start_step);
        let mut lrs = Vec::new();
        for (i, group) in at.optimizer.lock().groups.iter_mut().enumerate() {
            let value = |key: &str| match group.extra(key).and_then(StateValue::number) {
                Some(v) => v,
                None => fail("OneCycleLR", format!("the parameter group {i} has no {key}")),
            };
            lrs.push(self.between(value(&phase.start_lr), value(&phase.end_lr), pct));
            if self.cycle_momentum {
                let momentum = self.between(value(&phase.start_momentum), value(&phase.end_momentum), pct);
                put_momentum(group, momentum);
            }
        }
        lrs
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        let mut fields: Vec<(&'static str, &mut dyn Stored)> = vec![
            ("total_steps", &mut self.total_steps),
            ("_schedule_phases", &mut self.phases),
            ("_anneal_func_type", &mut self.anneal),
            ("cycle_momentum", &mut self.cycle_momentum),
        ];
        fields.push(("use_beta1", &mut self.use_beta1));
        fields
    }
}
