//! A figure: a grid of plots that becomes a file.

use std::path::Path;

use crate::axes::Axes;
use crate::color::Color;
use crate::font::Fonts;
use crate::layout::{self, Ruler, size};
use crate::scene::{Anchor, Rect, Scene};
use crate::{Error, file, frame, png_file, svg};
use cresset_tensor::error::fail;

/// A figure of one or more plots, written as PNG or SVG (`matplotlib.figure.Figure`).
///
/// Plots of one grid are of one size; room for titles and labels is made so that nothing overlaps or is cut off.
///
/// ```no_run
/// use cresset_viz::Figure;
/// let x: Vec<f64> = (0..100).map(|i| i as f64 / 10.0).collect();
/// let mut fig = Figure::new(15.0, 10.0);
/// for (i, name) in ["sin", "cos"].iter().enumerate() {
///     let y: Vec<f64> = x.iter().map(|v| if i == 0 { v.sin() } else { v.cos() }).collect();
///     fig.subplot(1, 2, i + 1).plot(&x, &y).title(*name).grid(true).xlabel("x");
/// }
/// fig.save("waves.png")?;
/// fig.save("waves.svg")?;
/// # Ok::<(), cresset_viz::Error>(())
/// ```
#[derive(Clone)]
pub struct Figure {
    inches: (f64, f64),
    dpi: f64,
    title: String,
    fonts: Fonts,
    plots: Vec<(Axes, [usize; 3])>,
}

impl Figure {
    /// An empty figure of that many inches, at 100 pixels an inch.
    ///
    /// # Panics
    /// If a side is not positive, or above 300 inches.
    #[track_caller]
    pub fn new(width: f64, height: f64) -> Figure {
        if ![width, height].iter().all(|s| *s > 0.0 && *s <= 300.0) {
            fail("Figure", format!("figure size must be positive and at most 300 inches, not ({width}, {height})"));
        }
        let plots = Vec::new();
        Figure { inches: (width, height), dpi: 100.0, title: String::new(), fonts: Fonts::default(), plots }
    }

    /// Sets the pixels per inch (100 unless set).
    ///
    /// # Panics
    /// Unless between 10 and 600.
    #[track_caller]
    pub fn dpi(&mut self, dpi: f64) -> &mut Figure {
        if !(10.0..=600.0).contains(&dpi) {
            fail("dpi", format!("dpi must be between 10 and 600, but got {dpi}"));
        }
        self.dpi = dpi;
        self
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        let px = |inches: f64| ((inches * self.dpi).round() as u32).max(1);
        (px(self.inches.0), px(self.inches.1))
    }

    /// The plot at `index` (from 1, row by row) of a grid of `rows` × `columns`; made on the first call, the same one on later
    /// calls (`Figure.add_subplot`, `pyplot.subplot`).
    ///
    /// # Panics
    /// If `index` is not in the grid.
    #[track_caller]
    pub fn subplot(&mut self, rows: usize, columns: usize, index: usize) -> &mut Axes {
        if index == 0 || index > rows * columns {
            fail("subplot", format!("num must be an integer with 1 <= num <= {}, not {index}", rows * columns));
        }
        let cell = [rows, columns, index];
        let position = self.plots.iter().position(|(_, c)| *c == cell).unwrap_or_else(|| {
            self.plots.push((Axes::new(), cell));
            self.plots.len() - 1
        });
        &mut self.plots[position].0
    }

    /// A title above all plots.
    pub fn suptitle(&mut self, title: impl Into<String>) -> &mut Figure {
        self.title = title.into();
        self
    }

    /// Takes characters that DejaVu Sans (which the library carries) lacks from the TrueType or OpenType font in `path`, before
    /// fonts given earlier; of a collection, from its first font. Needed for Chinese, Japanese or Korean in PNG files, where a
    /// character without a font shows as a box; an SVG file names common fonts and leaves the choice to the viewer.
    ///
    /// # Errors
    /// If the file cannot be read or is not a font.
    pub fn font(&mut self, path: impl AsRef<Path>) -> Result<&mut Figure, Error> {
        self.fonts.add(path.as_ref())?;
        Ok(self)
    }

    /// Writes the figure to `path`, as PNG or SVG by its extension. The file appears whole or not at all.
    ///
    /// # Errors
    /// If the extension is another one, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let bytes = match extension.as_deref() {
            Some("png") => self.to_png(),
            Some("svg") => self.to_svg().into_bytes(),
            _ => return Err(Error::new(path, "a figure is saved as .png or .svg")),
        };
        file::replace(path, &bytes)
    }

    /// The figure as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        svg::write(&self.scene())
    }

    /// The figure as the bytes of a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        png_file::write(&self.scene(), &self.fonts, self.dpi)
    }

    fn scene(&self) -> Scene {
        let (width, height) = self.size();
        let (w, h) = (f64::from(width), f64::from(height));
        let mut scene = Scene { width, height, shapes: Vec::new() };
        scene.rect(Rect::new(0.0, 0.0, w, h), Color::WHITE);
        let ruler = Ruler { fonts: &self.fonts, pt: self.dpi / 72.0 };
        let edge = 6.0 * ruler.pt;
        let mut page = Rect::new(edge, edge, w - edge, h - edge);
        let text = size::SUPTITLE * ruler.pt;
        for line in ruler.lines(&self.title, size::SUPTITLE, page.width()) {
            scene.text((w / 2.0, page.y0 + text), &line, text, Anchor::Middle, Color::BLACK);
            page.y0 += text * size::LEADING;
        }
        if !self.title.is_empty() {
            page.y0 += size::TITLE_PAD * ruler.pt;
        }
        let cells: Vec<(&Axes, [usize; 3])> = self.plots.iter().map(|(a, c)| (a, *c)).collect();
        for (panel, (axes, _)) in layout::arrange(&cells, page, &ruler).iter().zip(&cells) {
            frame::plot(&mut scene, axes, panel, &ruler);
        }
        scene
    }
}
