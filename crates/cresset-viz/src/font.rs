//! Fonts: DejaVu Sans, carried by the library, and the font files a figure was given.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use ab_glyph::{Font, FontRef, FontVec, GlyphId, PxScale, point};

use crate::Error;

// Bitstream Vera licence: fonts/LICENSE-DejaVu.txt.
static DEJAVU: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../fonts/DejaVuSans.ttf")).expect("the embedded font is a TrueType font")
});

/// The fonts of a figure: DejaVu Sans, then for what it lacks the given ones, the newest first. SVG viewers choose in the same
/// order, so that both files have one layout.
#[derive(Clone, Default)]
pub(crate) struct Fonts {
    given: Vec<Arc<FontVec>>,
}

/// Where a character's picture comes from.
struct Choice<'a> {
    font: &'a dyn AnyFont,
    glyph: GlyphId,
    /// In ems.
    advance: f64,
}

/// The object-safe part of [`Font`] that is needed here.
trait AnyFont {
    fn em(&self, size: f64) -> PxScale;
    fn outline(&self, glyph: GlyphId, x: f64, y: f64, size: f64, dot: &mut dyn FnMut(i32, i32, f32));
}

impl<F: Font> AnyFont for F {
    /// ab_glyph measures a font by its line height; type is measured by its em.
    fn em(&self, size: f64) -> PxScale {
        let per_em = f64::from(self.units_per_em().unwrap_or(1000.0));
        PxScale::from((size * f64::from(self.height_unscaled()) / per_em) as f32)
    }

    fn outline(&self, glyph: GlyphId, x: f64, y: f64, size: f64, dot: &mut dyn FnMut(i32, i32, f32)) {
        let placed = glyph.with_scale_and_position(self.em(size), point(x as f32, y as f32));
        if let Some(outline) = self.outline_glyph(placed) {
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| dot(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32, cover));
        }
    }
}

impl Fonts {
    /// Adds the TrueType or OpenType font in `path` (a collection's first font).
    pub fn add(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, "cannot read the font", e))?;
        let font = FontVec::try_from_vec(bytes).map_err(|_| Error::new(path, "not a TrueType or OpenType font"))?;
        self.given.push(Arc::new(font));
        Ok(())
    }

    fn choose(&self, c: char) -> Choice<'_> {
        fn advance<F: Font>(font: &F, glyph: GlyphId) -> f64 {
            f64::from(font.h_advance_unscaled(glyph) / font.units_per_em().unwrap_or(1000.0))
        }
        let font = &*DEJAVU;
        let glyph = font.glyph_id(c);
        if glyph.0 != 0 {
            return Choice { font, glyph, advance: advance(font, glyph) };
        }
        for font in self.given.iter().rev() {
            let glyph = font.glyph_id(c);
            if glyph.0 != 0 {
                return Choice { font: &**font, glyph, advance: advance(&**font, glyph) };
            }
        }
        // A character nobody has shows as a box; SVG viewers will find it elsewhere, so it gets the room it will need there.
        let advance = if is_wide(c) { 1.0 } else { advance(font, glyph) };
        Choice { font, glyph, advance }
    }

    /// The width of `text` on one line in pixels.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        text.chars().map(|c| self.choose(c).advance).sum::<f64>() * size
    }

    /// Calls `dot(x, y, coverage)` for each pixel of `text` with its baseline starting at (x, y).
    pub fn draw(&self, text: &str, size: f64, x: f64, y: f64, dot: &mut dyn FnMut(i32, i32, f32)) {
        let mut x = x;
        for c in text.chars() {
            let choice = self.choose(c);
            choice.font.outline(choice.glyph, x, y, size, dot);
            x += choice.advance * size;
        }
    }

    /// Breaks `text` at line ends, spaces and wide characters into lines of at most `width` pixels; a longer word is cut.
    pub fn wrap(&self, text: &str, size: f64, width: f64) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            let mut used = 0.0;
            let mut last_break = None;
            for c in paragraph.chars() {
                let advance = self.choose(c).advance * size;
                if is_wide(c) && !line.is_empty() {
                    last_break = Some(line.len());
                }
                if used + advance > width && !line.is_empty() && c != ' ' {
                    let rest = line.split_off(last_break.unwrap_or(line.len()));
                    lines.push(line.trim_end().to_owned());
                    line = rest;
                    used = self.width(&line, size);
                    last_break = None;
                }
                line.push(c);
                used += advance;
                if c == ' ' {
                    last_break = Some(line.len());
                }
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// Characters that East Asian type sets on a full square.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_and_between_wide_characters() {
        let fonts = Fonts::default();
        let width = fonts.width("two words", 10.0) + 1.0;
        assert_eq!(fonts.wrap("two words and more", 10.0, width), ["two words", "and more"]);
        assert_eq!(fonts.wrap("a\nb", 10.0, 100.0), ["a", "b"]);
        assert_eq!(fonts.wrap("注意力权重", 10.0, 31.0), ["注意力", "权重"]);
        assert_eq!(fonts.wrap("", 10.0, 31.0), [""]);
        assert!(fonts.wrap("unbreakable", 10.0, 20.0).len() > 2);
    }

    #[test]
    fn a_bad_font_is_an_error() {
        let path = std::env::temp_dir().join(format!("cresset-viz-not-a-font-{}", std::process::id()));
        std::fs::write(&path, b"no font").unwrap();
        let error = Fonts::default().add(&path).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.ends_with("not a TrueType or OpenType font"), "{error}");
    }
}
