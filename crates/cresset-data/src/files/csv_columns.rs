//! CSV files that hold nothing but numbers: columns as tensors, a tensor as rows.

use super::csv::{CsvReader, is_missing, likely_delimiter};
use super::csv_header::{First, first_line};
use super::csv_rows::Rows;
use crate::error::Error;
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Tensor, stack};
use std::io::Write;
use std::path::Path;

/// The columns of a CSV file in which everything is a number.
///
/// Columns of whole numbers are i64 tensors, all others f64, of shape `[rows]`. `nan`, `inf` and `-inf` are numbers.
///
/// ```
/// use cresset_data::{Columns, save_csv};
/// use cresset_tensor::Tensor;
/// let path = std::env::temp_dir().join("cresset_columns_example.csv");
/// let x = Tensor::from_vec([0.1f64, f64::INFINITY, 1e-300, -0.0, 2.0, f64::NAN], [3, 2]);
/// save_csv(&x, Some(&["a", "b"]), &path)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "a,b\n0.1,inf\n1e-300,-0.0\n2.0,nan\n");
/// let read = Columns::load_csv(&path)?;
/// assert_eq!(read.names.as_deref().unwrap(), ["a", "b"]);
/// assert_eq!(read.matrix().to_vec::<f64>()[..5], x.to_vec::<f64>()[..5]);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), cresset_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Columns {
    /// What the header calls them, if there is one.
    pub names: Option<Vec<String>>,
    /// Their numbers.
    pub tensors: Vec<Tensor>,
}

/// More columns are refused: a tensor for each takes far more than a field of the text.
const MOST_COLUMNS: usize = 1 << 16;

/// A column as far as it was read.
enum Column {
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

impl Column {
    fn push(&mut self, field: &str) -> bool {
        if let Column::Whole(numbers) = self {
            if let Ok(n) = field.parse() {
                numbers.push(n);
                return true;
            }
            // Not whole, then: in the same memory.
            *self = Column::Real(std::mem::take(numbers).into_iter().map(|n| n as f64).collect());
        }
        let (Column::Real(numbers), Ok(x)) = (self, field.parse()) else { return false };
        numbers.push(x);
        true
    }
    fn tensor(self) -> Tensor {
        match self {
            Column::Whole(numbers) => Tensor::from_slice(&numbers),
            Column::Real(numbers) => Tensor::from_slice(&numbers),
        }
    }
}

impl Columns {
    /// Reads a file; header and delimiter are found out ([`CsvReader::load_columns`] can be told).
    ///
    /// # Errors
    /// As [`CsvReader::load_columns`].
    pub fn load_csv(path: impl AsRef<Path>) -> Result<Columns, Error> {
        CsvReader::new().load_columns(path)
    }
    /// All columns side by side, of shape `[rows, columns]`: i64 if they are all whole, otherwise f64.
    pub fn matrix(&self) -> Tensor {
        let whole = self.tensors.iter().all(|t| t.dtype() == DType::I64);
        let dtype = if whole { DType::I64 } else { DType::F64 };
        let columns: Vec<Tensor> = self.tensors.iter().map(|t| t.to_dtype(dtype)).collect();
        stack(&columns, 1)
    }
    /// Writes them, whole or not at all; [`save_csv`] says how.
    ///
    /// # Errors
    /// One sentence: the file cannot be written.
    ///
    /// # Panics
    /// If they are not of one length and one dimension, or there are not as many names.
    #[track_caller]
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let rows = self.tensors.first().map_or(0, Tensor::numel);
        if let Some(t) = self.tensors.iter().find(|t| t.shape()[..] != [rows]) {
            fail("save_csv", format!("expected columns of shape [{rows}], found one of {:?}", t.shape()));
        }
        let names: Option<Vec<&str>> = self.names.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let cells: Vec<Cells> = self.tensors.iter().map(Cells::of).collect();
        write(path.as_ref(), names.as_deref(), rows, cells.len(), |row, column, out| cells[column].put(row, out))
    }
}

impl CsvReader {
    /// Reads a file in which everything is a number.
    ///
    /// # Errors
    /// If it cannot be read, a row has another number of fields than the others, or a field is missing or no number: one sentence with file, line
    /// and column.
    pub fn load_columns(&self, path: impl AsRef<Path>) -> Result<Columns, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::new(format!("{}: {e}", path.display())))?;
        self.parse_columns(&bytes, &path.display().to_string())
    }
    /// Reads text in which everything is a number; `name` stands for the file in error messages.
    ///
    /// # Errors
    /// As [`CsvReader::load_columns`].
    pub fn parse_columns(&self, bytes: &[u8], name: &str) -> Result<Columns, Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let delimiter = self.delimiter.unwrap_or_else(|| likely_delimiter(bytes));
        let mut rows = Rows::new(name, bytes, delimiter);
        let Some(first) = rows.next()? else {
            return Err(Error::new(format!("{name}: the file is empty, expected rows of numbers")));
        };
        let second = rows.next()?;
        let kind = match self.header {
            Some(true) => First::Header,
            Some(false) => First::Row,
            None => first_line(&first.fields, second.as_ref().map(|r| &r.fields)),
        };
        let header = matches!(kind, First::Header).then(|| first.fields.iter().map(str::to_string).collect::<Vec<_>>());
        let is_row = matches!(kind, First::Row);
        let width = match &header {
            Some(header) => header.len(),
            None => second.as_ref().filter(|_| !is_row).unwrap_or(&first).fields.len(),
        };
        if width > MOST_COLUMNS {
            return Err(Error::new(format!("{name}: {width} columns, but at most {MOST_COLUMNS} are read as tensors")));
        }
        // As many rows as there can be, and not more than the text has fields for.
        let (mut ends, mut fields) = (1, 1);
        for &b in bytes {
            ends += usize::from(b == b'\n' || b == b'\r');
            fields += usize::from(b == b'\n' || b == b'\r' || b == delimiter);
        }
        let most = ends.min(fields / width.max(1) + 1);
        let mut columns: Vec<Column> = (0..width).map(|_| Column::Whole(Vec::with_capacity(most))).collect();
        let mut pending = is_row.then_some(first).into_iter().chain(second);
        loop {
            let row = match pending.next() {
                Some(row) => row,
                None => match rows.next()? {
                    Some(row) => row,
                    None => break,
                },
            };
            if row.fields.len() != width {
                return Err(row.error(name, &format!("expected {width} fields, found {}", row.fields.len())));
            }
            for (c, (field, column)) in row.fields.iter().zip(&mut columns).enumerate() {
                if !column.push(field) {
                    let place = header.as_ref().map_or(String::new(), |h| format!(" ({})", h[c]));
                    let what = if is_missing(field) {
                        format!("the value in column {c}{place} is missing")
                    } else {
                        format!("expected a number in column {c}{place}, found {field:?}")
                    };
                    return Err(row.error(name, &what));
                }
            }
        }
        Ok(Columns { names: header, tensors: columns.into_iter().map(Column::tensor).collect() })
    }
}

/// Writes a tensor of numbers as CSV, whole or not at all: a vector as one column, a matrix row by row, with a header if it is given.
///
/// Every number has the fewest digits that give it back: [`Columns`] reads the same bits (of f16, bf16 and f32 tensors after `to_dtype`). Whole
/// numbers of floating dtypes have a `.0`, truth values are 0 and 1, and what is not finite is `nan`, `inf` and `-inf`. (`numpy.savetxt`.)
///
/// A header of nothing but numbers is taken for a row when it is read, unless [`CsvReader::header`] says what it is.
///
/// # Errors
/// One sentence: the file cannot be written.
///
/// # Panics
/// If the tensor has no or more than two dimensions, or the header not as many names as there are columns.
#[track_caller]
pub fn save_csv(tensor: &Tensor, header: Option<&[&str]>, path: impl AsRef<Path>) -> Result<(), Error> {
    let (rows, width) = match tensor.shape()[..] {
        [rows] => (rows, 1),
        [rows, width] => (rows, width),
        _ => fail("save_csv", format!("expected a vector or a matrix, got a tensor of shape {:?}", tensor.shape())),
    };
    let cells = Cells::of(tensor);
    write(path.as_ref(), header, rows, width, |row, column, out| cells.put(row * width + column, out))
}

/// The elements of a tensor, each in the type whose digits are its own.
enum Cells {
    Whole(Vec<i64>),
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Cells {
    fn of(tensor: &Tensor) -> Cells {
        let t = tensor.detach();
        match t.dtype() {
            DType::F64 => Cells::Double(t.to_vec()),
            DType::F32 | DType::F16 | DType::BF16 => Cells::Single(t.to_dtype(DType::F32).to_vec()),
            _ => Cells::Whole(t.to_dtype(DType::I64).to_vec()),
        }
    }
    fn put(&self, i: usize, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            Cells::Whole(v) => write!(out, "{}", v[i]),
            Cells::Single(v) if v[i].is_nan() => out.write_all(b"nan"),
            Cells::Double(v) if v[i].is_nan() => out.write_all(b"nan"),
            // Debug has the shortest digits too, and a point or an exponent in every number.
            Cells::Single(v) => write!(out, "{:?}", v[i]),
            Cells::Double(v) => write!(out, "{:?}", v[i]),
        }
    }
}

#[track_caller]
fn write(
    path: &Path,
    header: Option<&[&str]>,
    rows: usize,
    width: usize,
    put: impl Fn(usize, usize, &mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Error> {
    if width == 0 {
        fail("save_csv", "a table needs at least one column");
    }
    if let Some(header) = header
        && header.len() != width
    {
        fail("save_csv", format!("expected a header of {width} names, got {}", header.len()));
    }
    let done = cresset_io::atomic_write(path, |out| {
        if let Some(header) = header {
            let names: Vec<String> = header.iter().map(|name| quoted(name)).collect();
            writeln!(out, "{}", names.join(","))?;
        }
        for row in 0..rows {
            for column in 0..width {
                if column > 0 {
                    out.write_all(b",")?;
                }
                put(row, column, out)?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    });
    done.map_err(|e| Error::new(e.to_string()))
}

fn quoted(name: &str) -> String {
    if name.is_empty() || name.contains([',', ';', '\t', '"', '\n', '\r']) {
        return format!("\"{}\"", name.replace('"', "\"\""));
    }
    name.to_string()
}
