//! What goes wrong with data: one sentence, and the sample where it happened.

use std::fmt;

/// A fault of the data: a file that is not what it should be, a sample that cannot be made.
///
/// ```
/// use cresset_data::Error;
/// let e = Error::new("the picture is empty").at_sample(17);
/// assert_eq!(e.to_string(), "sample 17: the picture is empty");
/// assert_eq!(e.sample(), Some(17));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    sample: Option<usize>,
}

impl Error {
    /// An error with a sentence. A data set of your own turns its errors into this one: `map_err(|e| Error::new(e.to_string()))`.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), sample: None }
    }
    /// The same error, of the sample with this index in the data set that was asked.
    pub fn at_sample(mut self, index: usize) -> Error {
        self.sample = Some(index);
        self
    }
    /// The index of the sample that could not be made, if it was one sample.
    pub fn sample(&self) -> Option<usize> {
        self.sample
    }
    /// The sentence, without the sample.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(index) = self.sample {
            write!(f, "sample {index}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<cresset_tensor::Error> for Error {
    fn from(e: cresset_tensor::Error) -> Error {
        Error::new(format!("{}: {}", e.op(), e.message()))
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Error {
        Error::new(e.to_string())
    }
}
