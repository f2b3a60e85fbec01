//! A profile as a flame chart.

use crate::table::time;
use crate::tree::{Names, modules_of};
use cresset_draw::{Flame, Frame};
use cresset_tensor::trace::{Kind, Trace};
use std::collections::HashMap;

/// Kinds of boxes and their colours; the first is for the whole.
const LEGEND: [(&str, &str); 6] = [
    ("everything", "#d9d9d9"),
    ("part of the program", "#cab2d6"),
    ("module", "#a6cee3"),
    ("op", "#fdbf6f"),
    ("backward", "#fb9a99"),
    ("optimizer", "#b2df8a"),
];

fn color(kind: Kind) -> usize {
    match kind {
        Kind::Span => 1,
        Kind::Module => 2,
        Kind::Op => 3,
        Kind::Backward => 4,
        Kind::Optimizer => 5,
    }
}

struct Node {
    name: String,
    color: usize,
    calls: u64,
    own: u64,
    flops: u64,
    bytes: u64,
    children: Vec<usize>,
}

struct Tree {
    nodes: Vec<Node>,
    at: HashMap<(usize, usize, String), usize>,
}

impl Tree {
    fn child(&mut self, parent: usize, color: usize, name: &str) -> usize {
        let key = (parent, color, name.to_string());
        if let Some(&i) = self.at.get(&key) {
            return i;
        }
        let i = self.nodes.len();
        self.nodes.push(Node { name: name.into(), color, calls: 0, own: 0, flops: 0, bytes: 0, children: vec![] });
        self.nodes[parent].children.push(i);
        self.at.insert(key, i);
        i
    }
}

/// The same stack of callers is one box, however often it ran.
pub(crate) fn svg(trace: &Trace) -> String {
    let names = Names::of(trace);
    let root = Node { name: "all".into(), color: 0, calls: 1, own: 0, flops: 0, bytes: 0, children: vec![] };
    let mut tree = Tree { nodes: vec![root], at: HashMap::new() };
    let mut node_of = Vec::with_capacity(trace.events.len());
    for e in &trace.events {
        let (mut node, outer) = e.parent.map_or((0, 0), |p| (node_of[p as usize], trace.events[p as usize].scope));
        // The modules that are entered here; a backward node enters those of its forward.
        let depth = |s: u32| modules_of(trace, s).count();
        let mut entered: Vec<u32> = modules_of(trace, e.scope).collect();
        entered.reverse();
        let known = if is_above(trace, outer, e.scope) { depth(outer) } else { 0 };
        for module in entered.into_iter().skip(known) {
            node = tree.child(node, color(Kind::Module), names.module(module));
        }
        if e.kind != Kind::Module {
            node = tree.child(node, color(e.kind), &e.name);
        }
        let n = &mut tree.nodes[node];
        n.calls += 1;
        n.own += e.own;
        n.flops += e.cost.flops;
        n.bytes += e.cost.bytes;
        node_of.push(node);
    }
    let root = frame(&tree);
    Flame {
        title: format!(
            "{} in events, of {} on {}",
            time(root.value),
            time(trace.length as f64),
            if trace.thread == "main" { "the main thread" } else { &trace.thread }
        ),
        legend: LEGEND.iter().skip(1).map(|(n, c)| (n.to_string(), *c)).chain([(String::new(), LEGEND[0].1)]).collect(),
        root,
    }
    .to_svg()
}

fn is_above(trace: &Trace, outer: u32, mut scope: u32) -> bool {
    // A scope's parent has a smaller number.
    while scope > outer {
        scope = trace.scopes[scope as usize].parent;
    }
    scope == outer
}

/// The boxes of the tree. Children stand behind their parents in the list, so that no recursion is needed.
fn frame(tree: &Tree) -> Frame {
    let mut totals: Vec<u64> = tree.nodes.iter().map(|n| n.own).collect();
    for (i, n) in tree.nodes.iter().enumerate().rev() {
        totals[i] += n.children.iter().map(|c| totals[*c]).sum::<u64>();
    }
    let whole = totals[0].max(1) as f64;
    let mut frames: Vec<Option<Frame>> = tree.nodes.iter().map(|_| None).collect();
    for (i, n) in tree.nodes.iter().enumerate().rev() {
        let total = totals[i] as f64;
        let mut tooltip =
            format!("{}\n{} ({:.1} %), itself {}", n.name, time(total), 100.0 * total / whole, time(n.own as f64));
        if n.calls > 0 && i > 0 {
            tooltip += &format!("\n{} call{}", n.calls, if n.calls == 1 { "" } else { "s" });
        }
        if n.flops > 0 {
            tooltip +=
                &format!("\n{:.3} GFLOP, {:.1} GFLOP/s", n.flops as f64 / 1e9, n.flops as f64 / n.own.max(1) as f64);
        }
        if n.bytes > 0 {
            tooltip += &format!(
                "\n{} moved, {:.1} GB/s",
                crate::table::size(n.bytes as f64),
                n.bytes as f64 / n.own.max(1) as f64
            );
        }
        let within = n.children.iter().filter_map(|c| frames[*c].take()).collect();
        // The legend leaves out the first colour, which stands at its end.
        let color = (n.color + LEGEND.len() - 1) % LEGEND.len();
        frames[i] = Some(Frame { name: n.name.clone(), tooltip, value: total, color, within });
    }
    frames[0].take().unwrap_or_default()
}
