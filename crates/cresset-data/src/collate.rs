//! Samples into a batch, as PyTorch's `default_collate` puts them together.

use cresset_tensor::error::fail;
use cresset_tensor::{Tensor, bf16, f16, stack};
use std::collections::BTreeMap;

/// A sample that knows how a list of its like becomes a batch (`torch.utils.data.default_collate`).
///
/// Tensors are stacked along a new first dimension; numbers become a tensor of their dtype (as NumPy's numbers do); text stays a list; tuples,
/// arrays, vectors and maps are collated element by element.
///
/// ```
/// use cresset_data::Collate;
/// use cresset_tensor::Tensor;
/// let samples = vec![(Tensor::zeros([2]), 3i64), (Tensor::ones([2]), 4)];
/// let (x, y) = Collate::collate(samples);
/// assert_eq!(x.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(y.to_vec::<i64>(), [3, 4]);
/// ```
pub trait Collate: Sized {
    /// What a list of samples becomes.
    type Batch: Send + 'static;

    /// The batch.
    ///
    /// # Panics
    /// If the samples do not fit together: tensors of different shapes, vectors of different lengths.
    #[track_caller]
    fn collate(samples: Vec<Self>) -> Self::Batch;
}

impl Collate for Tensor {
    type Batch = Tensor;
    #[track_caller]
    fn collate(samples: Vec<Tensor>) -> Tensor {
        stack(&samples, 0)
    }
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        impl Collate for $t {
            type Batch = Tensor;
            fn collate(samples: Vec<$t>) -> Tensor {
                Tensor::from_slice(&samples)
            }
        }
    )*};
}
numbers!(f32 f64 f16 bf16 i64 i32 i16 i8 u8 bool);

impl Collate for usize {
    type Batch = Tensor;
    fn collate(samples: Vec<usize>) -> Tensor {
        Tensor::from_slice(&samples.into_iter().map(|x| x as i64).collect::<Vec<i64>>())
    }
}

macro_rules! text {
    ($($t:ty)*) => {$(
        impl Collate for $t {
            type Batch = Vec<$t>;
            fn collate(samples: Vec<$t>) -> Vec<$t> {
                samples
            }
        }
    )*};
}
text!(String &'static str char);

impl<T: Collate> Collate for Vec<T> {
    type Batch = Vec<T::Batch>;
    #[track_caller]
    fn collate(samples: Vec<Vec<T>>) -> Vec<T::Batch> {
        let rows = samples.len();
        let width = samples.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<T>> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
        for sample in samples {
            if sample.len() != width {
                fail("default_collate", "each element in list of batch should be of equal size");
            }
            columns.iter_mut().zip(sample).for_each(|(column, x)| column.push(x));
        }
        columns.into_iter().map(T::collate).collect()
    }
}

impl<T: Collate, const N: usize> Collate for [T; N] {
    type Batch = [T::Batch; N];
    #[track_caller]
    fn collate(samples: Vec<[T; N]>) -> [T::Batch; N] {
        let mut columns: [Vec<T>; N] = std::array::from_fn(|_| Vec::with_capacity(samples.len()));
        for sample in samples {
            columns.iter_mut().zip(sample).for_each(|(column, x)| column.push(x));
        }
        columns.map(T::collate)
    }
}

impl<K: Ord + Send + 'static, T: Collate> Collate for BTreeMap<K, T> {
    type Batch = BTreeMap<K, T::Batch>;
    #[track_caller]
    fn collate(samples: Vec<BTreeMap<K, T>>) -> BTreeMap<K, T::Batch> {
        let rows = samples.len();
        let mut columns: BTreeMap<K, Vec<T>> = BTreeMap::new();
        for sample in samples {
            for (key, x) in sample {
                columns.entry(key).or_default().push(x);
            }
        }
        if columns.values().any(|c| c.len() != rows) {
            fail("default_collate", "every sample of a batch should have the same keys");
        }
        columns.into_iter().map(|(key, column)| (key, T::collate(column))).collect()
    }
}

macro_rules! tuples {
    ($($($t:ident $i:tt)*;)*) => {$(
        impl<$($t: Collate),*> Collate for ($($t,)*) {
            type Batch = ($($t::Batch,)*);
            #[track_caller]
            fn collate(samples: Vec<Self>) -> Self::Batch {
                let mut columns = ($(Vec::<$t>::with_capacity(samples.len()),)*);
                for sample in samples {
                    $(columns.$i.push(sample.$i);)*
                }
                ($($t::collate(columns.$i),)*)
            }
        }
    )*};
}
tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}
