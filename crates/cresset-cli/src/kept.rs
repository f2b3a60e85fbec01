//! Checkpoints on the disk: the newest, those before it and the best, each with a checksum.

use crate::checkpoint::{Checkpoint, FILE};
use crate::failure::{Failure, Result};
use cresset::io::{self, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// The checkpoint of the epoch with the lowest loss on the test data.
pub const BEST: &str = "best.pth";
/// How many earlier checkpoints are looked for.
const MOST: usize = 100;
/// The key of the checksum.
const CHECKSUM: &str = "checksum";

/// The file of the checkpoint `age` saves before the newest.
fn earlier(folder: &Path, age: usize) -> PathBuf {
    match age {
        0 => folder.join(FILE),
        n => folder.join(format!("checkpoint.{n}.pth")),
    }
}

/// Writes a checkpoint as the newest of the last `keep`. At every moment the folder has a whole one.
pub fn save(checkpoint: &Checkpoint, folder: &Path, keep: usize) -> Result<()> {
    let refuse = |e: std::io::Error, path: &Path| {
        Failure::from(io::Error::io(format_args!("{}: cannot be written", path.display()), e))
    };
    let value = with_checksum(checkpoint.to_value())?;
    let newest = earlier(folder, 0);
    if keep > 1 && newest.exists() {
        for age in (1..keep - 1).rev() {
            let (from, to) = (earlier(folder, age), earlier(folder, age + 1));
            if from.exists() {
                fs::rename(&from, &to).map_err(|e| refuse(e, &to))?;
            }
        }
        second_name(&newest, &earlier(folder, 1))?;
    }
    io::save(value, &newest)?;
    if checkpoint.is_best() {
        second_name(&newest, &folder.join(BEST))?;
    }
    Ok(())
}

/// Gives a file a second name, which afterwards stands for what the file is now. Files are replaced, never written into, so it stays that.
fn second_name(file: &Path, name: &Path) -> Result<()> {
    let aside = name.with_extension("pth.tmp");
    let _ = fs::remove_file(&aside);
    // Some file systems have no second names.
    let made = fs::hard_link(file, &aside).or_else(|_| fs::copy(file, &aside).map(drop));
    made.and_then(|()| fs::rename(&aside, name)).map_err(|e| {
        let _ = fs::remove_file(&aside);
        Failure::from(io::Error::io(format_args!("{}: cannot be written", name.display()), e))
    })
}

/// Reads a run's checkpoint: of a folder the newest that is whole, and says so if it is not the last one.
pub fn load(run: &Path) -> Result<Checkpoint> {
    if !run.is_dir() {
        return load_file(run);
    }
    let first = match load_file(&earlier(run, 0)) {
        Ok(checkpoint) => return Ok(checkpoint),
        Err(e) => e,
    };
    for age in 1..MOST {
        let path = earlier(run, age);
        if !path.exists() {
            continue;
        }
        if let Ok(checkpoint) = load_file(&path) {
            eprintln!("{first}; going on from the one before it, {}", path.display());
            return Ok(checkpoint);
        }
    }
    Err(first)
}

fn load_file(path: &Path) -> Result<Checkpoint> {
    let value = io::load(path)?;
    check(&value).map_err(|e| e.while_(path.display()))?;
    Checkpoint::of(&value, path)
}

fn with_checksum(value: Value) -> io::Result<Value> {
    let sum = value.checksum()?;
    let Value::Dict(mut dict) = value else { return Ok(value) };
    dict.insert(CHECKSUM, format!("{sum:016x}"));
    Ok(Value::Dict(dict))
}

/// A checkpoint without a checksum is one of an older version.
fn check(value: &Value) -> Result<()> {
    let Some(stated) = value.get(CHECKSUM) else { return Ok(()) };
    let entries = value.as_dict()?.iter().filter(|(k, _)| k.str().is_ok_and(|k| k != CHECKSUM));
    let sum = Value::dict(entries.map(|(k, v)| (k, v.clone()))).checksum()?;
    if stated.str().ok() != Some(&format!("{sum:016x}")) {
        return Err(Failure::new(format!(
            "the checkpoint is damaged: its checksum is {sum:016x}, it states {stated:?}"
        )));
    }
    Ok(())
}
