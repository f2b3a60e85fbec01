//! Lower the learning rate when a metric stops improving.

use super::scheduled::{PerGroup, load_fields};
use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::Error;
use cresset_tensor::error::fail;

/// Is a low metric good, or a high one?
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum PlateauMode {
    /// Low, as of a loss.
    #[default]
    Min,
    /// High, as of an accuracy.
    Max,
}

/// What [`ReduceLROnPlateauOptions::threshold`] is a fraction of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ThresholdMode {
    /// The best metric.
    #[default]
    Rel,
    /// One.
    Abs,
}

/// The options of [`ReduceLROnPlateau`].
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateauOptions {
    /// Is a low metric good, or a high one?
    pub mode: PlateauMode,
    /// What learning rates are multiplied by.
    pub factor: f64,
    /// How many epochs without improvement are borne.
    pub patience: usize,
    /// How much counts as an improvement.
    pub threshold: f64,
    /// Relative to the best metric or absolute?
    pub threshold_mode: ThresholdMode,
    /// How many epochs after a reduction are not counted.
    pub cooldown: usize,
    /// Learning rates do not fall below.
    pub min_lr: PerGroup,
    /// A smaller change of a learning rate is not made.
    pub eps: f64,
}

impl Default for ReduceLROnPlateauOptions {
    fn default() -> ReduceLROnPlateauOptions {
        ReduceLROnPlateauOptions {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: PerGroup::Same(0.0),
            eps: 1e-8,
        }
    }
}

/// Multiplies the learning rates by a factor when a metric has not improved for some epochs (`lr_scheduler.ReduceLROnPlateau`). Its step takes the
/// metric, so it is no [`Scheduler`](crate::Scheduler).
///
/// ```
/// use cresset_optim::{ReduceLROnPlateau, ReduceLROnPlateauOptions, SGD};
/// use cresset_tensor::Tensor;
/// let optimizer = SGD::new([Tensor::zeros([1])], 0.1);
/// let mut scheduler = ReduceLROnPlateau::with(&optimizer, ReduceLROnPlateauOptions { patience: 1, ..Default::default() });
/// for validation_loss in [1.0, 0.9, 0.9, 0.9] {
///     scheduler.step(validation_loss);
/// }
/// assert!((optimizer.lrs()[0] - 0.01).abs() < 1e-12);
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    optimizer: Optimizer,
    factor: f64,
    default_min_lr: Option<f64>,
    min_lrs: Vec<f64>,
    patience: i64,
    cooldown: i64,
    eps: f64,
    last_epoch: i64,
    last_lr: Vec<f64>,
    mode: PlateauMode,
    threshold: f64,
    threshold_mode: ThresholdMode,
    best: f64,
    cooldown_counter: i64,
    num_bad_epochs: i64,
}

impl ReduceLROnPlateau {
    /// With PyTorch's defaults: the metric is a loss, the factor 0.1, the patience 10.
    pub fn new(optimizer: &Optimizer) -> ReduceLROnPlateau {
        ReduceLROnPlateau::with(optimizer, ReduceLROnPlateauOptions::default())
    }
    /// With all options.
    ///
    /// # Panics
    /// If the factor is not below 1, or there are not as many `min_lr` as groups.
    #[track_caller]
    pub fn with(optimizer: &Optimizer, o: ReduceLROnPlateauOptions) -> ReduceLROnPlateau {
        if o.factor.is_nan() || o.factor >= 1.0 {
            fail("ReduceLROnPlateau", "Factor should be < 1.0.");
        }
        let groups = optimizer.num_groups();
        let (default_min_lr, min_lrs) = match o.min_lr {
            PerGroup::Same(v) => (Some(v), vec![v; groups]),
            PerGroup::Each(v) if v.len() == groups => (None, v),
            PerGroup::Each(v) => fail("ReduceLROnPlateau", format!("expected {groups} min_lrs, got {}", v.len())),
        };
        ReduceLROnPlateau {
            optimizer: optimizer.clone(),
            factor: o.factor,
            default_min_lr,
            min_lrs,
            patience: o.patience as i64,
            cooldown: o.cooldown as i64,
            eps: o.eps,
            last_epoch: 0,
            last_lr: optimizer.lrs(),
            mode: o.mode,
            threshold: o.threshold,
            threshold_mode: o.threshold_mode,
            best: worst(o.mode),
            cooldown_counter: 0,
            num_bad_epochs: 0,
        }
    }
    /// Looks at the metric of the epoch that ended, and lowers the learning rates if it is time.
    pub fn step(&mut self, metric: f64) {
        self.last_epoch += 1;
        if self.is_better(metric) {
            self.best = metric;
            self.num_bad_epochs = 0;
        } else {
            self.num_bad_epochs += 1;
        }
        if self.in_cooldown() {
            self.cooldown_counter -= 1;
            self.num_bad_epochs = 0;
        }
        if self.num_bad_epochs > self.patience {
            self.reduce();
            self.cooldown_counter = self.cooldown;
            self.num_bad_epochs = 0;
        }
        self.last_lr = self.optimizer.lrs();
    }
    fn is_better(&self, metric: f64) -> bool {
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => metric < self.best * (1.0 - self.threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => metric < self.best - self.threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => metric > self.best * (self.threshold + 1.0),
            (PlateauMode::Max, ThresholdMode::Abs) => metric > self.best + self.threshold,
        }
    }
    fn reduce(&mut self) {
        let mut lrs = self.optimizer.lrs();
        if self.min_lrs.len() != lrs.len() {
            let Some(min) = self.default_min_lr else {
                fail(
                    "ReduceLROnPlateau",
                    format!(
                        "The number of param groups in the `optimizer` ({}) differs from when `ReduceLROnPlateau` was initialized ({}), usually due to a new param group being added to the optimizer.",
                        lrs.len(),
                        self.min_lrs.len()
                    ),
                )
            };
            self.min_lrs = vec![min; lrs.len()];
        }
        for (lr, min) in lrs.iter_mut().zip(&self.min_lrs) {
            let new = (*lr * self.factor).max(*min);
            if *lr - new > self.eps {
                *lr = new;
            }
        }
        self.optimizer.put_lrs(&lrs);
    }
    /// Are epochs not counted, because the learning rates were lowered a short while ago?
    pub fn in_cooldown(&self) -> bool {
        self.cooldown_counter > 0
    }
    /// The best metric so far.
    pub fn best(&self) -> f64 {
        self.best
    }
    /// The learning rates after the last step.
    pub fn get_last_lr(&self) -> Vec<f64> {
        self.last_lr.clone()
    }
    /// How often it was stepped.
    pub fn last_epoch(&self) -> i64 {
        self.last_epoch
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("factor", &mut self.factor),
            ("default_min_lr", &mut self.default_min_lr),
            ("min_lrs", &mut self.min_lrs),
            ("patience", &mut self.patience),
            ("cooldown", &mut self.cooldown),
            ("eps", &mut self.eps),
            ("last_epoch", &mut self.last_epoch),
            ("_last_lr", &mut self.last_lr),
            ("mode", &mut self.mode),
            ("threshold", &mut self.threshold),
            ("threshold_mode", &mut self.threshold_mode),
            ("best", &mut self.best),
            ("cooldown_counter", &mut self.cooldown_counter),
            ("num_bad_epochs", &mut self.num_bad_epochs),
        ]
    }
    /// Its state as a dictionary with PyTorch's keys.
    pub fn state_dict(&self) -> StateValue {
        let mut copy = self.clone();
        let mut all: Vec<(&str, StateValue)> = copy.fields().into_iter().map(|(k, v)| (k, v.save())).collect();
        all.push(("mode_worse", StateValue::Float(worst(self.mode))));
        StateValue::dict(all)
    }
    /// Takes a saved state over.
    ///
    /// # Errors
    /// If a value is of the wrong kind. Then nothing has changed.
    pub fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error> {
        let mut new = self.clone();
        load_fields("ReduceLROnPlateau", new.fields(), saved)?;
        *self = new;
        Ok(())
    }
}

fn worst(mode: PlateauMode) -> f64 {
    if mode == PlateauMode::Min { f64::INFINITY } else { f64::NEG_INFINITY }
}

impl Stored for PlateauMode {
    fn save(&self) -> StateValue {
        StateValue::Str(if *self == PlateauMode::Min { "min" } else { "max" }.to_string())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let StateValue::Str(name) = value else { return false };
        *self = match name.as_str() {
            "min" => PlateauMode::Min,
            "max" => PlateauMode::Max,
            _ => return false,
        };
        true
    }
}
impl Stored for ThresholdMode {
    fn save(&self) -> StateValue {
        StateValue::Str(if *self == ThresholdMode::Rel { "rel" } else { "abs" }.to_string())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let StateValue::Str(name) = value else { return false };
        *self = match name.as_str() {
            "rel" => ThresholdMode::Rel,
            "abs" => ThresholdMode::Abs,
            _ => return false,
        };
        true
    }
}
