//! What can go wrong with a figure: files. A mistake in the program (x and y of different lengths, an unknown colour) panics.

use std::fmt;
use std::path::{Path, PathBuf};

/// A figure could not be written, or a font could not be read. Its text is one sentence that names the file.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    what: String,
    source: Option<std::io::Error>,
}

impl Error {
    pub(crate) fn new(path: &Path, what: impl Into<String>) -> Error {
        Error { path: path.to_owned(), what: what.into(), source: None }
    }

    pub(crate) fn io(path: &Path, what: impl Into<String>, source: std::io::Error) -> Error {
        Error { path: path.to_owned(), what: what.into(), source: Some(source) }
    }

    /// The file the error is about.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as _)
    }
}
