//! A process that is killed while it saves: the file is the old one or the new one, whole.
#![cfg(unix)]

use cresset_io::{TensorFile, Value, load, save};
use cresset_tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const NAME: &str = "saves_until_killed";
const FILE: &str = "CRESSET_KILL_FILE";

/// The value of save number `n`: a tensor of nothing but `n`, and `n` beside it.
fn value(n: i64) -> Value {
    Value::dict([("n", n.into()), ("t", Tensor::from_vec(vec![n; 20_000], [20_000]).into()), ("again", n.into())])
}

/// Not a test of its own: the process that is killed.
#[test]
fn saves_until_killed() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let first = load(&path).unwrap()["n"].int().unwrap();
    for n in first + 1.. {
        save(value(n), &path).unwrap();
    }
}

fn rounds(count: usize, folder: &Path) -> i64 {
    let path = folder.join("kept.pth");
    save(value(0), &path).unwrap();
    let mut seed = 0x9e37_79b9_u64;
    let mut last = 0;
    for round in 0..count {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Until it saves, and then a little longer.
        let begun = Instant::now();
        while load(&path).unwrap()["n"].int().unwrap() == last && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(seed % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let v = load(&path).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let n = v["n"].int().unwrap();
        assert!(n >= last && v["again"].int().unwrap() == n, "round {round}");
        assert!(v["t"].tensor().unwrap().to_vec::<i64>().iter().all(|&x| x == n), "round {round}");
        assert_eq!(TensorFile::open(&path).unwrap().tensor("t").unwrap().shape(), [20_000]);
        last = n;
    }
    last
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cresset-io-kill-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_killed_save_leaves_a_whole_file() {
    let folder = folder("few");
    let saves = rounds(6, &folder);
    println!("6 kills during {saves} saves");
    // What a killed process leaves behind goes with the next save of the same name.
    save(value(-1), folder.join("kept.pth")).unwrap();
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["kept.pth"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Thousands of saves: `cargo test --release -p cresset-io --test kill -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute"]
fn a_killed_save_leaves_a_whole_file_many_times() {
    let folder = folder("many");
    let saves = rounds(600, &folder);
    println!("600 kills during {saves} saves");
    std::fs::remove_dir_all(folder).unwrap();
}
