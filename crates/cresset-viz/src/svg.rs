//! A scene as SVG, through plotters' SVG backend.

use std::convert::Infallible;
use std::fmt::Write;

use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, FontFamily, FontTransform,
};
use plotters_svg::SVGBackend;

use crate::color::Color;
use crate::png_file;
use crate::scene::{Anchor, Scene, Shape};

/// The backend's coordinates are whole numbers: a tenth of a pixel is one unit, and the view box scales it back.
const UNITS: f64 = 10.0;

/// DejaVu Sans first, whose widths the layout knows; then faces that have Chinese, Japanese and Korean.
const FAMILIES: &str = "DejaVu Sans, Verdana, Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, Microsoft YaHei, \
    PingFang SC, Hiragino Sans GB, WenQuanYi Micro Hei, SimHei, sans-serif";

pub(crate) fn write(scene: &Scene) -> String {
    let size = ((f64::from(scene.width) * UNITS) as u32, (f64::from(scene.height) * UNITS) as u32);
    let mut svg = format!(
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" \
         xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n",
        scene.width, scene.height, size.0, size.1
    );
    // The backend writes whole documents and has no images without a codec of its own: what lies between two images is
    // drawn as a document each, of which the body is kept.
    for part in scene.shapes.chunk_by(|_, next| !matches!(next, Shape::Image { .. })) {
        let mut rest = part;
        if let Some(Shape::Image { area, columns, rows, pixels }) = part.first() {
            let data = base64(&png_file::encode(*columns as u32, *rows as u32, pixels, 0));
            let [x, y, w, h] = [area.x0, area.y0, area.width(), area.height()].map(units);
            // Writing to a String cannot fail.
            let _ = writeln!(
                svg,
                "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,{data}\"/>"
            );
            rest = &part[1..];
        }
        let mut document = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut document, size);
            for shape in rest {
                // The string backend has no way to fail.
                let _ = draw(&mut backend, shape);
            }
            let _ = backend.present();
        }
        let body = document.find('\n').map_or(0, |i| i + 1)..document.rfind("</svg>").unwrap_or(document.len());
        svg.push_str(&document[body]);
    }
    svg.push_str("</svg>\n");
    svg
}

fn units(v: f64) -> i32 {
    (v * UNITS).round() as i32
}

fn coords(points: &[(f64, f64)]) -> impl Iterator<Item = BackendCoord> + '_ {
    points.iter().map(|&(x, y)| (units(x), units(y)))
}

fn draw<B: DrawingBackend>(
    backend: &mut B,
    shape: &Shape,
) -> Result<(), plotters_backend::DrawingErrorKind<B::ErrorType>> {
    match shape {
        Shape::Rect { area, color } => backend.draw_rect(
            (units(area.x0), units(area.y0)),
            (units(area.x1), units(area.y1)),
            &Stroke::new(*color, 0.0),
            true,
        ),
        Shape::Line { points, width, color } => backend.draw_path(coords(points), &Stroke::new(*color, *width)),
        Shape::Polygon { points, color } => backend.fill_polygon(coords(points), &Stroke::new(*color, 0.0)),
        Shape::Circle { center, radius, color } => backend.draw_circle(
            (units(center.0), units(center.1)),
            units(*radius) as u32,
            &Stroke::new(*color, 0.0),
            true,
        ),
        Shape::Text { at, text, size, anchor, upright, color } => {
            let style = TextStyle { size: *size, anchor: *anchor, upright: *upright, color: *color };
            // The backend moves text anchored at the top down by 0.76 em; the scene gives the baseline.
            let drop = 0.76 * size;
            let at = if *upright { (at.0 - drop, at.1) } else { (at.0, at.1 - drop) };
            backend.draw_text(text, &style, (units(at.0), units(at.1)))
        }
        Shape::Image { .. } => Ok(()),
    }
}

struct Stroke {
    color: BackendColor,
    width: u32,
}

impl Stroke {
    fn new(color: Color, width: f64) -> Stroke {
        let [r, g, b] = color.rgb;
        Stroke { color: BackendColor { alpha: color.alpha, rgb: (r, g, b) }, width: units(width) as u32 }
    }
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

struct TextStyle {
    size: f64,
    anchor: Anchor,
    upright: bool,
    color: Color,
}

impl BackendTextStyle for TextStyle {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        Stroke::new(self.color, 0.0).color
    }

    fn size(&self) -> f64 {
        // The backend divides by 1.24, its guess of line height over em.
        self.size * UNITS * 1.24
    }

    fn transform(&self) -> FontTransform {
        if self.upright { FontTransform::Rotate270 } else { FontTransform::None }
    }

    fn anchor(&self) -> Pos {
        let h = match self.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        Pos::new(h, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILIES)
    }

    fn layout_box(&self, _: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (0, 0)))
    }

    fn draw<E, F: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: BackendCoord,
        _: F,
    ) -> Result<Result<(), E>, Infallible> {
        // Only backends without text of their own call this; SVG has.
        Ok(Ok(()))
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |acc, &b| acc << 8 | u32::from(b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_vectors_of_rfc_4648() {
        let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|s| base64(s.as_bytes()));
        assert_eq!(cases, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }
}
