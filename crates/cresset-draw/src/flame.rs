//! Flame charts: what took how much, as boxes below the box of the caller.

use crate::text::{FAMILIES, escape, width};
use std::fmt::Write;

/// A box: what it stands for, how much it is, and what is within.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Its name, written where there is room for all of it.
    pub name: String,
    /// What is shown under the mouse.
    pub tooltip: String,
    /// How much it is; what is within it should not be more.
    pub value: f64,
    /// Its colour, by its place in [`Flame::legend`].
    pub color: usize,
    /// What is within it.
    pub within: Vec<Frame>,
}

/// A flame chart, its root on top.
#[derive(Clone, Debug, Default)]
pub struct Flame {
    /// What stands above it.
    pub title: String,
    /// The kinds of boxes, and their colours. One without a name is not shown.
    pub legend: Vec<(String, crate::Color)>,
    /// The outermost box.
    pub root: Frame,
}

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 12.0;
const ROW: f64 = 20.0;
const SIZE: f64 = 11.0;
const HEAD: f64 = 52.0;
/// Narrower boxes cannot be seen.
const LEAST: f64 = 0.3;

impl Flame {
    /// The chart as a picture.
    pub fn to_svg(&self) -> String {
        let mut body = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            body,
            "<text x=\"{MARGIN}\" y=\"20\" font-size=\"14\">{}</text>",
            escape(&fitted(&self.title, 14.0, WIDTH - 2.0 * MARGIN))
        );
        let mut x = MARGIN;
        for (name, color) in self.legend.iter().filter(|(name, _)| !name.is_empty()) {
            let _ = writeln!(
                body,
                "<rect x=\"{x:.1}\" y=\"31\" width=\"11\" height=\"11\" fill=\"{color}\"/><text x=\"{:.1}\" y=\"41\">{}</text>",
                x + 15.0,
                escape(name)
            );
            x += 15.0 + width(name, SIZE) + 16.0;
        }
        let mut depth = 0;
        // An explicit stack: charts may be deep.
        let mut waiting = vec![(&self.root, MARGIN, 0)];
        let scale = (WIDTH - 2.0 * MARGIN) / self.root.value.max(f64::MIN_POSITIVE);
        while let Some((frame, x, level)) = waiting.pop() {
            let wide = frame.value * scale;
            if !(wide >= LEAST) {
                continue;
            }
            depth = depth.max(level + 1);
            self.frame(&mut body, frame, x, level, wide);
            let mut at = x;
            for inner in &frame.within {
                waiting.push((inner, at, level + 1));
                at += inner.value * scale;
            }
        }
        let high = HEAD + depth as f64 * ROW + MARGIN;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{high}\" viewBox=\"0 0 {WIDTH} {high}\" \
             font-family=\"{FAMILIES}\" font-size=\"{SIZE}\">\n<rect width=\"{WIDTH}\" height=\"{high}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    }

    fn frame(&self, body: &mut String, frame: &Frame, x: f64, level: usize, wide: f64) {
        let y = HEAD + level as f64 * ROW;
        let color = self.legend.get(frame.color).map_or("#dddddd", |(_, c)| c);
        let _ = write!(
            body,
            "<g><title>{}</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{:.2}\" height=\"{}\" fill=\"{color}\"/>",
            escape(&frame.tooltip),
            (wide - 0.5).max(LEAST),
            ROW - 1.0
        );
        if width(&frame.name, SIZE) + 6.0 <= wide {
            let _ = write!(body, "<text x=\"{:.2}\" y=\"{}\">{}</text>", x + 3.0, y + 13.5, escape(&frame.name));
        }
        body.push_str("</g>\n");
    }
}

/// As many of the words as fit.
fn fitted(text: &str, size: f64, room: f64) -> String {
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
        if width(&longer, size) > room {
            break;
        }
        line = longer;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str, value: f64) -> Frame {
        Frame { name: name.into(), tooltip: format!("{name}: {value}"), value, ..Frame::default() }
    }

    #[test]
    fn names_are_written_where_they_fit() {
        let within = vec![leaf("wide enough", 50.0), leaf("too narrow for its name", 1.0), leaf("unseen", 0.001)];
        let flame = Flame {
            title: "all & more".into(),
            legend: vec![("op".into(), "#aabbcc")],
            root: Frame { within, ..leaf("root", 100.0) },
        };
        let svg = flame.to_svg();
        assert!(svg.contains(">wide enough</text>") && svg.contains(">root</text>") && svg.contains("all &amp; more"));
        assert!(
            !svg.contains(">too narrow for its name</text>")
                && svg.contains("<title>too narrow for its name: 1</title>")
        );
        assert!(!svg.contains("unseen"));
    }

    #[test]
    fn an_empty_chart_is_a_picture() {
        assert!(Flame::default().to_svg().ends_with("</svg>\n"));
    }
}
