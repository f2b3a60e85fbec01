//! The lines on stdout.

use crate::measure::Timing;

/// The line of a timed workload.
pub fn timing_line(name: &str, threads: usize, t: Timing, peak_mb: Option<f64>) -> String {
    let peak = peak_mb.map_or(String::new(), |mb| format!(r#", "peak_mb": {mb:.1}"#));
    format!(
        r#"{{"name": "{name}", "threads": {threads}, "median_us": {:.4}, "min_us": {:.4}, "runs": {}{peak}}}"#,
        t.median, t.min, t.runs
    )
}

/// The line of a workload whose result is to be compared.
pub fn check_line(name: &str, threads: usize, (checksum, scale): (f64, f64)) -> String {
    format!(r#"{{"name": "{name}", "threads": {threads}, "checksum": {checksum:e}, "scale": {scale:e}}}"#)
}
