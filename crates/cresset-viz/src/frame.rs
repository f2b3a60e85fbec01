//! What stands around the data: frame, grid, ticks, labels, title, colour bar.

use crate::artist::Artist;
use crate::axes::Axes;
use crate::color::Color;
use crate::draw;
use crate::layout::{Lane, Panel, Ruler, size, title_base};
use crate::legend;
use crate::scene::{Anchor, Rect, Scene, Shape};

const GRID: Color = Color::rgb(204, 204, 204);

/// Draws one plot whole.
pub(crate) fn plot(scene: &mut Scene, axes: &Axes, panel: &Panel, ruler: &Ruler) {
    let width = 0.8 * ruler.pt;
    let area = panel.area;
    let (rasters, others): (Vec<&Artist>, Vec<&Artist>) =
        axes.artists.iter().partition(|a| matches!(a.mark, crate::artist::Mark::Raster(_)));
    rasters.iter().for_each(|a| draw::artist(scene, a, panel, &panel.y, ruler));
    if axes.grid && axes.visible {
        for (v, _) in &panel.x.ticks.major {
            let x = panel.at(&panel.y, *v, panel.y.lo).0;
            scene.hairline((x, area.y0), (x, area.y1), width, GRID);
        }
        for (v, _) in &panel.y.ticks.major {
            let y = panel.at(&panel.y, panel.x.lo, *v).1;
            scene.hairline((area.x0, y), (area.x1, y), width, GRID);
        }
    }
    others.iter().for_each(|a| draw::artist(scene, a, panel, &panel.y, ruler));
    if let (Some(twin), Some(lane)) = (&axes.twin, &panel.twin) {
        twin.artists.iter().for_each(|a| draw::artist(scene, a, panel, lane, ruler));
    }
    if axes.visible {
        frame(scene, &area, width);
        x_axis(scene, axes, panel, ruler);
        y_axis(scene, &panel.y, &axes.y.label, panel, false, ruler);
        if let (Some(twin), Some(lane)) = (&axes.twin, &panel.twin) {
            y_axis(scene, lane, &twin.y.label, panel, true, ruler);
        }
    }
    if let (Some(lane), Some(label), Some(artist)) = (&panel.bar, &axes.colorbar, axes.colored()) {
        let shift = panel.twin.as_ref().map_or(0.0, |_| panel.slot.x1 - area.x1).min(60.0 * ruler.pt);
        let start = area.x1 + size::BAR_GAP * ruler.pt + shift;
        let place = Rect::new(start.round(), area.y0, (start + size::BAR_WIDTH * ruler.pt).round(), area.y1);
        color_bar(scene, lane, label, artist, Panel { area: place, ..panel.clone() }, ruler);
    }
    title(scene, axes, panel, ruler);
    legend::draw(scene, axes, panel, ruler);
}

fn frame(scene: &mut Scene, area: &Rect, width: f64) {
    scene.hairline((area.x0, area.y0), (area.x1, area.y0), width, Color::BLACK);
    scene.hairline((area.x0, area.y1), (area.x1, area.y1), width, Color::BLACK);
    scene.hairline((area.x0, area.y0), (area.x0, area.y1), width, Color::BLACK);
    scene.hairline((area.x1, area.y0), (area.x1, area.y1), width, Color::BLACK);
}

fn x_axis(scene: &mut Scene, axes: &Axes, panel: &Panel, ruler: &Ruler) {
    let (pt, text, area) = (ruler.pt, ruler.text(), &panel.area);
    let top = area.y1 + (size::TICK + size::PAD) * pt;
    let mut deepest = text;
    for (v, label) in &panel.x.ticks.major {
        let x = panel.at(&panel.y, *v, panel.y.lo).0;
        scene.hairline((x, area.y1), (x, area.y1 + size::TICK * pt), 0.8 * pt, Color::BLACK);
        if panel.upright {
            deepest = deepest.max(ruler.width(label));
            scene.upright_text((x + 0.36 * text, top), label, text, Anchor::End, Color::BLACK);
        } else {
            scene.text((x, top + 0.8 * text), label, text, Anchor::Middle, Color::BLACK);
        }
    }
    for v in &panel.x.ticks.minor {
        let x = panel.at(&panel.y, *v, panel.y.lo).0;
        scene.hairline((x, area.y1), (x, area.y1 + size::MINOR_TICK * pt), 0.6 * pt, Color::BLACK);
    }
    let line = size::LEADING * text;
    let base = top + if panel.upright { deepest } else { line } + size::LABEL_PAD * pt + 0.8 * text;
    for (i, part) in ruler.lines(&axes.x.label, size::TEXT, panel.slot.width()).iter().enumerate() {
        let x = inside(&panel.slot, (area.x0 + area.x1) / 2.0, ruler.width(part));
        scene.text((x, base + i as f64 * line), part, text, Anchor::Middle, Color::BLACK);
    }
    if let Some(factor) = &panel.x.ticks.factor {
        scene.text((area.x1, base), factor, text, Anchor::End, Color::BLACK);
    }
}

fn y_axis(scene: &mut Scene, lane: &Lane, label: &str, panel: &Panel, right: bool, ruler: &Ruler) {
    let (pt, text, area) = (ruler.pt, ruler.text(), &panel.area);
    let (edge, out) = if right { (area.x1, 1.0) } else { (area.x0, -1.0) };
    let anchor = if right { Anchor::Start } else { Anchor::End };
    let away = (size::TICK + size::PAD) * pt;
    let mut widest: f64 = 0.0;
    for (v, label) in &lane.ticks.major {
        let y = area.y1 - lane.place(*v) * area.height();
        scene.hairline((edge, y), (edge + out * size::TICK * pt, y), 0.8 * pt, Color::BLACK);
        scene.text((edge + out * away, y + 0.36 * text), label, text, anchor, Color::BLACK);
        widest = widest.max(ruler.width(label));
    }
    for v in &lane.ticks.minor {
        let y = area.y1 - lane.place(*v) * area.height();
        scene.hairline((edge, y), (edge + out * size::MINOR_TICK * pt, y), 0.6 * pt, Color::BLACK);
    }
    if let Some(factor) = &lane.ticks.factor {
        let anchor = if right { Anchor::End } else { Anchor::Start };
        scene.text((edge, area.y0 - size::PAD * pt), factor, text, anchor, Color::BLACK);
    }
    let line = size::LEADING * text;
    let lines = ruler.lines(label, size::TEXT, area.height().max(60.0));
    let inner = edge + out * (away + widest + size::LABEL_PAD * pt);
    for (i, part) in lines.iter().enumerate() {
        // Text read from bottom to top hangs its letters to the left of its baseline; lines follow from left to right.
        let first = if right { inner + 0.9 * text } else { inner - 0.25 * text - (lines.len() - 1) as f64 * line };
        let y = (area.y0 + area.y1) / 2.0;
        scene.upright_text((first + i as f64 * line, y), part, text, Anchor::Middle, Color::BLACK);
    }
}

fn color_bar(scene: &mut Scene, lane: &Lane, label: &str, artist: &Artist, panel: Panel, ruler: &Ruler) {
    const STEPS: usize = 256;
    let (lo, hi) = (lane.lo, lane.hi);
    let mapping = artist.mapping();
    let shade = |i: usize| mapping(hi - (hi - lo) * i as f64 / (STEPS - 1) as f64).rgb;
    let pixels = (0..STEPS).flat_map(shade).collect();
    scene.shapes.push(Shape::Image { area: panel.area, columns: 1, rows: STEPS, pixels });
    frame(scene, &panel.area, 0.8 * ruler.pt);
    y_axis(scene, lane, label, &panel, true, ruler);
}

fn title(scene: &mut Scene, axes: &Axes, panel: &Panel, ruler: &Ruler) {
    let text = size::TITLE * ruler.pt;
    let lines = ruler.lines(&axes.title, size::TITLE, panel.slot.width());
    let base = panel.area.y0 - title_base(panel, axes, ruler);
    for (i, part) in lines.iter().enumerate() {
        let width = ruler.fonts.width(part, text);
        let x = inside(&panel.slot, (panel.area.x0 + panel.area.x1) / 2.0, width);
        let up = (lines.len() - 1 - i) as f64 * text * size::LEADING;
        scene.text((x, base - up), part, text, Anchor::Middle, Color::BLACK);
    }
}

/// The middle nearest to `x` at which something of `width` stays in the slot.
fn inside(slot: &Rect, x: f64, width: f64) -> f64 {
    x.min(slot.x1 - width / 2.0).max(slot.x0 + width / 2.0)
}
