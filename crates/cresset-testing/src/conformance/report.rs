//! Running all files of a kind, counting, and printing.

use super::args::Stop;
use crate::golden::Container;
use cresset_tensor::{Error, Generator, attempt};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How one case ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// As in PyTorch.
    Passed,
    /// Not as in PyTorch: what differs.
    Failed(String),
    /// cresset does not have it.
    Unsupported(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(r: Result<(), String>) -> Outcome {
        match r {
            Ok(()) => Outcome::Passed,
            Err(e) => Outcome::Failed(e),
        }
    }
}
impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::Unsupported(what) => Outcome::Unsupported(what),
            Stop::Inexpressible(what) => Outcome::Unsupported(format!("cannot be expressed: {what}")),
        }
    }
}

/// What to run.
pub struct Options {
    /// The folder with the golden data.
    pub goldens: PathBuf,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only files or cases whose name contains this.
    pub filter: Option<String>,
    /// Print the names of what is unsupported.
    pub list_unsupported: bool,
}

/// The counts.
#[derive(Default)]
pub struct Report {
    kinds: BTreeMap<&'static str, [usize; 3]>,
    unsupported: BTreeMap<String, BTreeMap<String, usize>>,
    /// A line for each failure.
    pub failures: Vec<String>,
    quiet: bool,
}

impl Report {
    /// A report that prints no failures as they come.
    pub fn quiet() -> Report {
        Report { quiet: true, ..Report::default() }
    }
    /// Counts a case; prints a failure.
    pub fn add(&mut self, kind: &'static str, file: &str, case: impl std::fmt::Display, outcome: Outcome) {
        let counts = self.kinds.entry(kind).or_default();
        match outcome {
            Outcome::Passed => counts[0] += 1,
            Outcome::Failed(why) => {
                counts[1] += 1;
                let line = format!("FAILED {kind}/{file} case {case}: {why}");
                if !self.quiet {
                    println!("{line}");
                }
                self.failures.push(line);
            }
            Outcome::Unsupported(why) => {
                counts[2] += 1;
                *self.unsupported.entry(format!("{kind}/{file}")).or_default().entry(why).or_default() += 1;
            }
        }
    }
    /// Passed, failed and unsupported over all kinds.
    pub fn totals(&self) -> [usize; 3] {
        self.kinds.values().fold([0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]])
    }
    /// Prints the table and the last line.
    pub fn print(&self, list_unsupported: bool) {
        if list_unsupported {
            for (file, reasons) in &self.unsupported {
                for (reason, n) in reasons {
                    println!("unsupported {file}: {n} x {reason}");
                }
            }
        }
        println!("{:<10} {:>8} {:>8} {:>12}", "kind", "passed", "failed", "unsupported");
        for (kind, [p, f, u]) in &self.kinds {
            println!("{kind:<10} {p:>8} {f:>8} {u:>12}");
        }
        let [p, f, u] = self.totals();
        println!("{p} passed, {f} failed, {u} unsupported");
    }
}

/// Runs one case behind the error door: what it raises becomes a failure.
pub fn guarded(case: impl FnOnce() -> Outcome) -> Outcome {
    match attempt(case) {
        Ok(outcome) => outcome,
        Err(e) => Outcome::Failed(format!("raised {e}")),
    }
}

/// Is it an ordinary refusal, and not an accident such as an index out of bounds?
pub fn is_refusal(error: &Error) -> Result<(), String> {
    if error.op() == "panic" {
        Err(format!("an ordinary panic instead of a refusal: {}", error.message()))
    } else {
        Ok(())
    }
}

/// The golden files of a folder by name, without extension.
pub fn files_in(folder: &Path, extension: &str) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| {
            let name = e.file_name().to_string_lossy().strip_suffix(extension)?.to_string();
            Some((name, e.path()))
        })
        .collect();
    found.sort();
    found
}

type CaseRunner = fn(&Container, &Json) -> Outcome;
type Rows = Vec<(String, Outcome)>;

/// The kinds whose files are containers of cases.
const KINDS: [(&str, CaseRunner); 6] = [
    ("ops", super::op_cases::run_case),
    ("errors", super::errors::run_case),
    ("modules", super::modules::run_case),
    ("optim", super::optim::run_case),
    ("init", super::init::run_case),
    ("rng", super::rng::run_case),
];

/// Runs what the options ask for, with a random generator of its own: runs on other threads do not disturb it.
pub fn run(options: &Options, report: &mut Report) {
    Generator::with_default(Generator::new(), || run_kinds(options, report));
}

fn run_kinds(options: &Options, report: &mut Report) {
    let wanted = |kind: &str| options.kind.as_deref().is_none_or(|k| k == kind);
    let matches = |name: &str| options.filter.as_deref().is_none_or(|f| name.contains(f));
    let saved = options.goldens.join("files");
    if wanted("files") && saved.join("index.json").exists() {
        let rows = std::fs::read(saved.join("index.json")).map_err(|e| e.to_string());
        let rows = rows.and_then(|text| serde_json::from_slice(&text).map_err(|e| e.to_string()));
        match rows {
            Ok(json) => super::files::index(&json, &saved, &matches)
                .into_iter()
                .for_each(|(name, outcome)| report.add("files", &name, "-", outcome)),
            Err(e) => report.add("files", "index", "-", Outcome::Failed(e)),
        }
    }
    for (kind, case_runner) in KINDS {
        if !wanted(kind) {
            continue;
        }
        for (name, path) in files_in(&options.goldens.join(kind), ".safetensors") {
            if !matches(&name) {
                continue;
            }
            let file = match Container::read(&path) {
                Ok(f) => f,
                Err(e) => {
                    report.add(kind, &name, "-", Outcome::Failed(e));
                    continue;
                }
            };
            for case in &file.cases {
                report.add(kind, &name, &case["i"], guarded(|| case_runner(&file, case)));
            }
        }
    }
    let mut table = |kind: &'static str, name: &str, rows: &dyn Fn(&Json) -> Rows| {
        let path = options.goldens.join(kind).join(format!("{name}.json"));
        if !wanted(kind) || !matches(name) || !path.exists() {
            return;
        }
        match read_json(&path) {
            Ok(json) => rows(&json).into_iter().for_each(|(case, outcome)| report.add(kind, name, case, outcome)),
            Err(e) => report.add(kind, name, "-", Outcome::Failed(e)),
        }
    };
    table("init", "tables", &super::init::tables);
    table("optim", "schedulers", &super::optim::schedulers);
    table("api", "promotion", &super::api::promotion);
    table("api", "reprs", &super::api::reprs);
    table(
        "api",
        "tensor_print",
        &|json| match Container::read(&options.goldens.join("api/tensor_print.safetensors")) {
            Ok(numbers) => super::api::tensor_print(json, &numbers),
            Err(e) => vec![("-".into(), Outcome::Failed(e))],
        },
    );
}

fn read_json(path: &Path) -> Result<Json, String> {
    let text = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
}
