//! One plot of a figure, filled by a chain of calls.

use crate::artist::{Artist, LineStyle, Mark, Marker, Raster};
use crate::check::{distinct, filled, index, named, ordered, pair};
use crate::color::{Color, Colormap};
use crate::{Histogram, Scale, Series, Shaped, histogram};
use cresset_tensor::error::fail;

/// Where the legend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loc {
    /// The corner or side where it hides least.
    #[default]
    Best,
    /// Top right.
    UpperRight,
    /// Top left.
    UpperLeft,
    /// Bottom left.
    LowerLeft,
    /// Bottom right.
    LowerRight,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Axis {
    pub label: String,
    pub scale: Scale,
    pub limits: Option<(f64, f64)>,
    pub ticks: Option<Vec<(f64, String)>>,
    pub integer: bool,
}

/// One plot: what is drawn in it, its title and its two axes.
///
/// Every call returns the axes again, so that calls chain. A call that draws (`plot`, `hist`, ...) adds one artist; the calls
/// that style (`label`, `color`, `alpha`, ...) change **the artist added last**. Made by [`Figure::subplot`](crate::Figure::subplot);
/// PyTorch users know it as `matplotlib.axes.Axes`.
///
/// ```
/// use cresset_viz::Figure;
/// let x: Vec<f64> = (-50..=50).map(|i| i as f64 / 10.0).collect();
/// let relu: Vec<f64> = x.iter().map(|v| v.max(0.0)).collect();
/// let mut fig = Figure::new(6.0, 4.0);
/// fig.subplot(1, 1, 1).plot(&x, &relu).label("relu").linestyle("--").title("ReLU").grid(true).legend();
/// assert!(fig.to_svg().contains("ReLU"));
/// ```
#[derive(Debug, Clone)]
pub struct Axes {
    pub(crate) artists: Vec<Artist>,
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) grid: bool,
    pub(crate) legend: Option<Loc>,
    pub(crate) equal: bool,
    pub(crate) visible: bool,
    pub(crate) colorbar: Option<String>,
    pub(crate) twin: Option<Box<Axes>>,
    lines: usize,
    fills: usize,
}

impl Axes {
    pub(crate) fn new() -> Axes {
        Axes {
            artists: Vec::new(),
            title: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            grid: false,
            legend: None,
            equal: false,
            visible: true,
            colorbar: None,
            twin: None,
            lines: 0,
            fills: 0,
        }
    }

    fn add_line(&mut self, mark: Mark) -> &mut Axes {
        self.artists.push(Artist::new(mark, Color::cycle(self.lines)));
        self.lines += 1;
        self
    }

    fn add_fill(&mut self, mark: Mark) -> &mut Axes {
        self.artists.push(Artist::new(mark, Color::cycle(self.fills)));
        self.fills += 1;
        self
    }

    #[track_caller]
    fn last(&mut self, call: &str) -> &mut Artist {
        match self.artists.last_mut() {
            Some(artist) => artist,
            None => fail(call, "nothing has been drawn on these axes yet"),
        }
    }

    /// Draws y against x as a line; a point that is not finite leaves a gap (`Axes.plot`).
    ///
    /// # Panics
    /// If `x` and `y` differ in length.
    #[track_caller]
    pub fn plot<X: Series + ?Sized, Y: Series + ?Sized>(&mut self, x: &X, y: &Y) -> &mut Axes {
        let (x, y) = pair("plot", x, y);
        self.add_line(Mark::Line { x, y })
    }

    /// Draws y against its index 0, 1, 2, ... as a line.
    pub fn plot_y<Y: Series + ?Sized>(&mut self, y: &Y) -> &mut Axes {
        let y = y.to_f64();
        self.add_line(Mark::Line { x: (0..y.len()).map(|i| i as f64).collect(), y })
    }

    /// Draws a marker at each (x, y) (`Axes.scatter`).
    ///
    /// # Panics
    /// If `x` and `y` differ in length.
    #[track_caller]
    pub fn scatter<X: Series + ?Sized, Y: Series + ?Sized>(&mut self, x: &X, y: &Y) -> &mut Axes {
        let (x, y) = pair("scatter", x, y);
        self.add_line(Mark::Scatter { x, y, values: None })
    }

    /// A scatter whose markers take their colours from `values` through the colour map (`Axes.scatter` with `c`).
    ///
    /// # Panics
    /// If the three differ in length.
    #[track_caller]
    pub fn scatter_values<X, Y, V>(&mut self, x: &X, y: &Y, values: &V) -> &mut Axes
    where
        X: Series + ?Sized,
        Y: Series + ?Sized,
        V: Series + ?Sized,
    {
        let (x, values) = pair("scatter", x, values);
        let (x, y) = pair("scatter", &x, y);
        self.add_line(Mark::Scatter { x, y, values: Some(values) })
    }

    /// Draws how many values fall into each of `bins` equal bins; see [`histogram`](crate::histogram()) for the rule (`Axes.hist`).
    ///
    /// # Panics
    /// If `bins` is 0.
    #[track_caller]
    pub fn hist<S: Series + ?Sized>(&mut self, values: &S, bins: usize) -> &mut Axes {
        self.add_fill(Mark::Hist { histogram: histogram(values, bins), density: false })
    }

    /// Draws a histogram that has been counted already (`Axes.stairs`).
    pub fn hist_of(&mut self, histogram: &Histogram) -> &mut Axes {
        self.add_fill(Mark::Hist { histogram: histogram.clone(), density: false })
    }

    /// Whether the last histogram shows densities (area 1) instead of counts.
    ///
    /// # Panics
    /// If the artist added last is no histogram.
    #[track_caller]
    pub fn density(&mut self, on: bool) -> &mut Axes {
        match &mut self.last("density").mark {
            Mark::Hist { density, .. } => *density = on,
            _ => fail("density", "the last thing drawn is not a histogram"),
        }
        self
    }

    /// One standing bar per name, at 0, 1, 2, ... (`Axes.bar`).
    ///
    /// # Panics
    /// If there are not as many heights as names.
    #[track_caller]
    pub fn bar<L: AsRef<str>, H: Series + ?Sized>(&mut self, names: &[L], heights: &H) -> &mut Axes {
        let at = index("bar", names.len(), heights.to_f64().len());
        self.x.ticks = Some(named(&at, names));
        self.add_fill(Mark::Bars { at, length: heights.to_f64(), width: 0.8, lying: false })
    }

    /// One lying bar per name, the first at the bottom (`Axes.barh`).
    ///
    /// # Panics
    /// If there are not as many lengths as names.
    #[track_caller]
    pub fn barh<L: AsRef<str>, H: Series + ?Sized>(&mut self, names: &[L], lengths: &H) -> &mut Axes {
        let at = index("barh", names.len(), lengths.to_f64().len());
        self.y.ticks = Some(named(&at, names));
        self.add_fill(Mark::Bars { at, length: lengths.to_f64(), width: 0.8, lying: true })
    }

    /// Standing bars with their middles at `x`, each `width` wide: groups of bars are several calls with shifted `x`.
    ///
    /// # Panics
    /// If `x` and `heights` differ in length.
    #[track_caller]
    pub fn bar_at<X: Series + ?Sized, H: Series + ?Sized>(&mut self, x: &X, heights: &H, width: f64) -> &mut Axes {
        let (at, length) = pair("bar", x, heights);
        self.add_fill(Mark::Bars { at, length, width, lying: false })
    }

    /// Fills the area between two curves over `x` (`Axes.fill_between`); opacity 0.3 unless `alpha` changes it.
    ///
    /// # Panics
    /// If the three differ in length.
    #[track_caller]
    pub fn fill_between<X, L, H>(&mut self, x: &X, low: &L, high: &H) -> &mut Axes
    where
        X: Series + ?Sized,
        L: Series + ?Sized,
        H: Series + ?Sized,
    {
        let (x, low) = pair("fill_between", x, low);
        let (x, high) = pair("fill_between", &x, high);
        self.add_fill(Mark::Band { x, low, high }).alpha(0.3)
    }

    /// A dashed grey line across the plot at `y` (`Axes.axhline`).
    pub fn axhline(&mut self, y: f64) -> &mut Axes {
        self.add_guide(Mark::Across(y))
    }

    /// A dashed grey line up the plot at `x` (`Axes.axvline`).
    pub fn axvline(&mut self, x: f64) -> &mut Axes {
        self.add_guide(Mark::Up(x))
    }

    fn add_guide(&mut self, mark: Mark) -> &mut Axes {
        let artist =
            Artist { line_width: 1.0, line_style: LineStyle::Dashed, ..Artist::new(mark, Color::rgb(112, 112, 112)) };
        self.artists.push(artist);
        self
    }

    /// Writes `text` with its baseline starting at (x, y) of the data (`Axes.text`).
    pub fn text(&mut self, x: f64, y: f64, text: impl Into<String>) -> &mut Axes {
        self.artists.push(Artist::new(Mark::Text { x, y, text: text.into() }, Color::BLACK));
        self
    }

    /// A matrix as coloured squares, row 0 at the top, values spread over the colour map (`Axes.imshow` of a 2-D array).
    ///
    /// # Panics
    /// If the shape is not that of a matrix, or the numbers do not fill it.
    #[track_caller]
    pub fn heatmap(&mut self, matrix: impl Shaped) -> &mut Axes {
        let (shape, values) = filled("heatmap", &matrix);
        let &[rows, columns] = &shape[..] else {
            fail("heatmap", format!("expected a matrix, but got {} dimensions", shape.len()));
        };
        self.add_raster(Raster { rows, columns, channels: 1, values })
    }

    /// An image of shape `[h, w]`, `[1, h, w]` (grey map, smallest value black), `[3, h, w]` or `[h, w, 3]` (colours from 0 to 1); where two of
    /// them fit, the first does (`Axes.imshow`).
    ///
    /// # Panics
    /// If the shape is none of these, or the numbers do not fill it.
    #[track_caller]
    pub fn imshow(&mut self, image: impl Shaped) -> &mut Axes {
        let (shape, values) = filled("imshow", &image);
        let raster = match shape[..] {
            [rows, columns] | [1, rows, columns] => Raster { rows, columns, channels: 1, values },
            [3, rows, columns] => {
                let plane = rows * columns;
                let values = (0..plane * 3).map(|i| values[i % 3 * plane + i / 3]).collect();
                Raster { rows, columns, channels: 3, values }
            }
            [rows, columns, 3] => Raster { rows, columns, channels: 3, values },
            [rows, columns, 1] => Raster { rows, columns, channels: 1, values },
            _ => fail("imshow", format!("Invalid shape {shape:?} for image data")),
        };
        self.add_raster(raster).cmap("gray")
    }

    fn add_raster(&mut self, raster: Raster) -> &mut Axes {
        self.equal = true;
        (self.x.integer, self.y.integer) = (true, true);
        self.artists.push(Artist::new(Mark::Raster(raster), Color::BLACK));
        self
    }

    /// The last artist's name in the legend.
    #[track_caller]
    pub fn label(&mut self, label: impl Into<String>) -> &mut Axes {
        self.last("label").label = Some(label.into());
        self
    }

    /// The last artist's colour; see [`Color`] for the names.
    #[track_caller]
    pub fn color(&mut self, color: impl Into<Color>) -> &mut Axes {
        self.last("color").color = color.into();
        self
    }

    /// The last artist's opacity, 0 to 1.
    #[track_caller]
    pub fn alpha(&mut self, alpha: f64) -> &mut Axes {
        self.last("alpha").alpha = alpha.clamp(0.0, 1.0);
        self
    }

    /// The last artist's line width in points (1.5 unless set).
    #[track_caller]
    pub fn linewidth(&mut self, points: f64) -> &mut Axes {
        self.last("linewidth").line_width = points.max(0.0);
        self
    }

    /// The last artist's line style: `"-"`, `"--"`, `":"`, `"-."` or `""`.
    #[track_caller]
    pub fn linestyle(&mut self, style: impl Into<LineStyle>) -> &mut Axes {
        self.last("linestyle").line_style = style.into();
        self
    }

    /// The last artist's marker: `"o"`, `"."`, `"s"`, `"^"`, `"v"`, `"D"`, `"x"` or `"+"`. A line has none unless set.
    #[track_caller]
    pub fn marker(&mut self, marker: impl Into<Marker>) -> &mut Axes {
        self.last("marker").marker = Some(marker.into());
        self
    }

    /// The diameter of the last artist's markers in points (6 unless set).
    #[track_caller]
    pub fn markersize(&mut self, points: f64) -> &mut Axes {
        self.last("markersize").marker_size = points.max(0.0);
        self
    }

    /// The last artist's colour map: `"viridis"`, `"magma"`, `"gray"`, `"Blues"`, `"coolwarm"`, or one of these with `_r`.
    #[track_caller]
    pub fn cmap(&mut self, map: impl Into<Colormap>) -> &mut Axes {
        self.last("cmap").colormap = map.into();
        self
    }

    /// The values at the two ends of the last artist's colour map (`vmin`, `vmax`); its smallest and largest unless set.
    ///
    /// # Panics
    /// Unless `low < high`, both finite.
    #[track_caller]
    pub fn clim(&mut self, low: f64, high: f64) -> &mut Axes {
        self.last("clim").color_limits = Some(ordered("clim", low, high));
        self
    }

    /// Writes the last heat map's numbers into its cells with so many decimals.
    #[track_caller]
    pub fn annotate(&mut self, decimals: usize) -> &mut Axes {
        self.last("annotate").annotate = Some(decimals);
        self
    }

    /// Shows a colour bar beside the plot for its heat map, image or coloured scatter, with a label (which may be empty).
    pub fn colorbar(&mut self, label: impl Into<String>) -> &mut Axes {
        self.colorbar = Some(label.into());
        self
    }

    /// The title above the plot; it breaks into lines where it is too wide.
    pub fn title(&mut self, title: impl Into<String>) -> &mut Axes {
        self.title = title.into();
        self
    }

    /// The label of the x axis.
    pub fn xlabel(&mut self, label: impl Into<String>) -> &mut Axes {
        self.x.label = label.into();
        self
    }

    /// The label of the y axis.
    pub fn ylabel(&mut self, label: impl Into<String>) -> &mut Axes {
        self.y.label = label.into();
        self
    }

    /// The ends of the x axis; `low > high` turns it around.
    ///
    /// # Panics
    /// If the two are equal or not finite.
    #[track_caller]
    pub fn xlim(&mut self, low: f64, high: f64) -> &mut Axes {
        self.x.limits = Some(distinct("xlim", low, high));
        self
    }

    /// The ends of the y axis; `low > high` turns it around.
    ///
    /// # Panics
    /// If the two are equal or not finite.
    #[track_caller]
    pub fn ylim(&mut self, low: f64, high: f64) -> &mut Axes {
        self.y.limits = Some(distinct("ylim", low, high));
        self
    }

    /// Linear or logarithmic x.
    pub fn xscale(&mut self, scale: Scale) -> &mut Axes {
        self.x.scale = scale;
        self
    }

    /// Linear or logarithmic y.
    pub fn yscale(&mut self, scale: Scale) -> &mut Axes {
        self.y.scale = scale;
        self
    }

    /// Ticks at these x with these labels.
    ///
    /// # Panics
    /// If there are not as many labels as positions.
    #[track_caller]
    pub fn xticks<S: Series + ?Sized, L: AsRef<str>>(&mut self, at: &S, labels: &[L]) -> &mut Axes {
        let at = at.to_f64();
        index("xticks", labels.len(), at.len());
        self.x.ticks = Some(named(&at, labels));
        self
    }

    /// Ticks at these y with these labels.
    ///
    /// # Panics
    /// If there are not as many labels as positions.
    #[track_caller]
    pub fn yticks<S: Series + ?Sized, L: AsRef<str>>(&mut self, at: &S, labels: &[L]) -> &mut Axes {
        let at = at.to_f64();
        index("yticks", labels.len(), at.len());
        self.y.ticks = Some(named(&at, labels));
        self
    }

    /// Only whole numbers as ticks on x (epochs, steps).
    pub fn integer_xticks(&mut self) -> &mut Axes {
        self.x.integer = true;
        self
    }

    /// Only whole numbers as ticks on y (counts).
    pub fn integer_yticks(&mut self) -> &mut Axes {
        self.y.integer = true;
        self
    }

    /// Whether grid lines are drawn at the ticks, under the data.
    pub fn grid(&mut self, on: bool) -> &mut Axes {
        self.grid = on;
        self
    }

    /// Shows the labelled artists (and those of the twin) in a legend where it hides least.
    pub fn legend(&mut self) -> &mut Axes {
        self.legend_at(Loc::Best)
    }

    /// Shows the legend in a given corner.
    pub fn legend_at(&mut self, loc: Loc) -> &mut Axes {
        self.legend = Some(loc);
        self
    }

    /// Whether one unit of x is as long as one unit of y. On for heat maps and images.
    pub fn equal_aspect(&mut self, on: bool) -> &mut Axes {
        self.equal = on;
        self
    }

    /// Hides frame, ticks and axis labels; the title stays.
    pub fn axis_off(&mut self) -> &mut Axes {
        self.visible = false;
        self
    }

    /// The axes that share this x and have their own y on the right (`Axes.twinx`). Colours go on where these left off.
    pub fn twinx(&mut self) -> &mut Axes {
        let (lines, fills) = (self.lines, self.fills);
        self.twin.get_or_insert_with(|| Box::new(Axes { lines, fills, ..Axes::new() }))
    }

    pub(crate) fn colored(&self) -> Option<&Artist> {
        self.artists.iter().rev().find(|a| a.mapped_range().is_some())
    }

    pub(crate) fn has_raster(&self) -> bool {
        self.artists.iter().any(|a| matches!(a.mark, Mark::Raster(_)))
    }
}
