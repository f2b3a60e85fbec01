//! `load_state_dict` is all or nothing: whatever is wrong with a state dict, not a byte of the module changes.

use cresset_nn::prelude::*;
use cresset_nn::{BatchNorm1d, Linear, Sequential, StateDict};
use cresset_tensor::{DType, attempt};

#[derive(Module, Clone)]
struct Net {
    base: Base,
    scale: Parameter,
    seen: Buffer,
    body: Sequential,
    head: Linear,
}
impl Net {
    fn new() -> Net {
        Net {
            base: Base::new(),
            scale: Parameter::new(Tensor::from_slice(&[f32::from_bits(0x7fc0_1234), -0.0, 1.5])),
            seen: Buffer::new(Tensor::from_slice(&[1i64, 2, 3, 4])),
            body: Sequential::new((Linear::new(4, 6), BatchNorm1d::new(6))),
            head: Linear::new(6, 2),
        }
    }
}
impl Forward for Net {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.head.call(&self.body.call(x))
    }
}

/// Every parameter and buffer: where it lies, how it is looked at, how often it was changed, and its bytes.
fn everything(net: &Net) -> Vec<(String, String, u32, Vec<u8>)> {
    let tensors = net.named_parameters().into_iter().map(|(n, p)| (n, p.tensor().clone()));
    let buffers = net.named_buffers().into_iter().map(|(n, b)| (n, b.get()));
    tensors
        .chain(buffers)
        .map(|(name, t)| {
            let array = t.array();
            let bytes = array.storage().read().slice::<u8>().to_vec();
            let place = std::ptr::from_ref(array.storage());
            (
                name,
                format!("{:?} {:?} {:?} {place:?}", t.meta(), t.array().strides(), t.requires_grad()),
                t.version(),
                bytes,
            )
        })
        .collect()
}

/// What may be wrong with a state dict, one thing at a time and everywhere: name, change, is it wrong also if not strict?
fn faults() -> Vec<(String, StateDict, bool)> {
    let whole = Net::new().state_dict().deep_copy();
    let names: Vec<String> = whole.keys().map(str::to_string).collect();
    let mut all = Vec::new();
    let mut add = |what: String, hard: bool, change: &dyn Fn(&mut StateDict)| {
        let mut state = whole.deep_copy();
        change(&mut state);
        all.push((what, state, hard));
    };
    add("nothing".into(), false, &|s| *s = StateDict::new());
    for name in &names {
        let optional = name.ends_with("num_batches_tracked");
        if !optional {
            add(format!("{name} missing"), false, &|s| drop(s.remove(name)));
        }
        add(format!("{name} renamed"), false, &|s| {
            let t = s.remove(name).unwrap();
            s.insert(format!("module.{name}"), t);
        });
        add(format!("something beside {name}"), false, &|s| s.insert(format!("{name}.x"), Tensor::zeros([1])));
        for wrong in [&[7][..], &[0], &[1, 1], &[2, 2, 2]] {
            if wrong != &whole[name].shape()[..] {
                add(format!("{name} of shape {wrong:?}"), true, &|s| s.insert(name.clone(), Tensor::zeros(wrong)));
            }
        }
        if whole[name].dim() == 2 {
            add(format!("{name} transposed"), true, &|s| s.insert(name.clone(), whole[name].t()));
        }
    }
    all
}

#[test]
fn not_a_byte_changes_when_loading_fails() {
    let net = Net::new();
    net.head.weight.requires_grad_(false);
    let before = everything(&net);
    let faults = faults();
    assert!(faults.len() > 60);
    for (what, state, hard) in &faults {
        let error = attempt(|| net.load_state_dict(state, true)).expect(what).expect_err(what);
        assert!(error.message().starts_with("Error(s) in loading state_dict for Net:\n\t"), "{what}: {error}");
        assert!(everything(&net) == before, "{what}: changed");
        if *hard {
            let error = attempt(|| net.load_state_dict(state, false)).expect(what).expect_err(what);
            assert!(error.message().contains("size mismatch for"), "{what}: {error}");
            assert!(everything(&net) == before, "{what}, not strict: changed");
        }
    }
    // What is not wrong does change it.
    let other = Net::new().state_dict();
    net.load_state_dict(&other, true).unwrap();
    assert!(everything(&net) != before);
}

#[test]
fn a_tensor_that_cannot_be_written_is_found_before_anything_is() {
    let net = Net::new();
    // Four elements in one place: there is no way to put four numbers there.
    let one = Tensor::from_slice(&[5i64]);
    net.seen.set(one.expand([4]));
    let before = everything(&net);
    for strict in [true, false] {
        let error = attempt(|| net.load_state_dict(&Net::new().state_dict(), strict)).expect("no panic").unwrap_err();
        assert!(error.message().contains("While copying the parameter named \"seen\""), "{error}");
        assert!(error.message().contains("refers to a single memory location"), "{error}");
        assert!(everything(&net) == before);
    }
}

#[test]
fn every_dtype_goes_into_every_other() {
    for to in DType::ALL {
        for from in DType::ALL {
            let net = Net::new();
            net.seen.set(Tensor::zeros([4]).to_dtype(to));
            let mut state = net.state_dict().deep_copy();
            state.insert("seen", Tensor::from_slice(&[0i64, 1, 0, 1]).to_dtype(from));
            let report = attempt(|| net.load_state_dict(&state, true)).expect("no panic").unwrap();
            assert!(report.missing_keys.is_empty());
            let got = net.seen.get();
            assert_eq!(
                (got.dtype(), got.to_dtype(DType::I64).to_vec::<i64>()),
                (to, vec![0, 1, 0, 1]),
                "{from} to {to}"
            );
        }
    }
}
