//! `cresset convert`.

use crate::args::Convert;
use crate::failure::{Failure, Result};
use crate::say;
use cresset::data::{Columns, save_csv};
use cresset::io::{self, Format, Surgery, TensorFile, Value, npy, npz, safetensors};
use cresset::{DType, StateDict, Tensor};
use std::collections::HashSet;
use std::path::Path;

/// What is read.
enum Source {
    File(Box<TensorFile>),
    /// A CSV file: its columns by the names of the header, or all of them as one tensor.
    Columns(StateDict),
}

impl Source {
    fn open(path: &Path, as_matrix: bool) -> Result<Source> {
        if !is_csv(path) {
            return Ok(Source::File(Box::new(TensorFile::open(path)?)));
        }
        let columns = Columns::load_csv(path)?;
        let mut state = StateDict::new();
        match &columns.names {
            Some(names) if !as_matrix => {
                for (name, tensor) in names.iter().zip(&columns.tensors) {
                    if state.contains_key(name) {
                        return Err(Failure::new(format!("{}: two columns are named {name:?}", path.display())));
                    }
                    state.insert(name.clone(), tensor.clone());
                }
            }
            _ => state.insert(NAMELESS, columns.matrix()),
        }
        Ok(Source::Columns(state))
    }
    fn names(&self) -> Vec<&str> {
        match self {
            Source::File(file) => file.tensors().iter().map(|t| &*t.name).collect(),
            Source::Columns(state) => state.keys().collect(),
        }
    }
    fn values(&self) -> &[(String, Value)] {
        match self {
            Source::File(file) => file.values(),
            Source::Columns(_) => &[],
        }
    }
    fn tensors(&self, wanted: impl Fn(&str) -> bool) -> Result<StateDict> {
        match self {
            Source::File(file) => Ok(file.state_dict(wanted)?),
            Source::Columns(state) => {
                Ok(state.iter().filter(|(name, _)| wanted(name)).map(|(n, t)| (n.to_string(), t.clone())).collect())
            }
        }
    }
}

/// The name of a tensor whose file has none for it.
const NAMELESS: &str = "array";

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

/// Writes the tensors of a file in another format.
pub fn convert(args: &Convert) -> Result<()> {
    let wanted = Format::of_path(&args.to);
    let (from, to) = (args.from.display(), args.to.display());
    if wanted.is_none() && !is_csv(&args.to) {
        return Err(Failure::new(format!(
            "{to}: the ending says no format; .pth, .safetensors, .npz, .npy and .csv are known"
        )));
    }
    let changed = args.only.is_some()
        || args.strip_prefix.is_some()
        || args.add_prefix.is_some()
        || args.dtype.is_some()
        || !args.rename.is_empty();
    let file = Source::open(&args.from, wanted == Some(Format::Npy))?;
    if let Source::File(file) = &file
        && file.format() == Format::Torch
        && wanted == Some(Format::Torch)
        && !changed
    {
        io::save(io::load(&args.from)?, &args.to)?;
        return say(&format!("{from} -> {to}: everything\n"));
    }
    let mut notes = Vec::new();
    let state = operate(&file, args)?;
    let values = file.values();
    match wanted {
        Some(Format::Torch) => {
            io::save(Value::from(&state), &args.to)?;
            lost(values.iter().map(|(name, _)| &**name), &mut notes);
        }
        Some(Format::SafeTensors) => {
            let (metadata, rest): (Vec<_>, Vec<_>) = values.iter().partition(|(_, v)| text_of(v).is_some());
            let mut texts: Vec<(&str, String)> =
                metadata.iter().filter_map(|(name, v)| Some((&**name, text_of(v)?))).collect();
            if !texts.iter().any(|(name, _)| *name == "format") {
                texts.push(("format", "pt".into()));
            }
            let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
            safetensors::save(&state, &texts, &args.to)?;
            lost(rest.iter().map(|(name, _)| &**name), &mut notes);
            unshared(&state, &mut notes);
        }
        Some(Format::Npz) => {
            if args.compress {
                npz::save_compressed(&state, &args.to)?
            } else {
                npz::save(&state, &args.to)?
            }
            lost(values.iter().map(|(name, _)| &**name), &mut notes);
            unshared(&state, &mut notes);
        }
        Some(Format::Npy) => {
            let [(_, tensor)] = state.entries() else {
                return Err(Failure::new(format!(
                    "{to}: an .npy file has one tensor, {from} has {}; --only chooses",
                    state.len()
                )));
            };
            npy::save(tensor, &args.to)?;
        }
        None => {
            table(&state, args)?;
            lost(values.iter().map(|(name, _)| &**name), &mut notes);
        }
    }
    let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    say(&format!("{from} -> {to}: {} tensors\n{notes}", state.len()))
}

/// Writes a matrix, or vectors of one length as columns under their names.
fn table(state: &StateDict, args: &Convert) -> Result<()> {
    let entries = state.entries();
    if let [(name, tensor)] = entries
        && (tensor.dim() == 2 || (tensor.dim() == 1 && name == NAMELESS))
        && tensor.size(-1) > 0
    {
        return Ok(save_csv(tensor, None, &args.to)?);
    }
    let rows = entries.first().map_or(0, |(_, t)| t.numel());
    if entries.is_empty() || entries.iter().any(|(_, t)| t.shape()[..] != [rows]) {
        return Err(Failure::new(format!(
            "{}: a .csv file has one matrix, or vectors of one length as columns; {} has other tensors; --only chooses",
            args.to.display(),
            args.from.display()
        )));
    }
    let tensors: Vec<Tensor> = state.values().cloned().collect();
    let names = state.keys().map(str::to_string).collect();
    Ok(Columns { names: Some(names), tensors }.save_csv(&args.to)?)
}

/// The tensors that are asked for, under the names and in the dtype that are asked for.
fn operate(file: &Source, args: &Convert) -> Result<StateDict> {
    let mut names: StateDict = StateDict::new();
    // Which names match is known before numbers are read.
    let marker = cresset::Tensor::zeros([0]);
    let all = file.names();
    for name in &all {
        names.insert(*name, marker.clone());
    }
    if names.len() < all.len() {
        return Err(Failure::new(format!("{}: two of its tensors have one name", args.from.display())));
    }
    if let Some(pattern) = &args.only {
        names = names.only(pattern);
        if names.is_empty() {
            return Err(Failure::new(format!("{}: no name matches --only {pattern:?}", args.from.display())));
        }
    }
    let dtype = args.dtype.as_deref().map(dtype_of).transpose()?;
    let mut state = file.tensors(|name| names.contains_key(name))?;
    if let Some(prefix) = &args.strip_prefix {
        state = state.strip_prefix(prefix)?;
    }
    for pair in &args.rename {
        let Some((old, new)) = pair.split_once('=') else {
            return Err(Failure::new(format!("--rename {pair:?}: OLD=NEW is expected")));
        };
        state = state.rename(old, new)?;
    }
    if let Some(prefix) = &args.add_prefix {
        state = state.add_prefix(prefix);
    }
    Ok(match dtype {
        Some(dtype) => state.cast(dtype),
        None => state,
    })
}

fn dtype_of(name: &str) -> Result<DType> {
    let floating = [DType::F64, DType::F32, DType::F16, DType::BF16];
    floating
        .into_iter()
        .find(|d| d.name() == name)
        .ok_or_else(|| Failure::new(format!("--dtype {name:?}: float64, float32, float16 or bfloat16 is expected")))
}

/// A plain value as text.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Str(s) => Some(s.to_string()),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some(format!("{value:?}")),
        _ => None,
    }
}

fn lost<'a>(names: impl Iterator<Item = &'a str>, notes: &mut Vec<String>) {
    let names: Vec<&str> = names.collect();
    if !names.is_empty() {
        let more = if names.len() > 8 { ", ..." } else { "" };
        let list = names[..names.len().min(8)].join(", ");
        notes.push(
            format!("{} values that are no tensors are not in the new file: {list}{more}", names.len())
                .escape_debug()
                .to_string(),
        );
    }
}

fn unshared(state: &StateDict, notes: &mut Vec<String>) {
    let mut storages = HashSet::new();
    let shared =
        state.values().filter(|t| t.numel() > 0 && !storages.insert(std::ptr::from_ref(t.array().storage()))).count();
    if shared > 0 {
        notes.push(format!(
            "{shared} tensors share memory with others, which this format cannot say: they are written one by one"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_texts() {
        assert_eq!(text_of(&Value::Int(3)).as_deref(), Some("3"));
        assert_eq!(text_of(&Value::from("a")).as_deref(), Some("a"));
        assert!(text_of(&Value::list([1])).is_none());
        assert!(Format::of_path("x.PTH") == Some(Format::Torch));
    }
}
