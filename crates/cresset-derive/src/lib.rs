//! The derive macro behind cresset's module tree: `#[derive(Module)]`.

mod attributes;
mod expand;
mod library;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a module: its fields become members in their order.
///
/// The struct has named fields, one of them `base: Base`, and is `Clone`. On the struct: `#[module(name = "...")]` is the name that is printed. On a
/// field: `#[module(skip)]` takes it out of the tree, `#[module(name = "...")]` gives it another name there. A method `extra_repr(&self) -> String`
/// of the struct is used for printing.
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::module(&input).unwrap_or_else(|e| e.into_compile_error()).into()
}
