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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use crate::passes::{fuse, rows};
    use cresset_tensor::Tensor;
    use cresset_tensor::functional::linear;

    /// A finished forward whose first output is its result, and the same without the other outputs. The result has the
    /// same bits.
    #[track_caller]
    fn both<const N: usize>(x: Tensor, f: impl FnOnce(&Tensor) -> [Tensor; N]) -> [Graph; 2] {
        let x = [x];
        let mut whole = recorded(&x, |x| f(&x[0]));
        fuse::run(&mut whole);
        rows::run(&mut whole);
        let mut lean = whole.clone();
        run(&mut lean, 1);
        assert_eq!(results(&lean, &x), results(&whole, &x)[..1]);
        [whole, lean]
    }

    #[test]
    fn kept_values_are_not_written_any_more() {
        let [whole, lean] = both(numbers(&[3, 4]), |x| {
            let (a, b) = (x.sin(), x.cos());
            [(&a * &b).sum(), a, b.softmax(0)]
        });
        assert_eq!(names(&whole), ["sin+cos+mul+sum", "softmax"]);
        assert_eq!(whole.nodes[0].outputs.len(), 3);
        assert_eq!(names(&lean), ["sin+cos+mul+sum"]);
        let Kind::Fused(f) = &lean.nodes[0].kind else { panic!("steps in one pass") };
        assert_eq!((f.ends.len(), &f.sums[..], &lean.nodes[0].outputs), (1, &[Some(1.0)][..], &lean.outputs));
    }

    #[test]
    fn chains_write_only_what_is_read() {
        let w = numbers(&[64, 64]);
        let [whole, lean] = both(numbers(&[1024, 64]), |x| {
            let y = linear(x, &w, None);
            let (s, c) = (y.sin(), y.cos());
            let z = linear(&(&s * &c), &w, None);
            [linear(&z, &w, None), y, c, s, z]
        });
        assert_eq!(names(&whole), ["linear, sin+cos+mul, linear, linear"]);
        assert_eq!((whole.nodes[0].outputs.len(), &lean.nodes[0].outputs), (5, &lean.outputs));
        let Kind::Rows(chain) = &lean.nodes[0].kind else { panic!("layers in a chain") };
        let stored = |stage: &RowStage| match stage {
            RowStage::Product { stored, .. } => vec![*stored],
            RowStage::Steps { stored, fused, along, .. } => {
                assert_eq!((fused.ends.len(), fused.sums.len(), *along), (1, 1, 0));
                stored.clone()
            }
        };
        let all: Vec<_> = chain.stages.iter().map(stored).collect();
        assert_eq!(all, [[None], [None], [None], [Some(0)]]);
    }

    #[test]
    fn what_the_results_need_and_what_comes_together_stay() {
        let [whole, lean] = both(numbers(&[3, 4]), |x| {
            let a = x.sin() * 2.0;
            let (most, place) = a.max_dim(1, false);
            [most, a, place]
        });
        assert_eq!(names(&lean), names(&whole));
        assert!(lean.nodes.iter().zip(&whole.nodes).all(|(a, b)| a.outputs == b.outputs));
    }
}
