//! One step of an optimizer as one pass over memory, and the norms that clipping needs.
//!
//! An algorithm is a [`Formula`]: what becomes of one element of a parameter, given its gradient and its state. [`apply`] runs it
//! over whole slices, compiled for every [`Level`](crate::level::Level) and cut into pieces for several threads.

mod float;
mod norm;
mod together;

pub use float::Float;
pub use norm::{max_abs, power_sum};
pub use together::{AnyFormula, Computed, Together};

use crate::level::{Kernel, Simd, dispatch};
use crate::map::Element;
use crate::threads;

/// What one step does to one element. `N` is the number of state values that belong to it.
///
/// ```
/// use cresset_kernels::optim::{apply, Float, Formula};
///
/// /// `p - lr * g`
/// #[derive(Clone, Copy)]
/// struct Descent {
///     lr: f64,
/// }
/// impl Formula<0> for Descent {
///     #[inline(always)]
///     fn step<F: Float>(self, p: F, g: F, state: [F; 0]) -> (F, [F; 0]) {
///         (p - F::of(self.lr) * g, state)
///     }
/// }
///
/// let mut p = [1.0f32, 2.0];
/// apply(Descent { lr: 0.5 }, &mut p, &[2.0, -2.0], []);
/// assert_eq!(p, [0.0, 3.0]);
/// ```
pub trait Formula<const N: usize>: Copy + Send + Sync {
    /// The new parameter and the new state. Must be `#[inline(always)]`.
    fn step<F: Float>(self, p: F, g: F, state: [F; N]) -> (F, [F; N]);
}

/// Elements that one thread takes at a time: with Adam's four streams about half a megabyte, 20 µs of work.
const GRAIN: usize = 16 * 1024;
/// Elements that are brought into registers together. All are read before any is written, so the compiler needs no proof that the
/// slices lie apart.
const LANES: usize = 16;
/// 16-bit numbers are widened this many at a time, on the stack.
const BLOCK: usize = 256;

/// Runs a formula over a parameter, its gradient and its state, all of one length. 16-bit numbers are computed with in f32.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn apply<T, const N: usize, R>(rule: R, p: &mut [T], g: &[T], state: [&mut [T]; N])
where
    T: Element<Block: Float>,
    R: Formula<N>,
{
    pieces(&rule, p, g, state);
}

/// [`apply`] for a formula whose kind is forgotten.
///
/// # Panics
/// If the lengths differ.
pub fn apply_any<T, const N: usize>(rule: &dyn AnyFormula<N>, p: &mut [T], g: &[T], state: [&mut [T]; N])
where
    T: Element<Block: Computed>,
{
    pieces(T::Block::rule(rule), p, g, state);
}

// All but the arithmetic stands in functions that do not know the formula, so that it is not compiled for each.

/// A formula over slices of its computing type.
#[doc(hidden)]
pub trait Rule<B, const N: usize>: Sync {
    #[doc(hidden)]
    fn run(&self, p: &mut [B], g: &[B], state: [&mut [B]; N]);
}
impl<B: Float, R: Formula<N>, const N: usize> Rule<B, N> for R {
    fn run(&self, p: &mut [B], g: &[B], state: [&mut [B]; N]) {
        dispatch(Pass { rule: *self, p, g, state });
    }
}

fn pieces<T, const N: usize>(rule: &dyn Rule<T::Block, N>, p: &mut [T], g: &[T], state: [&mut [T]; N])
where
    T: Element<Block: Float>,
{
    let n = p.len();
    assert!(g.len() == n && state.iter().all(|s| s.len() == n), "a formula's slices are of one length");
    if n <= GRAIN {
        return piece(rule, p, g, state);
    }
    let (p, state) = (Start(p.as_mut_ptr()), starts(state));
    threads::run_ranges(n, GRAIN, &|r| {
        // SAFETY: all slices have `n` elements, `r` lies within `0..n`, and no two calls get ranges that overlap, so each element is
        // reached through one `&mut` only.
        let (p, state) =
            unsafe { (std::slice::from_raw_parts_mut(p.at(r.start), r.len()), parts(&state, r.start, r.len())) };
        piece(rule, p, &g[r], state);
    });
}

/// A pointer that may go to other threads: each of them works on another part of the slice.
struct Start<T>(*mut T);
// SAFETY: see `apply`: the parts do not overlap, and the elements may be sent.
unsafe impl<T: Send> Sync for Start<T> {}
impl<T> Start<T> {
    #[inline]
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

fn starts<T, const N: usize>(slices: [&mut [T]; N]) -> [Start<T>; N] {
    slices.map(|s| Start(s.as_mut_ptr()))
}

/// # Safety
/// `len` elements from `start` on lie behind each, and nobody else reaches them meanwhile.
#[allow(clippy::mut_from_ref)]
unsafe fn parts<T, const N: usize>(starts: &[Start<T>; N], start: usize, len: usize) -> [&mut [T]; N] {
    // SAFETY: the caller's promise.
    starts.each_ref().map(|s| unsafe { std::slice::from_raw_parts_mut(s.at(start), len) })
}

fn all<T, const N: usize, const L: usize>(arrays: &mut [[T; L]; N], len: usize) -> [&mut [T]; N] {
    arrays.each_mut().map(|a| &mut a[..len])
}

fn piece<T, const N: usize>(rule: &dyn Rule<T::Block, N>, p: &mut [T], g: &[T], mut state: [&mut [T]; N])
where
    T: Element<Block: Float>,
{
    let (Some(load), Some(store)) = (T::LOAD, T::STORE) else {
        // SAFETY: without LOAD and STORE, `T` and `T::Block` are one type.
        let (p, g, state) = unsafe {
            (
                &mut *(p as *mut [T] as *mut [T::Block]),
                &*(g as *const [T] as *const [T::Block]),
                state.map(|s| &mut *(s as *mut [T] as *mut [T::Block])),
            )
        };
        return rule.run(p, g, state);
    };
    let zero = T::Block::of(0.0);
    let (mut wide_p, mut wide_g, mut wide_s) = ([zero; BLOCK], [zero; BLOCK], [[zero; BLOCK]; N]);
    for start in (0..p.len()).step_by(BLOCK) {
        let n = BLOCK.min(p.len() - start);
        let s = state.each_mut().map(|s| s[start..start + n].as_mut_ptr());
        // SAFETY: LOAD reads `n` numbers of type `T` and writes as many of `T::Block`; the slices on both sides hold `n`.
        unsafe {
            load(p[start..start + n].as_ptr().cast(), wide_p.as_mut_ptr().cast(), n);
            load(g[start..start + n].as_ptr().cast(), wide_g.as_mut_ptr().cast(), n);
            for k in 0..N {
                load(s[k].cast_const().cast(), wide_s[k].as_mut_ptr().cast(), n);
            }
        }
        rule.run(&mut wide_p[..n], &wide_g[..n], all(&mut wide_s, n));
        // SAFETY: as above, the other way round.
        unsafe {
            store(wide_p.as_ptr().cast(), p[start..start + n].as_mut_ptr().cast(), n);
            for k in 0..N {
                store(wide_s[k].as_ptr().cast(), s[k].cast(), n);
            }
        }
    }
}

struct Pass<'a, F, R, const N: usize> {
    rule: R,
    p: &'a mut [F],
    g: &'a [F],
    state: [&'a mut [F]; N],
}

impl<F: Float, R: Formula<N>, const N: usize> Kernel for Pass<'_, F, R, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        // A vector or two for old processors: a third of the text.
        if S::FUSED { self.pass::<S, LANES>() } else { self.pass::<S, 4>() }
    }
}

impl<F: Float, R: Formula<N>, const N: usize> Pass<'_, F, R, N> {
    #[inline(always)]
    fn pass<S: Simd, const L: usize>(self) {
        let n = self.p.len();
        let mut pass = self;
        let done = pass.blocks::<L>(n);
        let rest = n - done;
        if rest > 0 {
            // The tail goes through the same text, in a block beside the data that is filled up with zeros.
            let zero = F::of(0.0);
            let (mut p, mut g, mut s) = ([zero; L], [zero; L], [[zero; L]; N]);
            p[..rest].copy_from_slice(&pass.p[done..]);
            g[..rest].copy_from_slice(&pass.g[done..]);
            for k in 0..N {
                s[k][..rest].copy_from_slice(&pass.state[k][done..]);
            }
            let state = all(&mut s, L);
            // SAFETY: this kernel runs at level S already.
            unsafe { S::part(Pass { rule: pass.rule, p: &mut p, g: &g, state }) };
            pass.p[done..].copy_from_slice(&p[..rest]);
            for k in 0..N {
                pass.state[k][done..].copy_from_slice(&s[k][..rest]);
            }
        }
    }

    /// Goes over whole blocks, and gives the first element that none is left for.
    #[inline(always)]
    fn blocks<const L: usize>(&mut self, n: usize) -> usize {
        let mut i = 0;
        let (p, g) = (&mut self.p[..n], &self.g[..n]);
        while i + L <= n {
            let mut new_p: [F; L] = p[i..i + L].try_into().expect("L elements");
            let old_g: [F; L] = g[i..i + L].try_into().expect("L elements");
            let mut new_s = [new_p; N];
            for k in 0..N {
                new_s[k].copy_from_slice(&self.state[k][i..i + L]);
            }
            for j in 0..L {
                let mut old_s = [new_p[j]; N];
                for k in 0..N {
                    old_s[k] = new_s[k][j];
                }
                let (x, s) = self.rule.step(new_p[j], old_g[j], old_s);
                new_p[j] = x;
                for k in 0..N {
                    new_s[k][j] = s[k];
                }
            }
            p[i..i + L].copy_from_slice(&new_p);
            for k in 0..N {
                self.state[k][i..i + L].copy_from_slice(&new_s[k]);
            }
            i += L;
        }
        i
    }
}

#[cfg(test)]
mod tests;
