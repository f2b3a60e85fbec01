//! Chains of layers: products with matrices and the pointwise steps between them take some rows at a time through all of them.

use crate::graph::{Graph, Kind, Node, RowChain, RowStage};
use cresset_tensor::DType;

/// Joins layers that follow each other where nobody else reads what is between them.
pub fn run(graph: &mut Graph) {
    let uses = graph.uses();
    let mut gone = vec![false; graph.nodes.len()];
    for n in 0..graph.nodes.len() {
        if gone[n] {
            continue;
        }
        let Some(mut found) = Found::begin(graph, n) else { continue };
        // The next layer is the first reader. Others may read what is between the layers, but only when the chain has run.
        while let Some(next) = (n + 1..graph.nodes.len()).find(|k| found.is_read_by(graph, *k))
            && !gone[next]
            && found.take(graph, next)
        {}
        found.mark_stored(graph, &uses);
        let products = found.chain.stages.iter().filter(|s| matches!(s, RowStage::Product { .. })).count();
        // A product alone is best done as one. What is small stays in a cache anyway.
        if found.nodes.len() < 2 || products == 0 || !found.is_large() {
            continue;
        }
        let last = *found.nodes.last().expect("at least two");
        found.nodes.iter().filter(|k| **k != last).for_each(|k| gone[*k] = true);
        let modules: Vec<Vec<u64>> = found.nodes.iter().map(|k| graph.nodes[*k].modules.clone()).collect();
        let node = &mut graph.nodes[last];
        modules.iter().for_each(|m| node.joins(m));
        node.kind = Kind::Rows(found.chain);
        (node.inputs, node.outputs) = (found.inputs, found.outputs);
    }
    let mut gone = gone.into_iter();
    graph.nodes.retain(|_| !gone.next().expect("one for each node"));
}

/// A chain in the making.
struct Found {
    chain: RowChain,
    nodes: Vec<usize>,
    inputs: Vec<usize>,
    /// What the layers give.
    results: Vec<Vec<usize>>,
    outputs: Vec<usize>,
    end: usize,
}

impl Found {
    /// A chain of one product.
    fn begin(graph: &Graph, n: usize) -> Option<Found> {
        let node = &graph.nodes[n];
        let x = graph.values[*node.inputs.first()?].meta;
        let width = *x.shape.last()?;
        let chain = RowChain { stages: vec![], rows: x.numel() / width.max(1), width, dtype: x.dtype, names: vec![] };
        let mut found = Found {
            chain,
            nodes: vec![],
            inputs: vec![node.inputs[0]],
            results: vec![],
            outputs: vec![],
            end: node.inputs[0],
        };
        let large = matches!(x.dtype, DType::F32 | DType::F64) && x.numel() > 0;
        (large && matches!(node.kind, Kind::Op(_)) && found.take(graph, n)).then_some(found)
    }

    /// Is there more between the layers than a first-level cache and a bit hold?
    fn is_large(&self) -> bool {
        let between = self.chain.stages.iter().map(|s| match s {
            RowStage::Product { width, .. } | RowStage::Steps { width, .. } => *width,
        });
        between.max().unwrap_or(0) * self.chain.rows * self.chain.dtype.size() > 128 << 10
    }

    fn width(&self) -> usize {
        match self.chain.stages.last() {
            None => self.chain.width,
            Some(RowStage::Product { width, .. } | RowStage::Steps { width, .. }) => *width,
        }
    }

    /// Is the value the end of the chain, or one of its results?
    fn gives(&self, v: usize) -> bool {
        v == self.end || self.results.iter().flatten().any(|r| *r == v)
    }

    /// Does the node read something that the chain gives?
    fn is_read_by(&self, graph: &Graph, n: usize) -> bool {
        !self.nodes.contains(&n) && graph.nodes[n].inputs.iter().any(|v| self.results.iter().flatten().any(|r| r == v))
    }

    /// Makes outputs of all results that others than the next layer read. Every result of several is one, except what goes on.
    fn mark_stored(&mut self, graph: &Graph, uses: &[usize]) {
        let count = self.chain.stages.len();
        for (i, (stage, results)) in self.chain.stages.iter_mut().zip(&self.results).enumerate() {
            let next = self.nodes.get(i + 1).map(|n| &graph.nodes[*n].inputs);
            for (k, v) in results.iter().enumerate() {
                let inside = next.map_or(0, |inputs| inputs.iter().filter(|i| *i == v).count());
                let goes_on = match stage {
                    RowStage::Product { .. } => true,
                    RowStage::Steps { along, .. } => k == *along,
                };
                if i + 1 == count || uses[*v] > inside || !goes_on {
                    self.outputs.push(*v);
                    let place = Some(self.outputs.len() - 1);
                    match stage {
                        RowStage::Product { stored, .. } => *stored = place,
                        RowStage::Steps { stored, .. } => stored[k] = place,
                    }
                }
            }
        }
    }

    fn input(&mut self, v: usize) -> usize {
        self.inputs.iter().position(|i| *i == v).unwrap_or_else(|| {
            self.inputs.push(v);
            self.inputs.len() - 1
        })
    }

    /// Takes a node that reads the end of the chain as its next layer, if it is one.
    fn take(&mut self, graph: &Graph, n: usize) -> bool {
        let node = &graph.nodes[n];
        if node.effects || node.writes || node.outputs.is_empty() {
            return false;
        }
        let out = graph.values[node.outputs[0]].meta;
        let rows = out.shape.split_last().map(|(w, rows)| (*w, rows.iter().product::<usize>()));
        if out.dtype != self.chain.dtype || rows.is_none_or(|(_, rows)| rows != self.chain.rows) {
            return false;
        }
        let stage = match &node.kind {
            Kind::Op(op) => self.product(graph, node, op.row_product()),
            Kind::Fused(_) => self.steps(graph, node),
            _ => None,
        };
        let Some(stage) = stage else { return false };
        self.chain.stages.push(stage);
        self.chain.names.push(node.name());
        self.nodes.push(n);
        // Of several results one of numbers goes on: the one that a later product reads, else the last.
        let numbers = |v: &&usize| graph.values[**v].meta.dtype == self.chain.dtype;
        let product = |v: &&usize| {
            graph.nodes[n + 1..]
                .iter()
                .any(|k| matches!(&k.kind, Kind::Op(op) if op.row_product().is_some() && k.inputs[0] == **v))
        };
        let candidates = || node.outputs.iter().filter(numbers);
        let Some(end) = candidates().find(product).or(candidates().next_back()) else { return false };
        self.end = *end;
        if let Some(RowStage::Steps { along, .. }) = self.chain.stages.last_mut() {
            *along = node.outputs.iter().position(|v| v == end).unwrap_or(0);
        }
        self.results.push(node.outputs.clone());
        true
    }

    fn product(
        &mut self,
        graph: &Graph,
        node: &Node,
        product: Option<cresset_tensor::op::RowProduct>,
    ) -> Option<RowStage> {
        let product = product?;
        let [x, w, bias @ ..] = &node.inputs[..] else { return None };
        let meta = |v: &usize| graph.values[*v].meta;
        let fits = |v: &usize| !self.gives(*v) && meta(v).dtype == self.chain.dtype;
        if *x != self.end || meta(w).ndim() != 2 || !fits(w) || !bias.iter().all(fits) {
            return None;
        }
        let shape = meta(w).shape;
        let (inner, width) = if product.transposed { (shape[1], shape[0]) } else { (shape[0], shape[1]) };
        if inner != self.width() || inner == 0 || width == 0 {
            return None;
        }
        let weight = self.input(*w);
        let bias = bias.first().map(|b| self.input(*b));
        Some(RowStage::Product { weight, bias, product, width, stored: None })
    }

    fn steps(&mut self, graph: &Graph, node: &Node) -> Option<RowStage> {
        let Kind::Fused(fused) = &node.kind else { return None };
        let width = self.width();
        let shape = |v: usize| graph.values[v].meta.shape;
        // One result for every number; everything else is one row, or one number, for all rows.
        let same = |v: &usize| {
            let meta = graph.values[*v].meta;
            let row = meta.shape.last() == Some(&width) && meta.numel() == width;
            !self.gives(*v) && meta.dtype == self.chain.dtype && (meta.numel() == 1 || row)
        };
        let [x, others @ ..] = &node.inputs[..] else { return None };
        let plain = fused.sums.iter().all(Option::is_none) && fused.dtype == Some(self.chain.dtype);
        if *x != self.end || !plain || fused.shape != shape(*x) || !others.iter().all(same) {
            return None;
        }
        let others: Vec<usize> = others.iter().map(|v| self.input(*v)).collect();
        Some(RowStage::Steps {
            fused: Box::new(fused.clone()),
            others,
            width,
            stored: vec![None; fused.ends.len()],
            along: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::fuse;
    use crate::passes::testing::{names, numbers, recorded, results};
    use cresset_tensor::Tensor;
    use cresset_tensor::functional::linear;

    /// Rows of 64: more numbers between two layers than are left to a cache.
    const MANY: usize = 1024;

    /// The graph after the pass; the numbers stay as they were.
    #[track_caller]
    fn after<const N: usize>(rows: usize, f: impl FnOnce(&Tensor, &Tensor) -> [Tensor; N]) -> Graph {
        let (x, w) = ([numbers(&[rows, 64])], numbers(&[64, 64]));
        let mut graph = recorded(&x, |x| f(&x[0], &w));
        fuse::run(&mut graph);
        let before = results(&graph, &x);
        run(&mut graph);
        for (a, b) in results(&graph, &x).iter().zip(&before) {
            let size = b.iter().fold(1.0f64, |m, b| m.max(b.abs()));
            // The chain's products add in another order.
            a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 1e-5 * size, "{a} for {b}"));
        }
        graph
    }

    #[test]
    fn layers_and_the_steps_between_them_become_one_node() {
        let graph = after(MANY, |x, w| [linear(&(linear(x, w, None).sin() * 0.5), w, None)]);
        assert_eq!(names(&graph), ["linear, sin+mul, linear"]);
        assert_eq!((graph.nodes[0].inputs.len(), graph.nodes[0].outputs.len()), (2, 1));
    }

    #[test]
    fn single_products_steps_alone_and_few_rows_stay_as_they_are() {
        let two = |x: &Tensor, w: &Tensor| [linear(&linear(x, w, None), w, None)];
        assert_eq!(names(&after(8, two)), ["linear", "linear"]);
        assert_eq!(names(&after(MANY, two)), ["linear, linear"]);
        assert_eq!(names(&after(MANY, |x, w| [linear(x, w, None)])), ["linear"]);
        assert_eq!(names(&after(MANY, |x, _| [(x.sin() * 2.0).softmax(1)])), ["sin+mul", "softmax"]);
    }

    #[test]
    fn what_others_read_between_the_layers_is_written() {
        let graph = after(MANY, |x, w| {
            let y = linear(x, w, None);
            let z = linear(&y, w, None);
            [y.softmax(1), z, y]
        });
        assert_eq!(names(&graph), ["linear, linear", "softmax"]);
        assert_eq!(graph.nodes[0].outputs, [graph.outputs[2], graph.outputs[1]]);
    }

    #[test]
    fn a_chain_ends_where_the_next_layer_needs_more_than_its_rows() {
        // A weight made of what the first layer gives.
        let weight = after(MANY, |x, w| {
            let y = linear(x, w, None);
            let scaled = w * &y.sum_dim(0, false).softmax(0);
            [linear(&y, &scaled, None)]
        });
        assert!(weight.nodes.iter().all(|n| !matches!(n.kind, Kind::Rows(_))));
        // Other rows beside them: of three single layers none is worth a chain.
        let rest = after(MANY, |x, w| [linear(&((linear(x, w, None) + x).sin()), w, None)]);
        assert_eq!(names(&rest), ["linear", "add+sin", "linear"]);
        // The first layer's own result as a weight.
        let own = after(MANY, |x, w| {
            let y = linear(x, w, None);
            [linear(&y, &y, None)]
        });
        assert_eq!(names(&own), ["linear", "linear"]);
    }
}
