//! What only a backward reads: taken out of a finished forward, whose jobs otherwise stay as they are, so that its results have the same bits.

use super::dead;
use crate::graph::{Graph, Kind, RowStage};

/// Leaves the first `results` outputs, and what they need.
pub fn run(graph: &mut Graph, results: usize) {
    graph.outputs.truncate(results);
    dead::run(graph);
    let uses = graph.uses();
    for node in &mut graph.nodes {
        let read: Vec<bool> = node.outputs.iter().map(|v| uses[*v] > 0).collect();
        match &mut node.kind {
            Kind::Fused(f) => {
                keep(&mut f.ends, &read);
                keep(&mut f.sums, &read);
            }
            Kind::Rows(chain) => {
                // The place that each output has among those that stay.
                let mut next = 0..;
                let places: Vec<Option<usize>> = read.iter().map(|r| r.then(|| next.next()).flatten()).collect();
                for stage in &mut chain.stages {
                    match stage {
                        RowStage::Product { stored, .. } => *stored = stored.and_then(|o| places[o]),
                        RowStage::Steps { fused, stored, along, .. } => {
                            let stays: Vec<bool> =
                                (0..stored.len()).map(|k| k == *along || stored[k].is_some_and(|o| read[o])).collect();
                            *along = stays[..*along].iter().filter(|s| **s).count();
                            keep(&mut fused.ends, &stays);
                            keep(&mut fused.sums, &stays);
                            keep(stored, &stays);
                            stored.iter_mut().for_each(|s| *s = s.and_then(|o| places[o]));
                        }
                    }
                }
            }
            // Their results come together.
            Kind::Op(_) | Kind::Gradient(_) => continue,
        }
        keep(&mut node.outputs, &read);
    }
}

/// Keeps the elements whose answer is yes.
fn keep<T>(all: &mut Vec<T>, answers: &[bool]) {
    let mut answers = answers.iter();
    all.retain(|_| *answers.next().expect("an answer for each"));
}
