//! Random numbers: PyTorch's CPU streams. The same seed gives the same numbers.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::{DType, Element};
use crate::error::fail;
use crate::ops::draw::{Draw, draw};
use crate::ops::drawn::drawn;
use crate::tensor::Tensor;
use crate::{with_element, with_float};
use cresset_kernels::buffer::Buffer;
use cresset_kernels::rng;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A stream of random numbers (`torch.Generator`). Cloning shares the stream.
///
/// ```
/// use cresset_tensor::{manual_seed, Tensor};
/// manual_seed(0);
/// assert_eq!(Tensor::rand([2]).to_vec::<f32>(), [0.4962566, 0.7682218]);
/// ```
#[derive(Clone)]
pub struct Generator(Arc<Mutex<rng::GeneratorState>>);

static DEFAULT: LazyLock<Generator> = LazyLock::new(Generator::new);

thread_local! {
    /// A worker of a data loader has a stream of its own, as a worker process has in PyTorch.
    static OWN_DEFAULT: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

impl Generator {
    /// A generator with PyTorch's default seed 67280421310721.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Generator {
        Generator(Arc::new(Mutex::new(rng::GeneratorState::default())))
    }
    /// A generator with a seed; a negative seed counts from 2^64 (`torch.Generator().manual_seed(seed)`).
    ///
    /// # Panics
    /// If the seed is not in -2^63 .. 2^64.
    #[track_caller]
    pub fn with_seed(seed: impl Into<i128>) -> Generator {
        let g = Generator::new();
        g.manual_seed(seed);
        g
    }
    /// The generator that random functions use when none is given (`torch.default_generator`).
    pub fn default_generator() -> Generator {
        OWN_DEFAULT.with(|own| own.borrow().clone()).unwrap_or_else(|| DEFAULT.clone())
    }
    /// Runs `f` on this thread with another default generator (a data loader's workers do).
    pub fn with_default<T>(generator: Generator, f: impl FnOnce() -> T) -> T {
        crate::record::refuse(|| "another default generator was set inside the run".into());
        struct Restore(Option<Generator>);
        impl Drop for Restore {
            fn drop(&mut self) {
                let before = self.0.take();
                OWN_DEFAULT.with(|own| *own.borrow_mut() = before);
            }
        }
        let _restore = Restore(OWN_DEFAULT.with(|own| own.borrow_mut().replace(generator)));
        f()
    }
    /// The state itself, locked. Draws of several threads from one generator come one after the other.
    pub fn lock(&self) -> MutexGuard<'_, rng::GeneratorState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Starts the stream of a seed.
    ///
    /// # Panics
    /// If the seed is not in -2^63 .. 2^64.
    #[track_caller]
    pub fn manual_seed(&self, seed: impl Into<i128>) {
        let seed = seed.into();
        if seed < i128::from(i64::MIN) || seed > i128::from(u64::MAX) {
            fail("manual_seed", format!("Overflow when unpacking long long: the seed {seed} is not in [-2^63, 2^64)"));
        }
        self.lock().manual_seed(seed as u64);
    }
    /// Starts the stream of a seed that nobody can foresee, and returns it (`generator.seed()`).
    pub fn seed(&self) -> u64 {
        self.lock().seed()
    }
    /// The seed of the stream (`generator.initial_seed()`).
    pub fn initial_seed(&self) -> u64 {
        self.lock().initial_seed()
    }
    /// PyTorch's 5056 bytes of state, as a u8 tensor (`generator.get_state()`).
    pub fn get_state(&self) -> Tensor {
        Tensor::from_slice(&self.lock().get_state()[..])
    }
    /// Continues from a saved state (`generator.set_state(state)`).
    ///
    /// # Panics
    /// If it is not a valid state of 5056 bytes; the generator is then unchanged.
    #[track_caller]
    pub fn set_state(&self, state: &Tensor) {
        if state.dtype() != DType::U8 {
            fail("set_state", format!("expected a torch.ByteTensor, but got {}", state.dtype()));
        }
        if let Err(e) = self.lock().set_state(&state.to_vec::<u8>()) {
            fail("set_state", e.to_string());
        }
    }
}
impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Generator(initial_seed {})", self.initial_seed())
    }
}

/// Starts the default generator's stream of a seed (`torch.manual_seed(seed)`).
///
/// # Panics
/// If the seed is not in -2^63 .. 2^64.
#[track_caller]
pub fn manual_seed(seed: impl Into<i128>) {
    Generator::default_generator().manual_seed(seed);
}
/// The default generator's state (`torch.get_rng_state()`).
pub fn get_rng_state() -> Tensor {
    Generator::default_generator().get_state()
}
/// Restores the default generator's state (`torch.set_rng_state(state)`).
#[track_caller]
pub fn set_rng_state(state: &Tensor) {
    Generator::default_generator().set_state(state);
}
/// Runs `f` and puts the default generator back to where it was, also if `f` panics (`with torch.random.fork_rng():`).
pub fn fork_rng<T>(f: impl FnOnce() -> T) -> T {
    let _restore = Saved::default_generator();
    f()
}

/// A generator's state that is put back when dropped.
struct Saved(Generator, rng::GeneratorState);
impl Saved {
    fn default_generator() -> Saved {
        let g = Generator::default_generator();
        let state = g.lock().clone();
        Saved(g, state)
    }
}
impl Drop for Saved {
    fn drop(&mut self) {
        *self.0.lock() = self.1.clone();
    }
}

/// The default generator's state at some moment, to be replayed (see `checkpoint`).
pub(crate) struct Moment(rng::GeneratorState);
impl Moment {
    pub(crate) fn now() -> Moment {
        Moment(Generator::default_generator().lock().clone())
    }
    /// Runs `f` with the numbers that followed that moment, and leaves the stream where it is now.
    pub(crate) fn replay<T>(&self, f: impl FnOnce() -> T) -> T {
        let saved = Saved::default_generator();
        *saved.0.lock() = self.0.clone();
        f()
    }
}

/// Fills fresh memory in the order of `like`'s memory (PyTorch fills `rand_like`, dropout masks and in-place targets in memory order): gives a dense array
/// with the strides that `empty_like` would have.
pub(crate) fn dense_like(like: &Array) -> (Dims, Dims) {
    let n = like.ndim();
    let (shape, strides) = (like.shape(), like.strides());
    // A permutation of the dimensions, fastest first, found by the insertion sort of PyTorch's TensorIterator.
    let mut perm: Vec<usize> = (0..n).rev().collect();
    let compare = |a: usize, b: usize| -> i32 {
        if strides[a] == 0 || strides[b] == 0 {
            0
        } else if strides[a] != strides[b] {
            if strides[a] < strides[b] { -1 } else { 1 }
        } else if shape[a] > shape[b] {
            1
        } else {
            0
        }
    };
    for i in 1..n {
        let mut j = i;
        for k in (0..i).rev() {
            match compare(perm[k], perm[j]) {
                1 => {
                    perm.swap(k, j);
                    j = k;
                }
                -1 => break,
                _ => {}
            }
        }
    }
    let mut dense = Dims::filled(n, 0);
    let mut step = 1;
    for &d in &perm {
        dense[d] = step;
        step *= shape[d].max(1);
    }
    (dense, perm.into_iter().rev().collect())
}

/// A new array of `meta` whose memory order is that of `like`, filled front to back.
pub(crate) fn fill_like<T: Element>(
    like: &Array,
    dtype: DType,
    fill: impl FnOnce(&mut rng::GeneratorState, &mut [T::Stored], bool),
    generator: Option<&Generator>,
) -> Array {
    let mut fill = Some(fill);
    fill_buffer(like, dtype, generator, &mut |g, buffer, n, contiguous| {
        fill.take().expect("one call")(g, &mut buffer.as_mut_slice::<T::Stored>()[..n], contiguous);
    })
}

/// Fills a buffer's first n elements; the last argument: is the array row-major?
type FillBuffer<'a> = &'a mut dyn FnMut(&mut rng::GeneratorState, &mut Buffer, usize, bool);

/// What [`fill_like`] does for all types.
fn fill_buffer(like: &Array, dtype: DType, generator: Option<&Generator>, fill: FillBuffer) -> Array {
    let meta = Meta::new(dtype, *like.shape());
    let contiguous = like.is_contiguous();
    let mut buffer = Array::buffer_for(&meta);
    let g = generator.cloned().unwrap_or_else(Generator::default_generator);
    fill(&mut g.lock(), &mut buffer, meta.numel(), contiguous);
    let flat = Array::from_buffer(buffer, meta);
    if contiguous {
        return flat;
    }
    let (dense, _) = dense_like(like);
    flat.view(*like.shape(), dense, 0)
}

/// The random slopes of `rrelu` in training: 1 above zero; below, uniform in [lower, upper].
pub(crate) fn rrelu_slopes(x: &Array, lower: f64, upper: f64) -> Array {
    fn go<T: Element>(x: &Array, lower: f64, upper: f64) -> Array
    where
        T::Stored: rng::Float,
    {
        Array::build::<T::Stored>(*x.meta(), |out| {
            x.with_slice::<T::Stored, _>(|x| Generator::default_generator().lock().rrelu_slopes(x, lower, upper, out));
        })
    }
    with_float!(x.dtype(), T => go::<T>(&x.contiguous(), lower, upper))
}

/// What a tensor is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fill {
    Uniform(f64, f64),
    Normal(f64, f64),
    LogNormal(f64, f64),
    Exponential(f64),
    Cauchy(f64, f64),
    Geometric(f64),
    Bernoulli(f64),
    Range(i64, Option<i64>),
    Any,
}

impl Fill {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fill::Uniform(..) => "uniform_",
            Fill::Normal(..) => "normal_",
            Fill::LogNormal(..) => "log_normal_",
            Fill::Exponential(_) => "exponential_",
            Fill::Cauchy(..) => "cauchy_",
            Fill::Geometric(_) => "geometric_",
            Fill::Bernoulli(_) => "bernoulli_",
            Fill::Range(..) | Fill::Any => "random_",
        }
    }

    /// PyTorch's checks of the arguments, with its sentences.
    #[track_caller]
    fn check(self, dtype: DType) {
        let name = self.name();
        let refuse = |sentence: String| fail(name, sentence);
        let float_only = !matches!(self, Fill::Geometric(_) | Fill::Bernoulli(_) | Fill::Range(..) | Fill::Any);
        if float_only && !dtype.is_floating_point() {
            refuse(format!("\"{name}\" not implemented for '{}'", dtype.scalar_name()));
        }
        match self {
            Fill::Uniform(from, to) => {
                if !from.is_finite() || !to.is_finite() || !(to - from).is_finite() {
                    refuse(format!("uniform_ expects finite bounds, but found from={from}, to={to}"));
                }
                if from > to {
                    refuse(format!("uniform_ expects to return a [from, to) range, but found from={from} > to={to}"));
                }
            }
            Fill::Normal(_, std) if !(std >= 0.0) => refuse(format!("normal expects std >= 0.0, but found std {std}")),
            Fill::LogNormal(_, std) if !(std > 0.0) => {
                refuse(format!("log_normal_ expects std > 0.0, but found std={std}"))
            }
            Fill::Exponential(l) if !(l > 0.0) => {
                refuse(format!("exponential_ expects lambda > 0.0, but found lambda={l}"))
            }
            Fill::Cauchy(_, s) if !(s > 0.0) => refuse(format!("cauchy_ expects sigma > 0.0, but found sigma={s}")),
            Fill::Geometric(p) if !(p > 0.0 && p < 1.0) => {
                refuse(format!("geometric_ expects p to be in (0, 1), but got p={p}"));
            }
            Fill::Geometric(_) if dtype == DType::Bool => refuse("\"geometric_\" not implemented for 'Bool'".into()),
            Fill::Bernoulli(p) if !(0.0..=1.0).contains(&p) => {
                refuse(format!("bernoulli_ expects p to be in [0, 1], but got p={p}"))
            }
            Fill::Range(from, Some(to)) if from >= to => {
                refuse(format!("random_ expects 'from' to be less than 'to', but got from={from} >= to={to}"));
            }
            Fill::Range(from, to) => {
                let (low, high) = integer_range(dtype);
                if from < low || from > high {
                    refuse(format!("from is out of bounds for {}", dtype.name()));
                }
                if to.is_some_and(|t| t - 1 > high || t - 1 < low) {
                    refuse(format!("to - 1 is out of bounds for {}", dtype.name()));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn array(self, like: &Array, dtype: DType, generator: Option<&Generator>) -> Array {
        fn float<T: Element>(fill: Fill, like: &Array, dtype: DType, generator: Option<&Generator>) -> Array
        where
            T::Stored: rng::Float,
        {
            fill_like::<T>(
                like,
                dtype,
                |g, out, contiguous| match fill {
                    Fill::Uniform(a, b) => g.uniform(out, a, b),
                    Fill::Normal(m, s) => g.normal(out, m, s, contiguous),
                    _ => unreachable!("a fill by way of f64"),
                },
                generator,
            )
        }
        // The rest is drawn in f64, i64 or as bits, as PyTorch does for all dtypes, and converted.
        let drawn = match self {
            Fill::Uniform(..) | Fill::Normal(..) => {
                return with_float!(dtype, T => float::<T>(self, like, dtype, generator));
            }
            Fill::LogNormal(..) | Fill::Exponential(_) | Fill::Cauchy(..) | Fill::Geometric(_) => fill_like::<f64>(
                like,
                DType::F64,
                |g, out, _| match self {
                    Fill::LogNormal(m, s) => g.log_normal(out, m, s),
                    Fill::Exponential(l) => g.exponential(out, l),
                    Fill::Cauchy(m, s) => g.cauchy(out, m, s),
                    Fill::Geometric(p) => g.geometric(out, p),
                    _ => unreachable!("the four above"),
                },
                generator,
            ),
            Fill::Bernoulli(p) if dtype == DType::F32 => {
                fill_like::<f32>(like, dtype, |g, out, _| g.bernoulli(out, p), generator)
            }
            Fill::Bernoulli(p) => fill_like::<u8>(like, DType::U8, |g, out, _| g.bernoulli(out, p), generator),
            Fill::Range(..) | Fill::Any => {
                let (from, to) = match self {
                    // A bool's range of random integers is its own.
                    Fill::Any if dtype == DType::Bool => (Some(0), Some(2)),
                    Fill::Range(from, None) if dtype == DType::Bool => (Some(from), Some(2)),
                    Fill::Range(from, to) => (Some(from), to),
                    _ => (None, None),
                };
                let kind = with_element!(dtype, T => rng::Integers::of::<<T as Element>::Stored>());
                fill_like::<i64>(like, DType::I64, |g, out, _| g.random_integers(out, kind, from, to), generator)
            }
        };
        // Numbers too large for a small integer wrap.
        if drawn.dtype() == DType::F64 && !dtype.is_floating_point() {
            return drawn.to(DType::I64).to(dtype);
        }
        drawn.to(dtype)
    }
}

/// The integers a dtype holds exactly, as PyTorch bounds `random_`.
fn integer_range(dtype: DType) -> (i64, i64) {
    match dtype {
        DType::Bool => (0, 1),
        DType::U8 => (0, 255),
        DType::I8 => (-128, 127),
        DType::I16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DType::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DType::I64 | DType::F64 | DType::F32 | DType::BF16 => (i64::MIN, i64::MAX),
        DType::F16 => (-65504, 65504),
    }
}

impl Tensor {
    #[track_caller]
    fn fill_random(&self, fill: Fill, generator: Option<&Generator>) -> Tensor {
        let a = self.array();
        fill.check(a.dtype());
        self.check_overlap(fill.name());
        if crate::is_grad_enabled() && self.requires_grad() {
            self.check_inplace_under_grad(fill.name());
            fail(fill.name(), "a random fill cannot be differentiated: detach() the tensor or work under no_grad");
        }
        let filled = fill.array(&a, a.dtype(), generator);
        crate::kernels::overwrite(&a, filled);
        self.clone()
    }
    #[track_caller]
    fn random_of(fill: Fill, shape: Dims, dtype: DType, generator: Option<&Generator>) -> Tensor {
        fill.check(dtype);
        let meta = Meta::new(dtype, shape);
        let like = Array::shell(meta);
        match generator {
            None => draw(Draw::Fill(fill), &like, meta),
            some => Tensor::from_array(fill.array(&like, dtype, some)),
        }
    }

    /// Uniform numbers in [0, 1) (`torch.rand(shape)`).
    #[track_caller]
    pub fn rand(shape: impl Into<Dims>) -> Tensor {
        Tensor::rand_with(shape, DType::F32, None)
    }
    /// Uniform numbers in [0, 1) of a dtype from a generator (`torch.rand(shape, dtype=, generator=)`).
    #[track_caller]
    pub fn rand_with(shape: impl Into<Dims>, dtype: DType, generator: Option<&Generator>) -> Tensor {
        Tensor::random_of(Fill::Uniform(0.0, 1.0), shape.into(), dtype, generator)
    }
    /// Standard normal numbers (`torch.randn(shape)`).
    #[track_caller]
    pub fn randn(shape: impl Into<Dims>) -> Tensor {
        Tensor::randn_with(shape, DType::F32, None)
    }
    /// Standard normal numbers of a dtype from a generator (`torch.randn(shape, dtype=, generator=)`).
    #[track_caller]
    pub fn randn_with(shape: impl Into<Dims>, dtype: DType, generator: Option<&Generator>) -> Tensor {
        Tensor::random_of(Fill::Normal(0.0, 1.0), shape.into(), dtype, generator)
    }
    /// Integers in [low, high), int64 (`torch.randint(low, high, shape)`).
    ///
    /// # Panics
    /// If `low >= high`.
    #[track_caller]
    pub fn randint(low: i64, high: i64, shape: impl Into<Dims>) -> Tensor {
        Tensor::randint_with(low, high, shape, DType::I64, None)
    }
    /// Integers in [low, high) of a dtype from a generator.
    #[track_caller]
    pub fn randint_with(
        low: i64,
        high: i64,
        shape: impl Into<Dims>,
        dtype: DType,
        generator: Option<&Generator>,
    ) -> Tensor {
        Tensor::random_of(Fill::Range(low, Some(high)), shape.into(), dtype, generator)
    }
    /// The integers 0..n in random order, int64 (`torch.randperm(n)`).
    pub fn randperm(n: usize) -> Tensor {
        Tensor::randperm_with(n, DType::I64, None)
    }
    /// The integers 0..n in random order, of a dtype, from a generator.
    ///
    /// # Panics
    /// If the dtype cannot hold n - 1, or is bool.
    #[track_caller]
    pub fn randperm_with(n: usize, dtype: DType, generator: Option<&Generator>) -> Tensor {
        let limit = match dtype {
            DType::F16 => 2049,
            DType::BF16 => 257,
            DType::F32 => (1 << 24) + 1,
            DType::F64 => (1 << 53) + 1,
            d => integer_range(d).1 as usize,
        };
        if dtype == DType::Bool {
            fail("randperm", "\"randperm\" not implemented for 'Bool'");
        }
        if n > limit && n > 0 {
            fail("randperm", format!("n cannot be greater than {limit} for {} type, got {n}", dtype.scalar_name()));
        }
        let shell = Array::shell(Meta::new(DType::I64, [n]));
        let order = fill_like::<i64>(&shell, DType::I64, |g, out, _| g.randperm(out), generator);
        Tensor::from_array(order.to(dtype))
    }
    /// Uniform numbers in [0, 1) of the same shape, dtype and memory order (`torch.rand_like(x)`).
    #[track_caller]
    pub fn rand_like(&self) -> Tensor {
        self.random_like(Fill::Uniform(0.0, 1.0), self.dtype())
    }
    /// Standard normal numbers of the same shape, dtype and memory order (`torch.randn_like(x)`).
    #[track_caller]
    pub fn randn_like(&self) -> Tensor {
        self.random_like(Fill::Normal(0.0, 1.0), self.dtype())
    }
    /// Integers in [low, high) of the same shape, dtype and memory order (`torch.randint_like(x, low, high)`).
    #[track_caller]
    pub fn randint_like(&self, low: i64, high: i64) -> Tensor {
        self.random_like(Fill::Range(low, Some(high)), self.dtype())
    }
    #[track_caller]
    fn random_like(&self, fill: Fill, dtype: DType) -> Tensor {
        fill.check(dtype);
        let like = self.array_unseen();
        draw(Draw::Fill(fill), &like, Meta::new(dtype, *like.shape()))
    }

    /// Fills with uniform numbers in [from, to) (`x.uniform_(from, to)`).
    #[track_caller]
    pub fn uniform_(&self, from: f64, to: f64) -> Tensor {
        self.fill_random(Fill::Uniform(from, to), None)
    }
    /// [`Tensor::uniform_`] from a generator.
    #[track_caller]
    pub fn uniform_from(&self, from: f64, to: f64, generator: Option<&Generator>) -> Tensor {
        self.fill_random(Fill::Uniform(from, to), generator)
    }
    /// Fills with normal numbers (`x.normal_(mean, std)`).
    #[track_caller]
    pub fn normal_(&self, mean: f64, std: f64) -> Tensor {
        self.fill_random(Fill::Normal(mean, std), None)
    }
    /// [`Tensor::normal_`] from a generator.
    #[track_caller]
    pub fn normal_from(&self, mean: f64, std: f64, generator: Option<&Generator>) -> Tensor {
        self.fill_random(Fill::Normal(mean, std), generator)
    }
    /// Fills with exp of normal numbers (`x.log_normal_(mean, std)`).
    #[track_caller]
    pub fn log_normal_(&self, mean: f64, std: f64) -> Tensor {
        self.fill_random(Fill::LogNormal(mean, std), None)
    }
    /// Fills with exponentially distributed numbers of rate `lambda` (`x.exponential_(lambda)`).
    #[track_caller]
    pub fn exponential_(&self, lambda: f64) -> Tensor {
        self.fill_random(Fill::Exponential(lambda), None)
    }
    /// Fills with Cauchy-distributed numbers (`x.cauchy_(median, sigma)`).
    #[track_caller]
    pub fn cauchy_(&self, median: f64, sigma: f64) -> Tensor {
        self.fill_random(Fill::Cauchy(median, sigma), None)
    }
    /// Fills with the number of trials up to the first success (`x.geometric_(p)`).
    #[track_caller]
    pub fn geometric_(&self, p: f64) -> Tensor {
        self.fill_random(Fill::Geometric(p), None)
    }
    /// Fills with 1 of probability `p`, else 0 (`x.bernoulli_(p)`).
    #[track_caller]
    pub fn bernoulli_(&self, p: f64) -> Tensor {
        self.fill_random(Fill::Bernoulli(p), None)
    }
    /// Fills with integers of the dtype's non-negative range (`x.random_()`).
    #[track_caller]
    pub fn random_(&self) -> Tensor {
        self.fill_random(Fill::Any, None)
    }
    /// Fills with integers in [from, to), or up to the dtype's largest (`x.random_(from, to)`).
    #[track_caller]
    pub fn random_range_(&self, from: i64, to: Option<i64>) -> Tensor {
        self.fill_random(Fill::Range(from, to), None)
    }
    /// 1 with the probability that the element gives, else 0 (`torch.bernoulli(x)`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one or an element is not in [0, 1].
    #[track_caller]
    pub fn bernoulli(&self) -> Tensor {
        self.bernoulli_from(None)
    }
    /// [`Tensor::bernoulli`] from a generator.
    #[track_caller]
    pub fn bernoulli_from(&self, generator: Option<&Generator>) -> Tensor {
        let out = self.detach().zeros_like();
        out.bernoulli_each_(self, generator);
        drawn("bernoulli", out, &[self])
    }
    /// Fills with 1 of the probabilities of a tensor that broadcasts to this one, else 0 (`x.bernoulli_(p)` with a tensor).
    #[track_caller]
    pub fn bernoulli_each_(&self, p: &Tensor, generator: Option<&Generator>) -> Tensor {
        if !p.dtype().is_floating_point() {
            fail("bernoulli", format!("\"bernoulli_tensor_cpu_p_\" not implemented for '{}'", p.dtype().scalar_name()));
        }
        // Zeros and ones as bytes, converted afterwards, and probabilities as f32 (exact for the halves) or f64: PyTorch draws one word for
        // each element, or two if the probabilities are f64.
        fn go<P: Element<Stored: rng::Float>>(target: &Array, p: &Array, generator: Option<&Generator>) -> Array {
            let (_, order) = dense_like(target);
            // The probabilities in the order in which the target is filled.
            let strides: Dims = order.iter().map(|&d| p.strides()[d]).collect();
            let shape: Dims = order.iter().map(|&d| p.shape()[d]).collect();
            let p =
                if target.is_contiguous() { p.contiguous() } else { p.view(shape, strides, p.offset()).contiguous() };
            fill_like::<u8>(
                target,
                DType::U8,
                |g, out, _| p.with_slice::<P::Stored, _>(|p| g.bernoulli_each(out, p)),
                generator,
            )
        }
        let bad = crate::kernels::scalars(&p.array()).into_iter().map(|s| s.f64()).find(|p| !(0.0..=1.0).contains(p));
        if let Some(bad) = bad {
            fail("bernoulli", format!("Expected p_in >= 0 && p_in <= 1 to be true, but got {bad}"));
        }
        let a = self.array();
        if let Err(e) = crate::dims::broadcast(&p.shape(), a.shape()).and_then(|s| {
            if s == *a.shape() {
                Ok(())
            } else {
                Err(format!("output with shape {:?} doesn't match the broadcast shape {s:?}", a.shape()))
            }
        }) {
            fail("bernoulli", e);
        }
        let p = p.array().broadcast_to(a.shape());
        let filled = match p.dtype() {
            DType::F64 => go::<f64>(&a, &p, generator),
            _ => go::<f32>(&a, &p.to(DType::F32), generator),
        };
        crate::kernels::overwrite(&a, filled);
        self.clone()
    }
    /// `num_samples` column numbers of each row, drawn with the probabilities that the row's weights give (`torch.multinomial`).
    ///
    /// Weights need not add up to 1. Shape (C) gives (num_samples), shape (R, C) gives (R, num_samples), int64.
    ///
    /// # Panics
    /// If a weight is negative, infinite or NaN, a row has no positive weight, or more samples are asked for than there are weights to draw without
    /// replacement.
    #[track_caller]
    pub fn multinomial(&self, num_samples: usize, replacement: bool) -> Tensor {
        self.multinomial_from(num_samples, replacement, None)
    }
    /// [`Tensor::multinomial`] from a generator.
    #[track_caller]
    pub fn multinomial_from(&self, num_samples: usize, replacement: bool, generator: Option<&Generator>) -> Tensor {
        let w = self.array();
        let refuse = |sentence: &str| -> ! { fail("multinomial", sentence) };
        if !w.dtype().is_floating_point() {
            fail(
                "multinomial",
                format!("multinomial only supports floating-point dtypes for input, got: {}", w.dtype().scalar_name()),
            );
        }
        if w.ndim() == 0 || w.ndim() > 2 {
            refuse("prob_dist must be 1 or 2 dim");
        }
        let columns = w.shape()[w.ndim() - 1];
        if num_samples == 0 {
            refuse("cannot sample n_sample <= 0 samples");
        }
        if columns > 1 << 24 {
            refuse("number of categories cannot exceed 2^24");
        }
        if !replacement && num_samples > columns {
            refuse("cannot sample n_sample > prob_dist.size(-1) samples without replacement");
        }
        let numbers: Vec<f64> = crate::kernels::scalars(&w).into_iter().map(|s| s.f64()).collect();
        if numbers.iter().any(|x| !x.is_finite() || *x < 0.0) {
            refuse("probability tensor contains either `inf`, `nan` or element < 0");
        }
        if columns > 0 && numbers.chunks(columns).any(|row| row.iter().sum::<f64>() <= 0.0) {
            refuse("invalid multinomial distribution (sum of probabilities <= 0)");
        }
        fn go<T: Element>(
            w: &Array,
            columns: usize,
            k: usize,
            replacement: bool,
            out: Meta,
            generator: Option<&Generator>,
        ) -> Array
        where
            T::Stored: rng::Float,
        {
            let g = generator.cloned().unwrap_or_else(Generator::default_generator);
            let dense = w.contiguous();
            Array::build::<i64>(out, |out| {
                dense.with_slice::<T::Stored, _>(|weights| {
                    if w.is_contiguous() || (replacement && k > 1) {
                        g.lock().multinomial(weights, columns, k, replacement, out);
                    } else {
                        let e =
                            fill_like::<T>(w, w.dtype(), |g, out, _| g.exponential(out, 1.0), Some(&g)).contiguous();
                        e.with_slice::<T::Stored, _>(|e| {
                            rng::multinomial_from_exponentials(weights, e, columns, k, out)
                        });
                    }
                });
            })
        }
        let mut shape = *w.shape();
        let last = shape.len() - 1;
        shape[last] = num_samples;
        let out = Meta::new(DType::I64, shape);
        Tensor::from_array(with_float!(w.dtype(), T => go::<T>(&w, columns, num_samples, replacement, out, generator)))
    }
    /// Normal numbers with a mean and a standard deviation for each element (`torch.normal(mean, std)`), both broadcast.
    ///
    /// # Panics
    /// If a standard deviation is negative.
    #[track_caller]
    pub fn normal(mean: &Tensor, std: &Tensor) -> Tensor {
        if crate::kernels::scalars(&std.array()).iter().any(|s| s.f64() < 0.0) {
            fail("normal", "normal expects all elements of std >= 0.0");
        }
        let shape = match crate::dims::broadcast(&mean.shape(), &std.shape()) {
            Ok(s) => s,
            Err(e) => fail("normal", e),
        };
        let z = Tensor::randn_with(shape, mean.dtype(), None);
        drawn("normal", &(&z * &std.detach()) + &mean.detach(), &[mean, std])
    }
    /// Normal numbers around the elements of `mean` with one standard deviation (`torch.normal(mean, 2.0)`).
    #[track_caller]
    pub fn normal_around(mean: &Tensor, std: f64) -> Tensor {
        let z = Tensor::zeros_of(mean.shape(), mean.dtype());
        z.normal_(0.0, std);
        drawn("normal", &z + &mean.detach(), &[mean])
    }
}
