//! How a command ends when it does not end well.

use std::fmt;

/// One sentence for stderr, and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    code: u8,
}

/// What commands return.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Wrong options, missing or broken files: exit code 2.
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure { sentence: sentence.into(), code: 2 }
    }
    /// Stopped by Ctrl-C: exit code 130.
    pub fn interrupted(sentence: impl Into<String>) -> Failure {
        Failure { sentence: sentence.into(), code: 130 }
    }
    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
    /// The same, with what was being done.
    pub fn while_(self, doing: impl fmt::Display) -> Failure {
        Failure { sentence: format!("{doing}: {}", self.sentence), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // Sentences of the library may have several lines (all wrong keys of a state dict); here they are one.
        let lines: Vec<&str> = self.sentence.split('\n').map(str::trim).filter(|l| !l.is_empty()).collect();
        // Names come from files: none of their characters moves the cursor or colours the terminal.
        let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
        f.write_str(&lines.join(" ").chars().map(shown).collect::<String>())
    }
}

impl From<cresset::Error> for Failure {
    fn from(e: cresset::Error) -> Failure {
        // Without the line of the source, which means nothing to whoever typed the command.
        let place = e.module_path().map_or_else(String::new, |path| format!(", in {path}"));
        Failure::new(format!("{}: {}{place}", e.op(), e.message()))
    }
}
impl From<cresset::io::Error> for Failure {
    fn from(e: cresset::io::Error) -> Failure {
        Failure::new(e.to_string())
    }
}
impl From<cresset::data::Error> for Failure {
    fn from(e: cresset::data::Error) -> Failure {
        Failure::new(e.to_string())
    }
}
impl From<cresset_viz::Error> for Failure {
    fn from(e: cresset_viz::Error) -> Failure {
        Failure::new(e.to_string())
    }
}
