//! What the machine can do: the floor under which no op can fall.

use cresset_tensor::{DType, Tensor, get_num_threads, get_rng_state, no_grad, set_rng_state};
use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Speeds of this machine with a number of threads, measured once in the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// How many threads compute.
    pub threads: usize,
    /// Floating-point operations a second: a product of matrices in float32.
    pub f32_flops: f64,
    /// The same in float64.
    pub f64_flops: f64,
    /// Bytes a second (read and written) of copying, by the bytes that are touched.
    pub bandwidth: Vec<(usize, f64)>,
}

/// Bytes touched in the measurements: what lies in a core's caches, in the shared one, in memory.
const SIZES: [usize; 4] = [64 << 10, 1 << 20, 8 << 20, 48 << 20];

static MEASURED: Mutex<Vec<Arc<Machine>>> = Mutex::new(Vec::new());

impl Machine {
    /// The speeds with the number of threads that are set now. The first call for a number of threads measures, some hundredths of a second.
    pub fn measured() -> Arc<Machine> {
        let threads = get_num_threads();
        let mut known = MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = known.iter().find(|m| m.threads == threads) {
            return machine.clone();
        }
        let machine = Arc::new(Machine {
            threads,
            f32_flops: product(DType::F32, 384),
            f64_flops: product(DType::F64, 256),
            bandwidth: SIZES.map(|bytes| (bytes, copying(threads, bytes))).into(),
        });
        known.push(machine.clone());
        machine
    }

    /// Bytes a second for work that touches so many bytes, between the measured points by the logarithm.
    pub fn bandwidth_for(&self, bytes: u64) -> f64 {
        let Some(next) = self.bandwidth.iter().position(|(size, _)| *size as u64 >= bytes) else {
            return self.bandwidth.last().map_or(f64::INFINITY, |(_, speed)| *speed);
        };
        let (size, speed) = self.bandwidth[next];
        if next == 0 {
            return speed;
        }
        let (before, faster) = self.bandwidth[next - 1];
        let way = (bytes as f64 / before as f64).ln() / (size as f64 / before as f64).ln();
        faster * (speed / faster).powf(way)
    }

    /// Floating-point operations a second in a dtype.
    pub fn flops_for(&self, dtype: DType) -> f64 {
        if dtype == DType::F64 { self.f64_flops } else { self.f32_flops }
    }
}

/// The best of some products of n x n matrices.
fn product(dtype: DType, n: usize) -> f64 {
    let rng = get_rng_state();
    let a = no_grad(|| Tensor::randn([n, n]).to_dtype(dtype));
    set_rng_state(&rng);
    let begun = Instant::now();
    let mut best = f64::MAX;
    let mut runs = 0;
    while runs < 4 || runs < 50 && begun.elapsed() < Duration::from_millis(4) {
        let start = Instant::now();
        black_box(no_grad(|| a.mm(&a)));
        best = best.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    2.0 * (n * n * n) as f64 / best.max(1e-9)
}

/// All threads copy at once, each its own part.
fn copying(threads: usize, bytes: usize) -> f64 {
    // Numbers in the part of a thread.
    let part = (bytes / 16 / threads).max(512);
    let barrier = Barrier::new(threads);
    let one = || {
        // Both halves begin at cache lines, half a page apart: loads that seem to meet a store would wait for it.
        let mut memory = vec![1u64; 2 * part + 1024];
        let skip = memory.as_ptr().align_offset(64).min(8);
        let (from, to) = memory[skip..].split_at_mut(part.next_multiple_of(512) + 256);
        let (from, to) = (&from[..part], &mut to[..part]);
        barrier.wait();
        // What the system's own copying does depends on the machine; a plain loop is sometimes faster.
        let copied = best_of(part, || black_box(&mut *to).copy_from_slice(black_box(from)));
        let looped = best_of(part, || {
            black_box(&mut *to).iter_mut().zip(black_box(from)).for_each(|(t, f)| *t = f.wrapping_add(1));
        });
        (16 * part) as f64 / copied.min(looped).max(1e-12)
    };
    thread::scope(|s| {
        let others: Vec<_> = (1..threads).map(|_| s.spawn(one)).collect();
        one() + others.into_iter().map(|t| t.join().unwrap_or(0.0)).sum::<f64>()
    })
}

/// Seconds of the fastest of some runs over so many numbers.
fn best_of(numbers: usize, mut run: impl FnMut()) -> f64 {
    let repeat = ((32 << 10) / numbers).max(1);
    let (mut best, mut runs) = (f64::MAX, 0);
    let begun = Instant::now();
    while runs < 2 || begun.elapsed() < Duration::from_micros(500) {
        let start = Instant::now();
        (0..repeat).for_each(|_| run());
        best = best.min(start.elapsed().as_secs_f64() / repeat as f64);
        runs += 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_measured_once() {
        let m = Machine::measured();
        assert!(Arc::ptr_eq(&m, &Machine::measured()));
        assert!(m.f32_flops > 1e7 && m.bandwidth.iter().all(|(_, b)| *b > 1e7), "{m:?}");
    }

    #[test]
    fn between_the_points_it_goes_smoothly() {
        let m = Machine { threads: 1, f32_flops: 1.0, f64_flops: 2.0, bandwidth: vec![(100, 8.0), (10_000, 2.0)] };
        let at = |bytes| (m.bandwidth_for(bytes) * 1e6).round() / 1e6;
        assert_eq!([at(1), at(100), at(1000), at(10_000), at(1 << 40)], [8.0, 8.0, 4.0, 2.0, 2.0]);
        assert_eq!((m.flops_for(DType::F64), m.flops_for(DType::F16)), (2.0, 1.0));
    }
}
