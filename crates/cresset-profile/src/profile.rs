//! Taking a profile.

use crate::machine::Machine;
use crate::rows::Rows;
use crate::table::SortBy;
use crate::tree::Names;
use cresset_tensor::trace::{Event, Trace, Tracing, span, trace};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs `f` and gives its result with a [`Profile`] of what ran on this thread (`with torch.profiler.profile() as prof:`).
///
/// What is noted: ops, the backward of nodes under PyTorch's names (`AddmmBackward0`), gradients that reach their leaves, calls of modules, steps of
/// optimizers, and the parts that [`record_function`] names. A backward node belongs to the module that made it, if that happened in the profile.
/// Threads that `f` starts are not seen. Without a profile nothing is noted and nothing is paid.
///
/// ```
/// use cresset_profile::profile;
/// use cresset_tensor::Tensor;
/// let x = Tensor::randn([64, 64]);
/// let (y, prof) = profile(|| x.matmul(&x).relu());
/// assert_eq!(y.shape()[..], [64, 64]);
/// let ops = prof.key_averages();
/// assert_eq!(ops.iter().find(|row| row.name == "mm").unwrap().flops, 2 * 64 * 64 * 64);
/// ```
///
/// # Panics
/// If `f` does, or a profile is under way on this thread.
#[track_caller]
pub fn profile<R>(f: impl FnOnce() -> R) -> (R, Profile) {
    let (result, trace) = trace(f);
    (result, Profile::of(trace))
}

/// A profile under way, where a closure does not fit (`prof.start()` and `prof.stop()`).
///
/// ```
/// use cresset_profile::Profiler;
/// use cresset_tensor::Tensor;
/// let profiler = Profiler::start();
/// let _ = Tensor::ones([3]) + 1.0;
/// assert_eq!(profiler.stop().key_averages()[0].name, "add");
/// ```
#[must_use = "the profile lasts as long as this value"]
pub struct Profiler(Tracing);

impl Profiler {
    /// Begins to note what runs on this thread.
    ///
    /// # Panics
    /// If a profile is under way on this thread.
    #[track_caller]
    pub fn start() -> Profiler {
        Profiler(Tracing::start())
    }
    /// Ends the profile.
    pub fn stop(self) -> Profile {
        Profile::of(self.0.stop())
    }
}

/// Runs `f` as a part of the program with a name of its own in a profile (`with torch.profiler.record_function(name):`). Costs nothing without one.
pub fn record_function<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    let _span = span(name);
    f()
}

/// What ran in [`profile`], and what it took.
///
/// Printing it gives the table of ops, the table of modules and the speeds of the machine.
#[derive(Clone, Debug)]
pub struct Profile {
    trace: Arc<Trace>,
}

impl Profile {
    /// Takes what was noted.
    pub fn of(trace: Trace) -> Profile {
        Profile { trace: Arc::new(trace) }
    }
    /// The raw events and the tree of calls.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
    /// What ran, in the order of the beginnings.
    pub fn events(&self) -> &[Event] {
        &self.trace.events
    }
    /// From the beginning to the end.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.trace.length)
    }
    /// The time in events: the rest is the program's own.
    pub fn self_cpu_time_total(&self) -> Duration {
        Duration::from_nanos(self.trace.events.iter().map(|e| e.own).sum())
    }
    /// The most bytes of tensors that lived at once.
    pub fn peak_bytes(&self) -> u64 {
        self.trace.events.iter().map(|e| e.peak).max().unwrap_or(0).max(self.trace.live)
    }
    /// The speeds that the shares of the floor are measured by.
    pub fn machine(&self) -> Arc<Machine> {
        Machine::measured()
    }
    /// A row for each op, backward node, optimizer call and named part (`prof.key_averages()`).
    pub fn key_averages(&self) -> Rows {
        Rows::of_ops(&self.trace, &self.machine())
    }
    /// A row for each module: its own ops, forward and backward, and with them those of the modules below it. What ran in no module has a row, too.
    pub fn modules(&self) -> Rows {
        Rows::of_modules(&self.trace, &self.machine())
    }
    /// A row for each op within each module.
    pub fn modules_and_ops(&self) -> Rows {
        Rows::of_modules_and_ops(&self.trace, &self.machine())
    }
    /// The modules in which most time is spent by their own ops, the costliest first. [`Row::verdict`](crate::Row::verdict) says what limits each.
    pub fn costliest_modules(&self, n: usize) -> Rows {
        let names = Names::of(&self.trace);
        let mut rows = self.modules().sorted(SortBy::SelfCpuTimeTotal);
        rows.retain(|row| row.name != names.outside());
        rows.truncate(n);
        rows
    }
    /// A flame chart: modules, and in them their ops, as wide as their time. What is under the mouse shows its figures.
    pub fn to_svg(&self) -> String {
        crate::flame::svg(&self.trace)
    }
    /// The events in the Trace Event Format, which Perfetto (<https://ui.perfetto.dev>) and chrome://tracing open.
    pub fn to_chrome_trace(&self) -> String {
        crate::chrome::json(&self.trace)
    }
    /// Writes the trace (`.json`, as `prof.export_chrome_trace(path)` does) or the flame chart (`.svg`).
    ///
    /// # Errors
    /// If the ending is another one, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> std::io::Result<()> {
        let path = path.as_ref();
        let text = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => self.to_chrome_trace(),
            Some("svg") => self.to_svg(),
            _ => {
                let what =
                    format!("{}: a profile is written as .json (a trace) or .svg (a flame chart)", path.display());
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
            }
        };
        std::fs::write(path, text)
    }
    /// Wall time, peak of memory, and the speeds of the machine, in a line.
    pub fn summary(&self) -> String {
        let m = self.machine();
        let (fast, slow) = (m.bandwidth.first().map_or(0.0, |b| b.1), m.bandwidth.last().map_or(0.0, |b| b.1));
        format!(
            "Wall time: {}; peak memory of tensors: {}. Floor: {:.1} GFLOP/s in float32, {:.1} GB/s in cache and {:.1} GB/s in memory, with {} thread{}.",
            crate::table::time(self.trace.length as f64),
            crate::table::size(self.peak_bytes() as f64),
            m.f32_flops / 1e9,
            fast / 1e9,
            slow / 1e9,
            m.threads,
            if m.threads == 1 { "" } else { "s" }
        )
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}", self.key_averages().table(SortBy::SelfCpuTimeTotal, 20))?;
        writeln!(f, "{}", self.modules().table(SortBy::CpuTimeTotal, 20))?;
        f.write_str(&self.summary())
    }
}
