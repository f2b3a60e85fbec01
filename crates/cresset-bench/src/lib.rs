//! cresset's side of the comparison of speed with PyTorch: named workloads, each a set-up and one step that is repeated and timed.
//!
//! The other side, and the program that runs both in turn, stand in `tools/bench`. Models are written as a user of the library
//! would write them.

mod compiled;
pub mod convolution;
pub mod dense;
pub mod edges;
pub mod kernels;
pub mod measure;
pub mod report;
pub mod scaling;
pub mod workload;

pub use workload::{Setup, Step, Workload};

/// All workloads, group by group.
pub fn workloads() -> Vec<Workload> {
    [
        dense::workloads(),
        kernels::workloads(),
        convolution::workloads(),
        edges::workloads(),
        compiled::workloads(),
        scaling::workloads(),
    ]
    .concat()
}

/// The workload of a name.
pub fn find(name: &str) -> Option<Workload> {
    workloads().into_iter().find(|w| w.name == name)
}
