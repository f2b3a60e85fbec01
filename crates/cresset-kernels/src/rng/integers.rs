//! Random integers and permutations.

use super::generator::GeneratorState;
use super::number::Number;
use half::{bf16, f16};

/// From this range on an element takes 64 random bits.
const WIDE_RANGE: u64 = 1 << 28;
/// From this size on a permutation takes 64 random bits an element.
const WIDE_PERMUTATION: usize = (u32::MAX / 20) as usize;
/// From this size on a permutation of 64-bit integers is made in 32-bit ones, which need half the cache.
const LARGE_PERMUTATION: usize = 1 << 14;

/// What decides how random integers are drawn for an element type.
#[derive(Clone, Copy, Debug)]
pub struct Integers {
    max: i64,
    wide: bool,
    digits: u32,
}
impl Integers {
    /// Of a type.
    pub const fn of<T: Number>() -> Integers {
        Integers { max: T::RANDOM_MAX, wide: T::RANDOM_WIDE, digits: T::DIGITS }
    }
}

impl GeneratorState {
    /// Fills with integers of the whole type, or 0 to 2^digits for floats: PyTorch's `random_()`.
    pub fn random<T: Number>(&mut self, out: &mut [T]) {
        self.integers(out, Integers::of::<T>(), None, None);
    }

    /// Fills with integers in \[from, to), or from `from` up to the type's largest where `to` is `None`: PyTorch's
    /// `random_(from, to)` and `randint`. One word an element, two where the range is 2^28 or more.
    pub fn random_range<T: Number>(&mut self, out: &mut [T], from: i64, to: Option<i64>) {
        self.integers(out, Integers::of::<T>(), Some(from), to);
    }

    /// The integers that [`random_range`](Self::random_range) gives to another type, or without `from` those of [`random`](Self::random), before
    /// they are converted to it.
    pub fn random_integers(&mut self, out: &mut [i64], kind: Integers, from: Option<i64>, to: Option<i64>) {
        self.integers(out, kind, from, to);
    }

    fn integers<T: Number>(&mut self, out: &mut [T], kind: Integers, from: Option<i64>, to: Option<i64>) {
        let whole = (kind.max as u64).wrapping_add(1);
        let Some(from) = from else {
            return if kind.wide { self.modulo_wide(out, whole, 0) } else { self.modulo_narrow(out, whole, 0) };
        };
        let from = if kind.digits > 0 { representable_from(kind.digits, from) } else { from };
        let range = match to {
            Some(to) => {
                let to = if kind.digits > 0 { representable_to(kind.digits, to) } else { to };
                (to as u64).wrapping_sub(from as u64)
            }
            None => whole.wrapping_sub(from as u64),
        };
        match range {
            // All 64-bit integers.
            0 => self.engine.pairs(out.len(), |at, words| {
                for (x, pair) in out[at..].iter_mut().zip(words.chunks_exact(2)) {
                    *x = T::from_i64(joined(pair) as i64);
                }
            }),
            WIDE_RANGE.. => self.modulo_wide(out, range, from),
            _ => self.modulo_narrow(out, range, from),
        }
    }

    fn modulo_wide<T: Number>(&mut self, out: &mut [T], range: u64, from: i64) {
        self.engine.pairs(out.len(), |at, words| {
            for (x, pair) in out[at..].iter_mut().zip(words.chunks_exact(2)) {
                *x = T::from_i64((joined(pair) % range).wrapping_add(from as u64) as i64);
            }
        });
    }

    fn modulo_narrow<T: Number>(&mut self, out: &mut [T], range: u64, from: i64) {
        // The remainder by two multiplications (Lemire, Kaser and Kurz 2019): exact, as words and range have 32 bits.
        debug_assert!((1..=1 << 31).contains(&range));
        let reciprocal = (u64::MAX / range).wrapping_add(1);
        self.engine.words(out.len(), |at, words| {
            for (x, &word) in out[at..].iter_mut().zip(words) {
                let fraction = reciprocal.wrapping_mul(u64::from(word));
                let remainder = ((u128::from(fraction) * u128::from(range)) >> 64) as i64;
                *x = T::from_i64(remainder.wrapping_add(from));
            }
        });
    }

    /// Fills with a random permutation of 0, 1, …: PyTorch's `randperm(n)` for `n = out.len()`. `n - 1` words.
    pub fn randperm<T: Number>(&mut self, out: &mut [T]) {
        let n = out.len();
        if n >= WIDE_PERMUTATION {
            self.engine.pairs(n, |at, words| {
                for (i, pair) in (at..).zip(words.chunks_exact(2)) {
                    let z = (joined(pair) % (i as u64 + 1)) as usize;
                    out[i] = out[z];
                    out[z] = T::from_i64(i as i64);
                }
            });
        } else if n >= LARGE_PERMUTATION && size_of::<T>() == 8 {
            let mut narrow: Vec<u32> = (0..n as u32).collect();
            self.shuffle(&mut narrow);
            for (x, i) in out.iter_mut().zip(narrow) {
                *x = T::from_i64(i64::from(i));
            }
        } else {
            for (i, x) in out.iter_mut().enumerate() {
                *x = T::from_i64(i as i64);
            }
            self.shuffle(out);
        }
    }

    fn shuffle<T: Copy>(&mut self, items: &mut [T]) {
        let n = items.len();
        self.engine.words(n.saturating_sub(1), |at, words| {
            for (i, &word) in (at..).zip(words) {
                let left = (n - i) as u32;
                items.swap(i, i + (word % left) as usize);
            }
        });
    }
}

#[inline(always)]
fn joined(pair: &[u32]) -> u64 {
    u64::from(pair[0]) << 32 | u64::from(pair[1])
}

/// The integer nearest to `value` that the float type of so many digits has.
fn rounded(digits: u32, value: i64) -> i64 {
    match digits {
        24 => value as f32 as i64,
        11 => f16::from_i64(value).to_f64() as i64,
        8 => bf16::from_i64(value).to_f64() as i64,
        _ => value as f64 as i64,
    }
}

/// Distance between neighbours of the float type near `value`.
fn spacing(digits: u32, value: i64) -> i64 {
    1 << (value.unsigned_abs().ilog2() + 1 - digits)
}

/// The lower bound, moved up if the float type would round a drawn value below it.
fn representable_from(digits: u32, from: i64) -> i64 {
    let next = from.wrapping_add(1);
    let nearest = rounded(digits, next);
    if nearest < from { nearest + spacing(digits, next) } else { from }
}

/// The upper bound, moved down if the float type would round a drawn value up to it.
fn representable_to(digits: u32, to: i64) -> i64 {
    let last = to.wrapping_sub(1);
    let nearest = rounded(digits, last);
    if nearest >= to { nearest - spacing(digits, last) } else { to }
}
