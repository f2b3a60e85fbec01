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
mod gather;
pub mod index;
pub(crate) mod join;
pub(crate) mod linear;
pub(crate) mod loss;
mod mask;
mod matmul;
pub(crate) mod matrix;
pub(crate) mod norm;
mod number;
pub(crate) mod pad;
pub mod pointwise;
pub(crate) mod pool;
pub(crate) mod qr;
mod rearrange;
pub(crate) mod reduce;
mod search;
pub(crate) mod softmax;
mod triangle;
pub(crate) mod triangular;
pub(crate) mod unfold;
pub mod value;
pub(crate) mod view;
