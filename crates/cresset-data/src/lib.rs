//! Data sets, samplers and the data loader of cresset, as `torch.utils.data` has them, and data to begin with: [`digits`], [`iris`], [`Mnist`] and
//! tables of numbers in CSV files ([`Table`]).
//!
//! A fault of the data is an [`Error`] with one sentence; a mistake in the program panics, as everywhere in cresset. The random order of an
//! epoch is PyTorch's for the same seed.

mod collate;
mod dataset;
mod error;
mod files;
mod loader;
mod sampler;
mod split;
mod standardize;
mod table;
pub mod transforms;

pub use collate::Collate;
pub use dataset::{
    ConcatDataset, Dataset, ListDataset, MapDataset, SplitLengths, Subset, TensorDataset, Tensors, random_split,
};
pub use error::Error;
pub use files::csv::{Column, CsvReader};
pub use files::csv_columns::{Columns, save_csv};
pub use files::embedded::{digits, iris};
pub use files::idx::{Idx, read_idx};
pub use files::mnist::Mnist;
pub use loader::{DataLoader, Iter};
pub use sampler::{
    BatchSampler, DistributedSampler, Indices, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler,
    WeightedRandomSampler,
};
pub use split::{stratified_split, train_test_split};
pub use standardize::Standardizer;
pub use table::{Table, Target};
