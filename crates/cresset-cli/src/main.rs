//! The cresset program.

use std::process::ExitCode;

fn main() -> ExitCode {
    cresset_cli::main()
}
