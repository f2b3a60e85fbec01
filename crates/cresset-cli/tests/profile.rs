//! `cresset profile`.

mod folder;

use folder::{Folder, text};

const SMALL: &str = "profile --layers 32,16 --steps 4 --warm-up 1 --threads 1";

/// The three modules that it names, with what limits them.
fn named(stdout: &str) -> Vec<String> {
    let after = stdout.lines().skip_while(|l| !l.ends_with("Most of the time is spent in")).skip(1);
    after.take_while(|l| l.starts_with("  ")).map(str::to_string).collect()
}

#[test]
fn tables_and_the_costliest_modules_are_printed() {
    let f = Folder::new("profile");
    let stdout = f.ok(&format!("{SMALL} --norm layer --activation gelu --rows 30"));
    for text in [
        "AddmmBackward0",
        "Optimizer.step#Adam.step",
        "network.0 (Linear)",
        "network.1 (LayerNorm)",
        "network.2 (GELU)",
        "loss and score",
        "# of Calls",
        "4 steps of 64 rows of digits, after 1 that warmed up; 1 thread\n",
        "Wall time: ",
        "A step takes ",
        " ms (the middle one; the fastest ",
    ] {
        assert!(stdout.contains(text), "{text} is missing:\n{stdout}");
    }
    let named = named(&stdout);
    assert_eq!(named.len(), 3, "{stdout}");
    for (i, line) in named.iter().enumerate() {
        let begins = line.starts_with(&format!("  {}. network", i + 1));
        assert!(begins && line.contains(" % of the time, limited by "), "{line}");
    }
    // No run was written.
    assert!(f.names(".").is_empty());
}

#[test]
fn trace_chart_and_graph_are_written_on_request() {
    let f = Folder::new("profile_files");
    let stdout = f.ok(&format!("{SMALL} --trace t.json --svg f.svg --graph g.dot --sort-by flops --rows 3"));
    assert!(stdout.contains("written to t.json") && stdout.contains(" more rows"), "{stdout}");
    assert_eq!(f.names("."), ["f.svg", "g.dot", "t.json"]);
    let trace = text(&f.bytes("t.json"));
    assert!(trace.starts_with("{\"displayTimeUnit\"") && trace.contains("\"name\":\"forward\""));
    assert!(text(&f.bytes("f.svg")).contains("network.0 (Linear)"));
    let graph = text(&f.bytes("g.dot"));
    assert!(graph.contains("network.0.weight\\n(32, 64)") && graph.contains("NativeBatchNormBackward0"), "{graph}");
    f.ok(&format!("{SMALL} --graph g.svg"));
    assert!(text(&f.bytes("g.svg")).starts_with("<svg"));
    let said = f.refused(&format!("{SMALL} --graph none/g.svg"));
    assert_eq!(said.trim_end(), "none/g.svg: cannot be written: there is no folder none");
}

#[test]
fn a_saved_run_is_profiled_with_its_options() {
    let f = Folder::new("profile_run");
    f.ok("train --layers 24 --norm none --optimizer sgd --batch-size 50 --epochs 1 --threads 1");
    let before = f.bytes("runs/digits/checkpoint.pth");
    for run in ["runs/digits", "runs/digits/checkpoint.pth"] {
        let stdout = f.ok(&format!("profile {run} --steps 40 --warm-up 0"));
        assert!(
            stdout.contains("40 steps of 50 rows of digits") && stdout.contains("Optimizer.step#SGD.step"),
            "{stdout}"
        );
        assert!(stdout.contains("out_features=24") && !stdout.contains("BatchNorm"), "{stdout}");
    }
    assert_eq!(before, f.bytes("runs/digits/checkpoint.pth"));
    assert!(f.refused("profile runs/none").contains("runs/none"));
    assert!(f.refused("profile runs/digits --lr 0.1").contains("cannot be used with"));
}

#[test]
fn a_config_file_gives_the_options_and_what_is_wrong_is_refused() {
    let f = Folder::new("profile_config");
    let config =
        "[network]\nlayers = [40]\n[training]\nbatch_size = 32\n[run]\nname = 'ignored'\nkeep = 3\nthreads = 1\n";
    f.write("c.toml", config);
    let stdout = f.ok("profile --config c.toml --steps 2 --batch-size 16");
    assert!(stdout.contains("2 steps of 16 rows") && stdout.contains("out_features=40"), "{stdout}");
    assert!(f.refused("profile --sort-by time").contains("self_cpu_time_total"));
    assert!(f.refused("profile --trace t.svg").contains("a name that ends in .json"));
    assert!(f.refused("profile --steps 0").contains("at least 1"));
}
