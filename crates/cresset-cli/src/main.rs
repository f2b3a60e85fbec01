//! The cresset program: `train`, `eval` and `inspect`.

mod args;
mod checkpoint;
mod data;
mod evaluate;
mod failure;
mod inspect;
mod model;
mod optimize;
mod progress;
mod report;
mod run;
mod train;

use args::{Cli, Command};
use clap::Parser;
use failure::{Failure, Result};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() && e.kind() != clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            eprintln!("{}", first_paragraph(&e.render().to_string()));
            return ExitCode::from(2);
        }
        // Help and version.
        Err(e) => e.exit(),
    };
    // Whatever the library refuses comes back here as one sentence.
    let done = cresset::attempt(|| match cli.command {
        Command::Train(args) => train::train(&args),
        Command::Eval(args) => evaluate::eval(&args),
        Command::Inspect(args) => inspect::inspect(&args),
    });
    match done.unwrap_or_else(|e| Err(Failure::from(e))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(e.code())
        }
    }
}

/// What went wrong, without the usage that clap adds.
fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|l| !l.is_empty()).collect();
    lines.join(" ")
}

/// Writes to stdout. That nobody reads it (`cresset inspect ... | head`) is no failure.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}
