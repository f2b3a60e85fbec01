//! `cresset convert`.

use crate::args::Convert;
use crate::failure::{Failure, Result};
use crate::say;
use cresset::io::{self, Format, Surgery, TensorFile, Value, npy, npz, safetensors};
use cresset::{DType, StateDict};
use std::collections::HashSet;

/// Writes the tensors of a file in another format.
pub fn convert(args: &Convert) -> Result<()> {
    let wanted = Format::of_path(&args.to).ok_or_else(|| {
        let to = args.to.display();
        Failure::new(format!("{to}: the ending says no format; .pth, .safetensors, .npz and .npy are known"))
    })?;
    let file = TensorFile::open(&args.from)?;
    let changed = args.only.is_some()
        || args.strip_prefix.is_some()
        || args.add_prefix.is_some()
        || args.dtype.is_some()
        || !args.rename.is_empty();
    let (from, to) = (args.from.display(), args.to.display());
    if file.format() == Format::Torch && wanted == Format::Torch && !changed {
        drop(file);
        io::save(io::load(&args.from)?, &args.to)?;
        return say(&format!("{from} -> {to}: everything\n"));
    }
    let mut notes = Vec::new();
    let state = operate(&file, args)?;
    let values = file.values();
    match wanted {
        Format::Torch => {
            io::save(Value::from(&state), &args.to)?;
            lost(values.iter().map(|(name, _)| &**name), &mut notes);
        }
        Format::SafeTensors => {
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
        Format::Npz => {
            if args.compress {
                npz::save_compressed(&state, &args.to)?
            } else {
                npz::save(&state, &args.to)?
            }
            lost(values.iter().map(|(name, _)| &**name), &mut notes);
            unshared(&state, &mut notes);
        }
        Format::Npy => {
            let [(_, tensor)] = state.entries() else {
                return Err(Failure::new(format!(
                    "{to}: an .npy file has one tensor, {from} has {}; --only chooses",
                    state.len()
                )));
            };
            npy::save(tensor, &args.to)?;
        }
    }
    let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    say(&format!("{from} -> {to}: {} tensors\n{notes}", state.len()))
}

/// The tensors that are asked for, under the names and in the dtype that are asked for.
fn operate(file: &TensorFile, args: &Convert) -> Result<StateDict> {
    let mut names: StateDict = StateDict::new();
    // Which names match is known before numbers are read.
    let marker = cresset::Tensor::zeros([0]);
    for info in file.tensors() {
        names.insert(info.name.clone(), marker.clone());
    }
    if names.len() < file.tensors().len() {
        return Err(Failure::new(format!("{}: two of its tensors have one name", args.from.display())));
    }
    if let Some(pattern) = &args.only {
        names = names.only(pattern);
        if names.is_empty() {
            return Err(Failure::new(format!("{}: no name matches --only {pattern:?}", args.from.display())));
        }
    }
    let dtype = args.dtype.as_deref().map(dtype_of).transpose()?;
    let mut state = file.state_dict(|name| names.contains_key(name))?;
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
    let shared = state
        .values()
        .filter(|t| t.numel() > 0 && !storages.insert(std::sync::Arc::as_ptr(t.array().storage())))
        .count();
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
