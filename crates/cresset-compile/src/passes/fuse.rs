//! Fusion: pointwise nodes over one shape become one node that makes one pass over memory, with a sum at its end where one follows.

use crate::graph::{Fused, Graph, Kind, is_own};
use cresset_kernels::map::fused::Step;
use cresset_tensor::Meta;
use std::collections::HashMap;

/// A set of node numbers.
#[derive(Clone)]
struct Set(Vec<u64>);
impl Set {
    fn new(n: usize) -> Set {
        Set(vec![0; n.div_ceil(64)])
    }
    fn insert(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }
    fn contains(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }
    fn add(&mut self, other: &Set) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }
    fn meets(&self, other: &Set) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

/// Steps in one pass beyond this number no longer share a first-level cache.
const MOST_STEPS: usize = 256;
/// Tensors that one pass may read.
const MOST_INPUTS: usize = 24;

/// Joins the pointwise nodes of a graph.
pub fn run(graph: &mut Graph) {
    let n = graph.nodes.len();
    let producers = graph.producers();
    let fused: Vec<Option<Fused>> = graph.nodes.iter().map(|node| graph.as_fused(node)).collect();
    // What must run before each node, its group's other members' needs included.
    let mut before: Vec<Set> = Vec::with_capacity(n);
    let mut group: Vec<usize> = (0..n).collect();
    let mut members: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    let mut last_effect = None;
    for i in 0..n {
        let mut needs = Set::new(n);
        let made: Vec<usize> = graph.nodes[i].inputs.iter().filter_map(|v| producers[*v]).collect();
        for &p in &made {
            needs.add(&before[p]);
            members[group[p]].iter().for_each(|m| needs.insert(*m));
        }
        // Effects keep their order, so that a group must not reach around them either.
        if (graph.nodes[i].effects || graph.nodes[i].writes)
            && let Some(e) = last_effect.replace(i)
        {
            needs.add(&before[e]);
            needs.insert(e);
        }
        before.push(needs);
        let Some(own) = &fused[i] else { continue };
        // Nodes that read the same values join, too: one pass over them instead of two.
        let siblings =
            (0..i).rev().filter(|k| graph.nodes[*k].inputs.iter().any(|v| graph.nodes[i].inputs.contains(v)));
        let candidates: Vec<usize> = made.iter().copied().chain(siblings).collect();
        for candidate in candidates {
            let target = group[candidate];
            if group[i] == target {
                continue;
            }
            let (Some(head), together) = (&fused[members[target][0]], &members[target]) else { continue };
            let own_members = members[group[i]].clone();
            let same = head.shape == own.shape && head.dtype == own.dtype;
            let steps: usize =
                together.iter().chain(&own_members).map(|m| fused[*m].as_ref().map_or(0, |f| f.steps.len())).sum();
            let mut inputs: Vec<usize> =
                together.iter().chain(&own_members).flat_map(|m| graph.nodes[*m].inputs.iter().copied()).collect();
            inputs.sort_unstable();
            inputs.dedup();
            if !same || steps > MOST_STEPS || inputs.len() > MOST_INPUTS {
                continue;
            }
            // No node outside may stand between the members of the joined group.
            let mut joined = Set::new(n);
            together.iter().chain(&own_members).for_each(|m| joined.insert(*m));
            let mut all_before = before[i].clone();
            together.iter().chain(&own_members).for_each(|m| all_before.add(&before[*m]));
            let between = (0..=i).any(|k| !joined.contains(k) && all_before.contains(k) && before[k].meets(&joined));
            if between {
                continue;
            }
            let from = group[i];
            let moved = std::mem::take(&mut members[from]);
            moved.iter().for_each(|m| group[*m] = target);
            members[target].extend(moved);
            // Whoever comes after a member comes after all that the group needs.
            let mut wider = all_before;
            wider.add(&joined);
            for k in 0..=i {
                if joined.contains(k) {
                    before[k].add(&wider);
                } else if before[k].meets(&joined) {
                    let wider = wider.clone();
                    before[k].add(&wider);
                }
            }
        }
    }
    rebuild(graph, &members, &fused);
    sums(graph);
}

/// Replaces the nodes by their groups, in an order in which they can run.
fn rebuild(graph: &mut Graph, members: &[Vec<usize>], fused: &[Option<Fused>]) {
    let producers = graph.producers();
    let old = std::mem::take(&mut graph.nodes);
    let mut of_node = vec![0; old.len()];
    let groups: Vec<Vec<usize>> = members
        .iter()
        .filter(|m| !m.is_empty())
        .map(|m| {
            let mut m = m.clone();
            m.sort_unstable();
            m
        })
        .collect();
    for (g, m) in groups.iter().enumerate() {
        m.iter().for_each(|n| of_node[*n] = g);
    }
    // Each group waits for its inputs' groups; nodes with effects also for the one before.
    let mut waits: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    let mut last_effect = None;
    for (n, node) in old.iter().enumerate() {
        let g = of_node[n];
        waits[g].extend(node.inputs.iter().filter_map(|v| producers[*v]).map(|p| of_node[p]).filter(|p| *p != g));
        if node.effects || node.writes {
            waits[g].extend(last_effect.filter(|e| *e != g));
            last_effect = Some(g);
        }
    }
    let mut order: Vec<usize> = Vec::new();
    let mut done = vec![false; groups.len()];
    let mut todo: Vec<usize> = (0..groups.len()).collect();
    // By first member, so that the order is that of the program wherever it can be.
    todo.sort_unstable_by_key(|g| groups[*g][groups[*g].len() - 1]);
    while !todo.is_empty() {
        let at = todo.iter().position(|g| waits[*g].iter().all(|w| done[*w]));
        let g = todo.remove(at.expect("groups do not wait for each other in a circle"));
        done[g] = true;
        order.push(g);
    }
    let uses = {
        let mut uses: HashMap<usize, Vec<usize>> = HashMap::new();
        for (n, node) in old.iter().enumerate() {
            node.inputs.iter().for_each(|v| uses.entry(*v).or_default().push(of_node[n]));
        }
        uses
    };
    for g in order {
        let nodes = &groups[g];
        // One op alone has a loop of its own, which keeps all its steps in registers.
        if fused[nodes[0]].is_none() || nodes.len() == 1 && matches!(old[nodes[0]].kind, Kind::Op(_)) {
            graph.nodes.push(old[nodes[0]].clone());
            continue;
        }
        let outside =
            |v: &usize| graph.outputs.contains(v) || uses.get(v).is_some_and(|u| u.iter().any(|user| *user != g));
        let first = fused[nodes[0]].as_ref().expect("a group of pointwise nodes");
        let (shape, dtype) = (first.shape, first.dtype);
        let mut joined = Fused { steps: vec![], ends: vec![], sums: vec![], names: vec![], shape, dtype };
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut steps = Steps::default();
        let mut place: HashMap<usize, usize> = HashMap::new();
        for &n in nodes {
            let part = fused[n].as_ref().expect("a group of pointwise nodes");
            let here = steps.join(&part.steps, &old[n].inputs, &place, &mut inputs);
            joined.names.extend(&part.names);
            for (v, end) in old[n].outputs.iter().zip(&part.ends) {
                place.insert(*v, here[*end]);
                if outside(v) {
                    outputs.push(*v);
                    joined.ends.push(here[*end]);
                    joined.sums.push(None);
                }
            }
        }
        joined.steps = steps.list;
        let mut node = old[nodes[0]].clone();
        node.kind = Kind::Fused(joined);
        (node.inputs, node.outputs) = (inputs, outputs);
        node.grad = nodes.iter().any(|n| old[*n].grad);
        nodes.iter().for_each(|n| node.joins(&old[*n].modules));
        graph.nodes.push(node);
    }
}

/// A list of steps in which each stands once.
#[derive(Default)]
struct Steps {
    list: Vec<Step>,
    places: HashMap<String, usize>,
}
impl Steps {
    /// Adds the steps of a part that reads `values`; `known` are values that are computed here already. Gives the new place of each step.
    fn join(
        &mut self,
        part: &[Step],
        values: &[usize],
        known: &HashMap<usize, usize>,
        inputs: &mut Vec<usize>,
    ) -> Vec<usize> {
        let mut here: Vec<usize> = Vec::with_capacity(part.len());
        for step in part {
            let new = match *step {
                Step::Input(k) | Step::Truth(k) => {
                    let v = values[k];
                    if let Some(&p) = known.get(&v) {
                        here.push(p);
                        continue;
                    }
                    let at = inputs.iter().position(|i| *i == v).unwrap_or_else(|| {
                        inputs.push(v);
                        inputs.len() - 1
                    });
                    if matches!(step, Step::Truth(_)) { Step::Truth(at) } else { Step::Input(at) }
                }
                Step::Const(v) => Step::Const(v),
                Step::One(f, a) => Step::One(f, here[a]),
                Step::Two(f, a, b) => Step::Two(f, here[a], here[b]),
                Step::Fma(a, b, c) => Step::Fma(here[a], here[b], here[c]),
                Step::Ask(f, a, b) => Step::Ask(f, here[a], here[b]),
                Step::And(a, b) => Step::And(here[a], here[b]),
                Step::Or(a, b) => Step::Or(here[a], here[b]),
                Step::Not(a) => Step::Not(here[a]),
                Step::Select(m, a, b) => Step::Select(here[m], here[a], here[b]),
            };
            here.push(*self.places.entry(format!("{new:?}")).or_insert_with(|| {
                self.list.push(new);
                self.list.len() - 1
            }));
        }
        here
    }
}

/// A sum or mean of all elements of what a fused node computes becomes part of it.
fn sums(graph: &mut Graph) {
    let producers = graph.producers();
    let uses = graph.uses();
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Kind::Op(op) = &node.kind else { continue };
        let factor = if is_own(op, "mean") {
            Some(())
        } else if is_own(op, "sum") {
            None
        } else {
            continue;
        };
        let (x, y) = (node.inputs[0], node.outputs[0]);
        let (from, to): (Meta, Meta) = (graph.values[x].meta, graph.values[y].meta);
        let Some(p) = producers[x] else { continue };
        let whole = node.inputs.len() == 1 && node.outputs.len() == 1 && to.numel() == 1 && from.numel() > 0;
        if !whole || from.dtype != to.dtype || node.effects {
            continue;
        }
        let count = from.numel() as f64;
        let alone = uses[x] == 1;
        let Some(at) = graph.nodes[p].outputs.iter().position(|v| *v == x) else { continue };
        if let Some(fused) = graph.as_fused(&graph.nodes[p]) {
            graph.nodes[p].kind = Kind::Fused(fused);
        }
        let Kind::Fused(f) = &mut graph.nodes[p].kind else { continue };
        let end = f.ends[at];
        if f.steps[end].is_truth() || f.shape.numel() != from.numel() {
            continue;
        }
        f.names.push(op_name(factor.is_some()));
        let scale = Some(if factor.is_some() { 1.0 / count } else { 1.0 });
        if alone {
            f.sums[at] = scale;
            graph.nodes[p].outputs[at] = y;
        } else {
            f.ends.push(end);
            f.sums.push(scale);
            graph.nodes[p].outputs.push(y);
        }
        graph.nodes[n].outputs.clear();
        let modules = graph.nodes[n].modules.clone();
        graph.nodes[p].joins(&modules);
    }
    graph.nodes.retain(|n| !n.outputs.is_empty() || n.effects || n.writes);
}

fn op_name(mean: bool) -> &'static str {
    if mean { "mean" } else { "sum" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{names, numbers, recorded, results};
    use cresset_tensor::functional::dropout;
    use cresset_tensor::{DType, Tensor, where_};

    /// The graph after the pass. The numbers stay as they were, except for the rounding of sums.
    #[track_caller]
    fn after<const N: usize>(f: impl FnOnce(&Tensor) -> [Tensor; N]) -> Graph {
        let x = [numbers(&[3, 4])];
        let mut graph = recorded(&x, |x| f(&x[0]));
        let before = results(&graph, &x);
        run(&mut graph);
        let after = results(&graph, &x);
        for (a, b) in after.iter().flatten().zip(before.iter().flatten()) {
            assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{a} for {b}");
        }
        graph
    }

    #[test]
    fn pointwise_nodes_of_one_shape_become_one_that_writes_only_what_others_read() {
        let graph = after(|x| {
            let (a, b) = (x.sin(), x.cos());
            let c = &a * &b;
            [c.exp(), c.softmax(0), a]
        });
        assert_eq!(names(&graph), ["sin+cos+mul+exp", "softmax"]);
        let node = &graph.nodes[0];
        assert_eq!(
            (node.inputs.len(), &node.outputs[..]),
            (1, &[graph.outputs[2], graph.nodes[1].inputs[0], graph.outputs[0]][..])
        );
    }

    #[test]
    fn other_shapes_other_dtypes_and_single_ops_stay_apart() {
        let row = numbers(&[4]);
        // A row is read by the pass over all rows, but what is computed of it once is not computed for each.
        assert_eq!(names(&after(|x| [(x * &row.sin()).cos()])), ["sin", "mul+cos"]);
        // Truth values of wider numbers.
        let wide = after(|x| [where_(&(x.to_dtype(DType::F64) * 2.0).gt(0.1), x.sin(), x.cos())]);
        assert_eq!(names(&wide)[1..], ["mul+gt", "sin+cos+where"]);
        // It has a loop of its own, which is faster.
        assert!(matches!(after(|x| [x.sin()]).nodes[0].kind, Kind::Op(_)));
    }

    #[test]
    fn no_group_reaches_around_a_node_that_reads_one_of_it_and_gives_to_another() {
        let graph = after(|x| {
            let a = x.sin();
            [&a * &a.softmax(0).cos()]
        });
        assert_eq!(names(&graph), ["sin", "softmax", "cos+mul"]);
    }

    #[test]
    fn equal_steps_are_computed_once() {
        let graph = after(|x| [(x.sin() * 0.5) + (x.sin() * 0.5)]);
        let Kind::Fused(f) = &graph.nodes[0].kind else { panic!("steps in one pass") };
        let count = |kind: fn(&Step) -> bool| f.steps.iter().filter(|s| kind(s)).count();
        assert_eq!((count(|s| matches!(s, Step::Input(_))), count(|s| matches!(s, Step::One(..)))), (1, 1));
    }

    #[test]
    fn draws_keep_their_order_and_no_group_reaches_around_two_of_them() {
        let around = after(|x| {
            let a = x.exp();
            let e = dropout(&a, 0.5, true);
            // It reads nothing that the first draw gave, but must not come before it.
            let b = &a * &x.rand_like();
            [&e + &b, Tensor::rand([3])]
        });
        // The first draw waits for a group that ends after the second.
        let late = after(|x| [dropout(&x.sin(), 0.5, true), Tensor::rand([3]), x.cos()]);
        for (graph, count) in [(around, 3), (late, 2)] {
            let drawn: Vec<&Vec<usize>> = graph.nodes.iter().filter(|n| n.effects).map(|n| &n.outputs).collect();
            assert!(drawn.len() == count && drawn.is_sorted(), "{drawn:?}");
        }
    }

    #[test]
    fn a_sum_or_mean_of_all_becomes_part_of_the_pass() {
        assert_eq!(names(&after(|x| [x.sin().sum()])), ["sin+sum"]);
        let both = after(|x| {
            let a = x.sin();
            [a.mean(), a]
        });
        assert_eq!(
            (names(&both), &both.nodes[0].outputs[..]),
            (vec!["sin+mean".into()], &[both.outputs[1], both.outputs[0]][..])
        );
        // Not of parts, and not of truth values, which are counted.
        assert_eq!(names(&after(|x| [x.sin().sum_dim(0, false), x.gt(0.0).sum()])), ["sin+gt", "sum", "sum"]);
    }

    #[test]
    fn a_pass_reads_no_more_than_it_can() {
        let others: Vec<Tensor> = (0..MOST_INPUTS + 8).map(|_| numbers(&[3, 4])).collect();
        let graph = after(|x| [others.iter().fold(x.sin(), |sum, x| &sum + x)]);
        assert!(graph.nodes.len() > 1 && graph.nodes.iter().all(|n| n.inputs.len() <= MOST_INPUTS));
    }
}
