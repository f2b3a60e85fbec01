//! Pointwise work on whole tensors: contiguous, broadcast or strided, in every dtype.
//!
//! A tensor comes as a slice that begins at its first element, with strides in elements ([`In`], [`Out`]); all tensors of a call
//! have one shape, and broadcasting is a stride of 0. Bounds are asserted once per call. f16 and bf16 are widened to f32,
//! computed, and rounded once. Above 32,768 elements the work is cut in pieces for the threads, by size alone.

mod block;
mod cast;
mod chain;
mod closures;
mod constants;
mod copy;
mod drive;
mod element;
mod erased;
mod float;
pub mod fused;
mod gather;
mod matrix;
mod text;
mod vectors;

#[doc(hidden)]
pub use block::Steps;
pub use block::{Ask, One, Two};
pub use cast::cast;
pub use closures::{map1, map1_, map2, map2_, map3};
pub use copy::{copy, fill, side_by_side};
pub use element::{Element, Float, Number};
pub use erased::{BytesIn, BytesOut, FloatKind, Function, Input, Part};
#[doc(hidden)]
pub use float::Body;
pub use float::{
    Saved, binary, binary_, binary_grad_a, binary_grad_b, ternary, ternary_grad_a, ternary_grad_b, ternary_grad_c,
    unary, unary_, unary_grad,
};

use crate::strided::{extent, is_contiguous, is_injective};
use drive::Operand;

/// A tensor to read: its elements from the first on, and its strides.
pub type In<'a, T> = (&'a [T], &'a [usize]);
/// A tensor to write: its elements from the first on, and its strides. No two of its elements may be the same.
pub type Out<'a, T> = (&'a mut [T], &'a [usize]);

/// Checks an input and strips its type.
///
/// # Panics
/// If the slice is too short for the shape, or the strides are not one for each dimension.
#[inline]
fn input<'a, T: Element>(shape: &[usize], (data, strides): In<'a, T>) -> Operand<'a> {
    assert!(strides.len() == shape.len(), "{} strides for {} dimensions", strides.len(), shape.len());
    assert!(extent(shape, strides) <= data.len(), "the strides reach beyond the data");
    let ptr = data.as_ptr().cast_mut().cast();
    Operand { ptr, strides, size: size_of::<T>(), wide: size_of::<T::Block>(), convert: T::LOAD }
}

/// The same for an output.
///
/// # Panics
/// Also if elements overlap.
#[inline]
fn output<'a, T: Element>(shape: &[usize], (data, strides): Out<'a, T>) -> Operand<'a> {
    assert!(strides.len() == shape.len(), "{} strides for {} dimensions", strides.len(), shape.len());
    assert!(extent(shape, strides) <= data.len(), "the strides reach beyond the data");
    assert!(is_contiguous(shape, strides) || is_injective(shape, strides), "elements of the output overlap");
    let ptr = data.as_mut_ptr().cast();
    Operand { ptr, strides, size: size_of::<T>(), wide: size_of::<T::Block>(), convert: T::STORE }
}
