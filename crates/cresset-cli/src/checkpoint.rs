//! What a run keeps on the disk to go on from.

use crate::args::{
    Activation, DataName, Layers, LossName, Network, Norm, OptimizerName, ScheduleName, Source, Training,
};
use crate::data::Task;
use crate::early_stopping::Best;
use crate::failure::{Failure, Result};
use crate::report::Measure;
use cresset::data::Standardizer;
use cresset::io::{self, Value};
use cresset::{DType, StateDict, Tensor};
use std::path::{Path, PathBuf};

/// All options that have a say in the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub source: Source,
    pub network: Network,
    pub training: Training,
    pub epochs: usize,
    pub threads: Option<usize>,
}

/// One epoch's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    pub train_loss: f64,
    pub train_score: f64,
    /// Of the rows that are held out.
    pub validation_loss: Option<f64>,
    pub test_loss: f64,
    pub test_score: f64,
    pub lr: f64,
    pub seconds: f64,
}

/// Where in an epoch a run was stopped.
#[derive(Clone, Debug)]
pub struct Position {
    /// Batches of the epoch that are done.
    pub batches: usize,
    /// What was measured in them.
    pub measure: Measure,
    /// The state of the random numbers when the epoch began: its order of the samples follows from it.
    pub epoch_rng: Tensor,
    /// The learning rate when the epoch began.
    pub lr: f64,
    pub seconds: f64,
}

/// A run at the end of an epoch, or between two batches.
pub struct Checkpoint {
    pub options: Options,
    pub task: Task,
    pub scale: Option<Standardizer>,
    pub model: StateDict,
    pub optimizer: Value,
    pub scheduler: Value,
    pub rng: Tensor,
    /// The figures of all epochs that are done.
    pub history: Vec<Epoch>,
    /// The best epoch so far, where rows are held out.
    pub best: Option<Best>,
    pub position: Option<Position>,
}

/// The name of the file in a run's folder.
pub const FILE: &str = "checkpoint.pth";

/// A run's folder, or a file in it, as the path of a file.
pub fn path_of(run: &Path) -> PathBuf {
    if run.is_dir() { run.join(FILE) } else { run.to_path_buf() }
}

impl Checkpoint {
    /// Is its last epoch the best so far?
    pub fn is_best(&self) -> bool {
        let Some((last, before)) = self.history.split_last() else { return false };
        self.position.is_none() && before.iter().all(|e| last.test_loss < e.test_loss)
    }
    /// What is written.
    pub fn to_value(&self) -> Value {
        let history = self.history.iter().map(epoch_to_value);
        let position = self.position.as_ref().map(|p| {
            Value::dict([
                ("batches", p.batches.into()),
                ("measure", p.measure.to_value()),
                ("epoch_rng_state", (&p.epoch_rng).into()),
                ("lr", p.lr.into()),
                ("seconds", p.seconds.into()),
            ])
        });
        Value::dict([
            ("program", "cresset train".into()),
            ("epoch", self.history.len().into()),
            ("model", (&self.model).into()),
            ("optimizer", self.optimizer.clone()),
            ("scheduler", self.scheduler.clone()),
            ("rng_state", (&self.rng).into()),
            ("best", self.best.as_ref().map(Best::to_value).into()),
            ("position", position.into()),
            ("options", self.options.to_value()),
            ("task", task_to_value(&self.task)),
            ("scale", scale_to_value(self.scale.as_ref())),
            ("metrics", Value::list(history)),
        ])
    }
    /// Is it a checkpoint of this program, and no bare state dict?
    pub fn is_one(value: &Value) -> bool {
        value.get("options").is_some() && value.get("model").is_some()
    }
    /// Takes a file's contents apart.
    pub fn from_value(value: &Value) -> io::Result<Checkpoint> {
        let position = match value.at("position")? {
            Value::None => None,
            p => Some(Position {
                batches: p["batches"].usize()?,
                measure: Measure::from_value(&p["measure"])?,
                epoch_rng: p["epoch_rng_state"].tensor()?.clone(),
                lr: p["lr"].float()?,
                seconds: p["seconds"].float()?,
            }),
        };
        Ok(Checkpoint {
            options: Options::from_value(&value["options"])?,
            task: task_from_value(&value["task"])?,
            scale: scale_from_value(&value["scale"])?,
            model: value["model"].state_dict()?,
            optimizer: value.at("optimizer")?.clone(),
            scheduler: value.at("scheduler")?.clone(),
            rng: value["rng_state"].tensor()?.clone(),
            history: value["metrics"].as_list()?.iter().map(epoch_from_value).collect::<io::Result<_>>()?,
            best: match value.at("best")? {
                Value::None => None,
                best => Some(Best::from_value(best)?),
            },
            position,
        })
    }
    /// What the file at `path` holds, as a checkpoint.
    pub fn of(value: &Value, path: &Path) -> Result<Checkpoint> {
        let broken =
            |why: String| Failure::new(format!("{}: it is no checkpoint of cresset train: {why}", path.display()));
        if !Checkpoint::is_one(value) {
            return Err(broken("it has no options and no model".into()));
        }
        Checkpoint::from_value(value).map_err(|e| broken(e.to_string()))
    }
}

impl Options {
    fn to_value(&self) -> Value {
        let path = |p: &Option<PathBuf>| Value::from(p.as_ref().map(|p| p.to_string_lossy().into_owned()));
        let Options { source, network, training, .. } = self;
        Value::dict([
            ("data", source.data.name().into()),
            ("data_dir", path(&source.data_dir)),
            ("csv", path(&source.csv)),
            ("target", source.target.clone().into()),
            ("test_fraction", source.test_fraction.into()),
            ("layers", Value::list(network.layers.0.iter().copied())),
            ("dropout", network.dropout.into()),
            ("activation", network.activation.name().into()),
            ("norm", network.norm.name().into()),
            ("epochs", self.epochs.into()),
            ("batch_size", training.batch_size.into()),
            ("lr", training.lr.into()),
            ("weight_decay", training.weight_decay.into()),
            ("loss", training.loss.map(|loss| loss.name().to_string()).into()),
            ("label_smoothing", training.label_smoothing.into()),
            ("optimizer", training.optimizer.name().into()),
            ("momentum", training.momentum.into()),
            ("schedule", training.schedule.name().into()),
            // Every seed is one of 64 bits; as text it needs no large integer.
            ("seed", training.seed.to_string().into()),
            ("patience", training.patience.into()),
            ("min_delta", training.min_delta.into()),
            ("validation_fraction", training.validation_fraction.into()),
            ("threads", self.threads.into()),
        ])
    }
    fn from_value(v: &Value) -> io::Result<Options> {
        let text = |key: &str| -> io::Result<Option<String>> {
            match v.at(key)? {
                Value::None => Ok(None),
                value => Ok(Some(value.str()?.to_string())),
            }
        };
        fn named<T>(v: &Value, key: &str, parse: impl Fn(&str) -> Option<T>) -> io::Result<T> {
            let name = v[key].str()?;
            parse(name).ok_or_else(|| io::Error::new(format!("there is no {key} {name:?}")))
        }
        let positive = |key: &str| match v[key].usize()? {
            0 => Err(io::Error::new(format!("{key} is 0"))),
            n => Ok(n),
        };
        let layers = v["layers"].as_list()?.iter().map(Value::usize).collect::<io::Result<_>>()?;
        let epochs = positive("epochs")?;
        Ok(Options {
            source: Source {
                data: named(v, "data", DataName::parse)?,
                data_dir: text("data_dir")?.map(PathBuf::from),
                csv: text("csv")?.map(PathBuf::from),
                target: text("target")?,
                test_fraction: v["test_fraction"].float()?,
            },
            network: Network {
                layers: Layers(layers),
                dropout: v["dropout"].float()?,
                activation: named(v, "activation", Activation::parse)?,
                norm: named(v, "norm", Norm::parse)?,
            },
            training: Training {
                epochs: Some(epochs),
                batch_size: positive("batch_size")?,
                lr: v["lr"].float()?,
                weight_decay: v["weight_decay"].float()?,
                loss: match v.at("loss")? {
                    Value::None => None,
                    _ => Some(named(v, "loss", LossName::parse)?),
                },
                label_smoothing: v["label_smoothing"].float()?,
                optimizer: named(v, "optimizer", OptimizerName::parse)?,
                momentum: match v.at("momentum")? {
                    Value::None => None,
                    momentum => Some(momentum.float()?),
                },
                schedule: named(v, "schedule", ScheduleName::parse)?,
                seed: named(v, "seed", |s| s.parse().ok())?,
                patience: match v.at("patience")? {
                    Value::None => None,
                    _ => Some(positive("patience")?),
                },
                min_delta: v["min_delta"].float()?,
                validation_fraction: v["validation_fraction"].float()?,
            },
            epochs,
            threads: match v.at("threads")? {
                Value::None => None,
                n => Some(n.usize()?),
            },
        })
    }
}

fn epoch_to_value(e: &Epoch) -> Value {
    Value::dict([
        ("train_loss", e.train_loss.into()),
        ("train_score", e.train_score.into()),
        ("validation_loss", e.validation_loss.into()),
        ("test_loss", e.test_loss.into()),
        ("test_score", e.test_score.into()),
        ("lr", e.lr.into()),
        ("seconds", e.seconds.into()),
    ])
}
fn epoch_from_value(v: &Value) -> io::Result<Epoch> {
    Ok(Epoch {
        train_loss: v["train_loss"].float()?,
        train_score: v["train_score"].float()?,
        validation_loss: match v.at("validation_loss")? {
            Value::None => None,
            loss => Some(loss.float()?),
        },
        test_loss: v["test_loss"].float()?,
        test_score: v["test_score"].float()?,
        lr: v["lr"].float()?,
        seconds: v["seconds"].float()?,
    })
}

fn task_to_value(task: &Task) -> Value {
    match task {
        Task::Classes(names) => Value::dict([("classes", Value::list(names))]),
        Task::Number { mean, std } => Value::dict([("mean", (*mean).into()), ("std", (*std).into())]),
    }
}
fn task_from_value(v: &Value) -> io::Result<Task> {
    match v.get("classes") {
        Some(names) => {
            let name = |n: &Value| Ok(n.str()?.to_string());
            Ok(Task::Classes(names.as_list()?.iter().map(name).collect::<io::Result<_>>()?))
        }
        None => Ok(Task::Number { mean: v["mean"].float()?, std: v["std"].float()? }),
    }
}

fn scale_to_value(scale: Option<&Standardizer>) -> Value {
    scale.map(|s| Value::dict([("mean", s.mean().into()), ("std", s.std().into())])).into()
}
fn scale_from_value(v: &Value) -> io::Result<Option<Standardizer>> {
    if v.is_none() {
        return Ok(None);
    }
    let (mean, std) = (v["mean"].tensor()?, v["std"].tensor()?);
    if mean.dim() != 1 || mean.dtype() != DType::F32 || mean.meta() != std.meta() {
        return Err(io::Error::new("mean and std of the columns are not two float32 vectors of one length"));
    }
    Ok(Some(Standardizer::from_parts(mean.clone(), std.clone())))
}
