//! A generator: the engine, its seed, the pending normal, and PyTorch's saved state.

use super::mt19937::{Mt19937, WORDS};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The seed of a generator that was given none.
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

/// Bytes of a saved state.
pub const STATE_SIZE: usize = 5056;

/// Offsets in a saved state; everything is little endian, unlisted bytes are zero.
mod at {
    pub const SEED: usize = 0;
    pub const LEFT: usize = 8;
    pub const SEEDED: usize = 12;
    pub const NEXT: usize = 16;
    pub const WORDS: usize = 24;
    pub const PENDING: usize = 5024;
    pub const PENDING_VALID: usize = 5040;
    pub const PENDING_F32: usize = 5048;
    pub const PENDING_F32_VALID: usize = 5052;
}

/// A random stream: what PyTorch's `torch.Generator(device="cpu")` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorState {
    pub(super) engine: Mt19937,
    seed: u64,
    /// The second value of a Box-Muller pair, unscaled. Only the serial normal sets and takes it.
    pub(super) pending: Option<f64>,
    /// A pending f32 normal: no fill reads it, but a state that holds one gives it back.
    pending_f32: Option<f32>,
}

impl Default for GeneratorState {
    fn default() -> Self {
        GeneratorState::new(DEFAULT_SEED)
    }
}

impl GeneratorState {
    /// A generator with this seed; see [`manual_seed`](Self::manual_seed).
    pub fn new(seed: u64) -> Self {
        GeneratorState { engine: Mt19937::new(seed as u32), seed, pending: None, pending_f32: None }
    }

    /// Starts the stream of `seed` and forgets a pending normal. A negative seed is its two's complement
    /// (`-1i64 as u64`). Only the low 32 bits choose the stream; all 64 are kept as the initial seed.
    pub fn manual_seed(&mut self, seed: u64) {
        *self = GeneratorState::new(seed);
    }

    /// The seed the stream started from, all 64 bits.
    pub fn initial_seed(&self) -> u64 {
        self.seed
    }

    /// Starts the stream of a seed that nobody can foresee, and returns it.
    pub fn seed(&mut self) -> u64 {
        // Every RandomState has keys of its own that stem from the system's random source.
        let seed = RandomState::new().hash_one(std::time::SystemTime::now());
        self.manual_seed(seed);
        seed
    }

    /// The next 32 bits.
    #[inline]
    pub fn r32(&mut self) -> u32 {
        self.engine.r32()
    }

    /// The next 64 bits (two words, the first is the high one).
    #[inline]
    pub fn r64(&mut self) -> u64 {
        self.engine.r64()
    }

    /// A uniform f32 in \[0, 1) with 24 random bits (one word).
    #[inline]
    pub fn u24(&mut self) -> f32 {
        (self.r32() & 0xff_ffff) as f32 * (1.0 / 16_777_216.0)
    }

    /// A uniform f64 in \[0, 1) with 53 random bits (two words).
    #[inline]
    pub fn u53(&mut self) -> f64 {
        (self.r64() & ((1 << 53) - 1)) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A seed in 0..2^63 for another generator, as samplers and data loaders draw it:
    /// `torch.empty((), dtype=torch.int64).random_()` (two words).
    pub fn draw_seed(&mut self) -> u64 {
        self.r64() & (u64::MAX >> 1)
    }

    /// The 5056 bytes of PyTorch's `get_state()`.
    pub fn get_state(&self) -> [u8; STATE_SIZE] {
        let (words, left, next) = self.engine.position();
        let mut bytes = [0; STATE_SIZE];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(at::SEED, &self.seed.to_le_bytes());
        put(at::LEFT, &left.to_le_bytes());
        put(at::SEEDED, &1i32.to_le_bytes());
        put(at::NEXT, &u64::from(next).to_le_bytes());
        for (i, &word) in words.iter().enumerate() {
            put(at::WORDS + 8 * i, &u64::from(word).to_le_bytes());
        }
        if let Some(normal) = self.pending {
            put(at::PENDING, &normal.to_le_bytes());
            put(at::PENDING_VALID, &1i32.to_le_bytes());
        }
        if let Some(normal) = self.pending_f32 {
            put(at::PENDING_F32, &normal.to_le_bytes());
            put(at::PENDING_F32_VALID, &[1]);
        }
        bytes
    }

    /// Continues from the bytes of [`get_state`](Self::get_state) or of PyTorch's. Nothing changes on an error.
    ///
    /// # Errors
    /// If there are not 5056 bytes, or they hold no state of the engine.
    pub fn set_state(&mut self, state: &[u8]) -> Result<(), StateError> {
        let bytes: &[u8; STATE_SIZE] = state.try_into().map_err(|_| StateError::Size(state.len()))?;
        let int = |at: usize| i32::from_le_bytes(take(bytes, at));
        let words: [u32; WORDS] = std::array::from_fn(|i| u32::from_le_bytes(take(bytes, at::WORDS + 8 * i)));
        let next = u32::from_le_bytes(take(bytes, at::NEXT));
        if int(at::SEEDED) == 0 {
            return Err(StateError::Engine);
        }
        let engine = Mt19937::restore(words, int(at::LEFT), next).ok_or(StateError::Engine)?;
        *self = GeneratorState {
            engine,
            seed: u64::from_le_bytes(take(bytes, at::SEED)),
            pending: (int(at::PENDING_VALID) != 0).then(|| f64::from_le_bytes(take(bytes, at::PENDING))),
            pending_f32: (bytes[at::PENDING_F32_VALID] != 0).then(|| f32::from_le_bytes(take(bytes, at::PENDING_F32))),
        };
        Ok(())
    }
}

fn take<const N: usize>(bytes: &[u8; STATE_SIZE], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}

/// Why bytes are no state of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// This many bytes instead of [`STATE_SIZE`].
    Size(usize),
    /// The engine was never seeded, or its position lies outside the block.
    Engine,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StateError::Size(found) => write!(
                f,
                "Expected a CPUGeneratorImplState of size {STATE_SIZE} but found the input RNG state size to be {found}"
            ),
            StateError::Engine => f.write_str("Invalid mt19937 state"),
        }
    }
}

impl std::error::Error for StateError {}
