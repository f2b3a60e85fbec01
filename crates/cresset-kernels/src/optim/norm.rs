//! What norms are made of: sums of powers and largest magnitudes. Summed in f64, in an order that depends on the length alone.

use super::Float;
use crate::level::{Kernel, Simd, dispatch};
use crate::map::Element;
use crate::threads;
use std::sync::Mutex;

const GRAIN: usize = 32 * 1024;
const LANES: usize = 16;
const BLOCK: usize = 256;

/// The sum of `|x|^p` over all elements; for `p` = 0 the number of elements that are not zero.
pub fn power_sum<T: Element<Block: Float>>(x: &[T], p: f64) -> f64 {
    let parts = over_pieces(x, |x| match p {
        1.0 => dispatch(Fold(x, |a: f64, x: f64| a + x.abs())),
        2.0 => dispatch(Fold(x, |a: f64, x: f64| a + x * x)),
        _ => x.iter().map(|x| x.f64().abs()).map(|x| if p == 0.0 { f64::from(x != 0.0) } else { x.powf(p) }).sum(),
    });
    parts.into_iter().sum()
}

/// The largest (`smallest = false`) or smallest magnitude; NaN if there is one. 0 of nothing.
pub fn max_abs<T: Element<Block: Float>>(x: &[T], smallest: bool) -> f64 {
    let pick = move |a: f64, b: f64| if b.is_nan() || (if smallest { b < a } else { b > a }) { b } else { a };
    let first = |x: &[T::Block]| x[0].f64().abs();
    let parts = over_pieces(x, |x| x.iter().fold(first(x), |a, x| pick(a, x.f64().abs())));
    parts.into_iter().reduce(pick).unwrap_or(0.0)
}

/// `f` of each piece of `x`, widened to what is computed in, in order.
fn over_pieces<T: Element<Block: Float>>(x: &[T], f: impl Fn(&[T::Block]) -> f64 + Sync) -> Vec<f64> {
    let grain = if T::LOAD.is_some() { BLOCK } else { GRAIN };
    let parts = Mutex::new(vec![0.0; threads::pieces(x.len(), grain)]);
    let per_job = GRAIN / grain;
    threads::run(threads::pieces(x.len(), GRAIN), &|job| {
        let mut zero = [T::Block::of(0.0); BLOCK];
        for i in job * per_job..(job + 1) * per_job {
            let part = &x[threads::piece(i, x.len(), grain)];
            if part.is_empty() {
                break;
            }
            let value = match T::LOAD {
                // SAFETY: without LOAD, `T` and `T::Block` are one type.
                None => f(unsafe { &*(part as *const [T] as *const [T::Block]) }),
                Some(load) => {
                    // SAFETY: LOAD reads and writes `part.len()` numbers, at most BLOCK.
                    unsafe { load(part.as_ptr().cast(), zero.as_mut_ptr().cast(), part.len()) };
                    f(&zero[..part.len()])
                }
            };
            parts.lock().unwrap_or_else(|e| e.into_inner())[i] = value;
        }
    });
    parts.into_inner().unwrap_or_else(|e| e.into_inner())
}

struct Fold<'a, F, G>(&'a [F], G);

impl<F: Float, G: Fn(f64, f64) -> f64> Kernel for Fold<'_, F, G> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        let mut sums = [0.0; LANES];
        let chunks = self.0.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for j in 0..LANES {
                sums[j] = (self.1)(sums[j], chunk[j].f64());
            }
        }
        let rest = rest.iter().fold(0.0, |a, x| (self.1)(a, x.f64()));
        sums.iter().sum::<f64>() + rest
    }
}
