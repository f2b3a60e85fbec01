//! What makes a graph smaller and faster. Each pass leaves a graph that computes the same.

pub mod common;
pub mod dead;
pub mod epilogue;
pub mod fold;
pub mod fuse;
pub mod norm;
pub mod rows;
pub mod unkept;

use crate::graph::Graph;

/// All passes over a forward graph. `inference`: no gradient will be asked for.
pub fn forward(graph: &mut Graph, inference: bool) {
    fold::run(graph);
    common::run(graph);
    if inference {
        norm::run(graph);
    }
    dead::run(graph);
}
