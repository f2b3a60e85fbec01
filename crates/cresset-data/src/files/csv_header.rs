//! What the first line of a table is.

use super::csv::is_missing;
use super::csv_rows::Fields;

/// What the first line is.
pub(super) enum First {
    /// The names of the columns.
    Header,
    /// Numbers of rows and features and the names of classes.
    Counts { rows: usize, names: Vec<String> },
    /// A row like the others.
    Row,
}

fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

pub(super) fn first_line(first: &Fields, second: Option<&Fields>) -> First {
    let is_text = |field: &str| !is_missing(field) && !is_number(field);
    let Some(second) = second else {
        return if first.iter().all(is_text) { First::Header } else { First::Row };
    };
    let same_kinds =
        first.len() == second.len() && first.iter().zip(second.iter()).all(|(a, b)| is_number(a) == is_number(b));
    if !same_kinds && let Some(counts) = counts(first, second.len(), is_text) {
        return counts;
    }
    let text_above_number = first.iter().zip(second.iter()).any(|(a, b)| is_text(a) && is_number(b));
    if text_above_number { First::Header } else { First::Row }
}

/// `150,4,setosa,versicolor,virginica`
fn counts(first: &Fields, columns: usize, is_text: impl Fn(&str) -> bool) -> Option<First> {
    let rows = first.get(0)?.parse().ok()?;
    let features: usize = first.get(1)?.parse().ok()?;
    let names: Vec<String> = first.iter().skip(2).map(str::to_string).collect();
    (features.checked_add(1) == Some(columns) && !names.is_empty() && names.iter().all(|n| is_text(n)))
        .then_some(First::Counts { rows, names })
}
