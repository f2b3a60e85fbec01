//! Our half of `tools/check_with_pytorch.py`: state dicts of every module and every optimizer of the golden data, to PyTorch and back.

use clap::Parser;
use cresset_testing::conformance::report::{files_in, guarded};
use cresset_testing::conformance::{Outcome, classifier, modules, optim};
use cresset_testing::golden::Container;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes state dicts for PyTorch, or reads those that PyTorch has written.
#[derive(Parser)]
struct Cli {
    /// write: DIR/modules/NAME.CASE.pth, DIR/optim/NAME.CASE.pth and DIR/classifier.pth; read: the same names, written by PyTorch
    #[arg(value_parser = ["write", "read"])]
    direction: String,
    /// The folder with the golden data.
    #[arg(value_name = "GOLDENS")]
    goldens: PathBuf,
    /// The folder of the files.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

type Run = fn(&Container, &Json, &Path) -> Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    std::panic::set_hook(Box::new(|_| {}));
    let writes = cli.direction == "write";
    let kinds: [(&str, Run); 2] = if writes {
        [("modules", modules::write_state), ("optim", optim::write_state)]
    } else {
        [("modules", modules::read_state), ("optim", optim::read_state)]
    };
    let mut failed = 0;
    for (kind, run) in kinds {
        let folder = cli.folder.join(kind);
        if let Err(e) = std::fs::create_dir_all(&folder) {
            eprintln!("{}: {e}", folder.display());
            return ExitCode::from(2);
        }
        let (mut names, mut passed, mut absent, mut failures) = (0, 0, 0, 0);
        for (name, path) in files_in(&cli.goldens.join(kind), ".safetensors") {
            let file = match Container::read(&path) {
                Ok(file) => file,
                Err(e) => {
                    eprintln!("{}: {e}", path.display());
                    return ExitCode::from(2);
                }
            };
            let before = passed;
            for case in &file.cases {
                let saved = folder.join(format!("{name}.{}.pth", case["i"]));
                if !writes && !saved.exists() {
                    absent += 1;
                    continue;
                }
                match guarded(|| run(&file, case, &saved)) {
                    Outcome::Passed => passed += 1,
                    Outcome::Unsupported(_) => absent += 1,
                    Outcome::Failed(why) => {
                        failures += 1;
                        println!("{kind} {name} case {}: {why}", case["i"]);
                    }
                }
            }
            names += usize::from(passed > before);
        }
        println!(
            "{} {kind}: {passed} cases of {names} {kind} done, {failures} failed, {absent} not there",
            cli.direction
        );
        failed += failures;
    }
    let whole = cli.folder.join(classifier::FILE);
    match guarded(|| if writes { classifier::write(&whole) } else { classifier::read(&whole) }) {
        Outcome::Passed => println!("{} the chapter's classifier: done", cli.direction),
        Outcome::Failed(why) | Outcome::Unsupported(why) => {
            println!("{} the chapter's classifier: {why}", cli.direction);
            failed += 1;
        }
    }
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
