//! Which instructions this processor has, chosen once when the program starts, and the one door through which a
//! kernel's text is compiled for each of them.
//!
//! A kernel is written as plain scalar Rust in [`Kernel::run`], marked `#[inline(always)]`; [`dispatch`] inlines it into a
//! function with the right `#[target_feature]`, where the compiler vectorises it.

use std::sync::atomic::{AtomicU8, Ordering};

/// A set of vector instructions. Higher levels include the lower ones of the same architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every processor of the target has (SSE2 on x86-64).
    Scalar = 1,
    /// NEON with fused multiply-add (every 64-bit Arm).
    Neon = 2,
    /// AVX2 and FMA (x86-64 from 2013 on).
    Avx2 = 3,
    /// AVX-512 F, VL, BW and DQ.
    Avx512 = 4,
}

static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The level in use: the best that the processor has, unless `CRESSET_SIMD` (`scalar`, `avx2`, `avx512`, `neon`) or
/// [`set_level`] asks for a lower one.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Scalar,
        2 => Level::Neon,
        3 => Level::Avx2,
        4 => Level::Avx512,
        _ => choose(),
    }
}

#[cold]
fn choose() -> Level {
    let best = best();
    let wanted = match std::env::var("CRESSET_SIMD").as_deref() {
        Ok("scalar") => Level::Scalar,
        Ok("neon") => Level::Neon,
        Ok("avx2") => Level::Avx2,
        _ => best,
    };
    let chosen = if supported(wanted, best) { wanted } else { best };
    LEVEL.store(chosen as u8, Ordering::Relaxed);
    chosen
}

/// The best level this processor has.
pub fn best() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        return if avx2 && avx512 {
            Level::Avx512
        } else if avx2 {
            Level::Avx2
        } else {
            Level::Scalar
        };
    }
    #[cfg(target_arch = "aarch64")]
    return Level::Neon;
    #[allow(unreachable_code)]
    Level::Scalar
}

fn supported(wanted: Level, best: Level) -> bool {
    wanted <= best && (wanted == Level::Neon) == (best == Level::Neon) || wanted == Level::Scalar
}

/// Forces a level for the whole process (tests and measurements). Returns false and changes nothing if the processor has
/// it not.
pub fn set_level(wanted: Level) -> bool {
    let ok = supported(wanted, best());
    if ok {
        LEVEL.store(wanted as u8, Ordering::Relaxed);
    }
    ok
}

/// How a kernel's text may be compiled: with or without fused multiply-add.
pub trait Simd: Copy + Send + Sync + 'static {
    /// True where `a * b + c` is one instruction with one rounding.
    const FUSED: bool;
    /// Runs a part of a kernel as a function of its own, compiled for the same level and shared by all kernels that have this part: the way
    /// to keep a large piece of text from being inlined, and compiled again, wherever it is used.
    ///
    /// # Safety
    /// The processor must have the instructions of the level: call it in [`Kernel::run`] with the level given there.
    unsafe fn part<K: Kernel>(kernel: K) -> K::Output;
}

/// A level with fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Fused;
/// A level without; `mul_add` would be a slow library call there, so it is two roundings.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Simd for Fused {
    const FUSED: bool = true;
    #[inline(always)]
    unsafe fn part<K: Kernel>(kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise; on this architecture the level is only entered through `avx2`.
        return unsafe { avx2(kernel) };
        #[cfg(not(target_arch = "x86_64"))]
        plain::<Fused, K>(kernel)
    }
}
impl Simd for Plain {
    const FUSED: bool = false;
    #[inline(always)]
    unsafe fn part<K: Kernel>(kernel: K) -> K::Output {
        plain::<Plain, K>(kernel)
    }
}

/// A kernel in a function of its own, for the processor that the program is compiled for. Never inlined: the parts of a kernel would be compiled
/// again wherever they are used.
#[inline(never)]
fn plain<S: Simd, K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<S>()
}

/// A piece of work with one text for every level. `run` must be `#[inline(always)]`, and so must all it calls: a function that is
/// not inlined is compiled for the lowest level.
pub trait Kernel {
    /// What the work returns.
    type Output;
    /// The work.
    fn run<S: Simd>(self) -> Self::Output;
}

/// Runs `kernel` compiled for the level in use.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match level() {
        // AVX-512 machines run the AVX2 text here: on Zen 4 both have the same peak, and each further level adds a third to what every
        // kernel takes to compile. Matrix products, chains and what is full of exponentials have texts of their own for it.
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` returns Avx2 or Avx512 only if the processor has every feature that `avx2` enables.
        Level::Avx2 | Level::Avx512 => unsafe { avx2(kernel) },
        // Elsewhere this would be a third copy of every kernel that never runs.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => plain::<Fused, K>(kernel),
        _ => plain::<Plain, K>(kernel),
    }
}

/// Runs `kernel` compiled for the levels with fused multiply-add alone.
///
/// # Safety
/// The level in use is not [`Level::Scalar`].
#[inline(always)]
pub(crate) unsafe fn fused<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the other levels of this architecture have all that `avx2` enables.
    return unsafe { avx2(kernel) };
    #[cfg(not(target_arch = "x86_64"))]
    plain::<Fused, K>(kernel)
}

/// [`dispatch`] for a kernel on floating-point numbers; on integers, which networks seldom compute with, [`anywhere`].
#[inline]
pub(crate) fn dispatch_on<T: crate::buffer::Element, K: Kernel>(kernel: K) -> K::Output {
    if T::REAL { dispatch(kernel) } else { anywhere(kernel) }
}

/// Runs `kernel` compiled for what every processor has: for work that is too rare to be compiled twice.
pub(crate) fn anywhere<K: Kernel>(kernel: K) -> K::Output {
    plain::<Plain, K>(kernel)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Fused>()
}
