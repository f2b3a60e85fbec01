//! The legend, and the place where it hides least.

use crate::artist::{Artist, LineStyle, Mark, Marker};
use crate::axes::{Axes, Loc};
use crate::color::Color;
use crate::draw;
use crate::layout::{Lane, Panel, Ruler, size};
use crate::scene::{Anchor, Rect, Scene};

pub(crate) fn draw(scene: &mut Scene, axes: &Axes, panel: &Panel, ruler: &Ruler) {
    let twin = axes.twin.as_deref();
    let Some(loc) = axes.legend.or(twin.and_then(|t| t.legend)) else { return };
    let own = axes.artists.iter().map(|a| (a, &panel.y));
    let others = twin.iter().flat_map(|t| &t.artists).filter_map(|a| Some((a, panel.twin.as_ref()?)));
    let drawn: Vec<(&Artist, &Lane)> = own.chain(others).collect();
    let entries: Vec<(&Artist, &str)> = drawn.iter().filter_map(|(a, _)| Some((*a, a.label.as_deref()?))).collect();
    if entries.is_empty() {
        return;
    }
    let (pt, text) = (ruler.pt, ruler.text());
    let (pad, swatch, gap) = (4.0 * pt, 20.0 * pt, 6.0 * pt);
    let line = size::LEADING * text;
    let widest = entries.iter().map(|(_, s)| ruler.width(s)).fold(0.0, f64::max);
    let (width, height) = (2.0 * pad + swatch + gap + widest, 2.0 * pad + line * entries.len() as f64);
    let place = position(loc, &panel.area, width, height, 6.0 * pt, &|| obstacles(&drawn, panel));
    border(scene, place, pt);
    for (i, (artist, label)) in entries.iter().enumerate() {
        let middle = place.y0 + pad + (i as f64 + 0.5) * line;
        let left = place.x0 + pad;
        key(scene, artist, left, middle, swatch, ruler);
        scene.text((left + swatch + gap, middle + 0.36 * text), label, text, Anchor::Start, Color::BLACK);
    }
}

fn border(scene: &mut Scene, place: Rect, pt: f64) {
    let edge = Color::rgb(204, 204, 204);
    let place = Rect::new(place.x0.round(), place.y0.round(), place.x1.round(), place.y1.round());
    scene.rect(place, Color::WHITE.with_alpha(0.8));
    scene.hairline((place.x0, place.y0), (place.x1, place.y0), pt * 0.8, edge);
    scene.hairline((place.x0, place.y1), (place.x1, place.y1), pt * 0.8, edge);
    scene.hairline((place.x0, place.y0), (place.x0, place.y1), pt * 0.8, edge);
    scene.hairline((place.x1, place.y0), (place.x1, place.y1), pt * 0.8, edge);
}

fn key(scene: &mut Scene, artist: &Artist, left: f64, middle: f64, swatch: f64, ruler: &Ruler) {
    let (pt, ink) = (ruler.pt, artist.color.with_alpha(artist.alpha));
    match &artist.mark {
        Mark::Bars { .. } | Mark::Hist { .. } | Mark::Band { .. } | Mark::Raster(_) => {
            scene.rect(Rect::new(left, middle - 3.5 * pt, left + swatch, middle + 3.5 * pt), ink);
        }
        Mark::Scatter { values, .. } => {
            let ink = if values.is_some() { artist.colormap.at(0.5).with_alpha(artist.alpha) } else { ink };
            let marker = artist.marker.unwrap_or(Marker::Circle);
            draw::one_marker(scene, (left + swatch / 2.0, middle), marker, artist.marker_size * pt, pt, ink);
        }
        Mark::Line { .. } | Mark::Across(_) | Mark::Up(_) | Mark::Text { .. } => {
            if artist.line_style != LineStyle::None {
                let ends = vec![(left, middle), (left + swatch, middle)];
                draw::dashed(scene, ends, artist.line_style, artist.line_width * pt, ink);
            }
            if let Some(marker) = artist.marker {
                draw::one_marker(scene, (left + swatch / 2.0, middle), marker, artist.marker_size * pt, pt, ink);
            }
        }
    }
}

type Obstacles = Vec<(f64, f64)>;

fn position(loc: Loc, area: &Rect, width: f64, height: f64, inset: f64, data: &dyn Fn() -> Obstacles) -> Rect {
    let at = |x: f64, y: f64| Rect::new(x, y, x + width, y + height);
    let (left, right) = (area.x0 + inset, area.x1 - inset - width);
    let (top, bottom) = (area.y0 + inset, area.y1 - inset - height);
    let (center, middle) = ((left + right) / 2.0, (top + bottom) / 2.0);
    match loc {
        Loc::UpperRight => at(right, top),
        Loc::UpperLeft => at(left, top),
        Loc::LowerLeft => at(left, bottom),
        Loc::LowerRight => at(right, bottom),
        Loc::Best => {
            let places = [
                (right, top),
                (left, top),
                (left, bottom),
                (right, bottom),
                (right, middle),
                (left, middle),
                (center, bottom),
                (center, top),
                (center, middle),
            ];
            let data = data();
            let hidden = |p: &(f64, f64)| data.iter().filter(|d| at(p.0, p.1).contains(**d)).count();
            places.iter().min_by_key(|p| hidden(p)).map_or(at(right, top), |p| at(p.0, p.1))
        }
    }
}

/// Points of the data in pixels, a few pixels apart.
fn obstacles(drawn: &[(&Artist, &Lane)], panel: &Panel) -> Obstacles {
    const APART: f64 = 6.0;
    let mut found = Vec::new();
    for (artist, y) in drawn {
        let points =
            |xs: &[f64], ys: &[f64]| -> Obstacles { xs.iter().zip(ys).map(|(&vx, &vy)| panel.at(y, vx, vy)).collect() };
        let mut trace = |points: Obstacles| {
            for pair in points.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                let length = (x1 - x0).hypot(y1 - y0);
                if length.is_finite() {
                    let steps = (length / APART).ceil().clamp(1.0, 500.0);
                    found.extend((0..=steps as usize).map(|i| {
                        let t = i as f64 / steps;
                        (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t)
                    }));
                }
            }
        };
        match &artist.mark {
            Mark::Line { x, y } => trace(points(x, y)),
            Mark::Band { x, low, high } => {
                trace(points(x, low));
                trace(points(x, high));
            }
            Mark::Across(v) => trace(points(&[panel.x.lo, panel.x.hi], &[*v, *v])),
            Mark::Up(v) => trace(points(&[*v, *v], &[y.lo, y.hi])),
            Mark::Scatter { x, y, .. } => found.extend(points(x, y)),
            Mark::Text { x, y, .. } => found.extend(points(&[*x], &[*y])),
            Mark::Bars { .. } | Mark::Hist { .. } => {
                for r in draw::bars(artist, panel, y) {
                    let (nx, ny) = ((r.width() / APART).ceil(), (r.height() / APART).ceil());
                    for i in 0..=(nx as usize).min(200) {
                        for j in 0..=(ny as usize).min(200) {
                            found.push((r.x0 + r.width() * i as f64 / nx, r.y0 + r.height() * j as f64 / ny));
                        }
                    }
                }
            }
            Mark::Raster(_) => {}
        }
    }
    found
}
