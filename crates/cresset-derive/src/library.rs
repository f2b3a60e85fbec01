//! How the user's crate reaches cresset: through the facade, or through cresset-nn itself.

use proc_macro2::TokenStream;
use quote::quote;
use std::path::Path;

/// The path of cresset-nn, by what the manifest of the crate being compiled depends on.
pub fn path() -> TokenStream {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let text = std::fs::read_to_string(Path::new(&manifest).join("Cargo.toml")).unwrap_or_default();
    if names(&text, "cresset-nn") { quote!(::cresset_nn) } else { quote!(::cresset::nn) }
}

/// Does the manifest name the package: as a dependency, or as itself?
fn names(manifest: &str, package: &str) -> bool {
    manifest.lines().map(str::trim).any(|line| {
        let after = |start: &str| line.strip_prefix(start).and_then(|rest| rest.strip_prefix(package));
        after("").is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
            || after("name = \"").is_some_and(|rest| rest == "\"")
            || (line.starts_with('[') && line.ends_with(&format!("dependencies.{package}]")))
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_manifest_names_its_dependencies() {
        assert!(names("[dependencies]\ncresset-nn = { path = \"..\" }", "cresset-nn"));
        assert!(names("cresset-nn.workspace = true", "cresset-nn"));
        assert!(names("[dependencies.cresset-nn]", "cresset-nn"));
        assert!(names("[package]\nname = \"cresset-nn\"", "cresset-nn"));
        assert!(!names("[dependencies]\ncresset = \"0.1\"\ncresset-nnx = \"1\"", "cresset-nn"));
    }
}
