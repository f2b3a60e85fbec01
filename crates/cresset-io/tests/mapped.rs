//! Tensors that lie in the pages of their file.

use cresset_io::{LoadOptions, Value, load, load_with, safetensors, save};
use cresset_kernels::buffer::stats;
use cresset_tensor::{DType, StateDict, Tensor, no_grad};
use std::path::PathBuf;

const MMAP: LoadOptions = LoadOptions { mmap: true };

struct TemporaryFile(PathBuf);
impl TemporaryFile {
    fn new(name: &str) -> TemporaryFile {
        TemporaryFile(std::env::temp_dir().join(format!("cresset-io-mapped-{}-{name}", std::process::id())))
    }
}
impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Over a megabyte, of every dtype, with odd sizes, nothing at all, and the same memory twice.
fn state() -> StateDict {
    let numbers: Vec<f32> = (0..200_003).map(|i| (i % 251) as f32).collect();
    let base = Tensor::from_slice(&numbers);
    let mut state: StateDict = DType::ALL.iter().map(|d| (format!("t.{}", d.name()), base.to_dtype(*d))).collect();
    state.insert("empty", Tensor::zeros([0, 4]));
    state.insert("scalar", Tensor::from_vec([2.5f32], []));
    state.insert("matrix", Tensor::from_vec(&numbers[..12], [3, 4]));
    let matrix = state["matrix"].clone();
    state.insert("transposed", matrix.t());
    state
}

fn bytes(t: &Tensor) -> Vec<u8> {
    t.array().contiguous().copy().storage().read().slice::<u8>().to_vec()
}

fn same(got: &StateDict, want: &StateDict) {
    assert_eq!(got.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>());
    for (name, t) in want.iter() {
        assert_eq!((got[name].dtype(), got[name].shape()), (t.dtype(), t.shape()), "{name}");
        assert!(bytes(&got[name]) == bytes(t), "{name}");
    }
}

/// Both formats: how to save, how to load mapped, how to load a copy.
type Ways = (fn(&StateDict, &PathBuf), fn(&PathBuf) -> StateDict, fn(&PathBuf) -> StateDict);
const WAYS: [(&str, Ways); 2] = [
    (
        "pth",
        (
            |s, p| save(s.clone(), p).unwrap(),
            |p| load_with(p, MMAP).unwrap().state_dict().unwrap(),
            |p| load(p).unwrap().state_dict().unwrap(),
        ),
    ),
    (
        "safetensors",
        (
            |s, p| safetensors::save(s, &[], p).unwrap(),
            |p| safetensors::load_with(p, MMAP).unwrap().tensors,
            |p| safetensors::load(p).unwrap().tensors,
        ),
    ),
];

#[test]
fn writing_into_a_tensor_changes_no_file() {
    for (ending, (save, mapped, copied)) in WAYS {
        let file = TemporaryFile::new(ending);
        let want = state();
        save(&want, &file.0);
        let on_disk = std::fs::read(&file.0).unwrap();
        let before = stats().live_bytes;
        let got = mapped(&file.0);
        let taken = stats().live_bytes - before;
        assert!(taken < 10_000, "{ending}: {taken} bytes were copied");
        same(&got, &want);
        // Every tensor is written to: whole, in part, through a view.
        for (name, t) in got.iter() {
            t.fill_(1);
            assert!(t.numel() == 0 || bytes(t) != bytes(&want[name]), "{ending}: {name} was not changed");
        }
        got["matrix"].select(0, 1).zero_();
        assert_eq!(got["matrix"].select(0, 1).to_vec::<f32>(), [0.0; 4]);
        let again = mapped(&file.0);
        assert!(std::fs::read(&file.0).unwrap() == on_disk, "{ending}: the file was changed");
        same(&again, &want);
        same(&copied(&file.0), &want);
        if ending == "pth" {
            assert!(again["matrix"].shares_memory(&again["transposed"]), "what shares memory does so still");
        }
        assert!(!again["matrix"].shares_memory(&again["scalar"]), "a tensor has memory of its own");
        // What was changed can be saved over the file it lies in.
        save(&got, &file.0);
        same(&copied(&file.0), &got);
        same(&again, &want);
        std::fs::remove_file(&file.0).unwrap();
        same(&again, &want);
    }
}

#[test]
fn tensors_outlive_everything_and_train() {
    let file = TemporaryFile::new("train.safetensors");
    let weight = Tensor::ones([600, 600]);
    safetensors::save(&[("w", weight)].into_iter().collect(), &[], &file.0).unwrap();
    let w = safetensors::load_with(&file.0, MMAP).unwrap().tensors["w"].clone().requires_grad_(true);
    let handle = std::thread::spawn(move || {
        let x = Tensor::ones([4, 600]);
        for _ in 0..3 {
            x.matmul(&w).sum().backward();
            no_grad(|| w.sub_(&(w.grad().unwrap() * 0.125)));
            w.set_grad(None);
        }
        w.detach().to_vec::<f32>()
    });
    assert_eq!(handle.join().unwrap(), vec![1.0 - 3.0 * 0.5; 360_000]);
    assert_eq!(safetensors::load(&file.0).unwrap().tensors["w"].to_vec::<f32>(), vec![1.0; 360_000]);
}

#[test]
fn numbers_at_odd_places_are_copied() {
    // As other programs write it: three bytes first, so that no f32 is aligned.
    let file = TemporaryFile::new("odd.safetensors");
    let n = 400_000usize;
    let header = format!(
        "{{\"a\":{{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}},\"b\":{{\"dtype\":\"F32\",\"shape\":[{n}],\"data_offsets\":[3,{}]}}}}",
        3 + 4 * n
    );
    let mut data = (header.len() as u64).to_le_bytes().to_vec();
    data.extend(header.as_bytes());
    data.extend([1, 2, 3]);
    let numbers: Vec<f32> = (0..n).map(|i| i as f32).collect();
    data.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(&file.0, &data).unwrap();
    let got = safetensors::load_with(&file.0, MMAP).unwrap().tensors;
    assert_eq!(got["a"].to_vec::<u8>(), [1, 2, 3]);
    assert_eq!(got["b"].to_vec::<f32>(), numbers);
}

#[test]
fn what_is_wrong_is_said_as_without_the_map() {
    let file = TemporaryFile::new("broken");
    for (_, (save, ..)) in WAYS {
        save(&state(), &file.0);
        let whole = std::fs::read(&file.0).unwrap();
        for cut in [whole.len() - 1, whole.len() / 2 + (1 << 19)] {
            std::fs::write(&file.0, &whole[..cut]).unwrap();
            for result in [
                (load(&file.0).map(drop), load_with(&file.0, MMAP).map(drop)),
                (safetensors::load(&file.0).map(drop), safetensors::load_with(&file.0, MMAP).map(drop)),
            ] {
                assert_eq!(result.0.unwrap_err().to_string(), result.1.unwrap_err().to_string());
            }
        }
    }
    // Small files are read: the same values.
    save(Value::dict([("a", Tensor::ones([3]).into())]), &file.0).unwrap();
    assert_eq!(load_with(&file.0, MMAP).unwrap()["a"].tensor().unwrap().to_vec::<f32>(), [1.0; 3]);
    assert!(load_with(std::env::temp_dir(), MMAP).unwrap_err().to_string().contains("is a folder"));
}
