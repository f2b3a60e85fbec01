//! What all schedules share: counting, writing learning rates, saving.

use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::Error;
use cresset_tensor::error::fail;

/// A schedule of learning rates (`torch.optim.lr_scheduler.LRScheduler`).
pub trait Scheduler {
    /// Goes on by one and sets the learning rates of the optimizer's groups.
    fn step(&mut self);
    /// The learning rates that the last step set, one for each group.
    fn get_last_lr(&self) -> Vec<f64>;
    /// How often it was stepped.
    fn last_epoch(&self) -> i64;
    /// The optimizer.
    fn optimizer(&self) -> &Optimizer;
    /// Its state as a dictionary with PyTorch's keys.
    fn state_dict(&self) -> StateValue;
    /// Takes a saved state over. Keys that are missing leave what they concern as it is.
    ///
    /// # Errors
    /// If a value is of the wrong kind. Then nothing has changed.
    fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error>;

    /// Takes the count of the construction back. (For [`SequentialLR`](crate::SequentialLR).)
    #[doc(hidden)]
    fn undo(&mut self);
    /// The step that the construction makes. (For `SequentialLR`.)
    #[doc(hidden)]
    fn initial_step(&mut self);
    /// Goes to the beginning and sets the learning rates that belong there. (For `SequentialLR`.)
    #[doc(hidden)]
    fn restart(&mut self);
}

/// What a schedule sees when it is asked for learning rates.
pub struct Moment<'a> {
    /// The optimizer.
    pub optimizer: &'a Optimizer,
    /// The learning rates of the groups as they are.
    pub lrs: &'a [f64],
    /// Those that the schedule began with.
    pub base_lrs: &'a [f64],
    /// The epoch that begins.
    pub epoch: i64,
    /// How many steps were made.
    pub step_count: i64,
    /// Is this the step of the construction?
    pub initial: bool,
}

impl Moment<'_> {
    /// The learning rates unchanged.
    pub fn unchanged(&self) -> Vec<f64> {
        self.lrs.to_vec()
    }
    /// Each learning rate times a factor.
    pub fn times(&self, factor: f64) -> Vec<f64> {
        self.lrs.iter().map(|lr| lr * factor).collect()
    }
    /// A learning rate from that with which each group began.
    pub fn from_base(&self, f: impl Fn(f64) -> f64) -> Vec<f64> {
        self.check();
        self.base_lrs.iter().map(|base| f(*base)).collect()
    }
    /// A learning rate from the present one and that with which the group began.
    pub fn from_both(&self, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.check();
        self.lrs.iter().zip(self.base_lrs).map(|(lr, base)| f(*lr, *base)).collect()
    }
    fn check(&self) {
        check_groups(self.base_lrs.len(), self.lrs.len());
    }
}

pub(super) fn check_groups(known: usize, now: usize) {
    if known != now {
        fail("scheduler", format!("the optimizer has {now} parameter groups, but the scheduler was made for {known}"));
    }
}

/// The formula of a schedule.
pub trait Schedule: Clone {
    /// Its name.
    const NAME: &'static str;
    /// Does `_step_count` count its steps?
    const COUNTS: bool = true;
    /// The next epoch, given the last.
    fn advance(&mut self, last_epoch: i64) -> i64 {
        last_epoch + 1
    }
    /// The learning rates of the groups.
    fn lrs(&mut self, at: &Moment) -> Vec<f64>;
    /// The learning rates without reference to the present ones, if there is such a form.
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let _ = at;
        None
    }
    /// What is saved of it.
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)>;
    /// What else is saved and never read.
    fn constants(&self) -> Vec<(&'static str, StateValue)> {
        Vec::new()
    }
}

/// A [`Schedule`] at work on an optimizer. [`StepLR`](crate::StepLR) and the others are names for it.
#[derive(Clone)]
pub struct Scheduled<S> {
    optimizer: Optimizer,
    schedule: S,
    base_lrs: Vec<f64>,
    last_epoch: i64,
    step_count: i64,
    last_lr: Vec<f64>,
    initial: bool,
}

impl<S: Schedule> Scheduled<S> {
    /// Puts a schedule to work: notes the learning rates of the groups (as `initial_lr` in the groups) and makes the first step.
    pub fn from_schedule(optimizer: &Optimizer, schedule: S) -> Scheduled<S> {
        let mut base_lrs = Vec::new();
        for group in &mut optimizer.lock().groups {
            let lr = group.get_lr();
            if group.extra("initial_lr").is_none() {
                group.set_extra("initial_lr", StateValue::Float(lr));
            }
            base_lrs.push(group.extra("initial_lr").and_then(StateValue::number).unwrap_or(lr));
        }
        let mut s = Scheduled {
            optimizer: optimizer.clone(),
            schedule,
            base_lrs,
            last_epoch: -1,
            step_count: 0,
            last_lr: Vec::new(),
            initial: false,
        };
        s.initial_step();
        s
    }
    /// The formula with its options.
    pub fn schedule(&self) -> &S {
        &self.schedule
    }
    pub(super) fn schedule_mut(&mut self) -> &mut S {
        &mut self.schedule
    }
    pub(super) fn set_base_lrs(&mut self, base_lrs: Vec<f64>) {
        self.base_lrs = base_lrs;
    }
    pub(super) fn update(&mut self, epoch: i64, closed: bool) {
        self.last_epoch = epoch;
        let now = self.optimizer.lrs();
        let at = Moment {
            optimizer: &self.optimizer,
            lrs: &now,
            base_lrs: &self.base_lrs,
            epoch,
            step_count: self.step_count,
            initial: self.initial,
        };
        let lrs = if closed { self.schedule.closed_form(&at) } else { None };
        let lrs = lrs.unwrap_or_else(|| self.schedule.lrs(&at));
        self.optimizer.put_lrs(&lrs);
        self.last_lr = self.optimizer.lrs();
    }
}

impl<S: Schedule> Scheduler for Scheduled<S> {
    fn step(&mut self) {
        if S::COUNTS {
            self.step_count += 1;
        }
        let epoch = self.schedule.advance(self.last_epoch);
        self.update(epoch, false);
    }
    fn get_last_lr(&self) -> Vec<f64> {
        self.last_lr.clone()
    }
    fn last_epoch(&self) -> i64 {
        self.last_epoch
    }
    fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }
    fn state_dict(&self) -> StateValue {
        let mut schedule = self.schedule.clone();
        let mut all: Vec<(&str, StateValue)> = schedule.fields().into_iter().map(|(k, v)| (k, v.save())).collect();
        all.extend([
            ("base_lrs", self.base_lrs.save()),
            ("last_epoch", self.last_epoch.save()),
            ("_step_count", self.step_count.save()),
            ("_is_initial", false.save()),
            ("_get_lr_called_within_step", false.save()),
            ("_last_lr", self.last_lr.save()),
        ]);
        all.extend(self.schedule.constants());
        StateValue::dict(all)
    }
    fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error> {
        let mut new = self.clone();
        let mut fields = new.schedule.fields();
        fields.extend([
            ("base_lrs", &mut new.base_lrs as &mut dyn Stored),
            ("last_epoch", &mut new.last_epoch),
            ("_step_count", &mut new.step_count),
            ("_last_lr", &mut new.last_lr),
        ]);
        load_fields(S::NAME, fields, saved)?;
        *self = new;
        Ok(())
    }
    fn undo(&mut self) {
        self.last_epoch -= 1;
    }
    fn initial_step(&mut self) {
        self.step_count = 0;
        self.initial = true;
        self.step();
        self.initial = false;
    }
    fn restart(&mut self) {
        self.update(0, true);
    }
}

/// Lists with one number for each group of parameters.
const OF_GROUPS: [&str; 6] = ["base_lrs", "_last_lr", "max_lrs", "min_lrs", "base_momentums", "max_momentums"];

/// Loads every field whose key is there.
pub(super) fn load_fields(
    name: &str,
    fields: Vec<(&'static str, &mut dyn Stored)>,
    saved: &StateValue,
) -> Result<(), Error> {
    let bad = |what: String| Error::new(format!("{name}.load_state_dict"), what);
    if !matches!(saved, StateValue::Dict(_)) {
        return Err(bad(format!("expected a dictionary, got {saved:?}")));
    }
    for (key, field) in fields {
        let Some(value) = saved.get(key) else { continue };
        let groups = OF_GROUPS.contains(&key).then(|| field.save().items().map(<[_]>::len)).flatten();
        if !field.load(value) {
            return Err(bad(format!("{key} cannot be {value:?}")));
        }
        let found = value.items().map_or(0, <[_]>::len);
        if let Some(groups) = groups
            && found != groups
        {
            return Err(bad(format!("{key} has {found} values, but there are {groups} groups of parameters")));
        }
    }
    Ok(())
}

/// An option that is the same for all groups, or given for each.
#[derive(Clone, Debug, PartialEq)]
pub enum PerGroup {
    /// The same for all.
    Same(f64),
    /// One for each group.
    Each(Vec<f64>),
}

impl PerGroup {
    /// One for each of `groups` groups.
    #[track_caller]
    pub(super) fn for_groups(&self, name: &str, groups: usize) -> Vec<f64> {
        match self {
            PerGroup::Same(v) => vec![*v; groups],
            PerGroup::Each(v) if v.len() == groups => v.clone(),
            PerGroup::Each(v) => fail(
                "scheduler",
                format!(
                    "{name} must have the same length as optimizer.param_groups. {name} has {} values, param_groups has {groups}.",
                    v.len()
                ),
            ),
        }
    }
}
impl From<f64> for PerGroup {
    fn from(v: f64) -> PerGroup {
        PerGroup::Same(v)
    }
}
impl From<Vec<f64>> for PerGroup {
    fn from(v: Vec<f64>) -> PerGroup {
        PerGroup::Each(v)
    }
}
impl<const N: usize> From<[f64; N]> for PerGroup {
    fn from(v: [f64; N]) -> PerGroup {
        PerGroup::Each(v.to_vec())
    }
}
