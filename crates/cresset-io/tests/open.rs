//! Files that are opened without being read, and TorchScript's weights.

use cresset_io::{Format, TensorFile, Value, load, npz, safetensors, save};
use cresset_tensor::{DType, StateDict, Tensor};
use std::io::Write;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cresset-io-open-{}-{name}", std::process::id()))
}

/// Pages of files that are in this process's memory, in kilobytes.
#[cfg(target_os = "linux")]
fn mapped() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("RssFile:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn of_a_large_file_one_tensor_is_read() {
    let path = file("large.safetensors");
    // Four gigabytes that are nowhere on the disk, and 12 bytes behind them.
    let large = 1u64 << 32;
    let header = format!(
        "{{\"large\":{{\"dtype\":\"U8\",\"shape\":[{large}],\"data_offsets\":[0,{large}]}},\
         \"small\":{{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[{large},{}]}}}}",
        large + 12
    );
    let mut out = std::fs::File::create(&path).unwrap();
    out.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    out.write_all(header.as_bytes()).unwrap();
    out.set_len(8 + header.len() as u64 + large + 12).unwrap();
    drop(out);
    let opened = TensorFile::open(&path).unwrap();
    assert_eq!((opened.format(), opened.tensors()[0].shape[0] as u64), (Format::SafeTensors, large));
    assert_eq!(opened.tensor("small").unwrap().to_vec::<f32>(), [0.0; 3]);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn tensors_of_a_checkpoint_are_read_one_by_one() {
    let path = file("checkpoint.pth");
    let large = Tensor::ones([4 << 20]);
    let small = Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [2, 2]);
    let view = Tensor::from_array(small.array().view([2, 2].into(), [1, 2].into(), 0));
    let model = Value::ordered_dict([("large", large.into()), ("small", small.into()), ("view", view.into())]);
    save(Value::dict([("epoch", 3.into()), ("model", model), ("names", vec!["a", "b"].into())]), &path).unwrap();
    #[cfg(target_os = "linux")]
    let before = mapped();
    let opened = TensorFile::open(&path).unwrap();
    let names: Vec<&str> = opened.tensors().iter().map(|t| &*t.name).collect();
    assert_eq!(names, ["model.large", "model.small", "model.view"]);
    assert_eq!(opened.values().iter().map(|(n, _)| &**n).collect::<Vec<_>>(), ["epoch", "names"]);
    let (small, view) = (opened.tensor("model.small").unwrap(), opened.tensor("model.view").unwrap());
    assert!(small.shares_memory(&view));
    assert_eq!(view.to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    #[cfg(target_os = "linux")]
    assert!(mapped() < before + 4000, "{} kB of a file of 16 MB are in memory", mapped() - before);
    assert_eq!(opened.tensor("model.large").unwrap().numel(), 4 << 20);
    let said = opened.tensor("modle").unwrap_err().to_string();
    assert!(said.contains("there is no tensor \"modle\" (tensors: model.large, "), "{said}");
    // Damage is found in the tensor that is asked for.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8 << 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let opened = TensorFile::open(&path).unwrap();
    assert!(opened.tensor("model.small").is_ok());
    let said = opened.tensor("model.large").unwrap_err().to_string();
    assert!(said.contains("\"model.large\"") && said.contains("is damaged"), "{said}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn other_formats_are_opened_by_what_they_hold() {
    let state: StateDict = [("w", Tensor::ones([2, 3])), ("b", Tensor::zeros([3]))].into_iter().collect();
    for (name, compress) in [("a.npz", false), ("b.npz", true)] {
        let path = file(name);
        if compress { npz::save_compressed(&state, &path) } else { npz::save(&state, &path) }.unwrap();
        let opened = TensorFile::open(&path).unwrap();
        assert_eq!((opened.format(), opened.tensors().len()), (Format::Npz, 2));
        assert_eq!((opened.tensors()[0].dtype, &opened.tensors()[0].shape[..]), (DType::F32, &[2, 3][..]));
        assert_eq!(opened.tensor("w").unwrap().to_vec::<f32>(), [1.0; 6]);
        std::fs::remove_file(&path).unwrap();
    }
    let path = file("s.bin");
    safetensors::save(&state, &[("note", "x")], &path).unwrap();
    let opened = TensorFile::open(&path).unwrap();
    assert_eq!((opened.format(), opened.values()[0].1.str().unwrap()), (Format::SafeTensors, "x"));
    let only = opened.state_dict(|name| name == "b").unwrap();
    assert_eq!(only.keys().collect::<Vec<_>>(), ["b"]);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn torchscript_gives_its_weights() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/saved/torchscript.pt");
    let state = load(&path).unwrap().state_dict().unwrap();
    let names: Vec<&str> = state.keys().collect();
    assert_eq!(
        names,
        [
            "fc1.weight",
            "fc1.bias",
            "bn.weight",
            "bn.bias",
            "bn.running_mean",
            "bn.running_var",
            "bn.num_batches_tracked",
            "tied.weight"
        ]
    );
    let first = [-0.004_322_517_663_240_433, 0.309_715_837_240_219_1, -0.475_185_334_682_464_6];
    assert_eq!(&state["fc1.weight"].to_vec::<f32>()[..3], first.map(|x: f64| x as f32));
    assert!(state["tied.weight"].shares_memory(&state["fc1.weight"]));
    assert_eq!(TensorFile::open(&path).unwrap().tensor("tied.weight").unwrap().shape(), [2, 3]);
}
