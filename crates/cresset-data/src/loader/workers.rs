//! Threads that make batches ahead.
//!
//! Batch `i` of an epoch goes to worker `i mod n`, and is taken from that worker's own queue: the order does not depend on the threads, and
//! each worker's random stream sees the same batches in every run. Nothing waits for a worker that is gone: its queue then reports the end.

use super::Job;
use crate::error::Error;
use cresset_tensor::Generator;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

struct Task {
    indices: Vec<usize>,
    /// Nobody wants the batches of this epoch any more.
    given_up: Arc<AtomicBool>,
}

struct Worker<B> {
    tasks: Sender<Task>,
    /// `None` in place of a batch that nobody wants.
    batches: Receiver<Option<Result<B, Error>>>,
    thread: JoinHandle<()>,
}

/// Running workers. Dropping them waits until each has finished or skipped what it is at.
pub(super) struct Workers<B> {
    workers: Vec<Worker<B>>,
    stop: Arc<AtomicBool>,
}

impl<B: Send + 'static> Workers<B> {
    /// Starts `n` workers; worker `k` draws from a generator with seed `seed + k`.
    pub(super) fn start(n: usize, seed: u64, job: &Job<B>) -> Result<Workers<B>, Error> {
        let mut all = Workers { workers: Vec::with_capacity(n), stop: Arc::new(AtomicBool::new(false)) };
        for k in 0..n {
            let (tasks, to_do) = channel::<Task>();
            let (done, batches) = channel();
            let (job, stop) = (job.clone(), all.stop.clone());
            let work = move || {
                Generator::with_default(Generator::with_seed(seed + k as u64), || {
                    for task in to_do {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let unwanted = task.given_up.load(Ordering::Relaxed);
                        let batch = if unwanted { None } else { Some(job(&task.indices)) };
                        if done.send(batch).is_err() {
                            return;
                        }
                    }
                });
            };
            let thread = Builder::new()
                .name(format!("cresset-data-{k}"))
                .spawn(work)
                .map_err(|e| Error::new(format!("DataLoader: worker {k} of {n} cannot be started: {e}")))?;
            all.workers.push(Worker { tasks, batches, thread });
        }
        Ok(all)
    }
}

impl<B> Drop for Workers<B> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let threads: Vec<JoinHandle<()>> = self.workers.drain(..).map(|w| w.thread).collect();
        for thread in threads {
            // A worker that panicked has nothing more to say: the loss of its batches was reported.
            let _ = thread.join();
        }
    }
}

/// What was asked of the workers in this epoch, and what came.
#[derive(Default)]
pub(super) struct Epoch {
    asked: usize,
    received: usize,
    /// The sampler has no more batches, or a worker is lost.
    ended: bool,
    given_up: Arc<AtomicBool>,
}

impl Epoch {
    /// Asks the next worker for the next batch, if there is one.
    pub(super) fn ask<B>(&mut self, workers: &Workers<B>, indices: &mut dyn Iterator<Item = Vec<usize>>) {
        if self.ended {
            return;
        }
        let Some(indices) = indices.next() else {
            self.ended = true;
            return;
        };
        let worker = &workers.workers[self.asked % workers.workers.len()];
        self.asked += 1;
        // If the worker is gone, `receive` finds out.
        let _ = worker.tasks.send(Task { indices, given_up: self.given_up.clone() });
    }
    /// Waits for the next batch. `None` at the end.
    pub(super) fn receive<B>(&mut self, workers: &Workers<B>) -> Option<Result<B, Error>> {
        if self.received == self.asked {
            return None;
        }
        let k = self.received % workers.workers.len();
        self.received += 1;
        match workers.workers[k].batches.recv() {
            Ok(batch) => batch,
            Err(_) => {
                self.ended = true;
                self.received = self.asked;
                Some(Err(Error::new(format!("DataLoader: worker {k} exited unexpectedly"))))
            }
        }
    }
    /// Has the workers skip what is still asked of them. Are they all alive?
    pub(super) fn clear<B>(self, workers: &Workers<B>) -> bool {
        self.given_up.store(true, Ordering::Relaxed);
        let n = workers.workers.len();
        (self.received..self.asked).all(|i| workers.workers[i % n].batches.recv().is_ok())
            && workers.workers.iter().all(|w| !w.thread.is_finished())
    }
}
