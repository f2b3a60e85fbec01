//! Tables of numbers in CSV files.

use super::csv_header::{First, first_line};
use super::csv_rows::Rows;
use super::csv_target::TargetColumn;
use crate::error::Error;
use crate::table::Table;
use cresset_tensor::Tensor;
use std::path::Path;

/// Which column is the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its name in the header, or by its number written as text.
    Named(String),
    /// By its number from 0; -1 is the last.
    At(isize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Column {
        Column::Named(name.to_string())
    }
}
impl From<&String> for Column {
    fn from(name: &String) -> Column {
        Column::Named(name.clone())
    }
}
impl From<String> for Column {
    fn from(name: String) -> Column {
        Column::Named(name)
    }
}
impl From<isize> for Column {
    fn from(number: isize) -> Column {
        Column::At(number)
    }
}
impl From<i32> for Column {
    fn from(number: i32) -> Column {
        Column::At(number as isize)
    }
}

/// Reads tables of numbers from CSV text.
///
/// All columns but the target are numbers. The target is a class if it is text (classes are numbered in sorted order) or if it is whole
/// numbers of which each comes twice on average and not more than 100 are different (numbered by size); otherwise it is a number.
/// [`Table::with_values`] takes whole numbers as numbers.
///
/// Unless told, the first line is a header if one of its fields is text above a number, or if it is all text and there is no other line. A first line
/// with the number of rows, the number of features and the names of the classes (as scikit-learn's `iris.csv` has: `150,4,setosa,...`)
/// is no header: the columns have no names and are chosen by number. Fields are separated by commas, semicolons or tabs, whichever the first line
/// has most of.
///
/// ```
/// use cresset_data::{Column, CsvReader};
/// let text = "width,height,kind\n1.5,2,leaf\n1.0,3,stem\n1.25,2.5,leaf\n";
/// let table = CsvReader::new().parse(text.as_bytes(), "plants", "kind")?;
/// assert_eq!(table.feature_names, ["width", "height"]);
/// assert_eq!(table.class_names().unwrap(), ["leaf", "stem"]);
/// assert_eq!(table.targets().to_vec::<i64>(), [0, 1, 0]);
/// # Ok::<(), cresset_data::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CsvReader {
    pub(super) header: Option<bool>,
    pub(super) delimiter: Option<u8>,
}

impl CsvReader {
    /// A reader that finds out about header and delimiter itself.
    pub fn new() -> CsvReader {
        CsvReader::default()
    }
    /// Says whether the first line names the columns.
    pub fn header(mut self, header: bool) -> CsvReader {
        self.header = Some(header);
        self
    }
    /// Says what separates fields.
    pub fn delimiter(mut self, delimiter: u8) -> CsvReader {
        self.delimiter = Some(delimiter);
        self
    }
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, a row has another number of fields than the others, a field is missing or is no number, or there is no such column:
    /// one sentence with file, line and column.
    pub fn load(&self, path: impl AsRef<Path>, target: impl Into<Column>) -> Result<Table, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::new(format!("{}: {e}", path.display())))?;
        self.parse(&bytes, &path.display().to_string(), target)
    }
    /// Reads text; `name` stands for the file in error messages.
    ///
    /// # Errors
    /// As [`CsvReader::load`].
    pub fn parse(&self, bytes: &[u8], name: &str, target: impl Into<Column>) -> Result<Table, Error> {
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
        let header: Option<Vec<String>> =
            matches!(kind, First::Header).then(|| first.fields.iter().map(str::to_string).collect());
        let first_row = if matches!(kind, First::Row) { Some(first) } else { None };
        let mut pending = first_row.into_iter().chain(second);

        let Some(mut row) = pending.next() else {
            return Err(Error::new(format!("{name}: there are no rows under the header")));
        };
        let columns = header.as_ref().map_or(row.fields.len(), Vec::len);
        let at = find_column(&target.into(), header.as_deref(), columns, name)?;
        if columns < 2 {
            return Err(Error::new(format!("{name}: expected at least two columns, features and the target, found 1")));
        }
        let column_name = |c: usize| header.as_ref().map_or_else(|| c.to_string(), |h| h[c].clone());
        let mut features = Vec::new();
        let mut target = TargetColumn::default();
        loop {
            if row.fields.len() != columns {
                return Err(row.error(name, &format!("expected {columns} fields, found {}", row.fields.len())));
            }
            for (c, field) in row.fields.iter().enumerate() {
                let place =
                    || format!("column {c}{}", header.as_ref().map_or(String::new(), |h| format!(" ({})", h[c])));
                if is_missing(field) {
                    return Err(row.error(name, &format!("the value in {} is missing", place())));
                }
                if c == at {
                    if !target.push(field) {
                        let what = format!("{field:?} in {}: too many different texts for classes", place());
                        return Err(row.error(name, &what));
                    }
                    continue;
                }
                match field.parse::<f32>() {
                    Ok(x) if x.is_finite() => features.push(x),
                    Ok(_) => return Err(row.error(name, &format!("{field} in {} is too large for float32", place()))),
                    Err(_) => {
                        return Err(row.error(name, &format!("expected a number in {}, found {field:?}", place())));
                    }
                }
            }
            row = match pending.next() {
                Some(row) => row,
                None => match rows.next()? {
                    Some(row) => row,
                    None => break,
                },
            };
        }
        let count = target.len();
        let mut class_names = None;
        if let First::Counts { rows, names } = kind {
            if rows != count {
                return Err(Error::new(format!("{name}: line 1 announces {rows} rows, found {count}")));
            }
            class_names = Some(names);
        }
        Ok(Table {
            features: Tensor::from_vec(features, [count, columns - 1]),
            target: target.finish(class_names),
            feature_names: (0..columns).filter(|&c| c != at).map(column_name).collect(),
            target_name: column_name(at),
        })
    }
}

impl Table {
    /// Reads a table of numbers from a CSV file; [`CsvReader`] says what it may hold. `target` is the target column's name, or its number from 0
    /// (-1 for the last): `"species"`, `4`, `-1`.
    ///
    /// # Errors
    /// As [`CsvReader::load`].
    pub fn load_csv(path: impl AsRef<Path>, target: impl Into<Column>) -> Result<Table, Error> {
        CsvReader::new().load(path, target)
    }
}

pub(super) fn likely_delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&b| b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or(b"");
    // Outside quotes.
    let outside = || line.split(|&b| b == b'"').step_by(2).flatten();
    let count = |d: u8| outside().filter(|&&b| b == d).count();
    // Of equal counts the last wins: the comma.
    *b"\t;,".iter().max_by_key(|&&d| count(d)).unwrap_or(&b',')
}

/// What tables write where there is no value.
pub(super) fn is_missing(field: &str) -> bool {
    matches!(field.to_ascii_lowercase().as_str(), "" | "?" | "na" | "n/a" | "nan" | "null")
}

fn find_column(target: &Column, header: Option<&[String]>, columns: usize, name: &str) -> Result<usize, Error> {
    let number = match target {
        Column::At(number) => *number,
        Column::Named(wanted) => {
            if let Some(c) = header.and_then(|h| h.iter().position(|n| n == wanted)) {
                return Ok(c);
            }
            match (wanted.trim().parse::<isize>(), header) {
                (Ok(number), _) => number,
                (Err(_), Some(h)) => {
                    return Err(Error::new(format!(
                        "{name}: there is no column {wanted:?}; the columns are {}",
                        h.join(", ")
                    )));
                }
                (Err(_), None) => {
                    return Err(Error::new(format!(
                        "{name}: there is no header, so no column {wanted:?}; choose the target by its number, 0 to {}, or -1 for the last",
                        columns - 1
                    )));
                }
            }
        }
    };
    let at = if number < 0 { number + columns as isize } else { number };
    if at < 0 || at >= columns as isize {
        return Err(Error::new(format!(
            "{name}: there is no column {number}; expected 0 to {}, or -1 for the last",
            columns - 1
        )));
    }
    Ok(at as usize)
}
