//! The program in a folder of its own.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of its own for a test, gone at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("cresset_program_{name}_{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    pub fn run(&self, args: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cresset"));
        command.args(args.split_whitespace()).current_dir(&self.0).output().unwrap()
    }
    /// Stdout of a run that succeeds.
    pub fn ok(&self, args: &str) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "cresset {args}: {}", text(&output.stderr));
        text(&output.stdout)
    }
    /// The one line on stderr of a run that is refused.
    pub fn refused(&self, args: &str) -> String {
        let output = self.run(args);
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "cresset {args}: {line}");
        assert_eq!(line.trim_end().lines().count(), 1, "cresset {args}: {line}");
        line
    }
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), contents).unwrap();
    }
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match fs::read_dir(self.0.join(folder)) {
            Ok(all) => all.map(|e| e.unwrap().file_name().into_string().unwrap()).collect(),
            Err(_) => Vec::new(),
        };
        names.sort();
        names
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number in the last line, which must be `test accuracy: 0.9xxx`.
pub fn accuracy(stdout: &str) -> f64 {
    let last = stdout.lines().last().unwrap_or_default();
    let number = last.strip_prefix("test accuracy: ").unwrap_or_else(|| panic!("the last line is {last:?}"));
    assert_eq!(number.len(), 6, "{number}");
    number.parse().unwrap()
}
