//! cresset's side of the speed comparison.
fn main() {}
