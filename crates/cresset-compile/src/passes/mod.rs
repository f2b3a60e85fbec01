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

#[cfg(test)]
mod testing {
    use crate::graph::Graph;
    use crate::plan::Plan;
    use cresset_tensor::record::record;
    use cresset_tensor::{Array, DType, Tensor};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A draw by another test during a recording would look like one of the op's own.
    fn alone() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The graph of a function as it was recorded.
    pub fn recorded<const N: usize>(inputs: &[Tensor], f: impl FnOnce(&[Tensor]) -> [Tensor; N]) -> Graph {
        let _alone = alone();
        let (outputs, recording) = record(|| f(inputs)).unwrap_or_else(|why| panic!("{why}"));
        Graph::of(&recording, inputs, &outputs).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The nodes, in order.
    pub fn names(graph: &Graph) -> Vec<String> {
        graph.nodes.iter().map(|n| n.name()).collect()
    }

    /// The numbers of all results.
    pub fn results(graph: &Graph, inputs: &[Tensor]) -> Vec<Vec<f64>> {
        let _alone = alone();
        cresset_tensor::manual_seed(0);
        let arrays: Vec<Array> = inputs.iter().map(Tensor::array).collect();
        Plan::of(graph, graph.outputs.len()).run(&arrays, vec![]).iter().map(|a| a.to(DType::F64).to_vec()).collect()
    }

    /// Numbers between -1 and 1, none of them zero.
    pub fn numbers(shape: &[usize]) -> Tensor {
        let n = shape.iter().product();
        let all: Vec<f32> = (0..n).map(|i| ((i * 37 + 11) % 64) as f32 / 32.0 - 63.0 / 64.0).collect();
        Tensor::from_vec(all, shape)
    }
}
