//! Where everything of a figure goes: limits and ticks of each plot, and plots of one size whose labels do not touch.

use crate::artist::Extent;
use crate::axes::{Axes, Axis};
use crate::font::Fonts;
use crate::scene::Rect;
use crate::ticks::{self, Room, Scale, Ticks};

/// Type sizes and distances, in points.
pub(crate) mod size {
    pub const TEXT: f64 = 10.0;
    pub const TITLE: f64 = 12.0;
    pub const SUPTITLE: f64 = 14.0;
    pub const TICK: f64 = 3.5;
    pub const MINOR_TICK: f64 = 2.0;
    pub const PAD: f64 = 3.5;
    pub const LABEL_PAD: f64 = 3.5;
    pub const TITLE_PAD: f64 = 6.0;
    pub const BAR_GAP: f64 = 8.0;
    pub const BAR_WIDTH: f64 = 11.0;
    pub const GAP: f64 = 9.0;
    /// Line height over type size.
    pub const LEADING: f64 = 1.25;
}

/// What measuring needs: the fonts and the length of a point in pixels.
pub(crate) struct Ruler<'a> {
    pub fonts: &'a Fonts,
    pub pt: f64,
}

impl Ruler<'_> {
    pub fn text(&self) -> f64 {
        size::TEXT * self.pt
    }

    pub fn width(&self, text: &str) -> f64 {
        self.fonts.width(text, self.text())
    }

    /// `text` in lines of at most `room` pixels, none where it is empty.
    pub fn lines(&self, text: &str, points: f64, room: f64) -> Vec<String> {
        if text.is_empty() { Vec::new() } else { self.fonts.wrap(text, points * self.pt, room.max(points * self.pt)) }
    }

    fn block(&self, lines: usize, points: f64) -> f64 {
        lines as f64 * points * self.pt * size::LEADING
    }
}

/// One axis with its limits and ticks settled; `lo > hi` where it runs backwards.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub lo: f64,
    pub hi: f64,
    pub scale: Scale,
    pub ticks: Ticks,
}

impl Lane {
    /// 0 at the lane's start, 1 at its end.
    pub fn place(&self, v: f64) -> f64 {
        self.scale.place(v, self.lo, self.hi)
    }
}

/// One plot in its place.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// The frame.
    pub area: Rect,
    /// The frame with the room for its labels.
    pub slot: Rect,
    pub x: Lane,
    pub y: Lane,
    pub twin: Option<Lane>,
    pub bar: Option<Lane>,
    /// Whether the labels of x stand upright because they are too wide to lie.
    pub upright: bool,
}

impl Panel {
    pub fn at(&self, y: &Lane, vx: f64, vy: f64) -> (f64, f64) {
        (self.area.x0 + self.x.place(vx) * self.area.width(), self.area.y1 - y.place(vy) * self.area.height())
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Margins {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Places plots of `cells` = (rows, columns, index from 1) inside `page`.
pub(crate) fn arrange(axes: &[(&Axes, [usize; 3])], page: Rect, ruler: &Ruler) -> Vec<Panel> {
    let mut panels = vec![None; axes.len()];
    let mut grids: Vec<(usize, usize)> = axes.iter().map(|(_, [r, c, _])| (*r, *c)).collect();
    grids.sort_unstable();
    grids.dedup();
    for (rows, columns) in grids {
        let members: Vec<usize> = (0..axes.len()).filter(|&i| axes[i].1[..2] == [rows, columns]).collect();
        let cell = |i: usize| ((axes[i].1[2] - 1) / columns, (axes[i].1[2] - 1) % columns);
        let mut around = vec![Margins { left: 40.0, right: 10.0, top: 25.0, bottom: 40.0 }; axes.len()];
        // Margins depend on the labels, labels on the ticks, ticks on the room: three rounds settle it.
        for _ in 0..3 {
            let widest = |n: usize, get: &dyn Fn(&Margins) -> f64, which: &dyn Fn(usize) -> usize| -> Vec<f64> {
                let mut most = vec![0.0_f64; n];
                members.iter().for_each(|&i| most[which(i)] = most[which(i)].max(get(&around[i])));
                most
            };
            let left = widest(columns, &|m| m.left, &|i| cell(i).1);
            let right = widest(columns, &|m| m.right, &|i| cell(i).1);
            let top = widest(rows, &|m| m.top, &|i| cell(i).0);
            let bottom = widest(rows, &|m| m.bottom, &|i| cell(i).0);
            let gap = size::GAP * ruler.pt;
            let split = |total: f64, n: usize, before: &[f64], after: &[f64]| {
                let used: f64 = before.iter().chain(after).sum::<f64>() + gap * (n - 1) as f64;
                ((total - used) / n as f64).max(8.0)
            };
            let width = split(page.width(), columns, &left, &right);
            let height = split(page.height(), rows, &top, &bottom);
            for &i in &members {
                let (row, column) = cell(i);
                let before =
                    |n: usize, a: &[f64], b: &[f64], size: f64| (0..n).map(|j| a[j] + b[j] + size + gap).sum::<f64>();
                let x0 = page.x0 + before(column, &left, &right, width);
                let y0 = page.y0 + before(row, &top, &bottom, height);
                let slot =
                    Rect::new(x0, y0, x0 + left[column] + width + right[column], y0 + top[row] + height + bottom[row]);
                let area =
                    Rect::new(x0 + left[column], y0 + top[row], x0 + left[column] + width, y0 + top[row] + height);
                let panel = settle(axes[i].0, area, slot, ruler);
                around[i] = margins(axes[i].0, &panel, area, ruler);
                panels[i] = Some(panel);
            }
        }
    }
    panels.into_iter().flatten().collect()
}

/// Limits and ticks of one plot in a frame of at most `area`.
fn settle(axes: &Axes, area: Rect, slot: Rect, ruler: &Ruler) -> Panel {
    let (xlo, xhi) = x_limits(axes);
    let (ylo, yhi) = y_limits(axes, axes.has_raster());
    let mut area = area;
    if axes.equal && axes.x.scale == Scale::Linear && axes.y.scale == Scale::Linear {
        let ratio = ((yhi - ylo) / (xhi - xlo)).abs();
        let width = area.width().min(area.height() / ratio);
        let (dx, dy) = ((area.width() - width) / 2.0, (area.height() - width * ratio) / 2.0);
        area = Rect::new(area.x0 + dx, area.y0 + dy, area.x1 - dx, area.y1 - dy);
    }
    area = Rect::new(area.x0.round(), area.y0.round(), area.x1.round(), area.y1.round());
    let tall = |_: &str| ruler.text();
    let upright_room = |length: f64| Room { length, label: &tall, gap: ruler.text() };
    let x_room = Room { length: area.width(), label: &|s| ruler.width(s), gap: 0.8 * ruler.text() };
    let (x, upright) = match &axes.x.ticks {
        Some(given) => {
            let lying = fits(given, xlo, xhi, axes.x.scale, &x_room);
            let thin = Room { length: area.width(), label: &tall, gap: 0.0 };
            let ticks = if lying { given.clone() } else { thinned(given, xlo, xhi, axes.x.scale, &thin) };
            (Lane { lo: xlo, hi: xhi, scale: axes.x.scale, ticks: chosen(ticks, xlo, xhi) }, !lying)
        }
        None => (lane(&axes.x, xlo, xhi, &x_room), false),
    };
    let y_lane = |axis: &Axis, lo: f64, hi: f64| match &axis.ticks {
        Some(given) => {
            let room = Room { length: area.height(), label: &tall, gap: 0.0 };
            let ticks = chosen(thinned(given, lo, hi, axis.scale, &room), lo, hi);
            Lane { lo, hi, scale: axis.scale, ticks }
        }
        None => lane(axis, lo, hi, &upright_room(area.height())),
    };
    let twin = axes.twin.as_deref().map(|twin| {
        let (lo, hi) = y_limits(twin, false);
        y_lane(&twin.y, lo, hi)
    });
    let bar = axes.colorbar.as_ref().and_then(|_| axes.colored()?.mapped_range()).map(|(lo, hi)| {
        let ticks = ticks::linear(lo, hi, false, &upright_room(area.height()));
        Lane { lo, hi, scale: Scale::Linear, ticks }
    });
    Panel { area, slot, y: y_lane(&axes.y, ylo, yhi), x, twin, bar, upright }
}

fn lane(axis: &Axis, lo: f64, hi: f64, room: &Room) -> Lane {
    let ticks = match axis.scale {
        Scale::Linear => ticks::linear(lo.min(hi), lo.max(hi), axis.integer, room),
        Scale::Log => ticks::log(lo.min(hi), lo.max(hi), room),
    };
    Lane { lo, hi, scale: axis.scale, ticks }
}

fn chosen(ticks: Vec<(f64, String)>, lo: f64, hi: f64) -> Ticks {
    let inside = |v: f64| v >= lo.min(hi) && v <= lo.max(hi);
    Ticks { major: ticks.into_iter().filter(|(v, _)| inside(*v)).collect(), ..Ticks::default() }
}

fn fits(ticks: &[(f64, String)], lo: f64, hi: f64, scale: Scale, room: &Room) -> bool {
    let at = |v: f64| scale.place(v, lo, hi) * room.length;
    ticks.windows(2).all(|pair| {
        let half = ((room.label)(&pair[0].1) + (room.label)(&pair[1].1)) / 2.0;
        (at(pair[1].0) - at(pair[0].0)).abs() >= half + room.gap / 2.0
    })
}

/// Every n-th of the ticks, with the smallest n that lets their labels stand apart.
fn thinned(ticks: &[(f64, String)], lo: f64, hi: f64, scale: Scale, room: &Room) -> Vec<(f64, String)> {
    let every = |n: usize| ticks.iter().step_by(n).cloned().collect::<Vec<_>>();
    (1..ticks.len().max(2))
        .map(every)
        .find(|t| fits(t, lo, hi, scale, room))
        .unwrap_or_else(|| every(ticks.len().max(1)))
}

fn x_limits(axes: &Axes) -> (f64, f64) {
    let scale = axes.x.scale;
    let artists = axes.artists.iter().chain(axes.twin.iter().flat_map(|t| &t.artists));
    limits(&axes.x, artists.map(|a| a.x_extent(scale)).fold(Extent::EMPTY, Extent::join))
}

fn y_limits(axes: &Axes, downwards: bool) -> (f64, f64) {
    let scale = axes.y.scale;
    let (lo, hi) = limits(&axes.y, axes.artists.iter().map(|a| a.y_extent(scale)).fold(Extent::EMPTY, Extent::join));
    if downwards && axes.y.limits.is_none() { (hi, lo) } else { (lo, hi) }
}

/// The given limits, or the data's with 5 % of margin.
fn limits(axis: &Axis, data: Extent) -> (f64, f64) {
    let log = axis.scale == Scale::Log;
    if let Some((lo, hi)) = axis.limits.filter(|(lo, hi)| !log || (*lo > 0.0 && *hi > 0.0)) {
        return (lo, hi);
    }
    if data.lo > data.hi {
        return if log { (1.0, 10.0) } else { (0.0, 1.0) };
    }
    // Beyond these the margin, or the span, would leave f64.
    let (least, most) = if log { (1e-300, 1e300) } else { (-1e300, 1e300) };
    let (lo, hi) = (data.lo.clamp(least, most), data.hi.clamp(least, most));
    let (lo, hi) = if log { (lo.log10(), hi.log10()) } else { (lo, hi) };
    let span = hi - lo;
    // Data that is all the same, or differs by less than the axis could show.
    let margin = if span > lo.abs().max(hi.abs()) * 1e-12 { span * 0.05 } else { (lo.abs() * 0.05).max(0.5) };
    let lo = if data.sticky_lo { lo } else { lo - margin };
    let hi = if data.sticky_hi && hi > lo { hi } else { hi + margin };
    if log { (10f64.powf(lo.max(-306.0)), 10f64.powf(hi.min(306.0))) } else { (lo, hi) }
}

/// The room that labels and titles take around a frame of `area` (which the plot's own may be smaller than).
fn margins(axes: &Axes, panel: &Panel, area: Rect, ruler: &Ruler) -> Margins {
    let pt = ruler.pt;
    let mut m = Margins { left: 2.0 * pt, right: 2.0 * pt, top: 2.0 * pt, bottom: 2.0 * pt };
    let reach = |lane: &Lane, label: &str| {
        let widest = lane.ticks.major.iter().map(|(_, s)| ruler.width(s)).fold(0.0, f64::max);
        let label = ruler.lines(label, size::TEXT, panel.area.height().max(60.0)).len();
        let label = if label == 0 { 0.0 } else { size::LABEL_PAD * pt + ruler.block(label, size::TEXT) };
        (size::TICK + size::PAD) * pt + widest + label
    };
    if axes.visible {
        m.left = m.left.max(reach(&panel.y, &axes.y.label));
        m.top += ruler.text() / 2.0;
        let labels = panel.x.ticks.major.iter().map(|(_, s)| s);
        let deep = match panel.upright {
            true => labels.map(|s| ruler.width(s)).fold(0.0, f64::max),
            false => ruler.block(1, size::TEXT),
        };
        let label = ruler.lines(&axes.x.label, size::TEXT, panel.slot.width()).len();
        let label = label.max(usize::from(panel.x.ticks.factor.is_some()));
        let label = if label == 0 { 0.0 } else { size::LABEL_PAD * pt + ruler.block(label, size::TEXT) };
        m.bottom = (size::TICK + size::PAD) * pt + deep + label;
        if !panel.upright {
            for (v, label) in &panel.x.ticks.major {
                let (at, half) = (panel.at(&panel.y, *v, panel.y.lo).0, ruler.width(label) / 2.0);
                m.left = m.left.max(area.x0 - (at - half));
                m.right = m.right.max(at + half - area.x1);
            }
        }
        if let (Some(lane), Some(twin)) = (&panel.twin, &axes.twin) {
            m.right = m.right.max(reach(lane, &twin.y.label));
        }
    }
    if let (Some(lane), Some(label)) = (&panel.bar, &axes.colorbar) {
        let beside = if panel.twin.is_some() { m.right } else { 0.0 };
        m.right = m.right.max(beside + (size::BAR_GAP + size::BAR_WIDTH) * pt + reach(lane, label));
    }
    let factor =
        axes.visible && [Some(&panel.y), panel.twin.as_ref()].iter().flatten().any(|l| l.ticks.factor.is_some());
    if factor || panel.bar.as_ref().is_some_and(|l| l.ticks.factor.is_some()) {
        m.top = m.top.max(ruler.block(1, size::TEXT) + size::PAD * pt);
    }
    let title = ruler.lines(&axes.title, size::TITLE, panel.slot.width()).len();
    if title > 0 {
        m.top = m.top.max(title_base(panel, axes, ruler) + ruler.block(title, size::TITLE));
    }
    m
}

/// How far above the frame the title's lowest line stands: higher where it would run into an axis' factor.
pub(crate) fn title_base(panel: &Panel, axes: &Axes, ruler: &Ruler) -> f64 {
    let lines = ruler.lines(&axes.title, size::TITLE, panel.slot.width());
    let title = lines.last().map_or(0.0, |s| ruler.fonts.width(s, size::TITLE * ruler.pt));
    let factor = |lane: Option<&Lane>| match lane.and_then(|l| l.ticks.factor.as_ref()) {
        Some(factor) if axes.visible => ruler.width(factor) + ruler.text(),
        _ => 0.0,
    };
    let widest = factor(Some(&panel.y)).max(factor(panel.twin.as_ref()));
    let meet = widest > 0.0 && title / 2.0 + widest > panel.area.width() / 2.0;
    size::TITLE_PAD * ruler.pt + if meet { ruler.block(1, size::TEXT) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(axes: &[(&Axes, [usize; 3])]) -> Vec<Panel> {
        let fonts = Fonts::default();
        arrange(axes, Rect::new(10.0, 10.0, 790.0, 590.0), &Ruler { fonts: &fonts, pt: 100.0 / 72.0 })
    }

    #[test]
    fn plots_of_a_grid_are_of_one_size_and_apart() {
        let mut axes: Vec<Axes> = (0..6).map(|_| Axes::new()).collect();
        axes[0]
            .plot_y(&[1e9, 2e9, -3e9])
            .ylabel("a long label")
            .title("a title that is too long for one line of its plot");
        axes[4].plot_y(&[0.001, 0.002]).xlabel("x").colorbar("");
        let cells: Vec<_> = axes.iter().enumerate().map(|(i, a)| (a, [2, 3, i + 1])).collect();
        let panels = arranged(&cells);
        for (i, a) in panels.iter().enumerate() {
            assert!((a.area.width() - panels[0].area.width()).abs() <= 1.0);
            assert!((a.area.height() - panels[0].area.height()).abs() <= 1.0);
            assert!(a.slot.x0 >= 9.9 && a.slot.x1 <= 790.1 && a.slot.y0 >= 9.9 && a.slot.y1 <= 590.1, "{a:?}");
            for b in &panels[i + 1..] {
                let shared = a.slot.intersect(&b.slot);
                assert!(shared.width() <= 0.0 || shared.height() <= 0.0);
            }
        }
    }

    #[test]
    fn limits_have_margins_and_feet() {
        let mut axes = Axes::new();
        axes.bar(&["a", "b"], &[1.0, 4.0]);
        assert_eq!(y_limits(&axes, false), (0.0, 4.2));
        let mut axes = Axes::new();
        axes.plot(&[0.0, 10.0], &[1.0, 100.0]).yscale(Scale::Log);
        assert_eq!(x_limits(&axes), (-0.5, 10.5));
        let (lo, hi) = y_limits(&axes, false);
        assert!((lo.log10() + 0.1).abs() < 1e-12 && (hi.log10() - 2.1).abs() < 1e-12);
        assert_eq!(x_limits(&Axes::new()), (0.0, 1.0));
        let mut axes = Axes::new();
        axes.plot(&[f64::NAN, 3.0], &[0.0, f64::INFINITY]);
        assert_eq!((x_limits(&axes), y_limits(&axes, false)), ((2.5, 3.5), (-0.5, 0.5)));
    }
}
