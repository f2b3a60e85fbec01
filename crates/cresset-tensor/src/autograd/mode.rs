//! Whether ops are recorded, per thread.

use std::cell::Cell;

thread_local! {
    static MODE: Cell<Mode> = const {
        Cell::new(Mode { grad: true, inference: false, saw_grad: false, anomaly: false, watch: 0 })
    };
}

#[derive(Clone, Copy)]
struct Mode {
    grad: bool,
    inference: bool,
    /// Set when an op had an input that requires grad, recorded or not (see `checkpoint`).
    saw_grad: bool,
    anomaly: bool,
    /// Who watches the ops that run: [`RECORDING`] and [`TRACING`], or 0 for nobody. One number, so that an op looks once.
    watch: u8,
}

/// A run is being recorded (see `record`).
const RECORDING: u8 = 1;
/// Events are noted with their times (see `trace`).
const TRACING: u8 = 2;

/// Restores the mode it replaced when dropped, also when `f` panics.
#[must_use = "the mode lasts as long as the guard"]
pub struct ModeGuard {
    before: Mode,
}

impl ModeGuard {
    fn set(change: impl FnOnce(&mut Mode)) -> ModeGuard {
        MODE.with(|m| {
            let before = m.get();
            let mut mode = before;
            change(&mut mode);
            m.set(mode);
            ModeGuard { before }
        })
    }
}
impl Drop for ModeGuard {
    fn drop(&mut self) {
        MODE.with(|m| {
            let now = m.get();
            let saw_grad = now.saw_grad || self.before.saw_grad;
            // A profile may have begun or ended meanwhile.
            let watch = self.before.watch & !TRACING | now.watch & TRACING;
            m.set(Mode { saw_grad, watch, ..self.before });
        });
    }
}

/// Are ops recorded on this thread? (`torch.is_grad_enabled`)
#[inline]
pub fn is_grad_enabled() -> bool {
    MODE.with(|m| m.get().grad)
}
/// Is this thread inside [`inference_mode`]?
#[inline]
pub fn is_inference_mode_enabled() -> bool {
    MODE.with(|m| m.get().inference)
}
/// Is anomaly detection on?
#[inline]
pub fn is_anomaly_enabled() -> bool {
    MODE.with(|m| m.get().anomaly)
}
/// Is a run being recorded on this thread? (See [`crate::record`].)
#[inline]
pub(crate) fn is_recording() -> bool {
    MODE.with(|m| m.get().watch & RECORDING != 0)
}
/// Are events noted on this thread? (See [`crate::trace`].)
#[inline]
pub(crate) fn is_tracing() -> bool {
    MODE.with(|m| m.get().watch & TRACING != 0)
}
/// Does anybody watch the ops of this thread, and is it a recording, a trace?
#[inline]
pub(crate) fn watchers() -> Option<(bool, bool)> {
    let watch = MODE.with(|m| m.get().watch);
    if watch == 0 { None } else { Some((watch & RECORDING != 0, watch & TRACING != 0)) }
}
pub(crate) fn recording_guard() -> ModeGuard {
    ModeGuard::set(|m| m.watch |= RECORDING)
}
pub(crate) fn pause_recording() -> ModeGuard {
    ModeGuard::set(|m| m.watch &= !RECORDING)
}
pub(crate) fn set_tracing(on: bool) {
    MODE.with(|m| {
        let mode = m.get();
        m.set(Mode { watch: mode.watch & !TRACING | if on { TRACING } else { 0 }, ..mode });
    });
}
/// Is this thread inside inference mode, and is a run being recorded? One look for both.
#[inline]
pub(crate) fn inference_and_recording() -> (bool, bool) {
    MODE.with(|m| (m.get().inference, m.get().watch & RECORDING != 0))
}
/// Is anomaly detection on, and are events noted? One look for both.
#[inline]
pub(crate) fn anomaly_and_tracing() -> (bool, bool) {
    MODE.with(|m| (m.get().anomaly, m.get().watch & TRACING != 0))
}

/// Runs `f` without recording (`with torch.no_grad():`).
///
/// ```
/// use cresset_tensor::{no_grad, Tensor};
/// let w = Tensor::ones([2]).requires_grad_(true);
/// let y = no_grad(|| &w * 2.0);
/// assert!(!y.requires_grad());
/// ```
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    let _guard = no_grad_guard();
    f()
}
/// Runs `f` with recording, also inside [`no_grad`] (`with torch.enable_grad():`).
pub fn enable_grad<T>(f: impl FnOnce() -> T) -> T {
    let _guard = set_grad_enabled(true);
    f()
}
/// Runs `f` without recording, for good: what it makes can never take part in autograd (`with torch.inference_mode():`).
pub fn inference_mode<T>(f: impl FnOnce() -> T) -> T {
    let _guard = ModeGuard::set(|m| {
        m.grad = false;
        m.inference = true;
    });
    f()
}
/// No recording until the guard is dropped.
pub fn no_grad_guard() -> ModeGuard {
    set_grad_enabled(false)
}
/// Recording on or off until the guard is dropped (`torch.set_grad_enabled`).
pub fn set_grad_enabled(on: bool) -> ModeGuard {
    ModeGuard::set(|m| m.grad = on)
}
/// Runs `f` with anomaly detection: a backward that makes a NaN out of none is refused with the name of the op and the line that called it
/// (`with torch.autograd.detect_anomaly():`).
pub fn detect_anomaly<T>(f: impl FnOnce() -> T) -> T {
    let _guard = ModeGuard::set(|m| m.anomaly = true);
    f()
}

#[inline]
pub(crate) fn saw_grad() {
    MODE.with(|m| {
        let mut mode = m.get();
        if !mode.saw_grad {
            mode.saw_grad = true;
            m.set(mode);
        }
    });
}
/// Runs `f` and tells whether an op in it had an input that requires grad.
pub(crate) fn watching_for_grad<T>(f: impl FnOnce() -> T) -> (T, bool) {
    let before = MODE.with(|m| {
        let before = m.get().saw_grad;
        m.set(Mode { saw_grad: false, ..m.get() });
        before
    });
    let out = f();
    let saw = MODE.with(|m| {
        let saw = m.get().saw_grad;
        m.set(Mode { saw_grad: saw || before, ..m.get() });
        saw
    });
    (out, saw)
}
