//! `cresset profile`: where the time of training goes.

use crate::args::{DataName, Profile as Args};
use crate::checkpoint::Options;
use crate::data;
use crate::failure::{Failure, Result};
use crate::kept;
use crate::report::Measure;
use crate::run::RunFolder;
use crate::say;
use crate::train::Session;
use cresset::prelude::*;
use cresset::profiler::{Kind, Rows};
use cresset::set_num_threads;
use std::path::Path;

/// The name of a step in the tables.
const STEP: &str = "step";

/// Trains some steps, as `cresset train` would, and tells where their time went. Writes no run.
pub fn profile(args: &Args) -> Result<()> {
    // Before anything is run for nothing.
    for path in [&args.trace, &args.svg, &args.graph].into_iter().flatten() {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let (shown, folder) = (path.display(), folder.display());
            return Err(Failure::new(format!("{shown}: cannot be written: there is no folder {folder}")));
        }
    }
    let saved = args.run.as_deref().map(kept::load).transpose()?;
    let mut options = match &saved {
        Some(saved) => saved.options.clone(),
        None => Options {
            source: args.source.absolute(),
            network: args.network.clone(),
            training: args.training.clone(),
            epochs: args.training.epochs.unwrap_or(if args.source.data == DataName::Mnist { 5 } else { 30 }),
            threads: None,
        },
    };
    options.threads = args.threads.or(options.threads);
    if let Some(threads) = options.threads {
        set_num_threads(threads);
    }
    let mut data = data::load(&options.source)?;
    if options.training.patience.is_some() {
        data.hold_out(options.training.validation_fraction)?;
    }
    if saved.as_ref().is_some_and(|saved| saved.task != data.task) {
        return Err(Failure::new("the data is not what the run was begun with: its targets are others"));
    }
    // A place that is only named: nothing is written there.
    let folder = RunFolder::choose(Path::new("runs"), None, &data.name)?;
    let mut session = Session::new(options, data, folder)?;
    if let Some(saved) = saved {
        session.load(saved).map_err(|e| e.while_(args.run.as_deref().unwrap_or(Path::new("")).display()))?;
    }
    let (prof, graph) = steps(&session, args)?;
    let ops = prof.key_averages().table(args.sort_by, args.rows);
    let modules = prof.modules().table(SortBy::CpuTimeTotal, args.rows);
    let mut text = format!("{}\n{ops}\n{modules}\n{}\n\n", introduction(&session, args), prof.summary());
    text += &costliest(&prof);
    for (path, contents) in [
        (&args.trace, prof.to_chrome_trace()),
        (&args.svg, prof.to_svg()),
        (&args.graph, if ends_in(&args.graph, "dot") { graph.to_dot() } else { graph.to_svg() }),
    ] {
        if let Some(path) = path {
            let shown = path.display();
            std::fs::write(path, contents).map_err(|e| Failure::new(format!("{shown}: cannot be written: {e}")))?;
            text += &format!("written to {shown}\n");
        }
    }
    say(&text)
}

fn ends_in(path: &Option<std::path::PathBuf>, ending: &str) -> bool {
    path.as_ref().and_then(|p| p.extension()).is_some_and(|e| e == ending)
}

/// Runs the steps: first those that only warm up, then those that are looked at. Gives also the graph of one loss.
fn steps(session: &Session, args: &Args) -> Result<(Profile, cresset::profiler::AutogradGraph)> {
    let mut batches = session.loader.iter();
    let mut next = || -> Result<(Tensor, Tensor)> {
        loop {
            match batches.next() {
                Some(batch) => return Ok(batch?),
                None if session.loader.is_empty() => return Err(Failure::new("there is no batch to train with")),
                None => batches = session.loader.iter(),
            }
        }
    };
    session.model.train();
    let mut measure = Measure::default();
    for _ in 0..args.warm_up {
        let (features, targets) = next()?;
        session.step(&mut measure, &features, &targets);
    }
    let (done, prof) = cresset::profile(|| -> Result<()> {
        for _ in 0..args.steps {
            record_function(STEP, || -> Result<()> {
                let (features, targets) = record_function("data", &mut next)?;
                session.step(&mut measure, &features, &targets);
                Ok(())
            })?;
        }
        Ok(())
    });
    done?;
    let (features, targets) = next()?;
    let loss = measure.loss_of(&session.data.task, session.criterion, &session.model.call(&features), &targets);
    Ok((prof, autograd_graph(&loss, session.model.named_parameters())))
}

fn introduction(session: &Session, args: &Args) -> String {
    format!(
        "{}\n{} parameters; {} steps of {} rows of {}, after {} that warmed up; {} thread{}\n",
        session.model,
        session.model.num_parameters(),
        args.steps,
        session.options.training.batch_size.min(session.data.train.len()),
        session.data.name,
        args.warm_up,
        cresset::get_num_threads(),
        if cresset::get_num_threads() == 1 { "" } else { "s" },
    )
}

/// How long the steps took. On a busy machine some take many times the others.
fn pace(prof: &Profile) -> String {
    let steps = prof.events().iter().filter(|e| e.kind == Kind::Span && e.name == STEP);
    let mut times: Vec<f64> = steps.map(|e| e.total() as f64 / 1e6).collect();
    times.sort_by(f64::total_cmp);
    let (Some(fastest), Some(slowest)) = (times.first(), times.last()) else { return String::new() };
    let middle = times[times.len() / 2];
    let mut text =
        format!("A step takes {middle:.3} ms (the middle one; the fastest {fastest:.3}, the slowest {slowest:.3}).");
    let slow = times.iter().filter(|t| **t > 2.0 * middle).count();
    if slow > 0 {
        text += &format!(
            "\n{slow} of {} took more than twice that: something else ran meanwhile, and the tables contain it.\n",
            times.len()
        );
    }
    text
}

/// The time of a step, and the three modules that take most of it, with what limits each.
fn costliest(prof: &Profile) -> String {
    let whole = prof.self_cpu_time_total().as_secs_f64();
    let rows: Rows = prof.costliest_modules(3);
    let mut text = format!("{} Most of the time is spent in\n", pace(prof));
    for (i, row) in rows.iter().enumerate() {
        let part = 100.0 * row.self_time.as_secs_f64() / whole.max(f64::MIN_POSITIVE);
        text += &format!("  {}. {}: {part:.1} % of the time, {}\n", i + 1, row.name, row.verdict());
    }
    text
}
