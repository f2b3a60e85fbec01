//! How files are loaded.

/// How a file is loaded: [`load_with`](crate::load_with), [`safetensors::load_with`](crate::safetensors::load_with).
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::{LoadOptions, load_with, save};
/// use cresset_tensor::{StateDict, Tensor};
/// let path = std::env::temp_dir().join("cresset_load_options_example.pth");
/// let state: StateDict = [("weight", Tensor::ones([1000, 1000]))].into_iter().collect();
/// save(state, &path)?;
/// let weight = load_with(&path, LoadOptions { mmap: true })?.state_dict()?["weight"].clone();
/// weight.zero_(); // in this process only: the file stays
/// assert_eq!(cresset_io::load(&path)?.state_dict()?["weight"].sum().item::<f32>(), 1e6);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Leave the numbers in the file, and let the tensors lie in its pages (`torch.load(path, mmap=True)`). Loading then takes no time and no memory
    /// for them; a page is read when a number of it is used for the first time, and copied when one is written. What is written stays in this
    /// process: the file does not change.
    ///
    /// In return the file must stay as it is while a tensor lives. One that is replaced, as [`save`](crate::save) does it, or removed does no harm:
    /// its pages stay. But if another program writes *into* it, numbers may change under the tensors, and if it is shortened, using a number that
    /// is gone ends the process (SIGBUS). Checksums are not checked, since that would read everything.
    ///
    /// Copied all the same are numbers that are compressed, of the other byte order or not aligned for their dtype, and files below 1 MiB.
    pub mmap: bool,
}
