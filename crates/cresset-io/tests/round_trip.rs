//! What is saved comes back: values, layouts, sharing; the same bytes each time.

use cresset_io::{Dict, Value, atomic_write, load, load_bytes, npy, npz, safetensors, save, write};
use cresset_tensor::{DType, StateDict, Tensor};
use std::path::{Path, PathBuf};

/// A folder of the test's own, removed afterwards.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("cresset-io-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn every_dtype() -> StateDict {
    let numbers = Tensor::from_vec([0.0f32, 1.0, 2.0, 3.0, 1.0, 0.0], [2, 3]);
    DType::ALL.into_iter().map(|d| (d.name(), numbers.to_dtype(d))).collect()
}

#[test]
fn a_checkpoint_comes_back_whole() {
    let folder = Folder::new("checkpoint");
    let w = Tensor::from_vec((0..24).map(|x| x as f32).collect::<Vec<_>>(), [4, 6]);
    let part = Tensor::from_array(w.array().view([6, 4].into(), [1, 6].into(), 0));
    let tied = w.detach();
    let leaf = Tensor::ones([2]);
    leaf.requires_grad_(true);
    let mut model = Dict::ordered();
    model.insert("w", &w);
    model.insert("t", part);
    model.insert("tied", tied);
    model.set_attr("_metadata", Value::ordered_dict([("", Value::dict([("version", 1.into())]))]));
    let value = Value::dict([
        ("epoch", 5.into()),
        ("big", u64::MAX.into()),
        ("small", i64::MIN.into()),
        ("loss", f64::NEG_INFINITY.into()),
        ("name", "é\n\"".into()),
        ("raw", Value::from_bytes([0u8, 255, 10])),
        ("none", Value::None),
        ("list", vec![1, 2, 3].into()),
        ("betas", (0.9, 0.999).into()),
        ("empty", Value::tuple([] as [Value; 0])),
        ("four", Value::tuple([1, 2, 3, 4])),
        ("set", Value::set([1, 2])),
        ("dtype", DType::BF16.into()),
        ("device", Value::Device("cuda:1".into())),
        ("size", Value::Size([2, 3].into())),
        ("leaf", leaf.into()),
        ("parameter", Value::parameter(&Tensor::zeros([3]))),
        ("scalar", Tensor::scalar_of(2.5).into()),
        ("nothing", Tensor::zeros([0, 3]).into()),
        ("state", Value::dict([(0, Value::dict([("step", Tensor::scalar_of(7.0).into())]))])),
        ("dtypes", every_dtype().into()),
        ("model", model.into()),
    ]);
    let path = folder.file("c.pth");
    save(&value, &path).unwrap();
    let back = load(&path).unwrap();
    assert_eq!(back["epoch"].int().unwrap(), 5);
    assert_eq!(format!("{:?}", back["big"]), u64::MAX.to_string());
    assert_eq!(back["small"].int().unwrap(), i64::MIN);
    assert_eq!(back["name"].str().unwrap(), "é\n\"");
    assert_eq!(back["raw"].bytes().unwrap(), [0, 255, 10]);
    assert_eq!(back["betas"][1].float().unwrap(), 0.999);
    assert_eq!(back["four"].as_list().unwrap().len(), 4);
    assert_eq!(back["dtype"].dtype().unwrap(), DType::BF16);
    assert_eq!((back["device"].device().unwrap(), back["size"].size().unwrap()), ("cuda:1", &[2, 3][..]));
    assert!(back["leaf"].tensor().unwrap().requires_grad());
    assert!(matches!(&back["parameter"], Value::Parameter(t) if !t.requires_grad()));
    assert_eq!(back["nothing"].tensor().unwrap().shape(), [0, 3]);
    let state = back["state"].as_dict().unwrap().get_key(&0.into()).unwrap();
    assert_eq!(state["step"].tensor().unwrap().item::<f32>(), 7.0);
    for (name, t) in &every_dtype() {
        assert_eq!(
            back["dtypes"][name.as_str()].tensor().unwrap().to_dtype(DType::F64).to_vec::<f64>(),
            t.to_dtype(DType::F64).to_vec::<f64>()
        );
    }
    let model = back["model"].state_dict().unwrap();
    assert!(model["t"].shares_memory(&model["w"]) && model["tied"].shares_memory(&model["w"]));
    assert_eq!((model["t"].stride(), model["t"].to_vec::<f32>()[1]), ([1, 6].into(), 6.0));
    assert_eq!(back["model"].as_dict().unwrap().attrs()[0].1.as_dict().unwrap().len(), 1);
    // Saved again it is the same file, byte for byte.
    let again = folder.file("again.pth");
    save(&back, &again).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    assert!(back["modle"]["w"].tensor().unwrap_err().to_string().contains("there is no key \"modle\""));
    assert!(back.state_dict().unwrap_err().to_string().contains("keys: \"epoch\""));
}

#[test]
fn other_formats_come_back() {
    let folder = Folder::new("formats");
    let state = every_dtype();
    let path = folder.file("s.safetensors");
    safetensors::save(&state, &[("note", "na\"ïve\n")], &path).unwrap();
    let back = safetensors::load(&path).unwrap();
    assert_eq!(back.metadata[0].1, "na\"ïve\n");
    assert!(back.tensors.keys().eq(state.keys()));
    assert!(state.iter().all(|(k, t)| back.tensors[k].dtype() == t.dtype()));
    let mut state = state;
    let refused = npz::save(&state, folder.file("no.npz")).unwrap_err().to_string();
    assert!(refused.contains("bfloat16") && !folder.file("no.npz").exists(), "{refused}");
    state.remove("bfloat16");
    for (name, compress) in [("a.npz", false), ("b.npz", true)] {
        let path = folder.file(name);
        if compress { npz::save_compressed(&state, &path) } else { npz::save(&state, &path) }.unwrap();
        let back = npz::load(&path).unwrap();
        assert!(state.iter().all(|(k, t)| back[k].dtype() == t.dtype() && back[k].shape() == t.shape()));
    }
    let path = folder.file("t.npy");
    let t = Tensor::from_array(state["float32"].array().view([3, 2].into(), [1, 3].into(), 0));
    npy::save(&t, &path).unwrap();
    assert_eq!(npy::load(&path).unwrap().to_vec::<f32>(), t.to_vec::<f32>());
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = Folder::new("atomic");
    let path = folder.file("x.csv");
    std::fs::write(&path, "old").unwrap();
    let failed = atomic_write(&path, |file| {
        std::io::Write::write_all(file, b"new, but then")?;
        Err(cresset_io::Error::new("the epoch failed"))
    });
    assert!(failed.unwrap_err().to_string().ends_with("x.csv: the epoch failed"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
    let sentence = save(Value::None, &folder.0).unwrap_err().to_string();
    assert!(sentence.ends_with("is a folder, not a file"), "{sentence}");
    let sentence = save(Value::None, folder.file("no/such/x.pth")).unwrap_err().to_string();
    assert!(sentence.ends_with("there is no such file or folder"), "{sentence}");
    let sentence = load(folder.file("absent.pth")).unwrap_err().to_string();
    assert!(sentence.ends_with("there is no such file or folder"), "{sentence}");
    // A device that is always full.
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let big = Value::Tensor(Tensor::zeros([100_000]));
        assert!(write(&big, full).unwrap_err().io_error().is_some());
    }
}

/// A limit on the size of files stands for a full disk: the write fails in the middle.
#[cfg(unix)]
#[test]
fn a_write_that_fails_in_the_middle_leaves_the_old_file() {
    const NAME: &str = "a_write_that_fails_in_the_middle_leaves_the_old_file";
    if let Some(path) = std::env::var_os("CRESSET_TEST_FULL") {
        let error = save(Value::Tensor(Tensor::zeros([1_000_000])), &path).unwrap_err();
        assert!(
            error.to_string().contains("x.pth: cannot be written: ") && error.to_string().lines().count() == 1,
            "{error}"
        );
        return;
    }
    let folder = Folder::new("full");
    let path = folder.file("x.pth");
    save(Value::from("old"), &path).unwrap();
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$1\" --exact";
    let me = std::env::current_exe().unwrap();
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(me)
        .arg(NAME)
        .env("CRESSET_TEST_FULL", &path)
        .status();
    assert!(status.unwrap().success());
    assert_eq!(load(&path).unwrap().str().unwrap(), "old");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn a_deep_value_is_saved_and_loaded() {
    let mut v = Value::list([1]);
    for _ in 0..50_000 {
        v = Value::list([v]);
    }
    let mut bytes = Vec::new();
    write(&v, &mut bytes).unwrap();
    let back = cresset_io::load_bytes(&bytes).unwrap();
    assert_eq!(back.as_list().unwrap().len(), 1);
}

#[test]
fn numpys_numbers_and_texts_are_plain_values() {
    for name in ["numpy_scalars.pt", "numpy_scalars_protocol5.pt"] {
        let v = load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/saved").join(name)).unwrap();
        let ints = [("int8", -1), ("int16", -2), ("int32", -3), ("int64", -4), ("uint8", 200), ("uint16", 60000)];
        for (key, want) in ints.into_iter().chain([("uint32", 4_000_000_000), ("big_endian", 258)]) {
            assert_eq!(v[key].int().unwrap(), want, "{name}: {key}");
        }
        assert_eq!(format!("{:?}", v["uint64"]), u64::MAX.to_string());
        assert!(v["bool_"].bool().unwrap());
        for (key, want) in [("float16", 0.5), ("float32", 0.25), ("float64", 0.1)] {
            assert_eq!(v[key].float().unwrap(), want, "{name}: {key}");
        }
        assert_eq!(v["str_"].str().unwrap(), "h\u{e9}llo \u{1f600}");
        assert_eq!(v["bytes_"].bytes().unwrap(), b"a\0b");
        let texts: Vec<&str> = v["texts"].as_list().unwrap().iter().map(|t| t.str().unwrap()).collect();
        assert_eq!(texts, ["", "x"]);
        // They are written as plain values, and come back.
        let mut bytes = Vec::new();
        write(&v, &mut bytes).unwrap();
        assert_eq!(format!("{:?}", load_bytes(&bytes).unwrap()), format!("{v:?}"));
    }
}
