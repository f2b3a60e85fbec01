//! Texts of modules and tensors, and the promotion tables.

use super::args::Stop;
use super::modules::build;
use super::report::{Outcome, guarded};
use crate::golden::{Container, Inputs, Spec};
use cresset_tensor::dtype::Promotion;
use cresset_tensor::{DType, Scalar};
use serde_json::Value as Json;

/// `reprs.json`.
pub fn reprs(json: &Json) -> Vec<(String, Outcome)> {
    cases(json)
        .map(|case| {
            let outcome = guarded(|| {
                let try_case = || -> Result<Outcome, Stop> {
                    let file = Container::without_numbers();
                    let spec = Spec::parse(&case["spec"]).map_err(Stop::Unsupported)?;
                    let built = build(&spec, &Inputs::new(&file, true))?;
                    let want = case["repr"].as_str().unwrap_or_default();
                    let got = built.module.repr();
                    Ok(if got == want { Outcome::Passed } else { Outcome::Failed(format!("got\n{got}\nwant\n{want}")) })
                };
                try_case().unwrap_or_else(Outcome::from)
            });
            (case["i"].to_string(), outcome)
        })
        .collect()
}

fn cases(json: &Json) -> impl Iterator<Item = &Json> {
    json["cases"].as_array().into_iter().flatten()
}

/// `promotion.json`.
pub fn promotion(json: &Json) -> Vec<(String, Outcome)> {
    let mut rows = Vec::new();
    let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
    let dtype = |j: &Json| j.as_str().and_then(DType::from_name);
    for (i, row) in list("promote_types").iter().enumerate() {
        let (Some(a), Some(b), Some(want)) = (dtype(&row[0]), dtype(&row[1]), dtype(&row[2])) else { continue };
        let got = a.promote(b);
        let cast = a.can_cast(b);
        let outcome = if got == want && Some(cast) == row[3].as_bool() {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{a} and {b}: got {got} ({cast}), want {want} ({})", row[3]))
        };
        rows.push((format!("promote_types {i}"), outcome));
    }
    for (i, row) in list("result_type").iter().enumerate() {
        let mut p = Promotion::default();
        for at in [0, 2] {
            let kind = row[at].as_str().unwrap_or_default();
            let name = row[at + 1].as_str().unwrap_or_default();
            p = match (kind, DType::from_name(name)) {
                ("tensor", Some(d)) => p.tensor(d, 1),
                ("tensor0", Some(d)) => p.tensor(d, 0),
                _ if name.starts_with("bool") => p.scalar(Scalar::Bool(true)),
                _ if name.starts_with("int") => p.scalar(Scalar::Int(1)),
                _ => p.scalar(Scalar::Float(1.0)),
            };
        }
        let got = p.result();
        let outcome = if Some(got) == dtype(&row[4]) {
            Outcome::Passed
        } else {
            Outcome::Failed(format!("{row}: got {}", got.name()))
        };
        rows.push((format!("result_type {i}"), outcome));
    }
    for name in json["type_info"].as_object().into_iter().flatten().map(|(k, _)| k) {
        rows.push((format!("type_info {name}"), Outcome::Unsupported("finfo and iinfo".into())));
    }
    rows
}

/// `tensor_print.json`.
pub fn tensor_print(json: &Json, _numbers: &Container) -> Vec<(String, Outcome)> {
    cases(json).map(|c| (c["i"].to_string(), Outcome::Unsupported("printing of tensors".into()))).collect()
}
