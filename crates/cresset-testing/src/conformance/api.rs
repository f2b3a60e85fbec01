//! Texts of modules and tensors, and the promotion tables.

use super::args::Stop;
use super::modules::build;
use super::op_cases::Parsed;
use super::ops::resolve;
use super::out::Out;
use super::report::{Outcome, guarded};
use crate::golden::{Container, Inputs, Spec, Value};
use cresset_nn::Parameter;
use cresset_tensor::dtype::Promotion;
use cresset_tensor::{DType, PrintOptions, Scalar, attempt, finfo, iinfo, set_printoptions};
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
    for (name, want) in json["type_info"].as_object().into_iter().flatten() {
        let outcome = match DType::from_name(name) {
            Some(dtype) => type_info(dtype, want).into(),
            None => Outcome::Unsupported(format!("the dtype {name}")),
        };
        rows.push((format!("type_info {name}"), outcome));
    }
    rows
}

/// The limits of a dtype against the recorded ones.
fn type_info(dtype: DType, want: &Json) -> Result<(), String> {
    let integer = dtype.is_integer();
    for (key, want) in want.as_object().into_iter().flatten() {
        let equal = if integer {
            let i = iinfo(dtype);
            let got = match key.as_str() {
                "bits" => i64::from(i.bits),
                "max" => i.max,
                "min" => i.min,
                other => return Err(format!("iinfo has no {other}")),
            };
            want.as_i64() == Some(got)
        } else {
            let f = finfo(dtype);
            let got = match key.as_str() {
                "bits" => f64::from(f.bits),
                "eps" => f.eps,
                "max" => f.max,
                "min" => f.min,
                "tiny" => f.tiny,
                "smallest_normal" => f.smallest_normal,
                "resolution" => f.resolution,
                other => return Err(format!("finfo has no {other}")),
            };
            want.as_f64() == Some(got)
        };
        if !equal {
            return Err(format!("{key} of {dtype}: want {want}"));
        }
    }
    Ok(())
}

/// `tensor_print.json`.
pub fn tensor_print(json: &Json, numbers: &Container) -> Vec<(String, Outcome)> {
    cases(json)
        .map(|case| {
            let outcome = guarded(|| print_case(case, numbers).unwrap_or_else(Outcome::from));
            (case["i"].to_string(), outcome)
        })
        .collect()
}

fn print_case(case: &Json, numbers: &Container) -> Result<Outcome, Stop> {
    let inputs = Inputs::new(numbers, true);
    let options = print_options(&case["options"])?;
    let printed = |text: &dyn Fn() -> String| {
        let before = set_printoptions(options);
        let text = attempt(text);
        set_printoptions(before);
        text.map_err(|e| Stop::Unsupported(e.to_string()))
    };
    let got = if case.get("make").is_some() {
        let make = &case["make"];
        let name = make["fn"].as_str().unwrap_or_default();
        let Some(call) = resolve(name) else { return Err(Stop::Unsupported(format!("{name} is not there"))) };
        let Out::Tensor(t) = Parsed::of(make)?.call(&call, &inputs, false)? else {
            return Err(Stop::Unsupported(format!("{name} gives no tensor")));
        };
        printed(&|| t.to_string())?
    } else {
        let value = Value::parse(&case["tensor"]).map_err(Stop::Unsupported)?;
        let Value::Tensor(r) = &value else { return Err(Stop::Unsupported(format!("{value:?} is no tensor"))) };
        let t = inputs.get(r).map_err(Stop::Unsupported)?;
        match (r.param, r.grad) {
            (false, _) => printed(&|| t.to_string())?,
            (true, true) => printed(&|| Parameter::new(t.detach()).to_string())?,
            (true, false) => printed(&|| Parameter::frozen(t.detach()).to_string())?,
        }
    };
    let want = case["text"].as_str().unwrap_or_default();
    Ok(if got == want { Outcome::Passed } else { Outcome::Failed(format!("got\n{got}\nwant\n{want}")) })
}

fn print_options(json: &Json) -> Result<PrintOptions, Stop> {
    let mut o = PrintOptions::DEFAULT;
    if let Some(profile) = json["profile"].as_str() {
        o = match profile {
            "default" => PrintOptions::DEFAULT,
            "short" => PrintOptions::SHORT,
            "full" => PrintOptions::FULL,
            other => return Err(Stop::Unsupported(format!("the profile {other}"))),
        };
    }
    for (key, value) in json.as_object().into_iter().flatten() {
        let number = value.as_u64().map(|n| n as usize);
        match (key.as_str(), number) {
            ("profile", _) => {}
            ("precision", Some(n)) => o.precision = n,
            ("threshold", Some(n)) => o.threshold = n,
            ("edgeitems", Some(n)) => o.edgeitems = n,
            ("linewidth", Some(n)) => o.linewidth = n,
            ("sci_mode", _) => o.sci_mode = value.as_bool(),
            _ => return Err(Stop::Unsupported(format!("the print option {key}={value}"))),
        }
    }
    Ok(o)
}
