//! Data sets and collation.

use cresset_data::transforms::{Compose, Flatten, Normalize, Scale, Transform};
use cresset_data::{
    Collate, ConcatDataset, DataLoader, Dataset, ListDataset, Standardizer, Subset, TensorDataset, digits, iris,
    random_split, stratified_split, train_test_split,
};
use cresset_tensor::{DType, Tensor, attempt};
use std::sync::Arc;

fn rows(n: usize, d: usize) -> Tensor {
    Tensor::from_vec((0..n * d).map(|x| x as f32).collect::<Vec<f32>>(), [n, d])
}

#[test]
fn tensors_as_a_data_set() {
    let x = rows(5, 3);
    let y = Tensor::from_slice(&[true, false, true, false, true]);
    let data = TensorDataset::new((x.clone(), y));
    assert_eq!(data.len(), 5);
    let (row, label) = data.get(3).unwrap();
    assert_eq!((row.to_vec::<f32>(), label.item::<bool>()), (vec![9.0, 10.0, 11.0], false));
    let (batch, labels) = data.get_batch(&[4, 0, 4]).unwrap();
    assert_eq!(batch.to_vec::<f32>(), [12.0, 13.0, 14.0, 0.0, 1.0, 2.0, 12.0, 13.0, 14.0]);
    assert_eq!(labels.to_vec::<bool>(), [true, true, true]);
    assert_eq!(data.get_batch(&[1, 5]).unwrap_err().sample(), Some(5));
    assert!(data.get(5).is_err());
    // Views with other strides and offsets, rows of no elements, tensors that require grad.
    let turned = TensorDataset::new(x.transpose(0, 1));
    assert_eq!(turned.get_batch(&[1]).unwrap().to_vec::<f32>(), [1.0, 4.0, 7.0, 10.0, 13.0]);
    let below = TensorDataset::new([x.narrow(0, 2, 3)]);
    assert_eq!(below.get_batch(&[0]).unwrap()[0].to_vec::<f32>(), [6.0, 7.0, 8.0]);
    let empty = TensorDataset::new(vec![Tensor::zeros([4, 0])]);
    assert_eq!(empty.get_batch(&[1, 2]).unwrap()[0].shape()[..], [2, 0]);
    let w = rows(2, 2).requires_grad_(true);
    TensorDataset::new((w.clone(),)).get_batch(&[1]).unwrap().0.sum().backward();
    assert_eq!(w.grad().unwrap().to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0]);
    let error = attempt(|| TensorDataset::new((rows(3, 1), rows(4, 1)))).unwrap_err();
    assert!(error.message().starts_with("Size mismatch between tensors"), "{error}");
    assert!(attempt(|| TensorDataset::new(Tensor::scalar_of(1.0))).is_err());
}

#[test]
fn sets_of_sets() {
    let data = Arc::new(TensorDataset::new((rows(6, 2), Tensor::from_slice(&[0i64, 1, 2, 3, 4, 5]))));
    let some = Subset::new(data.clone(), vec![5, 1, 9]);
    assert_eq!(some.get_batch(&[1, 0]).unwrap().1.to_vec::<i64>(), [1, 5]);
    assert_eq!(some.get_batch(&[0, 2]).unwrap_err().sample(), Some(2));
    assert_eq!(some.get_batch(&[0, 3]).unwrap_err().sample(), Some(3));
    let both =
        ConcatDataset::new(vec![data.clone().subset(vec![0]), data.clone().subset(vec![]), data.subset(vec![2, 4])]);
    assert_eq!(both.len(), 3);
    assert_eq!((0..3).map(|i| both.get(i).unwrap().1.item::<i64>()).collect::<Vec<_>>(), [0, 2, 4]);
    assert!(both.get(3).is_err());
    let mapped = both.map(|(x, y)| (x, y.item::<i64>() as f32));
    assert_eq!(mapped.get_batch(&[2, 1]).unwrap().1.to_vec::<f32>(), [4.0, 2.0]);
    for (lengths, word) in [([0.5, 0.3], "sum up to 0.8"), ([1.5, -0.5], "Fraction at index 0")] {
        let error = attempt(|| random_split(ListDataset(vec![0; 4]), lengths, None)).err().unwrap();
        assert!(error.message().contains(word), "{error}");
    }
    assert!(attempt(|| random_split(ListDataset(vec![0; 4]), [2, 3], None)).is_err());
    assert!(attempt(|| ConcatDataset::new(Vec::<ListDataset<i64>>::new())).is_err());
}

#[test]
fn collation() {
    let samples = vec![
        (vec![1.0f64, 2.0], [1u8, 2], "a".to_string(), (true, 3usize)),
        (vec![3.0, 4.0], [3, 4], "b".to_string(), (false, 4)),
    ];
    let (lists, arrays, text, (flags, counts)) = Collate::collate(samples);
    assert_eq!(lists[1].to_vec::<f64>(), [2.0, 4.0]);
    assert_eq!(arrays[0].to_vec::<u8>(), [1, 3]);
    assert_eq!(text, ["a", "b"]);
    assert_eq!((flags.dtype(), counts.dtype()), (DType::Bool, DType::I64));
    let ragged = ListDataset(vec![vec![1i64], vec![2, 3]]).get_batch(&[0, 1]).unwrap_err();
    assert!(ragged.message().contains("each element in list of batch should be of equal size"));
    let shapes = ListDataset(vec![rows(1, 2), rows(1, 3)]);
    let error = DataLoader::new(shapes, 2).iter().next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("batch of 2 samples (0, 1): stack:"), "{error}");
    assert!(error.message().contains("stack expects each tensor to be equal size"), "{error}");
}

#[test]
fn pictures_are_changed() {
    let pictures = Tensor::from_vec([0u8, 51, 102, 255], [1, 2, 2]);
    let change =
        Compose::new().then(Scale).then(Normalize::new(&[0.2], &[0.4])).then(Flatten).then(|x: &Tensor| x * 2.0);
    let got = change.apply(&pictures).to_vec::<f32>();
    let want: Vec<f32> = [0u8, 51, 102, 255].iter().map(|&x| (f32::from(x) / 255.0 - 0.2) / 0.4 * 2.0).collect();
    assert_eq!(got, want);
    assert!(attempt(|| Normalize::new(&[0.0], &[0.0])).is_err());
    assert!(attempt(|| Normalize::new(&[0.0; 3], &[1.0; 3]).apply(&rows(2, 2))).is_err());
    assert!(attempt(|| Normalize::new(&[0.0], &[1.0]).apply(&pictures)).is_err());
}

#[test]
fn embedded_sets_are_whole() {
    let digits = digits();
    assert_eq!((&digits.features.shape()[..], digits.num_classes()), (&[1797, 64][..], Some(10)));
    // The sums that scikit-learn's load_digits has.
    let sum: f64 = digits.features.to_vec::<f32>().iter().map(|&x| f64::from(x)).sum();
    assert_eq!(sum, 561_718.0);
    assert_eq!(digits.targets().to_vec::<i64>().iter().sum::<i64>(), 8070);
    let iris = iris();
    assert_eq!((iris.len(), iris.target_name.as_str()), (150, "species"));
    assert_eq!(iris.targets().to_vec::<i64>().iter().filter(|&&y| y == 2).count(), 50);
    let (train, test) = iris.split(0.3, 4);
    let count = |t: &cresset_data::Table, c| t.targets().to_vec::<i64>().iter().filter(|&&y| y == c).count();
    assert_eq!((train.len(), test.len()), (105, 45));
    assert_eq!([0, 1, 2].map(|c| count(&test, c)), [15, 15, 15]);
    let scale = Standardizer::fit(&train.features);
    let scaled = scale.apply(&train.features);
    let again = Standardizer::fit(&scaled);
    assert!(again.mean().to_vec::<f32>().iter().all(|m| m.abs() < 1e-6));
    assert!(again.std().to_vec::<f32>().iter().all(|s| (s - 1.0).abs() < 1e-6));
    assert_eq!(train.with_features(scaled).len(), 105);
}

#[test]
fn splits_are_complete() {
    let (train, test) = train_test_split(11, 0.2, 3);
    assert_eq!((train.len(), test.len()), (8, 3));
    let mut all = [train, test].concat();
    all.sort();
    assert_eq!(all, (0..11).collect::<Vec<_>>());
    let labels: Vec<i64> = (0..100).map(|i| i64::from(i % 10 == 0) + 5).collect();
    let (train, test) = stratified_split(&labels, 0.25, 1);
    assert_eq!((train.len(), test.len()), (75, 25));
    assert!((2..=3).contains(&test.iter().filter(|&&i| labels[i] == 6).count()));
    let mut all = [train, test].concat();
    all.sort();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    assert_eq!(stratified_split(&[], 0.5, 0), (vec![], vec![]));
    assert!(attempt(|| train_test_split(5, 1.5, 0)).is_err());
    let flat = Standardizer::fit(&Tensor::full([3, 1], 0.1));
    assert_eq!(flat.std().to_vec::<f32>(), [1.0]);
}
