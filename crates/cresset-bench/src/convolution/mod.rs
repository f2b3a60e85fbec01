//! Group 3: convolutions.

mod conv;
mod lenet;
mod resnet18;

use crate::Workload;

/// The workloads of this group.
pub fn workloads() -> Vec<Workload> {
    [lenet::workloads(), conv::workloads(), resnet18::workloads()].concat()
}
