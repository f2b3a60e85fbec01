//! From one dtype to another.

use super::closures::map1;
use super::element::{Element, Number};
use super::{In, Out};

/// `out = x` in another dtype (`tensor.to(dtype)`). Floats become integers by dropping the fraction, integers too large wrap,
/// f64 becomes f16 and bf16 by way of f32, anything but zero is true.
pub fn cast<A: Element, R: Element>(shape: &[usize], x: In<A>, out: Out<R>) {
    map1(shape, |a| R::Block::of(a), x, out);
}
