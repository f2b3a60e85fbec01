//! Colours, matplotlib's default cycle, and colour maps.

use cresset_tensor::error::fail;

/// An sRGB colour with opacity. Made from bytes, or from a name: `"C0"` to `"C9"`, `"red"`, `"k"`, `"tab:blue"`, `"#1f77b4"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    /// Red, green and blue, 0 to 255.
    pub rgb: [u8; 3],
    /// Opacity: 0 is invisible, 1 hides what is under it.
    pub alpha: f64,
}

impl Color {
    /// Black.
    pub const BLACK: Color = Color::rgb(0, 0, 0);
    /// White.
    pub const WHITE: Color = Color::rgb(255, 255, 255);

    /// An opaque colour.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Color {
        Color { rgb: [r, g, b], alpha: 1.0 }
    }

    /// The `index`-th colour of the cycle (matplotlib's tab10), starting over after ten.
    pub const fn cycle(index: usize) -> Color {
        let [r, g, b] = TAB10[index % 10];
        Color::rgb(r, g, b)
    }

    /// The same colour with the opacity multiplied by `alpha`.
    pub fn with_alpha(self, alpha: f64) -> Color {
        Color { alpha: self.alpha * alpha.clamp(0.0, 1.0), ..self }
    }

    /// Perceived brightness from 0 to 1 (ITU-R BT.601 weights).
    pub(crate) fn luma(self) -> f64 {
        let [r, g, b] = self.rgb.map(f64::from);
        (0.299 * r + 0.587 * g + 0.114 * b) / 255.0
    }

    fn parse(name: &str) -> Option<Color> {
        if let Some(hex) = name.strip_prefix('#') {
            let v = u32::from_str_radix(hex, 16).ok()?;
            return match hex.len() {
                6 => Some(Color::rgb((v >> 16) as u8, (v >> 8) as u8, v as u8)),
                3 => Some(Color::rgb(17 * (v >> 8) as u8, 17 * (v >> 4 & 15) as u8, 17 * (v & 15) as u8)),
                _ => None,
            };
        }
        if let Some(index) = name.strip_prefix('C').and_then(|i| i.parse().ok()) {
            return Some(Color::cycle(index));
        }
        if let Some(index) = name.strip_prefix("tab:").and_then(|n| TAB_NAMES.iter().position(|t| *t == n)) {
            return Some(Color::cycle(index));
        }
        NAMED.iter().find(|(names, _)| names.contains(&name)).map(|&(_, [r, g, b])| Color::rgb(r, g, b))
    }
}

impl From<&str> for Color {
    #[track_caller]
    fn from(name: &str) -> Color {
        match Color::parse(name) {
            Some(color) => color,
            None => fail("color", format!("'{name}' is not a valid value for color")),
        }
    }
}

impl From<[u8; 3]> for Color {
    fn from(rgb: [u8; 3]) -> Color {
        Color { rgb, alpha: 1.0 }
    }
}

impl From<(u8, u8, u8)> for Color {
    fn from((r, g, b): (u8, u8, u8)) -> Color {
        Color::rgb(r, g, b)
    }
}

const TAB_NAMES: [&str; 10] = ["blue", "orange", "green", "red", "purple", "brown", "pink", "gray", "olive", "cyan"];

const TAB10: [[u8; 3]; 10] = [
    [31, 119, 180],
    [255, 127, 14],
    [44, 160, 44],
    [214, 39, 40],
    [148, 103, 189],
    [140, 86, 75],
    [227, 119, 194],
    [127, 127, 127],
    [188, 189, 34],
    [23, 190, 207],
];

const NAMED: [(&[&str], [u8; 3]); 15] = [
    (&["k", "black"], [0, 0, 0]),
    (&["w", "white"], [255, 255, 255]),
    (&["r", "red"], [255, 0, 0]),
    (&["g", "green"], [0, 128, 0]),
    (&["b", "blue"], [0, 0, 255]),
    (&["c", "cyan"], [0, 191, 191]),
    (&["m", "magenta"], [191, 0, 191]),
    (&["y", "yellow"], [191, 191, 0]),
    (&["gray", "grey"], [128, 128, 128]),
    (&["lightgray", "lightgrey"], [211, 211, 211]),
    (&["orange"], [255, 165, 0]),
    (&["purple"], [128, 0, 128]),
    (&["brown"], [165, 42, 42]),
    (&["steelblue"], [70, 130, 180]),
    (&["skyblue"], [135, 206, 235]),
];

/// A colour map: values from 0 to 1 become colours between evenly spaced stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colormap {
    stops: &'static [u32],
    reversed: bool,
}

impl Colormap {
    /// The colour of `t`, which is held to [0, 1]; a value that is not a number is light grey.
    pub fn at(&self, t: f64) -> Color {
        if t.is_nan() {
            return Color::rgb(211, 211, 211);
        }
        let t = if self.reversed { 1.0 - t } else { t }.clamp(0.0, 1.0) * (self.stops.len() - 1) as f64;
        let low = (t as usize).min(self.stops.len() - 2);
        let part = t - low as f64;
        let channel = |shift: u32| {
            let [a, b] = [self.stops[low], self.stops[low + 1]].map(|s| f64::from(s >> shift & 255));
            (a + (b - a) * part).round() as u8
        };
        Color::rgb(channel(16), channel(8), channel(0))
    }
}

impl From<&str> for Colormap {
    #[track_caller]
    fn from(name: &str) -> Colormap {
        let (base, reversed) = match name.strip_suffix("_r") {
            Some(base) => (base, true),
            None => (name, false),
        };
        match COLORMAPS.iter().find(|(n, _)| *n == base) {
            Some((_, stops)) => Colormap { stops, reversed },
            None => fail(
                "cmap",
                format!(
                    "'{name}' is not a known colormap; the known ones are viridis, magma, gray, Blues, coolwarm, and each with _r"
                ),
            ),
        }
    }
}

const COLORMAPS: [(&str, &[u32]); 5] = [
    ("viridis", &[0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725]),
    ("magma", &[0x000004, 0x180f3d, 0x440f76, 0x721f81, 0x9e2f7f, 0xcd4071, 0xf1605d, 0xfd9668, 0xfeca8d, 0xfcfdbf]),
    ("gray", &[0x000000, 0xffffff]),
    ("Blues", &[0xf7fbff, 0xdeebf7, 0xc6dbef, 0x9ecae1, 0x6baed6, 0x4292c6, 0x2171b5, 0x08519c, 0x08306b]),
    ("coolwarm", &[0x3b4cc0, 0x6788ee, 0x9abbff, 0xc9d7f0, 0xdddcdc, 0xedd1c2, 0xf7a889, 0xe26952, 0xb40426]),
];
