//! Data sets, samplers, the loader and the readers of files.

mod csv;
mod dataset;
mod golden;
mod loader;
mod mnist;
