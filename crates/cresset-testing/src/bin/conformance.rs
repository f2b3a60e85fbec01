//! Runs golden cases recorded from PyTorch against cresset and counts what agrees.

use clap::Parser;
use cresset_testing::conformance::{Options, Report, run};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs golden cases recorded from PyTorch against cresset. Prints a line for each failure, a table, and the totals.
#[derive(Parser)]
struct Cli {
    /// The folder with the golden data.
    #[arg(long, value_name = "DIR")]
    goldens: PathBuf,
    /// Only one kind: ops, errors, modules, optim, init, rng, files or api.
    #[arg(long, value_parser = ["ops", "errors", "modules", "optim", "init", "rng", "files", "api"])]
    kind: Option<String>,
    /// Only files whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Also list what is unsupported, and why.
    #[arg(long)]
    list_unsupported: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if !cli.goldens.is_dir() {
        eprintln!("{} is no folder", cli.goldens.display());
        return ExitCode::from(2);
    }
    // Panics are caught and reported as failures, with their message; their own text would only stand between the lines.
    std::panic::set_hook(Box::new(|_| {}));
    let options =
        Options { goldens: cli.goldens, kind: cli.kind, filter: cli.filter, list_unsupported: cli.list_unsupported };
    let mut report = Report::default();
    run(&options, &mut report);
    report.print(options.list_unsupported);
    if report.totals()[1] > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
