//! Timing a step, and summing up what it gives.

use crate::Step;
use cresset::prelude::*;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A timed batch of repetitions lasts at least this long, so that reading the clock does not count.
const BATCH: Duration = Duration::from_micros(50);

/// What was measured of a step, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The median over the runs.
    pub median: f64,
    /// The fastest run.
    pub min: f64,
    /// How many runs there were; a run of a short step is a batch of repetitions.
    pub runs: usize,
}

/// Repeats a step for some seconds, after a warm-up of a fifth of them.
pub fn time(step: &mut Step, seconds: f64) -> Timing {
    let begun = Instant::now();
    let mut calls = 0;
    while calls == 0 || begun.elapsed().as_secs_f64() < seconds / 5.0 {
        black_box(step());
        calls += 1;
    }
    let each = begun.elapsed() / calls;
    let batch = (BATCH.as_nanos() / each.as_nanos().max(1)).max(1) as u32;
    let mut runs = Vec::new();
    let begun = Instant::now();
    while runs.is_empty() || begun.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        for _ in 0..batch {
            black_box(step());
        }
        runs.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(batch));
    }
    runs.sort_by(f64::total_cmp);
    Timing { median: runs[runs.len() / 2], min: runs[0], runs: runs.len() }
}

/// How often a step is repeated before its result is compared: often enough for an update of the parameters to show. More would magnify roundings.
pub const CHECKED_STEPS: usize = 2;

/// A number for what a step gives, which depends on the values and their places: the mean of `x[i] (1 + (i mod 97) / 97)`.
/// Beside it the mean of the absolute terms, against which a difference is judged.
pub fn checksum(x: &Tensor) -> (f64, f64) {
    let values = x.to_dtype(DType::F64).to_vec::<f64>();
    let terms = || values.iter().enumerate().map(|(i, x)| x * (1.0 + (i % 97) as f64 / 97.0));
    let n = values.len().max(1) as f64;
    (terms().sum::<f64>() / n, terms().map(f64::abs).sum::<f64>() / n)
}

/// The largest resident memory of this process so far, in MB of 2^20 bytes; `None` where the system does not tell.
pub fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok().map(|kb| kb / 1024.0)
}
