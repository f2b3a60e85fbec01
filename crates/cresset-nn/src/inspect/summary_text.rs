//! The table as torchinfo lays it out: names in 40 columns or more, then 25 for each column.

use super::summary::{Summary, SummaryRow};
use cresset_tensor::Dims;
use std::fmt;

const COLUMN: usize = 25;
const NAMES: usize = 40;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shown: Vec<(usize, &SummaryRow)> =
            self.rows.iter().enumerate().filter(|(_, r)| r.depth <= self.depth).collect();
        let longest = shown.iter().map(|(_, r)| self.label(r).chars().count() + 5 * r.depth + 1).max().unwrap_or(0);
        let names = if longest >= NAMES { longest.next_multiple_of(5) } else { NAMES };
        let line = |f: &mut fmt::Formatter, cells: [&str; 4]| {
            let [name, shape, params, work] = cells;
            let text = format!("{name:<names$} {shape:<COLUMN$} {params:<COLUMN$} {work}");
            writeln!(f, "{}", text.trim_end())
        };
        let rule = "=".repeat(names + 3 * COLUMN);
        let title = if self.names { "Layer (type (var_name):depth-idx)" } else { "Layer (type:depth-idx)" };
        writeln!(f, "{rule}")?;
        line(f, [title, "Output Shape", "Param #", "Mult-Adds"])?;
        writeln!(f, "{rule}")?;
        for (at, row) in shown {
            let branch = match row.depth {
                0 => String::new(),
                1 => "├─".into(),
                depth => "│    ".repeat(depth - 1) + "└─",
            };
            let below = self.rows[at + 1..].iter().take_while(|r| r.depth > row.depth);
            let hidden: Vec<&SummaryRow> = below.filter(|_| row.depth == self.depth).collect();
            let with_hidden = |of: fn(&SummaryRow) -> u64| of(row) + hidden.iter().map(|r| of(r)).sum::<u64>();
            let params = with_hidden(|r| r.params as u64);
            let params = match (params, with_hidden(|r| r.trainable_params as u64)) {
                (0, _) if row.is_shared => "(recursive)".into(),
                (0, _) => "--".into(),
                (frozen, 0) => format!("({})", grouped(frozen)),
                (params, _) => grouped(params),
            };
            let work = match with_hidden(|r| r.mult_adds) {
                0 => "--".into(),
                work => grouped(work),
            };
            line(f, [&(branch + &self.label(row)), &shapes(&row.outputs), &params, &work])?;
        }
        let (unit, work) = match self.total_mult_adds as f64 {
            t if t >= 1e12 => ("T", t / 1e12),
            t if t >= 1e9 => ("G", t / 1e9),
            t => ("M", t / 1e6),
        };
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        writeln!(f, "{rule}")?;
        writeln!(f, "Total params: {}", grouped(self.total_params as u64))?;
        writeln!(f, "Trainable params: {}", grouped(self.trainable_params as u64))?;
        writeln!(f, "Non-trainable params: {}", grouped(self.non_trainable_params() as u64))?;
        writeln!(f, "Total mult-adds ({unit}): {work:.2}")?;
        writeln!(f, "{rule}")?;
        writeln!(f, "Input size (MB): {:.2}", megabytes(self.input_bytes))?;
        writeln!(f, "Forward/backward pass size (MB): {:.2}", megabytes(self.forward_backward_bytes))?;
        writeln!(f, "Params size (MB): {:.2}", megabytes(self.param_bytes))?;
        writeln!(f, "Estimated Total Size (MB): {:.2}", megabytes(self.total_bytes()))?;
        write!(f, "{rule}")
    }
}

impl Summary {
    fn label(&self, row: &SummaryRow) -> String {
        let mut label = row.class.clone();
        if self.names {
            label += &format!(" ({})", if row.name.is_empty() { &row.class } else { &row.name });
        }
        if row.depth > 0 {
            label += &format!(": {}-{}", row.depth, row.index);
        }
        label
    }
}

/// All shapes where they fit into the column, or else the first.
fn shapes(shapes: &[Dims]) -> String {
    let texts: Vec<String> = shapes.iter().map(|s| format!("{:?}", &s[..])).collect();
    match (texts.join(", "), texts.first()) {
        (_, None) => "--".into(),
        (all, _) if all.len() < COLUMN => all,
        (_, Some(first)) if texts.len() > 1 => format!("{first}, ..."),
        (all, _) => all,
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let mut text = digits[..head].to_string();
    for (i, c) in digits[head..].char_indices() {
        if i % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(c);
    }
    text
}
