//! The data that the command line names, ready for training.

use crate::args::{DataName, Source};
use crate::failure::{Failure, Result};
use cresset::Tensor;
use cresset::data::{CsvReader, Mnist, Standardizer, Table, Target, train_test_split};
use std::path::Path;

/// Rows and what is to be learnt from them: numbers `[n, inputs]`, and classes `[n]` or scaled numbers `[n, 1]`.
#[derive(Clone, Debug)]
pub struct Rows {
    pub features: Tensor,
    pub targets: Tensor,
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.features.shape()[0]
    }
    /// Numbers in a row.
    pub fn inputs(&self) -> usize {
        self.features.shape()[1]
    }
    /// Some of them.
    fn select(&self, rows: &[usize]) -> Rows {
        let index = Tensor::from_slice(&rows.iter().map(|&i| i as i64).collect::<Vec<i64>>());
        Rows { features: self.features.index_select(0, &index), targets: self.targets.index_select(0, &index) }
    }
}

impl Data {
    /// Takes a part of the rows out of the training, the same for every run.
    pub fn hold_out(&mut self, part: f64) -> Result<()> {
        let (train, held_out) = train_test_split(self.train.len(), part, SPLIT_SEED);
        if train.len() < 2 || held_out.is_empty() {
            let n = self.train.len();
            return Err(Failure::new(format!("{}: {n} rows are too few to hold some out (--patience)", self.name)));
        }
        self.validation = Some(self.train.select(&held_out));
        self.train = self.train.select(&train);
        Ok(())
    }
}

/// What is to be learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// One of these classes.
    Classes(Vec<String>),
    /// A number, which the network sees as `(number - mean) / std`.
    Number { mean: f64, std: f64 },
}

impl Task {
    /// How many numbers the network gives.
    pub fn outputs(&self) -> usize {
        match self {
            Task::Classes(names) => names.len(),
            Task::Number { .. } => 1,
        }
    }
}

/// Rows for training and for the test.
#[derive(Debug)]
pub struct Data {
    pub train: Rows,
    /// Rows that are neither trained nor tested with: they say when to stop.
    pub validation: Option<Rows>,
    pub test: Rows,
    pub task: Task,
    /// How the columns were brought to one scale, if they were.
    pub scale: Option<Standardizer>,
    /// Its name, for people and for the run's folder.
    pub name: String,
}

/// The division into training and test is the same for every run.
const SPLIT_SEED: u64 = 0;

/// Reads the data.
pub fn load(source: &Source) -> Result<Data> {
    check(source)?;
    match source.data {
        DataName::Digits => {
            let table = cresset::data::digits();
            let scaled = table.with_features(&table.features / 16.0);
            split(&scaled, source.test_fraction, false, "digits".into())
        }
        DataName::Mnist => {
            let dir =
                wanted(source.data_dir.as_deref(), "--data mnist needs --data-dir DIR, the folder with its IDX files")?;
            let rows = |train| -> Result<Rows> {
                let set = Mnist::load(dir, train)?.flat().to_tensors();
                let (features, targets) = set.tensors().clone();
                Ok(Rows { features, targets })
            };
            let task = Task::Classes((0..10).map(|d| d.to_string()).collect());
            Ok(Data {
                train: rows(true)?,
                validation: None,
                test: rows(false)?,
                task,
                scale: None,
                name: "mnist".into(),
            })
        }
        DataName::Csv => {
            let (table, name) = table(source)?;
            if table.num_features() == 0 {
                return Err(Failure::new(format!("{name}: it has no column beside the target")));
            }
            split(&table, source.test_fraction, true, name)
        }
    }
}

/// All rows of the data that a network was trained for, or of a table with the same columns.
pub fn load_all(source: &Source, task: &Task, scale: Option<&Standardizer>) -> Result<Rows> {
    let (table, name) = table(source)?;
    if let Some(scale) = scale
        && scale.mean().numel() != table.num_features()
    {
        let (want, have) = (scale.mean().numel(), table.num_features());
        return Err(Failure::new(format!(
            "{name}: the network was trained with {want} columns, this table has {have}"
        )));
    }
    let features = scale.map_or_else(|| table.features.clone(), |scale| scale.apply(&table.features));
    let targets = match (task, &table.target) {
        (Task::Classes(known), Target::Classes { labels, names }) => {
            let number = |class: &String| match known.iter().position(|k| k == class) {
                Some(i) => Ok(i as i64),
                None => Err(Failure::new(format!("{name}: the network was not trained with the class {class:?}"))),
            };
            let numbers: Vec<i64> = names.iter().map(number).collect::<Result<_>>()?;
            Tensor::from_slice(&labels.to_vec::<i64>().iter().map(|&l| numbers[l as usize]).collect::<Vec<i64>>())
        }
        (Task::Classes(_), Target::Values(_)) => {
            return Err(Failure::new(format!(
                "{name}: the network tells classes, but the column {} has other numbers",
                table.target_name
            )));
        }
        (Task::Number { mean, std }, _) => {
            let numbers = table.with_values().ok_or_else(|| {
                Failure::new(format!(
                    "{name}: the network gives numbers, but the column {} has text",
                    table.target_name
                ))
            })?;
            scaled_numbers(numbers.targets(), *mean, *std)
        }
    };
    Ok(Rows { features, targets })
}

/// Options for one data set are wrong for another.
fn check(source: &Source) -> Result<()> {
    let csv = source.data == DataName::Csv;
    if !csv && (source.csv.is_some() || source.target.is_some()) {
        let option = if source.csv.is_some() { "--csv" } else { "--target" };
        return Err(Failure::new(format!("{option} goes with --data csv, not with --data {}", source.data.name())));
    }
    if source.data != DataName::Mnist && source.data_dir.is_some() {
        return Err(Failure::new(format!("--data-dir goes with --data mnist, not with --data {}", source.data.name())));
    }
    Ok(())
}

fn wanted<'a>(path: Option<&'a Path>, sentence: &str) -> Result<&'a Path> {
    path.ok_or_else(|| Failure::new(sentence))
}

fn table(source: &Source) -> Result<(Table, String)> {
    let file =
        wanted(source.csv.as_deref(), "--data csv needs --csv FILE, and --target COLUMN if that is not the last one")?;
    let column = source.target.as_deref().map_or(cresset::data::Column::At(-1), Into::into);
    let name = file.file_stem().map_or_else(|| "csv".into(), |s| s.to_string_lossy().into_owned());
    Ok((CsvReader::new().load(file, column)?, name))
}

/// Divides a table; with `standardize` its columns get mean 0 and standard deviation 1, those of the training rows.
fn split(table: &Table, test: f64, standardize: bool, name: String) -> Result<Data> {
    let (train, test) = table.split(test, SPLIT_SEED);
    if train.len() < 2 || test.is_empty() {
        let n = table.len();
        return Err(Failure::new(format!("{name}: {n} rows are too few to train with some and test with others")));
    }
    let scale = standardize.then(|| Standardizer::fit(&train.features));
    let task = match &train.target {
        Target::Classes { names, .. } => Task::Classes(names.clone()),
        Target::Values(values) => {
            let scale = Standardizer::fit(&values.reshape([values.numel() as isize, 1]));
            Task::Number { mean: scale.mean().item(), std: scale.std().item() }
        }
    };
    let rows = |table: &Table| Rows {
        features: scale.as_ref().map_or_else(|| table.features.clone(), |s| s.apply(&table.features)),
        targets: match &task {
            Task::Classes(_) => table.targets().clone(),
            Task::Number { mean, std } => scaled_numbers(table.targets(), *mean, *std),
        },
    };
    Ok(Data {
        train: rows(&train),
        validation: None,
        test: rows(&test),
        scale: scale.clone(),
        task: task.clone(),
        name,
    })
}

fn scaled_numbers(values: &Tensor, mean: f64, std: f64) -> Tensor {
    ((values - mean) / std).reshape([values.numel() as isize, 1])
}
