//! A table of numbers with a target column.

use crate::dataset::TensorDataset;
use crate::split::{stratified_split, train_test_split};
use cresset_tensor::{DType, Tensor};

/// What is to be learnt from a table: the class of each row, or a number.
#[derive(Clone, Debug)]
pub enum Target {
    /// Classes.
    Classes {
        /// The class of each row, an i64 tensor of shape `[rows]` with values from 0.
        labels: Tensor,
        /// The name of each class, or its number in the file as text.
        names: Vec<String>,
    },
    /// Numbers: an f32 tensor of shape `[rows]`.
    Values(Tensor),
}

/// Rows of numbers and what is to be learnt from them. Made by [`crate::digits`], [`crate::iris`], [`Table::load_csv`] and
/// [`crate::CsvReader`].
///
/// ```
/// let table = cresset_data::iris();
/// assert_eq!((table.len(), table.num_features(), table.num_classes()), (150, 4, Some(3)));
/// let (train, test) = table.split(0.2, 0);
/// assert_eq!((train.len(), test.len()), (120, 30));
/// let (x, y) = train.dataset().tensors().clone();
/// assert_eq!((&x.shape()[..], &y.shape()[..]), (&[120, 4][..], &[120][..]));
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    /// The numbers, an f32 tensor of shape `[rows, columns]`.
    pub features: Tensor,
    /// What is to be learnt.
    pub target: Target,
    /// The names of the columns of `features`: of the header, or the columns' numbers in the file.
    pub feature_names: Vec<String>,
    /// The name of the target's column.
    pub target_name: String,
}

impl Table {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.features.shape()[0]
    }
    /// No rows?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The number of feature columns.
    pub fn num_features(&self) -> usize {
        self.features.shape()[1]
    }
    /// The number of classes, if the target is a class.
    pub fn num_classes(&self) -> Option<usize> {
        self.class_names().map(<[String]>::len)
    }
    /// The names of the classes, if the target is a class.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.target {
            Target::Classes { names, .. } => Some(names),
            Target::Values(_) => None,
        }
    }
    /// The target as a tensor: i64 labels, or f32 numbers.
    pub fn targets(&self) -> &Tensor {
        match &self.target {
            Target::Classes { labels, .. } => labels,
            Target::Values(values) => values,
        }
    }
    /// Rows as samples: `(features, target)`.
    pub fn dataset(&self) -> TensorDataset<(Tensor, Tensor)> {
        TensorDataset::new((self.features.clone(), self.targets().clone()))
    }
    /// The rows at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is out of range.
    #[track_caller]
    pub fn select(&self, indices: &[usize]) -> Table {
        let index = Tensor::from_slice(&indices.iter().map(|&i| i as i64).collect::<Vec<i64>>());
        let target = match &self.target {
            Target::Classes { labels, names } => {
                Target::Classes { labels: labels.index_select(0, &index), names: names.clone() }
            }
            Target::Values(values) => Target::Values(values.index_select(0, &index)),
        };
        Table { features: self.features.index_select(0, &index), target, ..self.clone() }
    }
    /// Rows for training and rows for the test, at random with a seed of its own: `test` is the fraction (rounded up) for the test. If the target
    /// is a class, every class is divided in this proportion ([`stratified_split`]).
    ///
    /// # Panics
    /// If the fraction is not between 0 and 1.
    #[track_caller]
    pub fn split(&self, test: f64, seed: u64) -> (Table, Table) {
        let (train, test) = match &self.target {
            Target::Classes { labels, .. } => stratified_split(&labels.to_vec::<i64>(), test, seed),
            Target::Values(_) => train_test_split(self.len(), test, seed),
        };
        (self.select(&train), self.select(&test))
    }
    /// The same rows with other features, of as many columns: standardised ones, for example.
    ///
    /// # Panics
    /// If the shape is another.
    #[track_caller]
    pub fn with_features(&self, features: Tensor) -> Table {
        if features.shape()[..] != self.features.shape()[..] || features.dtype() != DType::F32 {
            cresset_tensor::error::fail(
                "with_features",
                format!("expected {:?}, got {:?}", self.features.meta(), features.meta()),
            );
        }
        Table { features, ..self.clone() }
    }
    /// The same rows with the target as numbers, where it is classes that were numbers in the file. `None` if they were text.
    pub fn with_values(&self) -> Option<Table> {
        let target = match &self.target {
            Target::Values(_) => self.target.clone(),
            Target::Classes { labels, names } => {
                let numbers: Vec<f32> = names.iter().map(|n| n.parse().ok()).collect::<Option<_>>()?;
                let values: Vec<f32> = labels.to_vec::<i64>().iter().map(|&i| numbers[i as usize]).collect();
                Target::Values(Tensor::from_slice(&values))
            }
        };
        Some(Table { target, ..self.clone() })
    }
}
