//! Places that may not be written to: one sentence, and the old file stays.
#![cfg(unix)]

use cresset_io::{Value, load, npy, npz, safetensors, save};
use cresset_tensor::{StateDict, Tensor};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const NAME: &str = "what_may_not_be_written_stays";
const FOLDER: &str = "CRESSET_REFUSED_FOLDER";
const NOBODY: u32 = 65534;

fn one_sentence(result: cresset_io::Result<()>, path: &Path, ending: &str) {
    let sentence = result.unwrap_err().to_string();
    let file = path.display();
    assert!(sentence.starts_with(&format!("{file}: cannot be written: ")) && sentence.ends_with(ending), "{sentence}");
    assert_eq!(sentence.lines().count(), 1);
}

/// All formats, into a folder and over a file that this user may not write to.
fn as_a_user_without_rights(folder: &Path) {
    let state: StateDict = [("w", Tensor::ones([3]))].into_iter().collect();
    for place in ["closed/x", "open/protected"] {
        let path = folder.join(place);
        one_sentence(save(Value::from("new"), &path), &path, "permission denied");
        one_sentence(safetensors::save(&state, &[], &path), &path, "permission denied");
        one_sentence(npz::save(&state, &path), &path, "permission denied");
        one_sentence(npy::save(&state["w"], &path), &path, "permission denied");
        assert_eq!(load(&path).unwrap().str().unwrap(), "old");
    }
    let path = folder.join("closed/new");
    one_sentence(save(Value::from("new"), &path), &path, "permission denied");
    assert!(!path.exists());
    save(Value::from("new"), folder.join("open/x")).unwrap();
}

#[test]
fn what_may_not_be_written_stays() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return as_a_user_without_rights(Path::new(&folder));
    }
    let folder = std::env::temp_dir().join(format!("cresset-io-refused-{}", std::process::id()));
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for (name, rights) in [("closed", 0o555), ("open", 0o777)] {
        let inner = folder.join(name);
        fs::create_dir_all(&inner).unwrap();
        for file in ["x", "protected"] {
            save(Value::from("old"), inner.join(file)).unwrap();
            mode(&inner.join(file), if file == "x" { 0o666 } else { 0o444 });
        }
        mode(&inner, rights);
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if root {
        // Root may write everywhere; somebody else looks, if this program can be started as that user.
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args([NAME, "--exact"]).env(FOLDER, &folder).uid(NOBODY).gid(NOBODY);
        match again.status() {
            Ok(status) => assert!(status.success()),
            Err(e) => println!("left out: {e}"),
        }
    } else {
        as_a_user_without_rights(&folder);
    }
    let left = |name: &str| fs::read_dir(folder.join(name)).unwrap().count();
    assert_eq!((left("closed"), left("open")), (2, 2), "nothing is left behind");
    mode(&folder.join("closed"), 0o755);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn devices_are_not_replaced() {
    one_sentence(save(Value::None, "/dev/null"), Path::new("/dev/null"), "is a device or a pipe, not a file");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}
