//! Writing and reading 400 MB: a hundred tensors of a million numbers.

use crate::{Setup, Step, Workload};
use cresset::io::safetensors;
use cresset::prelude::*;
use cresset::{StateDict, io};
use std::path::{Path, PathBuf};
use std::process;

/// A file that is removed when its workload ends.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str) -> TemporaryFile {
        TemporaryFile(std::env::temp_dir().join(format!("cresset-bench-{}-{name}", process::id())))
    }
}
impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // If it cannot be removed, nothing here can help.
        let _ = std::fs::remove_file(&self.0);
    }
}

type Save = fn(&StateDict, &Path) -> io::Result<()>;
type Load = fn(&Path) -> io::Result<StateDict>;

/// An ending, how to save, how to load.
const FORMATS: [(&str, &str, Save, Load); 2] = [
    ("", "pth", |state, path| save(state.clone(), path), |path| load(path)?.state_dict()),
    (
        "_safetensors",
        "safetensors",
        |state, path| safetensors::save(state, &[], path),
        // As Python's load_file: the tensors lie in the file's pages.
        |path| Ok(safetensors::load_with(path, io::LoadOptions { mmap: true })?.tensors),
    ),
];

fn state() -> StateDict {
    (0..100).map(|i| (format!("layers.{i}.weight"), Tensor::randn([1000, 1000]))).collect()
}

fn saving(save: Save, file: TemporaryFile) -> Result<Step, String> {
    let state = state();
    save(&state, &file.0).map_err(|e| e.to_string())?;
    Ok(Box::new(move || {
        save(&state, &file.0).expect("the file was written before");
        state["layers.99.weight"].clone()
    }))
}

fn loading(save: Save, load: Load, file: TemporaryFile) -> Result<Step, String> {
    save(&state(), &file.0).map_err(|e| e.to_string())?;
    Ok(Box::new(move || load(&file.0).expect("the file was written before")["layers.99.weight"].clone()))
}

pub fn workloads() -> Vec<Workload> {
    let mut all = Vec::new();
    for (suffix, ending, save, load) in FORMATS {
        let file = move |what: &str| TemporaryFile::new(&format!("{what}.{ending}"));
        all.push(Workload::fallible(format!("save_400mb{suffix}"), move |_: &Setup| saving(save, file("save"))));
        all.push(Workload::fallible(format!("load_400mb{suffix}"), move |_: &Setup| loading(save, load, file("load"))));
    }
    all
}
