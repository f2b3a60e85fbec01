//! A graph as SVG.

use crate::graph::{Graph, Node, Shape};
use crate::layered::layout;
use crate::text::{FAMILIES, escape, width};
use std::fmt::Write;

const SIZE: f64 = 12.0;
const LINE: f64 = 15.0;
const PAD: (f64, f64) = (9.0, 5.0);
const MARGIN: f64 = 12.0;
/// Room for the title of a group.
const TITLE: f64 = 22.0;

fn size(node: &Node) -> (f64, f64) {
    let wide = node.lines().map(|l| width(l, SIZE)).fold(0.0, f64::max);
    ((wide + 2.0 * PAD.0).max(24.0), node.lines().count() as f64 * LINE + 2.0 * PAD.1)
}

impl Graph {
    /// The graph as a picture, its nodes in layers from top to bottom. Groups stand side by side, if no edge leads from one to another.
    pub fn to_svg(&self) -> String {
        let group = |n: usize| self.nodes[n].parts().3;
        let mut parts: Vec<Option<usize>> = (0..self.groups.len()).map(Some).collect();
        parts.push(None);
        if self.edges.iter().any(|(a, b)| group(*a) != group(*b)) {
            parts.clear();
        }
        let mut body = String::new();
        let (mut right, mut bottom) = (MARGIN, 0.0f64);
        let mut draw = |nodes: Vec<usize>, title: Option<&str>| {
            if nodes.is_empty() {
                return;
            }
            let (wide, high) = self.part(&nodes, title, right, &mut body);
            right += wide + MARGIN;
            bottom = bottom.max(high + 2.0 * MARGIN);
        };
        if parts.is_empty() {
            draw((0..self.nodes.len()).collect(), None);
        }
        for part in parts {
            let nodes = (0..self.nodes.len()).filter(|&n| group(n) == part).collect();
            draw(nodes, part.map(|g| &*self.groups[g]));
        }
        let (wide, high) = (right.ceil(), bottom.ceil());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" font-family=\"{FAMILIES}\" \
             font-size=\"{SIZE}\">\n<title>{}</title>\n<rect width=\"{wide}\" height=\"{high}\" fill=\"#ffffff\"/>\n{body}</svg>\n",
            escape(&self.name)
        )
    }

    /// Draws some of the nodes and the edges between them, and gives the size.
    fn part(&self, nodes: &[usize], title: Option<&str>, left: f64, body: &mut String) -> (f64, f64) {
        let mut place = vec![usize::MAX; self.nodes.len()];
        nodes.iter().enumerate().for_each(|(i, n)| place[*n] = i);
        let sizes: Vec<(f64, f64)> = nodes.iter().map(|n| size(&self.nodes[*n])).collect();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for (a, b) in &self.edges {
            let edge = (place[*a], place[*b]);
            if edge.0 != usize::MAX && edge.1 != usize::MAX && known.insert(edge) {
                edges.push(edge);
            }
        }
        let l = layout(&sizes, &edges);
        let frame = if title.is_some() { MARGIN } else { 0.0 };
        let head = if title.is_some() { TITLE } else { 0.0 };
        let titled = title.map_or(0.0, |t| width(t, SIZE));
        let (wide, high) = (l.width.max(titled) + 2.0 * frame, l.height + head + 2.0 * frame);
        let (dx, dy) = (left + frame + (wide - 2.0 * frame - l.width) / 2.0, MARGIN + frame + head);
        // Writing to a String cannot fail.
        if let Some(title) = title {
            let _ = writeln!(
                body,
                "<rect x=\"{left:.1}\" y=\"{MARGIN:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" rx=\"6\" fill=\"#fafafa\" stroke=\"#b0b0b0\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#404040\">{}</text>",
                left + wide / 2.0,
                MARGIN + 18.0,
                escape(title)
            );
        }
        for way in &l.ways {
            edge(body, &way.iter().map(|(x, y)| (x + dx, y + dy)).collect::<Vec<_>>());
        }
        for ((n, (x, y)), s) in nodes.iter().zip(&l.centers).zip(&sizes) {
            node(body, &self.nodes[*n], (x + dx, y + dy), *s);
        }
        (wide, high)
    }
}

/// An arrow. The last point is its tip.
fn edge(body: &mut String, way: &[(f64, f64)]) {
    let (Some(first), Some(&(x, y))) = (way.first(), way.last()) else { return };
    let down = if way[way.len() - 2].1 <= y { 1.0 } else { -1.0 };
    let _ = write!(body, "<path d=\"M{:.1},{:.1}", first.0, first.1);
    for (i, pair) in way.windows(2).enumerate() {
        let ((x0, y0), (x1, mut y1)) = (pair[0], pair[1]);
        if i + 2 == way.len() {
            y1 -= 6.0 * down;
        }
        if i % 2 == 0 || x0 == x1 {
            let _ = write!(body, " L{x1:.1},{y1:.1}");
        } else {
            let middle = (y0 + y1) / 2.0;
            let _ = write!(body, " C{x0:.1},{middle:.1} {x1:.1},{middle:.1} {x1:.1},{y1:.1}");
        }
    }
    let _ = writeln!(
        body,
        "\" fill=\"none\" stroke=\"#606060\"/><path d=\"M{x:.1},{y:.1} l-3.5,{h:.1} h7 z\" fill=\"#606060\"/>",
        h = -7.0 * down
    );
}

fn node(body: &mut String, node: &Node, (x, y): (f64, f64), (w, h): (f64, f64)) {
    let (shape, fill, tooltip, _) = node.parts();
    let round = if shape == Shape::Round { 9.0 } else { 0.0 };
    body.push_str("<g>");
    if let Some(tooltip) = tooltip {
        let _ = write!(body, "<title>{}</title>", escape(tooltip));
    }
    let _ = write!(
        body,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round}\" fill=\"{}\" stroke=\"#404040\"/>",
        x - w / 2.0,
        y - h / 2.0,
        fill.unwrap_or("#ffffff")
    );
    for (i, line) in node.lines().enumerate() {
        let baseline = y - h / 2.0 + PAD.1 + (i as f64 + 0.76) * LINE;
        let _ = write!(body, "<text x=\"{x:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{}</text>", escape(line));
    }
    body.push_str("</g>\n");
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Node};

    #[test]
    fn groups_stand_side_by_side() {
        let mut g = Graph::new("plan");
        let (f, b) = (g.group("forward"), g.group("backward"));
        let nodes: Vec<usize> = [f, f, b].iter().map(|k| g.node(Node::new("<node>").group(*k))).collect();
        g.edge(nodes[0], nodes[1]);
        let svg = g.to_svg();
        assert!(svg.contains(">forward</text>") && svg.contains(">backward</text>"));
        assert_eq!(svg.matches("&lt;node&gt;").count(), 3);
        // One arrow is a line and a tip.
        assert_eq!(svg.matches("<path").count(), 2);
        g.edge(nodes[1], nodes[2]);
        let joined = g.to_svg();
        assert!(!joined.contains("forward") && joined.matches("<path").count() == 4);
    }

    #[test]
    fn empty_graphs_are_pictures_too() {
        assert!(Graph::new("").to_svg().ends_with("</svg>\n"));
    }
}
