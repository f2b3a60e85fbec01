//! Figures and reports for cresset: plots as PNG and SVG without any system library.
//!
//! A [`Figure`] holds a grid of [`Axes`]; calls on the axes chain and read like pyplot's object interface. Lines, scatter,
//! histograms, bars, heat maps and images, on linear and logarithmic axes, with a second y axis where wanted. Data are tensors, parameters,
//! slices or vectors. Letters come from DejaVu Sans, which the library carries, and from font files the figure is given.
//!
//! ```
//! use cresset_viz::{Figure, Scale};
//!
//! let steps: Vec<usize> = (1..=1000).collect();
//! let loss: Vec<f64> = steps.iter().map(|&s| 2.0 / s as f64).collect();
//! let mut fig = Figure::new(8.0, 5.0);
//! let ax = fig.subplot(1, 1, 1);
//! ax.plot(&steps, &loss).label("loss").title("training").xlabel("step").grid(true).yscale(Scale::Log);
//! ax.twinx().plot(&steps, &vec![0.1_f32; 1000]).label("learning rate").linestyle("--");
//! ax.legend();
//! let svg = fig.to_svg();
//! assert!(svg.starts_with("<svg") && svg.contains("learning rate"));
//! ```

mod artist;
mod axes;
mod charts;
mod check;
mod color;
mod draw;
mod error;
mod figure;
mod file;
mod font;
mod frame;
mod histogram;
mod layout;
mod legend;
mod png_file;
mod scene;
mod series;
mod shaped;
mod svg;
mod ticks;

pub use artist::{LineStyle, Marker};
pub use axes::{Axes, Loc};
pub use charts::{confusion_matrix, confusion_text, histogram_grid, image_grid, training_curves};
pub use color::{Color, Colormap};
pub use error::Error;
pub use figure::Figure;
pub use histogram::{Histogram, histogram};
pub use series::{Number, Series};
pub use shaped::Shaped;
pub use ticks::Scale;
