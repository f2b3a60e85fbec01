//! A graph in the language of Graphviz.

use crate::graph::{Graph, Shape};
use std::fmt::Write;

/// Text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl Graph {
    /// The graph as a program for Graphviz' `dot`.
    pub fn to_dot(&self) -> String {
        let mut dot = format!("digraph {} {{\n  node [shape=box, fontname=\"sans-serif\"];\n", quoted(&self.name));
        // Writing to a String cannot fail.
        let node = |dot: &mut String, i: usize, indent: &str| {
            let node = &self.nodes[i];
            let (shape, fill, tooltip, _) = node.parts();
            let label = node.lines().collect::<Vec<_>>().join("\n");
            let _ = write!(dot, "{indent}n{i} [label={}", quoted(&label));
            let style: Vec<&str> =
                [(shape == Shape::Round).then_some("rounded"), fill.map(|_| "filled")].into_iter().flatten().collect();
            if !style.is_empty() {
                let _ = write!(dot, ", style=\"{}\"", style.join(","));
            }
            if let Some(fill) = fill {
                let _ = write!(dot, ", fillcolor=\"{fill}\"");
            }
            if let Some(tooltip) = tooltip {
                let _ = write!(dot, ", tooltip={}", quoted(tooltip));
            }
            dot.push_str("];\n");
        };
        for (g, title) in self.groups.iter().enumerate() {
            let _ = writeln!(dot, "  subgraph cluster_{g} {{\n    label={};", quoted(title));
            for i in (0..self.nodes.len()).filter(|&i| self.nodes[i].parts().3 == Some(g)) {
                node(&mut dot, i, "    ");
            }
            dot.push_str("  }\n");
        }
        for i in (0..self.nodes.len()).filter(|&i| self.nodes[i].parts().3.is_none()) {
            node(&mut dot, i, "  ");
        }
        for (from, to) in &self.edges {
            let _ = writeln!(dot, "  n{from} -> n{to};");
        }
        dot + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Node, Shape};

    #[test]
    fn a_program_for_graphviz() {
        let mut g = Graph::new("two \"words\"");
        let inside = g.group("forward");
        let a = g.node(Node::new("a\nb\\").group(inside).fill("#ffffff").shape(Shape::Round));
        let b = g.node(Node::new("c").tooltip("d"));
        g.edge(a, b);
        assert_eq!(
            g.to_dot(),
            "digraph \"two \\\"words\\\"\" {\n  node [shape=box, fontname=\"sans-serif\"];\n  subgraph cluster_0 {\n    label=\"forward\";\n    \
             n0 [label=\"a\\nb\\\\\", style=\"rounded,filled\", fillcolor=\"#ffffff\"];\n  }\n  n1 [label=\"c\", tooltip=\"d\"];\n  n0 -> n1;\n}\n"
        );
    }
}
