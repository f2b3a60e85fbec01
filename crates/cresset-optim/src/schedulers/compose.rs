//! Several schedules on one optimizer: one after the other, or all together.

use super::scheduled::{Scheduler, load_fields};
use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::Error;
use cresset_tensor::error::fail;

/// Runs schedules one after the other (`lr_scheduler.SequentialLR`): the first until the first milestone, and so on.
///
/// ```
/// use cresset_optim::{ExponentialLR, LinearLR, SGD, Scheduler, SequentialLR};
/// use cresset_tensor::Tensor;
/// let optimizer = SGD::new([Tensor::zeros([1])], 1.0);
/// let warmup = LinearLR::new(&optimizer, 0.5, 1.0, 2);
/// let decay = ExponentialLR::new(&optimizer, 0.9);
/// let mut scheduler = SequentialLR::new(&optimizer, vec![Box::new(warmup), Box::new(decay)], [2]);
/// let lrs: Vec<f64> = (0..4).map(|_| { let lr = optimizer.lrs()[0]; scheduler.step(); lr }).collect();
/// assert_eq!(lrs, [0.5, 0.75, 1.0, 0.9]);
/// ```
pub struct SequentialLR {
    optimizer: Optimizer,
    schedulers: Vec<Box<dyn Scheduler>>,
    milestones: Vec<i64>,
    last_epoch: i64,
    last_lr: Vec<f64>,
}

#[track_caller]
fn check(name: &str, optimizer: &Optimizer, schedulers: &[Box<dyn Scheduler>]) {
    for (i, s) in schedulers.iter().enumerate() {
        if !s.optimizer().is_same(optimizer) {
            fail(
                name,
                format!(
                    "{name} expects all schedulers to belong to the same optimizer, but the scheduler at index {i} belongs to another"
                ),
            );
        }
    }
}

impl SequentialLR {
    /// Runs `schedulers`, made in this order on this optimizer, changing over at the epochs `milestones`.
    ///
    /// # Panics
    /// If there is no schedule, one belongs to another optimizer, or there is not one milestone less than schedules.
    #[track_caller]
    pub fn new(
        optimizer: &Optimizer,
        schedulers: Vec<Box<dyn Scheduler>>,
        milestones: impl IntoIterator<Item = usize>,
    ) -> SequentialLR {
        let milestones: Vec<i64> = milestones.into_iter().map(|m| m as i64).collect();
        if schedulers.is_empty() {
            fail("SequentialLR", "SequentialLR expects at least one scheduler, but got no scheduler.");
        }
        check("SequentialLR", optimizer, &schedulers);
        if milestones.len() != schedulers.len() - 1 {
            fail(
                "SequentialLR",
                format!(
                    "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers {} and the number of milestones to be equal to {}",
                    schedulers.len(),
                    milestones.len()
                ),
            );
        }
        // Each schedule has made its first step while it was constructed: take them back, then let the one whose turn it is make it again.
        for group in &mut optimizer.lock().groups {
            if let Some(lr) = group.extra("initial_lr").and_then(StateValue::number) {
                group.set_lr(lr);
            }
        }
        let mut s =
            SequentialLR { optimizer: optimizer.clone(), schedulers, milestones, last_epoch: 0, last_lr: Vec::new() };
        s.undo();
        let first = s.turn(0);
        s.schedulers[first].initial_step();
        s.last_lr = s.schedulers[first].get_last_lr();
        s
    }
    /// Whose turn is it?
    fn turn(&self, epoch: i64) -> usize {
        self.milestones.partition_point(|m| *m <= epoch)
    }
}

impl Scheduler for SequentialLR {
    fn step(&mut self) {
        self.last_epoch += 1;
        let i = self.turn(self.last_epoch);
        if i > 0 && self.milestones[i - 1] == self.last_epoch {
            self.schedulers[i].restart();
        } else {
            self.schedulers[i].step();
        }
        self.last_lr = self.schedulers[i].get_last_lr();
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
        StateValue::dict([
            ("_milestones", self.milestones.save()),
            ("last_epoch", self.last_epoch.save()),
            ("_last_lr", self.last_lr.save()),
            ("_schedulers", save_all(&self.schedulers)),
        ])
    }
    fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error> {
        let (mut milestones, mut last_epoch, mut last_lr) =
            (self.milestones.clone(), self.last_epoch, self.last_lr.clone());
        let fields: Vec<(&'static str, &mut dyn Stored)> =
            vec![("_milestones", &mut milestones), ("last_epoch", &mut last_epoch), ("_last_lr", &mut last_lr)];
        load_fields("SequentialLR", fields, saved)?;
        if milestones.len() != self.milestones.len() {
            return Err(Error::new("SequentialLR.load_state_dict", "the saved state has another number of milestones"));
        }
        load_all("SequentialLR", &mut self.schedulers, saved)?;
        (self.milestones, self.last_epoch, self.last_lr) = (milestones, last_epoch, last_lr);
        Ok(())
    }
    fn undo(&mut self) {
        self.schedulers.iter_mut().for_each(|s| s.undo());
    }
    fn initial_step(&mut self) {
        self.step();
    }
    fn restart(&mut self) {
        self.last_epoch = 0;
        let first = self.turn(0);
        self.schedulers[first].restart();
        self.last_lr = self.schedulers[first].get_last_lr();
    }
}

/// Steps schedules together (`lr_scheduler.ChainedScheduler`): their factors multiply.
pub struct ChainedScheduler {
    optimizer: Optimizer,
    schedulers: Vec<Box<dyn Scheduler>>,
    last_lr: Vec<f64>,
}

impl ChainedScheduler {
    /// Steps `schedulers` together.
    ///
    /// # Panics
    /// If there is none, or they belong to different optimizers.
    #[track_caller]
    pub fn new(schedulers: Vec<Box<dyn Scheduler>>) -> ChainedScheduler {
        let Some(first) = schedulers.first() else {
            fail(
                "ChainedScheduler",
                "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.",
            )
        };
        let optimizer = first.optimizer().clone();
        check("ChainedScheduler", &optimizer, &schedulers);
        ChainedScheduler { last_lr: optimizer.lrs(), optimizer, schedulers }
    }
}

impl Scheduler for ChainedScheduler {
    fn step(&mut self) {
        self.schedulers.iter_mut().for_each(|s| s.step());
        self.last_lr = self.optimizer.lrs();
    }
    fn get_last_lr(&self) -> Vec<f64> {
        self.last_lr.clone()
    }
    fn last_epoch(&self) -> i64 {
        self.schedulers[0].last_epoch()
    }
    fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }
    fn state_dict(&self) -> StateValue {
        StateValue::dict([("_last_lr", self.last_lr.save()), ("_schedulers", save_all(&self.schedulers))])
    }
    fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error> {
        let mut last_lr = self.last_lr.clone();
        load_fields("ChainedScheduler", vec![("_last_lr", &mut last_lr)], saved)?;
        load_all("ChainedScheduler", &mut self.schedulers, saved)?;
        self.last_lr = last_lr;
        Ok(())
    }
    fn undo(&mut self) {
        self.schedulers.iter_mut().for_each(|s| s.undo());
    }
    fn initial_step(&mut self) {
        self.schedulers.iter_mut().for_each(|s| s.initial_step());
        self.last_lr = self.optimizer.lrs();
    }
    fn restart(&mut self) {
        self.schedulers.iter_mut().for_each(|s| s.restart());
        self.last_lr = self.optimizer.lrs();
    }
}

fn save_all(schedulers: &[Box<dyn Scheduler>]) -> StateValue {
    StateValue::List(schedulers.iter().map(|s| s.state_dict()).collect())
}

/// Loads all schedules, or none.
fn load_all(name: &str, schedulers: &mut [Box<dyn Scheduler>], saved: &StateValue) -> Result<(), Error> {
    let items = saved.get("_schedulers").and_then(StateValue::items).unwrap_or(&[]);
    if items.len() != schedulers.len() {
        let what = format!("expected the states of {} schedulers, got {}", schedulers.len(), items.len());
        return Err(Error::new(format!("{name}.load_state_dict"), what));
    }
    let before: Vec<StateValue> = schedulers.iter().map(|s| s.state_dict()).collect();
    for i in 0..items.len() {
        if let Err(e) = schedulers[i].load_state_dict(&items[i]) {
            for (s, old) in schedulers.iter_mut().zip(&before).take(i) {
                s.load_state_dict(old).expect("a schedule takes its own state");
            }
            return Err(e);
        }
    }
    Ok(())
}
