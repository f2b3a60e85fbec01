//! What can go wrong with a file, in one sentence.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Why a file could not be read or written, or why a value is not what was asked for: one sentence that names the file, the place in it and
/// what was expected.
#[derive(Clone, Debug)]
pub struct Error {
    message: String,
    source: Option<Arc<std::io::Error>>,
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with this sentence.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), source: None }
    }
    /// A refusal of the operating system, while `doing` something.
    pub fn io(doing: impl fmt::Display, e: std::io::Error) -> Error {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file or folder".to_string(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            std::io::ErrorKind::StorageFull => "the disk is full".to_string(),
            std::io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_string(),
            _ => e.to_string(),
        };
        Error { message: format!("{doing}: {why}"), source: Some(Arc::new(e)) }
    }
    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// Is it that there is no such file (`FileNotFoundError`)?
    pub fn is_not_found(&self) -> bool {
        self.source.as_ref().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound)
    }
    /// The operating system's error behind it, if there is one.
    pub fn io_error(&self) -> Option<&std::io::Error> {
        self.source.as_deref()
    }
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Error {
        self.message = format!("{place}: {}", self.message);
        self
    }
    pub(crate) fn in_file(self, path: &Path) -> Error {
        self.within(path.display())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Error {
        let message = e.to_string();
        Error { message, source: Some(Arc::new(e)) }
    }
}
/// What a module or an optimizer says of a state that it refuses.
impl From<cresset_tensor::Error> for Error {
    fn from(e: cresset_tensor::Error) -> Error {
        let place = e.module_path().map_or_else(String::new, |path| format!(", in {path}"));
        Error { message: format!("{}: {}{place}", e.op(), e.message()), source: None }
    }
}

/// Returns from the function with an error of a formatted sentence.
macro_rules! bail {
    ($($t:tt)*) => { return Err($crate::error::Error::new(format!($($t)*))) };
}
pub(crate) use bail;
