//! Times workloads and prints a line of JSON for each.

use clap::Parser;
use cresset::{get_num_threads, set_num_threads};
use cresset_bench::measure::{CHECKED_STEPS, checksum, peak_mb, time};
use cresset_bench::report::{check_line, timing_line};
use cresset_bench::{Setup, Workload, workloads};
use regex_lite::Regex;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Times cresset's workloads; prints a line of JSON for each: {"name", "threads", "median_us", "min_us", "runs"}, and "peak_mb"
/// where the peak of resident memory is of interest.
#[derive(Parser)]
struct Arguments {
    /// How many threads compute [default: all processors]
    #[arg(long)]
    threads: Option<usize>,
    /// How long each workload is repeated
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Only workloads whose name has a match of this regular expression
    #[arg(long, default_value = "")]
    filter: Regex,
    /// Print the names of the workloads only
    #[arg(long)]
    list: bool,
    /// Print a number for what each workload computes, instead of timing it
    #[arg(long)]
    check: bool,
    /// The folder with the files of MNIST, for mnist_epoch
    #[arg(long, value_name = "DIR")]
    mnist_dir: Option<PathBuf>,
    /// Start no processes for the workloads whose peak of memory is of interest
    #[arg(long, hide = true)]
    here: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !(arguments.seconds >= 0.0 && arguments.seconds.is_finite()) {
        eprintln!("--seconds: expected a number from 0 on, got {}", arguments.seconds);
        return ExitCode::from(2);
    }
    if let Some(threads) = arguments.threads {
        set_num_threads(threads);
    }
    let mut failed = false;
    for workload in workloads().iter().filter(|w| arguments.filter.is_match(&w.name)) {
        if arguments.list {
            println!("{}", workload.name);
        } else if workload.peak && !arguments.here && !arguments.check {
            failed |= !run_alone(workload, &arguments);
        } else if let Err(why) = run(workload, &arguments) {
            eprintln!("{}: skipped: {why}", workload.name);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(workload: &Workload, arguments: &Arguments) -> Result<(), String> {
    let setup = Setup { mnist_dir: arguments.mnist_dir.clone(), check: arguments.check };
    let mut step = workload.prepare(&setup)?;
    let (name, threads) = (&workload.name, get_num_threads());
    if arguments.check {
        let last = (0..CHECKED_STEPS).map(|_| step()).last().expect("some steps are checked");
        println!("{}", check_line(name, threads, checksum(&last)));
    } else {
        let timing = time(&mut step, arguments.seconds);
        println!("{}", timing_line(name, threads, timing, workload.peak.then(peak_mb).flatten()));
    }
    Ok(())
}

/// Runs a workload in a process of its own, whose peak of memory is the workload's.
fn run_alone(workload: &Workload, arguments: &Arguments) -> bool {
    let me = std::env::current_exe().unwrap_or_else(|_| "cresset-bench".into());
    let mut child = Command::new(me);
    child.args(["--here", "--filter", &format!("^{}$", workload.name), "--seconds", &arguments.seconds.to_string()]);
    if let Some(threads) = arguments.threads {
        child.args(["--threads", &threads.to_string()]);
    }
    if let Some(dir) = &arguments.mnist_dir {
        child.arg("--mnist-dir").arg(dir);
    }
    match child.status() {
        Ok(status) => status.success(),
        Err(e) => {
            eprintln!("{}: cannot start a process for it: {e}", workload.name);
            false
        }
    }
}
