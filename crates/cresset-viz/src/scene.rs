//! A figure as a list of shapes in pixels, y downwards: what the layout makes and the two writers read.

use crate::color::Color;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub x0: f64,
    pub y0: f64,
    pub x1: f64,
    pub y1: f64,
}

impl Rect {
    pub fn new(x0: f64, y0: f64, x1: f64, y1: f64) -> Rect {
        Rect { x0, y0, x1, y1 }
    }

    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        // A hair of slack keeps points that lie on the border through rounding.
        x >= self.x0 - 1e-6 && x <= self.x1 + 1e-6 && y >= self.y0 - 1e-6 && y <= self.y1 + 1e-6
    }

    pub fn intersect(&self, o: &Rect) -> Rect {
        Rect::new(self.x0.max(o.x0), self.y0.max(o.y0), self.x1.min(o.x1), self.y1.min(o.y1))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Rect {
        area: Rect,
        color: Color,
    },
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        color: Color,
    },
    Polygon {
        points: Vec<(f64, f64)>,
        color: Color,
    },
    Circle {
        center: (f64, f64),
        radius: f64,
        color: Color,
    },
    /// `at` is a point of the baseline; an upright text reads from bottom to top.
    Text {
        at: (f64, f64),
        text: String,
        size: f64,
        anchor: Anchor,
        upright: bool,
        color: Color,
    },
    /// `pixels` are RGB rows from the top, drawn without smoothing.
    Image {
        area: Rect,
        columns: usize,
        rows: usize,
        pixels: Vec<u8>,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub width: u32,
    pub height: u32,
    pub shapes: Vec<Shape>,
}

impl Scene {
    pub fn rect(&mut self, area: Rect, color: Color) {
        if area.width() > 0.0 && area.height() > 0.0 {
            self.shapes.push(Shape::Rect { area, color });
        }
    }

    pub fn line(&mut self, points: Vec<(f64, f64)>, width: f64, color: Color) {
        if points.len() > 1 && width > 0.0 {
            self.shapes.push(Shape::Line { points, width, color });
        }
    }

    /// A horizontal or vertical line that falls on whole pixels, so that it is equally sharp everywhere.
    pub fn hairline(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Color) {
        let width = width.round().max(1.0);
        let snap = |v: f64| (v - width / 2.0).round();
        let area = if from.1 == to.1 {
            Rect::new(snap(from.0.min(to.0)), snap(from.1), snap(from.0.max(to.0)) + width, snap(from.1) + width)
        } else {
            Rect::new(snap(from.0), snap(from.1.min(to.1)), snap(from.0) + width, snap(from.1.max(to.1)) + width)
        };
        self.rect(area, color);
    }

    pub fn text(&mut self, at: (f64, f64), text: &str, size: f64, anchor: Anchor, color: Color) {
        self.push_text(at, text, size, anchor, false, color);
    }

    pub fn upright_text(&mut self, at: (f64, f64), text: &str, size: f64, anchor: Anchor, color: Color) {
        self.push_text(at, text, size, anchor, true, color);
    }

    fn push_text(&mut self, at: (f64, f64), text: &str, size: f64, anchor: Anchor, upright: bool, color: Color) {
        if !text.is_empty() {
            self.shapes.push(Shape::Text { at, text: text.to_owned(), size, anchor, upright, color });
        }
    }
}
