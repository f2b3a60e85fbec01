//! `cresset train`.

use crate::args::{DataName, Norm, Train};
use crate::checkpoint::{self, Checkpoint, Epoch, Options, Position};
use crate::criterion::Criterion;
use crate::data::{self, Data};
use crate::early_stopping::Best;
use crate::failure::{Failure, Result};
use crate::kept;
use crate::model::MultiClassifier;
use crate::optimize::{self, Schedule};
use crate::progress::Progress;
use crate::report::{self, Measure, final_text, measure, score_name};
use crate::run::{RunFolder, Stop};
use crate::say;
use cresset::prelude::*;
use cresset::{get_rng_state, set_num_threads, set_rng_state};
use std::path::Path;
use std::time::Instant;

/// Trains a network as the options say, or goes on with a run.
pub fn train(args: &Train) -> Result<()> {
    let saved = args.run.resume.as_deref().map(kept::load).transpose()?;
    let options = match &saved {
        Some(saved) => resumed_options(saved, args)?,
        None => Options {
            source: args.source.absolute(),
            network: args.network.clone(),
            training: args.training.clone(),
            epochs: args.training.epochs.unwrap_or(if args.source.data == DataName::Mnist { 5 } else { 30 }),
            threads: args.run.threads,
        },
    };
    if let Some(threads) = options.threads {
        set_num_threads(threads);
    }
    let mut data = data::load(&options.source)?;
    if options.training.patience.is_some() {
        data.hold_out(options.training.validation_fraction)?;
    }
    if let Some(saved) = &saved
        && saved.task != data.task
    {
        return Err(Failure::new("the data is not what the run was begun with: its targets are others"));
    }
    let folder = match &args.run.resume {
        Some(run) => RunFolder::existing(run)?,
        None => RunFolder::choose(&args.run.out, args.run.name.as_deref(), &data.name)?,
    };
    let mut session = Session::new(options, data, folder)?;
    session.keep = args.run.keep;
    if let Some(saved) = saved {
        session.load(saved).map_err(|e| e.while_(session.folder.file(checkpoint::FILE).display()))?;
    }
    say(&session.introduction())?;
    session.folder.create()?;
    let stop = Stop::listen(args.run.stop_after_batches);
    session.run(&stop)?;
    session.finish()
}

/// A resumed run has the options that it was begun with; it may go on for longer.
fn resumed_options(saved: &Checkpoint, args: &Train) -> Result<Options> {
    let mut options = saved.options.clone();
    if let Some(epochs) = args.training.epochs {
        let done = saved.history.len() + usize::from(saved.position.is_some());
        if epochs < done {
            return Err(Failure::new(format!(
                "--epochs {epochs} is less than the run has behind it: it is in epoch {done}"
            )));
        }
        options.epochs = epochs;
        options.training.epochs = Some(epochs);
    }
    options.threads = args.run.threads.or(options.threads);
    Ok(options)
}

/// A network in training.
pub struct Session {
    pub options: Options,
    pub data: Data,
    folder: RunFolder,
    pub model: MultiClassifier,
    optimizer: Optimizer,
    schedule: Schedule,
    pub loader: DataLoader<(Tensor, Tensor)>,
    pub criterion: Criterion,
    history: Vec<Epoch>,
    best: Option<Best>,
    position: Option<Position>,
    /// The state of the random numbers to go on with.
    rng: Tensor,
    /// So many checkpoints stay.
    keep: usize,
}

impl Session {
    /// A network, its optimizer and its data, as the options say.
    pub fn new(options: Options, data: Data, folder: RunFolder) -> Result<Session> {
        let batch = options.training.batch_size;
        // BatchNorm cannot train on one sample.
        let batch_norm = options.network.norm == Norm::Batch && !options.network.layers.0.is_empty();
        let lone = batch_norm && data.train.len() % batch == 1;
        if batch_norm && (batch == 1 || lone && data.train.len() <= batch) {
            return Err(Failure::new(
                "--batch-size 1 is too small: BatchNorm1d needs at least 2 samples in every batch",
            ));
        }
        manual_seed(options.training.seed);
        let (network, task) = (&options.network, &data.task);
        let model = MultiClassifier::new(
            data.train.inputs(),
            &network.layers.0,
            task.outputs(),
            network.dropout,
            network.activation,
            network.norm,
        );
        let criterion = Criterion::new(&options.training, task)?;
        let optimizer = optimize::optimizer(&options.training, model.parameters())?;
        let set = TensorDataset::new((data.train.features.clone(), data.train.targets.clone()));
        let loader = DataLoader::new(set, batch).shuffle(true).drop_last(lone && batch > 1);
        let schedule = Schedule::new(&options.training, &optimizer, options.epochs, loader.len());
        let rng = get_rng_state();
        let (history, best, position) = (vec![], None, None);
        Ok(Session {
            options,
            data,
            folder,
            model,
            optimizer,
            schedule,
            loader,
            criterion,
            history,
            best,
            position,
            rng,
            keep: 2,
        })
    }

    /// Goes to where a checkpoint was written.
    pub fn load(&mut self, saved: Checkpoint) -> Result<()> {
        self.model.load_state_dict(&saved.model, true)?;
        let optimizer = saved.optimizer.optimizer_state()?;
        let (epochs, batches) = (saved.history.len(), saved.position.as_ref().map_or(0, |p| p.batches));
        if batches >= self.loader.len() && batches > 0 {
            return Err(Failure::new(format!(
                "it is {batches} batches into an epoch, but the data has {}",
                self.loader.len()
            )));
        }
        let longer = self.options.epochs != saved.options.epochs;
        let replanned = longer && self.schedule.replan(&self.optimizer, epochs, epochs * self.loader.len() + batches);
        let lrs = self.optimizer.lrs();
        self.optimizer.load_state_dict(&optimizer)?;
        if replanned {
            self.optimizer.set_lrs(&lrs);
        } else {
            self.schedule.load(&saved.scheduler)?;
        }
        // Refused here if it is none, not in the middle of the work.
        for state in saved.position.iter().map(|p| &p.epoch_rng).chain([&saved.rng]) {
            Generator::new().set_state(state);
        }
        (self.history, self.position, self.rng) = (saved.history, saved.position, saved.rng);
        self.best = saved.best;
        Ok(())
    }

    fn introduction(&self) -> String {
        let (data, t) = (&self.data, &self.options.training);
        let mut text = format!(
            "{}\n{} parameters; {}: {} rows to train, {}{} to test; {}, lr {}, {} schedule; {} epochs of {} batches; seed {}; {} threads\n",
            self.model,
            self.model.num_parameters(),
            data.name,
            data.train.len(),
            data.validation.as_ref().map(|rows| format!("{} held out, ", rows.len())).unwrap_or_default(),
            data.test.len(),
            t.optimizer.name(),
            t.lr,
            if t.schedule.name() == "none" { "no" } else { t.schedule.name() },
            self.options.epochs,
            self.loader.len(),
            t.seed,
            cresset::get_num_threads(),
        );
        if !self.history.is_empty() || self.position.is_some() {
            let batches = self.position.as_ref().map_or(0, |p| p.batches);
            text += &format!("going on after epoch {}, batch {batches}\n", self.history.len());
        }
        text
    }

    fn run(&mut self, stop: &Stop) -> Result<()> {
        let (samples, batch) = (self.data.train.len(), self.options.training.batch_size);
        let done = self.history.len() * samples + self.position.as_ref().map_or(0, |p| p.batches * batch);
        let mut progress = Progress::new(self.options.epochs, samples, done, score_name(&self.data.task));
        let ended = self.epochs(stop, &mut progress);
        progress.end();
        ended
    }

    fn epochs(&mut self, stop: &Stop, progress: &mut Progress) -> Result<()> {
        set_rng_state(&self.rng);
        while self.history.len() < self.options.epochs && !self.stops_early() {
            if let Some(position) = self.epoch(stop, progress)? {
                self.position = Some(position);
                return self.interrupt();
            }
            self.save()?;
            if stop.is_asked() && self.history.len() < self.options.epochs {
                return self.interrupt();
            }
        }
        Ok(())
    }

    /// Has the loss on the rows that are held out not fallen for too long?
    fn stops_early(&self) -> bool {
        match (self.options.training.patience, &self.best) {
            (Some(patience), Some(best)) => self.history.len() >= best.epoch + patience,
            _ => false,
        }
    }

    /// One epoch, or the rest of one. Gives the place where it was stopped.
    fn epoch(&mut self, stop: &Stop, progress: &mut Progress) -> Result<Option<Position>> {
        let number = self.history.len();
        let before = self.position.take();
        let (skip, mut train, earlier) =
            before.as_ref().map_or((0, Measure::default(), 0.0), |p| (p.batches, p.measure, p.seconds));
        let begun = Instant::now();
        let lr = before.as_ref().map_or_else(|| self.optimizer.lrs()[0], |p| p.lr);
        let epoch_rng = match before {
            // The loader draws the order that it drew then.
            Some(p) => {
                set_rng_state(&p.epoch_rng);
                p.epoch_rng
            }
            None => get_rng_state(),
        };
        self.model.train();
        let mut batches = self.loader.iter();
        for _ in 0..skip {
            batches.next().transpose()?;
        }
        if skip > 0 {
            set_rng_state(&self.rng);
        }
        for at in skip..self.loader.len() {
            let Some(batch) = batches.next() else { break };
            let (features, targets) = batch?;
            self.step(&mut train, &features, &targets);
            self.schedule.batch_ends();
            progress.batch(number, features.shape()[0], train.loss());
            // The end of an epoch is a place to stop of its own.
            if stop.after_batch() && at + 1 < self.loader.len() {
                let seconds = earlier + begun.elapsed().as_secs_f64();
                self.rng = get_rng_state();
                return Ok(Some(Position { batches: at + 1, measure: train, epoch_rng, lr, seconds }));
            }
        }
        if !train.loss().is_finite() {
            let what = format!("the loss became {} in epoch {}: try a smaller --lr", train.loss(), number + 1);
            return Err(Failure::new(what));
        }
        self.schedule.epoch_ends(train.loss());
        self.model.eval();
        let task = &self.data.task;
        let (test, _) = measure(&self.model, &self.data.test, task, self.criterion);
        let held_out = self.data.validation.as_ref();
        let validation_loss = held_out.map(|rows| measure(&self.model, rows, task, self.criterion).0.loss());
        if let Some(loss) = validation_loss
            && self.best.as_ref().is_none_or(|best| loss < best.loss - self.options.training.min_delta)
        {
            self.best = Some(Best::new(number + 1, loss, &self.model));
        }
        let epoch = Epoch {
            train_loss: train.loss(),
            train_score: train.score(task),
            validation_loss,
            test_loss: test.loss(),
            test_score: test.score(task),
            lr,
            seconds: earlier + begun.elapsed().as_secs_f64(),
        };
        self.rng = get_rng_state();
        self.history.push(epoch);
        progress.epoch(number + 1, &epoch);
        Ok(None)
    }

    /// One step on a batch. A profile shows its parts under their names.
    pub fn step(&self, train: &mut Measure, features: &Tensor, targets: &Tensor) {
        self.optimizer.zero_grad();
        let output = record_function("forward", || self.model.call(features));
        let task = &self.data.task;
        let loss = record_function("loss and score", || train.loss_of(task, self.criterion, &output, targets));
        record_function("backward", || loss.backward());
        self.optimizer.step();
    }

    /// Writes what the run needs to go on.
    fn save(&self) -> Result<()> {
        let checkpoint = Checkpoint {
            options: self.options.clone(),
            task: self.data.task.clone(),
            scale: self.data.scale.clone(),
            model: self.model.state_dict(),
            optimizer: self.optimizer.state_dict().into(),
            scheduler: self.schedule.state(),
            rng: self.rng.clone(),
            history: self.history.clone(),
            best: self.best.clone(),
            position: self.position.clone(),
        };
        kept::save(&checkpoint, self.folder.path(), self.keep)?;
        report::write_metrics(&self.folder.file("metrics.csv"), &self.data.task, &self.history)
    }

    fn interrupt(&self) -> Result<()> {
        self.save()?;
        let place = match &self.position {
            Some(p) => {
                format!("in epoch {} after batch {} of {}", self.history.len() + 1, p.batches, self.loader.len())
            }
            None => format!("after epoch {}", self.history.len()),
        };
        let folder = self.folder.path().display();
        Err(Failure::interrupted(format!("stopped {place}; go on with: cresset train --resume {folder}")))
    }

    /// Writes the trained network and tells what it can do.
    fn finish(&self) -> Result<()> {
        self.model.eval();
        if let Some(best) = &self.best {
            self.model.load_state_dict(&best.model, true)?;
        }
        let (test, counts) = measure(&self.model, &self.data.test, &self.data.task, self.criterion);
        save(self.model.state_dict(), self.folder.file("model.pth"))?;
        // Whoever was killed between checkpoint and table has the table of the epoch before.
        report::write_metrics(&self.folder.file("metrics.csv"), &self.data.task, &self.history)?;
        let curves = report::curves(&self.data.task, &self.history);
        for name in ["curves.svg", "curves.png"] {
            curves.save(self.folder.file(name))?;
        }
        let seconds: f64 = self.history.iter().map(|e| e.seconds).sum();
        let mut text =
            format!("\n{} epochs in {seconds:.1} s; written to {}\n\n", self.history.len(), shown(self.folder.path()));
        if let Some(best) = &self.best {
            let done = if self.stops_early() { "stopped early" } else { "ended" };
            text +=
                &format!("{done}; kept is the network of epoch {}, validation loss {:.4}\n\n", best.epoch, best.loss);
        }
        text += &final_text(&self.data.task, &test, &counts);
        say(&text)
    }
}

/// A folder with a slash behind it.
fn shown(folder: &Path) -> String {
    format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR)
}
