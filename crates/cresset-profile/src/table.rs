//! Tables for the terminal, with the columns of `torch.profiler`.

use crate::rows::{Row, Rows};
use std::cmp::Reverse;
use std::fmt;

/// What a table is sorted by, the largest first; the names are those of `torch.profiler`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// Time in no other event (`self_cpu_time_total`).
    #[default]
    SelfCpuTimeTotal,
    /// Time with all within (`cpu_time_total`).
    CpuTimeTotal,
    /// Mean time of a call (`cpu_time`).
    CpuTime,
    /// How often it ran (`count`).
    Count,
    /// Bytes left behind (`cpu_memory_usage`).
    CpuMemoryUsage,
    /// Floating-point operations (`flops`).
    Flops,
    /// Bytes read and written.
    Bytes,
    /// Part of the machine's speed that it reaches.
    Floor,
    /// The order in which they first ran.
    First,
}

impl SortBy {
    /// All, by the names that `torch.profiler` gives them.
    pub const NAMES: [(&'static str, SortBy); 9] = [
        ("self_cpu_time_total", SortBy::SelfCpuTimeTotal),
        ("cpu_time_total", SortBy::CpuTimeTotal),
        ("cpu_time", SortBy::CpuTime),
        ("count", SortBy::Count),
        ("cpu_memory_usage", SortBy::CpuMemoryUsage),
        ("flops", SortBy::Flops),
        ("bytes", SortBy::Bytes),
        ("floor", SortBy::Floor),
        ("first", SortBy::First),
    ];
}

impl std::str::FromStr for SortBy {
    type Err = String;
    fn from_str(name: &str) -> Result<SortBy, String> {
        let known = SortBy::NAMES.iter().find(|(n, _)| *n == name);
        known.map(|(_, by)| *by).ok_or_else(|| {
            let names: Vec<&str> = SortBy::NAMES.iter().map(|(n, _)| *n).collect();
            format!("expected one of {}, found {name:?}", names.join(", "))
        })
    }
}

/// A longer name ends with dots.
const NAME_WIDTH: usize = 55;

impl Rows {
    /// Sorted, the largest first.
    pub fn sorted(mut self, by: SortBy) -> Rows {
        match by {
            SortBy::SelfCpuTimeTotal => self.rows.sort_by_key(|r| Reverse(r.self_time)),
            SortBy::CpuTimeTotal => self.rows.sort_by_key(|r| Reverse(r.total_time)),
            SortBy::CpuTime => self.rows.sort_by_key(|r| Reverse(r.mean_time())),
            SortBy::Count => self.rows.sort_by_key(|r| Reverse(r.calls)),
            SortBy::CpuMemoryUsage => self.rows.sort_by_key(|r| Reverse(r.allocated)),
            SortBy::Flops => self.rows.sort_by_key(|r| Reverse(r.flops)),
            SortBy::Bytes => self.rows.sort_by_key(|r| Reverse(r.bytes)),
            SortBy::Floor => self.rows.sort_by(|a, b| b.share().total_cmp(&a.share())),
            SortBy::First => {}
        }
        self
    }

    /// The table, sorted, with so many rows at most (`key_averages().table(sort_by=..., row_limit=...)`).
    pub fn table(&self, sort_by: SortBy, row_limit: usize) -> String {
        let sorted = self.clone().sorted(sort_by);
        let whole = self.whole.as_nanos() as f64;
        let flops = flops_in(self.rows.iter().map(|r| r.flops).max().unwrap_or(0));
        let with_module = self.rows.iter().any(|r| r.module.is_some());
        let mut head = vec!["Name"];
        if with_module {
            head.push("Module");
        }
        head.extend(["Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]);
        head.push(if self.of_modules { "Backward" } else { "CPU Mem" });
        head.extend(["Peak Mem", "# of Calls", "Bytes", flops.0, "GFLOP/s", "Floor %", "Limit"]);
        let cells = |r: &Row| {
            let (own, total) = (r.self_time.as_nanos() as f64, r.total_time.as_nanos() as f64);
            let percent = |part: f64| format!("{:.2}%", if whole > 0.0 { 100.0 * part / whole } else { 0.0 });
            let mut cells = vec![shortened(&r.name)];
            if with_module {
                cells.push(shortened(r.module.as_deref().unwrap_or_default()));
            }
            cells.extend([percent(own), time(own), percent(total), time(total)]);
            cells.push(if r.calls == 0 { "--".into() } else { time(r.mean_time().as_nanos() as f64) });
            cells.push(match self.of_modules {
                true => time(r.backward_time.as_nanos() as f64),
                false => size(r.allocated as f64),
            });
            let none = r.flops == 0 && r.bytes == 0;
            cells.extend([
                size(r.peak_bytes as f64),
                r.calls.to_string(),
                size(r.bytes as f64),
                if r.flops == 0 { "--".into() } else { format!("{:.3}", r.flops as f64 / flops.1) },
                if r.flops == 0 { "--".into() } else { format!("{:.1}", r.flops as f64 / total.max(1.0)) },
                if none { "--".into() } else { format!("{:.1}%", 100.0 * r.share()) },
                if none { "--".into() } else { r.limit().name().into() },
            ]);
            cells
        };
        let shown: Vec<Vec<String>> = sorted.rows.iter().take(row_limit).map(cells).collect();
        let widths: Vec<usize> = (0..head.len())
            .map(|c| shown.iter().map(|row| row[c].chars().count()).chain([head[c].len()]).max().unwrap_or(0))
            .collect();
        let left = 1 + usize::from(with_module);
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.zip(&widths).enumerate();
            let padded: Vec<String> =
                cells.map(|(i, (t, w))| if i < left { format!("{t:<w$}") } else { format!("{t:>w$}") }).collect();
            padded.join("  ").trim_end().to_string() + "\n"
        };
        let rule = widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>().join("  ") + "\n";
        let mut text = rule.clone() + &line(&mut head.iter().copied()) + &rule;
        for row in &shown {
            text += &line(&mut row.iter().map(|c| &**c));
        }
        text += &rule;
        if sorted.rows.len() > row_limit {
            let more = sorted.rows.len() - row_limit;
            text += &format!("{more} more row{}\n", if more == 1 { "" } else { "s" });
        }
        text + &format!("Self CPU time total: {}\n", time(whole))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.table(SortBy::SelfCpuTimeTotal, 100))
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_WIDTH) {
        None => name.to_string(),
        Some(_) => name.chars().take(NAME_WIDTH - 3).collect::<String>() + "...",
    }
}

/// The unit for operations of which the largest row has so many, as torch.profiler chooses it.
fn flops_in(most: u64) -> (&'static str, f64) {
    match most {
        0..1_000_000 => ("KFLOPs", 1e3),
        1_000_000..1_000_000_000 => ("MFLOPs", 1e6),
        1_000_000_000..1_000_000_000_000 => ("GFLOPs", 1e9),
        _ => ("TFLOPs", 1e12),
    }
}

/// Nanoseconds, as torch.profiler prints times.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        _ if ns >= 1e9 => format!("{:.3}s", ns / 1e9),
        _ if ns >= 1e6 => format!("{:.3}ms", ns / 1e6),
        _ => format!("{:.3}us", ns / 1e3),
    }
}

/// Bytes, as torch.profiler prints memory.
pub(crate) fn size(bytes: f64) -> String {
    match bytes.abs() {
        b if b >= 1024.0 * 1024.0 * 1024.0 => format!("{:.2} GB", bytes / (1024.0 * 1024.0 * 1024.0)),
        b if b >= 1024.0 * 1024.0 => format!("{:.2} MB", bytes / (1024.0 * 1024.0)),
        b if b >= 1024.0 => format!("{:.2} KB", bytes / 1024.0),
        _ => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_printed_as_in_pytorch() {
        assert_eq!([time(12_345.0), time(1.5e7), time(2e9)], ["12.345us", "15.000ms", "2.000s"]);
        assert_eq!([size(12.0), size(-2048.0), size(3.0 * 1048576.0)], ["12 B", "-2.00 KB", "3.00 MB"]);
        assert_eq!([5, 5_000_000, 5_000_000_000].map(|n| flops_in(n).0), ["KFLOPs", "MFLOPs", "GFLOPs"]);
        assert_eq!(shortened(&"x".repeat(60)), "x".repeat(52) + "...");
    }

    #[test]
    fn keys_have_pytorchs_names() {
        assert_eq!("cpu_time_total".parse(), Ok(SortBy::CpuTimeTotal));
        assert!("time".parse::<SortBy>().unwrap_err().contains("self_cpu_time_total, cpu_time_total"));
    }
}
