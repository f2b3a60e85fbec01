//! The layers of `torch.nn`: each a constructor, `reset_parameters`, `forward` and `extra_repr`.

mod linear;

pub use linear::{Linear, LinearOptions};
