//! Reductions against numbers of PyTorch.

use cresset_tensor::{DType, Tensor, attempt};

fn ramp(shape: &[usize]) -> Tensor {
    let n = shape.iter().product::<usize>();
    Tensor::from_vec((0..n).map(|i| i as f32).collect::<Vec<_>>(), shape)
}

#[test]
fn sums_over_every_choice_of_dims() {
    let x = ramp(&[2, 3, 4, 5]);
    assert_eq!(x.sum().item::<f32>(), 7140.0);
    for mask in 1..16usize {
        let dims: Vec<isize> = (0..4).filter(|d| mask >> d & 1 == 1).map(|d| d as isize).collect();
        let got = x.sum_dim(&dims, true);
        let mut want = vec![0.0; got.numel()];
        for (i, v) in x.to_vec::<f32>().into_iter().enumerate() {
            let index = [i / 60, i / 20 % 3, i / 5 % 4, i % 5];
            let at = (0..4).fold(0, |at, d| {
                let reduced = mask >> d & 1 == 1;
                at * if reduced { 1 } else { [2, 3, 4, 5][d] } + if reduced { 0 } else { index[d] }
            });
            want[at] += v;
        }
        assert_eq!(got.to_vec::<f32>(), want, "{dims:?}");
    }
}

#[test]
fn sums_of_integers_are_int64() {
    let x = Tensor::from_slice(&[200u8, 100]);
    assert_eq!((x.sum().dtype(), x.sum().item::<i64>()), (DType::I64, 300));
    assert_eq!(Tensor::from_slice(&[true, false, true]).sum().item::<i64>(), 2);
    assert_eq!(x.sum_dtype(DType::F32).dtype(), DType::F32);
}

#[test]
fn empty_sums() {
    assert_eq!(Tensor::zeros([0, 3]).sum().item::<f32>(), 0.0);
    assert_eq!(Tensor::zeros([0, 3]).sum_dim(0, false).to_vec::<f32>(), [0.0; 3]);
    assert_eq!(Tensor::zeros([0, 3]).sum_dim(1, false).shape(), [0]);
    assert!(Tensor::zeros([0]).mean().item::<f32>().is_nan());
}

#[test]
fn refusals_speak_as_pytorch() {
    let x = ramp(&[2, 3]);
    let e = attempt(|| x.sum_dim([0, 0], false)).unwrap_err();
    assert_eq!(e.message(), "dim 0 appears multiple times in the list of dims");
    let e = attempt(|| Tensor::from_slice(&[1i64]).mean()).unwrap_err();
    assert!(e.message().starts_with("mean(): could not infer output dtype."));
}
