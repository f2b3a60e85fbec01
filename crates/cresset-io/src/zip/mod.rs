//! Zip archives: records that are stored or deflated, with their checksums, to any size.

mod read;
mod write;

pub(crate) use read::{Archive, Record};
pub(crate) use write::Writer;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
/// A field that is too small says that the number is elsewhere.
const MAX32: u32 = u32::MAX;
