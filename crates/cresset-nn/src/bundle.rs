//! Bundles: values made of tensors, as modules take and give them.

use cresset_tensor::Tensor;
use std::collections::{BTreeMap, HashMap};

/// What a module may take and give: a tensor, or tuples, arrays, `Vec`, `Option` and maps of them, beside plain values.
///
/// Hooks see the tensors of a bundle and may replace them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made of tensors that hooks could see",
    note = "`.call(...)` works on tensors and on tuples, arrays, `Vec`, `Option` and maps of them; implement `Bundle` for a type of your own, or use `.forward(...)`"
)]
pub trait Bundle {
    /// Shows its tensors to `f`, in order.
    fn visit(&self, f: &mut dyn FnMut(&Tensor));
    /// The same bundle with other tensors: `f` gets each in order.
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Self;
}

impl Bundle for Tensor {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        f(self);
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Tensor {
        f(self)
    }
}
impl<T: Bundle> Bundle for Option<T> {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        if let Some(x) = self {
            x.visit(f);
        }
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Option<T> {
        self.as_ref().map(|x| x.map_tensors(f))
    }
}
impl<T: Bundle> Bundle for Vec<T> {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        self.iter().for_each(|x| x.visit(f));
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Vec<T> {
        self.iter().map(|x| x.map_tensors(f)).collect()
    }
}
impl<T: Bundle, const N: usize> Bundle for [T; N] {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        self.iter().for_each(|x| x.visit(f));
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> [T; N] {
        std::array::from_fn(|i| self[i].map_tensors(f))
    }
}
impl<T: Bundle> Bundle for BTreeMap<String, T> {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        self.values().for_each(|x| x.visit(f));
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> BTreeMap<String, T> {
        self.iter().map(|(k, x)| (k.clone(), x.map_tensors(f))).collect()
    }
}
/// A hash map is walked in the order of its keys, so that hooks see the same order in every run.
impl<T: Bundle> Bundle for HashMap<String, T> {
    fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
        sorted(self).into_iter().for_each(|k| self[k].visit(f));
    }
    fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> HashMap<String, T> {
        sorted(self).into_iter().map(|k| (k.clone(), self[k].map_tensors(f))).collect()
    }
}
fn sorted<T>(map: &HashMap<String, T>) -> Vec<&String> {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    keys
}

macro_rules! tuples {
    ($($letter:ident $index:tt),*) => {
        impl<$($letter: Bundle),*> Bundle for ($($letter,)*) {
            fn visit(&self, f: &mut dyn FnMut(&Tensor)) {
                $(self.$index.visit(f);)*
            }
            fn map_tensors(&self, f: &mut dyn FnMut(&Tensor) -> Tensor) -> Self {
                ($(self.$index.map_tensors(f),)*)
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

macro_rules! without_tensors {
    ($($type:ty),*) => {$(
        impl Bundle for $type {
            fn visit(&self, _f: &mut dyn FnMut(&Tensor)) {}
            fn map_tensors(&self, _f: &mut dyn FnMut(&Tensor) -> Tensor) -> Self {
                self.clone()
            }
        }
    )*};
}
without_tensors!((), bool, i32, i64, u32, u64, usize, isize, f32, f64, String, &'static str, cresset_tensor::Dims);
