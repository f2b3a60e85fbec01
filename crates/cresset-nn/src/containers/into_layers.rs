//! From tuples, vectors and arrays to lists of layers.

use crate::layer::Layer;

/// Layers in a row: a tuple of up to 24 of them, a `Vec` or an array.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of layers",
    note = "pass a tuple of up to 24 layers, a `Vec` or an array; longer networks are built with `push`"
)]
pub trait IntoLayers {
    /// The layers, in order.
    fn into_layers(self) -> Vec<Box<dyn Layer>>;
}

/// Layers with names: a tuple of up to 24 pairs of name and layer, a `Vec` or an array of pairs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of named layers",
    note = "pass a tuple of pairs, `((\"fc\", Linear::new(2, 3)), (\"relu\", ReLU::new()))`, a `Vec` or an array of pairs"
)]
pub trait IntoNamedLayers {
    /// Names and layers, in order.
    fn into_named_layers(self) -> Vec<(String, Box<dyn Layer>)>;
}

impl<L: Layer> IntoLayers for Vec<L> {
    fn into_layers(self) -> Vec<Box<dyn Layer>> {
        self.into_iter().map(Layer::boxed).collect()
    }
}
impl<L: Layer, const N: usize> IntoLayers for [L; N] {
    fn into_layers(self) -> Vec<Box<dyn Layer>> {
        self.into_iter().map(Layer::boxed).collect()
    }
}
impl<S: Into<String>, L: Layer> IntoNamedLayers for Vec<(S, L)> {
    fn into_named_layers(self) -> Vec<(String, Box<dyn Layer>)> {
        self.into_iter().map(|(name, layer)| (name.into(), layer.boxed())).collect()
    }
}
impl<S: Into<String>, L: Layer, const N: usize> IntoNamedLayers for [(S, L); N] {
    fn into_named_layers(self) -> Vec<(String, Box<dyn Layer>)> {
        self.into_iter().map(|(name, layer)| (name.into(), layer.boxed())).collect()
    }
}

macro_rules! tuples {
    ($(($($letter:ident),*))*) => {$(
        impl<$($letter: Layer),*> IntoLayers for ($($letter,)*) {
            #[allow(non_snake_case)]
            fn into_layers(self) -> Vec<Box<dyn Layer>> {
                let ($($letter,)*) = self;
                vec![$($letter.boxed()),*]
            }
        }
        impl<$($letter: Layer),*> IntoNamedLayers for ($((&str, $letter),)*) {
            #[allow(non_snake_case)]
            fn into_named_layers(self) -> Vec<(String, Box<dyn Layer>)> {
                let ($($letter,)*) = self;
                vec![$(($letter.0.to_string(), $letter.1.boxed())),*]
            }
        }
    )*};
}
tuples! {
    ()
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
    (A, B, C, D, E, F, G, H, I)
    (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K)
    (A, B, C, D, E, F, G, H, I, J, K, L)
    (A, B, C, D, E, F, G, H, I, J, K, L, M)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W)
    (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X)
}

/// A name in the tree: not empty, without a dot, not used before.
#[track_caller]
pub(crate) fn check_name(op: &str, name: &str, mut used: impl Iterator<Item = bool>) {
    let refuse = |why: String| cresset_tensor::error::fail(op, why);
    if name.is_empty() {
        refuse("module name can't be empty string \"\"".into());
    }
    if name.contains('.') {
        refuse(format!("module name can't contain \".\", got: {name}"));
    }
    if used.any(|same| same) {
        refuse(format!("attribute '{name}' already exists"));
    }
}
