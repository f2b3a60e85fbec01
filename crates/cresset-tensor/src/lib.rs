//! Tensors with define-by-run autograd: dtypes, shapes, views, operations, gradients, random numbers, printing.
//!
//! A [`Tensor`] is a cheap handle; dtype, device and shape are values. A mistake in the program panics with PyTorch's sentence, and
//! [`attempt`] turns it into an [`Error`].

// Without the feature the rows of the table of ops stand idle; with it, as in the workspace's own checks, everything unused is reported.
#![cfg_attr(not(feature = "samples"), allow(dead_code, unused_imports))]

pub mod array;
pub mod autograd;
pub mod cost;
pub mod create;
pub mod device;
pub mod dims;
pub mod dtype;
pub mod error;
pub mod expr;
pub mod functional;
mod kernels;
pub mod limits;
pub mod linalg;
pub mod named;
pub mod op;
pub mod ops;
pub mod print;
mod python;
pub mod random;
pub mod record;
pub mod saved;
pub mod storage;
pub mod tensor;
pub mod trace;
mod update;
mod watch;

pub use array::{Array, Meta};
pub use autograd::{
    Backward, checkpoint, detect_anomaly, enable_grad, inference_mode, is_grad_enabled, no_grad, no_grad_guard,
    set_grad_enabled,
};
/// How many threads compute (`torch.get_num_threads`, `torch.set_num_threads`).
pub use cresset_kernels::threads::{num_threads as get_num_threads, set_num_threads};
pub use device::Device;
pub use dims::Dims;
pub use dtype::{DType, Element, Scalar};
pub use error::{Error, attempt};
pub use half::{bf16, f16};
pub use limits::{FloatInfo, IntInfo, finfo, iinfo};
pub use named::StateDict;
pub use op::Op;
pub use ops::contract::{kron, tensordot, tensordot_dims};
pub use ops::duplicate::MemoryFormat;
pub use ops::einsum::einsum;
pub use ops::index::{Ellipsis, Index, Indices, NewAxis, s};
pub use ops::join::{
    block_diag, broadcast_tensors, cartesian_prod, cat, column_stack, dstack, hstack, meshgrid, meshgrid_xy, stack,
    vstack,
};
pub use ops::pad::Pad;
pub use ops::pointwise::Operand;
pub use ops::pointwise::activation::Approximate;
pub use ops::pointwise::arith::RoundingMode;
pub use ops::pointwise::clamp::Bound;
pub use ops::pointwise::ternary::{Choice, where_};
pub use ops::reduce::{Correction, Interpolation, Unique};
pub use ops::value::Value;
pub use print::{PrintOptions, get_printoptions, set_printoptions};
pub use python::Py;
pub use random::{Generator, fork_rng, get_rng_state, manual_seed, set_rng_state};
pub use saved::{OptimizerState, StateValue};
pub use tensor::{HookHandle, Tensor, WeakTensor};
pub use update::{Held, Update};
