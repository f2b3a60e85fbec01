//! What the command line says.

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use cresset::prelude::SortBy;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cresset train                                        train on the embedded digits, into runs/digits/
  cresset train --layers 512,256 --dropout 0.3         a larger network
  cresset train --optimizer sgd --lr 0.1 --schedule step
  cresset train --data mnist --data-dir ~/mnist --epochs 5
  cresset train --data csv --csv flowers.csv --target species
  cresset train --config classifier.toml               options from a file (examples/classifier.toml is one)
  cresset train --resume runs/digits                   go on after Ctrl-C, as if nothing had happened
  cresset eval runs/digits                             accuracy and confusion matrix of a trained network
  cresset profile runs/digits                          where the time of its training goes
  cresset inspect runs/digits/model.pth                what is in a file
  cresset convert model.pth model.safetensors          the same tensors in another format";

/// Trains, evaluates and inspects neural networks.
#[derive(Parser, Debug)]
#[command(name = "cresset", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Train(Box<Train>),
    Eval(Eval),
    Profile(Box<Profile>),
    Inspect(Inspect),
    Convert(Convert),
}

const TRAIN_HELP: &str = "\
The network is a multi-layer classifier: for each number of --layers a block of Linear, norm, activation and Dropout,
then a Linear layer to the classes. One fifth of the digits or of the CSV file's rows is kept for the test (--test-fraction).

All options may stand in a file: --config FILE.toml, with the sections data, network, loss, optimizer, schedule, training,
early_stopping and run; examples/classifier.toml has them all. What the command line says comes before what the file says.

A run writes into OUT/NAME/:
  model.pth        the trained network's state dict; opens in PyTorch with torch.load(path, weights_only=True)
  checkpoint.pth   network, optimizer, schedule, random state, epoch, options: all that --resume needs, after every epoch
  checkpoint.1.pth the one before, which --resume takes if the last one is damaged (--keep says how many there are)
  best.pth         the checkpoint of the epoch with the lowest test loss
  metrics.csv      losses, accuracies and the learning rate of every epoch
  curves.svg/.png  the same as a figure

Examples:
  cresset train                                        the embedded digits with the defaults: a few seconds
  cresset train --layers 512,256,128 --dropout 0.3 --seed 7 --name deep
  cresset train --optimizer adamw --weight-decay 0.01 --schedule onecycle --lr 0.01
  cresset train --patience 5 --epochs 200              stop when the loss on held-out rows has not fallen for 5 epochs
  cresset train --config examples/classifier.toml --lr 0.01
  cresset train --data mnist --data-dir ~/mnist --epochs 5 --batch-size 128
  cresset train --data csv --csv flowers.csv --target species --layers 32 --batch-size 16
  cresset train --resume runs/digits                   go on after Ctrl-C: the result is the same, byte for byte
  cresset train --resume runs/digits --epochs 60       train a finished run for longer";

/// Train a classifier on the embedded digits, on MNIST or on a CSV file.
#[derive(Args, Clone, Debug)]
#[command(after_help = TRAIN_HELP, max_term_width = 110)]
pub struct Train {
    #[command(flatten, next_help_heading = "Data")]
    pub source: Source,

    #[command(flatten, next_help_heading = "Network")]
    pub network: Network,

    #[command(flatten, next_help_heading = "Training")]
    pub training: Training,

    #[command(flatten, next_help_heading = "Run")]
    pub run: Run,
}

/// Which data.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Source {
    /// Data set: digits (embedded, 1,797 pictures of 8 x 8 pixels), mnist (a folder of IDX files) or csv
    #[arg(long, value_enum, default_value = "digits", value_name = "NAME")]
    pub data: DataName,
    /// Folder with MNIST's four IDX files, plain or .gz (with --data mnist)
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Table of numbers with a header or without (with --data csv)
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Column to learn, by name or number from 0 (from -1 at the end); text and few whole numbers are classes, other numbers are fitted [default: the last]
    #[arg(long, value_name = "COLUMN", allow_negative_numbers = true)]
    pub target: Option<String>,
    /// Part of the rows that is kept for the test (digits and csv)
    #[arg(long, default_value_t = 0.2, value_name = "PART", value_parser = part)]
    pub test_fraction: f64,
}

impl Source {
    /// The same with paths that hold from every folder.
    pub fn absolute(&self) -> Source {
        let full = |p: &Option<PathBuf>| p.as_ref().map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone()));
        Source { data_dir: full(&self.data_dir), csv: full(&self.csv), ..self.clone() }
    }
}

/// Which network.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Network {
    /// Sizes of the hidden layers, separated by commas; 0 for none
    #[arg(long, default_value = "256,128", value_name = "SIZES", value_parser = layers)]
    pub layers: Layers,
    /// Probability with which dropout zeroes a unit
    #[arg(long, default_value_t = 0.2, value_name = "P", value_parser = probability)]
    pub dropout: f64,
    /// Activation after every hidden layer
    #[arg(long, value_enum, default_value = "relu", value_name = "NAME")]
    pub activation: Activation,
    /// Normalisation before every activation: batch (BatchNorm1d), layer (LayerNorm) or none
    #[arg(long, value_enum, default_value = "batch", value_name = "NAME")]
    pub norm: Norm,
}

/// How it is trained.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Training {
    /// Passes over the training data [default: 30; 5 for mnist]
    #[arg(long, value_name = "N", value_parser = count)]
    pub epochs: Option<usize>,
    /// Samples for each step
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = count)]
    pub batch_size: usize,
    /// Learning rate; the highest one where the schedule changes it
    #[arg(long, default_value_t = 1e-3, value_name = "LR", value_parser = not_negative)]
    pub lr: f64,
    /// Weight decay: an L2 penalty, with adamw a decay apart from the gradients
    #[arg(long, default_value_t = 0.0, value_name = "X", value_parser = not_negative)]
    pub weight_decay: f64,
    /// Loss: cross-entropy for classes; mse, l1 or huber for numbers [default: cross-entropy or mse, as the data is]
    #[arg(long, value_enum, value_name = "NAME")]
    pub loss: Option<LossName>,
    /// Part of the certainty that cross-entropy gives to the other classes
    #[arg(long, default_value_t = 0.0, value_name = "X", value_parser = probability)]
    pub label_smoothing: f64,
    /// Optimizer
    #[arg(long, value_enum, default_value = "adam", value_name = "NAME")]
    pub optimizer: OptimizerName,
    /// Momentum of sgd and rmsprop [default: 0.9 for sgd, 0 for rmsprop]
    #[arg(long, value_name = "X", value_parser = not_negative)]
    pub momentum: Option<f64>,
    /// How the learning rate changes: step (a tenth after each third of the epochs), cosine (to 0), onecycle (up and down, each batch),
    /// exponential (times 0.95 each epoch), plateau (a tenth when the training loss stands still), none
    #[arg(long, value_enum, default_value = "cosine", value_name = "NAME")]
    pub schedule: ScheduleName,
    /// Where the random numbers start: the same seed gives the same run
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Stop early: when the loss on rows held out of the training has not fallen for so many epochs; the best epoch's network is kept
    #[arg(long, value_name = "EPOCHS", value_parser = count)]
    pub patience: Option<usize>,
    /// With --patience: what counts as having fallen
    #[arg(long, default_value_t = 0.0, value_name = "X", value_parser = not_negative)]
    pub min_delta: f64,
    /// With --patience: part of the training rows that is held out
    #[arg(long, default_value_t = 0.1, value_name = "PART", value_parser = part)]
    pub validation_fraction: f64,
}

/// Where it runs and what it writes.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// File with options, in TOML; those of the command line come before it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Threads that compute [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,
    /// Name of the run [default: the data's name, with a number if there is such a run]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Folder of all runs
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub out: PathBuf,
    /// Checkpoints that stay: the last N, and the best one
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = count)]
    pub keep: usize,
    /// Go on with an interrupted run, with its options; --epochs may be larger than before
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "config", "data", "data_dir", "csv", "target", "test_fraction", "layers", "dropout", "activation", "norm", "batch_size", "lr",
        "weight_decay", "loss", "label_smoothing", "optimizer", "momentum", "schedule", "seed", "patience", "min_delta",
        "validation_fraction", "name", "out",
    ])]
    pub resume: Option<PathBuf>,
    /// Stop as with Ctrl-C after so many batches
    #[arg(long, value_name = "N", hide = true)]
    pub stop_after_batches: Option<usize>,
}

/// Measure a trained network on its test data, or on other data.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  cresset eval runs/digits                             on the test part of the data it was trained with
  cresset eval runs/iris --csv new-flowers.csv         on all rows of another table
  cresset eval model.pth --data mnist --data-dir ~/mnist --activation gelu",
    max_term_width = 110
)]
pub struct Eval {
    /// Folder of a run, its checkpoint.pth, or a state dict (then the options below say what it is for)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Data set, where the file does not say it [default: digits]
    #[arg(long, value_enum, value_name = "NAME")]
    pub data: Option<DataName>,
    /// Folder with MNIST's IDX files
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Another table: all its rows are used
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Column with the classes
    #[arg(long, value_name = "COLUMN", allow_negative_numbers = true)]
    pub target: Option<String>,
    /// Activation, where the file does not say it [default: relu]
    #[arg(long, value_enum, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// Threads that compute
    #[arg(long, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,
}

/// Train some steps and tell where their time goes: by op, by module, and what limits the costliest.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "\
The tables have a row for each op and for each module, forward and backward. \"Floor %\" is the time that the arithmetic or the memory traffic would take at
the speed that this machine reaches in a matrix product or in copying, as a part of the time that it took. Nothing is written but what is asked for.

Examples:
  cresset profile                                      the digits with the defaults of cresset train
  cresset profile --layers 1024,512 --batch-size 256 --threads 1
  cresset profile --config examples/classifier.toml
  cresset profile runs/digits --trace trace.json       of a saved run; open the file in https://ui.perfetto.dev
  cresset profile --svg flame.svg --graph autograd.svg",
    max_term_width = 110
)]
pub struct Profile {
    /// Folder of a run, or its checkpoint.pth: its network, options and data; without it the options below say what is trained
    #[arg(value_name = "RUN", conflicts_with_all = [
        "config", "data", "data_dir", "csv", "target", "test_fraction", "layers", "dropout", "activation", "norm", "epochs", "batch_size", "lr",
        "weight_decay", "loss", "label_smoothing", "optimizer", "momentum", "schedule", "seed", "patience", "min_delta",
        "validation_fraction",
    ])]
    pub run: Option<PathBuf>,
    /// Steps that are looked at
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = count)]
    pub steps: usize,
    /// Steps before them, which are not
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub warm_up: usize,
    /// What the table of ops is sorted by: self_cpu_time_total, cpu_time_total, cpu_time, count, cpu_memory_usage, flops, bytes, floor, first
    #[arg(long, default_value = "self_cpu_time_total", value_name = "KEY", value_parser = sort_by)]
    pub sort_by: SortBy,
    /// Rows of each table
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = count)]
    pub rows: usize,
    /// Write the events for Perfetto and chrome://tracing
    #[arg(long, value_name = "FILE.json", value_parser = json)]
    pub trace: Option<PathBuf>,
    /// Write a flame chart
    #[arg(long, value_name = "FILE.svg", value_parser = svg)]
    pub svg: Option<PathBuf>,
    /// Write the graph of autograd of a step's loss
    #[arg(long, value_name = "FILE.svg|FILE.dot", value_parser = svg_or_dot)]
    pub graph: Option<PathBuf>,
    /// File with options, in TOML, as cresset train has it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Threads that compute [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,

    #[command(flatten, next_help_heading = "Data")]
    pub source: Source,

    #[command(flatten, next_help_heading = "Network")]
    pub network: Network,

    #[command(flatten, next_help_heading = "Training")]
    pub training: Training,
}

/// Write the tensors of a file in another format, under other names or with another dtype.
#[derive(Args, Debug)]
#[command(
    after_help = "\
The endings say the formats: .pth .pt .bin .ckpt (PyTorch), .safetensors, .npz, .npy (one tensor) and .csv (one matrix, or vectors of one
length as named columns; read as int64 and float64, column by column if there is a header). Names, order and dtypes are kept; tensors
that share memory share it in a .pth only. From .pth to .pth everything is kept unless an option below changes names or dtypes. In the other
formats a checkpoint's tensors are named by the keys that lead to them, joined by dots; numbers and texts become metadata of .safetensors.

Examples:
  cresset convert model.pth model.safetensors
  cresset convert model.safetensors half.pth --dtype float16
  cresset convert table.csv table.npy
  cresset convert checkpoint.pth weights.npz --only 'model.*' --strip-prefix model.
  cresset convert old.pth new.pth --rename 'layers.*.w=blocks.*.weight' --rename 'head.*=out.*'",
    max_term_width = 110
)]
pub struct Convert {
    /// The file to read
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// The file to write
    #[arg(value_name = "TO")]
    pub to: PathBuf,
    /// Only tensors whose names match; * stands for any text
    #[arg(long, value_name = "PATTERN")]
    pub only: Option<String>,
    /// Take this from the beginning of names
    #[arg(long, value_name = "TEXT")]
    pub strip_prefix: Option<String>,
    /// Other names, as OLD=NEW; a * in NEW stands for what the * in OLD stood for; may be given several times
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<String>,
    /// Put this before names
    #[arg(long, value_name = "TEXT")]
    pub add_prefix: Option<String>,
    /// Floating-point tensors in this dtype: float64, float32, float16, bfloat16
    #[arg(long, value_name = "DTYPE")]
    pub dtype: Option<String>,
    /// Compress (.npz)
    #[arg(long)]
    pub compress: bool,
}

/// List what is in a file: names, shapes, dtypes and statistics of its tensors.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Reads .pth and .pt (also checkpoints with other things in them, TorchScript archives), .safetensors, .npz, .npy and .csv. Nothing in a file
is ever run. Tensors are read one at a time: a file may be larger than the memory.

Example:
  cresset inspect runs/digits/model.pth",
    max_term_width = 110
)]
pub struct Inspect {
    /// The file
    #[arg(value_name = "FILE", action = ArgAction::Set)]
    pub file: PathBuf,
}

/// An enumeration that options and checkpoints spell alike.
macro_rules! names {
    ($($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub enum $type {
            $(#[value(name = $name)] $variant),*
        }
        impl $type {
            /// As the command line has it.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name),*
                }
            }
            /// From a checkpoint.
            pub fn parse(name: &str) -> Option<$type> {
                match name {
                    $($name => Some($type::$variant),)*
                    _ => None,
                }
            }
        }
    )*};
}
names! {
    /// A data set.
    DataName { Digits = "digits", Mnist = "mnist", Csv = "csv" }
    /// An activation.
    Activation {
        Relu = "relu", LeakyRelu = "leaky-relu", Elu = "elu", Selu = "selu", Gelu = "gelu", Silu = "silu", Mish = "mish", Tanh = "tanh",
        Sigmoid = "sigmoid"
    }
    /// A normalisation.
    Norm { Batch = "batch", Layer = "layer", None = "none" }
    /// A loss.
    LossName { CrossEntropy = "cross-entropy", Mse = "mse", L1 = "l1", Huber = "huber" }
    /// An optimizer.
    OptimizerName { Sgd = "sgd", Adam = "adam", AdamW = "adamw", RmsProp = "rmsprop", Adagrad = "adagrad" }
    /// A schedule of learning rates.
    ScheduleName {
        None = "none", Step = "step", Cosine = "cosine", OneCycle = "onecycle", Exponential = "exponential", Plateau = "plateau"
    }
}

/// Sizes of hidden layers. (A type of its own: clap takes a bare `Vec` for an option that may be given several times.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers(pub Vec<usize>);

/// More units than this in a layer are a slip of the finger.
const MOST_UNITS: usize = 1 << 20;

fn layers(text: &str) -> Result<Layers, String> {
    if text.trim() == "0" {
        return Ok(Layers(Vec::new()));
    }
    let size = |part: &str| match part.trim().parse() {
        Ok(n) if (1..=MOST_UNITS).contains(&n) => Ok(n),
        _ => Err(format!("expected sizes of at least 1 separated by commas, like 256,128, found {part:?}")),
    };
    text.split(',').map(size).collect::<Result<_, _>>().map(Layers)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "expected a number".to_string())
}
fn not_negative(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x >= 0.0 { Ok(x) } else { Err("expected a number of at least 0".into()) })
}
fn probability(text: &str) -> Result<f64, String> {
    number(text)
        .and_then(|x| if (0.0..=1.0).contains(&x) { Ok(x) } else { Err("expected a number from 0 to 1".into()) })
}
fn part(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x > 0.0 && x < 1.0 { Ok(x) } else { Err("expected a number between 0 and 1".into()) })
}
fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| "expected a whole number of at least 1".to_string())
}
fn sort_by(text: &str) -> Result<SortBy, String> {
    text.parse()
}
fn with_ending(text: &str, endings: &[&str]) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e)) {
        true => Ok(path),
        false => Err(format!("expected a name that ends in .{}", endings.join(" or ."))),
    }
}
fn json(text: &str) -> Result<PathBuf, String> {
    with_ending(text, &["json"])
}
fn svg(text: &str) -> Result<PathBuf, String> {
    with_ending(text, &["svg"])
}
fn svg_or_dot(text: &str) -> Result<PathBuf, String> {
    with_ending(text, &["svg", "dot"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn layers_are_sizes() {
        assert_eq!(layers("256, 128").unwrap().0, [256, 128]);
        assert_eq!(layers("0").unwrap().0, [0; 0]);
        assert!(layers("256,,128").unwrap_err().contains("found \"\""));
        assert!(layers("8,0").is_err());
    }
}
