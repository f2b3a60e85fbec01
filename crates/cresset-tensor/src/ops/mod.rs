//! The ops: one file for each or for a small family, with all the library knows of it; [`table`] lists them for the generic tests.

pub mod table;

mod addmm;
mod batched;
pub(crate) mod contract;
pub(crate) mod conv;
pub(crate) mod drawn;
pub(crate) mod dropout;
mod dtype;
mod duplicate;
pub(crate) mod einsum;
pub(crate) mod embedding;
mod expand;
mod fill;
pub mod index;
pub(crate) mod join;
pub(crate) mod linear;
pub(crate) mod loss;
mod matmul;
pub(crate) mod matrix;
pub(crate) mod norm;
mod number;
pub mod pointwise;
pub(crate) mod pool;
pub(crate) mod qr;
pub(crate) mod reduce;
mod search;
pub(crate) mod softmax;
pub(crate) mod triangular;
pub(crate) mod unfold;
pub mod value;
pub(crate) mod view;
