//! Checks on the workspace itself: `cargo xtask check` reads the manifests and the sources and fails on what the house rules forbid.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which crates of the workspace a crate may depend on (dev-dependencies aside): downwards only.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cresset-kernels", &[]),
    ("cresset-tensor", &["cresset-kernels"]),
    ("cresset-derive", &[]),
    ("cresset-draw", &[]),
    ("cresset-nn", &["cresset-tensor", "cresset-derive"]),
    ("cresset-compile", &["cresset-kernels", "cresset-tensor", "cresset-nn", "cresset-draw"]),
    ("cresset-profile", &["cresset-tensor", "cresset-draw"]),
    ("cresset-optim", &["cresset-tensor", "cresset-kernels"]),
    ("cresset-data", &["cresset-tensor", "cresset-io"]),
    ("cresset-io", &["cresset-tensor", "cresset-kernels"]),
    ("cresset-viz", &["cresset-tensor", "cresset-nn"]),
    (
        "cresset-testing",
        &["cresset-kernels", "cresset-tensor", "cresset-nn", "cresset-optim", "cresset-io", "cresset-data"],
    ),
    (
        "cresset",
        &[
            "cresset-tensor",
            "cresset-derive",
            "cresset-nn",
            "cresset-optim",
            "cresset-data",
            "cresset-io",
            "cresset-compile",
            "cresset-profile",
        ],
    ),
    ("cresset-cli", &["cresset", "cresset-viz"]),
    ("cresset-bench", &["cresset", "cresset-kernels"]),
    ("xtask", &[]),
];

/// Where `unsafe` may stand: kernels, storage, memory mapping.
const UNSAFE_ALLOWED: &[&str] =
    &["crates/cresset-kernels/", "crates/cresset-tensor/src/storage", "crates/cresset-io/src/bytes.rs"];

/// Files longer than this want to be split by meaning.
const MOST_LINES: usize = 1000;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(),
        _ => {
            eprintln!("usage: cargo xtask check");
            ExitCode::from(2)
        }
    }
}

fn check() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace").to_path_buf();
    let mut faults = Vec::new();
    check_dependencies(&root, &mut faults);
    let mut sources = Vec::new();
    for folder in ["crates", "xtask", "examples"] {
        rust_files(&root.join(folder), &mut sources);
    }
    for file in &sources {
        check_source(&root, file, &mut faults);
    }
    if faults.is_empty() {
        println!("{} source files and {} crates: all rules hold", sources.len(), ALLOWED.len());
        return ExitCode::SUCCESS;
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    eprintln!("{} faults", faults.len());
    ExitCode::FAILURE
}

/// The `[dependencies]` of a manifest, by name.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || (line.starts_with("[target.") && line.ends_with(".dependencies]"));
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.push(name.to_string());
        }
    }
    found
}

fn check_dependencies(root: &Path, faults: &mut Vec<String>) {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut manifests: Vec<PathBuf> = fs::read_dir(root.join("crates"))
        .map(|d| d.filter_map(|e| e.ok().map(|e| e.path().join("Cargo.toml"))).collect())
        .unwrap_or_default();
    manifests.push(root.join("xtask/Cargo.toml"));
    for manifest in manifests {
        let folder =
            manifest.parent().and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or_default().to_string();
        let Ok(text) = fs::read_to_string(&manifest) else {
            faults.push(format!("{}: cannot be read", manifest.display()));
            continue;
        };
        if folder != "xtask" && !text.contains(&format!("name = \"{folder}\"")) {
            faults.push(format!("crates/{folder}: the folder and the crate must have one name"));
        }
        let Some(may) = allowed.get(folder.as_str()) else {
            faults.push(format!("crates/{folder}: say in xtask/src/main.rs which crates it may depend on"));
            continue;
        };
        for name in dependencies(&text) {
            if name.starts_with("cresset") && !may.contains(&name.as_str()) {
                faults.push(format!("crates/{folder} depends on {name}: dependencies point downwards only"));
            }
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn check_source(root: &Path, file: &Path, faults: &mut Vec<String>) {
    let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let Ok(text) = fs::read_to_string(file) else {
        faults.push(format!("{name}: cannot be read as text"));
        return;
    };
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > MOST_LINES {
        faults.push(format!("{name}: {} lines; split it by meaning", lines.len()));
    }
    let may_be_unsafe = UNSAFE_ALLOWED.iter().any(|p| name.starts_with(p))
        || name.starts_with("xtask/")
        || name.contains("/tests/")
        || name.contains("/examples/");
    for (i, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let word = |w: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|t| t == w);
        if word("unsafe") && !may_be_unsafe && !code.contains('"') {
            faults.push(format!("{name}:{}: unsafe belongs into kernels, storage and memory mapping", i + 1));
        }
        for stub in ["todo!(", "unimplemented!(", "dbg!("] {
            if code.contains(stub) && !name.starts_with("xtask/") {
                faults.push(format!("{name}:{}: {stub}..) is not for main", i + 1));
            }
        }
    }
    if name.starts_with("crates/cresset-kernels/src")
        && (text.contains("cresset_tensor") || text.contains("struct Tensor"))
    {
        faults.push(format!("{name}: kernels never see a Tensor"));
    }
}
