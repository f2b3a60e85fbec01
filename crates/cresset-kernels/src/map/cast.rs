//! From one dtype to another.

use super::closures::map1;
use super::drive::{Convert, INPUTS, Operand, drive};
use super::element::{Element, Number};
use super::{In, Out, input, output};
use std::any::TypeId;

/// `out = x` in another dtype (`tensor.to(dtype)`). Floats become integers by dropping the fraction, integers too large wrap,
/// f64 becomes f16 and bf16 by way of f32, anything but zero is true.
pub fn cast<A: Element, R: Element>(shape: &[usize], x: In<A>, out: Out<R>) {
    if TypeId::of::<A::Block>() == TypeId::of::<R::Block>() {
        // Between half precision and f32 the conversion into or out of a block is the whole work.
        match (A::LOAD, R::STORE) {
            (Some(convert), None) | (None, Some(convert)) => return direct(shape, x, out, convert),
            _ => {}
        }
    }
    map1(shape, R::Block::of, x, out);
}

fn direct<A: Element, R: Element>(shape: &[usize], x: In<A>, out: Out<R>, convert: Convert) {
    let x = Operand { wide: size_of::<A>(), convert: None, ..input(shape, x) };
    let out = Operand { wide: size_of::<R>(), convert: None, ..output(shape, out) };
    // SAFETY: `convert` is from A's bytes to R's, and touches the n elements that it is given.
    let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| unsafe { convert(ins[0], out, n) };
    // SAFETY: checked by `input` and `output`; the borrows keep them apart.
    unsafe { drive(shape, out, &[x], &block) };
}
