//! Sizes for each dimension, given as one number or one for each.

use crate::repr::tuple;
use cresset_tensor::Dims;
use cresset_tensor::error::fail;

/// One number for each of `nd` dimensions.
#[track_caller]
pub(super) fn spread(layer: &str, what: &str, sizes: Dims, nd: usize) -> Dims {
    match sizes.len() {
        1 => Dims::filled(nd, sizes[0]),
        n if n == nd => sizes,
        n => fail(
            layer,
            format!("expected {what} to be a single integer value or a list of {nd} values, but got {n} values"),
        ),
    }
}

/// `, name=(1, 2)`, unless all are `usual`.
pub(super) fn sizes_text(name: &str, sizes: &Dims, usual: usize) -> String {
    if sizes.iter().all(|s| *s == usual) { String::new() } else { format!(", {name}={}", tuple(sizes)) }
}

/// `2` for one number for all dimensions, `(1, 2)` for one for each.
pub(super) fn sizes(sizes: &Dims) -> String {
    match sizes[..] {
        [one] => one.to_string(),
        _ => tuple(sizes),
    }
}
