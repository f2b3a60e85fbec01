//! The program as a user runs it.

mod folder;

use cresset::io;
use folder::{Folder, accuracy, text};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SMALL: &str = "--layers 32 --lr 0.01 --epochs 3 --threads 1";

#[test]
fn a_run_learns_the_digits_and_writes_all_its_files() {
    let f = Folder::new("digits");
    let stdout = f.ok("train --layers 48 --lr 0.01 --epochs 2");
    assert!(accuracy(&stdout) > 0.9, "{stdout}");
    assert!(stdout.contains("(network): Sequential(") && stdout.contains("true \\ predicted"), "{stdout}");
    let files =
        ["best.pth", "checkpoint.1.pth", "checkpoint.pth", "curves.png", "curves.svg", "metrics.csv", "model.pth"];
    assert_eq!(f.names("runs/digits"), files);
    assert_eq!(text(&f.bytes("runs/digits/metrics.csv")).lines().count(), 3);
    assert!(f.bytes("runs/digits/curves.png").starts_with(b"\x89PNG"));
    let state = io::load(f.0.join("runs/digits/model.pth")).unwrap().state_dict().unwrap();
    assert_eq!(state["network.0.weight"].shape()[..], [48, 64]);
    assert!(state.contains_key("network.1.running_var") && state.contains_key("network.4.bias"));

    // What was measured at the end is what eval measures, of the run and of the bare state dict.
    let (run, bare) = (f.ok("eval runs/digits"), f.ok("eval runs/digits/model.pth"));
    assert_eq!(accuracy(&run), accuracy(&stdout));
    assert_eq!(run, bare);

    // Another run does not touch this one.
    f.ok("train --layers 0 --epochs 1");
    assert_eq!(f.names("runs"), ["digits", "digits-2"]);
    assert!(f.refused("train --name digits").contains("--resume runs/digits"));
}

/// Trains in one go, and once with stops in between; both models must be the same, byte for byte.
fn same_after(name: &str, options: &str, stops: &[usize]) {
    let f = Folder::new(name);
    f.ok(&format!("train {options} --name whole"));
    let mut args = format!("train {options} --name parts");
    for stop in stops {
        let output = f.run(&format!("{args} --stop-after-batches {stop}"));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.trim_end().ends_with("go on with: cresset train --resume runs/parts"), "{said}");
        assert!(!f.0.join("runs/parts/model.pth").exists());
        args = "train --resume runs/parts".into();
    }
    f.ok(&args);
    assert_eq!(f.bytes("runs/whole/model.pth"), f.bytes("runs/parts/model.pth"));
    let rows = |run: &str| -> Vec<String> {
        let table = text(&f.bytes(&format!("runs/{run}/metrics.csv")));
        table.lines().map(|l| l.rsplit_once(',').unwrap().0.to_string()).collect()
    };
    assert_eq!(rows("whole"), rows("parts"));
}

#[test]
fn resumed_between_epochs_is_the_same_run() {
    // 1437 rows are 23 batches of 64.
    same_after("between", SMALL, &[23]);
}

#[test]
fn resumed_within_epochs_is_the_same_run() {
    same_after("within", &format!("{SMALL} --schedule onecycle --optimizer adamw --seed 5"), &[7, 20, 10]);
}

#[test]
fn resumed_with_momentum_and_a_plateau_is_the_same_run() {
    same_after("plateau", &format!("{SMALL} --schedule plateau --optimizer sgd --weight-decay 0.001"), &[30]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_checkpoint_to_go_on_from() {
    let f = Folder::new("ctrl_c");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cresset"));
    let args = "train --layers 8 --threads 1 --epochs 100000 --schedule none";
    let child = command.args(args.split_whitespace()).current_dir(&f.0).stderr(Stdio::piped()).stdout(Stdio::null());
    let child = child.spawn().unwrap();
    let checkpoint = f.0.join("runs/digits/checkpoint.pth");
    while !checkpoint.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(kill.success() && output.status.code() == Some(130), "{output:?}");
    assert!(text(&output.stderr).trim_end().ends_with("go on with: cresset train --resume runs/digits"));
    let epochs = io::load(checkpoint).unwrap()["epoch"].usize().unwrap();
    f.ok(&format!("train --resume runs/digits --epochs {}", epochs + 1));
}

#[test]
fn a_finished_run_goes_on_for_longer() {
    let f = Folder::new("longer");
    f.ok(&format!("train {SMALL} --schedule none --name whole"));
    f.ok("train --layers 32 --lr 0.01 --epochs 1 --threads 1 --schedule none --name parts");
    f.ok("train --resume runs/parts --epochs 3");
    assert_eq!(f.bytes("runs/whole/model.pth"), f.bytes("runs/parts/model.pth"));
    assert!(f.refused("train --resume runs/parts --epochs 2").contains("less than the run has behind it"));
    // A schedule that was planned for fewer epochs gets a new plan.
    f.ok("train --layers 32 --epochs 1 --name cosine");
    f.ok("train --resume runs/cosine --epochs 2");
    let table = text(&f.bytes("runs/cosine/metrics.csv"));
    let lr = table.lines().last().unwrap().split(',').nth(5).unwrap().to_string();
    assert!((lr.parse::<f64>().unwrap() - 5e-4).abs() < 1e-12, "{lr}");
}

#[test]
fn tables_with_text_and_with_numbers_are_learnt() {
    let f = Folder::new("csv");
    let (iris, numbers) = (tables::iris(), tables::line());
    f.write("iris.csv", iris);
    f.write("line.csv", numbers);
    let stdout =
        f.ok("train --data csv --csv iris.csv --target species --layers 16 --batch-size 16 --lr 0.02 --epochs 10");
    assert!(accuracy(&stdout) > 0.85, "{stdout}");
    assert!(stdout.contains("versicolor"), "{stdout}");
    let all = f.ok("eval runs/iris --csv iris.csv");
    assert!(all.contains("150 rows") && accuracy(&all) > 0.85, "{all}");

    let stdout = f.ok("train --data csv --csv line.csv --target y --layers 16 --batch-size 16 --lr 0.02 --epochs 8");
    let rmse: f64 = stdout.lines().last().unwrap().strip_prefix("test rmse: ").unwrap().parse().unwrap();
    assert!(rmse < 60.0, "{stdout}");
}

#[test]
fn wrong_options_and_files_are_one_sentence_and_leave_nothing() {
    let f = Folder::new("refused");
    f.write("broken.csv", "a,b,kind\n1,2,x\n1,two,y\n");
    f.write("empty.pth", "");
    f.write("noise.pth", [7u8; 300]);
    f.write("file", "");
    for (args, part) in [
        ("train --lr fast", "invalid value 'fast' for '--lr"),
        ("train --layers 8,x", "expected sizes of at least 1"),
        ("train --dropout 1.5", "from 0 to 1"),
        ("train --optimizer lion", "invalid value 'lion'"),
        ("train --batch-size 1", "BatchNorm1d"),
        ("train --name ../up", "not the name of a folder"),
        ("train --out file", "file/digits"),
        ("train --target x", "--target goes with --data csv"),
        ("train --data mnist", "--data-dir DIR"),
        ("train --data mnist --data-dir nowhere", "nowhere"),
        ("train --data csv", "--csv FILE"),
        ("train --data csv --csv nowhere.csv", "nowhere.csv"),
        ("train --data csv --csv broken.csv --target kind", "two"),
        ("train --data csv --csv broken.csv --target colour", "colour"),
        ("train --resume nowhere", "nowhere"),
        ("train --resume noise.pth", "noise.pth"),
        ("train --resume runs --lr 0.1", "cannot be used with"),
        ("train --optimizer sgd --lr 1e30 --epochs 1", "try a smaller --lr"),
        ("eval nowhere.pth", "nowhere.pth"),
        ("eval empty.pth", "empty"),
        ("inspect nowhere.pth", "nowhere.pth"),
        ("inspect noise.pth", "noise.pth"),
        ("inspect .", "is a folder"),
        ("fly", "unrecognized subcommand 'fly'"),
    ] {
        let line = f.refused(args);
        assert!(line.contains(part), "cresset {args}: {line}");
    }
    assert_eq!(f.names("runs"), [""; 0]);
    assert_eq!(f.names("."), ["broken.csv", "empty.pth", "file", "noise.pth", "runs"]);
}

#[test]
fn damaged_checkpoints_are_refused_and_kept() {
    let f = Folder::new("damaged");
    f.ok("train --layers 8 --epochs 1");
    let good = f.bytes("runs/digits/checkpoint.pth");
    for cut in [0, 10, good.len() / 2, good.len() - 1] {
        f.write("runs/digits/checkpoint.pth", &good[..cut]);
        assert!(f.refused("train --resume runs/digits --epochs 2").contains("checkpoint.pth"));
        assert_eq!(f.bytes("runs/digits/checkpoint.pth"), &good[..cut]);
    }
    // A model of another shape, under the options of this one. (Without a checksum, as older versions wrote it.)
    f.write("runs/digits/checkpoint.pth", &good);
    f.ok("train --layers 9 --epochs 1 --name other");
    let value = io::load(f.0.join("runs/digits/checkpoint.pth")).unwrap();
    let other = io::load(f.0.join("runs/other/checkpoint.pth")).unwrap();
    let kept = value.as_dict().unwrap().iter().filter(|(k, _)| k.str().unwrap() != "checksum");
    let swap =
        |k: &io::Value, v: &io::Value| if k.str().unwrap() == "model" { other["model"].clone() } else { v.clone() };
    io::save(io::Value::dict(kept.map(|(k, v)| (k.clone(), swap(k, v)))), f.0.join("runs/digits/checkpoint.pth"))
        .unwrap();
    assert!(f.refused("train --resume runs/digits --epochs 2").contains("size mismatch for network.0.weight"));
}

#[test]
fn convert_writes_the_same_tensors_in_another_format() {
    let f = Folder::new("convert");
    f.ok("train --layers 8 --epochs 1");
    let model = io::load(f.0.join("runs/digits/model.pth")).unwrap().state_dict().unwrap();
    let bits = |state: &cresset::StateDict| -> Vec<(String, cresset::DType, Vec<u64>)> {
        let numbers =
            |t: &cresset::Tensor| t.to_dtype(cresset::DType::F64).to_vec::<f64>().iter().map(|x| x.to_bits()).collect();
        state.iter().map(|(k, t)| (k.to_string(), t.dtype(), numbers(t))).collect()
    };
    f.ok("convert runs/digits/model.pth m.safetensors");
    f.ok("convert m.safetensors m.npz --compress");
    f.ok("convert m.npz m.pth");
    assert_eq!(bits(&io::load(f.0.join("m.pth")).unwrap().state_dict().unwrap()), bits(&model));
    // A checkpoint keeps everything, its tensors alone get flat names.
    let said = f.ok("convert runs/digits/checkpoint.pth c.pth");
    assert!(said.ends_with("everything\n") && f.bytes("c.pth") == f.bytes("runs/digits/checkpoint.pth"), "{said}");
    let said = f.ok("convert runs/digits/checkpoint.pth c.safetensors");
    assert!(said.contains("no tensors"), "{said}");
    assert!(f.ok("inspect c.safetensors").contains("optimizer.state.0.exp_avg"));
    f.ok("convert runs/digits/checkpoint.pth w.pth --only model.* --strip-prefix model.network. --rename *.weight=*.w --add-prefix net. --dtype float16");
    let w = io::load(f.0.join("w.pth")).unwrap().state_dict().unwrap();
    assert_eq!((w["net.0.w"].dtype(), w["net.0.w"].shape().to_vec()), (cresset::DType::F16, vec![8, 64]));
    assert_eq!(w["net.1.num_batches_tracked"].dtype(), cresset::DType::I64);
    assert_eq!(w.len(), model.len());
    for (args, says) in [
        ("convert m.pth m.txt", "the ending says no format"),
        ("convert m.pth n.pth --only nothing*", "no name matches"),
        ("convert m.pth n.pth --dtype int8", "float16 or bfloat16"),
        ("convert m.pth n.npz --dtype bfloat16", "numpy has no bfloat16"),
        ("convert m.pth n.pth --rename *=x", "two tensors would be named"),
        ("convert m.pth n.npy", "has one tensor"),
    ] {
        let said = f.refused(args);
        assert!(said.contains(says), "{said}");
    }
    assert!(!f.0.join("n.pth").exists() && !f.0.join("n.npz").exists());
}

#[test]
fn inspect_lists_what_is_in_a_file() {
    let f = Folder::new("inspect");
    f.ok("train --layers 8 --epochs 1");
    let model = f.ok("inspect runs/digits/model.pth");
    let line = model.lines().find(|l| l.starts_with("network.0.weight")).unwrap_or_else(|| panic!("{model}"));
    assert!(line.contains("float32") && line.contains("[8, 64]"), "{line}");
    assert!(model.contains("9 tensors, "), "{model}");
    let checkpoint = f.ok("inspect runs/digits/checkpoint.pth");
    assert!(checkpoint.contains("optimizer.state.0.exp_avg") && checkpoint.contains("options.layers"), "{checkpoint}");

    let state = io::load(f.0.join("runs/digits/model.pth")).unwrap().state_dict().unwrap();
    let path = |name: &str| f.0.join(name);
    io::safetensors::save(&state, &[("made by", "cresset")], path("m.safetensors")).unwrap();
    io::npz::save(&state, path("m.npz")).unwrap();
    io::npy::save(&state["network.0.bias"], path("m.npy")).unwrap();
    for file in ["m.safetensors", "m.npz"] {
        assert!(f.ok(&format!("inspect {file}")).contains(line), "{file}");
    }
    assert!(f.ok("inspect m.npy").contains("1 tensors, 8 elements, 32 bytes"));
}

#[test]
fn tables_of_numbers_travel() {
    let f = Folder::new("numbers");
    let path = |name: &str| f.0.join(name);
    let x = cresset::Tensor::from_vec([0.1f32, f32::NAN, 1e-40, f32::INFINITY, -0.0, 2.0], [3, 2]);
    let bits = |t: &cresset::Tensor| t.to_vec::<f32>().iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    io::npy::save(&x, path("x.npy")).unwrap();
    f.ok("convert x.npy x.csv");
    assert_eq!(text(&f.bytes("x.csv")), "0.1,nan\n1e-40,inf\n-0.0,2.0\n");
    f.ok("convert x.csv y.npy --dtype float32");
    assert_eq!(bits(&io::npy::load(path("y.npy")).unwrap()), bits(&x));
    assert!(f.ok("inspect x.csv").contains("1 nan"));
    // Named columns are tensors of their own, and come back.
    f.write("named.csv", "id,width,\"height, cm\"\n1,0.5,1e300\n2,nan,-3.0\n");
    for (to, names) in [("n.npz", true), ("n.safetensors", true), ("n.pth", true), ("n.npy", false)] {
        f.ok(&format!("convert named.csv {to}"));
        f.ok(&format!("convert {to} back.csv"));
        if names {
            assert_eq!(f.bytes("back.csv"), f.bytes("named.csv"), "{to}");
        } else {
            assert_eq!(text(&f.bytes("back.csv")), "1.0,0.5,1e300\n2.0,nan,-3.0\n");
        }
    }
    let listed = f.ok("inspect named.csv");
    assert!(listed.contains("id") && listed.contains("int64") && listed.contains("height, cm"), "{listed}");
    f.write("words.csv", "a,b\n1,x\n");
    assert!(f.refused("convert words.csv w.npz").contains("expected a number in column 1 (b), found \"x\""));
    f.write("twice.csv", "a,a\n1,2\n");
    assert!(f.refused("convert twice.csv w.npz").contains("two columns are named \"a\""));
    f.ok("train --layers 8 --epochs 1");
    assert!(f.refused("convert runs/digits/model.pth m.csv").contains("--only chooses"));
    f.ok("convert runs/digits/model.pth m.csv --only network.0.weight");
    assert_eq!(text(&f.bytes("m.csv")).lines().count(), 8);
    assert!(!path("w.npz").exists());
}

#[test]
fn help_teaches() {
    let f = Folder::new("help");
    for (args, part) in [
        ("--help", "Examples:"),
        ("train --help", "--resume runs/digits"),
        ("eval --help", "Examples:"),
        ("--version", "cresset "),
    ] {
        assert!(f.ok(args).contains(part), "{args}");
    }
    assert!(!Path::new("runs").join("help").exists());
}

/// Tables to learn.
mod tables {
    use cresset::data::{Table, iris as flowers};
    use std::fmt::Write;

    /// The iris flowers with a header and the kinds as text.
    pub fn iris() -> String {
        let table: Table = flowers();
        let kinds = table.class_names().unwrap().to_vec();
        let rows = table.features.to_vec::<f32>();
        let mut text = "sepal length,sepal width,petal length,petal width,species\n".to_string();
        for (row, kind) in rows.chunks(4).zip(table.targets().to_vec::<i64>()) {
            let numbers: Vec<String> = row.iter().map(f32::to_string).collect();
            writeln!(text, "{},{}", numbers.join(","), kinds[kind as usize]).unwrap();
        }
        text
    }

    /// `y = 100 a - 40 b + 0.5`.
    pub fn line() -> String {
        let mut text = "a,b,y\n".to_string();
        for i in 0..200 {
            let (a, b) = (f64::from(i % 17) / 4.0, f64::from(i * 7 % 23) / 5.0);
            writeln!(text, "{a},{b},{}", 100.0 * a - 40.0 * b + 0.5).unwrap();
        }
        text
    }
}
