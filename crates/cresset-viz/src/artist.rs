//! What can be drawn on axes, and how it looks.

use crate::color::{Color, Colormap};
use crate::histogram::Histogram;
use crate::ticks::Scale;
use cresset_tensor::error::fail;

/// How a line is broken up: `"-"`, `"--"`, `":"`, `"-."`, or `""` for no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// `"-"`
    Solid,
    /// `"--"`
    Dashed,
    /// `":"`
    Dotted,
    /// `"-."`
    DashDot,
    /// `""`: only the markers show.
    None,
}

impl LineStyle {
    /// Lengths drawn and left out in turn, in line widths.
    pub(crate) fn pattern(self) -> &'static [f64] {
        match self {
            LineStyle::Solid | LineStyle::None => &[],
            LineStyle::Dashed => &[3.7, 1.6],
            LineStyle::Dotted => &[1.0, 1.65],
            LineStyle::DashDot => &[6.4, 1.6, 1.0, 1.6],
        }
    }
}

impl From<&str> for LineStyle {
    #[track_caller]
    fn from(text: &str) -> LineStyle {
        match text {
            "-" | "solid" => LineStyle::Solid,
            "--" | "dashed" => LineStyle::Dashed,
            ":" | "dotted" => LineStyle::Dotted,
            "-." | "dashdot" => LineStyle::DashDot,
            "" | "none" => LineStyle::None,
            _ => fail(
                "linestyle",
                format!("'{text}' is not a valid value for ls; supported values are '-', '--', ':', '-.', ''"),
            ),
        }
    }
}

/// The shape of a data point: `"o"`, `"."`, `"s"`, `"^"`, `"v"`, `"D"`, `"x"`, `"+"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// `"o"`
    Circle,
    /// `"."`, a disc of half the size
    Point,
    /// `"s"`
    Square,
    /// `"^"`
    Triangle,
    /// `"v"`
    TriangleDown,
    /// `"D"`
    Diamond,
    /// `"x"`
    Cross,
    /// `"+"`
    Plus,
}

impl From<&str> for Marker {
    #[track_caller]
    fn from(text: &str) -> Marker {
        match text {
            "o" => Marker::Circle,
            "." => Marker::Point,
            "s" => Marker::Square,
            "^" => Marker::Triangle,
            "v" => Marker::TriangleDown,
            "D" => Marker::Diamond,
            "x" => Marker::Cross,
            "+" => Marker::Plus,
            _ => fail(
                "marker",
                format!("'{text}' is not a valid marker; supported are 'o', '.', 's', '^', 'v', 'D', 'x', '+'"),
            ),
        }
    }
}

/// Red, green and blue, or one value for a colour map.
#[derive(Debug, Clone)]
pub(crate) struct Raster {
    pub rows: usize,
    pub columns: usize,
    /// 1 or 3.
    pub channels: usize,
    /// Row by row, the channels of a pixel side by side.
    pub values: Vec<f64>,
}

#[derive(Debug, Clone)]
pub(crate) enum Mark {
    Line {
        x: Vec<f64>,
        y: Vec<f64>,
    },
    Scatter {
        x: Vec<f64>,
        y: Vec<f64>,
        values: Option<Vec<f64>>,
    },
    Bars {
        at: Vec<f64>,
        length: Vec<f64>,
        width: f64,
        lying: bool,
    },
    Hist {
        histogram: Histogram,
        density: bool,
    },
    Band {
        x: Vec<f64>,
        low: Vec<f64>,
        high: Vec<f64>,
    },
    /// A line across the whole plot at that y.
    Across(f64),
    /// A line up the whole plot at that x.
    Up(f64),
    Text {
        x: f64,
        y: f64,
        text: String,
    },
    Raster(Raster),
}

#[derive(Debug, Clone)]
pub(crate) struct Artist {
    pub mark: Mark,
    pub color: Color,
    pub label: Option<String>,
    pub alpha: f64,
    /// In points.
    pub line_width: f64,
    pub line_style: LineStyle,
    pub marker: Option<Marker>,
    /// In points.
    pub marker_size: f64,
    pub colormap: Colormap,
    pub color_limits: Option<(f64, f64)>,
    /// Decimals of the numbers written into the cells.
    pub annotate: Option<usize>,
}

/// The smallest and largest of what an artist covers on one axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub lo: f64,
    pub hi: f64,
    /// No margin is put beyond these (the foot of a bar, the edge of an image).
    pub sticky_lo: bool,
    pub sticky_hi: bool,
}

impl Extent {
    pub const EMPTY: Extent = Extent { lo: f64::INFINITY, hi: f64::NEG_INFINITY, sticky_lo: false, sticky_hi: false };

    fn of<'a>(values: impl IntoIterator<Item = &'a f64>, scale: Scale) -> Extent {
        let mut extent = Extent::EMPTY;
        for &v in values {
            if v.is_finite() && (scale == Scale::Linear || v > 0.0) {
                extent.lo = extent.lo.min(v);
                extent.hi = extent.hi.max(v);
            }
        }
        extent
    }

    fn stuck(lo: f64, hi: f64) -> Extent {
        Extent { lo, hi, sticky_lo: true, sticky_hi: true }
    }

    /// Lengths that start at 0: the foot sticks, the heads get their margin.
    fn from_zero(lengths: &[f64], scale: Scale) -> Extent {
        let mut extent = Extent::of(lengths, scale);
        if scale == Scale::Linear && extent.lo <= extent.hi {
            (extent.sticky_lo, extent.sticky_hi) = (extent.lo >= 0.0, extent.hi <= 0.0);
            (extent.lo, extent.hi) = (extent.lo.min(0.0), extent.hi.max(0.0));
        }
        extent
    }

    pub fn join(self, o: Extent) -> Extent {
        let sticky_lo = if self.lo == o.lo {
            self.sticky_lo || o.sticky_lo
        } else if self.lo < o.lo {
            self.sticky_lo
        } else {
            o.sticky_lo
        };
        let sticky_hi = if self.hi == o.hi {
            self.sticky_hi || o.sticky_hi
        } else if self.hi > o.hi {
            self.sticky_hi
        } else {
            o.sticky_hi
        };
        Extent { lo: self.lo.min(o.lo), hi: self.hi.max(o.hi), sticky_lo, sticky_hi }
    }
}

impl Artist {
    pub fn new(mark: Mark, color: Color) -> Artist {
        Artist {
            mark,
            color,
            label: None,
            alpha: 1.0,
            line_width: 1.5,
            line_style: LineStyle::Solid,
            marker: None,
            marker_size: 6.0,
            colormap: Colormap::from("viridis"),
            color_limits: None,
            annotate: None,
        }
    }

    pub fn heights(&self) -> Option<Vec<f64>> {
        match &self.mark {
            Mark::Hist { histogram, density: true } => Some(histogram.density()),
            Mark::Hist { histogram, density: false } => Some(histogram.counts.iter().map(|&c| c as f64).collect()),
            _ => None,
        }
    }

    pub fn x_extent(&self, scale: Scale) -> Extent {
        match &self.mark {
            Mark::Line { x, .. } | Mark::Scatter { x, .. } | Mark::Band { x, .. } => Extent::of(x, scale),
            Mark::Bars { at, width, lying: false, .. } => {
                Extent::of(at.iter().flat_map(|a| [a - width / 2.0, a + width / 2.0]).collect::<Vec<_>>().iter(), scale)
            }
            Mark::Bars { length, .. } => Extent::from_zero(length, scale),
            Mark::Hist { histogram, .. } => Extent::of(&histogram.edges, scale),
            Mark::Up(v) => Extent::of([v], scale),
            Mark::Raster(r) => Extent::stuck(-0.5, r.columns as f64 - 0.5),
            Mark::Across(_) | Mark::Text { .. } => Extent::EMPTY,
        }
    }

    pub fn y_extent(&self, scale: Scale) -> Extent {
        match &self.mark {
            Mark::Line { y, .. } | Mark::Scatter { y, .. } => Extent::of(y, scale),
            Mark::Band { low, high, .. } => Extent::of(low.iter().chain(high), scale),
            Mark::Bars { at, width, lying: true, .. } => {
                Extent::of(at.iter().flat_map(|a| [a - width / 2.0, a + width / 2.0]).collect::<Vec<_>>().iter(), scale)
            }
            Mark::Bars { length, .. } => Extent::from_zero(length, scale),
            Mark::Hist { .. } => Extent::from_zero(&self.heights().unwrap_or_default(), scale),
            Mark::Across(v) => Extent::of([v], scale),
            Mark::Raster(r) => Extent::stuck(-0.5, r.rows as f64 - 0.5),
            Mark::Up(_) | Mark::Text { .. } => Extent::EMPTY,
        }
    }

    /// The values that the colour map spreads over, for those that have one.
    pub fn mapped_range(&self) -> Option<(f64, f64)> {
        let values = match &self.mark {
            Mark::Raster(r) if r.channels == 1 => &r.values,
            Mark::Scatter { values: Some(values), .. } => values,
            _ => return None,
        };
        let extent = Extent::of(values, Scale::Linear);
        Some(self.color_limits.unwrap_or(match extent {
            Extent { lo, hi, .. } if lo < hi => (lo, hi),
            Extent { lo, hi, .. } if lo == hi => (lo - 0.5, hi + 0.5),
            _ => (0.0, 1.0),
        }))
    }

    /// Colours by value; the range is looked up once.
    pub fn mapping(&self) -> impl Fn(f64) -> Color + '_ {
        let (lo, hi) = self.mapped_range().unwrap_or((0.0, 1.0));
        move |value| self.colormap.at((value - lo) / (hi - lo))
    }
}
