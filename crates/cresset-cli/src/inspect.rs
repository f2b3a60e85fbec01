//! `cresset inspect`.

use crate::args::Inspect;
use crate::failure::{Failure, Result};
use crate::say;
use cresset::data::{Columns, Table};
use cresset::io::{TensorFile, Value};
use cresset::{DType, Tensor};
use std::fmt::Write;

/// More rows than this help nobody; a file of shared lists can have any number.
const MOST_ROWS: usize = 10_000;
/// Of longer lists of plain values only the length is shown.
const MOST_ITEMS: usize = 8;

/// Lists what is in a file.
pub fn inspect(args: &Inspect) -> Result<()> {
    let path = &args.file;
    if path.is_dir() {
        let at = path.display();
        return Err(Failure::new(format!(
            "{at}: cannot be read: is a folder, not a file (did you mean {at}/model.pth?)"
        )));
    }
    let mut listing = Listing::default();
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
        let title = |rows| format!("{}: CSV file of {rows} rows", path.display());
        let table = match Table::load_csv(path, -1) {
            Ok(table) => table,
            // A single column, or numbers that are not finite: nothing to learn from, but to look at.
            Err(e) => {
                let Ok(columns) = Columns::load_csv(path) else { return Err(e.into()) };
                for (i, tensor) in columns.tensors.iter().enumerate() {
                    let name = columns.names.as_ref().map_or_else(|| i.to_string(), |names| names[i].clone());
                    listing.tensor(&name, tensor);
                }
                let rows = columns.tensors.first().map_or(0, Tensor::numel);
                return say(&listing.text(&title(rows)));
            }
        };
        for (i, name) in table.feature_names.iter().enumerate() {
            listing.tensor(name, &table.features.select(1, i as isize));
        }
        listing.tensor(&table.target_name, table.targets());
        if let Some(names) = table.class_names() {
            listing
                .values
                .push((format!("classes of {}", shown(&table.target_name)), short(&Value::list(names.to_vec()))));
        }
        return say(&listing.text(&title(table.len())));
    }
    let file = TensorFile::open(path)?;
    for (i, info) in file.tensors().iter().enumerate() {
        if listing.is_full() {
            break;
        }
        listing.tensor(&info.name, &file.at(i)?);
    }
    for (name, value) in file.values() {
        if listing.is_full() {
            break;
        }
        listing.values.push((shown(name), short(value)));
    }
    say(&listing.text(&format!("{}: {} file", path.display(), file.format())))
}

/// A row of the table: name, dtype, shape, smallest, largest, mean, standard deviation, a note.
type Row = [String; 8];

#[derive(Default)]
struct Listing {
    rows: Vec<Row>,
    values: Vec<(String, String)>,
    elements: usize,
    bytes: usize,
    cut: bool,
}

impl Listing {
    fn is_full(&mut self) -> bool {
        self.cut |= self.rows.len() + self.values.len() >= MOST_ROWS;
        self.cut
    }
    fn tensor(&mut self, name: &str, tensor: &Tensor) {
        if self.is_full() {
            return;
        }
        self.elements += tensor.numel();
        self.bytes += tensor.numel() * tensor.dtype().size();
        let shape: Vec<String> = tensor.shape().iter().map(usize::to_string).collect();
        let [min, max, mean, std, note] = Statistics::of(tensor).texts();
        self.rows.push([
            shown(name),
            tensor.dtype().name().into(),
            format!("[{}]", shape.join(", ")),
            min,
            max,
            mean,
            std,
            note,
        ]);
    }
    fn text(&self, title: &str) -> String {
        let mut text = format!("{title}\n");
        if !self.rows.is_empty() {
            let head = ["name", "dtype", "shape", "min", "max", "mean", "std", ""].map(String::from);
            text += "\n";
            table(&mut text, &head, &self.rows);
        }
        if !self.values.is_empty() {
            text += "\n";
            let width = self.values.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(60);
            for (name, value) in &self.values {
                let _ = writeln!(text, "{name:<width$}  {value}");
            }
        }
        if self.cut {
            let _ = writeln!(text, "\nonly the first {MOST_ROWS} entries are shown and counted");
        }
        let _ = writeln!(text, "\n{} tensors, {} elements, {} bytes", self.rows.len(), self.elements, self.bytes);
        text
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Tensor(_) | Value::Parameter(_) | Value::Dict(_) | Value::List(_) | Value::Tuple(_))
}

/// Longer names are cut: they come from the file, and may be all of it.
const LONGEST_NAME: usize = 500;

/// Names come from the file: control characters would reach the terminal.
fn shown(name: &str) -> String {
    if name.is_empty() {
        return "(value)".into();
    }
    let plain = |c: char| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] };
    let mut text: String = name.chars().take(LONGEST_NAME).flat_map(plain).collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        text += "...";
    }
    text
}

/// A value in a few characters.
fn short(value: &Value) -> String {
    let items = |items: &[Value]| items.iter().map(short).collect::<Vec<_>>().join(", ");
    let plain = |v: &[Value]| v.len() <= MOST_ITEMS && !v.iter().any(is_container);
    match value {
        Value::Str(s) if s.chars().count() > 200 => format!("a str of {} bytes", s.len()),
        Value::Str(s) => format!("{s:?}"),
        Value::List(v) if plain(v) => format!("[{}]", items(v)),
        Value::Tuple(v) if plain(v) => format!("({})", items(v)),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Size(_) | Value::DType(_) => {
            format!("{value:?}")
        }
        other => other.kind(),
    }
}

/// Columns of the widths they need: text left, numbers right.
fn table(text: &mut String, head: &Row, rows: &[Row]) {
    let all = || std::iter::once(head).chain(rows);
    let widths: Vec<usize> = (0..head.len()).map(|i| all().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    for row in all() {
        let mut line = String::new();
        for (i, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ =
                if (3..7).contains(&i) { write!(line, "{cell:>width$}  ") } else { write!(line, "{cell:<width$}  ") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// What is known of a tensor's finite numbers.
struct Statistics {
    count: usize,
    min: f64,
    max: f64,
    mean: f64,
    std: f64,
    nan: usize,
    infinite: usize,
    whole: bool,
}

impl Statistics {
    fn of(tensor: &Tensor) -> Statistics {
        let numbers = tensor.detach().to_dtype(DType::F64).to_vec::<f64>();
        let finite = || numbers.iter().copied().filter(|x| x.is_finite());
        let count = finite().count();
        // Scaled by the largest, so that no sum of squares overflows.
        let top = finite().fold(0.0, |m: f64, x| m.max(x.abs()));
        let unit = if top > 0.0 { top } else { 1.0 };
        let mean = finite().map(|x| x / unit).sum::<f64>() / count as f64;
        let squares = finite().map(|x| (x / unit - mean).powi(2)).sum::<f64>();
        Statistics {
            count,
            min: finite().fold(f64::INFINITY, f64::min),
            max: finite().fold(f64::NEG_INFINITY, f64::max),
            mean: mean * unit,
            // As PyTorch's std: divided by one less than the count.
            std: (squares / (count as f64 - 1.0)).sqrt() * unit,
            nan: numbers.iter().filter(|x| x.is_nan()).count(),
            infinite: numbers.iter().filter(|x| x.is_infinite()).count(),
            whole: !tensor.is_floating_point(),
        }
    }
    fn texts(&self) -> [String; 5] {
        let mut note = Vec::new();
        if self.nan > 0 {
            note.push(format!("{} nan", self.nan));
        }
        if self.infinite > 0 {
            note.push(format!("{} inf", self.infinite));
        }
        let number = |x: f64, at_least: usize| if self.count < at_least { "-".to_string() } else { digits(x) };
        let extreme = |x: f64| if self.whole && self.count > 0 { format!("{x}") } else { number(x, 1) };
        [extreme(self.min), extreme(self.max), number(self.mean, 1), number(self.std, 2), note.join(", ")]
    }
}

/// Five significant digits or so.
fn digits(x: f64) -> String {
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) { format!("{x:.4}") } else { format!("{x:.3e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_finite_numbers() {
        let s = Statistics::of(&Tensor::from_slice(&[1.0f32, 3.0, f32::NAN, f32::INFINITY]));
        assert_eq!(s.texts(), ["1.0000", "3.0000", "2.0000", "1.4142", "1 nan, 1 inf"]);
        let s = Statistics::of(&Tensor::from_slice(&[1e308f64, -1e308]));
        assert_eq!(s.texts(), ["-1.000e308", "1.000e308", "0.0000", "1.414e308", ""]);
        assert_eq!(Statistics::of(&Tensor::from_slice(&[7i64])).texts(), ["7", "7", "7.0000", "-", ""]);
        assert_eq!(Statistics::of(&Tensor::zeros([0])).texts(), ["-", "-", "-", "-", ""]);
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        assert_eq!(shown("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"\"".repeat(100_000)).len(), 503);
    }
}
