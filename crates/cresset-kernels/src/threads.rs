//! One fork/join pool for the whole process.
//!
//! [`run`] cuts work into pieces and returns when all are done. Every thread begins with a share of its own, the same one in every job, so that
//! what it reads is what it wrote before and lies in its cache (two cores take a tenth off a batch of 1000 in inference); who is done takes from
//! the other shares. The caller takes part, and a worker that comes late finds nothing left, so the caller never waits for a thread
//! that has not begun. Workers spin for about two milliseconds after a job and then sleep; a fork and join with awake workers costs 0.2 to
//! 0.3 µs, where work-stealing pools take 10 to 20.
//!
//! **Cut by size, never by thread count.** If the pieces depend only on the length of the work ([`pieces`], [`piece`]), results
//! are the same bits on any number of threads.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How many pieces of at most `grain` items `len` items make.
#[inline]
pub fn pieces(len: usize, grain: usize) -> usize {
    len.div_ceil(grain.max(1))
}

/// The items of piece `i` when `len` items are cut into pieces of `grain`.
#[inline]
pub fn piece(i: usize, len: usize, grain: usize) -> Range<usize> {
    let grain = grain.max(1);
    let start = (i * grain).min(len);
    start..len.min(start + grain)
}

/// [`run`] over `0..len` in pieces of `grain` items: `f` is called once with each range.
#[inline]
pub fn run_ranges(len: usize, grain: usize, f: &(dyn Fn(Range<usize>) + Sync)) {
    match pieces(len, grain) {
        0 => {}
        1 => f(0..len),
        n => run(n, &|i| f(piece(i, len, grain))),
    }
}

/// Calls `f` once for each piece of `data` of `len` elements (the last may be shorter) with the piece's number, on several threads.
///
/// ```
/// let mut data = [0; 7];
/// cresset_kernels::threads::run_chunks(&mut data, 3, &|i, piece| piece.fill(i));
/// assert_eq!(data, [0, 0, 0, 1, 1, 1, 2]);
/// ```
#[inline]
pub fn run_chunks<T: Send>(data: &mut [T], len: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    /// A pointer that may go to other threads: each of them makes another part of the slice of it.
    struct Start<T>(*mut T);
    // SAFETY: the parts do not overlap, and the elements may be sent.
    unsafe impl<T: Send> Sync for Start<T> {}
    impl<T> Start<T> {
        fn at(&self, i: usize) -> *mut T {
            self.0.wrapping_add(i)
        }
    }
    let (start, total) = (Start(data.as_mut_ptr()), data.len());
    run(pieces(total, len), &|i| {
        let r = piece(i, total, len);
        // SAFETY: `r` lies within the slice, `run` calls with every `i` once, and the pieces do not overlap.
        f(i, unsafe { std::slice::from_raw_parts_mut(start.at(r.start), r.len()) });
    });
}

static WANTED: AtomicUsize = AtomicUsize::new(0);

/// How many threads [`run`] uses, the caller included: what [`set_num_threads`] asked for, or else `CRESSET_NUM_THREADS`, or
/// else the number of processors this process may use.
#[inline]
pub fn num_threads() -> usize {
    match WANTED.load(Relaxed) {
        0 => default_threads(),
        n => n,
    }
}

#[cold]
fn default_threads() -> usize {
    let asked = std::env::var("CRESSET_NUM_THREADS").ok().and_then(|v| v.trim().parse().ok()).filter(|&n| n > 0);
    let n = asked.unwrap_or_else(processors);
    // Another thread may have called `set_num_threads` meanwhile: its number stands.
    WANTED.compare_exchange(0, n.min(MOST), Relaxed, Relaxed).map_or_else(|set| set, |_| n.min(MOST))
}

/// Sets how many threads [`run`] uses from now on, the caller included. Zero brings the default back. More threads than
/// processors work, slowly.
pub fn set_num_threads(n: usize) {
    WANTED.store(n.min(MOST), Relaxed);
}

/// More threads than this are never started.
const MOST: usize = 1024;
/// How long a worker looks for the next job before it sleeps.
const SPIN: Duration = Duration::from_millis(2);
/// The same where there are more threads than processors: a spinning thread then takes time from a working one.
const SPIN_CROWDED: Duration = Duration::from_micros(20);

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

type Work = dyn Fn(usize) + Sync;

/// A value on cache lines of its own (two, because processors fetch them in pairs).
#[repr(align(128))]
struct Line<T>(T);

struct Worker {
    thread: std::thread::Thread,
    asleep: &'static Line<AtomicBool>,
}

/// The most shares of a job.
const SHARES: usize = 16;
/// The next piece of a share while there is none to be had.
const CLOSED: u64 = u32::MAX as u64;

struct Pool {
    /// Held by the caller of the one job there can be.
    busy: Line<AtomicBool>,
    /// Of each share: the job's number in the high half, the next unclaimed piece in the low half.
    shares: [Line<AtomicU64>; SHARES],
    /// How many pieces are finished.
    done: Line<AtomicUsize>,
    job: Line<Job>,
    sleepers: Line<AtomicUsize>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    workers: Mutex<Vec<Worker>>,
    processors: OnceLock<usize>,
}

/// What the job is. Written by the caller while every piece of the job before is claimed and done, and all shares are closed.
struct Job {
    /// Its number, stored when everything else is.
    number: AtomicU64,
    /// Points to the caller's `&Work`, which lives until all pieces are done.
    work: AtomicPtr<&'static Work>,
    pieces: AtomicUsize,
    /// Piece `i` belongs to share `i * shares / pieces`.
    shares: AtomicUsize,
    /// Workers from this number on stay out of the job.
    active: AtomicUsize,
    caller_cpu: AtomicUsize,
}

static POOL: Pool = Pool {
    busy: Line(AtomicBool::new(false)),
    shares: [const { Line(AtomicU64::new(CLOSED)) }; SHARES],
    done: Line(AtomicUsize::new(0)),
    job: Line(Job {
        number: AtomicU64::new(0),
        work: AtomicPtr::new(std::ptr::null_mut()),
        pieces: AtomicUsize::new(0),
        shares: AtomicUsize::new(0),
        active: AtomicUsize::new(0),
        caller_cpu: AtomicUsize::new(usize::MAX),
    }),
    sleepers: Line(AtomicUsize::new(0)),
    panic: Mutex::new(None),
    workers: Mutex::new(Vec::new()),
    processors: OnceLock::new(),
};

/// Calls `f(i)` once for every `i` in `0..pieces`, on up to [`num_threads`] threads, and returns when all calls have ended.
///
/// With one piece or one thread it is a plain loop; so it is inside another `run`, and while another thread's `run` is under
/// way.
///
/// # Panics
///
/// If a call of `f` panics, `run` panics with the same payload once the others have ended.
#[inline]
pub fn run(pieces: usize, f: &(dyn Fn(usize) + Sync)) {
    if pieces > 1 && num_threads() > 1 && pieces < u32::MAX as usize {
        return fork_join(pieces, f);
    }
    for i in 0..pieces {
        f(i);
    }
}

fn fork_join(pieces: usize, f: &(dyn Fn(usize) + Sync)) {
    let pool = &POOL;
    if pool.busy.0.compare_exchange(false, true, Acquire, Relaxed).is_err() {
        for i in 0..pieces {
            f(i);
        }
        return;
    }
    // SAFETY: only the lifetime changes. Workers use the reference only for a piece they have claimed, and this function does
    // not return before every claimed piece is done.
    let work: &'static Work = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static Work>(f) };
    let helpers = num_threads() - 1;
    if pool.job.0.active.load(Relaxed) != helpers {
        hire(helpers);
    }
    let number = (pool.job.0.number.load(Relaxed) + 1) & CLOSED;
    // A worker that is late from the job before may still look for pieces there. It reads `pieces` before it claims one: if it finds the new
    // number (stored with release), it finds the share closed, too, and gets none.
    for share in &pool.shares[..pool.job.0.shares.load(Relaxed)] {
        share.0.store(number << 32 | CLOSED, Relaxed);
    }
    let shares = (helpers + 1).min(pieces).min(SHARES);
    pool.job.0.pieces.store(pieces, Release);
    pool.job.0.shares.store(shares, Release);
    pool.job.0.work.store((&raw const work).cast_mut(), Release);
    pool.job.0.caller_cpu.store(os::cpu(), Relaxed);
    pool.done.0.store(0, Relaxed);
    for (i, share) in pool.shares[..shares].iter().enumerate() {
        share.0.store(number << 32 | first_of(i, shares, pieces) as u64, Release);
    }
    pool.job.0.number.store(number, SeqCst);
    if pool.sleepers.0.load(SeqCst) > 0 {
        wake(helpers.min(pieces - 1));
    }
    help(number, 0);
    let mut turns = 0u32;
    while pool.done.0.load(Acquire) != pieces {
        std::hint::spin_loop();
        turns += 1;
        if turns & 0xfff == 0 {
            std::thread::yield_now();
        }
    }
    let panic = pool.panic.lock().unwrap_or_else(|e| e.into_inner()).take();
    pool.busy.0.store(false, Release);
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// The first piece of share `i`.
#[inline]
fn first_of(i: usize, shares: usize, pieces: usize) -> usize {
    (i * pieces).div_ceil(shares)
}

/// Claims and does pieces of job `number` until none is left, those of share `own` first.
#[inline]
fn help(number: u64, own: usize) {
    let pool = &POOL;
    let mut ended = 0;
    let (mut tried, mut shares) = (0, 1);
    'shares: while tried < shares {
        shares = pool.job.0.shares.load(Acquire).clamp(1, SHARES);
        let share = (own + tried) % shares;
        tried += 1;
        let mut ticket = pool.shares[share].0.load(Acquire);
        loop {
            if ticket >> 32 != number {
                break 'shares;
            }
            let i = (ticket & CLOSED) as usize;
            let end = first_of(share + 1, shares, pool.job.0.pieces.load(Acquire));
            if i >= end {
                break;
            }
            let work = pool.job.0.work.load(Acquire);
            // If this succeeds, the share was not closed, so that `pieces`, `shares` and `work` were read from this job, and piece `i` of it was
            // unclaimed until now: the caller now waits for us.
            match pool.shares[share].0.compare_exchange_weak(ticket, ticket + 1, AcqRel, Acquire) {
                Err(now) => ticket = now,
                Ok(_) => {
                    // SAFETY: see above: `work` points to a reference on the stack of a caller that waits.
                    let work = unsafe { *work };
                    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(i))) {
                        pool.panic.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(payload);
                    }
                    ended += 1;
                    ticket = pool.shares[share].0.load(Acquire);
                }
            }
        }
    }
    if ended > 0 {
        pool.done.0.fetch_add(ended, Release);
    }
}

/// Makes `helpers` workers active, starting those that are missing. If the system gives no more threads, there are fewer.
#[cold]
fn hire(helpers: usize) {
    let pool = &POOL;
    pool.processors.get_or_init(processors);
    let mut workers = pool.workers.lock().unwrap_or_else(|e| e.into_inner());
    while workers.len() < helpers {
        let index = workers.len();
        let asleep: &'static Line<AtomicBool> = Box::leak(Box::new(Line(AtomicBool::new(false))));
        match std::thread::Builder::new().name(format!("cresset-{index}")).spawn(move || serve(index, asleep)) {
            Ok(handle) => workers.push(Worker { thread: handle.thread().clone(), asleep }),
            Err(_) => break,
        }
    }
    pool.job.0.active.store(helpers, Relaxed);
}

#[cold]
fn wake(helpers: usize) {
    let workers = POOL.workers.lock().unwrap_or_else(|e| e.into_inner());
    for worker in workers.iter().take(helpers) {
        if worker.asleep.0.load(SeqCst) && worker.asleep.0.swap(false, SeqCst) {
            worker.thread.unpark();
        }
    }
}

/// The life of worker `index`.
fn serve(index: usize, asleep: &Line<AtomicBool>) {
    let pool = &POOL;
    let allowed = os::Affinity::current();
    let processors = *pool.processors.get_or_init(processors);
    let mut seen = 0;
    loop {
        let mut since: Option<Instant> = None;
        let mut turns = 0u32;
        let number = loop {
            let number = pool.job.0.number.load(Acquire);
            if number != seen {
                seen = number;
                if index < pool.job.0.active.load(Relaxed) {
                    break number;
                }
            }
            std::hint::spin_loop();
            turns += 1;
            if turns & 0xff != 0 {
                continue;
            }
            let active = pool.job.0.active.load(Relaxed);
            let crowded = active >= processors;
            let limit = if crowded { SPIN_CROWDED } else { SPIN };
            if index < active && since.get_or_insert_with(Instant::now).elapsed() < limit {
                continue;
            }
            asleep.0.store(true, SeqCst);
            pool.sleepers.0.fetch_add(1, SeqCst);
            while asleep.0.load(SeqCst) && pool.job.0.number.load(SeqCst) == seen {
                std::thread::park();
            }
            asleep.0.store(false, SeqCst);
            pool.sleepers.0.fetch_sub(1, SeqCst);
            since = None;
        };
        let cpu = os::cpu();
        if cpu != usize::MAX && cpu == pool.job.0.caller_cpu.load(Relaxed) {
            // The scheduler likes to wake a thread beside its waker, where it would wait for the caller's time slice.
            allowed.keep_off(cpu, pool.job.0.active.load(Relaxed));
        }
        help(number, index + 1);
    }
}

#[cfg(target_os = "linux")]
mod os {
    /// A set of processors as the system writes it (1024 of them).
    type Mask = [u64; 16];

    unsafe extern "C" {
        fn sched_getcpu() -> i32;
        fn sched_getaffinity(pid: i32, size: usize, mask: *mut Mask) -> i32;
        fn sched_setaffinity(pid: i32, size: usize, mask: *const Mask) -> i32;
    }

    /// The processor this thread runs on, `usize::MAX` if unknown.
    #[inline]
    pub fn cpu() -> usize {
        // SAFETY: takes nothing; -1 (unknown) becomes usize::MAX.
        unsafe { sched_getcpu() as isize as usize }
    }

    /// The processors a thread was given when it began.
    pub struct Affinity(Option<Mask>);

    impl Affinity {
        pub fn current() -> Affinity {
            let mut mask: Mask = [0; 16];
            // SAFETY: `mask` is writable and as large as said.
            let rc = unsafe { sched_getaffinity(0, size_of::<Mask>(), &mut mask) };
            Affinity((rc >= 0).then_some(mask))
        }

        /// Moves this thread to any of its processors but `cpu`, if the others are enough for `workers` threads.
        pub fn keep_off(&self, cpu: usize, workers: usize) {
            let Some(mut mask) = self.0 else { return };
            if cpu >= 1024 {
                return;
            }
            mask[cpu / 64] &= !(1 << (cpu % 64));
            let others: u32 = mask.iter().map(|w| w.count_ones()).sum();
            if others as usize >= workers {
                // SAFETY: `mask` is readable and as large as said. A refusal changes nothing, and is no harm.
                unsafe { sched_setaffinity(0, size_of::<Mask>(), &mask) };
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    pub fn cpu() -> usize {
        usize::MAX
    }

    pub struct Affinity;

    impl Affinity {
        pub fn current() -> Affinity {
            Affinity
        }

        pub fn keep_off(&self, _cpu: usize, _workers: usize) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::MutexGuard;

    /// The number of threads belongs to the process: tests that set it take turns.
    fn alone() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(|e| e.into_inner())
    }

    #[test]
    fn every_piece_runs_once() {
        let _turn = alone();
        for threads in [1, 2, 3, 5] {
            set_num_threads(threads);
            for n in [0, 1, 2, 3, 17, 1000] {
                for _ in 0..50 {
                    let counts: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                    run(n, &|i| {
                        counts[i].fetch_add(1, Relaxed);
                    });
                    assert!(counts.iter().all(|c| c.load(Relaxed) == 1));
                }
            }
        }
        set_num_threads(0);
    }

    #[test]
    fn every_thread_begins_with_its_own_share() {
        let _turn = alone();
        set_num_threads(2);
        let caller = std::thread::current().id();
        for _ in 0..20 {
            let order = Mutex::new((Vec::new(), Vec::new()));
            run(8, &|i| {
                let mut order = order.lock().unwrap();
                if std::thread::current().id() == caller {
                    order.0.push(i)
                } else {
                    order.1.push(i)
                }
                drop(order);
                std::thread::sleep(Duration::from_micros(200));
            });
            let (caller, worker) = order.into_inner().unwrap();
            // What follows depends on who is faster; a worker that is late finds the caller in its share.
            assert_eq!(caller[0], 0);
            assert!(worker.first().is_none_or(|i| *i >= 4), "{worker:?}");
            assert_eq!(caller.len() + worker.len(), 8);
        }
        set_num_threads(0);
    }

    #[test]
    fn workers_sleep_and_wake() {
        let _turn = alone();
        set_num_threads(3);
        for _ in 0..20 {
            let sum = AtomicUsize::new(0);
            run(64, &|i| {
                sum.fetch_add(i, Relaxed);
            });
            assert_eq!(sum.into_inner(), 64 * 63 / 2);
            std::thread::sleep(Duration::from_millis(4));
        }
        set_num_threads(0);
    }

    #[test]
    fn nested_and_concurrent_calls_end() {
        let _turn = alone();
        set_num_threads(3);
        let sum = AtomicUsize::new(0);
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for _ in 0..200 {
                        run(8, &|_| {
                            run(8, &|_| {
                                sum.fetch_add(1, Relaxed);
                            })
                        });
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * 200 * 64);
        set_num_threads(0);
    }

    #[test]
    fn a_panic_reaches_the_caller_after_the_rest() {
        let _turn = alone();
        set_num_threads(3);
        let ended = AtomicUsize::new(0);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            run(100, &|i| {
                if i == 7 {
                    panic!("seven");
                }
                ended.fetch_add(1, Relaxed);
            })
        }));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "seven");
        assert_eq!(ended.load(Relaxed), 99);
        // The pool is as good as before.
        run(100, &|_| {
            ended.fetch_add(1, Relaxed);
        });
        assert_eq!(ended.load(Relaxed), 199);
        set_num_threads(0);
    }

    #[test]
    fn ranges_cover_the_length() {
        for (len, grain) in [(0, 4), (1, 4), (4, 4), (5, 4), (100, 7)] {
            let n = pieces(len, grain);
            let joined: Vec<usize> = (0..n).flat_map(|i| piece(i, len, grain)).collect();
            assert_eq!(joined, (0..len).collect::<Vec<_>>());
            let total = AtomicUsize::new(0);
            run_ranges(len, grain, &|r| {
                total.fetch_add(r.len(), Relaxed);
            });
            assert_eq!(total.into_inner(), len);
        }
    }
}
