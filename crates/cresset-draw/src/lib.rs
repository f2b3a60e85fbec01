//! Small drawings: [`Graph`]s in layers, as SVG and in the language of Graphviz, and [`Flame`] charts. Text is measured, so that nothing overlaps and
//! nothing is cut off.

mod dot;
mod flame;
mod graph;
mod layered;
mod svg;
mod text;

pub use flame::{Flame, Frame};
pub use graph::{Color, Graph, Node, Shape};
