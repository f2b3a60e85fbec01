//! The derive macro behind cresset's module tree: #[derive(Module)].
