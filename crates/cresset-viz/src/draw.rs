//! Artists as shapes.

use crate::artist::{Artist, LineStyle, Mark, Marker, Raster};
use crate::color::Color;
use crate::layout::{Lane, Panel, Ruler};
use crate::scene::{Anchor, Rect, Scene, Shape};
use crate::ticks;

type Point = (f64, f64);

/// Draws one artist of `panel` against the lane `y` (the plot's own or its twin's).
pub(crate) fn artist(scene: &mut Scene, artist: &Artist, panel: &Panel, y: &Lane, ruler: &Ruler) {
    let pt = ruler.pt;
    let ink = artist.color.with_alpha(artist.alpha);
    let at = |vx: f64, vy: f64| panel.at(y, vx, vy);
    match &artist.mark {
        Mark::Line { x, y } => {
            let points: Vec<Point> = x.iter().zip(y).map(|(&x, &y)| at(x, y)).collect();
            if artist.line_style != LineStyle::None {
                for run in points.split(|p| !is_finite(*p)) {
                    stroke(scene, &thin_out(run), &panel.area, artist, pt);
                }
            }
            if let Some(marker) = artist.marker {
                markers(scene, &points, marker, artist, &panel.area, pt, |_| ink);
            }
        }
        Mark::Scatter { x, y, values } => {
            let points: Vec<Point> = x.iter().zip(y).map(|(&x, &y)| at(x, y)).collect();
            let marker = artist.marker.unwrap_or(Marker::Circle);
            let mapping = artist.mapping();
            let color = |i: usize| match values {
                Some(values) => mapping(values[i]).with_alpha(artist.alpha),
                None => ink,
            };
            markers(scene, &points, marker, artist, &panel.area, pt, color);
        }
        Mark::Bars { .. } | Mark::Hist { .. } => {
            bars(artist, panel, y).into_iter().for_each(|area| scene.rect(area, ink));
        }
        Mark::Band { x, low, high } => {
            let both: Vec<(Point, Point)> =
                x.iter().zip(low.iter().zip(high)).map(|(&x, (&l, &h))| (at(x, l), at(x, h))).collect();
            for run in both.split(|(l, h)| !is_finite(*l) || !is_finite(*h)) {
                let outline = run.iter().map(|p| p.0).chain(run.iter().rev().map(|p| p.1)).collect();
                let points = clip_polygon(outline, &panel.area);
                if points.len() > 2 {
                    scene.shapes.push(Shape::Polygon { points, color: ink });
                }
            }
        }
        Mark::Across(v) => {
            let level = at(panel.x.lo, *v).1;
            stroke(scene, &[(panel.area.x0, level), (panel.area.x1, level)], &panel.area, artist, pt);
        }
        Mark::Up(v) => {
            let position = at(*v, y.lo).0;
            stroke(scene, &[(position, panel.area.y1), (position, panel.area.y0)], &panel.area, artist, pt);
        }
        Mark::Text { x, y, text } => {
            let point = at(*x, *y);
            if is_finite(point) && panel.area.contains(point) {
                scene.text(point, text, ruler.text(), Anchor::Start, ink);
            }
        }
        Mark::Raster(raster) => cells(scene, artist, raster, panel, y, ruler),
    }
}

fn is_finite((x, y): Point) -> bool {
    x.is_finite() && y.is_finite()
}

/// The rectangles of bars and histograms, cut to the frame.
pub(crate) fn bars(artist: &Artist, panel: &Panel, y: &Lane) -> Vec<Rect> {
    let spans: Vec<(f64, f64, f64)> = match &artist.mark {
        Mark::Bars { at, length, width, .. } => {
            at.iter().zip(length).map(|(&a, &l)| (a - width / 2.0, a + width / 2.0, l)).collect()
        }
        Mark::Hist { histogram, .. } => {
            let heights = artist.heights().unwrap_or_default();
            histogram.edges.windows(2).zip(heights).map(|(e, h)| (e[0], e[1], h)).collect()
        }
        _ => Vec::new(),
    };
    let lying = matches!(artist.mark, Mark::Bars { lying: true, .. });
    let area = &panel.area;
    let (across, along) = if lying { (y, &panel.x) } else { (&panel.x, y) };
    // Zero has no place on a logarithmic axis: the foot is its lower end.
    let foot = Some(along.place(0.0)).filter(|f| f.is_finite()).unwrap_or(0.0);
    let rects = spans.into_iter().filter_map(|(from, to, length)| {
        let (a, b, tip) = (across.place(from), across.place(to), along.place(length));
        if ![a, b, tip].iter().all(|v| v.is_finite()) {
            return None;
        }
        let (a, b) = (a.min(b), a.max(b));
        let (low, high) = (tip.min(foot), tip.max(foot));
        let (w, h) = (area.width(), area.height());
        let rect = match lying {
            false => Rect::new(area.x0 + a * w, area.y1 - high * h, area.x0 + b * w, area.y1 - low * h),
            true => Rect::new(area.x0 + low * w, area.y1 - b * h, area.x0 + high * w, area.y1 - a * h),
        };
        Some(rect.intersect(area))
    });
    rects.filter(|r| r.width() > 0.0 && r.height() > 0.0).collect()
}

/// One line of an artist, clipped and dashed.
fn stroke(scene: &mut Scene, points: &[Point], area: &Rect, artist: &Artist, pt: f64) {
    let (width, ink) = (artist.line_width * pt, artist.color.with_alpha(artist.alpha));
    for piece in clip_line(points, area) {
        dashed(scene, piece, artist.line_style, width, ink);
    }
}

/// Adds a line broken up as `style` says.
pub(crate) fn dashed(scene: &mut Scene, points: Vec<Point>, style: LineStyle, width: f64, ink: Color) {
    let pattern = style.pattern();
    if pattern.is_empty() {
        if style != LineStyle::None {
            scene.line(points, width, ink);
        }
        return;
    }
    let (mut phase, mut left) = (0, pattern[0] * width.max(0.1));
    let Some(&first) = points.first() else { return };
    let mut dash = vec![first];
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            let point = (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
            if phase % 2 == 0 {
                dash.push(point);
                scene.line(std::mem::take(&mut dash), width, ink);
            } else {
                dash = vec![point];
            }
            phase = (phase + 1) % pattern.len();
            left = pattern[phase] * width.max(0.1);
        }
        left -= length - done;
        if phase % 2 == 0 {
            dash.push((x1, y1));
        }
    }
    if phase % 2 == 0 {
        scene.line(dash, width, ink);
    }
}

/// A long run whose points share pixel columns keeps the first, lowest, highest and last of each column: it looks the same.
fn thin_out(run: &[Point]) -> Vec<Point> {
    const MANY: usize = 8000;
    if run.len() <= MANY || !run.windows(2).all(|p| p[0].0 <= p[1].0) {
        return run.to_vec();
    }
    let mut kept = Vec::new();
    for column in run.chunk_by(|a, b| (a.0 * 2.0).floor() == (b.0 * 2.0).floor()) {
        let by_y = |&a: &usize, &b: &usize| column[a].1.total_cmp(&column[b].1);
        let low = (0..column.len()).min_by(by_y).unwrap_or(0);
        let high = (0..column.len()).max_by(by_y).unwrap_or(0);
        let mut wanted = [0, low, high, column.len() - 1];
        wanted.sort_unstable();
        kept.extend(
            wanted.iter().enumerate().filter(|(i, w)| *i == 0 || wanted[i - 1] != **w).map(|(_, &w)| column[w]),
        );
    }
    kept
}

/// The parts of a line inside `area` (Liang and Barsky, 1984).
fn clip_line(points: &[Point], area: &Rect) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let (dx, dy) = (x1 - x0, y1 - y0);
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        let mut outside = false;
        for (step, room) in [(-dx, x0 - area.x0), (dx, area.x1 - x0), (-dy, y0 - area.y0), (dy, area.y1 - y0)] {
            if step == 0.0 {
                outside |= room < -1e-6;
            } else if step < 0.0 {
                from = from.max(room / step);
            } else {
                to = to.min(room / step);
            }
        }
        if outside || from > to {
            open = false;
            continue;
        }
        let point = |t: f64| (x0 + dx * t, y0 + dy * t);
        if !open || from > 0.0 {
            pieces.push(vec![point(from)]);
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(point(to));
        }
        open = to >= 1.0;
    }
    pieces
}

/// The part of a polygon inside `area` (Sutherland and Hodgman, 1974).
fn clip_polygon(mut points: Vec<Point>, area: &Rect) -> Vec<Point> {
    for side in 0..4 {
        // How far inside of that side a point is.
        let depth = |(x, y): Point| [x - area.x0, area.x1 - x, y - area.y0, area.y1 - y][side];
        let mut kept = Vec::with_capacity(points.len());
        for i in 0..points.len() {
            let (a, b) = (points[(i + points.len() - 1) % points.len()], points[i]);
            let (da, db) = (depth(a), depth(b));
            if (da < 0.0) != (db < 0.0) {
                let t = da / (da - db);
                kept.push((a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t));
            }
            if db >= 0.0 {
                kept.push(b);
            }
        }
        points = kept;
    }
    points
}

fn markers(
    scene: &mut Scene,
    points: &[Point],
    marker: Marker,
    artist: &Artist,
    area: &Rect,
    pt: f64,
    color: impl Fn(usize) -> Color,
) {
    for (i, &point) in points.iter().enumerate() {
        if is_finite(point) && area.contains(point) {
            one_marker(scene, point, marker, artist.marker_size * pt, pt, color(i));
        }
    }
}

pub(crate) fn one_marker(scene: &mut Scene, (x, y): Point, marker: Marker, diameter: f64, pt: f64, color: Color) {
    let r = diameter / 2.0;
    let polygon = |corners: &[Point]| Shape::Polygon {
        points: corners.iter().map(|(dx, dy)| (x + dx * r, y + dy * r)).collect(),
        color,
    };
    match marker {
        Marker::Circle => scene.shapes.push(Shape::Circle { center: (x, y), radius: r, color }),
        Marker::Point => scene.shapes.push(Shape::Circle { center: (x, y), radius: r / 2.0, color }),
        Marker::Square => scene.rect(Rect::new(x - r * 0.9, y - r * 0.9, x + r * 0.9, y + r * 0.9), color),
        Marker::Triangle => scene.shapes.push(polygon(&[(0.0, -1.0), (1.0, 0.9), (-1.0, 0.9)])),
        Marker::TriangleDown => scene.shapes.push(polygon(&[(0.0, 1.0), (1.0, -0.9), (-1.0, -0.9)])),
        Marker::Diamond => scene.shapes.push(polygon(&[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)])),
        Marker::Cross => {
            scene.line(vec![(x - r * 0.8, y - r * 0.8), (x + r * 0.8, y + r * 0.8)], 1.2 * pt, color);
            scene.line(vec![(x - r * 0.8, y + r * 0.8), (x + r * 0.8, y - r * 0.8)], 1.2 * pt, color);
        }
        Marker::Plus => {
            scene.line(vec![(x - r, y), (x + r, y)], 1.2 * pt, color);
            scene.line(vec![(x, y - r), (x, y + r)], 1.2 * pt, color);
        }
    }
}

fn cells(scene: &mut Scene, artist: &Artist, raster: &Raster, panel: &Panel, y: &Lane, ruler: &Ruler) {
    let mapping = artist.mapping();
    let color = |i: usize| match raster.channels {
        1 => mapping(raster.values[i]),
        _ => {
            let byte = |c: usize| (raster.values[i * 3 + c].clamp(0.0, 1.0) * 255.0).round() as u8;
            Color::rgb(byte(0), byte(1), byte(2))
        }
    };
    let corner = |row: f64, column: f64| panel.at(y, column - 0.5, row - 0.5);
    let (first, last) = (corner(0.0, 0.0), corner(raster.rows as f64, raster.columns as f64));
    if !is_finite(first) || !is_finite(last) {
        return;
    }
    let whole = Rect::new(first.0, first.1, last.0, last.1);
    let cell = |row: usize, column: usize| {
        let (a, b) = (corner(row as f64, column as f64), corner(row as f64 + 1.0, column as f64 + 1.0));
        Rect::new(a.0.min(b.0), a.1.min(b.1), a.0.max(b.0), a.1.max(b.1))
    };
    let all = (0..raster.rows).flat_map(|r| (0..raster.columns).map(move |c| (r, c)));
    let plain = whole.width() > 0.0 && whole.height() > 0.0 && artist.alpha == 1.0;
    if plain && panel.area.contains(first) && panel.area.contains(last) {
        let pixels = (0..raster.rows * raster.columns).flat_map(|i| color(i).rgb).collect();
        scene.shapes.push(Shape::Image { area: whole, columns: raster.columns, rows: raster.rows, pixels });
    } else {
        // Zoomed in, turned around or translucent: cell by cell.
        for (row, column) in all.clone() {
            let ink = color(row * raster.columns + column).with_alpha(artist.alpha);
            scene.rect(cell(row, column).intersect(&panel.area), ink);
        }
    }
    let Some(decimals) = artist.annotate.filter(|_| raster.channels == 1) else { return };
    let text = |i: usize| match raster.values[i] {
        v if v.is_finite() => ticks::fixed(v, decimals),
        _ => String::new(),
    };
    let widest = (0..raster.values.len()).map(|i| ruler.fonts.width(&text(i), 1.0)).fold(0.0, f64::max);
    if widest == 0.0 {
        return;
    }
    let room = cell(0, 0);
    let size = ruler.text().min(room.width() * 0.9 / widest).min(room.height() * 0.8);
    // Below four points nobody can read it.
    if size < 4.0 * ruler.pt {
        return;
    }
    for (row, column) in all {
        let (i, place) = (row * raster.columns + column, cell(row, column));
        let middle = ((place.x0 + place.x1) / 2.0, (place.y0 + place.y1) / 2.0);
        if panel.area.contains(middle) {
            let ink = if color(i).luma() < 0.5 { Color::WHITE } else { Color::BLACK };
            scene.text((middle.0, middle.1 + 0.36 * size), &text(i), size, Anchor::Middle, ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_lines_to_the_frame() {
        let area = Rect::new(0.0, 0.0, 10.0, 10.0);
        let pieces = clip_line(&[(-5.0, 5.0), (5.0, 5.0), (5.0, 20.0), (8.0, 20.0), (8.0, 5.0)], &area);
        assert_eq!(pieces, [vec![(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)], vec![(8.0, 10.0), (8.0, 5.0)]]);
        assert!(clip_line(&[(11.0, 0.0), (12.0, 9.0)], &area).is_empty());
    }

    #[test]
    fn clips_polygons_to_the_frame() {
        let area = Rect::new(0.0, 0.0, 10.0, 10.0);
        let points = clip_polygon(vec![(5.0, 5.0), (15.0, 5.0), (15.0, 8.0), (5.0, 8.0)], &area);
        assert!(points.iter().all(|p| area.contains(*p)) && points.contains(&(10.0, 5.0)), "{points:?}");
        assert!(clip_polygon(Vec::new(), &area).is_empty());
    }

    #[test]
    fn long_lines_keep_their_peaks() {
        let mut run: Vec<Point> = (0..100_000).map(|i| (i as f64 / 1000.0, (i % 7) as f64)).collect();
        run[54_321].1 = 99.0;
        let kept = thin_out(&run);
        assert!(kept.len() < 1000 && kept.iter().any(|p| p.1 == 99.0));
    }
}
