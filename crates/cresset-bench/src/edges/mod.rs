//! Group 4: around the edges.

mod files;
mod overhead;

use crate::Workload;

/// The workloads of this group.
pub fn workloads() -> Vec<Workload> {
    [overhead::workloads(), files::workloads()].concat()
}
