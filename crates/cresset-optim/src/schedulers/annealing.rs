//! Cosine annealing, without and with restarts.

use super::scheduled::{Moment, Schedule, Scheduled};
use crate::optimizer::Optimizer;
use crate::state::Stored;
use cresset_tensor::error::fail;
use std::f64::consts::PI;

/// Lets the learning rates follow half a cosine from where they are to `eta_min` in `t_max` epochs (`lr_scheduler.CosineAnnealingLR`;
/// Loshchilov and Hutter, "SGDR", without the restarts). Beyond `t_max` they rise again.
pub type CosineAnnealingLR = Scheduled<CosineAnnealing>;

/// The formula of [`CosineAnnealingLR`].
#[derive(Clone, Debug)]
pub struct CosineAnnealing {
    t_max: i64,
    eta_min: f64,
}

impl CosineAnnealingLR {
    /// Down to `eta_min` (PyTorch's default is 0) in `t_max` epochs.
    ///
    /// # Panics
    /// If `t_max` is 0.
    #[track_caller]
    pub fn new(optimizer: &Optimizer, t_max: usize, eta_min: f64) -> CosineAnnealingLR {
        if t_max == 0 {
            fail("CosineAnnealingLR", "Expected positive integer T_max, but got 0");
        }
        Scheduled::from_schedule(optimizer, CosineAnnealing { t_max: t_max as i64, eta_min })
    }
}

impl Schedule for CosineAnnealing {
    const NAME: &'static str = "CosineAnnealingLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        let (t, min) = (self.t_max as f64, self.eta_min);
        let epoch = at.epoch as f64;
        if at.initial {
            at.unchanged()
        } else if at.step_count == 1 && at.epoch > 0 {
            at.from_base(|base| min + (base - min) * (1.0 + (epoch * PI / t).cos()) / 2.0)
        } else if (at.epoch - 1 - self.t_max) % (2 * self.t_max) == 0 {
            at.from_both(|lr, base| lr + (base - min) * (1.0 - (PI / t).cos()) / 2.0)
        } else {
            let factor = (1.0 + (PI * epoch / t).cos()) / (1.0 + (PI * (epoch - 1.0) / t).cos());
            at.lrs.iter().map(|lr| factor * (lr - min) + min).collect()
        }
    }
    fn closed_form(&self, at: &Moment) -> Option<Vec<f64>> {
        let wave = 1.0 + (PI * at.epoch as f64 / self.t_max as f64).cos();
        Some(at.from_base(|base| self.eta_min + (base - self.eta_min) * wave / 2.0))
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![("T_max", &mut self.t_max), ("eta_min", &mut self.eta_min)]
    }
}

/// Cosine annealing that begins anew after `t_0` epochs, then after `t_0 · t_mult`, and so on (`lr_scheduler.CosineAnnealingWarmRestarts`).
pub type CosineAnnealingWarmRestarts = Scheduled<WarmRestarts>;

/// The formula of [`CosineAnnealingWarmRestarts`].
#[derive(Clone, Debug)]
pub struct WarmRestarts {
    t_0: i64,
    t_i: i64,
    t_mult: i64,
    eta_min: f64,
    t_cur: f64,
}

impl CosineAnnealingWarmRestarts {
    /// Restarts after `t_0` epochs, and after `t_mult` times as many each time (PyTorch's defaults: `t_mult` 1, `eta_min` 0).
    ///
    /// # Panics
    /// If `t_0` or `t_mult` is 0.
    #[track_caller]
    pub fn new(optimizer: &Optimizer, t_0: usize, t_mult: usize, eta_min: f64) -> CosineAnnealingWarmRestarts {
        if t_0 == 0 {
            fail("CosineAnnealingWarmRestarts", "Expected positive integer T_0, but got 0");
        }
        if t_mult < 1 {
            fail("CosineAnnealingWarmRestarts", "Expected integer T_mult >= 1, but got 0");
        }
        let (t_0, t_mult) = (t_0 as i64, t_mult as i64);
        Scheduled::from_schedule(optimizer, WarmRestarts { t_0, t_i: t_0, t_mult, eta_min, t_cur: -1.0 })
    }
    /// Goes to an epoch that may be a fraction (`scheduler.step(epoch + i / iters)`), to anneal within epochs.
    ///
    /// # Panics
    /// If it is negative.
    #[track_caller]
    pub fn step_to(&mut self, epoch: f64) {
        if epoch.is_nan() || epoch < 0.0 {
            fail("CosineAnnealingWarmRestarts", format!("Expected non-negative epoch, but got {epoch}"));
        }
        self.schedule_mut().go_to(epoch);
        self.update(epoch.floor() as i64, false);
    }
}

impl WarmRestarts {
    fn go_to(&mut self, epoch: f64) {
        let t_0 = self.t_0 as f64;
        if epoch < t_0 {
            (self.t_i, self.t_cur) = (self.t_0, epoch);
        } else if self.t_mult == 1 {
            self.t_cur = epoch % t_0;
        } else {
            let mult = self.t_mult as f64;
            let n = ((epoch / t_0 * (mult - 1.0) + 1.0).ln() / mult.ln()) as i32;
            self.t_cur = epoch - t_0 * (mult.powi(n) - 1.0) / (mult - 1.0);
            self.t_i = self.t_0 * self.t_mult.pow(n as u32);
        }
    }
}

impl Schedule for WarmRestarts {
    const NAME: &'static str = "CosineAnnealingWarmRestarts";
    const COUNTS: bool = false;
    fn advance(&mut self, last_epoch: i64) -> i64 {
        if last_epoch < 0 {
            self.go_to(0.0);
            return 0;
        }
        self.t_cur += 1.0;
        if self.t_cur >= self.t_i as f64 {
            self.t_cur %= self.t_i as f64;
            self.t_i *= self.t_mult;
        }
        last_epoch + 1
    }
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        let wave = 1.0 + (PI * self.t_cur / self.t_i as f64).cos();
        at.from_base(|base| self.eta_min + (base - self.eta_min) * wave / 2.0)
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("T_0", &mut self.t_0),
            ("T_i", &mut self.t_i),
            ("T_mult", &mut self.t_mult),
            ("eta_min", &mut self.eta_min),
            ("T_cur", &mut self.t_cur),
        ]
    }
}
