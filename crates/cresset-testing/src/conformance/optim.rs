//! Optimizers and learning-rate schedulers. cresset-optim has none yet: every case counts as unsupported.

use super::report::Outcome;
use crate::golden::Container;
use serde_json::Value as Json;

/// A case of `optim/`.
pub fn run_case(_file: &Container, case: &Json) -> Outcome {
    Outcome::Unsupported(format!("{} is not there", case["optimizer"].as_str().unwrap_or_default()))
}

/// The cases of `schedulers.json`.
pub fn schedulers(json: &Json) -> Vec<(String, Outcome)> {
    let cases = json["cases"].as_array().cloned().unwrap_or_default();
    let name = |c: &Json| c["scheduler"].as_str().unwrap_or_default().to_string();
    cases
        .iter()
        .enumerate()
        .map(|(i, c)| (i.to_string(), Outcome::Unsupported(format!("{} is not there", name(c)))))
        .collect()
}
