//! PyTorch's random streams on a CPU: one serial MT19937 per generator, and the fills that turn its words into numbers.
//!
//! After `manual_seed(s)` every fill gives the numbers of PyTorch 2.15 on x86-64 with AVX2, bit for bit, on every
//! processor and with any number of threads: nothing here draws in parallel. What stays with the system's mathematical
//! library (`log`, `log1p`, `sin`, `cos`, `exp`, `tan` in f64) equals PyTorch where that library is the GNU one.
//!
//! A fill writes its slice from front to back; who fills a strided tensor hands over its elements in memory order.
//! Arguments are checked by the caller. An empty slice draws nothing.
//!
//! ```
//! use cresset_kernels::rng::GeneratorState;
//! let mut generator = GeneratorState::new(0);
//! let mut x = [0f32; 2];
//! generator.uniform(&mut x, 0.0, 1.0);
//! assert_eq!(x, [0.496_256_59, 0.768_221_8]);
//! ```

mod bernoulli;
mod box_muller;
mod continuous;
mod dropout;
mod fused;
mod generator;
mod integers;
mod mt19937;
mod multinomial;
mod normal;
mod number;
mod topk;
mod uniform;

pub use dropout::{AlphaDropout, dropout_backward, dropout_scale};
pub use generator::{DEFAULT_SEED, GeneratorState, STATE_SIZE, StateError};
pub use integers::Integers;
pub use mt19937::Mt19937;
pub use multinomial::multinomial_from_exponentials;
pub use number::{Float, Number};
pub use topk::topk_descending;
