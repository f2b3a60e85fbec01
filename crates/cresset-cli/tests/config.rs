//! `cresset train --config FILE.toml`.

mod folder;

use cresset::io;
use folder::{Folder, accuracy, text};
use std::path::Path;

/// What the checkpoint of a run says of one of its options.
fn option(f: &Folder, run: &str, name: &str) -> String {
    let checkpoint = io::load(f.0.join(format!("runs/{run}/checkpoint.pth"))).unwrap();
    format!("{:?}", checkpoint["options"][name])
}

const SMALL: &str = "\
[network]
layers = [24, 16]
activation = 'silu'
norm = 'layer'
dropout = 0

[loss]
label_smoothing = 0.1

[optimizer]
name = 'sgd'
lr = 0.05
momentum = 0.8

[schedule]
name = 'onecycle'

[training]
epochs = 2
batch_size = 32

[run]
name = 'small'
threads = 1
";

#[test]
fn a_file_is_the_command_line() {
    let f = Folder::new("config_same");
    f.write("small.toml", SMALL);
    let stdout = f.ok("train --config small.toml");
    assert!(
        stdout.contains("LayerNorm((16,)") && stdout.contains("SiLU()") && !stdout.contains("BatchNorm"),
        "{stdout}"
    );
    assert!(accuracy(&stdout) > 0.5, "{stdout}");
    f.ok("train --layers 24,16 --activation silu --norm layer --dropout 0 --label-smoothing 0.1 --optimizer sgd --lr 0.05 \
          --momentum 0.8 --schedule onecycle --epochs 2 --batch-size 32 --name same --threads 1");
    assert_eq!(f.bytes("runs/small/model.pth"), f.bytes("runs/same/model.pth"));
    // The trained network is found again by its names alone.
    let (run, bare) = (f.ok("eval runs/small"), f.ok("eval runs/small/model.pth --activation silu"));
    assert_eq!(accuracy(&run), accuracy(&stdout));
    assert_eq!(accuracy(&bare), accuracy(&stdout));
}

#[test]
fn the_command_line_comes_before_the_file() {
    let f = Folder::new("config_override");
    f.write("small.toml", SMALL);
    f.ok("train --config small.toml --layers 8 --norm none --epochs 1 --name other");
    assert_eq!(f.names("runs"), ["other"]);
    for (name, value) in [("layers", "[8]"), ("norm", "\"none\""), ("epochs", "1"), ("lr", "0.05"), ("momentum", "0.8")]
    {
        assert!(option(&f, "other", name).contains(value), "{name}: {}", option(&f, "other", name));
    }
    // What is said on the command line counts even where it is the default.
    f.ok("train --config small.toml --norm batch --epochs 1 --name batch");
    assert!(option(&f, "batch", "norm").contains("\"batch\""));
}

#[test]
fn paths_are_from_the_folder_of_the_file() {
    let f = Folder::new("config_paths");
    std::fs::create_dir(f.0.join("there")).unwrap();
    let rows: String =
        (0..60).map(|i| format!("{},{},{}\n", i % 7, i % 5, ["x", "y"][usize::from(i % 7 > 3)])).collect();
    f.write("there/table.csv", format!("a,b,kind\n{rows}"));
    f.write(
        "there/table.toml",
        "data = { name = 'csv', csv = 'table.csv', target = 'kind' }\nrun.out = 'out'\nnetwork.layers = []\n\
         training = { epochs = 1, batch_size = 8 }\n",
    );
    f.ok("train --config there/table.toml");
    assert_eq!(f.names("there/out"), ["table"]);
}

#[test]
fn the_example_is_a_config() {
    let f = Folder::new("config_example");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/classifier.toml");
    let args = format!("train --config {} --epochs 3 --layers 48 --out runs --threads 1", example.display());
    let stdout = f.ok(&args);
    assert!(accuracy(&stdout) > 0.85 && stdout.contains("GELU") && stdout.contains("144 held out"), "{stdout}");
    assert!(f.ok("train --help").contains("examples/classifier.toml"));
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let f = Folder::new("config_early");
    f.write(
        "early.toml",
        "[network]\nlayers = [32]\n[optimizer]\nlr = 0.02\n[schedule]\nname = 'none'\n[training]\nepochs = 60\n\
         [early_stopping]\npatience = 2\nvalidation_fraction = 0.2\n[run]\nthreads = 1\n",
    );
    let stdout = f.ok("train --config early.toml --name whole");
    assert!(stdout.contains("stopped early; kept is the network of epoch"), "{stdout}");
    let table = text(&f.bytes("runs/whole/metrics.csv"));
    assert!(table.starts_with("epoch,train_loss,train_accuracy,validation_loss,test_loss"), "{table}");
    let losses: Vec<f64> = table.lines().skip(1).map(|l| l.split(',').nth(3).unwrap().parse().unwrap()).collect();
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(losses.len(), best + 1 + 2, "{losses:?}");
    // The kept network is the one of that epoch, which is also where a run of so many epochs ends.
    f.ok(&format!("train --config early.toml --name short --epochs {}", best + 1));
    assert_eq!(f.bytes("runs/whole/model.pth"), f.bytes("runs/short/model.pth"));
    // The interrupted run stops at the same place.
    let output = f.run("train --config early.toml --name parts --stop-after-batches 50");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(f.ok("train --resume runs/parts").contains("stopped early"));
    assert_eq!(f.bytes("runs/whole/model.pth"), f.bytes("runs/parts/model.pth"));
    assert_eq!(accuracy(&f.ok("eval runs/parts")), accuracy(&stdout));
}

#[test]
fn losses_for_numbers() {
    let f = Folder::new("config_losses");
    let rows: String = (0..120)
        .map(|i: i32| format!("{},{},{}\n", i % 11, i % 7, f64::from(3 * (i % 11) - 2 * (i % 7)) + 0.5))
        .collect();
    f.write("line.csv", format!("a,b,y\n{rows}"));
    let train = "train --data csv --csv line.csv --layers 16 --batch-size 16 --lr 0.02 --epochs 4 --threads 1";
    for loss in ["mse", "l1", "huber"] {
        let stdout = f.ok(&format!("{train} --loss {loss} --name {loss}"));
        let rmse: f64 = stdout.lines().last().unwrap().strip_prefix("test rmse: ").unwrap().parse().unwrap();
        assert!(rmse < 8.0, "{loss}: {stdout}");
        assert_eq!(f.ok(&format!("eval runs/{loss}")).lines().last(), stdout.lines().last());
    }
    // The same column, counted from the end; one further on is another task.
    let last = f.ok(&format!("{train} --loss mse --target -1 --name last"));
    assert_eq!(last.lines().last(), f.ok("eval runs/mse").lines().last());
    assert!(f.refused(&format!("{train} --loss mse --target -2")).contains("whose targets are classes"));
    assert!(f.refused(&format!("{train} --loss cross-entropy")).contains("whose targets are numbers"));
    assert!(f.refused("train --loss mse").contains("whose targets are classes"));
}

#[test]
fn wrong_files_are_one_sentence() {
    let f = Folder::new("config_wrong");
    let cases: &[(&str, &str)] = &[
        (
            "[network]\nactivaton = 'relu'\n",
            "bad.toml, line 2: there is no activaton in [network]; did you mean activation?",
        ),
        ("\n[netwrok]\nlayers = [8]\n", "bad.toml, line 2: there is no section [netwrok]; did you mean [network]?"),
        ("lr = 0.1\n", "line 1: there is no lr outside the sections; did you mean lr below [optimizer]?"),
        ("[training]\nlr = 0.1\n", "line 2: there is no lr in [training]; did you mean lr below [optimizer]?"),
        ("[run]\ncolour = 'red'\n", "line 2: there is no colour in [run]; there are name, out, keep and threads"),
        (
            "[network]\nlayers = '256'\n",
            "line 2: network.layers: expected a list of whole numbers, like [256, 128], found '256'",
        ),
        ("[network]\nlayers = [8, 0.5]\n", "expected a list of whole numbers"),
        ("[network]\nlayers = [8, -1]\n", "line 2: network.layers: invalid value '8,-1'"),
        ("[network]\ndropout = 'much'\n", "line 2: network.dropout: expected a number, found 'much'"),
        (
            "[network]\n\ndropout = 1.5\n",
            "line 3: network.dropout: invalid value '1.5' for '--dropout <P>': expected a number from 0 to 1",
        ),
        ("[optimizer]\nname = 'adamm'\n", "a similar value exists: 'adam'"),
        ("[optimizer]\nlr = nan\n", "line 2: optimizer.lr: invalid value 'nan'"),
        ("[training]\nepochs = 2.5\n", "line 2: training.epochs: expected a whole number, found 2.5"),
        ("[training]\nseed = 1979-05-27\n", "expected a whole number, found 1979-05-27"),
        ("network = 3\n", "line 1: network is a section: write [network], and its keys below"),
        ("[[network]]\nlayers = [8]\n", "line 1: network is a section"),
        ("[network]\nlayers = [8\n", "it is not TOML"),
        ("[network]\ndropout = 0.1\ndropout = 0.2\n", "line 3: it is not TOML: duplicate key"),
        ("[optimizer]\nmomentum = 0.5\n", "goes with sgd and rmsprop, not with adam"),
        ("[data]\ntarget = 3\n", "--target goes with --data csv"),
        ("[loss]\nname = 'mse'\nlabel_smoothing = 0.1\n", "whose targets are classes"),
        ("[early_stopping]\npatience = 0\n", "line 2: early_stopping.patience: invalid value '0'"),
    ];
    for (file, part) in cases {
        f.write("bad.toml", file);
        let line = f.refused("train --config bad.toml");
        assert!(line.contains(part), "{file}: {line}");
    }
    f.write("bad.toml", b"[network]\nactivation = '\xff'\n");
    assert!(f.refused("train --config bad.toml").contains("bad.toml: expected a text file in UTF-8"));
    f.write("bad.toml", format!("# {}\n", "x".repeat(70_000)));
    assert!(f.refused("train --config bad.toml").contains("a config file has at most 65536 bytes"));
    f.write("bad.toml", format!("[network]\n{} = 1\n", "layers".repeat(10_000)));
    assert!(f.refused("train --config bad.toml").contains("there is no layerslayers"));
    f.write("bad.toml", "\"\\u001b[2J\" = 1\n");
    let line = f.refused("train --config bad.toml");
    assert!(line.contains("\\u{1b}[2J") && !line.contains('\x1b'), "{line}");
    assert!(f.refused("train --config nowhere.toml").contains("nowhere.toml: the config file cannot be read"));
    assert!(f.refused("train --config .").contains("cannot be read"));
    f.write("good.toml", "[training]\nepochs = 1\n");
    assert!(f.refused("train --config good.toml --resume runs/x").contains("cannot be used with"));
    assert_eq!(f.names("runs"), [""; 0]);
}
