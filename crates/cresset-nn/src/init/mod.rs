//! Initial values (`torch.nn.init`): functions that fill a tensor in place, drawing the numbers that PyTorch draws from the same seed.
//!
//! They record no history, so they may be used on parameters. Numbers come from the default generator; `Generator::with_default` makes another
//! one the default for a while.
//!
//! ```
//! use cresset_nn::{init, Parameter};
//! use cresset_tensor::{manual_seed, Tensor};
//! manual_seed(0);
//! let weight = Parameter::new(Tensor::zeros([3, 5]));
//! init::xavier_uniform_(&weight, 1.0);
//! assert!(weight.to_vec::<f32>().iter().all(|w| w.abs() <= (6.0f32 / 8.0).sqrt()));
//! ```

mod fill;
mod matrices;
mod scaled;
mod trunc_normal;

pub use fill::{constant_, normal_, ones_, uniform_, zeros_};
pub use matrices::{dirac_, eye_, orthogonal_, sparse_};
pub use scaled::{
    FanMode, KaimingOptions, Nonlinearity, calculate_fan_in_and_fan_out, calculate_gain, kaiming_normal_,
    kaiming_uniform_, xavier_normal_, xavier_uniform_,
};
pub use trunc_normal::trunc_normal_;

pub(crate) use fill::overwrite;
