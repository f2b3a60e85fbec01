//! How wide text is, and how it stands in SVG.

/// The families that a drawing asks for: DejaVu Sans, whose widths are known here, then faces of about its width, then any.
pub(crate) const FAMILIES: &str = "DejaVu Sans, Verdana, Bitstream Vera Sans, sans-serif";

/// Thousandths of an em that the characters from space to `~` of DejaVu Sans advance.
const ADVANCES: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];

/// The width of one line of text. A character beyond ASCII counts as one em, which few exceed.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let advance = |c: char| match (c as usize).checked_sub(32).and_then(|i| ADVANCES.get(i)) {
        Some(a) => f64::from(*a),
        None => 1000.0,
    };
    text.chars().map(advance).sum::<f64>() * size / 1000.0
}

/// Text as it may stand between tags and in attributes. What XML cannot hold becomes a question mark.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(width("AA", 100.0), 136.8);
        assert_eq!(width("µ", 10.0), 10.0);
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("a<b> & \"c\"\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot;?");
    }
}
