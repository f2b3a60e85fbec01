//! The programs of the chapter (`examples/ch03_*.rs`) print, save and plot what PyTorch does: `goldens/chapter`, by `tools/chapter_goldens.py`.

use cresset::StateValue;
use cresset::io;
use cresset::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../../../examples/ch03_10_2.rs"]
#[allow(dead_code)]
mod ch03_10_2;
#[path = "../../../examples/ch03_3_2.rs"]
#[allow(dead_code)]
mod ch03_3_2;
#[path = "../../../examples/ch03_7_2.rs"]
#[allow(dead_code)]
mod ch03_7_2;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
fn goldens() -> PathBuf {
    root().join("goldens/chapter")
}

/// An empty folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder to write to");
    folder
}

/// What a section's example prints when it is run in a folder. Cargo puts examples beside the folder of test programs.
fn run(section: &str, folder: &Path) -> String {
    let name = format!("ch03_{}", section.strip_prefix("3.").unwrap_or(section).replace('.', "_"));
    let programs = std::env::current_exe().expect("a test program");
    let programs = programs.ancestors().nth(2).expect("the folder of the profile").join("examples");
    let program = programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    let source = time(&root().join(format!("examples/{name}.rs"))).expect("the example's source");
    assert!(
        time(&program).is_ok_and(|built| built >= source),
        "{} is not built from the present source: `cargo test -p cresset` builds it",
        program.display()
    );
    let output = Command::new(&program).current_dir(folder).output().expect("a program that runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_program_prints_what_pytorch_prints() {
    let mut sections: Vec<String> = fs::read_dir(goldens())
        .expect("the goldens")
        .filter_map(|file| file.ok()?.file_name().to_str()?.strip_suffix(".txt").map(str::to_string))
        .filter(|name| !name.contains('_'))
        .collect();
    let numbers = |s: &String| s.split('.').map(|n| n.parse::<usize>().expect("a number")).collect::<Vec<_>>();
    sections.sort_by_key(numbers);
    let folder = folder("chapter");
    let mut faults = String::new();
    for section in &sections {
        let golden = fs::read_to_string(goldens().join(format!("{section}.txt"))).expect("a golden");
        // In the order of the chapter: 3.7.2 loads what 3.7.1 has saved.
        let printed = run(section, &folder);
        if printed != golden {
            faults += &format!("\n{section} prints\n{printed}\nbut PyTorch\n{golden}");
        }
    }
    assert!(faults.is_empty(), "{faults}");
    assert_eq!(sections.len(), 23);
    for figure in ["ch03_3_2.png", "ch03_10_2.png"] {
        let bytes = fs::read(folder.join(figure)).expect("a figure");
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000, "{figure}");
    }
}

/// The numbers of a state dict, by name.
fn numbers(state: &StateDict) -> Vec<(String, Tensor)> {
    state.iter().map(|(name, tensor)| (name.to_string(), tensor.clone())).collect()
}

#[track_caller]
fn assert_close(what: &str, have: &Tensor, want: &Tensor) {
    assert_eq!((have.shape(), have.dtype()), (want.shape(), want.dtype()), "{what}");
    assert!(have.allclose(want, 1e-4, 1e-6, false), "{what}: {have} but PyTorch {want}");
}

#[test]
fn saved_files_hold_what_pytorch_saves() -> io::Result<()> {
    let folder = folder("saved");
    run("3.7.1", &folder);
    let (have, want) = (load(folder.join("model_weights.pth"))?, load(goldens().join("model_weights.pth"))?);
    let (have, want) = (numbers(&have.state_dict()?), numbers(&want.state_dict()?));
    assert_eq!(have.len(), want.len());
    for ((name, have), (wanted, want)) in have.iter().zip(&want) {
        assert_eq!(name, wanted);
        assert_close(name, have, want);
    }

    let (have, want) = (load(folder.join("checkpoint.pth"))?, load(goldens().join("checkpoint.pth"))?);
    let keys = |value: &io::Value| value.as_dict().map(|d| d.keys().map(|k| format!("{k:?}")).collect::<Vec<_>>());
    assert_eq!(keys(&have)?, keys(&want)?);
    assert_eq!(have["epoch"].int()?, want["epoch"].int()?);
    assert!((have["loss"].float()? - want["loss"].float()?).abs() < 1e-6);
    let (have, want) =
        (have["optimizer_state_dict"].optimizer_state()?, want["optimizer_state_dict"].optimizer_state()?);
    assert_eq!((have.param_groups.len(), want.param_groups.len()), (1, 1));
    for (name, want) in &want.param_groups[0] {
        let have = &have.param_groups[0].iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1;
        // An option of 0 is an int there and a float here.
        let same = have.number().is_some() && have.number() == want.number();
        assert!(same || format!("{have:?}") == format!("{want:?}"), "{name}: {have:?} but PyTorch {want:?}");
    }
    for ((number, have), (wanted, want)) in have.state.iter().zip(&want.state) {
        assert_eq!((number, have.len()), (wanted, want.len()));
        for ((name, have), (wanted, want)) in have.iter().zip(want) {
            assert_eq!(name, wanted);
            match (have, want) {
                (StateValue::Tensor(have), StateValue::Tensor(want)) => assert_close(name, have, want),
                _ => panic!("{name} is {have:?}, but PyTorch has {want:?}"),
            }
        }
    }
    Ok(())
}

#[test]
fn files_of_pytorch_load() -> io::Result<()> {
    let folder = folder("loaded");
    for file in ["model_weights.pth", "checkpoint.pth"] {
        fs::copy(goldens().join(file), folder.join(file))?;
    }
    assert_eq!(run("3.7.2", &folder), fs::read_to_string(goldens().join("3.7.2.txt"))?);
    let (model, optimizer, epoch, loss) = ch03_7_2::load_checkpoint(&folder)?;
    assert_eq!((epoch, format!("{loss:.4}").as_str(), optimizer.lrs()), (10, "0.9745", vec![0.001]));
    assert_eq!(optimizer.state_dict().state.len(), model.parameters().len());
    let saved = load(folder.join("model_weights.pth"))?.state_dict()?;
    assert!(model.state_dict().iter().all(|(name, have)| have.equal(&saved[name])));
    // Without files it says so, as the book's program does.
    fs::remove_file(folder.join("model_weights.pth"))?;
    assert_eq!(run("3.7.2", &folder), "模型文件不存在,请先运行保存代码\n");
    Ok(())
}

/// The lines of a golden: a name and numbers.
fn rows(file: &str) -> Vec<(String, Vec<f32>)> {
    let text = fs::read_to_string(goldens().join(file)).expect("a golden");
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name").to_string();
        (name, words.map(|w| w.parse().expect("a number")).collect())
    };
    text.lines().map(row).collect()
}

#[test]
fn activations_have_pytorchs_curves() {
    let x = Tensor::linspace(-3, 3, 100);
    let results = ch03_3_2::ActivationDemo::new().call(&x);
    let have: Vec<_> = [("x", x)].into_iter().chain(results).collect();
    let want = rows("3.3.2_values.txt");
    assert_eq!(have.len(), want.len());
    for ((name, have), (wanted, want)) in have.iter().zip(&want) {
        assert_eq!(name, wanted);
        let want = Tensor::from_slice(want);
        // PyTorch's gelu cancels in the tail, which leaves it 2e-7 of error.
        assert!(have.allclose(&want, 1e-6, 1e-6, false), "{name}: {}", (have - &want).abs().max());
    }
}

#[test]
fn histograms_have_numpys_counts() {
    manual_seed(0);
    let model = ch03_10_2::MultiClassifier::new(784, &[256, 128], 10, 0.2);
    for (name, want) in rows("3.10.2_counts.txt") {
        let have = cresset_viz::histogram(&model.get_parameter(&name).detach(), 50);
        let want: Vec<u64> = want.iter().map(|&c| c as u64).collect();
        assert_eq!(have.counts, want, "{name}");
    }
}

/// The times are measured, so only the words are compared. (Nothing is asserted about time in tests; the benchmark does that.)
#[test]
fn the_compiled_model_prints_the_words_of_the_book() {
    let printed = run("3.9.2", &folder("compiled"));
    let words: Vec<(&str, &str)> = printed.lines().filter_map(|l| l.split_once(": ")).collect();
    let labels: Vec<&str> = words.iter().map(|w| w.0).collect();
    assert_eq!(labels, ["原始模型时间", "编译模型时间", "加速比"], "{printed}");
    let number = |i: usize, end: &str| words[i].1.strip_suffix(end).and_then(|n| n.parse::<f64>().ok());
    let (eager, compiled, ratio) = (number(0, "s"), number(1, "s"), number(2, "x"));
    assert!(eager.is_some() && compiled.is_some() && ratio.is_some_and(|r| r > 0.0), "{printed}");
}
