//! The cresset program.
fn main() {}
