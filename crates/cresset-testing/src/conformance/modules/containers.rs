//! Containers.

use super::build::{Built, ModuleRow, as_layer, as_parameter, module};
use crate::conformance::args::{Args, Res, Stop};
use crate::golden::Value;
use cresset_nn::{Layer, ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential};

fn sequential(a: &Args) -> Res<Built> {
    let mut s = Sequential::new(());
    match a.rest("modules") {
        [Value::Dict(entries)] => {
            for (name, v) in entries {
                s = s.with(name, as_layer(v, a.inputs())?);
            }
        }
        list => {
            for v in list {
                s.push(as_layer(v, a.inputs())?);
            }
        }
    }
    Ok(Built::layer(s))
}

fn items<'a>(a: &Args<'a>, name: &str) -> Res<&'a [Value]> {
    match a.raw(name) {
        None | Some(Value::None) => Ok(&[]),
        Some(Value::List(v) | Value::Tuple(v)) => Ok(v),
        Some(other) => Err(Stop::Inexpressible(format!("{other:?} is no list"))),
    }
}
fn entries<'a>(a: &Args<'a>, name: &str) -> Res<&'a [(String, Value)]> {
    match a.raw(name) {
        None | Some(Value::None) => Ok(&[]),
        Some(Value::Dict(v)) => Ok(v),
        Some(other) => Err(Stop::Inexpressible(format!("{other:?} is no dictionary"))),
    }
}

pub(super) const ROWS: &[ModuleRow] = &[
    module("Sequential", "*modules", sequential),
    module("ModuleList", "modules", |a| {
        let layers: Vec<Box<dyn Layer>> =
            items(a, "modules")?.iter().map(|v| as_layer(v, a.inputs())).collect::<Res<_>>()?;
        Ok(Built::silent(ModuleList::of(layers)))
    }),
    module("ModuleDict", "modules", |a| {
        let layers: Vec<(String, Box<dyn Layer>)> = entries(a, "modules")?
            .iter()
            .map(|(k, v)| Ok((k.clone(), as_layer(v, a.inputs())?)))
            .collect::<Res<_>>()?;
        Ok(Built::silent(ModuleDict::of(layers)))
    }),
    module("ParameterList", "values", |a| {
        let list: Vec<_> = items(a, "values")?.iter().map(|v| as_parameter(a, v)).collect::<Res<_>>()?;
        Ok(Built::silent(ParameterList::new(list)))
    }),
    module("ParameterDict", "parameters", |a| {
        let list: Vec<_> =
            entries(a, "parameters")?.iter().map(|(k, v)| Ok((k.clone(), as_parameter(a, v)?))).collect::<Res<_>>()?;
        Ok(Built::silent(ParameterDict::new(list)))
    }),
];
