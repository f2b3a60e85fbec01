//! The inside of the cresset program: `train`, `eval`, `profile`, `inspect` and `convert`. The library to build upon is `cresset`; this one is there so that
//! the program is two lines and the reader of config files can be tested with any bytes.

mod args;
mod checkpoint;
mod config;
mod convert;
mod criterion;
mod data;
mod early_stopping;
mod evaluate;
mod failure;
mod inspect;
mod kept;
mod model;
mod optimize;
mod profile;
mod progress;
mod report;
mod run;
mod train;

use args::{Cli, Command};
use config::NotParsed;
use failure::{Failure, Result};
use std::io::Write;
use std::process::ExitCode;

/// The program: does what the command line says.
pub fn main() -> ExitCode {
    let cli = match Cli::from_command_line(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(NotParsed::Refused(e)) => {
            eprintln!("{e}");
            return ExitCode::from(e.code());
        }
        Err(NotParsed::Clap(e))
            if e.use_stderr() && e.kind() != clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            eprintln!("{}", config::first_paragraph(&e));
            return ExitCode::from(2);
        }
        // Help and version.
        Err(NotParsed::Clap(e)) => e.exit(),
    };
    // Whatever the library refuses comes back here as one sentence.
    let done = cresset::attempt(|| match cli.command {
        Command::Train(args) => train::train(&args),
        Command::Eval(args) => evaluate::eval(&args),
        Command::Profile(args) => profile::profile(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Convert(args) => convert::convert(&args),
    });
    match done.unwrap_or_else(|e| Err(Failure::from(e))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(e.code())
        }
    }
}

/// What `cresset train --config` takes from the bytes of a file: options as on a command line.
///
/// # Errors
/// The sentence that refuses the file.
pub fn read_config(bytes: Vec<u8>) -> std::result::Result<Vec<std::ffi::OsString>, String> {
    let settings = config::parse(bytes, std::path::Path::new("config.toml")).map_err(|e| e.to_string())?;
    Ok(settings.into_iter().map(|(_, argument)| argument).collect())
}

/// Writes to stdout. That nobody reads it (`cresset inspect ... | head`) is no failure.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(format!("stdout: {e}"))),
        _ => Ok(()),
    }
}
