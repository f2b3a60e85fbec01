//! A training that is killed at any moment and gone on with is the training that was never killed.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const OPTIONS: &str = "--layers 24 --lr 0.01 --epochs 6 --batch-size 32 --threads 1 --dropout 0.1 --schedule onecycle";

fn cresset(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cresset"));
    command.args(args.split_whitespace()).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn new_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cresset-cli-kill-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The network's bytes, and the table without the column of times.
fn result(run: &Path) -> (Vec<u8>, Vec<String>) {
    let table = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let rows = table.lines().map(|l| l.rsplit_once(',').unwrap().0.to_string()).collect();
    (fs::read(run.join("model.pth")).unwrap(), rows)
}

fn rounds(count: usize, folder: &Path) -> usize {
    let begun = std::time::Instant::now();
    assert!(cresset(folder, &format!("train {OPTIONS} --name whole")).status().unwrap().success());
    let whole = begun.elapsed();
    let expected = result(&folder.join("runs/whole"));
    let run = folder.join("runs/killed");
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let (mut kills, mut round) = (0, 0);
    // A run that ended before it was killed shows nothing.
    while round < count {
        let before = kills;
        let _ = fs::remove_dir_all(&run);
        // Killed once or several times, then let go.
        for attempt in 0.. {
            let goes_on = run.join("checkpoint.pth").exists();
            let args =
                if goes_on { "train --resume runs/killed".into() } else { format!("train {OPTIONS} --name killed") };
            let mut child = cresset(folder, &args).spawn().unwrap();
            if attempt == 3 {
                assert!(child.wait().unwrap().success(), "round {round}: the run does not go on");
                break;
            }
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            std::thread::sleep(Duration::from_micros(seed % whole.as_micros() as u64));
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if ended.is_some() {
                assert!(status.success(), "round {round}: the run does not go on");
                break;
            }
            kills += 1;
        }
        assert!(result(&run) == expected, "round {round}: the result is another one");
        round += usize::from(kills > before);
    }
    kills
}

#[test]
fn a_killed_run_goes_on_to_the_same_result() {
    let folder = new_folder("few");
    rounds(3, &folder);
    fs::remove_dir_all(folder).unwrap();
}

/// `cargo test --release -p cresset-cli --test kill -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn fifty_killed_runs_go_on_to_the_same_result() {
    let folder = new_folder("fifty");
    println!("{} kills in 50 rounds", rounds(50, &folder));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_is_taken() {
    let folder = new_folder("damaged");
    assert!(cresset(&folder, "train --layers 8 --epochs 4 --threads 1 --keep 3 --name r").status().unwrap().success());
    let run = folder.join("runs/r");
    let (model, _) = result(&run);
    for name in ["checkpoint.pth", "checkpoint.1.pth", "checkpoint.2.pth", "best.pth"] {
        assert!(run.join(name).exists(), "{name}");
    }
    assert!(!run.join("checkpoint.3.pth").exists());
    // A number changed in a tensor, and a file that is cut off.
    let newest = run.join("checkpoint.pth");
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&newest, &bytes).unwrap();
    fs::write(run.join("checkpoint.1.pth"), &bytes[..middle]).unwrap();
    fs::remove_file(run.join("model.pth")).unwrap();
    let refused = cresset(&folder, "train --resume runs/r/checkpoint.pth").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("damaged"), "{said}");
    let resumed = cresset(&folder, "train --resume runs/r").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(resumed.stderr).unwrap();
    assert!(resumed.status.success() && said.contains("checkpoint.2.pth"), "{said}");
    assert!(result(&run).0 == model);
    fs::remove_dir_all(folder).unwrap();
}

/// What a checksum is for: contents that another program has changed and saved well.
#[test]
fn a_changed_checkpoint_is_refused() {
    let folder = new_folder("changed");
    assert!(cresset(&folder, "train --layers 8 --epochs 1 --threads 1 --name r").status().unwrap().success());
    let path = folder.join("runs/r/checkpoint.pth");
    let value = cresset::io::load(&path).unwrap();
    let entries = value.as_dict().unwrap().iter();
    let changed =
        entries.map(|(k, v)| (k.clone(), if k.str().is_ok_and(|k| k == "epoch") { 7.into() } else { v.clone() }));
    cresset::io::save(cresset::io::Value::dict(changed), &path).unwrap();
    let refused = cresset(&folder, "train --resume runs/r").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("checksum"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
