//! A graph to be drawn: boxes with text, arrows between them, groups with a frame.

/// The outline of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A rectangle.
    #[default]
    Box,
    /// A rectangle with round corners.
    Round,
}

/// A colour, as `#rrggbb`.
pub type Color = &'static str;

/// A node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    label: String,
    shape: Shape,
    fill: Option<Color>,
    tooltip: Option<String>,
    group: Option<usize>,
}

impl Node {
    /// A node with text, whose lines are separated by `\n`.
    pub fn new(label: impl Into<String>) -> Node {
        Node { label: label.into(), ..Node::default() }
    }
    /// With this outline.
    pub fn shape(self, shape: Shape) -> Node {
        Node { shape, ..self }
    }
    /// Filled with a colour.
    pub fn fill(self, color: Color) -> Node {
        Node { fill: Some(color), ..self }
    }
    /// With text that is shown under the mouse.
    pub fn tooltip(self, text: impl Into<String>) -> Node {
        Node { tooltip: Some(text.into()), ..self }
    }
    /// In a group, by what [`Graph::group`] gave.
    pub fn group(self, group: usize) -> Node {
        Node { group: Some(group), ..self }
    }
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.label.split('\n')
    }
    pub(crate) fn parts(&self) -> (Shape, Option<Color>, Option<&str>, Option<usize>) {
        (self.shape, self.fill, self.tooltip.as_deref(), self.group)
    }
}

/// A directed graph, drawn from top to bottom: [`Graph::to_svg`], or [`Graph::to_dot`] for Graphviz.
///
/// ```
/// use cresset_draw::{Graph, Node};
/// let mut graph = Graph::new("example");
/// let (a, b) = (graph.node(Node::new("a")), graph.node(Node::new("b")));
/// graph.edge(a, b);
/// assert!(graph.to_svg().starts_with("<svg") && graph.to_dot().contains("n0 -> n1;"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<(usize, usize)>,
    pub(crate) groups: Vec<String>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Graph {
        Graph { name: name.into(), ..Graph::default() }
    }
    /// Adds a node and gives its number.
    pub fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
    /// Adds an arrow. A second one between the same nodes is not drawn.
    ///
    /// # Panics
    /// If there are no such nodes.
    pub fn edge(&mut self, from: usize, to: usize) {
        assert!(
            from.max(to) < self.nodes.len(),
            "an edge from {from} to {to}, but there are {} nodes",
            self.nodes.len()
        );
        self.edges.push((from, to));
    }
    /// Adds a group: its nodes stand in a frame with this title.
    pub fn group(&mut self, title: impl Into<String>) -> usize {
        self.groups.push(title.into());
        self.groups.len() - 1
    }
    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Has it no nodes?
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
