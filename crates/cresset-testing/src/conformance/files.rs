//! Saved files: each must load to what is expected, or be refused.

use super::report::{Outcome, guarded};
use crate::golden::sha256;
use crate::golden::{Container, compare};
use cresset_io::{Value, load, npy, npz, safetensors};
use cresset_tensor::{DType, StateDict, Tensor};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::Path;

/// All entries of `files/index.json`.
pub fn index(json: &Json, folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<(String, Outcome)> {
    let Some(files) = json["files"].as_array() else {
        return vec![("-".into(), Outcome::Failed("index.json has no list of files".into()))];
    };
    // "refuses" needs no numbers to compare with, so a missing container shows where it is needed.
    let numbers = Container::read(&folder.join("expect.safetensors.golden"));
    let marker = json["marker"].as_str().map(Path::new);
    let mut rows = Vec::new();
    for entry in files {
        let name = entry["file"].as_str().unwrap_or_default();
        let path = folder.join(name);
        // A selection of the files may be kept: only what is there is run.
        if !wanted(name) || !path.exists() {
            continue;
        }
        let outcome = guarded(|| match &numbers {
            Ok(numbers) => run(entry, &path, numbers).into(),
            Err(e) => Outcome::Failed(e.clone()),
        });
        let ran_something = marker.is_some_and(Path::exists);
        rows.push((
            name.to_string(),
            if ran_something { Outcome::Failed("the file's code was run".into()) } else { outcome },
        ));
    }
    rows
}

fn run(entry: &Json, path: &Path, numbers: &Container) -> Result<(), String> {
    let mut metadata = None;
    let loaded = match entry["kind"].as_str() {
        Some("torch") => load(path),
        Some("npy") => npy::load(path).map(Value::Tensor),
        Some("npz") => npz::load(path).map(named),
        Some("safetensors") => safetensors::load(path).map(|f| {
            metadata = Some(f.metadata);
            named(f.tensors)
        }),
        other => return Err(format!("the kind {other:?} is not known")),
    };
    match (loaded, entry["error"] == true) {
        (Err(_), true) => Ok(()),
        (Ok(_), true) => Err(format!("was loaded, but should be refused: {}", entry["reason"])),
        (Err(e), false) => Err(format!("was refused: {e}")),
        (Ok(value), false) => {
            let mut storages = Storages::default();
            let any_order = entry["kind"] != "torch";
            same(&value, &entry["expect"], numbers, &mut storages, any_order)?;
            if let (Some(got), Json::Object(want)) = (metadata, &entry["metadata"]) {
                let want: Vec<(String, String)> =
                    want.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().into())).collect();
                if !want.iter().all(|pair| got.contains(pair)) || want.len() != got.len() {
                    return Err(format!("metadata: got {got:?}, want {want:?}"));
                }
            }
            Ok(())
        }
    }
}

fn named(tensors: StateDict) -> Value {
    Value::dict(tensors.into_iter().map(|(name, t)| (name, t.into())))
}

/// Which tensor stands for each storage of the file.
#[derive(Default)]
struct Storages(HashMap<i64, Tensor>);

impl Storages {
    fn check(&mut self, number: i64, t: &Tensor) -> Result<(), String> {
        for (n, other) in &self.0 {
            if t.array().same_storage(&other.array()) != (*n == number) {
                return Err(format!(
                    "storage {number}: memory is shared where it should not be, or not where it should"
                ));
            }
        }
        self.0.entry(number).or_insert_with(|| t.clone());
        Ok(())
    }
}

/// Is the value what the tree says?
fn same(got: &Value, want: &Json, numbers: &Container, storages: &mut Storages, any_order: bool) -> Result<(), String> {
    let differ = || Err(format!("got {got:?}, want {want}"));
    let yes = |equal: bool| if equal { Ok(()) } else { differ() };
    match (got, want) {
        (Value::None, Json::Null) => Ok(()),
        (Value::Bool(a), Json::Bool(b)) => yes(a == b),
        (Value::Str(a), Json::String(b)) => yes(**a == **b),
        (Value::Int(a), Json::Number(n)) => yes(n.as_i64() == Some(*a)),
        (Value::Float(a), Json::Number(n)) => yes(n.is_f64() && n.as_f64().map(f64::to_bits) == Some(a.to_bits())),
        (Value::List(items), Json::Array(want)) => {
            if items.len() != want.len() {
                return differ();
            }
            items
                .iter()
                .zip(want)
                .enumerate()
                .try_for_each(|(i, (g, w))| same(g, w, numbers, storages, any_order).map_err(|e| format!("[{i}]: {e}")))
        }
        (_, Json::Object(map)) => {
            if let Some(text) = want["f"].as_str() {
                let wanted = match text {
                    "nan" => f64::NAN,
                    "inf" => f64::INFINITY,
                    _ => f64::NEG_INFINITY,
                };
                return yes(matches!(got, Value::Float(x) if compare::same(*x, wanted)));
            }
            if map.contains_key("t") || map.contains_key("sha256") {
                return tensor(got, want, numbers, storages);
            }
            match (got, map.iter().next()) {
                (Value::Tuple(items), Some((key, w))) if key == "tuple" => {
                    same(&Value::List(items.clone()), w, numbers, storages, any_order)
                }
                (Value::Size(s), Some((key, w))) if key == "size" => {
                    yes(w.as_array().is_some_and(|w| w.iter().map(Json::as_u64).eq(s.iter().map(|&n| Some(n as u64)))))
                }
                (Value::DType(d), Some((key, w))) if key == "dtype" => yes(w == d.name()),
                (Value::Device(d), Some((key, w))) if key == "device" => yes(w == &**d),
                (Value::BigInt(n), Some((key, w))) if key == "bigint" => yes(w == &n.to_string()),
                (Value::Dict(d), Some((key, w))) if key == "pairs" || key == "odict" => {
                    if d.is_ordered() != (key == "odict") {
                        return differ();
                    }
                    entries(d, w, numbers, storages, any_order)?;
                    let attrs = want["attrs"].as_object();
                    if attrs.map_or(0, |a| a.len()) != d.attrs().len() {
                        return Err(format!("attributes: got {:?}, want {attrs:?}", d.attrs()));
                    }
                    d.attrs().iter().try_for_each(|(name, v)| {
                        same(v, &want["attrs"][&**name], numbers, storages, any_order)
                            .map_err(|e| format!("{name}: {e}"))
                    })
                }
                _ => differ(),
            }
        }
        _ => differ(),
    }
}

fn entries(
    got: &cresset_io::Dict,
    want: &Json,
    numbers: &Container,
    storages: &mut Storages,
    any_order: bool,
) -> Result<(), String> {
    let want = want.as_array().ok_or("pairs is no list")?;
    if got.len() != want.len() {
        return Err(format!("{} entries, want {}", got.len(), want.len()));
    }
    if any_order {
        return want.iter().try_for_each(|pair| {
            let name = pair[0].as_str().unwrap_or_default();
            let value = got.get(name).ok_or_else(|| format!("there is no {name:?}"))?;
            same(value, &pair[1], numbers, storages, any_order).map_err(|e| format!("{name}: {e}"))
        });
    }
    got.iter().zip(want).try_for_each(|((k, v), pair)| {
        same(k, &pair[0], numbers, storages, any_order)?;
        same(v, &pair[1], numbers, storages, any_order).map_err(|e| format!("{k:?}: {e}"))
    })
}

fn tensor(got: &Value, want: &Json, numbers: &Container, storages: &mut Storages) -> Result<(), String> {
    let t = got.tensor().map_err(|e| e.to_string())?;
    if matches!(got, Value::Parameter(_)) != (want["param"] == true) {
        return Err("is a Parameter where a tensor is expected, or the other way round".into());
    }
    if t.requires_grad() != (want["grad"] == true) {
        return Err(format!("requires_grad is {}", t.requires_grad()));
    }
    if want["t"].is_string() {
        let wanted = numbers.tensor(want["t"].as_str().unwrap_or_default())?;
        if t.dtype() != wanted.dtype() || t.shape() != wanted.shape() {
            return Err(format!("got {t:?}, want {wanted:?}"));
        }
        if raw(t) != raw(&wanted) {
            // Not the same bits: a nan may have others.
            compare::compare(t, &wanted, compare::Allowance::within(0.0, 0.0))?;
        }
    } else {
        let shape: Vec<u64> = t.shape().iter().map(|&n| n as u64).collect();
        if want["dtype"] != t.dtype().name() || want["shape"] != serde_json::json!(shape) {
            return Err(format!("got {t:?}, want {} of shape {}", want["dtype"], want["shape"]));
        }
        if sha256::hex(&raw(t)) != want["sha256"].as_str().unwrap_or_default() {
            return Err("the checksum of the numbers differs".into());
        }
    }
    if let Some(number) = want["storage"].as_i64() {
        storages.check(number, t)?;
        if t.storage_offset() as u64 != want["offset"].as_u64().unwrap_or(0) {
            return Err(format!("the storage offset is {}, want {}", t.storage_offset(), want["offset"]));
        }
        match want["stride"].as_array() {
            Some(stride) if !stride.iter().map(Json::as_u64).eq(t.stride().iter().map(|&n| Some(n as u64))) => {
                Err(format!("the strides are {:?}, want {stride:?}", t.stride()))
            }
            None if !t.is_contiguous() => Err(format!("the strides are {:?}, want contiguous ones", t.stride())),
            _ => Ok(()),
        }
    } else {
        Ok(())
    }
}

/// The bytes of the elements, little-endian, in row-major order.
fn raw(t: &Tensor) -> Vec<u8> {
    fn bytes<const N: usize>(items: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
        items.flatten().collect()
    }
    let a = t.array();
    if a.dtype() == DType::Bool {
        return a.to_vec::<bool>().into_iter().map(u8::from).collect();
    }
    macro_rules! raw {
        ($($d:ident $t:ty),*) => {
            match a.dtype() {
                $(DType::$d => bytes(a.to_vec::<$t>().into_iter().map(<$t>::to_le_bytes)),)*
                DType::Bool => Vec::new(),
            }
        };
    }
    raw!(U8 u8, I8 i8, I16 i16, I32 i32, I64 i64, F16 half::f16, BF16 half::bf16, F32 f32, F64 f64)
}
