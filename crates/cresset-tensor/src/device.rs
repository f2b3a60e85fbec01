//! Where numbers live. One place today; a value, so that others can come.

use std::fmt;

/// The device of a tensor (`torch.device`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Device {
    /// The processor's own memory.
    #[default]
    Cpu,
}
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("cpu")
    }
}
