//! Figures that a training run ends with.

use crate::check::filled;
use crate::font::is_wide;
use crate::{Color, Figure, Series, Shaped};
use cresset_nn::stats::Report;
use cresset_tensor::error::fail;

/// Two panels against the epoch (from 1): losses left, accuracies right, each series with its name in the legend
/// and a name in one colour on both sides.
///
/// A group without series leaves its panel out. Values that are not finite are gaps.
///
/// ```
/// use cresset_viz::training_curves;
/// let fig = training_curves(&[("train", &[0.9, 0.4, 0.3]), ("val", &[0.8, 0.5, 0.4])], &[("val", &[0.71, 0.86, 0.9])]);
/// assert!(fig.to_svg().contains("accuracy"));
/// ```
pub fn training_curves(losses: &[(&str, &[f64])], accuracies: &[(&str, &[f64])]) -> Figure {
    let panels: Vec<_> = [("loss", losses), ("accuracy", accuracies)].into_iter().filter(|p| !p.1.is_empty()).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in panels.iter().flat_map(|p| p.1) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut fig = Figure::new(6.0 * panels.len().max(1) as f64, 4.5);
    for (i, (what, series)) in panels.iter().enumerate() {
        let axes = fig.subplot(1, panels.len(), i + 1);
        for (name, values) in series.iter() {
            let epochs: Vec<usize> = (1..=values.len()).collect();
            let color = names.iter().position(|n| n == name).unwrap_or(0);
            axes.plot(&epochs, *values).label(*name).color(Color::cycle(color));
            // A short run is points more than a curve, and a run of one epoch nothing but a point.
            if values.len() <= 20 {
                axes.marker("o").markersize(4.0);
            }
        }
        axes.title(*what).xlabel("epoch").ylabel(*what).integer_xticks().grid(true).legend();
    }
    fig
}

/// A confusion matrix as a heat map with its counts in the cells: `counts[i * n + j]` samples of class i were called j.
///
/// # Panics
/// If `counts` does not hold n × n numbers for n names.
///
/// ```
/// let fig = cresset_viz::confusion_matrix(&[50, 3, 2, 45], &["cat", "dog"]);
/// assert!(fig.to_svg().contains("predicted"));
/// ```
#[track_caller]
pub fn confusion_matrix<S: Series + ?Sized, L: AsRef<str>>(counts: &S, names: &[L]) -> Figure {
    let n = names.len();
    let counts = square(counts, n);
    let side = (2.0 + 0.5 * n as f64).clamp(4.5, 20.0);
    let mut fig = Figure::new(side + 1.0, side);
    let at: Vec<usize> = (0..n).collect();
    let top = counts.iter().copied().filter(|v| v.is_finite()).fold(1.0, f64::max);
    let axes = fig.subplot(1, 1, 1);
    axes.heatmap((&counts, [n, n])).cmap("Blues").clim(0.0, top).annotate(0).colorbar("");
    axes.xticks(&at, names).yticks(&at, names).xlabel("predicted").ylabel("true").title("confusion matrix");
    fig
}

/// A confusion matrix as aligned text for a terminal: a row per true class, a column per predicted class, each row's share of
/// correct answers (recall) at its end.
///
/// # Panics
/// If `counts` does not hold n × n numbers for n names.
///
/// ```
/// let text = cresset_viz::confusion_text(&[50, 0, 2, 48], &["cat", "dog"]);
/// assert_eq!(text, "true \\ predicted  cat  dog  recall\n\
///                   cat                50    0  1.0000\n\
///                   dog                 2   48  0.9600\n");
/// ```
#[track_caller]
pub fn confusion_text<S: Series + ?Sized, L: AsRef<str>>(counts: &S, names: &[L]) -> String {
    const CORNER: &str = "true \\ predicted";
    let n = names.len();
    let counts = square(counts, n);
    let columns = |s: &str| s.chars().map(|c| 1 + usize::from(is_wide(c))).sum::<usize>();
    let number = |v: f64| format!("{v}");
    let first = names.iter().map(|s| columns(s.as_ref())).chain([CORNER.len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n)
        .map(|j| (0..n).map(|i| number(counts[i * n + j]).len()).chain([columns(names[j].as_ref())]).max().unwrap_or(0))
        .collect();
    let mut text = format!("{CORNER}{}", " ".repeat(first - CORNER.len()));
    for (name, width) in names.iter().zip(&widths) {
        let name = name.as_ref();
        text += &format!("  {}{name}", " ".repeat(width - columns(name)));
    }
    text += "  recall\n";
    for (i, name) in names.iter().enumerate() {
        let name = name.as_ref();
        text += &format!("{name}{}", " ".repeat(first - columns(name)));
        let row = &counts[i * n..(i + 1) * n];
        for (&v, &width) in row.iter().zip(&widths) {
            text += &format!("  {:>width$}", number(v));
        }
        let total: f64 = row.iter().sum();
        text += &if total > 0.0 { format!("  {:.4}\n", row[i] / total) } else { format!("  {:>6}\n", "-") };
    }
    text
}

/// Images side by side without axes, of shape `[n, c, h, w]` with c 1 or 3 (colours from 0 to 1), or `[n, h, w]`; `titles` may be empty or hold
/// one title for each image (`torchvision.utils.make_grid`, with titles).
///
/// Grey images share one scale from the smallest to the largest value of all of them.
///
/// # Panics
/// If the shape is another one, does not fit the values, or the titles are neither none nor one for each image.
///
/// ```
/// use cresset_tensor::Tensor;
/// let fig = cresset_viz::image_grid(&Tensor::rand([2, 1, 4, 4]), 2, &["a", "b"]);
/// assert!(fig.to_svg().contains("<image"));
/// ```
#[track_caller]
pub fn image_grid<L: AsRef<str>>(images: impl Shaped, columns: usize, titles: &[L]) -> Figure {
    let (shape, images) = filled("image_grid", &images);
    let (n, one) = match shape[..] {
        [n, h, w] => (n, vec![h, w]),
        [n, c @ (1 | 3), h, w] => (n, vec![c, h, w]),
        _ => fail("image_grid", format!("expected shape [n, c, h, w] with c 1 or 3, or [n, h, w], but got {shape:?}")),
    };
    let each: usize = one.iter().product();
    if !titles.is_empty() && titles.len() != n {
        fail("image_grid", format!("expected no titles or {n}, but got {}", titles.len()));
    }
    let columns = columns.clamp(1, n.max(1));
    let rows = n.div_ceil(columns).max(1);
    let finite = || images.iter().copied().filter(|v| v.is_finite());
    let (lo, hi) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let title_room = if titles.is_empty() { 0.0 } else { 0.3 };
    let side = 1.2_f64.min(100.0 / columns as f64).min(100.0 / rows as f64);
    let mut fig = Figure::new(columns as f64 * side + 0.3, rows as f64 * (side + title_room) + 0.3);
    for i in 0..n {
        let axes = fig.subplot(rows, columns, i + 1);
        axes.imshow((&images[i * each..(i + 1) * each], &one[..])).axis_off();
        if lo < hi {
            axes.clim(lo, hi);
        }
        if let Some(title) = titles.get(i) {
            axes.title(title.as_ref());
        }
    }
    fig
}

/// A histogram for each tensor of a report, with its name, mean and standard deviation: the weights of a model, its gradients, or what its
/// modules give.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, ReLU, Sequential, stats};
/// let model = Sequential::new((Linear::new(10, 20), ReLU::new(), Linear::new(20, 1)));
/// let fig = cresset_viz::histogram_grid(&stats::weights(&model));
/// assert!(fig.to_svg().contains("0.weight"));
/// let fig = cresset_viz::histogram_grid(&stats::activations(&model, &Tensor::randn([64, 10])));
/// assert!(fig.to_svg().contains("Sequential"));
/// ```
pub fn histogram_grid(report: &Report) -> Figure {
    let n = report.rows.len();
    let columns = match n {
        0..=3 => n.max(1),
        4 => 2,
        5..=9 => 3,
        _ => 4,
    };
    let rows = n.div_ceil(columns).max(1);
    let mut fig = Figure::new(4.0 * columns as f64, (3.2 * rows as f64 + 0.4).min(300.0));
    fig.suptitle(report.what);
    for (i, r) in report.rows.iter().enumerate() {
        let axes = fig.subplot(rows, columns, i + 1);
        axes.hist_of(&r.histogram).alpha(0.7).integer_yticks().title(format!(
            "{}\nmean {}, std {}",
            r.name,
            digits(r.mean),
            digits(r.std)
        ));
        if i % columns == 0 {
            axes.ylabel("count");
        }
    }
    fig
}

/// Four digits behind the point where they say something.
fn digits(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x.abs()) { format!("{x:.2e}") } else { format!("{x:.4}") }
}

#[track_caller]
fn square<S: Series + ?Sized>(counts: &S, n: usize) -> Vec<f64> {
    let counts = counts.to_f64();
    if counts.len() != n * n {
        fail("confusion_matrix", format!("expected {n} x {n} counts for {n} classes, but got {}", counts.len()));
    }
    counts
}
